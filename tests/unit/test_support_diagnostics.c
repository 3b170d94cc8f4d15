/* Places in sources, and what is printed about them. */
#include "support/diagnostics.h"
#include "support/limits.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;
static Sources sources;
static Diagnostics *diagnostics;

static const char program[] = "model m {\n"
                              "  z[n, k] = sum[i](x[n, i]*W[i, k])\n"
                              "\tq = 1\r\n"
                              "}";

static SourceFile *add_source(const char *path, const char *text) {
  return source_add(&sources, path, text, (uint32_t)strlen(text));
}

static void set_up(void) {
  arena = arena_new();
  sources_init(&sources, arena);
  diagnostics = diagnostics_new(arena, &sources);
  add_source("model.nn", program);
}

static void tear_down(void) {
  arena_free(arena);
}

/* The span of the `number`-th occurrence, from 1, of `text` in a file. */
static Span span_of(const SourceFile *file, const char *text, int number) {
  const char *at = file->text - 1;
  while (number-- > 0) at = strstr(at + 1, text);
  uint32_t begin = file->base + (uint32_t)(at - file->text);
  return (Span){begin, begin + (uint32_t)strlen(text)};
}

static Span in_model(const char *text, int number) {
  return span_of(sources.files.items[0], text, number);
}

static const char *printed(bool color) {
  static char *text;
  size_t size;
  free(text);
  FILE *stream = open_memstream(&text, &size);
  diagnostics_print(diagnostics, stream, color);
  fclose(stream);
  return text;
}

static const char *printed_json(void) {
  static char *text;
  size_t size;
  free(text);
  FILE *stream = open_memstream(&text, &size);
  diagnostics_print_json(diagnostics, stream);
  fclose(stream);
  return text;
}

TestSuite(source, .init = set_up, .fini = tear_down);
TestSuite(diagnostics, .init = set_up, .fini = tear_down);

static void expect_place(uint32_t offset, const char *path, int line, int column) {
  Place place = place_of(&sources, offset);
  cr_assert_str_eq(place.file->path, path);
  cr_assert_eq(place.line, line);
  cr_assert_eq(place.column, column);
}

Test(source, knows_the_place_of_every_byte) {
  const SourceFile *first = sources.files.items[0];
  const SourceFile *second = add_source("empty.nn", "");
  const SourceFile *third = add_source("lines.nn", "\n\nab\n");
  expect_place(first->base, "model.nn", 1, 1);
  expect_place(first->base + 9, "model.nn", 1, 10);
  expect_place(first->base + 10, "model.nn", 2, 1);
  expect_place(first->base + first->size, "model.nn", 4, 2);
  expect_place(second->base, "empty.nn", 1, 1);
  expect_place(third->base, "lines.nn", 1, 1);
  expect_place(third->base + 1, "lines.nn", 2, 1);
  expect_place(third->base + 3, "lines.nn", 3, 2);
  expect_place(third->base + 5, "lines.nn", 4, 1);
}

Test(source, has_no_place_outside_files) {
  cr_assert_null(place_of(&sources, 0).file);
  cr_assert_null(place_of(&sources, 1000000).file);
  int length;
  cr_assert_str_eq(source_line(&sources, 0, &length), "");
  cr_assert_eq(length, 0);
}

Test(source, finds_the_line_around_a_byte) {
  int length;
  const char *line = source_line(&sources, in_model("sum", 1).begin, &length);
  cr_assert_eq(strncmp(line, "  z[n, k] = sum[i](x[n, i]*W[i, k])", (size_t)length), 0);
  cr_assert_eq(length, 35);
}

Test(source, tells_printable_characters_from_other_bytes) {
  cr_assert_eq(character_size("a", 1), 1);
  cr_assert_eq(character_size("\xC3\xA9", 2), 2);
  cr_assert_eq(character_size("\xE2\x89\xA4", 3), 3);
  cr_assert_eq(character_size("\xF0\x9F\x99\x82", 4), 4);
  cr_assert_eq(character_size("\xE2\x89", 2), 0, "cut off");
  cr_assert_eq(character_size("\x1B[0m", 4), 0, "escape");
  cr_assert_eq(character_size("\x7F", 1), 0, "delete");
  cr_assert_eq(character_size("\xC2\x9B", 2), 0, "C1 control");
  cr_assert_eq(character_size("\xC0\x80", 2), 0, "overlong");
  cr_assert_eq(character_size("\xED\xA0\x80", 3), 0, "surrogate");
  cr_assert_eq(character_size("\xF4\x90\x80\x80", 4), 0, "past U+10FFFF");
  cr_assert_eq(character_size("\x80", 1), 0, "continuation byte");
}

