/* Source files: laid end to end from offset 1, with one offset past each for the end of its text.
 */
#include "support/source.h"
#include "support/diagnostics.h"

#include <stdbool.h>
#include <string.h>

void sources_init(Sources *sources, Arena *arena) {
  *sources = (Sources){.arena = arena};
}

static void index_lines(Arena *arena, SourceFile *file) {
  APPEND(arena, &file->lines, 0);
  for (uint32_t i = 0; i < file->size; i++) {
    if (file->text[i] == '\n') APPEND(arena, &file->lines, i + 1);
  }
}

SourceFile *source_add(Sources *sources, const char *path, const char *text, uint32_t size) {
  uint64_t base = 1;
  if (sources->files.count > 0) {
    const SourceFile *last = sources->files.items[sources->files.count - 1];
    base = (uint64_t)last->base + last->size + 1;
  }
  if (base + size >= UINT32_MAX) bug("more than 4 GiB of source text");
  SourceFile *file = NEW(sources->arena, SourceFile);
  *file = (SourceFile){.path = path, .text = text, .base = (uint32_t)base, .size = size};
  index_lines(sources->arena, file);
  APPEND(sources->arena, &sources->files, file);
  return file;
}

const SourceFile *source_of(const Sources *sources, uint32_t offset) {
  int low = 0, high = sources->files.count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    const SourceFile *file = sources->files.items[middle];
    if (offset < file->base) {
      high = middle;
    } else if (offset > file->base + file->size) {
      low = middle + 1;
    } else {
      return file;
    }
  }
  return NULL;
}

/* The number, from 0, of the line that holds byte `position` of the text. */
static int find_line(const SourceFile *file, uint32_t position) {
  int low = 0, high = file->lines.count - 1;
  while (low < high) {
    int middle = low + (high - low + 1) / 2;
    if (file->lines.items[middle] <= position) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

Place place_of(const Sources *sources, uint32_t offset) {
  const SourceFile *file = source_of(sources, offset);
  if (!file) return (Place){0};
  uint32_t position = offset - file->base;
  int line = find_line(file, position);
  return (Place){file, line + 1, (int)(position - file->lines.items[line]) + 1};
}

const char *source_line(const Sources *sources, uint32_t offset, int *length) {
  const SourceFile *file = source_of(sources, offset);
  *length = 0;
  if (!file) return "";
  const char *line = file->text + file->lines.items[find_line(file, offset - file->base)];
  size_t rest = file->size - (size_t)(line - file->text);
  const char *newline = memchr(line, '\n', rest);
  *length = (int)(newline ? (size_t)(newline - line) : rest);
  return line;
}

/* Bytes of a UTF-8 sequence by its first one; 0 for a byte that begins none. */
static int sequence_size(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

/* Overlong forms, surrogates and control characters are refused by their code points. */
int character_size(const char *text, size_t rest) {
  static const uint32_t smallest[] = {0, 0x20, 0xA0, 0x800, 0x10000};
  static const unsigned char payload[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  unsigned char first = (unsigned char)text[0];
  int size = sequence_size(first);
  if (size == 0 || (size_t)size > rest) return 0;
  uint32_t code_point = first & payload[size];
  for (int i = 1; i < size; i++) {
    unsigned char byte = (unsigned char)text[i];
    if ((byte & 0xC0) != 0x80) return 0;
    code_point = code_point << 6 | (byte & 0x3F);
  }
  bool is_surrogate = code_point >= 0xD800 && code_point < 0xE000;
  bool is_control = code_point == 0x7F || code_point > 0x10FFFF;
  return code_point < smallest[size] || is_surrogate || is_control ? 0 : size;
}
