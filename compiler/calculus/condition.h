/* Conditions on index variables: decided by ranges where they can be. */
#ifndef NNC_CALCULUS_CONDITION_H
#define NNC_CALCULUS_CONDITION_H

#include "equations/affine.h"
#include "equations/equation.h"

typedef enum { ALWAYS_FALSE, ALWAYS_TRUE, SOMETIMES_TRUE } Truth;

/* Of a comparison of whole numbers, over all values of its index variables; SOMETIMES_TRUE for any
   other condition. */
Truth condition_truth(ExprTable *table, Arena *scratch, const Expr *e);

/* `0 <= e` and `e < extent`; null: it always holds. */
typedef struct RangeCondition {
  const Expr *low, *high;
} RangeCondition;
RangeCondition condition_of_range(ExprTable *table, Arena *scratch, const Expr *e,
                                  const Extent *extent);
/* Both as one; null when both always hold. */
const Expr *condition_in_range(ExprTable *table, Arena *scratch, const Expr *e,
                               const Extent *extent);

/* That a read with these subscripts falls inside its tensor; null when it always does. */
const Expr *condition_inside(ExprTable *table, Arena *scratch, const Expr *read);
Truth condition_inside_truth(ExprTable *table, Arena *scratch, const Expr *read);
/* The node has a value whatever conditions hold: what it reads without a default is inside, its divisor is not 0. */
bool node_is_total(ExprTable *table, Arena *scratch, const Expr *node);
/* All nodes of these have one. */
bool exprs_are_total(ExprTable *table, Arena *scratch, const Expr *const *roots, int count);
/* The expression, in which reads that are always inside have no default, and those that never are, are it. */
const Expr *condition_decide_reads(ExprTable *table, Arena *scratch, const Expr *e);
/* The expression, in which reads with defaults are choices by their ranges. */
const Expr *condition_ask_reads(ExprTable *table, Arena *scratch, const Expr *e);
/* As condition_decide_reads, and choices by comparisons that always or never hold are the branch that is taken. */
const Expr *condition_decide(ExprTable *table, Arena *scratch, const Expr *e);

/* A read with a default as a choice: that it falls inside, as far as that is not certain, decides. */
const Expr *condition_choice(ExprTable *table, Arena *scratch, const Expr *read);

/* `a < b` or `a <= b` of whole numbers that only the greatest value of b - a satisfies, as an equality:
   0 <= t makes `t < 1` the same as `t == 0`. Any other condition as it is. */
const Expr *condition_tightened(ExprTable *table, Arena *scratch, const Expr *e);

/* The opposite; of a comparison of whole numbers, a comparison. */
const Expr *condition_not(ExprTable *table, const Expr *e);

/* The guard of the equation demands `e == index` with `e` read from tensors: the points of the reduction are sent to
   the elements of the target that they name, as the adjoint of a gather does. */
bool equation_scatters(const Equation *equation, const Index *index);
bool equation_scatters_any(const Equation *equation); /* along some variable of the target */

/* The parts of a conjunction, in order. */
void condition_conjuncts(Arena *arena, const Expr *condition, ExprList *parts);

#endif
