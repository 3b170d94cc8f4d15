/* Sums that are added up along the steps of a recurrence: routine->carried says which. The first of the variables
   that such a sum reduces counts the steps, in the order in which the recurrence takes them. */
#ifndef NNC_LOOPS_CARRY_H
#define NNC_LOOPS_CARRY_H

#include "loops/loop.h"

/* What the recurrence has for its step where the sum counts `time`, and the other way round. */
const Expr *carried_step(Model *model, const RecurrentEquation *along, const Expr *time);

/* The subscript is the step of the recurrence at which the sum is when it counts `time`. */
bool carried_reads_step(const Routine *routine, Arena *scratch, const Expr *subscript,
                        const RecurrentEquation *along, const Index *time);

#endif
