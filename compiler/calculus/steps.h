/* Steps: which sums run over the steps of a recurrence, and which way it runs.

   Found from the equations alone. Equations that need each other are a cycle; a read of the cycle at t - 1
   says that it runs forwards along t, at t + 1 backwards; and what reads it at t runs with it. */
#ifndef NNC_CALCULUS_STEPS_H
#define NNC_CALCULUS_STEPS_H

#include "equations/equation.h"

/* A reduced variable of the equation that counts the steps of a recurrence: of the last one where it reads
   several. Null: there is none. `*direction`: +1 or -1. */
typedef struct Stepping Stepping;
Stepping *stepping_new(Model *model, Arena *scratch, const Program *program);
const Index *stepping_sum(const Stepping *stepping, const Equation *equation, int *direction);

/* A variable of the target counts steps: of the recurrence that the equation is part of, or of the last one it reads. */
bool stepping_counts(const Stepping *stepping, const Equation *equation, const Index *variable);

/* Each of the two needs the other. */
bool stepping_joins(const Stepping *stepping, const Tensor *a, const Tensor *b);

#endif
