/* Reductions that need local variables: lanes and their tree, log-sum-exp, the place of an extreme. */
#include "loops/beside.h"
#include "loops/dots.h"
#include "loops/tile.h"

#include <math.h>

static const Expr *number(Site *site, double value) {
  return expr_number(site->routine->model->exprs, value);
}

static const Expr *read_local(Site *site, const Tensor *local, const Expr *lane) {
  return expr_read(site->routine->model->exprs, local, &lane, NULL);
}

static void store_local(Site *site, LoopBody *body, const Tensor *local, const Expr *lane,
                        Reduction combine, const Expr *value) {
  Model *model = site->routine->model;
  APPEND(model->arena, body, store_new(model, local, &lane, combine, value));
}

/* ---- rows beside each other ---- */

/* Those at hand: of the column's values from `first` on, `row` counts them. */
typedef struct Rows {
  Beside beside;
  const Index *row;
  const Expr *first;
} Rows;

/* for t in steps of as many rows as go on at a time */
static LoopBody *open_rows_beside(Site *site, LoopBody *body, Rows *rows) {
  Model *model = site->routine->model;
  const Index *column = rows->beside.column;
  int64_t width = rows->beside.width;
  rows->row = index_new(model, name_of(model->names, "r"), extent_constant(model->extents, width));
  rows->first = expr_integer(model->exprs, 0);
  if (extent_maximum(column->range) == width) return body;
  return open_steps(site, body, column, extent_constant(model->extents, 0), column->range, width,
                    &rows->first);
}

/* for r: the loop over the rows at hand; null: there is one, and no loop. */
static LoopBody *open_row(Site *site, LoopBody *body, const Rows *rows) {
  ExprTable *exprs = site->routine->model->exprs;
  if (!rows) return body;
  open_own_loop(site, &body, rows->row)->marks = MARK_VECTOR;
  const Expr *at = expr_index(exprs, rows->row);
  site_bind(site, rows->beside.column, expr_binary(exprs, OP_ADD, rows->first, at));
  return body;
}

/* ---- loops over the reduced variables ---- */

/* What to do at each point. `into`: a scalar, or an element for each lane, each of which has one for each row. */
typedef struct Point {
  const Tensor *into;
  Reduction combine;
  const Expr *shift; /* lse: exp(value - shift) instead of value; else null */
  const Rows *rows;  /* null: there is one row */
} Point;

/* `lane` is null for reductions in one sequence. */
static const Expr *read_lane(Site *site, const Point *point, const Expr *lane) {
  ExprTable *exprs = site->routine->model->exprs;
  if (!point->rows) return read_local(site, point->into, lane);
  const Expr *element[] = {lane, expr_index(exprs, point->rows->row)};
  return expr_read(exprs, point->into, element, NULL);
}

static void combine_lane(Site *site, LoopBody *body, const Point *point, const Expr *lane,
                         const Expr *value) {
  Model *model = site->routine->model;
  const Expr *element[] = {lane, point->rows ? expr_index(model->exprs, point->rows->row) : NULL};
  APPEND(model->arena, body, store_new(model, point->into, element, point->combine, value));
}

static const Expr *point_value(Site *site, const Point *point) {
  ExprTable *exprs = site->routine->model->exprs;
  const Expr *value = site_value(site, site->equation->body);
  if (!point->shift) return value;
  return expr_unary(exprs, OP_EXP, expr_binary(exprs, OP_SUB, value, point->shift));
}

/* A product is added with one rounding. */
static bool is_fused(const Site *site, const Point *point, const Expr *value) {
  return site->routine->target->fused && site->equation->target->type == TYPE_REAL &&
         point->combine == REDUCE_SUM && value->op == OP_MUL;
}

/* fma(a, b, before), computed before the condition is asked where it has a value whatever that says. */
static const Expr *fused_sum(Site *site, LoopBody *body, const Expr *product, const Expr *before) {
  Model *model = site->routine->model;
  const Expr *operands[] = {product->args[0], product->args[1], before};
  const Expr *sum = expr_make(model->exprs, OP_FMA, operands, 3);
  Arena *scratch = arena_new();
  bool is_total = exprs_are_total(model->exprs, scratch, &site->equation->body, 1);
  arena_free(scratch);
  if (!is_total) return sum;
  Tensor *local = local_new(site, "sum", TYPE_REAL, 1);
  APPEND(model->arena, body, declare_new(model, local, sum));
  return read_local(site, local, NULL);
}

