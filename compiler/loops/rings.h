/* Rings: of a value along the steps of a loop only so many are stored as are still to be read.

   When every access to a value stands in one loop, over the steps of one of its dims, and reads at most
   `lag` steps behind what the loop stores, an iteration that stores K steps needs K + lag of them: step t lies
   at t % (K + lag). After the loop its last steps are still there. Values without lag need no dim at all. */
#ifndef NNC_LOOPS_RINGS_H
#define NNC_LOOPS_RINGS_H

#include "loops/lives.h"

/* How many steps of the dim are stored; 0: all of them. */
int64_t ring_steps(const Routine *routine, const Life *life, int dim);

#endif
