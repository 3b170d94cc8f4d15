/* Reading of rules.def. */
#include "calculus/rules.h"

#include <string.h>

const RuleText rule_texts[] = {
#define RULE(name, phase, class, pattern, replacement, condition)                                  \
  {#name, RULE_##phase, CLASS_##class, pattern, replacement, condition},
#include "calculus/rules.def"
#undef RULE
};
const int rule_count = (int)(sizeof rule_texts / sizeof rule_texts[0]);

static RuleCondition read_condition(const RuleText *text) {
  static const struct {
    const char *words;
    RuleCondition condition;
  } known[] = {{" counts r", COUNTS_REDUCED},
               {" over indices", OVER_INDICES},
               {" power of two", POWER_OF_TWO}};
  if (!text->condition[0]) return ALWAYS;
  for (int i = 0; i < 3; i++)
    if (strcmp(text->condition + 1, known[i].words) == 0) return known[i].condition;
  bug("rule %s has the unknown condition '%s'", text->name, text->condition);
}

static void place_rule(Rules *rules, Arena *arena, const Rule *rule) {
  bool swapped;
  if (rule->pattern->kind == NODE_REDUCE) {
    APPEND(arena, &rules->whole, *rule);
    return;
  }
  Op op = formula_op(rule->pattern, &swapped);
  if (op == OP_COUNT) bug("rule %s applies to nothing", rule->text->name);
  APPEND(arena, &rules->by_op[op], *rule);
}

static bool applies_in(const RuleText *text, SimplifyPhase phase) {
  return phase == SIMPLIFY_ALGEBRA || text->phase == RULE_STABILISE;
}

Rules *rules_new(Model *model, Arena *arena, SimplifyPhase phase) {
  Rules *rules = NEW(arena, Rules);
  Text source;
  text_init(&source, arena);
  for (int i = 0; i < rule_count; i++)
    if (applies_in(&rule_texts[i], phase))
      text_add(&source, "def p(a) = %s\ndef q(a) = %s\n", rule_texts[i].pattern,
               rule_texts[i].replacement);
  FormulaList formulas = formulas_parse(model, arena, "rules.def", &source);
  const Node **next = formulas.items;
  for (int i = 0; i < rule_count; i++) {
    const RuleText *text = &rule_texts[i];
    if (!applies_in(text, phase)) continue;
    Rule rule = {.text = text, .pattern = next[0], .replacement = next[1]};
    rule.condition = read_condition(text);
    rule.subject = text->condition[0];
    place_rule(rules, arena, &rule);
    next += 2;
  }
  return rules;
}
