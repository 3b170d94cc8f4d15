/* The grammar: what makes a statement, what binds tighter, and how errors are recovered. */
#include "support/limits.h"
#include "syntax_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(tokens, .init = syntax_begin, .fini = syntax_end);
TestSuite(grammar, .init = syntax_begin, .fini = syntax_end);
TestSuite(recovery, .init = syntax_begin, .fini = syntax_end);
TestSuite(limits, .init = syntax_begin, .fini = syntax_end);

static void expect_statements(const char *body, int count) {
  const Tree *tree = parse_body(body);
  cr_assert_str_eq(reported(), "", "%s", body);
  cr_assert_eq(tree->root->parts[0]->parts[0]->count, count, "%s", body);
}

static void expect_reported(const char *text, const char *expected) {
  parse_file(text);
  cr_assert_str_eq(reported(), expected, "%s", text);
}

static void expect_same(const char *one, const char *other) {
  cr_assert(node_equal(parse_value(one), parse_value(other)), "%s is not %s", one, other);
  cr_assert_str_eq(reported(), "");
}

Test(tokens, a_newline_ends_a_statement_that_can_end) {
  expect_statements("a = 1\nb = 2", 2);
  expect_statements("a = b[1]\nb = (2)\nc = \"s\"\nparam p = 1 @t\nif a { }\nd = 1", 6);
  expect_statements("a =\n1", 1);
  expect_statements("a = 1 +\n2", 1);
  expect_statements("a = f(1,\n2\n)", 1);
  expect_statements("a = b[1,\n2\n]", 1);
}

Test(tokens, a_line_that_begins_with_a_continuing_word_goes_on) {
  expect_statements("a = x\n\n  # comment\n  |> f", 1);
  expect_statements("a = if x\nthen 1\nelse 2", 1);
  expect_statements("if a {\n}\nelse {\n}", 1);
  expect_statements("if a\n{\n}", 1);
}

Test(tokens, a_semicolon_separates_and_may_be_missing_before_a_brace) {
  expect_statements("a = 1; b = 2", 2);
  expect_statements(";;a = 1;;;b = 2;", 2);
  expect_statements("if a { b = 1; c = 2 }", 1);
}

Test(tokens, a_reduction_is_a_word_before_a_bracket) {
  cr_assert_eq(parse_value("max[i](x[i])")->kind, NODE_REDUCE);
  cr_assert_eq(parse_value("max [i](x[i])")->kind, NODE_REDUCE);
  cr_assert_eq(parse_value("max(a, b)")->kind, NODE_CALL);
  cr_assert_eq(parse_value("max")->kind, NODE_IDENT);
  cr_assert_eq(parse_value("total(w)")->kind, NODE_TOTAL);
  cr_assert_eq(parse_value("total[@t](w)")->kind, NODE_TOTAL);
  cr_assert_eq(parse_value("total + 1")->kind, NODE_ADD);
  cr_assert_eq(parse_value("count[...]")->kind, NODE_COUNT);
  cr_assert_eq(parse_value("count(x)")->kind, NODE_CALL);
  cr_assert_eq(parse_value("summary[i]")->kind, NODE_READ);
}

Test(tokens, a_name_may_have_dots_and_begin_like_a_keyword) {
  cr_assert_str_eq(parse_value("emb.E")->name, "emb.E");
  cr_assert_str_eq(parse_value("iffy")->name, "iffy");
  cr_assert_str_eq(parse_value("in.x")->name, "in.x");
  cr_assert_str_eq(reported(), "");
}

Test(tokens, a_slash_pair_divides_and_a_hash_begins_a_comment) {
  cr_assert_eq(parse_value("a//b")->kind, NODE_IDIV);
  cr_assert_eq(parse_value("a # //b")->kind, NODE_IDENT);
  cr_assert_eq(parse_value("\"a # b\"")->kind, NODE_STRING);
}

Test(tokens, a_number_keeps_its_text_and_value) {
  const Node *node = parse_value("2.50e-3");
  cr_assert_str_eq(node->name, "2.50e-3");
  cr_assert_float_eq(node->number, 0.0025, 0);
  cr_assert_eq(parse_value("0")->number, 0);
  cr_assert_eq(parse_value("2E3")->number, 2000);
}

Test(tokens, a_byte_order_mark_at_the_start_is_passed_over) {
  expect_reported("\xEF\xBB\xBF"
                  "def f(x) = x\n",
                  "");
  expect_reported("def f(x) = \xEF\xBB\xBFx\n", "NN0103 1:12");
}

Test(tokens, carriage_returns_are_blanks) {
  expect_reported("def f(x) = x\r\ndef g(x) = x\r\n", "");
}

