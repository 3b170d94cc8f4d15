/* Matching of rule patterns against expressions, and building of replacements. */
#ifndef NNC_CALCULUS_MATCH_H
#define NNC_CALCULUS_MATCH_H

#include "calculus/rules.h"

/* Where a rule is tried. */
typedef struct Site {
  Model *model;
  Program *program;
  Arena *scratch;
  const Equation *equation; /* hoisted reductions are named and placed after it */
} Site;

/* What the letters of a pattern stand for. */
typedef struct Match {
  const Expr *values[26];      /* by letter; null: not bound */
  const Index *const *reduced; /* r */
  int reduced_count;
  const Expr *guard;
  bool has_reduced; /* r is bound */
} Match;

/* The value of an expression that the rule replaces it by; null when the rule does not apply. */
const Expr *rule_apply(const Site *site, const Rule *rule, const Expr *e);

/* The same for an equation as a whole, changed in place. */
bool rule_apply_whole(const Site *site, const Rule *rule, Equation *equation);

#endif
