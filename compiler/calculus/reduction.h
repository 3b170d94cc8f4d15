/* The reduction rules of differentiation: how the adjoint of Y = reduce[r if guard](e) reaches e.

     sum              dY
     lse              dY*exp(e - Y): the softmax weight, never above 1, and 0 where Y is -inf
     max, min         dY at the first point that attains it, 0 elsewhere
     prod             dY times the product over all other points, exact when factors are 0
     argmax, any ...  0: such equations are not active */
#ifndef NNC_CALCULUS_REDUCTION_H
#define NNC_CALCULUS_REDUCTION_H

#include "equations/equation.h"

/* The adjoint of the body at a point, from the adjoint of the target there. Equations it needs (where the
   maximum is, the product of the others) are added to the program. */
const Expr *reduction_adjoint(Model *model, Program *program, Arena *scratch,
                              const Equation *equation, const Expr *adjoint);

#endif
