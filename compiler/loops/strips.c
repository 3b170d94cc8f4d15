/* Strips: the factor that a product takes numbers of lies in blocks of rows.

     dw[i, k] = sum[n](x[n, i]*dy[n, k])   gives   x.strips[q, n, r] = x[n, q*8 + r]
                                                   dw[q*8 + r, k] = sum[n](x.strips[q, n, r]*dy[n, k])

   Numbers of rows are few in each line of a cache, so strips are worth it earlier than panels, where rows are
   long and the lines of which a tile takes some numbers do not stay in the first cache for the next: where they
   are many, or lie a multiple of a power of two apart and so compete for the same places of it. */
#include "equations/affine.h"
#include "equations/contraction.h"
#include "loops/blocks.h"
#include "loops/tile.h"

/* Parts of what panels must have; multiples: bytes of the first cache. */
enum { USES = 2, ROW = 8, CACHE = 4 };

/* Tiles of rows, of which some may have a row less, divide a block as wide as a panel. */
static bool share_blocks(const Equation *product, const Tiling *tiling) {
  int64_t width = tiling->columns;
  bool fills = width % tiling->rows == 0 || rows_are_split(width, tiling->rows);
  return fills && extent_maximum(tiling->row->range) > width &&
         blocks_divide(product, tiling->row, width);
}

static bool may_have_strips(const Layout *t, const Equation *product, const Tiling *tiling) {
  const Expr *factor = tiling->along;
  if (!tiling->row || !is_read(factor) || factor->tensor->rank < 2 || product->guard) return false;
  if (map_has(&t->routine->recurrences, product->target)) return false;
  int last = factor->tensor->rank - 1;
  if (read_default(factor) || lone_index(factor->args[last]) != tiling->row) return false;
  return extent_maximum(tiling->row->range) > tiling->rows &&
         (share_blocks(product, tiling) || blocks_divide(product, tiling->row, tiling->rows));
}

/* A tile's rows or, when tiles fill it, as many as a panel has columns: a value may then lie in blocks of one kind
   for all of its products. */
static int64_t width_of_strips(const Equation *product, const Tiling *tiling) {
  return share_blocks(product, tiling) ? tiling->columns : tiling->rows;
}

static bool is_worth_strips(Layout *t, const Equation *product, const Expr *factor) {
  const Target *target = t->routine->target;
  int64_t length, real = t->routine->bytes_of_real, least = target->copies.uses / USES;
  if (!extent_is_constant(factor->tensor->axes[factor->tensor->rank - 1].extent, &length))
    return false;
  return length * real >= target->copies.bytes / ROW &&
         blocks_bytes_taken(product, length * real, CACHE_LINE) >
             (double)(target->copies.bytes * CACHE) &&
         contraction_uses(t->scratch, product, factor) >= (double)least &&
         layout_may_read_ahead(t, factor, NULL);
}

static void strip_equation(Layout *t, Equation *equation) {
  Tiling tiling;
  if (tiling_of(t->routine, equation, &tiling) && may_have_strips(t, equation, &tiling) &&
      is_worth_strips(t, equation, tiling.along)) {
    Blocks blocks =
        blocks_of(t, equation, tiling.along, tiling.row, width_of_strips(equation, &tiling), "q");
    Equation *strips = blocks_find(t, &blocks, tiling.along);
    if (!strips) strips = blocks_make(t, &blocks, tiling.along, "strips");
    equation = blocks_product(t, &blocks, strips);
  }
  APPEND(t->routine->model->arena, &t->equations, equation);
}

void routine_strip(Routine *routine) {
  Layout layout;
  if (routine->target->vector_bytes > 0) layout_run(&layout, routine, strip_equation);
}
