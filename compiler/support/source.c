/* Source files: laid end to end from offset 1, with one offset past each for the end of its text.
 */
#include "support/source.h"
#include "support/diagnostics.h"

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
