/* Lines of C: indented, and broken where they would pass the margin. */
#include "emit/writer.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MARGIN = 100 };

/* ---- statements ---- */

/* How badly a line ends before the space: behind an operator that binds little it is best, and only if
   nothing else is there behind an assignment; -1: not at all. */
static int break_cost(const char *space) {
  static const char ends[] = ";,?|&<>+-*/%=";
  if (space[1] == '?' || space[1] == ':') return 2;
  const char *end = strchr(ends, space[-1]);
  return end && *end ? (int)(end - ends) : -1;
}

/* How many bytes of a statement go into `room` columns: up to the last of the best breaks inside the
   fewest brackets; all when there is none. */
static size_t fitting(const char *line, size_t length, size_t room) {
  enum { BRACKET = 100 };
  size_t best = length;
  int depth = 0, least = INT_MAX;
  for (size_t i = 1; i < length && i <= room; i++) {
    if (strchr("([{", line[i])) depth++;
    if (strchr(")]}", line[i])) depth--;
    int cost = line[i] == ' ' ? break_cost(line + i) : -1;
    if (cost < 0 || BRACKET * depth + cost > least) continue;
    best = i;
    least = BRACKET * depth + cost;
  }
  return best;
}

void add_line(Text *text, size_t indent, const char *line, size_t length) {
  while (length > 0 && *line == ' ') {
    indent++;
    line++;
    length--;
  }
  text_add(text, "%*s", (int)indent, "");
  for (size_t column = indent; column + length > MARGIN && column < MARGIN; column = indent + 4) {
    size_t size = fitting(line, length, MARGIN - column);
    if (size == length) break;
    text_add_bytes(text, line, size);
    text_add(text, "\n%*s", (int)indent + 4, "");
    line += size + 1;
    length -= size + 1;
  }
  text_add_bytes(text, line, length);
  text_add(text, "\n");
}

void write_line(FunctionWriter *writer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *line = NEW_ARRAY(writer->arena, char, length + 1);
  va_start(arguments, format);
  vsnprintf(line, (size_t)length + 1, format, arguments);
  va_end(arguments);
  add_line(writer->text, 2 * (size_t)writer->depth, line, (size_t)length);
}

/* ---- lists ---- */

static size_t longest(const char *const *items, int count) {
  size_t most = 0;
  for (int i = 0; i < count; i++) {
    if (strlen(items[i]) > most) most = strlen(items[i]);
  }
  return most;
}

static int count_lines(size_t column, size_t indent, const char *const *items, int count) {
  int lines = 1;
  for (int i = 0; i < count; i++) {
    size_t length = strlen(items[i]) + 2;
    if (column + length > MARGIN) {
      column = indent;
      lines++;
    }
    column += length;
  }
  return lines;
}

/* Under the bracket, unless that leaves no room, or makes a pillar of what needs fewer lines. */
static size_t indent_of(const char *head, const char *const *items, int count, const char *tail) {
  size_t column = strlen(head), depth = strspn(head, " ");
  const size_t plain = depth > 2 ? depth + 2 : 4;
  if (column + longest(items, count) + strlen(tail) > MARGIN) return plain;
  int saved = count_lines(column, column, items, count) - count_lines(column, plain, items, count);
  return saved > 1 ? plain : column;
}

void write_wrapped(FunctionWriter *writer, const char *head, const char *const *items, int count,
                   const char *tail) {
  size_t column = strlen(head), indent = indent_of(head, items, count, tail);
  text_add(writer->text, "%s", head);
  for (int i = 0; i < count; i++) {
    size_t length = strlen(items[i]) + (i + 1 < count ? 2 : strlen(tail));
    if (column + length > MARGIN) {
      text_add(writer->text, "\n%*s", (int)indent, "");
      column = indent;
    } else if (i > 0) {
      text_add(writer->text, " ");
      column++;
    }
    text_add(writer->text, "%s%s", items[i], i + 1 < count ? "," : "");
    column += length;
  }
  text_add(writer->text, "%s\n", tail);
}

/* ---- comments ---- */

/* Up to the next space; of a word that no line has room for, a part that ends before an operator. */
static size_t word_length(const char *words, size_t room) {
  size_t length = strcspn(words, " ");
  if (length <= room) return length;
  for (size_t at = room; at > 0; at--)
    if (words[at] == '*' || words[at] == '/') return at;
  return length;
}

void add_comment(Text *text, size_t column, const char *words) {
  size_t indent = column + 3, at = indent;
  text_add(text, "/* ");
  while (*words) {
    size_t length = word_length(words, indent + 3 < MARGIN ? MARGIN - indent - 3 : 0);
    if (at + length + 3 > MARGIN && at > indent) {
      text_add(text, "\n%*s", (int)indent, "");
      at = indent;
    } else if (at > indent) {
      text_add(text, " ");
    }
    text_add_bytes(text, words, length);
    at += length + 1;
    words += length + (words[length] == ' ');
  }
  text_add(text, " */\n");
}

void write_comment(FunctionWriter *writer, const char *words) {
  text_add(writer->text, "%*s", 2 * writer->depth, "");
  add_comment(writer->text, 2 * (size_t)writer->depth, words);
}

void write_statement(FunctionWriter *writer, const char *line) {
  if (!writer->statements->listing || !line) return;
  write_comment(writer, arena_format(writer->arena, "= %s", line));
}
