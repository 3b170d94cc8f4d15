/* Epilogues: what is computed of a tile while it is at hand.

   An equation that is pointwise in a product, as an activation or the step of an optimizer is, runs tile by
   tile behind it instead of in a pass of its own over memory: y = max(z, 0) is taken of a few rows of
   z[n, k] = sum[i](x[n, i]*w[i, k]) as soon as their sums are complete. A product that none but its epilogue
   reads has no memory but that of a tile: a gradient that is used to change the weights and for nothing else
   is never stored. Each element is computed once, by the same operations, so bits do not change. */
#ifndef NNC_LOOPS_EPILOGUE_H
#define NNC_LOOPS_EPILOGUE_H

#include "loops/loop.h"

typedef struct Epilogue {
  EquationList members; /* over the variables of the product, which they follow in the routine */
  Map locals; /* Tensor * -> itself: targets, the product's too, that none but members read */
} Epilogue;

/* Null: the equation has none. */
const Epilogue *epilogue_of(const Routine *routine, const Equation *product);

#endif
