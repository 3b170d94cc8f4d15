/* Recurrences: equations that need each other step along one axis.

   In a cycle every read of a member goes to the same step or, somewhere, to an earlier one (all to earlier
   or all to later ones). The axis is found from the reads that are off by a constant; the reads of the
   same step must form no cycle of their own. Anything else is an error that prints the cycle. */
#ifndef NNC_LOOPS_RECURRENCE_H
#define NNC_LOOPS_RECURRENCE_H

#include "loops/loop.h"

/* The members ordered for one step, each entered in routine->recurrences; on NN0601 the order is that given. */
EquationList recurrence_order(Routine *routine, EquationList members, int group);

/* The number of steps a read of a member looks ahead (negative: back); 0 for the same step and for reads
   of other tensors. */
int64_t recurrence_lag(Arena *scratch, const Routine *routine, const Equation *reader,
                       const Expr *read);

/* The variable at which an equation reads all that it reads of the recurrence, one step at each of its own; null:
   there is none. */
const Index *recurrence_step(const Routine *routine, const ExprList *reads, int group);

#endif
