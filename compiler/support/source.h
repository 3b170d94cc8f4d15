/* Source files and positions.

   Every byte of every file read in a compilation has one number, its offset: files are laid end to end
   in the order they were opened. A Span is two offsets, so a position needs no file pointer; line and
   column are computed only when something is printed. Offset 0 belongs to no file: an empty Span
   (0, 0) means "no place". */
#ifndef NNC_SUPPORT_SOURCE_H
#define NNC_SUPPORT_SOURCE_H

#include "support/arena.h"

typedef struct Span {
  uint32_t begin, end; /* [begin, end) */
} Span;
typedef LIST_OF(Span) SpanList;

typedef struct SourceFile {
  const char *path; /* as shown in messages: as given on the command line, or "library/layers.nn" */
  const char *text; /* NUL-terminated */
  uint32_t base;    /* offset of text[0] */
  uint32_t size;
  LIST_OF(uint32_t) lines; /* where each line begins, from 0 in text */
} SourceFile;

typedef struct Sources {
  Arena *arena;
  LIST_OF(SourceFile *) files;
} Sources;

typedef struct Place {
  const SourceFile *file; /* null when the span is empty */
  int line, column;       /* from 1; the column counts bytes */
} Place;

void sources_init(Sources *sources, Arena *arena);

/* Adds a file whose text is already in memory (and outlives `sources`). */
SourceFile *source_add(Sources *sources, const char *path, const char *text, uint32_t size);

const SourceFile *source_of(const Sources *sources, uint32_t offset);
Place place_of(const Sources *sources, uint32_t offset);

/* The line that holds `offset`, without its newline; `*length` gets its size. */
const char *source_line(const Sources *sources, uint32_t offset, int *length);

/* Bytes of the printable character that `text`, of `rest` bytes, begins with; 0 for a control byte or
   what is not UTF-8. */
int character_size(const char *text, size_t rest);

static inline Span span_join(Span a, Span b) {
  if (a.end == 0) return b;
  if (b.end == 0) return a;
  return (Span){a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

#endif
