/* Dots: sums in lanes, of which a few rows and columns go on side by side, each in vectors of its own.

     dw[k, c, r, s] = sum[p, q, n](x[c, p+r, q+s, n]*dy[k, p, q, n])   # 16 lanes along n

   Both factors are contiguous along the last reduced variable. The row is a variable of the target that only the
   factor `along` has, the column one that only `across` has; of a sum of one value there are rows alone, and of
   other arithmetic, or in a recurrence, there is one row. Where the points do not stay in the first cache, all sums of
   a variable that moves a window over the first of the sum, as r over p, take one step of that one before the next:
   what they read of the step they share. Each
   lane still takes its points in sequence, and lanes are combined by the tree of the equation, so bits do not
   change. */
#ifndef NNC_LOOPS_DOTS_H
#define NNC_LOOPS_DOTS_H

#include "loops/build.h"

typedef struct Dots {
  const Index *row, *column; /* null: there is one */
  int64_t rows, columns;     /* that go on side by side; they divide the ranges */
  int64_t lanes;             /* of a vector */
  const Index *window;       /* whose sums take the points step by step; null: there is none */
} Dots;

/* Whether the equation is computed so on the routine's target. */
bool dots_of(const Routine *routine, const Equation *equation, Dots *dots);

/* The nodes for all rows and columns, at the end of `body`. */
void build_dots(Site *site, const Dots *dots, LoopBody *body);

#endif