Test(diagnostics, point_at_the_place) {
  diagnose(diagnostics, NN0201, in_model("sum", 1), "unknown name '%s'", "sum");
  cr_assert_str_eq(printed(false), "model.nn:2:13: error: unknown name 'sum' [NN0201]\n"
                                   "    2 |   z[n, k] = sum[i](x[n, i]*W[i, k])\n"
                                   "      |             ^~~\n");
}

Test(diagnostics, put_notes_of_the_same_line_beside_carets_and_others_at_their_place) {
  const SourceFile *other = add_source("library/layers.nn", "def dense(x) -> y {}\n");
  Diagnostic *d =
      diagnose(diagnostics, NN0207, in_model("]", 1), "index '%s' has two extents", "i");
  diagnostic_note(d, in_model("i", 2), "dim P = 784");
  diagnostic_note(d, span_of(other, "x", 1), "dim I = 256");
  diagnostic_note(d, in_model("i", 3), "dim Q = 3");
  diagnostic_note(d, (Span){0, 0}, "no place");
  diagnostic_help(d, "say %d", 1);
  cr_assert_str_eq(printed(false), "model.nn:2:9: error: index 'i' has two extents [NN0207]\n"
                                   "    2 |   z[n, k] = sum[i](x[n, i]*W[i, k])\n"
                                   "      |                         ^ dim P = 784\n"
                                   "      |                              ^ dim Q = 3\n"
                                   "library/layers.nn:1:11: note: dim I = 256\n"
                                   "    1 | def dense(x) -> y {}\n"
                                   "      |           ^\n"
                                   "      = note: no place\n"
                                   "      = help: say 1\n");
}

Test(diagnostics, may_have_no_place) {
  diagnose(diagnostics, NN0401, (Span){0, 0}, "no model");
  cr_assert_str_eq(printed(false), "nnc: error: no model [NN0401]\n");
}

Test(diagnostics, show_tabs_and_carriage_returns_as_one_column) {
  diagnose(diagnostics, NN0201, in_model("q", 1), "q");
  cr_assert_str_eq(printed(false), "model.nn:3:2: error: q [NN0201]\n"
                                   "    3 |  q = 1\n"
                                   "      |  ^\n");
}

Test(diagnostics, come_in_source_order_whatever_the_order_of_discovery) {
  diagnose(diagnostics, NN0201, in_model("W", 1), "later");
  diagnose(diagnostics, NN0201, in_model("m", 1), "sooner");
  diagnose(diagnostics, NN0202, in_model("m", 1), "as soon");
  const char *text = printed(false);
  cr_assert_lt(strstr(text, "sooner"), strstr(text, "as soon"));
  cr_assert_lt(strstr(text, "as soon"), strstr(text, "later"));
}

Test(diagnostics, with_the_same_code_and_span_are_one) {
  diagnose(diagnostics, NN0201, in_model("z", 1), "first");
  Diagnostic *again = diagnose(diagnostics, NN0201, in_model("z", 1), "again");
  diagnostic_note(again, in_model("z", 1), "note");
  diagnostic_help(again, "help");
  diagnose(diagnostics, NN0202, in_model("z", 1), "another code");
  cr_assert_eq(diagnostics_error_count(diagnostics), 2);
  cr_assert_null(strstr(printed(false), "again"));
}

Test(diagnostics, print_twenty_errors_and_count_the_rest) {
  const SourceFile *file = sources.files.items[0];
  for (uint32_t i = 0; i < 22; i++) {
    diagnose(diagnostics, NN0201, (Span){file->base + i, file->base + i + 1}, "number %u", i);
    if (i == 19) cr_assert_null(strstr(printed(false), "more error"));
    if (i == 20) cr_assert(strstr(printed(false), "\n1 more error\n"));
  }
  const char *text = printed(false);
  cr_assert(strstr(text, "number 19 "));
  cr_assert_null(strstr(text, "number 20 "));
  cr_assert(strstr(text, "\n2 more errors\n"));
}

