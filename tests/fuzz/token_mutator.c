/* Mutation of programs by tokens and lines. */
#include "token_mutator.h"

#include <stdbool.h>
#include <string.h>

typedef struct Range {
  size_t begin, end;
} Range;

typedef struct Program {
  uint64_t seed, counter;
  char *bytes;
  size_t size, capacity;
  const char *other;
  size_t other_size;
} Program;

/* SplitMix64, as in mutator.c. */
static uint64_t draw(Program *program) {
  uint64_t z = program->seed + ++program->counter * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

static size_t draw_below(Program *program, size_t bound) {
  return bound > 0 ? (size_t)(draw(program) % bound) : 0;
}

/* Puts `size` bytes in the place of a range, as far as there is room. */
static void replace(Program *program, Range range, const char *bytes, size_t size) {
  size_t rest = program->size - range.end;
  if (range.begin + size + rest > program->capacity) return;
  memmove(program->bytes + range.begin + size, program->bytes + range.end, rest);
  memcpy(program->bytes + range.begin, bytes, size);
  program->size = range.begin + size + rest;
}

static void replace_by_text(Program *program, Range range, const char *text) {
  replace(program, range, text, strlen(text));
}

/* ---- tokens ---- */

typedef enum { KIND_NAME, KIND_NUMBER, KIND_OTHER } Kind;

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

static Kind kind_of(char c) {
  if (is_digit(c)) return KIND_NUMBER;
  return is_word_byte(c) ? KIND_NAME : KIND_OTHER;
}

static Range word_around(const Program *program, size_t at) {
  Range range = {at, at};
  while (range.begin > 0 && is_word_byte(program->bytes[range.begin - 1])) range.begin--;
  while (range.end < program->size && is_word_byte(program->bytes[range.end])) range.end++;
  return range;
}

/* The next word of a kind behind a random place; empty when the file has none there. */
static Range draw_word(Program *program, Kind kind) {
  for (size_t at = draw_below(program, program->size); at < program->size; at++) {
    if (!is_word_byte(program->bytes[at])) continue;
    Range range = word_around(program, at);
    if (kind_of(program->bytes[range.begin]) == kind) return range;
    at = range.end;
  }
  return (Range){0, 0};
}

static bool equals(const Program *program, Range range, const char *text) {
  return strlen(text) == range.end - range.begin &&
         memcmp(program->bytes + range.begin, text, strlen(text)) == 0;
}

/* A copy of a range, cut to the room there is. */
static size_t copy_range(const Program *program, Range range, char *copy, size_t limit) {
  size_t size = range.end - range.begin < limit ? range.end - range.begin : limit;
  memcpy(copy, program->bytes + range.begin, size);
  return size;
}

static void exchange_name(Program *program) {
  char copy[64];
  size_t size = copy_range(program, draw_word(program, KIND_NAME), copy, sizeof copy);
  Range to = draw_word(program, KIND_NAME);
  if (size > 0 && to.end > to.begin) replace(program, to, copy, size);
}

static void change_number(Program *program) {
  static const char *const numbers[] = {"0",
                                        "1",
                                        "2",
                                        "3",
                                        "(-1)",
                                        "2147483647",
                                        "2147483648",
                                        "1099511627776",
                                        "9223372036854775807",
                                        "64",
                                        "0.5",
                                        "1e-9",
                                        "1e9",
                                        "1e308",
                                        "5e-324",
                                        "inf",
                                        "(1/0)",
                                        "(-inf)",
                                        "7",
                                        "17"};
  Range range = draw_word(program, KIND_NUMBER);
  if (range.end == range.begin) return;
  replace_by_text(program, range, numbers[draw_below(program, sizeof numbers / sizeof *numbers)]);
}

/* ---- kin: what may stand in each other's place ---- */

/* clang-format off */
static const char *const functions[] = {"exp", "log", "tanh", "sigmoid", "sqrt", "rsqrt", "abs", "sign",
  "floor", "softplus", "erf", "relu", "expm1", "log1p", "stop", "sin", "atan", "lgamma", "float", "int",
  "softmax", "layernorm", "batchnorm", "dropout", "mse", "cross_entropy", "gelu", "mean", "sum", "round"};
static const char *const reductions[] = {"sum", "prod", "max", "min", "mean", "argmax", "argmin", "lse",
  "any", "all", "count"};
static const char *const words[] = {"param", "state", "input", "target", "output", "loss", "metric", "dim",
  "use", "grad", "require", "if", "scan", "train", "group", "freeze", "model", "def", "optimizer"};
static const char *const operators[] = {"+", "-", "*", "/", "//", "%", "^", "==", "!=", "<", "<=", "and",
  "or", "|>", "=", ":=", "~", "|", ",", ":"};
/* clang-format on */

static void exchange_among(Program *program, const char *const *kin, size_t count) {
  for (int attempt = 0; attempt < 20; attempt++) {
    Range range = draw_word(program, KIND_NAME);
    for (size_t i = 0; i < count; i++) {
      if (!equals(program, range, kin[i])) continue;
      replace_by_text(program, range, kin[draw_below(program, count)]);
      return;
    }
  }
}

static void exchange_function(Program *program) {
  exchange_among(program, functions, sizeof functions / sizeof *functions);
}

static void exchange_reduction(Program *program) {
  exchange_among(program, reductions, sizeof reductions / sizeof *reductions);
}

static void exchange_keyword(Program *program) {
  exchange_among(program, words, sizeof words / sizeof *words);
}

static void exchange_operator(Program *program) {
  size_t at = draw_below(program, program->size);
  while (at < program->size && !strchr("+-*/%^=<>~|,:", program->bytes[at])) at++;
  if (at >= program->size) return;
  Range range = {at, at + 1};
  while (range.end < program->size && strchr("/=>", program->bytes[range.end])) range.end++;
  replace_by_text(program, range,
                  operators[draw_below(program, sizeof operators / sizeof *operators)]);
}

/* ---- brackets ---- */

/* The contents of the next bracket of a kind behind a random place; empty when there is none. */
static Range draw_bracket(Program *program, char open, char close) {
  size_t at = draw_below(program, program->size);
  while (at < program->size && program->bytes[at] != open) at++;
  size_t end = at + 1;
  for (int depth = 1; end < program->size; end++) {
    depth += (program->bytes[end] == open) - (program->bytes[end] == close);
    if (depth == 0) return (Range){at + 1, end};
  }
  return (Range){0, 0};
}

static void exchange_brackets(Program *program, char open, char close) {
  char copy[256];
  size_t size = copy_range(program, draw_bracket(program, open, close), copy, sizeof copy);
  Range to = draw_bracket(program, open, close);
  if (to.begin > 0) replace(program, to, copy, size);
}

static void exchange_subscripts(Program *program) {
  exchange_brackets(program, '[', ']');
}

static void exchange_arguments(Program *program) {
  exchange_brackets(program, '(', ')');
}

static void put_into_brackets(Program *program, char open, char close, const char *const *texts,
                              size_t count) {
  Range range = draw_bracket(program, open, close);
  if (range.begin == 0) return;
  if (draw_below(program, 3) > 0) range.begin = range.end;
  if (draw_below(program, 4) == 0) range.end = range.begin;
  replace_by_text(program, range, texts[draw_below(program, count)]);
}

static void change_subscripts(Program *program) {
  static const char *const texts[] = {
      "",       ", ...",        "n - 1 | 0", "2*i + 1",  ", 0",        ", i in 1",
      ", ...A", "n, n",         "(n, k)",    ", (i, j)", "- 1",        "+ 1",
      "i//2",   ", k if k > 0", "t[n]",      ", 3",      " | x[n, 0]", "n in 2, k in 3",
      "-n",     "i % 2",        "*2",        " in N"};
  put_into_brackets(program, '[', ']', texts, sizeof texts / sizeof *texts);
}

static void change_arguments(Program *program) {
  static const char *const texts[] = {"",          ", 0",
                                      ", p = 0.5", ", bias = false",
                                      "; eps = 1", "repeat(3, dense(4))",
                                      ", -1",      "gradient(l, x)",
                                      "stop(x)",   "x, x",
                                      "total(w)",  "training",
                                      "step",      ", 1e30",
                                      "dense(2)",  "\"x\"",
                                      "sum(x)",    "if training then 1 else 2"};
  put_into_brackets(program, '(', ')', texts, sizeof texts / sizeof *texts);
}

/* f(...) around what a bracket holds, many times over now and then. */
static void wrap(Program *program) {
  Range range = draw_bracket(program, '(', ')');
  if (range.begin == 0) return;
  const char *function = functions[draw_below(program, sizeof functions / sizeof *functions)];
  size_t times = draw_below(program, 8) == 0 ? 70 : 1;
  for (size_t i = 0; i < times && program->size + 16 < program->capacity; i++) {
    replace(program, (Range){range.end, range.end}, ")", 1);
    replace(program, (Range){range.begin, range.begin}, "(", 1);
    replace_by_text(program, (Range){range.begin, range.begin}, function);
    range.end += strlen(function) + 2;
  }
}

/* ---- lines ---- */

static Range line_around(const char *bytes, size_t size, size_t at) {
  Range range = {at, at};
  while (range.begin > 0 && bytes[range.begin - 1] != '\n') range.begin--;
  while (range.end < size && bytes[range.end] != '\n') range.end++;
  if (range.end < size) range.end++;
  return range;
}

static Range draw_line(Program *program) {
  return line_around(program->bytes, program->size, draw_below(program, program->size));
}

static void drop_line(Program *program) {
  replace(program, draw_line(program), "", 0);
}

static void repeat_line(Program *program) {
  char copy[512];
  size_t size = copy_range(program, draw_line(program), copy, sizeof copy);
  Range to = draw_line(program);
  replace(program, (Range){to.begin, to.begin}, copy, size);
}

static void borrow_line(Program *program) {
  Range line =
      line_around(program->other, program->other_size, draw_below(program, program->other_size));
  Range to = draw_line(program);
  replace(program, (Range){to.begin, to.begin}, program->other + line.begin, line.end - line.begin);
}

static void add_line(Program *program) {
  static const char *const lines[] = {
      "dim N <= 1\n",
      "dim Q = N*N//2\n",
      "dim N = 0\n",
      "param q[N, N, N] = 1\n",
      "loss 0\n",
      "loss 0/0\n",
      "param q = 1 @bias\n",
      "state s[4] = 0 @live\n",
      "output y = x\n",
      "target t[N] : index(3)\n",
      "train { optimizer sgd(0.1) }\n",
      "train b { optimizer adam(1e-3) |> clip_norm(1) }\n",
      "freeze @weight\n",
      "metric m = mean(x)\n",
      "input a[N, T] : u8\n",
      "if training {\n",
      "} else {\n",
      "}\n",
      "{\n",
      "scan t in N {\n",
      "q[n] = q[n - 1 | 0] + 1\n",
      "q[n in 5] = q[n + 1 | 0]*2\n",
      "def f(x) = f(x)\n",
      "def g(x) = g2(x)*g2(x)\ndef g2(x) = x*x\n",
      "x = x\n",
      "use d = dense(3)\n",
      "y = x |> d |> d\n",
      "require 1 == 2 : \"no\"\n",
      "u[n] ~ normal(0, 1)\n",
      "const c[3] = (1, 2, 3)\n",
      "import losses\n",
      "model m2 { dim N <= 2; input x[N]; output y = x }\n",
      "loss l2(0.1)\n",
      "y = gradient(sum(x^2), x)\n",
      "a_name_of_sixty_three_bytes_which_is_the_most_that_is_allowed_1 = 1\n",
      "remat { y = exp(x) }\n"};
  Range to = draw_line(program);
  replace_by_text(program, (Range){to.begin, to.begin},
                  lines[draw_below(program, sizeof lines / sizeof *lines)]);
}

size_t mutate_tokens(uint64_t seed, const char *source, size_t size, const char *other,
                     size_t other_size, char *out, size_t capacity) {
  static void (*const edits[])(Program *) = {exchange_name,      exchange_name,
                                             change_number,      change_number,
                                             exchange_function,  exchange_operator,
                                             exchange_reduction, exchange_keyword,
                                             change_subscripts,  change_subscripts,
                                             change_arguments,   exchange_subscripts,
                                             exchange_arguments, wrap,
                                             drop_line,          repeat_line,
                                             borrow_line,        add_line};
  Program program = {.seed = seed, .bytes = out, .capacity = capacity, .other = other};
  program.other_size = other_size;
  program.size = size < capacity ? size : capacity;
  memcpy(out, source, program.size);
  size_t count = 1 + draw_below(&program, 3);
  for (size_t i = 0; i < count; i++)
    edits[draw_below(&program, sizeof edits / sizeof *edits)](&program);
  return program.size;
}
