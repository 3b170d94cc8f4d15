/* Contractions: sums of products of two factors, each of which has a variable of the target that the other
   lacks: products of matrices, convolutions, their gradients, scores of attention. */
#ifndef NNC_EQUATIONS_CONTRACTION_H
#define NNC_EQUATIONS_CONTRACTION_H

#include "equations/equation.h"

bool equation_contracts(Arena *scratch, const Equation *equation);

/* The factor that alone uses a variable of the target; null: both do, or none does. */
const Expr *contraction_factor(Arena *scratch, const Equation *equation, const Index *variable);

/* Terms of the sum; and how often each element of a factor is used, for the values of the target's variables
   that it lacks. Both at the maxima. */
double contraction_terms(const Equation *equation);
double contraction_uses(Arena *scratch, const Equation *equation, const Expr *factor);

/* No variable of the target that one factor alone has fills more than a vector of the lanes of sums: so it is the
   sum that runs in lanes, when both factors lie along it. */
bool contraction_is_narrow(Arena *scratch, const Equation *equation);

#endif
