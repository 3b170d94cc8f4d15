/* Selectors of parameters: tags, paths with wildcards, names. */
#include "elaborate/selectors.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

typedef struct SelectorCase {
  char selector[24], path[32];
  bool selected;
} SelectorCase;

static bool selects(NodeKind kind, const char *selector, const char *path) {
  Name tags[] = {"weight"};
  Tensor tensor = {.name = path, .role = ROLE_PARAM, .tags = tags, .tag_count = 1};
  Node node = {.kind = kind, .name = selector};
  Node *parts[] = {&node};
  Node list = {.kind = NODE_LIST, .parts = parts, .count = 1};
  return selectors_match(&list, &tensor);
}

ParameterizedTestParameters(selectors, path_with_wildcards) {
  static SelectorCase cases[] = {{"h1.W", "h1.W", true},
                                 {"h1.W", "h1.Wx", false},
                                 {"h1.*", "h1.W", true},
                                 {"h1.*", "h1", false},
                                 {"xf.*.Wo", "xf.2.a.attention.Wo", true},
                                 {"xf.*.Wo", "xf.2.a.attention.Wo2", false},
                                 {"*.b", "h1.b.b", true},
                                 {"*", "anything.at.all", true},
                                 {"h?.W", "h1.W", true},
                                 {"h?.W", "h10.W", false},
                                 {"*a*b", "xxaayyab", true},
                                 {"*a*b", "xxaayya", false},
                                 {"", "h1", false}};
  return cr_make_param_array(SelectorCase, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(SelectorCase *c, selectors, path_with_wildcards) {
  cr_expect_eq(selects(NODE_STRING, c->selector, c->path), c->selected, "\"%s\" against %s",
               c->selector, c->path);
}

ParameterizedTestParameters(selectors, name_with_what_is_below) {
  static SelectorCase cases[] = {{"emb", "emb.E", true},
                                 {"emb", "emb", true},
                                 {"emb", "embed.E", false},
                                 {"emb.E", "emb.E", true},
                                 {"emb.E", "emb", false}};
  return cr_make_param_array(SelectorCase, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(SelectorCase *c, selectors, name_with_what_is_below) {
  cr_expect_eq(selects(NODE_IDENT, c->selector, c->path), c->selected, "%s against %s", c->selector,
               c->path);
}

Test(selectors, no_list_selects_everything) {
  Tensor tensor = {.name = "h1.W", .role = ROLE_PARAM};
  cr_expect(selectors_match(NULL, &tensor));
}
