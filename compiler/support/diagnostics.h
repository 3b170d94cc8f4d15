/* Diagnostics: what the user is told.

   Every message has a code (a row of errors.def), a place, a fact and, when known, a remedy. Messages
   are collected and printed in source order at the end of the compilation (at most 20 errors), as text
   with the source line and carets, or as JSON. One cause gives one error: a second error with the same
   code and span is dropped, and values that are wrong because of an earlier error carry no new one
   (see the `poisoned` values of the elaborator).

     Diagnostic *d = diagnose(ds, NN0207, span, "index '%s' has two different extents", name);
     diagnostic_note(d, other_span, "dim P = 784, from 'input x[N, P]' at 3:9");
     diagnostic_help(d, "did you mean to apply it to '%s'?", other);  */
#ifndef NNC_SUPPORT_DIAGNOSTICS_H
#define NNC_SUPPORT_DIAGNOSTICS_H

#include "support/source.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum {
#define ERROR(code, severity, title) code,
#include "support/errors.def"
#undef ERROR
  ERROR_CODE_COUNT
} ErrorCode;

typedef enum { SEVERITY_ERROR, SEVERITY_WARNING } Severity;

typedef struct Diagnostics Diagnostics;
typedef struct Diagnostic Diagnostic;

Diagnostics *diagnostics_new(Arena *arena, const Sources *sources);

/* Records a message; the result takes notes and a help line and is never null. Warnings are recorded
   only when enabled with diagnostics_enable_warnings (-W). */
Diagnostic *diagnose(Diagnostics *diagnostics, ErrorCode code, Span span, const char *text, ...)
    __attribute__((format(printf, 4, 5)));
/* A span with text printed under the message: on the same source line as carets, elsewhere with its place. */
void diagnostic_note(Diagnostic *diagnostic, Span span, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
void diagnostic_help(Diagnostic *diagnostic, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

void diagnostics_enable_warnings(Diagnostics *diagnostics);
int diagnostics_error_count(const Diagnostics *diagnostics);

/* Prints everything collected, in source order. `color`: ANSI colours on. */
void diagnostics_print(const Diagnostics *diagnostics, FILE *stream, bool color);
void diagnostics_print_json(const Diagnostics *diagnostics, FILE *stream);

/* The number as printed, "NN0207", and its one-line title. */
const char *error_name(ErrorCode code);
const char *error_title(ErrorCode code);

/* An impossible state of nnc itself: prints what to report and exits with 70. */
_Noreturn void bug(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* Exit codes of the command (docs: nnc --help). */
enum { EXIT_PROGRAM = 1, EXIT_USAGE = 2, EXIT_MEMORY = 3, EXIT_NUMERIC = 4, EXIT_BUG = 70 };

#endif
