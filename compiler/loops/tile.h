/* Tiles: a contraction is computed a few rows and vectors of columns at a time, which stay in registers while
   the sum is taken.

   The column is the last variable of the target; the factor `across` that has it is contiguous along it (see
   transpose.c), and is loaded as vectors. The row is a variable that only the factor `along` has: of it one
   number at a time is multiplied with them. Each element is still a sum in sequence, so bits do not change.
   What is left at the edges is computed by tiles that overlap those before, and gives the same values again. */
#ifndef NNC_LOOPS_TILE_H
#define NNC_LOOPS_TILE_H

#include "loops/build.h"

typedef struct Tiling {
  const Index *row, *column;  /* row null: `along` has none but the loops around */
  const Expr *along, *across; /* the factors */
  int64_t lanes;              /* of a vector */
  int64_t rows, columns;      /* of a tile; columns are vectors of lanes */
} Tiling;

/* Whether the equation is computed in tiles on the routine's target. */
bool tiling_of(const Routine *routine, const Equation *equation, Tiling *tiling);

/* The nodes for all rows and columns, at the end of `body`. */
void build_tiles(Site *site, const Tiling *tiling, LoopBody *body);

#endif
