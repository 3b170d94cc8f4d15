/* What diagnostics.c records and the two printers (text, JSON) read; private to them. */
#ifndef NNC_SUPPORT_DIAGNOSTICS_LIST_H
#define NNC_SUPPORT_DIAGNOSTICS_LIST_H

#include "support/diagnostics.h"

typedef struct Note {
  Span span;
  const char *text;
} Note;

struct Diagnostic {
  Arena *arena; /* null: not recorded, and takes no notes */
  ErrorCode code;
  Span span;
  const char *text;
  LIST_OF(Note) notes;
  const char *help; /* or null */
};

struct Diagnostics {
  Arena *arena;
  const Sources *sources;
  LIST_OF(Diagnostic *) list;
  Diagnostic discarded;
  bool warnings_enabled;
  int error_count;
};

Severity error_severity(ErrorCode code);

/* The messages to print, at most LIMIT_ERRORS_PRINTED of them errors, in source order (those
   without a place first); `*left` gets the number of errors that were left out. */
Diagnostic **diagnostics_select(const Diagnostics *diagnostics, int *count, int *left);

#endif
