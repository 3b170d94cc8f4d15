/* Numbers out of range and bytes that no token begins with: their messages and remedies. */
#include "syntax/build.h"
#include "syntax/lexer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool has_nonzero_digit(const char *text) {
  for (; *text && *text != 'e' && *text != 'E'; text++) {
    if (*text >= '1' && *text <= '9') return true;
  }
  return false;
}

Node *lexer_number(Parse *parse, Span span, Name text) {
  double value = strtod(text, NULL);
  const char *problem = value >= HUGE_VAL ? "large" : "small";
  if (value >= HUGE_VAL || (value <= 0 && has_nonzero_digit(text))) {
    if (!lexer_is_skipped(parse, span))
      diagnose(parse->diagnostics, NN0107, span,
               "this number is too %s: the range is 5e-324 to 1.79e308", problem);
    value = 1;
  }
  return node_number(parse, span, text, value);
}

/* "1_000" as "1000". */
static const char *without_separators(Arena *arena, const char *text) {
  char *joined = arena_alloc(arena, 1, strlen(text) + 1);
  size_t count = 0;
  for (; *text; text++) {
    if (*text != '_') joined[count++] = *text;
  }
  return joined;
}

/* The same characters in the form the language reads, where that can be guessed. */
static const char *number_remedy(Arena *arena, const char *text) {
  size_t length = strlen(text);
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) return "numbers are decimal";
  if (text[0] == '.') return "write a digit before the point: 0.5";
  if (text[length - 1] == '.') return "write a digit after the point: 1.0";
  if (strchr(text, '_') && strspn(text, "0123456789_.eE") == length) {
    return arena_format(arena, "numbers have no separators: %s", without_separators(arena, text));
  }
  if (text[length - 1] == 'f') return "numbers have no suffix";
  return "a name begins with a letter, and products are written out: 2*x";
}

Node *lexer_bad_number(Parse *parse, Span span, Name text) {
  if (!lexer_is_skipped(parse, span)) {
    Diagnostic *d = diagnose(parse->diagnostics, NN0107, span, "malformed number");
    diagnostic_help(d, "%s", number_remedy(parse->arena, text));
  }
  return node_number(parse, span, text, 1);
}

/* What people type, or what editors make of it, and how it is written here. */
static const struct {
  const char *bytes, *remedy;
} remedies[] = {
    {"&", "write 'and'"},
    {"!", "write 'not', or '!=' for unequal"},
    {"'", "strings stand between '\"'"},
    {"`", "strings stand between '\"'"},
    {"?", "a choice is written: if c then a else b"},
    {"\\", "a line that ends with an operator goes on in the next"},
    {".", "write '...' for any dims"},
    {"@", "a tag is a name right after '@': @weight"},
    {"\xE2\x80\x9C", "write '\"'"}, /* typographic quotes */
    {"\xE2\x80\x9D", "write '\"'"},
    {"\xE2\x89\xA4", "write '<='"},
    {"\xE2\x89\xA5", "write '>='"},
    {"\xE2\x89\xA0", "write '!='"},
    {"\xE2\x88\x92", "write '-'"}, /* minus and dashes */
    {"\xE2\x80\x93", "write '-'"},
    {"\xC3\x97", "write '*'"}, /* times, dot */
    {"\xC2\xB7", "write '*'"},
    {"\xE2\x88\x91", "write sum[i](...)"},
    {"\xE2\x86\x92", "write '->'"},
    {"\xC2\xB2", "write '^2'"},
};

static const char *find_remedy(const char *text) {
  for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
    if (strncmp(text, remedies[i].bytes, strlen(remedies[i].bytes)) == 0) return remedies[i].remedy;
  }
  return (unsigned char)*text >= 0x80 ? "outside strings and comments only ASCII is used" : NULL;
}

void lexer_bad_character(Parse *parse, Span span) {
  if (!lexer_begins_error(parse, span)) return;
  const char *text = parse->file->text + (span.begin - parse->file->base);
  int size = character_size(text, span.end - span.begin);
  Diagnostic *d = size > 0 ? diagnose(parse->diagnostics, NN0103, span,
                                      "no token begins with '%.*s'", size, text)
                           : diagnose(parse->diagnostics, NN0103, span,
                                      "no token begins with the byte 0x%02X", (unsigned char)*text);
  const char *remedy = find_remedy(text);
  if (remedy) diagnostic_help(d, "%s", remedy);
}
