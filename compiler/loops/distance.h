/* How loops go through memory, once every tensor has its place. */
#ifndef NNC_LOOPS_DISTANCE_H
#define NNC_LOOPS_DISTANCE_H

#include "loops/loop.h"

/* Elements from one value of the index to the next; -1: that is no number, or not the same everywhere. */
int64_t element_distance(const Routine *routine, Arena *scratch, const Tensor *tensor,
                         const Expr *const *subscripts, const Index *index);

/* From 0 to a number of its own, one by one. */
bool loop_is_plain(ExprTable *exprs, const LoopNode *loop, int64_t *count);

#endif
