/* Diagnostics as text: the message with its place, the source line, notes as carets under it, help.

   A line is shown as it stands, with every byte that cannot be printed as '?'; of a very long one
   only the part around the place is shown. */
#include "support/diagnostics_list.h"

#include <string.h>

enum { LINE_SHOWN = 160, SHOWN_BEFORE = 60, TEXT_SHOWN = 2000 };

typedef struct Printer {
  const Sources *sources;
  FILE *stream;
  bool color;
} Printer;

#define STYLE_STRONG "1"
#define STYLE_ERROR "1;31"
#define STYLE_WARNING "1;35"
#define STYLE_NOTE "1;36"
#define STYLE_CARET "1;32"

static void begin_style(const Printer *printer, const char *style) {
  if (printer->color) fprintf(printer->stream, "\033[%sm", style);
}

static void end_style(const Printer *printer) {
  if (printer->color) fputs("\033[0m", printer->stream);
}

/* Prints `size` bytes without letting one of them reach the terminal as a command. */
static void print_bytes(const Printer *printer, const char *bytes, size_t size) {
  for (size_t i = 0; i < size;) {
    int character = character_size(bytes + i, size - i);
    if (character > 0) {
      fwrite(bytes + i, 1, (size_t)character, printer->stream);
    } else {
      fputc(bytes[i] == '\t' ? ' ' : '?', printer->stream);
    }
    i += character > 0 ? (size_t)character : 1;
  }
}

static void print_text(const Printer *printer, const char *text) {
  size_t length = strlen(text);
  print_bytes(printer, text, length > TEXT_SHOWN ? TEXT_SHOWN : length);
  if (length > TEXT_SHOWN) fputs("...", printer->stream);
}

/* The columns that `size` bytes take. */
static int measure_columns(const char *bytes, int size) {
  int columns = 0;
  for (int i = 0; i < size; columns++) {
    int character = character_size(bytes + i, (size_t)(size - i));
    i += character > 0 ? character : 1;
  }
  return columns;
}

/* A source line, or the part of it that is shown. */
typedef struct Excerpt {
  Place place;
  const char *bytes;
  int begin, end; /* bytes from the line's first that are shown */
} Excerpt;

static Excerpt excerpt_of(const Printer *printer, Span span) {
  int length;
  Excerpt excerpt = {.place = place_of(printer->sources, span.begin)};
  excerpt.bytes = source_line(printer->sources, span.begin, &length);
  excerpt.end = length;
  if (length > LINE_SHOWN) {
    int before = excerpt.place.column - 1 - SHOWN_BEFORE;
    excerpt.begin = before > 0 ? before : 0;
    if (length - excerpt.begin > LINE_SHOWN) excerpt.end = excerpt.begin + LINE_SHOWN;
  }
  while (excerpt.end > excerpt.begin && excerpt.bytes[excerpt.end - 1] == '\r') excerpt.end--;
  return excerpt;
}

static void print_gutter(const Printer *printer, const char *sign) {
  begin_style(printer, STYLE_STRONG);
  fprintf(printer->stream, "      %s ", sign);
  end_style(printer);
}

static void print_excerpt(const Printer *printer, const Excerpt *excerpt) {
  begin_style(printer, STYLE_STRONG);
  fprintf(printer->stream, "%5d | ", excerpt->place.line);
  end_style(printer);
  print_bytes(printer, excerpt->bytes + excerpt->begin, (size_t)(excerpt->end - excerpt->begin));
  fputc('\n', printer->stream);
}

static int clamp(int value, int low, int high) {
  return value < low ? low : value > high ? high : value;
}

