/* Terms: a sum over many rows of a factor takes some of them at a time, in all tiles, so that these rows are in the
   cache for each tile of other rows. */
#include "loops/tile.h"

enum {
  AHEAD = 2, /* tiles of columns */
  LINE = 64  /* bytes of one of a cache */
};

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

void build_fetch(Site *site, const Tiling *tiling, const Block *block, LoopBody *body) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  int64_t real = site->routine->bytes_of_real;
  if (!site->term) return;
  const Expr *ahead =
      expr_binary(exprs, OP_ADD, block->column, expr_integer(exprs, AHEAD * tiling->columns));
  const Expr *range = expr_extent(exprs, tiling->column->range);
  body = append_branch(site, body, expr_binary(exprs, OP_LT, ahead, range));
  int bound = site->bound;
  body = open_terms(site, tiling, body);
  for (int64_t at = 0; at < tiling->columns; at += LINE / real) {
    int before = site->bound;
    site_bind(site, tiling->column, expr_binary(exprs, OP_ADD, ahead, expr_integer(exprs, at)));
    APPEND(model->arena, body, fetch_new(model, site_value(site, tiling->across)));
    site->bound = before;
  }
  site->bound = bound;
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