/* Combines the value where the condition holds, and elsewhere what changes nothing: a store under a condition is no
   whole vector. */
static void combine_where(Site *site, LoopBody *body, Point point, const Expr *lane,
                          const Expr *condition, const Expr *value) {
  Model *model = site->routine->model;
  const Expr *nothing = reduction_identity(model, point.combine, site->equation->target->type);
  if (is_fused(site, &point, value)) {
    nothing = read_lane(site, &point, lane);
    value = fused_sum(site, body, value, nothing);
    point.combine = REDUCE_NONE;
  }
  combine_lane(site, body, &point, lane, expr_select(model->exprs, condition, value, nothing));
}

/* for lane in 0..width-1: its element combined with the value at last = base + lane. */
static void build_lane_loop(Site *site, LoopBody *body, const Point *point, const Extent *width,
                            const Expr *base) {
  Model *model = site->routine->model;
  const Equation *equation = site->equation;
  int bound = site->bound;
  ExprList guard = site->guard;
  const Index *lane = index_new(model, name_of(model->names, "lane"), width);
  LoopBody *inner = open_loop(site, body, lane);
  if (!point->rows) body->items[body->count - 1]->marks = MARK_VECTOR;
  const Expr *at = expr_index(model->exprs, lane);
  site_bind(site, equation->reduced[equation->reduced_count - 1],
            expr_binary(model->exprs, OP_ADD, base, at));
  inner = open_row(site, inner, point->rows);
  const Expr *condition = guard_take(site), *value = point_value(site, point);
  if (condition)
    combine_where(site, inner, *point, at, condition, value);
  else
    combine_lane(site, inner, point, at, value);
  site->bound = bound;
  site->guard = guard;
}

/* Leaves out rounds without a point that counts in some row at hand. */
static void bound_point_rounds(Site *site, LoopNode *loop, const Point *point, int lanes) {
  const Index *last = site->equation->reduced[site->equation->reduced_count - 1];
  const Rows *rows = point->rows;
  if (!rows)
    bound_rounds(site, loop, last, lanes);
  else
    bound_rounds_of_rows(site, loop, last, lanes, rows->beside.column, rows->first,
                         rows->beside.width);
}

/* The last reduced variable in whole rounds of `lanes`, then what remains. */
static void build_rounds(Site *site, LoopBody *body, const Point *point, int lanes) {
  Model *model = site->routine->model;
  const Index *last = site->equation->reduced[site->equation->reduced_count - 1];
  const Extent *width = extent_constant(model->extents, lanes);
  const Extent *whole = whole_multiple(model, last->range, lanes);
  const Extent *rest = extent_subtract(model->extents, last->range, whole);
  if (extent_maximum(whole) > 0) {
    const Index *round = index_new(model, last->name, whole);
    LoopBody *rounds = open_loop(site, body, round);
    bound_point_rounds(site, body->items[body->count - 1], point, lanes);
    body->items[body->count - 1]->step = lanes;
    build_lane_loop(site, rounds, point, width, expr_index(model->exprs, round));
  }
  int64_t remaining;
  if (extent_is_constant(rest, &remaining) && remaining == 0) return;
  build_lane_loop(site, body, point, rest, expr_extent(model->exprs, whole));
}

/* All points of the reduction, combined into the lanes of a local, or into a scalar local in sequence. */
static void build_points(Site *site, LoopBody *body, const Point *point, int lanes) {
  const Equation *equation = site->equation;
  int bound = site->bound;
  int outer = equation->reduced_count - (lanes > 1);
  guard_start(site);
  body = open_branch(site, body);
  for (int i = 0; i < outer; i++)
    body = equation->reduction == REDUCE_LSE ? open_bounded_loop(site, body, equation->reduced[i])
                                             : open_reduced_loop(site, body, equation->reduced[i]);
  if (lanes > 1) {
    build_rounds(site, body, point, lanes);
  } else {
    combine_lane(site, body, point, NULL, point_value(site, point));
  }
  site->bound = bound;
}

static Op combining_op(Reduction combine) {
  return combine == REDUCE_PROD ? OP_MUL : combine == REDUCE_MAX ? OP_MAX : OP_ADD;
}