Test(grammar, operators_bind_in_the_order_of_the_language) {
  expect_same("a |> b |> c", "(a |> b) |> c");
  expect_same("if a then b else c |> d", "(if a then b else c) |> d");
  expect_same("if a then b else c + d", "if a then b else (c + d)");
  expect_same("a or b and not c == d + e*f", "a or (b and (not (c == (d + (e*f)))))");
  expect_same("a - b - c", "(a - b) - c");
  expect_same("a/b*c//d%e", "(((a/b)*c)//d)%e");
  expect_same("-a^b", "-(a^b)");
  expect_same("a^b^c", "a^(b^c)");
  expect_same("a^-b^c*d", "(a^(-(b^c)))*d");
  expect_same("-a*b", "(-a)*b");
  expect_same("a - -b", "a - (-b)");
  expect_same("f(x)[i](y)", "((f(x))[i])(y)");
  expect_same("a == not b", "a == (not b)");
}

Test(grammar, comparisons_do_not_chain) {
  expect_reported("def f(x) = a < b < c", "NN0101 1:18");
}

Test(grammar, a_composite_subscript_may_name_ranges) {
  const Node *subs = parse_value("x[n, (c in C, h in H), 2]")->parts[1];
  cr_assert_eq(subs->parts[1]->kind, NODE_TUPLE);
  cr_assert_eq(subs->parts[1]->parts[1]->kind, NODE_IN);
  cr_assert_str_eq(subs->parts[1]->parts[1]->name, "h");
  cr_assert_eq(parse_value("(a)")->kind, NODE_IDENT);
}

Test(grammar, a_definition_has_tensors_hypers_and_results) {
  const Tree *tree = parse_file("def f(x[N], len[N] : index(3); K: dim, p = 1) -> (a[N], b) {}");
  const Node *def = tree->root->parts[0];
  cr_assert_eq(def->parts[0]->count, 2);
  cr_assert_eq(def->parts[0]->parts[1]->parts[1]->count, 1, "index(3)");
  cr_assert_eq(def->parts[1]->count, 2);
  cr_assert_str_eq(def->parts[1]->parts[0]->parts[1]->name, "dim");
  cr_assert_eq(def->parts[2]->count, 2);
  cr_assert_eq(def->parts[3]->kind, NODE_BLOCK);
  tree = parse_file("def f() = 1");
  cr_assert_null(tree->root->parts[0]->parts[2], "a pointwise definition has no results");
  cr_assert_str_eq(reported(), "");
}

Test(grammar, spans_cover_the_text_of_a_node) {
  const Tree *tree = parse_file("model m {\n  y[i] = a + f(b)  # c\n}");
  const Node *equation = tree->root->parts[0]->parts[0]->parts[0];
  uint32_t base = tree->file->base;
  cr_assert_eq(equation->span.begin - base, 12);
  cr_assert_eq(equation->span.end - base, 27);
  cr_assert_eq(equation->parts[1]->parts[1]->span.begin - base, 23);
}

Test(grammar, an_empty_file_is_a_file) {
  cr_assert_eq(parse_file("")->root->count, 0);
  cr_assert_eq(parse_file("\n# only a comment\n")->root->count, 0);
  cr_assert_str_eq(reported(), "");
}

Test(recovery, every_bad_statement_is_reported_once_and_the_others_are_read) {
  const Tree *tree = parse_body("a = 1 +* 2\nb = 2\nc = = 3\nd = 4 4\ne = 5");
  cr_assert_str_eq(reported(), "NN0101 2:8, NN0101 4:5, NN0101 5:7");
  const Node *block = tree->root->parts[0]->parts[0];
  cr_assert_eq(block->count, 5);
  cr_assert_eq(block->parts[0]->kind, NODE_ERROR);
  cr_assert_eq(block->parts[1]->kind, NODE_EQUATION);
  cr_assert_eq(block->parts[4]->kind, NODE_EQUATION);
}

Test(recovery, the_block_of_a_bad_header_is_read) {
  expect_reported("model m {\n scan t im T {\n  a = 1 1\n }\n b = 2 2\n}\n",
                  "NN0101 2:9, NN0101 3:9, NN0101 5:8");
  expect_reported("modle m {\n a = 1 1\n}\ndef f(x) = x x\n",
                  "NN0101 1:1, NN0101 2:8, NN0101 4:14");
  expect_reported("model m {\n if a = b {\n  c = 1\n } else {\n  d = 2 2\n }\n}\n",
                  "NN0101 2:7, NN0101 5:9");
}

Test(recovery, an_unclosed_parenthesis_is_reported_where_it_opened) {
  expect_reported("model m {\n a = f(x\n b = 1 1\n}\n", "NN0102 2:7, NN0101 3:8");
  expect_reported("model m {\n a = x[(i]\n b = 1 1\n}\n", "NN0102 2:8, NN0101 3:8");
  expect_reported("def f(x = x\ndef g(y) = y\n", "NN0102 1:6");
}

