/* Ahead: what the tiles of the next columns take of a factor that comes from behind the caches is asked for within the
   sums of these. A processor waits for few lines at a time, so the tiles of rows share the terms: each of 4 asks for one
   term every four of its own. Of rows that lie apart it is the same term; in a panel each has a part, in which one line
   follows the other. */
#include "equations/affine.h"
#include "loops/panels.h"
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
static bool lies_in_rows(const Routine *routine, const Expr *factor) {
  return factor->tensor->rank == 2 && panel_width(routine, factor->tensor) == 0;
}

/* Counts the panels of the factor, a copy or stored so; null: nothing does. */
static const Index *panel_index(Site *site, Arena *scratch, const Expr *factor) {
  const Expr *last = factor->args[factor->tensor->rank - 1];
  BlockSubscript blocks;
  if (panel_width(site->routine, factor->tensor) == 0)
    return factor->tensor->rank > 2 ? lone_index(factor->args[0]) : NULL;
  return affine_blocks(site->routine->model->exprs, scratch, last, &blocks) ? blocks.block : NULL;
}

static double bytes_of_panel(const Routine *routine, const Tensor *factor) {
  double bytes = (double)routine->bytes_of_real;
  int64_t width = panel_width(routine, factor);
  if (width > 0)
    return bytes * (double)panels_stride(factor, routine_panels(routine, factor), factor->rank);
  for (int dim = 1; dim < factor->rank; dim++)
    bytes *= (double)extent_maximum(factor->axes[dim].extent);
  return bytes;
}

/* The innermost loop around the tiles counts panels, no other equation shares it, and all panels do not fit into the
   cache, but two of them do. */