/* Of vectors that take `width` lanes; 0: they are left to the C compiler, which may unroll their loop first. */
static int64_t vector_lanes(const Site *site, const Point *point, int width) {
  int64_t real = site->routine->bytes_of_real, bytes = site->routine->target->vector_bytes;
  bool is_arithmetic = point->combine == REDUCE_SUM || point->combine == REDUCE_PROD;
  if (point->rows || !is_arithmetic || point->into->type != TYPE_REAL) return 0;
  if (bytes > width * real) bytes = width * real;
  return bytes < LEAST_VECTOR_BYTES ? 0 : bytes / real;
}

/* The `width` lanes behind the first `width` are combined with these. */
static void combine_halves(Site *site, LoopBody *body, Point point, int width) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  int bound = site->bound;
  const Index *lane =
      index_new(model, name_of(model->names, "lane"), extent_constant(model->extents, width));
  LoopBody *inner = open_loop(site, body, lane);
  LoopNode *loop = body->items[body->count - 1];
  if (!point.rows) loop->marks = MARK_VECTOR;
  loop->lanes = vector_lanes(site, &point, width);
  inner = open_row(site, inner, point.rows);
  const Expr *at = expr_index(exprs, lane);
  const Expr *other = expr_binary(exprs, OP_ADD, at, expr_integer(exprs, width));
  const Expr *value = read_lane(site, &point, other);
  if (loop->lanes > 0) {
    value = expr_binary(exprs, combining_op(point.combine), read_lane(site, &point, at), value);
    point.combine = REDUCE_NONE;
  }
  combine_lane(site, inner, &point, at, value);
  site->bound = bound;
}

/* The total of all lanes, as an expression of the row. */
static const Expr *combine_lanes(Site *site, LoopBody *body, const Point *point, int lanes) {
  ExprTable *exprs = site->routine->model->exprs;
  for (int width = lanes / 2; width > 1; width /= 2) combine_halves(site, body, *point, width);
  const Expr *left = read_lane(site, point, expr_integer(exprs, 0));
  const Expr *right = read_lane(site, point, expr_integer(exprs, 1));
  return expr_binary(exprs, combining_op(point->combine), left, right);
}

const Expr *build_tree(Site *site, LoopBody *body, const Tensor *into, Reduction combine,
                       int lanes) {
  return combine_lanes(site, body, &(Point){.into = into, .combine = combine}, lanes);
}

/* The reduction of all points with `point`'s operation, as an expression usable in `body`, of the row. */
static const Expr *build_total(Site *site, LoopBody *body, Point point, const char *name) {
  Model *model = site->routine->model;
  int lanes = site->equation->lanes > 1 ? site->equation->lanes : 1;
  ValueType type = site->equation->target->type;
  Tensor *local = point.rows ? array_new(site, name_of(model->names, name), type, lanes,
                                         point.rows->beside.width)
                             : local_new(site, name, type, lanes);
  APPEND(model->arena, body,
         declare_new(model, local, reduction_identity(model, point.combine, type)));
  point.into = local;
  build_points(site, body, &point, lanes);
  return lanes > 1 ? combine_lanes(site, body, &point, lanes) : read_local(site, local, NULL);
}

/* The rows that go on beside each other, and in `*body` the loop over as many; null: none do. */
static const Rows *find_rows(Site *site, Rows *rows, LoopBody **body) {
  if (!beside_of(site->routine, site->equation, &rows->beside)) return NULL;
  *body = open_rows_beside(site, *body, rows);
  return rows;
}

static void store_total(Site *site, LoopBody *body, const Rows *rows, const Expr *total) {
  int bound = site->bound;
  body = open_row(site, body, rows);
  APPEND(site->routine->model->arena, body, target_store(site, REDUCE_NONE, total));
  site->bound = bound;
}

void build_lanes(Site *site, LoopBody *body) {
  Dots dots;
  Rows found;
  if (dots_of(site->routine, site->equation, &dots)) {
    build_dots(site, &dots, body);
    return;
  }
  const Rows *rows = find_rows(site, &found, &body);
  Point point = {.combine = site->equation->reduction, .rows = rows};
  const char *name = site->equation->lanes > 1 ? "lanes" : "total";
  store_total(site, body, rows, build_total(site, body, point, name));
}

enum { MOST_TERMS = 32 };

/* Few points side by side, summed in one sequence. */
static bool has_few_terms(Site *site) {
  const Equation *equation = site->equation;
  int64_t count;
  if (equation->lanes > 1 || equation->reduced_count != 1 || equation->guard) return false;
  const Index *index = equation->reduced[0];
  return extent_is_constant(index->range, &count) && count > 1 && count <= MOST_TERMS &&
         expr_movement(site->routine->model->exprs, equation->body, index) != NOT_BY_ONE;
}

