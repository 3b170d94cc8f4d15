/* Remat: which equations a model's `remat` blocks hold.

   An equation keeps the place of its statement, and the calls it came through, as it goes through the passes;
   what a pass makes of it has its place, too. So a block is a stretch of the source, and holds what is stated in
   it and what the definitions applied in it state. */
#ifndef NNC_LOOPS_REMAT_H
#define NNC_LOOPS_REMAT_H

#include "equations/equation.h"

SpanList remat_blocks(Arena *arena, const Model *model); /* in order, none within another */
bool remat_holds(const SpanList *blocks, const Equation *equation);

#endif
