/* What a syntax error says: what was expected, what was found, and what people usually meant. */
#include "syntax_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(messages, .init = syntax_begin, .fini = syntax_end);

static void expect_message(const char *text, const char *expected) {
  parse_file(text);
  const char *printed = messages();
  cr_assert(strstr(printed, expected), "%s\nsays\n%s\nnot\n%s", text, printed, expected);
}

static void expect_in_body(const char *text, const char *expected) {
  parse_body(text);
  const char *printed = messages();
  cr_assert(strstr(printed, expected), "%s\nsays\n%s\nnot\n%s", text, printed, expected);
}

Test(messages, say_what_was_expected_and_found) {
  expect_message("def f(x) = x +* 2", "error: expected an expression, found '*' [NN0101]\n");
  expect_in_body("param W[3]",
                 "error: expected '=', '~' or ':', found the end of the line [NN0101]");
  expect_in_body("a = 1 1", "error: expected the end of the line, found number '1' [NN0101]");
  expect_message("def f(x) -> ",
                 "error: expected '(' or a name, found the end of the file [NN0101]");
  expect_message("y = 1", "error: expected a definition or a model, found name 'y' [NN0101]");
  expect_in_body("def f(x) = x", "error: expected a statement or '}', found 'def' [NN0101]");
  expect_in_body("freeze \"a\" \"b\"", "found the string \"b\" [NN0101]");
  expect_in_body("y = sum[i] x", "error: expected '(', found name 'x' [NN0101]");
}

Test(messages, show_the_place_and_the_remedy) {
  parse_body("d = 2**3");
  cr_assert_str_eq(messages(), "test.nn:2:7: error: expected an expression, found '*' [NN0101]\n"
                               "    2 | d = 2**3\n"
                               "      |       ^\n"
                               "      = help: a power is written '^': x^2\n");
}

Test(messages, show_where_an_unclosed_bracket_opened) {
  parse_body("a = f(x\nb = 1");
  cr_assert_str_eq(messages(), "test.nn:2:6: error: '(' is never closed [NN0102]\n"
                               "    2 | a = f(x\n"
                               "      |      ^ opened here\n"
                               "test.nn:4:1: note: no ')' before this\n"
                               "    4 | }\n"
                               "      | ^\n");
}

Test(messages, tell_when_the_line_above_goes_on) {
  expect_in_body("a = 3 +\nb = 4", "note: the line that ends with '+' goes on in the next\n");
}

Test(messages, propose_a_remedy_for_common_mistakes) {
  expect_in_body("a += 1", "help: write x = x + y");
  expect_in_body("if a = b {}", "help: '=' defines; equality is tested with '=='");
  expect_in_body("y = a || b", "help: write 'or'");
  expect_in_body("y = a && b", "help: write 'and'");
  expect_in_body("y = !a", "help: write 'not'");
  expect_in_body("y = a <> b", "help: 'unequal' is written '!='");
  expect_in_body("y = if a => b then 1 else 2", "help: 'greater or equal' is written '>='");
  expect_in_body("if a {} elif b {}", "help: write 'else if'");
  expect_in_body("return y", "help: a result is an equation for its name");
  expect_in_body("for i in n {}", "help: an index on the left stands for all its values");
  expect_in_body("y = sum(i in n)", "help: a range is written in the brackets of a reduction");
  expect_in_body("sum i (x)", "help: a reduction names its indices in brackets: sum[i](x[i])");
  expect_in_body("y = sum[i] x[i]", "help: what is reduced follows in parentheses");
  expect_in_body("a = 1 b = 2", "help: two statements on one line are separated by ';'");
  expect_in_body("y = 0 < x <= 1", "help: comparisons do not chain: write a < b and b < c");
  expect_in_body("input = 3", "help: 'input' is a word of the language and cannot be a name");
  expect_in_body("param state = 3", "help: 'state' is a word of the language");
  expect_in_body("use e := f(x)", "help: ':=' updates a state or a parameter; here write '='");
  expect_in_body("model n {}", "help: models stand at the top of the file");
  expect_message("fn f(x) = x", "help: a definition begins with 'def'");
  expect_message("y = 1", "help: equations and statements stand inside a model");
}

Test(messages, tell_what_a_foreign_character_is_here) {
  expect_in_body("y = a \xE2\x89\xA4 b", "error: no token begins with '\xE2\x89\xA4' [NN0103]");
  expect_in_body("y = a \xE2\x89\xA4 b", "help: write '<='");
  expect_in_body("y = a \xC3\x97 b", "help: write '*'");
  expect_in_body("y = 'a'", "help: strings stand between '\"'");
  expect_in_body("y = \xFF", "error: no token begins with the byte 0xFF [NN0103]");
}

Test(messages, tell_how_numbers_are_written) {
  expect_in_body("y = 1.", "help: write a digit after the point");
  expect_in_body("y = .5", "help: write a digit before the point");
  expect_in_body("y = 2x", "help: a name begins with a letter, and products are written out");
  expect_in_body("y = 0x10", "help: numbers are decimal");
  expect_in_body("y = 1e999", "error: this number is too large");
  expect_in_body("y = 1e-999", "error: this number is too small");
}