/* All terms first, which vectors can do, then their sum. */
static const Expr *build_few_terms(Site *site, LoopBody *body, Point point, const char *name) {
  Model *model = site->routine->model;
  const Index *index = site->equation->reduced[0];
  ValueType type = site->equation->target->type;
  const Expr *at = expr_index(model->exprs, index);
  int bound = site->bound;
  Tensor *terms = local_new(site, "terms", type, extent_maximum(index->range));
  APPEND(model->arena, body, declare_new(model, terms, NULL));
  LoopBody *inner = open_loop(site, body, index);
  body->items[body->count - 1]->marks = MARK_VECTOR;
  store_local(site, inner, terms, at, REDUCE_NONE, point_value(site, &point));
  site->bound = bound;
  Tensor *total = local_new(site, name, type, 1);
  APPEND(model->arena, body,
         declare_new(model, total, reduction_identity(model, point.combine, type)));
  inner = open_loop(site, body, index);
  store_local(site, inner, total, NULL, point.combine, read_local(site, terms, at));
  site->bound = bound;
  return read_local(site, total, NULL);
}

/* log(sum(exp(e))) = m + log(sum(exp(e - m))) with m the greatest e; m alone when it is infinite. */
void build_logsumexp(Site *site, LoopBody *body) {
  ExprTable *exprs = site->routine->model->exprs;
  Rows found;
  const Rows *rows = find_rows(site, &found, &body);
  const Expr *greatest =
      build_total(site, body, (Point){.combine = REDUCE_MAX, .rows = rows}, "greatest");
  Point shifted = {.combine = REDUCE_SUM, .shift = greatest, .rows = rows};
  const Expr *sum = has_few_terms(site) ? build_few_terms(site, body, shifted, "sum")
                                        : build_total(site, body, shifted, "sum");
  const Expr *infinite =
      expr_binary(exprs, OP_EQ, expr_unary(exprs, OP_ABS, greatest), number(site, INFINITY));
  const Expr *finite = expr_binary(exprs, OP_ADD, greatest, expr_unary(exprs, OP_LOG, sum));
  store_total(site, body, rows, expr_select(exprs, infinite, greatest, finite));
}

/* Row-major number of the current point among the reduced variables. */
static const Expr *point_number(Site *site) {
  ExprTable *exprs = site->routine->model->exprs;
  const Equation *equation = site->equation;
  const Expr *number = expr_integer(exprs, 0);
  for (int i = 0; i < equation->reduced_count; i++) {
    const Index *index = equation->reduced[i];
    number = expr_binary(exprs, OP_MUL, number, expr_extent(exprs, index->range));
    number = expr_binary(exprs, OP_ADD, number, expr_index(exprs, index));
  }
  return number;
}

void build_arg(Site *site, LoopBody *body) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  Reduction extreme = site->equation->reduction == REDUCE_ARGMAX ? REDUCE_MAX : REDUCE_MIN;
  ValueType type = site->equation->body->type == TYPE_INT ? TYPE_INT : TYPE_REAL;
  Tensor *best = local_new(site, "best", type, 1);
  Tensor *place = local_new(site, "place", TYPE_INT, 1);
  int bound = site->bound;
  APPEND(model->arena, body, declare_new(model, best, reduction_identity(model, extreme, type)));
  APPEND(model->arena, body, declare_new(model, place, expr_integer(exprs, 0)));
  guard_start(site);
  LoopBody *inner = open_branch(site, body);
  for (int i = 0; i < site->equation->reduced_count; i++) {
    inner = open_reduced_loop(site, inner, site->equation->reduced[i]);
  }
  const Expr *value = site_value(site, site->equation->body);
  const Expr *old = read_local(site, best, NULL), *old_place = read_local(site, place, NULL);
  const Expr *better = extreme == REDUCE_MAX ? expr_binary(exprs, OP_LT, old, value)
                                             : expr_binary(exprs, OP_LT, value, old);
  const Expr *here = site_value(site, point_number(site));
  store_local(site, inner, place, NULL, REDUCE_NONE, expr_select(exprs, better, here, old_place));
  store_local(site, inner, best, NULL, REDUCE_NONE, expr_select(exprs, better, value, old));
  site->bound = bound;
  APPEND(model->arena, body, target_store(site, REDUCE_NONE, read_local(site, place, NULL)));
}