static bool goes_through_panels(Site *site, const Tiling *tiling, const Index *panel) {
  const Routine *routine = site->routine;
  const Expr *factor = tiling->across;
  int innermost = site->schedule.sharable - 1;
  if (!panel || innermost < site->shared || site->equation->guard) return false;
  double bytes = bytes_of_panel(routine, factor->tensor);
  double cache = (double)routine->target->caches.second;
  return panel == site->schedule.indices[innermost] && 2 * bytes <= cache &&
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

/* All tiles take some terms of a stored panel, which comes from behind the caches, before the next. */
static bool goes_on_in_panel(Site *site, const Tiling *tiling) {
  const Tensor *factor = tiling->across->tensor;
  double bytes = tensor_volume(factor) * (double)site->routine->bytes_of_real;
  return panel_width(site->routine, factor) > 0 && site->equation->reduced_count == 1 &&
         bytes > (double)site->routine->target->caches.second;
}

/* Where the terms begin that tiles take next: in this panel or, as the quotient by its terms says, in the next. */
static const Expr *begin_of_next(Site *site, const Tiling *tiling, Op quotient_or_rest) {
  ExprTable *exprs = site->routine->model->exprs;
  const Tensor *factor = tiling->across->tensor;
  int64_t terms = extent_maximum(factor->axes[factor->rank - 2].extent);
  const Expr *next = expr_binary(exprs, OP_ADD, site->term, expr_integer(exprs, tiling->terms));
  return expr_binary(exprs, quotient_or_rest, next, expr_integer(exprs, terms));
}

static const Expr *next_panel(Site *site, const Tiling *tiling, const Expr *panel,
                              const Extent *range) {
  ExprTable *exprs = site->routine->model->exprs;
  const Expr *next = expr_binary(exprs, OP_ADD, panel, begin_of_next(site, tiling, OP_IDIV));
  return expr_binary(exprs, OP_MIN, next, expr_integer(exprs, extent_maximum(range) - 1));
}

/* The term as far behind that as this one is behind where these begin. */
static const Expr *next_terms(Site *site, const Tiling *tiling, const Expr *term) {
  ExprTable *exprs = site->routine->model->exprs;
  return expr_binary(exprs, OP_ADD, expr_binary(exprs, OP_SUB, term, site->term),
                     begin_of_next(site, tiling, OP_MOD));
}

/* The panel, or the column of a factor that has none, where the next ones begin; null: nothing is asked for. */
static const Expr *find_next(Site *site, Arena *scratch, const Tiling *tiling, const Block *block) {
  const Expr *factor = tiling->across;
  int rank = factor->tensor->rank;
  if (!tiling->row || rank < 2 || (site->partial && !goes_on_in_panel(site, tiling))) return NULL;
  if (!counts_terms(site, scratch, factor->args[rank - 2])) return NULL;
  if (lies_in_rows(site->routine, factor)) {
    bool has_next = site->term && extent_maximum(tiling->column->range) > tiling->columns;
    return has_next ? next_of(site, block->column, tiling->column->range, tiling->columns) : NULL;
  }
  const Index *panel = panel_index(site, scratch, factor);
  if (!panel) return NULL;
  const Expr *at = site_value(site, expr_index(site->routine->model->exprs, panel));
  if (site->partial) return next_panel(site, tiling, at, panel->range);
  if (!goes_through_panels(site, tiling, panel)) return NULL;
  return next_of(site, at, panel->range, 1);
}

static bool takes_same_term(Site *site, const Tiling *tiling) {
  return site->partial || lies_in_rows(site->routine, tiling->across);
}

/* Tiles of rows that share the terms: as many as are known to be there and divide those of a panel, as a power of
   two; of rows that are counted at run time as many as there are at most. */
static int64_t shares_of(Site *site, const Tiling *tiling, const Block *block) {
  const Tensor *factor = tiling->across->tensor;
  int64_t rows, terms, shares = 1;
  if (!extent_is_constant(tiling->row->range, &rows)) {
    if (!takes_same_term(site, tiling) || block->rows < tiling->rows) return 1;
    rows = extent_maximum(tiling->row->range) / block->rows * block->rows;
  }
  if (rows % block->rows != 0) return 1;
  if (!extent_is_constant(factor->axes[factor->rank - 2].extent, &terms)) return 1;
  while (2 * shares <= rows / block->rows && 2 * shares <= MOST_SHARES &&
         (takes_same_term(site, tiling) || terms % (2 * shares) == 0))
    shares *= 2;
  return shares;
}

/* The branch of the tiles and terms that ask, and in `*term` what for. */
static LoopBody *open_asking(Site *site, const Tiling *tiling, const Block *block,
                             const Expr **term, LoopBody *body) {
  ExprTable *exprs = site->routine->model->exprs;
  const Tensor *factor = tiling->across->tensor;
  int64_t constant, shares = shares_of(site, tiling, block);
  const Expr *rows = expr_integer(exprs, block->rows), *count = expr_integer(exprs, shares);
  if (shares == 1) return append_branch(site, body, expr_binary(exprs, OP_LT, block->row, rows));
  const Expr *tile = expr_binary(exprs, OP_IDIV, block->row, rows);
  const Expr *turn = expr_binary(exprs, OP_MOD, *term, count);
  if (takes_same_term(site, tiling) && !extent_is_constant(tiling->row->range, &constant))
    return append_branch(
        site, body, expr_binary(exprs, OP_EQ, expr_binary(exprs, OP_MUL, turn, rows), block->row));
  if (takes_same_term(site, tiling))
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
  const Expr *factor = tiling->across, *subscripts[LIMIT_RANK];
  int last = factor->tensor->rank - 1;
  int64_t width = panel_width(site->routine, factor->tensor);
  bool is_copy = width == 0 && last > 1; /* whose first subscript is the panel's */
  const Expr *begin = is_copy     ? expr_integer(exprs, 0)
                      : width > 0 ? expr_binary(exprs, OP_MUL, next, expr_integer(exprs, width))
                                  : next;
  for (int dim = 0; dim < last - 1; dim++) subscripts[dim] = site_value(site, factor->args[dim]);
  if (is_copy) subscripts[0] = next;
  subscripts[last - 1] = term;
  for (int64_t at = 0; at < tiling->columns; at += CACHE_LINE / site->routine->bytes_of_real) {
    subscripts[last] = expr_binary(exprs, OP_ADD, begin, expr_integer(exprs, at));
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
    if (site->partial) term = next_terms(site, tiling, term);
    fetch_term(site, tiling, next, term, body);
  }
  arena_free(scratch);
}
