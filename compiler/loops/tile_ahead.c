/* Ahead: what the tiles of the next columns take of a factor that comes from behind the caches is asked for within the
   sums of these. A processor waits for few lines at a time and for none that it does not expect, so the tiles of rows
   share the lines, and each asks for one term of the next columns every few of its own. */
#include "equations/affine.h"
#include "loops/tile.h"

enum { MOST_SHARES = 32 };

/* The lines of the factor that are asked for. */
typedef struct Ahead {
  const Expr *next;   /* the panel, or the column of a factor that has none, where they begin */
  int terms;          /* the dim of the factor that the sum runs along, */
  const Expr *term;   /* the subscript there, */
  const Expr *before; /* the first one of those taken at a time; null: 0 */
  int64_t count;      /* and so many are taken */
  int64_t shares;     /* tiles of rows that ask for equal parts */
  bool all;           /* there are no more of these */
} Ahead;

/* The subscript counts the terms of the innermost loops in their order. */
static bool counts_terms(Site *site, Arena *scratch, const Expr *subscript) {
  const Equation *equation = site->equation;
  const Index *const *last = &equation->reduced[equation->reduced_count - 1];
  BlockSubscript blocks;
  if (lone_index(subscript)) return lone_index(subscript) == *last;
  return equation->reduced_count > 1 &&
         affine_blocks(site->routine->model->exprs, scratch, subscript, &blocks) &&
         blocks.block == last[-1] && blocks.inner == *last;
}

static bool find_terms(Site *site, Arena *scratch, const Expr *factor, Ahead *ahead) {
  int64_t count;
  for (int dim = 0; dim < factor->tensor->rank; dim++) {
    if (!counts_terms(site, scratch, factor->args[dim])) continue;
    if (!extent_is_constant(factor->tensor->axes[dim].extent, &count)) return false;
    ahead->terms = dim;
    ahead->count = count;
    return true;
  }
  return false;
}

static double bytes_of_panel(const Routine *routine, const Tensor *factor) {
  double bytes = (double)routine->bytes_of_real;
  for (int dim = 1; dim < factor->rank; dim++)
    bytes *= (double)extent_maximum(factor->axes[dim].extent);
  return bytes;
}

/* The innermost loop around the tiles counts panels, no other equation shares it, and all panels do not fit into the
   cache, but two of them do. */
static bool goes_through_panels(Site *site, const Tiling *tiling, const Ahead *ahead) {
  const Routine *routine = site->routine;
  const Expr *factor = tiling->across;
  int innermost = site->schedule.sharable - 1, rank = factor->tensor->rank;
  if (innermost < site->shared || site->equation->guard) return false;
  if (rank < 3 || ahead->terms != rank - 2) return false;
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

/* Of a number of tiles of rows known here as many as divide the terms of the innermost loop; else the first asks. */
static void share_among_rows(Site *site, const Tiling *tiling, const Block *block, Ahead *ahead) {
  const Equation *equation = site->equation;
  int64_t rows, terms = ahead->count;
  ahead->shares = 1;
  ahead->all = false;
  if (!extent_is_constant(tiling->row->range, &rows) || rows % block->rows != 0) return;
  if (!site->term) terms = extent_maximum(equation->reduced[equation->reduced_count - 1]->range);
  int64_t tiles = rows / block->rows;
  while (2 * ahead->shares <= tiles && 2 * ahead->shares <= MOST_SHARES &&
         terms % (2 * ahead->shares) == 0)
    ahead->shares *= 2;
  ahead->all = ahead->shares == tiles;
}

static bool find_ahead(Site *site, Arena *scratch, const Tiling *tiling, const Block *block,
                       Ahead *ahead) {
  const Expr *factor = tiling->across;
  if (!tiling->row || !find_terms(site, scratch, factor, ahead)) return false;
  ahead->term = site_value(site, factor->args[ahead->terms]);
  ahead->before = site->term;
  if (site->term) {
    ahead->next = next_of(site, block->column, tiling->column->range, tiling->columns);
    ahead->count = tiling->terms;
  } else {
    if (!goes_through_panels(site, tiling, ahead)) return false;
    const Index *panel = lone_index(factor->args[0]);
    ahead->next = next_of(site, site_value(site, factor->args[0]), panel->range, 1);
  }
  share_among_rows(site, tiling, block, ahead);
  return true;
}

/* The term that a tile asks for at one of its own. */
static const Expr *term_ahead(Site *site, const Block *block, const Ahead *ahead,
                              const Expr *taken) {
  ExprTable *exprs = site->routine->model->exprs;
  if (ahead->shares == 1) return ahead->term;
  const Expr *part = expr_integer(exprs, ahead->count / ahead->shares);
  const Expr *tile = expr_binary(exprs, OP_IDIV, block->row, expr_integer(exprs, block->rows));
  const Expr *own = expr_binary(exprs, OP_IDIV, taken, expr_integer(exprs, ahead->shares));
  const Expr *term = expr_binary(exprs, OP_ADD, expr_binary(exprs, OP_MUL, tile, part), own);
  return ahead->before ? expr_binary(exprs, OP_ADD, ahead->before, term) : term;
}

/* Branches: of the tiles that ask, and of the terms at which they do. */
static LoopBody *open_asking(Site *site, const Block *block, const Ahead *ahead, const Expr *taken,
                             LoopBody *body) {
  ExprTable *exprs = site->routine->model->exprs;
  const Expr *zero = expr_integer(exprs, 0), *shares = expr_integer(exprs, ahead->shares);
  if (!ahead->all) {
    const Expr *rows = expr_integer(exprs, ahead->shares * block->rows);
    body = append_branch(site, body, expr_binary(exprs, OP_LT, block->row, rows));
  }
  if (ahead->shares == 1) return body;
  return append_branch(site, body,
                       expr_binary(exprs, OP_EQ, expr_binary(exprs, OP_MOD, taken, shares), zero));
}

/* The lines of one term. */
static void fetch_term(Site *site, const Tiling *tiling, const Ahead *ahead, const Expr *term,
                       LoopBody *body) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  const Expr *factor = tiling->across, *subscripts[LIMIT_RANK] = {ahead->next};
  int last = factor->tensor->rank - 1;
  for (int dim = 1; dim < ahead->terms; dim++)
    subscripts[dim] = site_value(site, factor->args[dim]);
  subscripts[ahead->terms] = term;
  for (int64_t at = 0; at < tiling->columns; at += CACHE_LINE / site->routine->bytes_of_real) {
    const Expr *column = expr_integer(exprs, at);
    if (site->term) column = expr_binary(exprs, OP_ADD, ahead->next, column);
    subscripts[last] = column;
    APPEND(model->arena, body,
           fetch_new(model, expr_read(exprs, factor->tensor, subscripts, NULL)));
  }
}

void fetch_ahead(Site *site, const Tiling *tiling, const Block *block, LoopBody *body) {
  ExprTable *exprs = site->routine->model->exprs;
  Arena *scratch = arena_new();
  Ahead ahead;
  if (find_ahead(site, scratch, tiling, block, &ahead)) {
    const Expr *taken =
        ahead.before ? expr_binary(exprs, OP_SUB, ahead.term, ahead.before) : ahead.term;
    body = open_asking(site, block, &ahead, taken, body);
    fetch_term(site, tiling, &ahead, term_ahead(site, block, &ahead, taken), body);
  }
  arena_free(scratch);
}
