/* Terms: a sum over many rows of a factor takes some of them at a time, in all tiles, so that these rows are in the
   cache for each tile of other rows. */
#include "loops/tile.h"

LoopBody *open_term_steps(Site *site, const Tiling *tiling, LoopBody *body) {
  ExtentTable *extents = site->routine->model->extents;
  const Index *index = site->equation->reduced[0];
  return open_steps(site, body, index, extent_constant(extents, 0), index->range, tiling->terms,
                    &site->term);
}

LoopBody *open_terms(Site *site, const Tiling *tiling, LoopBody *body) {
  ExprTable *exprs = site->routine->model->exprs;
  const Equation *equation = site->equation;
  LoopBody *inner = open_bounded_loop(site, body, equation->reduced[equation->reduced_count - 1]);
  if (!site->term) return inner;
  LoopNode *loop = body->items[body->count - 1];
  loop->begin = site->term;
  loop->end = expr_binary(exprs, OP_ADD, site->term, expr_integer(exprs, tiling->terms));
  return inner;
}

LoopBody *open_last_terms(Site *site, const Tiling *tiling, LoopBody *body) {
  ExprTable *exprs = site->routine->model->exprs;
  if (!site->term) return body;
  int64_t range = extent_maximum(site->equation->reduced[0]->range);
  const Expr *last = expr_integer(exprs, range - tiling->terms);
  LoopBody *inner = append_branch(site, body, expr_binary(exprs, OP_LE, last, site->term));
  body->items[body->count - 1]->marks = MARK_TILE;
  return inner;
}
