/* Traffic: what tiles move between the caches of the target, and the order of the loops around them that moves
   least.

   A product reads its factors again in each iteration of a loop that does not count in them:

     for n, for p, for t: y[n, t, p*32 + j] = sum[i](x[n, t, i]*W.panels[p, i, j])

   reads W once for each n. Where W is larger than a cache, it comes from behind that each time; with p outside it
   comes once, and a panel of it stays. The bytes that each order moves into the first and the second cache are
   counted, array by array: a loop in which an array does not count reads it again unless all that one iteration
   touches fits. Orders differ in nothing else, and bits do not change.

   Where each element of a factor has few uses, it is not copied: what a tile takes of W[i, k] are parts of many rows,
   which compete for few places of the caches when the rows lie a multiple of a power of two apart. Then all tiles take
   some terms of their sums before any takes the next, and partial sums lie in the target:

     for i in steps of 32: for k, for n: y[n, k] += sum[those](x[n, i]*W[i, k])

   So do the tiles of all rows where what they take of the other factor comes from behind the first cache each time:

     for p: for n in steps of 2: for i: partial[i, j] += sum[those n, t](x[n, t, i]*y.blocks[p, n, t, j])  */
#ifndef NNC_LOOPS_TRAFFIC_H
#define NNC_LOOPS_TRAFFIC_H

#include "loops/tile.h"

/* Puts variables around the tiles, outermost first, into the order that moves least; they stay as they are where
   that saves little of the time that the product takes in any case. */
void traffic_order(const Routine *routine, const Equation *equation, const Tiling *tiling,
                   const Index **around, int count);

/* How many terms at a time, and where partial sums lie. */
void traffic_terms(const Routine *routine, const Equation *equation, Tiling *tiling);

#endif
