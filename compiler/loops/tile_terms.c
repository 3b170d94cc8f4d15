/* Terms: a sum over many rows of a factor takes some of them at a time, in all tiles, so that these rows are in the
   cache for each tile of other rows. */
#include "loops/tile.h"

#include "calculus/variables.h"

static void declare_partial(Site *site, const Tiling *tiling, LoopBody *body) {
  Model *model = site->routine->model;
  int64_t rows = extent_maximum(tiling->row->range);
  Tensor *partial =
      array_new(site, name_of(model->names, "partial"), TYPE_REAL, rows, tiling->columns);
  site->partial = partial;
  LoopNode *declare = declare_new(model, partial, NULL);
  declare->marks = MARK_UNSET;
  APPEND(model->arena, body, declare);
}

LoopBody *open_term_steps(Site *site, const Tiling *tiling, LoopBody *body) {
  ExtentTable *extents = site->routine->model->extents;
  const Index *index = site->equation->reduced[0];
  if (tiling->keeps_partial) declare_partial(site, tiling, body);
  return open_steps(site, body, index, extent_constant(extents, 0), index->range, tiling->terms,
                    &site->term);
}

LoopBody *open_terms(Site *site, const Tiling *tiling, LoopBody *body, int k) {
  ExprTable *exprs = site->routine->model->exprs;
  LoopBody *inner = open_bounded_loop(site, body, site->equation->reduced[k]);
  if (!site->term || k > 0) return inner;
  LoopNode *loop = body->items[body->count - 1];
  const Expr *end = expr_binary(exprs, OP_ADD, site->term, expr_integer(exprs, tiling->terms));
  bool is_whole = loop->end == expr_extent(exprs, loop->index->range);
  loop->begin = expr_extreme(exprs, OP_MAX, loop->begin, site->term);
  loop->end = is_whole ? end : expr_extreme(exprs, OP_MIN, loop->end, end);
  return inner;
}

/* ---- sums of some terms ---- */

static LoopBody *open_part(Site *site, LoopBody *body, Op op, const Expr *a, const Expr *b) {
  LoopBody *inner = append_branch(site, body, expr_binary(site->routine->model->exprs, op, a, b));
  body->items[body->count - 1]->marks = MARK_TILE;
  return inner;
}

/* Where the last terms begin. */
static const Expr *last_terms(Site *site, const Tiling *tiling) {
  Model *model = site->routine->model;
  const Extent *terms = extent_constant(model->extents, tiling->terms);
  return expr_extent(model->exprs,
                     extent_subtract(model->extents, site->equation->reduced[0]->range, terms));
}

LoopBody *open_last_terms(Site *site, const Tiling *tiling, LoopBody *body) {
  if (!site->term) return body;
  return open_part(site, body, OP_LE, last_terms(site, tiling), site->term);
}

LoopBody *open_partial_sums(Site *site, const Tiling *tiling, LoopBody *body) {
  return open_part(site, body, OP_LT, site->term, last_terms(site, tiling));
}

LoopBody *open_further_terms(Site *site, LoopBody *body) {
  return open_part(site, body, OP_LT, expr_integer(site->routine->model->exprs, 0), site->term);
}

static void find_partial(Site *site, const Tiling *tiling, const Expr **subscripts) {
  ExprTable *exprs = site->routine->model->exprs;
  subscripts[0] = site_value(site, expr_index(exprs, tiling->row));
  subscripts[1] = site_value(site, expr_index(exprs, tiling->column));
}

const Expr *read_partial(Site *site, const Tiling *tiling) {
  Model *model = site->routine->model;
  const Equation *equation = site->equation;
  const Expr *subscripts[2];
  if (!site->partial) return site_value(site, equation_own_read(model, equation, equation->target));
  find_partial(site, tiling, subscripts);
  return expr_read(model->exprs, site->partial, subscripts, NULL);
}

LoopNode *store_partial(Site *site, const Tiling *tiling, const Expr *sum) {
  const Expr *subscripts[2];
  find_partial(site, tiling, subscripts);
  return store_new(site->routine->model, site->partial, subscripts, REDUCE_NONE, sum);
}
