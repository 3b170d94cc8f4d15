/* Gradients of a train block against two oracles that know nothing of how they were derived: dual numbers
   to 1e-10 and central differences to 1e-6, relative to the sum of absolute contributions. */
#ifndef NNC_COMMAND_GRADIENT_CHECK_H
#define NNC_COMMAND_GRADIENT_CHECK_H

#include "equations/equation.h"

/* Null, or what is wrong, in `arena`. The gradients must have been derived. Run-time dims get their maximum
   or 3, whichever is less; inputs, targets and noise on the parameters come from `seed`. */
const char *gradient_check(Arena *arena, Model *model, int block, uint64_t seed);

#endif
