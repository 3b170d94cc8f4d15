/* Ahead: what the tiles of the next columns take of a factor that comes from behind the caches is asked for within the
   sums of these. A processor waits for few lines at a time, so the tiles of rows share the terms: each of 4 asks for one
   term every four of its own. Of rows that lie apart it is the same term; in a panel each has a part, in which one line
   follows the other. */
#include "equations/affine.h"
#include "loops/tile.h"

enum { MOST_SHARES = 32 };

/* The subscript counts the terms of the innermost loops. */
static bool counts_terms(Site *site, Arena *scratch, const Expr *subscript) {
  const Equation *equation = site->equation;
  const Index *const *last = &equation->reduced[equation->reduced_count - 1];
  BlockSubscript blocks;
  if (lone_index(subscript)) return lone_index(subscript) == *last;
  return equation->reduced_count > 1 &&
         affine_blocks(site->routine->model->exprs, scratch, subscript, &blocks) &&
         blocks.block == last[-1] && blocks.inner == *last;
}

/* The factor is a matrix as it is, of which all tiles take some rows at a time; else it lies in panels. */
static bool lies_in_rows(const Expr *factor) {
  return factor->tensor->rank == 2;
}

static double bytes_of_panel(const Routine *routine, const Tensor *factor) {
  double bytes = (double)routine->bytes_of_real;
  for (int dim = 1; dim < factor->rank; dim++)
    bytes *= (double)extent_maximum(factor->axes[dim].extent);
  return bytes;
}

/* The innermost loop around the tiles counts panels, no other equation shares it, and all panels do not fit into the
   cache, but two of them do. */
static bool goes_through_panels(Site *site, const Tiling *tiling) {
  const Routine *routine = site->routine;
  const Expr *factor = tiling->across;
  int innermost = site->schedule.sharable - 1;
  if (innermost < site->shared || site->equation->guard || factor->tensor->rank < 3) return false;
  const Index *panel = site->schedule.indices[innermost];
  double bytes = bytes_of_panel(routine, factor->tensor);
  double cache = (double)routine->target->caches.second;
  return lone_index(factor->args[0]) == panel && 2 * bytes <= cache &&
         bytes * (double)extent_maximum(panel->range) > cache;
}

/* min(at + step, range - step) */
static const Expr *next_of(Site *site, const Expr *at, const Extent *range, int64_t step) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  const Extent *last =
      extent_subtract(model->extents, range, extent_constant(model->extents, step));
  return expr_binary(exprs, OP_MIN, expr_binary(exprs, OP_ADD, at, expr_integer(exprs, step)),
                     expr_extent(exprs, last));
}

/* The panel, or the column of a factor that has none, where the next ones begin; null: nothing is asked for. */
static const Expr *find_next(Site *site, Arena *scratch, const Tiling *tiling, const Block *block) {
  const Expr *factor = tiling->across;
  int rank = factor->tensor->rank;
  if (!tiling->row || site->partial || rank < 2) return NULL;
  if (!counts_terms(site, scratch, factor->args[rank - 2])) return NULL;
  if (lies_in_rows(factor)) {
    bool has_next = site->term && extent_maximum(tiling->column->range) > tiling->columns;
    return has_next ? next_of(site, block->column, tiling->column->range, tiling->columns) : NULL;
  }
  if (!goes_through_panels(site, tiling)) return NULL;
  const Index *panel = lone_index(factor->args[0]);
  return next_of(site, site_value(site, factor->args[0]), panel->range, 1);
}

/* Tiles of rows that share the terms: as many as are known to be there and divide those of a panel, as a power of
   two. */
static int64_t shares_of(const Tiling *tiling, const Block *block) {
  const Tensor *factor = tiling->across->tensor;
  int64_t rows, terms, shares = 1;
  if (!extent_is_constant(tiling->row->range, &rows) || rows % block->rows != 0) return 1;
  if (!extent_is_constant(factor->axes[factor->rank - 2].extent, &terms)) return 1;
  while (2 * shares <= rows / block->rows && 2 * shares <= MOST_SHARES &&
         (lies_in_rows(tiling->across) || terms % (2 * shares) == 0))
    shares *= 2;
  return shares;
}

/* The branch of the tiles and terms that ask, and in `*term` what for. */
static LoopBody *open_asking(Site *site, const Tiling *tiling, const Block *block,
                             const Expr **term, LoopBody *body) {
  ExprTable *exprs = site->routine->model->exprs;
  const Tensor *factor = tiling->across->tensor;
  int64_t shares = shares_of(tiling, block);
  const Expr *rows = expr_integer(exprs, block->rows), *count = expr_integer(exprs, shares);
  if (shares == 1) return append_branch(site, body, expr_binary(exprs, OP_LT, block->row, rows));
  const Expr *tile = expr_binary(exprs, OP_IDIV, block->row, rows);
  const Expr *turn = expr_binary(exprs, OP_MOD, *term, count);
  if (lies_in_rows(tiling->across))
    return append_branch(site, body, expr_binary(exprs, OP_EQ, turn, tile));
  int64_t part = extent_maximum(factor->axes[factor->rank - 2].extent) / shares;
  *term = expr_binary(exprs, OP_ADD, expr_binary(exprs, OP_MUL, tile, expr_integer(exprs, part)),
                      expr_binary(exprs, OP_IDIV, *term, count));
  return append_branch(site, body, expr_binary(exprs, OP_EQ, turn, expr_integer(exprs, 0)));
}

/* The lines of a term. */
static void fetch_term(Site *site, const Tiling *tiling, const Expr *next, const Expr *term,
                       LoopBody *body) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  const Expr *factor = tiling->across, *subscripts[LIMIT_RANK] = {next};
  int last = factor->tensor->rank - 1;
  for (int dim = 1; dim < last - 1; dim++) subscripts[dim] = site_value(site, factor->args[dim]);
  subscripts[last - 1] = term;
  for (int64_t at = 0; at < tiling->columns; at += CACHE_LINE / site->routine->bytes_of_real) {
    const Expr *column = expr_integer(exprs, at);
    subscripts[last] = lies_in_rows(factor) ? expr_binary(exprs, OP_ADD, next, column) : column;
    APPEND(model->arena, body,
           fetch_new(model, expr_read(exprs, factor->tensor, subscripts, NULL)));
  }
}

void fetch_ahead(Site *site, const Tiling *tiling, const Block *block, LoopBody *body) {
  Arena *scratch = arena_new();
  const Expr *next = find_next(site, scratch, tiling, block);
  if (next) {
    const Expr *factor = tiling->across;
    const Expr *term = site_value(site, factor->args[factor->tensor->rank - 2]);
    body = open_asking(site, tiling, block, &term, body);
    fetch_term(site, tiling, next, term, body);
  }
  arena_free(scratch);
}
