/* Common variables: expressions of several equations over the same index variables, so that equal ones are one
   node. The variable that an expression has at some position is replaced by that of its range and position. */
#ifndef NNC_CALCULUS_COMMON_H
#define NNC_CALCULUS_COMMON_H

#include "equations/equation.h"

typedef struct CommonVariables {
  Model *model;
  Arena *arena;
  Map by_range; /* Extent * -> the variables of that range, by position */
} CommonVariables;

void common_open(CommonVariables *common, Model *model, Arena *arena);

/* The common variables for these. */
const Expr **common_values(CommonVariables *common, const Index *const *variables, int count);

/* The expression over the common variables for these; null stays null. */
const Expr *over_common(CommonVariables *common, const Expr *e, const Index *const *variables,
                        int count);

/* What is reduced, over the common variables for those of the equation. */
const Expr *common_body(CommonVariables *common, const Equation *equation);

/* The variables of an expression in the order in which they stand in it. */
IndexList indices_occurring(Arena *arena, const Expr *e);

/* A function of a real number that takes longer than storing its value and loading it. */
bool is_costly_function(const Expr *e);

#endif
