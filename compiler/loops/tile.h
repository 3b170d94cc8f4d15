/* Tiles: a contraction is computed a few rows and vectors of columns at a time, which stay in registers while
   the sum is taken.

   The column is the last variable of the target; the factor `across` that has it is contiguous along it (see
   transpose.c), and is loaded as vectors. The row is a variable that only the factor `along` has: of it one
   number at a time is multiplied with them. Each element is still a sum in sequence, so bits do not change.
   What is left at the edges is computed by tiles that overlap those before, and gives the same values again; rows, when
   they are known to be few, by tiles of which some have one row less. */
#ifndef NNC_LOOPS_TILE_H
#define NNC_LOOPS_TILE_H

#include "loops/build.h"

typedef struct Tiling {
  const Index *row, *column;  /* row null: `along` has none but the loops around */
  const Expr *along, *across; /* the factors; along null: rows are added as they are */
  int64_t lanes;              /* of a vector */
  int64_t rows, columns;      /* of a tile; columns are vectors of lanes, or part of one */
  int64_t
      terms; /* of the outermost variable of the sum, that all tiles take before the next; 0: all */
  bool keeps_partial; /* then partial sums lie in an array of the nest, and not in the target */
} Tiling;

/* Where a tile begins and how large it is; lanes 1: its one column is no vector. */
typedef struct Block {
  const Expr *row, *column;
  int64_t rows, columns, lanes;
  const Expr *new_row; /* the first row and column that no tile before had */
  int64_t new_column;
} Block;

/* Whether the equation is computed in tiles on the routine's target. */
bool tiling_of(const Routine *routine, const Equation *equation, Tiling *tiling);

/* A value all of whose columns lie side by side. */
bool is_contiguous(ExprTable *table, const Expr *read, const Index *column);

/* The nodes for all rows and columns, at the end of `body`. */
void build_tiles(Site *site, const Tiling *tiling, LoopBody *body);

/* for row in begin..end step `step`: where a tile begins. */
LoopBody *open_steps(Site *site, LoopBody *body, const Index *index, const Extent *begin,
                     const Extent *end, int64_t step, const Expr **at);

/* for r, and for j: the rows of a tile and its columns, with these marks, as what row and column of the equation
   stand for from here on; subscripts[0] and [1] are those of the element in the tile. */
LoopBody *open_rows(Site *site, const Tiling *tiling, const Block *block, LoopBody *body,
                    unsigned marks, const Expr **subscripts);
LoopBody *open_columns(Site *site, const Tiling *tiling, const Block *block, LoopBody *body,
                       unsigned marks, const Expr **subscripts);

/* tile_shape.c */
/* Rows and columns of tiles for the ranges of row and column; false: there are too few columns for a vector. */
bool tile_shape(const Routine *routine, const Equation *equation, Tiling *tiling);
/* Tiles that overlap at the last of so many rows would compute too many of them twice: some have a row less, and none
   overlaps. */
bool rows_are_split(int64_t rows, int64_t tile);
/* So many tiles have all their rows, when the others have one less. */
int64_t high_tiles(int64_t rows, int64_t tile);
/* There is no room for all vectors that a term loads: each is multiplied with all rows before the next is loaded. */
bool tile_goes_by_vectors(const Target *target, const Block *block);
/* for v: the vectors of a tile; `before`: the columns before them. */
LoopBody *open_vectors(Site *site, const Block *block, LoopBody *body, const Expr **before);

/* tile_vectors.c: arithmetic of values that lie along the column. */
bool is_of_vectors(const Routine *routine, Arena *scratch, const Expr *value, const Index *column);
/* What runs behind that tile takes its vectors as they are. */
bool epilogue_is_of_vectors(const Routine *routine, const Equation *product, const Tiling *tiling,
                            const Block *block);

/* tile_terms.c: sums that tiles take a number of terms at a time: between these they lie in an array, or in the
   target, which begins as 0. */
/* The loop over the numbers of terms, and the array before it. */
LoopBody *open_term_steps(Site *site, const Tiling *tiling, LoopBody *body);
/* The loop over the k-th variable of the sum, all or what is taken at a time. */
LoopBody *open_terms(Site *site, const Tiling *tiling, LoopBody *body, int k);
/* The branch of what is done with complete sums, and that of those to which terms will be added. */
LoopBody *open_last_terms(Site *site, const Tiling *tiling, LoopBody *body);
LoopBody *open_partial_sums(Site *site, const Tiling *tiling, LoopBody *body);
/* The branch of sums that have terms already. */
LoopBody *open_further_terms(Site *site, LoopBody *body);
/* An element of the tile where partial sums lie. */
const Expr *read_partial(Site *site, const Tiling *tiling);
LoopNode *store_partial(Site *site, const Tiling *tiling, const Expr *sum);

/* tile_ahead.c: inside the loops of the sum, asks for what the tiles of the next columns take of `across`, where that
   comes from behind the caches. */
void fetch_ahead(Site *site, const Tiling *tiling, const Block *block, LoopBody *body);

/* tile_fetch.c: asks for what is read behind the tile and comes from behind the caches. */
void fetch_for_epilogue(Site *site, const Tiling *tiling, const Block *block, LoopBody *body);

/* tile_guard.c: a tile takes the terms that the guard of the sum lets in. */
bool guard_fits(ExprTable *table, Arena *scratch, const Equation *equation, const Tiling *tiling);
/* The guard leaves out some elements of a tile and not others. */
bool guard_cuts_tiles(const Equation *equation, const Tiling *tiling);
/* The loops of the sum, which add to the tile. */
void build_sum(Site *site, const Tiling *tiling, const Block *block, const Tensor *tile,
               LoopBody *body);
/* The less of both (OP_MIN), or the greater; one of them where ranges tell which. */
const Expr *expr_extreme(ExprTable *table, Op op, const Expr *a, const Expr *b);
/* Elements that the guard leaves out become 0: of the target or, not null, of the tile's own array `product`. */
void build_zeros(Site *site, const Tiling *tiling, const Block *block, const Tensor *product,
                 LoopBody *body);

#endif
