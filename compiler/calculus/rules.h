/* The rule table, read: patterns and replacements as syntax trees, sorted by what they apply to. */
#ifndef NNC_CALCULUS_RULES_H
#define NNC_CALCULUS_RULES_H

#include "calculus/calculus.h"
#include "calculus/formula.h"

typedef enum { RULE_STABILISE, RULE_ALGEBRA } RulePhase;
typedef enum { CLASS_EXACT, CLASS_FINITE, CLASS_REASSOC } RuleClass;

typedef struct RuleText {
  const char *name;
  RulePhase phase;
  RuleClass class;
  const char *pattern, *replacement, *condition;
} RuleText;
extern const RuleText rule_texts[];
extern const int rule_count;

/* One letter of a condition, and what it must be. */
typedef enum { ALWAYS, COUNTS_REDUCED, OVER_INDICES, POWER_OF_TWO } RuleCondition;

typedef struct Rule {
  const RuleText *text;
  const Node *pattern, *replacement;
  RuleCondition condition;
  char subject; /* the letter that the condition is on */
} Rule;
typedef struct RuleList {
  Rule *items;
  int count, capacity;
} RuleList;

typedef struct Rules {
  RuleList by_op[OP_COUNT]; /* expressions whose root is this operation */
  RuleList whole;           /* equations: the pattern is a reduction */
} Rules;

/* The rules that apply in `phase`, in the order of the table. */
Rules *rules_new(Model *model, Arena *arena, SimplifyPhase phase);

#endif
