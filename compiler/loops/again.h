/* Again: a value of the forward part that the backward part computes once more, by the same equation and so
   with the same bits. */
#ifndef NNC_LOOPS_AGAIN_H
#define NNC_LOOPS_AGAIN_H

#include "calculus/variables.h"
#include "loops/loop.h"

/* A tensor like another, its name with an ending. */
Tensor *tensor_like(Model *model, const Tensor *like, const char *ending);

/* Defines the target by the same equation over variables of its own; stated as the one it stands for. */
Equation *equation_again(Routine *routine, Arena *scratch, Equation *equation, Tensor *target,
                         Renaming *renaming);

#endif
