/* Whether an expression may be -inf by intention: as the logarithm of a chance of 0, a mask, the unreachable
   end of a path. Found by following sums, choices and scalings, through tensors to their definitions, down
   to an infinite number, a logarithm, an extreme or lse that may be empty, or numbers of the caller. What a
   product of tensors makes of these is not meant: there infinity is an overflow. */
#ifndef NNC_CALCULUS_UNBOUNDED_H
#define NNC_CALCULUS_UNBOUNDED_H

#include "equations/equation.h"

bool may_be_infinite(Arena *scratch, const Expr *e);

#endif
