/* Mutation by edits whose kind and place are a hash of seed and counter. */
#include "mutator.h"

#include <stdbool.h>
#include <string.h>

typedef struct Mutant {
  uint64_t seed, counter;
  char *bytes;
  size_t size, capacity;
} Mutant;

typedef struct Range {
  size_t begin, end;
} Range;

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t draw(Mutant *mutant) {
  uint64_t z = mutant->seed + ++mutant->counter * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

static size_t draw_below(Mutant *mutant, size_t bound) {
  return bound > 0 ? (size_t)(draw(mutant) % bound) : 0;
}

static void erase(Mutant *mutant, Range range) {
  memmove(mutant->bytes + range.begin, mutant->bytes + range.end, mutant->size - range.end);
  mutant->size -= range.end - range.begin;
}

/* Inserts as much as fits. */
static void insert(Mutant *mutant, size_t at, const char *bytes, size_t size) {
  size_t room = mutant->capacity - mutant->size;
  if (size > room) size = room;
  memmove(mutant->bytes + at + size, mutant->bytes + at, mutant->size - at);
  memcpy(mutant->bytes + at, bytes, size);
  mutant->size += size;
}

static bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The token around a random place: a word, or one other byte. */
static Range draw_token(Mutant *mutant) {
  size_t at = draw_below(mutant, mutant->size);
  Range range = {at, at < mutant->size ? at + 1 : at};
  if (range.end == range.begin || !is_word_byte(mutant->bytes[at])) return range;
  while (range.begin > 0 && is_word_byte(mutant->bytes[range.begin - 1])) range.begin--;
  while (range.end < mutant->size && is_word_byte(mutant->bytes[range.end])) range.end++;
  return range;
}

/* A copy of a random part, short enough to be moved about. */
static size_t copy_part(Mutant *mutant, char *part, size_t limit) {
  size_t begin = draw_below(mutant, mutant->size);
  size_t size = 1 + draw_below(mutant, limit);
  if (size > mutant->size - begin) size = mutant->size - begin;
  memcpy(part, mutant->bytes + begin, size);
  return size;
}

static void flip_byte(Mutant *mutant) {
  if (mutant->size == 0) return;
  char *byte = &mutant->bytes[draw_below(mutant, mutant->size)];
  char flipped = (char)(*byte ^ (char)(1u << draw_below(mutant, 8)));
  if (flipped) *byte = flipped;
}

static void insert_byte(Mutant *mutant) {
  char byte = (char)(1 + draw_below(mutant, 255));
  insert(mutant, draw_below(mutant, mutant->size + 1), &byte, 1);
}

/* Tokens and beginnings that lead somewhere. */
/* clang-format off */
static const char *const tokens[] = {
    "(", ")", "[", "]", "{", "}", ";", "\n", ",", "=", ":=", "~", "|>", "|", "->", "...", "==",
    "<=", "+", "-", "*", "//", "%", "^", ":", "\"", "#", "@", "1", "0", "1e999", "2.5e-3", "x",
    "n", "adj.y", "sum[i](", "if ", " then ", " else ", " in ", " and ", "not ", "dim ", "param ",
    "state ", "def f(", "model m {", "scan t in ", "use ", "total(", "count[", "train {", "loss ",
    "\xE2\x89\xA4", "999999999999", "repeat(9999, dense(3))", "((((((((((((((((((((((((((((((((",
    "[N, N, N, N, N, N, N, N, N]"
};
/* clang-format on */

static void insert_token(Mutant *mutant) {
  const char *token = tokens[draw_below(mutant, sizeof tokens / sizeof tokens[0])];
  insert(mutant, draw_below(mutant, mutant->size + 1), token, strlen(token));
}

static void erase_token(Mutant *mutant) {
  erase(mutant, draw_token(mutant));
}

static void double_token(Mutant *mutant) {
  char copy[64];
  Range token = draw_token(mutant);
  size_t size = token.end - token.begin;
  if (size > sizeof copy) size = sizeof copy;
  memcpy(copy, mutant->bytes + token.begin, size);
  insert(mutant, token.begin, copy, size);
}

/* Puts one token in the place of another, which changes what names and operators mean. */
static void replace_token(Mutant *mutant) {
  char copy[64];
  Range from = draw_token(mutant);
  size_t size = from.end - from.begin;
  if (size > sizeof copy) size = sizeof copy;
  memcpy(copy, mutant->bytes + from.begin, size);
  Range to = draw_token(mutant);
  erase(mutant, to);
  insert(mutant, to.begin, copy, size);
}

static void copy_elsewhere(Mutant *mutant) {
  char part[256];
  size_t size = copy_part(mutant, part, sizeof part);
  insert(mutant, draw_below(mutant, mutant->size + 1), part, size);
}

static void erase_part(Mutant *mutant) {
  size_t begin = draw_below(mutant, mutant->size);
  size_t size = draw_below(mutant, 64);
  if (size > mutant->size - begin) size = mutant->size - begin;
  erase(mutant, (Range){begin, begin + size});
}

static void truncate_end(Mutant *mutant) {
  mutant->size = draw_below(mutant, mutant->size + 1);
}

size_t mutate(uint64_t seed, const char *source, size_t size, char *out, size_t capacity) {
  static void (*const edits[])(Mutant *) = {
      flip_byte,    insert_byte,   insert_token,  insert_token,   erase_token, erase_token,
      double_token, replace_token, replace_token, copy_elsewhere, erase_part};
  Mutant mutant = {.seed = seed, .bytes = out, .capacity = capacity};
  mutant.size = size < capacity ? size : capacity;
  memcpy(out, source, mutant.size);
  size_t count = 1 + draw_below(&mutant, 6);
  for (size_t i = 0; i < count; i++) {
    edits[draw_below(&mutant, sizeof edits / sizeof edits[0])](&mutant);
  }
  if (draw_below(&mutant, 16) == 0) truncate_end(&mutant);
  return mutant.size;
}
