/* Dual numbers: v + d*epsilon with epsilon^2 = 0, and their arithmetic.

   Every operation of ops.def once more, by hand: the duplication is wanted, or the oracle would be
   circular. Follows W. K. Clifford (1873); see Griewank & Walther, Evaluating Derivatives, ch. 3. */
#ifndef NNC_EQUATIONS_DUAL_H
#define NNC_EQUATIONS_DUAL_H

#include "equations/expr.h"

typedef struct Dual {
  double value, tangent;
} Dual;

/* The operation applied to `operands`, of which there are always three to read; not for leaves, READ,
   SELECT, AND and OR, which are lazy: the interpreter's. */
Dual dual_apply(Op op, const Dual *operands);

#endif
