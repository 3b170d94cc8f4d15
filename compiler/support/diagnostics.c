/* Diagnostics: recording what the user is told. Past the limit they are only counted. */
#include "support/diagnostics_list.h"
#include "support/limits.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  Severity severity;
  const char *title;
} errors[] = {
#define ERROR(code, severity, title) {#code, SEVERITY_##severity, title},
#include "support/errors.def"
#undef ERROR
};

const char *error_name(ErrorCode code) {
  return errors[code].name;
}

const char *error_title(ErrorCode code) {
  return errors[code].title;
}

Severity error_severity(ErrorCode code) {
  return errors[code].severity;
}

Diagnostics *diagnostics_new(Arena *arena, const Sources *sources) {
  Diagnostics *diagnostics = NEW(arena, Diagnostics);
  diagnostics->arena = arena;
  diagnostics->sources = sources;
  return diagnostics;
}

void diagnostics_enable_warnings(Diagnostics *diagnostics) {
  diagnostics->warnings_enabled = true;
}

int diagnostics_error_count(const Diagnostics *diagnostics) {
  return diagnostics->error_count;
}

static bool is_recorded(const Diagnostics *diagnostics, ErrorCode code, Span span) {
  for (int i = diagnostics->list.count - 1; i >= 0; i--) {
    const Diagnostic *old = diagnostics->list.items[i];
    if (old->code == code && old->span.begin == span.begin && old->span.end == span.end)
      return true;
  }
  return false;
}

static bool is_wanted(Diagnostics *diagnostics, ErrorCode code, Span span) {
  bool full = diagnostics->list.count >= LIMIT_ERRORS_RECORDED;
  if (error_severity(code) == SEVERITY_WARNING) {
    return diagnostics->warnings_enabled && !full && !is_recorded(diagnostics, code, span);
  }
  if (!full && is_recorded(diagnostics, code, span)) return false;
  diagnostics->error_count++;
  return !full;
}

Diagnostic *diagnose(Diagnostics *diagnostics, ErrorCode code, Span span, const char *text, ...) {
  if (!is_wanted(diagnostics, code, span)) return &diagnostics->discarded;
  Diagnostic *diagnostic = NEW(diagnostics->arena, Diagnostic);
  diagnostic->arena = diagnostics->arena;
  diagnostic->code = code;
  diagnostic->span = span;
  va_list arguments;
  va_start(arguments, text);
  diagnostic->text = arena_format_list(diagnostics->arena, text, arguments);
  va_end(arguments);
  APPEND(diagnostics->arena, &diagnostics->list, diagnostic);
  return diagnostic;
}

void diagnostic_note(Diagnostic *diagnostic, Span span, const char *text, ...) {
  if (!diagnostic->arena) return;
  va_list arguments;
  va_start(arguments, text);
  Note note = {span, arena_format_list(diagnostic->arena, text, arguments)};
  va_end(arguments);
  APPEND(diagnostic->arena, &diagnostic->notes, note);
}

void diagnostic_help(Diagnostic *diagnostic, const char *text, ...) {
  if (!diagnostic->arena) return;
  va_list arguments;
  va_start(arguments, text);
  diagnostic->help = arena_format_list(diagnostic->arena, text, arguments);
  va_end(arguments);
}

typedef struct Ranked {
  Diagnostic *diagnostic;
  int rank; /* order of recording, which decides between messages for one place */
} Ranked;

static int compare_ranked(const void *left, const void *right) {
  const Ranked *a = left, *b = right;
  uint32_t a_begin = a->diagnostic->span.begin, b_begin = b->diagnostic->span.begin;
  if (a_begin != b_begin) return a_begin < b_begin ? -1 : 1;
  return a->rank < b->rank ? -1 : a->rank > b->rank;
}

Diagnostic **diagnostics_select(const Diagnostics *diagnostics, int *count, int *left) {
  int total = diagnostics->list.count, errors_chosen = 0;
  Ranked *ranked = NEW_ARRAY(diagnostics->arena, Ranked, total);
  for (int i = 0; i < total; i++) ranked[i] = (Ranked){diagnostics->list.items[i], i};
  if (total > 0) qsort(ranked, (size_t)total, sizeof *ranked, compare_ranked);
  Diagnostic **chosen = NEW_ARRAY(diagnostics->arena, Diagnostic *, total);
  *count = 0;
  for (int i = 0; i < total; i++) {
    bool is_error = error_severity(ranked[i].diagnostic->code) == SEVERITY_ERROR;
    if (is_error && errors_chosen == LIMIT_ERRORS_PRINTED) continue;
    errors_chosen += is_error;
    chosen[(*count)++] = ranked[i].diagnostic;
  }
  *left = diagnostics->error_count - errors_chosen;
  return chosen;
}

void bug(const char *text, ...) {
  va_list arguments;
  va_start(arguments, text);
  fputs("nnc: internal error: ", stderr);
  vfprintf(stderr, text, arguments);
  va_end(arguments);
  fputs("\nThis is a bug in nnc, not in your program. Please report it with the command and the "
        "source files that led to it.\n",
        stderr);
  exit(EXIT_BUG);
}
