/* Known: the conditions that hold wherever an expression is evaluated.

   Those of the choices in whose branch alone it stands, and those given for the whole: the guard of a sum, the
   elements that are needed. As conjuncts, compared by pointer. */
#ifndef NNC_CALCULUS_KNOWN_H
#define NNC_CALCULUS_KNOWN_H

#include "equations/equation.h"

/* Adds the condition unless it is there. */
void conditions_add(Arena *arena, ExprList *conditions, const Expr *condition);
/* Those of both lists. */
ExprList conditions_common(Arena *arena, const ExprList *a, const ExprList *b);
/* The list and the parts of the condition, which may be null. */
ExprList conditions_with(Arena *arena, const ExprList *conditions, const Expr *condition);

/* The guard of the equation, and these. */
void guard_restrict(Model *model, Arena *scratch, Equation *equation, const ExprList *conditions);

/* An expression and what is known there. */
typedef struct KnownExpr {
  const Expr *e;
  ExprList known;
} KnownExpr;
typedef struct KnownExprList {
  KnownExpr *items;
  int count, capacity;
} KnownExprList;

/* All expressions below `root`, each once, users before their arguments. */
KnownExprList known_below(Model *model, Arena *arena, const Expr *root, ExprList at_root);

#endif
