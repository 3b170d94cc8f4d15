/* Support: where an expression can be anything but 0.

   Conditions on index variables alone, all of which hold at every point where the value is not 0: those of its
   choices against 0, of its factors, of what it reads by the definitions of that. A sum need take no other
   points. FINITE: a product with a 0 counts as 0. */
#ifndef NNC_CALCULUS_SUPPORT_H
#define NNC_CALCULUS_SUPPORT_H

#include "equations/equation.h"

/* The conjuncts, each once, in `arena`. */
ExprList expr_support(Model *model, Arena *arena, const Expr *e);

/* An inequality of whole numbers that links index variables, and reads no tensor: a loop over one of them, inside
   those over the others, ends where it does. */
bool links_indices(Arena *scratch, const Expr *condition);

#endif
