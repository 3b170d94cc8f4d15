/* The one true layout: expressions, statements, comments; and that it is the same when read again. */
#include "syntax_fixture.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <string.h>

TestSuite(print, .init = syntax_begin, .fini = syntax_end);

static void expect_value(const char *written, const char *printed) {
  Arena *arena = arena_new();
  Text text;
  text_init(&text, arena);
  node_print(parse_value(written), &text);
  cr_assert_str_eq(reported(), "", "%s", written);
  cr_assert_str_eq(text.bytes, printed);
  arena_free(arena);
}

static void expect_body(const char *written, const char *printed) {
  const char *once = print_body(written);
  cr_assert_str_eq(reported(), "", "%s", written);
  cr_assert_str_eq(once, printed);
  cr_assert_str_eq(print_body(once), printed, "printed twice");
}

static void expect_file(const char *written, const char *printed) {
  const char *once = print_tree(parse_file(written));
  cr_assert_str_eq(reported(), "", "%s", written);
  cr_assert_str_eq(once, printed);
  cr_assert_str_eq(print_tree(parse_file(once)), printed, "printed twice");
}

Test(print, products_are_tight_and_sums_are_spaced) {
  expect_value("sum[ i ]( x[ n,i ] * W[i,k] )", "sum[i](x[n, i]*W[i, k])");
  expect_value("a+b-c*d / e//f^g", "a + b - c*d/e//f^g");
  expect_value("D%heads==0", "D % heads == 0");
  expect_value("f( x,y = 1 )", "f(x, y = 1)");
}

Test(print, sums_in_subscripts_are_tight_without_products) {
  expect_value("x[n, t - 1, h+r - 1]", "x[n, t-1, h+r-1]");
  expect_value("x[s*h + r - p | 0]", "x[s*h + r - p | 0]");
  expect_value("x[1 + s*h+r]", "x[1 + s*h + r]");
  expect_value("x[f(a + b)-1, (c+1, d)]", "x[f(a + b)-1, (c+1, d)]");
  expect_value("x[n]+x[n+1]", "x[n] + x[n+1]");
}

Test(print, parentheses_stand_where_the_levels_ask_for_them) {
  expect_value("((a + b))*((c))", "(a + b)*c");
  expect_value("(a*b) + (c*d)", "a*b + c*d");
  expect_value("a - (b - c)", "a - (b - c)");
  expect_value("(a - b) - c", "a - b - c");
  expect_value("a/(b*c)", "a/(b*c)");
  expect_value("(-a)^2", "(-a)^2");
  expect_value("-(a^2)", "-a^2");
  expect_value("a^(-b)", "a^-b");
  expect_value("(a^b)^c", "(a^b)^c");
  expect_value("a*(-b)", "a*-b");
  expect_value("a - (-b)", "a - (-b)");
  expect_value("-(a + b)", "-(a + b)");
  expect_value("not (a and b)", "not (a and b)");
  expect_value("(not a) and b", "not a and b");
  expect_value("a == (not b)", "a == (not b)");
  expect_value("(a < b) == c", "(a < b) == c");
  expect_value("lr*(if n then d else v)", "lr*(if n then d else v)");
  expect_value("x + (x |> f)", "x + (x |> f)");
  expect_value("a |> (b |> c)", "a |> (b |> c)");
  expect_value("if a then b else (c |> d)", "if a then b else (c |> d)");
  expect_value("if (if a then b else c) then d else e", "if (if a then b else c) then d else e");
  expect_value("(a + b)[i](c)", "(a + b)[i](c)");
  expect_value("(sum)[i] + (total)(w)", "(sum)[i] + (total)(w)");
}

Test(print, every_expression_has_its_form) {
  expect_value("lse[u if u<=t](s[u])", "lse[u if u <= t](s[u])");
  expect_value("max[r in size,s in 2](x[r,s])", "max[r in size, s in 2](x[r, s])");
  expect_value("total[@t,\"a.*\",b](w)", "total[@t, \"a.*\", b](w)");
  expect_value("count[...A]+x[..., k]", "count[...A] + x[..., k]");
  expect_value("(1,2,5)", "(1, 2, 5)");
  expect_value("1.50e-3", "1.50e-3");
}

