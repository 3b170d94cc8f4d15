/* Reciprocals: a division by what no data reaches is a product with its reciprocal, which is computed once.

     m[i]/(1 - 0.9^step)   gives   m[i]*(1/(1 - 0.9^step))

   Corrections of bias and schedules divide every weight by a number of the step alone; a division takes as long
   as some ten products. The result differs by at most one more rounding. Divisors of data stay: their
   reciprocal may overflow where the quotient does not. */
#ifndef NNC_CALCULUS_RECIPROCAL_H
#define NNC_CALCULUS_RECIPROCAL_H

#include "equations/equation.h"

const Expr *expr_with_reciprocals(Model *model, Arena *scratch, const Expr *e);

#endif
