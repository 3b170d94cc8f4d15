/* Beside: rows that are reduced in lanes go on side by side, as many as a vector has lanes.

     l[n, t] = lse[u](s[n, t, u])   # 16 lanes along u, where s lies [n, u, t] in memory (see flip.c)

   The lanes of one row are combined in a tree whose every level waits for the one before, and what follows waits
   for the row. Of rows that lie side by side each lane is a vector, and so is each level of the tree. A row still
   takes its points in the lanes that the equation says, so bits do not change. */
#ifndef NNC_LOOPS_BESIDE_H
#define NNC_LOOPS_BESIDE_H

#include "loops/build.h"

typedef struct Beside {
  const Index *column; /* the variable of the target that counts the rows */
  int64_t width;       /* of them go on at a time; it divides their number */
} Beside;

/* Whether rows of the equation do on the routine's target. */
bool beside_of(const Routine *routine, const Equation *equation, Beside *beside);

/* So many values of an index are vectors of the target; 0: they are not. */
int64_t beside_width(const Routine *routine, const Extent *range);

#endif