Test(print, statements_have_one_form) {
  expect_body("param W[I,K]~normal(0,1)@w   @x", "param W[I, K] ~ normal(0, 1) @w @x\n");
  expect_body("param b[K]=if a then 1 else 0 @t", "param b[K] = (if a then 1 else 0) @t\n");
  expect_body("state s:f32=0", "state s: f32 = 0\n");
  expect_body("dim N<=128,C=10", "dim N <= 128, C = 10\n");
  expect_body("input x[N]:index(C+1)", "input x[N] : index(C + 1)\n");
  expect_body("h,c=lstm(e)", "h, c = lstm(e)\n");
  expect_body("require a>0:\"text\"", "require a > 0 : \"text\"\n");
  expect_body("scan t in T checkpoint 16{a[t]=1}", "scan t in T checkpoint 16 { a[t] = 1 }\n");
  expect_body("group @a,\"b\",c{wd=0}", "group @a, \"b\", c { wd = 0 }\n");
  expect_body("train g{loss x}", "train g { loss x }\n");
}

Test(print, items_have_one_form) {
  expect_file("def f(x[N,D],y:index;K:dim,p=1)->a[N]:u8{a=x}",
              "def f(x[N, D], y: index; K: dim, p = 1) -> a[N] : u8 { a = x }\n");
  expect_file("def f(;a=1)->(b,c){}", "def f(; a = 1) -> (b, c) {}\n");
  expect_file("optimizer o(){}", "optimizer o() {}\n");
  expect_file("import \"a.nn\";const w[3]=(1,2,5)", "import \"a.nn\"\nconst w[3] = (1, 2, 5)\n");
}

Test(print, a_block_keeps_one_line_for_one_statement) {
  expect_body("if a { b = 1 } else {\nb = 2 }", "if a { b = 1 } else {\n  b = 2\n}\n");
  expect_body("if a { b = 1; c = 2 }", "if a {\n  b = 1\n  c = 2\n}\n");
  expect_body("if a {} else if b {\n}\nelse { c = 1 }", "if a {} else if b {} else { c = 1 }\n");
}

Test(print, line_breaks_stay_before_pipes_and_branches_and_after_equals_commas_and_operators) {
  expect_body("h = x |> a\n|> b |> c\n   |> d", "h = x |> a\n      |> b |> c\n      |> d\n");
  expect_body("h = x\n|> a", "h = x\n      |> a\n");
  expect_body("y = if a then b\nelse c", "y = if a then b\n    else c\n");
  expect_body("y =\nlong + 1", "y =\n  long + 1\n");
  expect_body("y = a +\nb", "y = a +\n    b\n");
  expect_body("y = f(a,\nb)", "y = f(a,\n    b)\n");
}

Test(print, one_empty_line_at_most_stays_between_statements) {
  expect_body("\n\na = 1\n\n\n\nb = 2\nc = 3\n\n", "a = 1\n\nb = 2\nc = 3\n");
  expect_file("\n\ndef f(x) = x\n\n\ndef g(x) = x\n\n", "def f(x) = x\n\ndef g(x) = x\n");
  expect_file("", "");
}

Test(print, comments_stay_with_what_they_stood_by) {
  expect_body("# own\n\n# own too\na = 1 # behind", "# own\n\n# own too\na = 1  # behind\n");
  expect_body("if a { # then\nb = 1\n# last\n}", "if a {  # then\n  b = 1\n  # last\n}\n");
  expect_body("if a {\n# only\n}", "if a {\n  # only\n}\n");
  expect_body("h = x |> a # one\n# two\n|> b # three",
              "h = x |> a  # one\n      # two\n      |> b  # three\n");
  expect_body("y = f(a, # one\nb) # two", "y = f(a,  # one\n    b)  # two\n");
  expect_file("# first\ndef f(x) = x\n# last", "# first\ndef f(x) = x\n# last\n");
  expect_file("# alone", "# alone\n");
}

Test(print, programs_parse_to_the_same_tree_and_print_the_same_again) {
  glob_t found;
  cr_assert_eq(glob("tests/syntax/programs/*.nn", 0, NULL, &found), 0);
  cr_assert_eq(glob("library/*.nn", GLOB_APPEND, NULL, &found), 0);
  cr_assert_geq(found.gl_pathc, 13);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    Arena *arena = arena_new();
    const char *path = found.gl_pathv[i], *error;
    size_t size;
    const Tree *tree = parse_file(file_read(arena, path, 1 << 20, &size, &error));
    const char *once = print_tree(tree);
    const Tree *again = parse_file(once);
    cr_assert_str_eq(reported(), "", "%s", path);
    cr_assert(node_equal(tree->root, again->root), "%s", path);
    cr_assert_eq(tree->comments.count, again->comments.count, "%s", path);
    cr_assert_str_eq(print_tree(again), once, "%s", path);
    arena_free(arena);
  }
  globfree(&found);
}
