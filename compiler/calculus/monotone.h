/* Monotone: what keeps the order of numbers leaves an extreme.

     m[p] = max[r](max(z[2*p+r] + b, 0))   gives   m.of[p] = max[r](z[2*p+r])
                                                   m[p] = max(m.of[p] + b, 0)

   A sum with the same number and a bound keep the order, also as they are rounded; so they are taken of the extreme
   instead of all points. The same bits, but for the sign of 0 and where infinities are added. Where it is asked which
   point attains the extreme, the points are computed anyway, and all stays. */
#ifndef NNC_CALCULUS_MONOTONE_H
#define NNC_CALCULUS_MONOTONE_H

#include "calculus/common.h"

void monotone(Model *model, Program *program);

#endif