Test(recovery, an_unclosed_block_ends_where_the_next_item_begins) {
  expect_reported("model a {\n if x {\n  y = 1\n}\ndef f(x) = x x\n", "NN0102 1:9, NN0101 5:14");
  expect_reported("model a {\n y = 1", "NN0102 1:9");
  expect_reported("model a {\n if b {\n y = 1", "NN0102 1:9, NN0102 2:7");
}

Test(recovery, a_bracket_that_closes_nothing_is_one_error) {
  expect_reported("model m {\n a = f(x))\n b = 1\n}\n", "NN0101 2:10");
  expect_reported("model m {\n}\n}\ndef f(x) = x\n", "NN0101 3:1");
}

Test(recovery, a_bad_character_is_reported_once_a_statement) {
  expect_reported("model m {\n a = $$$ + 1 $ 2\n b = 1 \xFF\xFE\n}\n", "NN0103 2:6, NN0103 3:8");
}

Test(recovery, a_string_without_end_does_not_swallow_the_next_line) {
  expect_reported("model m {\n require a : \"text\n b = 1 1\n}\n", "NN0104 2:14, NN0101 3:8");
}

Test(recovery, bad_numbers_do_not_hide_each_other) {
  expect_reported("def f(x) = 1e999 + 1. + .5 + 2x + 0x10 + 1e-999\n",
                  "NN0107 1:12, NN0107 1:20, NN0107 1:25, NN0107 1:30, NN0107 1:35, NN0107 1:42");
}

/* before, part * count, middle, end_part * count, after. */
static const char *repeated(const char *before, const char *part, int count, const char *middle,
                            const char *end_part, const char *after) {
  static char text[200000];
  char *at = stpcpy(text, before);
  for (int i = 0; i < count; i++) at = stpcpy(at, part);
  at = stpcpy(at, middle);
  for (int i = 0; i < count; i++) at = stpcpy(at, end_part);
  stpcpy(at, after);
  return text;
}

static const char *nested_parentheses(int depth) {
  return repeated("def f(x) = ", "(", depth, "x", ")", "\ndef g(x) = x x\n");
}

static const char *nested_blocks(int depth) {
  return repeated("model m {\n", "if a {", depth - 1, "", "}", "\nb = 1 1\n}\n");
}

Test(limits, brackets_and_blocks_nest_to_64_and_what_follows_is_read) {
  expect_reported(nested_parentheses(LIMIT_NESTING - 1), "NN0101 2:14");
  expect_reported(nested_parentheses(LIMIT_NESTING), "NN0101 2:14");
  expect_reported(nested_parentheses(LIMIT_NESTING + 1), "NN0105 1:76, NN0101 2:14");
  expect_reported(nested_blocks(LIMIT_NESTING - 1), "NN0101 3:7");
  expect_reported(nested_blocks(LIMIT_NESTING), "NN0101 3:7");
  expect_reported(nested_blocks(LIMIT_NESTING + 1), "NN0105 2:384, NN0101 3:7");
}

Test(limits, a_name_has_63_bytes_between_dots) {
  expect_reported(repeated("def ", "a", LIMIT_IDENTIFIER - 1, "(x) = x", "", ""), "");
  expect_reported(repeated("def ", "a", LIMIT_IDENTIFIER, "(x) = x", "", ""), "");
  expect_reported(repeated("def ", "a", LIMIT_IDENTIFIER + 1, "(x) = x", "", ""), "NN0106 1:5");
  expect_reported(repeated("def f(x) = a.", "b", LIMIT_IDENTIFIER, ".", "c", ""), "");
  expect_reported(repeated("def f(x) = a.", "b", LIMIT_IDENTIFIER + 1, "", "", ""), "NN0106 1:12");
}

Test(limits, a_chain_of_operators_has_a_limit_that_a_thousand_layers_pass) {
  expect_reported(repeated("def f(x) = x", " |> g(1)", 1000, "", "", ""), "");
  expect_reported(repeated("def f(x) = x", " + y", LIMIT_TREE_HEIGHT - 3, "", "", ""), "");
  expect_reported(repeated("def f(x) = x", " + y", LIMIT_TREE_HEIGHT, "", "", ""), "NN0105 1:12");
}

Test(limits, endless_prefixes_are_an_error_and_not_a_crash) {
  parse_file(repeated("def f(x) = ", "- ", 50000, "x", "", ""));
  cr_assert_eq(strncmp(reported(), "NN0105", 6), 0);
  parse_file(repeated("def f(x) = ", "x^", 50000, "x", "", ""));
  cr_assert_eq(strncmp(reported(), "NN0105", 6), 0);
}

Test(limits, a_file_of_errors_is_read_to_the_thousandth) {
  parse_body(repeated("", "a = 1 1\n", 20000, "", "", ""));
  cr_assert(strstr(messages(), "\n980 more errors\n"));
}
