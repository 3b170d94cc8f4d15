/* What can leave a sum: factors that do not vary in it, and a variable that a condition determines.

   Rules on equations as a whole, beside those of rules.def: they hold for products of any length and
   conditions of any shape, which a pattern cannot say. */
#ifndef NNC_CALCULUS_SUMS_H
#define NNC_CALCULUS_SUMS_H

#include "calculus/match.h"

/* sum[r](a*e) = a*sum[r](e) where a does not depend on r; REASSOC. The sum becomes an equation of its
   own. Without e the sum is a times the number of points. True when the equation was changed. */
bool sum_factor(const Site *site, Equation *equation);

/* sum[r](if r == e then b(r) else 0) = if 0 <= e < R then b(e) else 0, and the same for guards; EXACT for
   finite b. True when the equation was changed. */
bool sum_collapse(const Site *site, Equation *equation);

#endif
