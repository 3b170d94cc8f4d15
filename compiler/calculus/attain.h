/* Attained: where an extreme is attained, what attains it equals the extreme.

     m[p] = max[r](y[2*p+r])        y[i] = max(z[i], 0)        at[p] = argmax[r](y[2*p+r])
     dy[i] = if i % 2 == at[i//2] then dm[i//2] else 0
     dz[i] = if 0 < z[i] then dy[i] else 0

   becomes  kept[p] = if 0 < m[p] then dm[p] else 0
            dz[i] = if i % 2 == at[i//2] then kept[i//2] else 0

   So what a pooling reads is not kept for the backward part, and the elements of the extremes, which are fewer, are
   masked, as soon as their adjoints are known. The same but for what is not a number. */
#ifndef NNC_CALCULUS_ATTAIN_H
#define NNC_CALCULUS_ATTAIN_H

#include "calculus/common.h"

void attain(Model *model, Program *program, CommonVariables *common);

#endif
