/* Blocks: one variable of a product is counted in blocks as wide as its tiles, and the factor that has it lies
   in memory block by block. What one tile takes then lies side by side: in the factor itself it would jump from
   row to row, past caches whose sets are chosen by the same bits of the address, and come back for the next
   tile. Columns make panels (panel.c), rows strips (strips.c); products of the same factor share a copy. A copy
   costs a pass over the factor, so it is made where each element is used often. Sums keep their order: bits do
   not change. */
#ifndef NNC_LOOPS_BLOCKS_H
#define NNC_LOOPS_BLOCKS_H

#include "loops/layout.h"

typedef struct Blocks {
  Equation *product;
  const Expr *factor;
  const Index *whole, *block, *inner; /* whole = block*width + inner; block null: there is one */
  const Expr *value;                  /* of `whole` */
  IndexList variables;                /* of the copy */
} Blocks;

/* Whether blocks of that width divide the variable. */
bool blocks_divide(const Equation *product, const Index *whole, int64_t width);

/* Of the first cache, that a part of each row takes when it is to be found there again: rows that lie a multiple of a
   power of two apart compete for few places of it. */
double blocks_bytes_taken(const Equation *product, int64_t row_bytes, int64_t part_bytes);

/* `name`: of the variable that counts blocks. */
Blocks blocks_of(Layout *layout, Equation *product, const Expr *factor, const Index *whole,
                 int64_t width, const char *name);

/* The copy that has `element`, which is over the variables of the product, in blocks; null: none was made. */
Equation *blocks_find(Layout *layout, const Blocks *blocks, const Expr *element);
/* Makes it: "NAME.panels". */
Equation *blocks_make(Layout *layout, const Blocks *blocks, const Expr *element, const char *what);

/* The product with the copy in place of its factor. */
Equation *blocks_product(Layout *layout, const Blocks *blocks, const Equation *copy);

/* A tensor that a pass made to have the elements of another, as they are. */
bool is_made_copy(const Routine *routine, const Equation *equation);

/* Whether a variable of the equation may become two, of which one counts blocks. */
bool blocks_may_split(const Routine *routine, const Equation *equation, const Index *index);
/* Puts one of that name and j for the variable, which is name*width + j, in place. */
void blocks_split(Model *model, Arena *scratch, Equation *equation, const Index *whole, Name name,
                  int64_t width);

#endif
