/* Arithmetic on the weights of derivatives, as one does it on paper: the 0 and the 1 do not appear.

   0*x is 0 by definition here (a path that does not exist has no NaN), and a choice with an empty side
   is kept outermost, (p ? a : 0)*b = p ? a*b : 0, so that a dead branch stays dead. */
#ifndef NNC_CALCULUS_ARITHMETIC_H
#define NNC_CALCULUS_ARITHMETIC_H

#include "equations/expr.h"

bool is_literal(const Expr *e, double value); /* a NUMBER or INTEGER of this value */

const Expr *arithmetic_negate(ExprTable *table, const Expr *a);
const Expr *arithmetic_add(ExprTable *table, const Expr *a, const Expr *b);
const Expr *arithmetic_multiply(ExprTable *table, const Expr *a, const Expr *b);
/* adjoint*partial, or partial*adjoint. The choices of the adjoint are outermost: what the partial derivative
   reads may be within its tensor only where the adjoint is not 0. */
const Expr *arithmetic_weigh(ExprTable *table, const Expr *adjoint, const Expr *partial,
                             bool partial_first);
/* `condition ? a : 0`; the condition may be null for true. */
const Expr *arithmetic_restrict(ExprTable *table, const Expr *condition, const Expr *a);
/* Conjunction; null stands for true on both sides. */
const Expr *arithmetic_and(ExprTable *table, const Expr *a, const Expr *b);

#endif
