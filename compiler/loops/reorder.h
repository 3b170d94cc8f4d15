/* Values in another order: one dim, with the variable that counts it, becomes the last. */
#ifndef NNC_LOOPS_REORDER_H
#define NNC_LOOPS_REORDER_H

#include "loops/loop.h"

typedef struct Reordering {
  Routine *routine;
  Arena *scratch;
  Map dims; /* Tensor * -> const int *: the dim to be last; each is defined by an equation of the routine, which
                  has one variable there */
  Map results; /* Tensor * -> Tensor *: in the new order */
} Reordering;

void reordering_init(Reordering *reordering, Routine *routine, Arena *scratch);
void reordering_add(Reordering *reordering, const Tensor *tensor, int dim);
/* All of them, in every equation that defines or reads one. Sums keep their order. */
void routine_reorder(Reordering *reordering);

#endif