Test(diagnostics, count_on_past_the_limit_of_what_is_recorded) {
  for (uint32_t i = 0; i < 3 * LIMIT_ERRORS_RECORDED; i++) {
    diagnose(diagnostics, NN0201, (Span){1, 2 + i}, "one of many");
  }
  cr_assert_eq(diagnostics_error_count(diagnostics), 3 * LIMIT_ERRORS_RECORDED);
}

Test(diagnostics, are_warnings_only_when_asked_for) {
  diagnose(diagnostics, NN0952, in_model("z", 1), "silent");
  diagnostics_enable_warnings(diagnostics);
  diagnose(diagnostics, NN0952, in_model("m", 1), "heard");
  cr_assert_eq(diagnostics_error_count(diagnostics), 0);
  cr_assert_null(strstr(printed(false), "silent"));
  cr_assert(strstr(printed(false), "warning: heard [NN0952]"));
}

Test(diagnostics, let_no_control_byte_through) {
  add_source("evil\x1B.nn", "x \x1B]0;owned\x07 \xFF y\n");
  Span span = span_of(sources.files.items[1], "y", 1);
  diagnose(diagnostics, NN0201, span, "name '%s'", "\x1B[31m\n");
  cr_assert_str_eq(printed(false), "evil?.nn:1:16: error: name '?[31m?' [NN0201]\n"
                                   "    1 | x ?]0;owned? ? y\n"
                                   "      |                ^\n");
}

Test(diagnostics, count_a_character_as_one_column) {
  add_source("accents.nn", "\xC3\xA9\xC3\xA9 = z\n");
  diagnose(diagnostics, NN0201, span_of(sources.files.items[1], "z", 1), "z");
  cr_assert(strstr(printed(false), "    1 | \xC3\xA9\xC3\xA9 = z\n      |      ^\n"));
}

Test(diagnostics, show_a_part_of_a_very_long_line) {
  char *line = arena_alloc(arena, 1, 10001);
  memset(line, 'a', 10000);
  line[5000] = '!';
  add_source("long.nn", line);
  diagnose(diagnostics, NN0103, span_of(sources.files.items[1], "!", 1), "here");
  const char *text = printed(false);
  cr_assert_lt(strlen(text), 400);
  const char *excerpt = strstr(text, "| ") + 2, *carets = strstr(excerpt, "| ") + 2;
  cr_assert_eq(strchr(excerpt, '!') - excerpt, strchr(carets, '^') - carets);
}

Test(diagnostics, can_be_colored) {
  diagnose(diagnostics, NN0201, in_model("z", 1), "z");
  cr_assert(strstr(printed(true), "\033[1;31merror: \033[0m"));
  cr_assert_null(strchr(printed(false), '\033'));
}

Test(diagnostics, are_json_when_asked) {
  Diagnostic *d = diagnose(diagnostics, NN0207, in_model("z", 1), "a \"quoted\" \xFF byte");
  diagnostic_note(d, in_model("m", 1), "note");
  diagnostic_help(d, "help");
  const char *text = printed_json();
  cr_assert(strstr(text, "\"errors\": 1"));
  cr_assert(strstr(text, "\"code\": \"NN0207\""));
  cr_assert(strstr(text, "\"message\": \"a \\\"quoted\\\" \xEF\xBF\xBD byte\""));
  cr_assert(strstr(text, "\"line\": 2"));
  cr_assert(strstr(text, "\"column\": 3"));
  cr_assert(strstr(text, "\"message\": \"note\""));
  cr_assert(strstr(text, "\"help\": \"help\""));
}

Test(diagnostics, every_code_has_a_name_and_a_title) {
  for (int code = 0; code < ERROR_CODE_COUNT; code++) {
    cr_assert_eq(strlen(error_name((ErrorCode)code)), 6);
    cr_assert_gt(strlen(error_title((ErrorCode)code)), 5);
    if (code > 0) cr_assert_gt(strcmp(error_name(code), error_name(code - 1)), 0);
  }
}

Test(diagnostics, a_bug_ends_with_status_70, .exit_code = 70) {
  bug("testing %s", "bug");
}