/* One line of carets under `span`, which begins on the excerpt's line, and a text beside them. */
static void print_carets(const Printer *printer, const Excerpt *excerpt, Span span,
                         const char *text) {
  int first = place_of(printer->sources, span.begin).column - 1;
  int size = span.end > span.begin ? (int)(span.end - span.begin) : 0;
  int begin = clamp(first, excerpt->begin, excerpt->end);
  int end = clamp(first + size, begin, excerpt->end);
  print_gutter(printer, "|");
  int blanks = measure_columns(excerpt->bytes + excerpt->begin, begin - excerpt->begin);
  fprintf(printer->stream, "%*s", blanks, "");
  begin_style(printer, STYLE_CARET);
  fputc('^', printer->stream);
  int columns = measure_columns(excerpt->bytes + begin, end - begin);
  for (int i = 1; i < columns; i++) fputc('~', printer->stream);
  end_style(printer);
  if (text) fputc(' ', printer->stream), print_text(printer, text);
  fputc('\n', printer->stream);
}

static void print_place(const Printer *printer, Span span) {
  Place place = place_of(printer->sources, span.begin);
  begin_style(printer, STYLE_STRONG);
  print_text(printer, place.file ? place.file->path : "nnc");
  if (place.file) fprintf(printer->stream, ":%d:%d", place.line, place.column);
  fputs(": ", printer->stream);
  end_style(printer);
}

static void print_label(const Printer *printer, const char *style, const char *label) {
  begin_style(printer, style);
  fprintf(printer->stream, "%s: ", label);
  end_style(printer);
}

static bool is_on_line(const Printer *printer, const Excerpt *excerpt, Span span) {
  Place place = place_of(printer->sources, span.begin);
  return place.file && place.file == excerpt->place.file && place.line == excerpt->place.line;
}

/* Carets of the notes on the message's own line, or of the message itself where there are none. */
static void print_own_line(const Printer *printer, const Diagnostic *diagnostic) {
  Excerpt excerpt = excerpt_of(printer, diagnostic->span);
  if (!excerpt.place.file) return;
  print_excerpt(printer, &excerpt);
  bool any = false;
  for (int i = 0; i < diagnostic->notes.count; i++) {
    const Note *note = &diagnostic->notes.items[i];
    if (!is_on_line(printer, &excerpt, note->span)) continue;
    print_carets(printer, &excerpt, note->span, note->text);
    any = true;
  }
  if (!any) print_carets(printer, &excerpt, diagnostic->span, NULL);
}

static void print_note_elsewhere(const Printer *printer, const Note *note) {
  Excerpt excerpt = excerpt_of(printer, note->span);
  if (!excerpt.place.file) {
    print_gutter(printer, "=");
    print_label(printer, STYLE_NOTE, "note");
    print_text(printer, note->text);
    fputc('\n', printer->stream);
    return;
  }
  print_place(printer, note->span);
  print_label(printer, STYLE_NOTE, "note");
  print_text(printer, note->text);
  fputc('\n', printer->stream);
  print_excerpt(printer, &excerpt);
  print_carets(printer, &excerpt, note->span, NULL);
}

static void print_diagnostic(const Printer *printer, const Diagnostic *diagnostic) {
  print_place(printer, diagnostic->span);
  bool is_error = error_severity(diagnostic->code) == SEVERITY_ERROR;
  print_label(printer, is_error ? STYLE_ERROR : STYLE_WARNING, is_error ? "error" : "warning");
  print_text(printer, diagnostic->text);
  fprintf(printer->stream, " [%s]\n", error_name(diagnostic->code));
  print_own_line(printer, diagnostic);
  Excerpt own = excerpt_of(printer, diagnostic->span);
  for (int i = 0; i < diagnostic->notes.count; i++) {
    const Note *note = &diagnostic->notes.items[i];
    if (!is_on_line(printer, &own, note->span)) print_note_elsewhere(printer, note);
  }
  if (!diagnostic->help) return;
  print_gutter(printer, "=");
  print_label(printer, STYLE_CARET, "help");
  print_text(printer, diagnostic->help);
  fputc('\n', printer->stream);
}

void diagnostics_print(const Diagnostics *diagnostics, FILE *stream, bool color) {
  Printer printer = {diagnostics->sources, stream, color};
  int count, left;
  Diagnostic **chosen = diagnostics_select(diagnostics, &count, &left);
  for (int i = 0; i < count; i++) print_diagnostic(&printer, chosen[i]);
  if (left > 0) fprintf(stream, "%d more error%s\n", left, left == 1 ? "" : "s");
}
