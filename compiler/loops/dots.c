/* Dots: which sums in lanes have vectors of their own, and their loops. */
#include "loops/dots.h"

#include "calculus/condition.h"
#include "equations/affine.h"
#include "equations/contraction.h"
#include "loops/layout.h"
#include "loops/tile.h"

enum {
  MOST_BESIDE = 8, /* rows or columns */
  MOST_NODES = 16, /* of arithmetic, which is written once for each vector */
  LEAST_LOADS = 16 /* for each vector that is put away or taken up again */
};

/* ---- which ---- */

/* Whole rounds of lanes: of the index, or in memory behind its last value, too. */
static bool has_whole_rounds(const Routine *routine, const Expr *read, const Index *index) {
  int64_t points;
  if (extent_is_constant(index->range, &points)) return points % LANES == 0;
  const Extent *row = read->tensor->axes[read_rank(read) - 1].extent;
  return row == extent_filled(routine->model, index->range);
}

/* A value that lies along the index in memory, as numbers that vectors are made of. */
static bool is_along(const Routine *routine, const Expr *read, const Index *index) {
  if (!is_read(read) || read_default(read) || read_rank(read) == 0) return false;
  if (lone_index(read->args[read_rank(read) - 1]) != index) return false;
  bool found = is_stored_as_real(read->tensor) && has_whole_rounds(routine, read, index);
  Arena *scratch = arena_new();
  for (int dim = 0; dim + 1 < read_rank(read); dim++)
    found = found && !expr_uses_index(scratch, read->args[dim], index);
  arena_free(scratch);
  return found;
}

/* A product of such values, or one of them. */
static bool has_suitable_body(const Routine *routine, const Equation *equation,
                              const Index *index) {
  const Expr *e = equation->body;
  if (e->op != OP_MUL) return is_along(routine, e, index);
  return is_along(routine, e->args[0], index) && is_along(routine, e->args[1], index);
}

/* Other arithmetic of such values, as of a norm's squares. */
static bool has_short_arithmetic(const Routine *routine, Arena *scratch, const Equation *equation,
                                 const Index *index) {
  const Expr *e = equation->body;
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *read = nodes.items[i];
    if (!is_read(read) || !expr_uses_index(scratch, read, index)) continue;
    if (!has_whole_rounds(routine, read, index)) return false;
  }
  return nodes.count <= MOST_NODES && is_of_vectors(routine, scratch, e, index);
}

static int64_t largest_divisor(int64_t of, int64_t most) {
  int64_t divisor = most < of ? most : of;
  while (of % divisor != 0) divisor--;
  return divisor;
}

static bool is_in_guard(Arena *scratch, const Equation *equation, const Index *index) {
  return equation->guard && expr_uses_index(scratch, equation->guard, index);
}

/* How many values of the variable may go on side by side. */
static int64_t most_beside(Arena *scratch, const Equation *equation, const Index *index) {
  int64_t range;
  bool is_free = extent_is_constant(index->range, &range) && range > 0 &&
                 !is_in_guard(scratch, equation, index);
  return is_free ? largest_divisor(range, MOST_BESIDE) : 1;
}

/* Some subscript moves a window by it over one of the sum, whose values most of its own are, too. */
static bool slides_window(Arena *scratch, const Equation *equation, const Expr *factor,
                          const Index *index) {
  for (int dim = 0; dim < read_rank(factor); dim++) {
    if (!expr_uses_index(scratch, factor->args[dim], index)) continue;
    for (int i = 0; i < equation->reduced_count; i++)
      if (expr_uses_index(scratch, factor->args[dim], equation->reduced[i])) return true;
  }
  return false;
}

/* What the vectors of so many values of a variable cost: those of a window are near. */
static double cost_of(Arena *scratch, const Equation *equation, const Expr *factor,
                      const Index *index, int64_t count) {
  return (double)count * (slides_window(scratch, equation, factor, index) ? 0.5 : 1);
}

/* How a product is taken: its sums for what the loads of one round cost. */
typedef struct Choice {
  const Expr *along, *across;
  int64_t vectors; /* that registers hold */
  double gain;
  Dots dots;
} Choice;

static bool is_of_one(Arena *scratch, const Expr *factor, const Expr *other, const Index *index) {
  return expr_uses_index(scratch, factor, index) && !expr_uses_index(scratch, other, index);
}

/* All numbers of columns, and as many rows as there is room for. */
static void try_pair(Arena *scratch, const Equation *equation, const Index *row,
                     const Index *column, Choice *best) {
  int64_t most_columns = most_beside(scratch, equation, column);
  int64_t most_rows = most_beside(scratch, equation, row);
  for (int64_t columns = 1; columns <= most_columns && columns <= best->vectors; columns++) {
    if (most_columns % columns != 0) continue;
    int64_t rows = largest_divisor(most_rows, best->vectors / columns);
    double cost = cost_of(scratch, equation, best->along, row, rows) +
                  cost_of(scratch, equation, best->across, column, columns);
    double gain = (double)(rows * columns) / cost;
    if (gain < best->gain) continue;
    best->gain = gain;
    best->dots = (Dots){
        rows > 1 ? row : NULL, columns > 1 ? column : NULL, rows, columns, best->dots.lanes, NULL};
  }
}

/* The row and the column that make the most of what is loaded, the last of equals. */
static void choose_product(Arena *scratch, const Equation *equation, int64_t vectors, Dots *dots) {
  Choice best = {equation->body->args[0], equation->body->args[1], vectors, 0, *dots};
  for (int i = 0; i < equation->var_count; i++) {
    const Index *row = equation->vars[i];
    if (!is_of_one(scratch, best.along, best.across, row)) continue;
    for (int k = 0; k < equation->var_count; k++)
      if (is_of_one(scratch, best.across, best.along, equation->vars[k]))
        try_pair(scratch, equation, row, equation->vars[k], &best);
  }
  *dots = best.dots;
}

static void choose_rows(Arena *scratch, const Equation *equation, int64_t vectors, Dots *dots) {
  for (int i = 0; i < equation->var_count; i++) {
    int64_t rows = most_beside(scratch, equation, equation->vars[i]);
    rows = largest_divisor(rows, vectors);
    if (rows == 1 || rows < dots->rows) continue;
    dots->row = equation->vars[i];
    dots->rows = rows;
  }
}

static int64_t range_of(const Index *index) {
  int64_t range;
  return extent_is_constant(index->range, &range) ? range : 0;
}

/* Not all rows beside each other where two threads are worth it: each has half of them. */
static void leave_rows_to_threads(const Routine *routine, const Equation *equation, Dots *dots) {
  double least = (double)routine->target->threads.least;
  bool is_worth = least > 0 && equation_volume(equation) / LANES >= least;
  if (is_worth && dots->row && dots->rows % 2 == 0 && dots->rows == range_of(dots->row))
    dots->rows /= 2;
}

/* ---- sums that take the points step by step ---- */

/* The points, of both factors, are more than the first cache holds; and what sums cost that are put away and taken up
   again in each step is little beside what a step loads. */
static bool takes_steps(const Routine *routine, const Equation *equation, const Dots *dots) {
  double points = 1;
  int64_t rounds = 1;
  for (int i = 0; i < equation->reduced_count; i++) {
    points *= (double)extent_maximum(equation->reduced[i]->range);
    if (i > 0) rounds *= extent_maximum(equation->reduced[i]->range);
  }
  int64_t loads = rounds / LANES * (dots->rows + dots->columns);
  return 2 * points * (double)routine->bytes_of_real > (double)routine->target->caches.first &&
         2 * dots->rows * dots->columns * LEAST_LOADS <= loads;
}

/* One factor moves by it over the first variable of the sum, and the other does not. */
static bool is_window(Arena *scratch, const Equation *equation, const Index *index) {
  const Expr *factor = contraction_factor(scratch, equation, index);
  for (int dim = 0; factor && dim < read_rank(factor); dim++)
    if (expr_uses_index(scratch, factor->args[dim], index) &&
        expr_uses_index(scratch, factor->args[dim], equation->reduced[0]))
      return range_of(index) > 1;
  return false;
}

/* Its sums leave room in the first cache, and tiles around it that threads can take. */
static bool has_room_inside(const Routine *routine, const Equation *equation, const Dots *dots,
                            const Index *window) {
  int64_t sums = dots->rows * dots->columns, tiles = 1;
  for (int i = 0; i < equation->var_count; i++)
    if (equation->vars[i] != window) tiles *= extent_maximum(equation->vars[i]->range);
  return tiles > sums && 2 * range_of(window) * sums * LANES * routine->bytes_of_real <=
                             routine->target->caches.first;
}

static const Index *find_window(const Routine *routine, Arena *scratch, const Equation *equation,
                                const Dots *dots) {
  if (equation->guard || equation->reduced_count < 2 || !takes_steps(routine, equation, dots))
    return NULL;
  for (int i = 0; i < equation->var_count; i++) {
    const Index *index = equation->vars[i];
    bool is_beside = index == dots->row || index == dots->column;
    bool suits = !is_beside && is_window(scratch, equation, index);
    if (suits && has_room_inside(routine, equation, dots, index)) return index;
  }
  return NULL;
}

static bool find_dots(const Routine *routine, Arena *scratch, const Equation *equation,
                      Dots *dots) {
  const Target *target = routine->target;
  int64_t lanes = target->vector_bytes / routine->bytes_of_real;
  if (equation->reduction != REDUCE_SUM || equation->lanes != LANES) return false;
  if (equation->target->type != TYPE_REAL || lanes < 1) return false;
  const Index *last = equation->reduced[equation->reduced_count - 1];
  if (extent_maximum(last->range) < LANES) return false;
  if (is_in_guard(scratch, equation, last)) return false;
  bool is_suitable = has_suitable_body(routine, equation, last);
  if (!is_suitable && !has_short_arithmetic(routine, scratch, equation, last)) return false;
  *dots = (Dots){.rows = 1, .columns = 1, .lanes = lanes < LANES ? lanes : LANES};
  if (!is_suitable || map_has(&routine->recurrences, equation->target)) return true;
  int64_t vectors = target->registers * 3 / 4 * dots->lanes / LANES;
  if (vectors < 1) vectors = 1;
  if (equation->body->op != OP_MUL) {
    choose_rows(scratch, equation, vectors, dots);
    leave_rows_to_threads(routine, equation, dots);
    return true;
  }
  choose_product(scratch, equation, vectors, dots);
  dots->window = find_window(routine, scratch, equation, dots);
  return true;
}

bool dots_of(const Routine *routine, const Equation *equation, Dots *dots) {
  if (routine->target->vector_bytes == 0) return false;
  if (map_has(&routine->segments, equation->target)) return false;
  Arena *scratch = arena_new();
  bool found = find_dots(routine, scratch, equation, dots);
  arena_free(scratch);
  return found;
}

/* ---- loops ---- */

/* for index in 0..range step `step`, but for one step: its value. */
static const Expr *open_starts(Site *site, LoopBody **body, const Index *index, int64_t step) {
  Model *model = site->routine->model;
  int64_t range;
  if (!index || (extent_is_constant(index->range, &range) && range == step))
    return expr_integer(model->exprs, 0);
  const Index *start = index_new(model, index->name, index->range);
  open_own_loop(site, body, start)->step = step;
  return expr_index(model->exprs, start);
}

/* for r in 0..count, all of them at once. */
static const Expr *open_beside(Site *site, LoopBody **body, const char *name, int64_t count) {
  Model *model = site->routine->model;
  if (count == 1) return expr_integer(model->exprs, 0);
  const Index *index =
      index_new(model, name_of(model->names, name), extent_constant(model->extents, count));
  open_own_loop(site, body, index)->marks = MARK_UNROLL;
  return expr_index(model->exprs, index);
}

/* Where the rows and columns at hand begin. */
typedef struct Corner {
  const Expr *row, *column;
} Corner;

static const Expr *open_dot_rows(Site *site, const Dots *dots, const Corner *corner,
                                 LoopBody **body) {
  const Expr *r = open_beside(site, body, "r", dots->rows);
  if (dots->row)
    site_bind(site, dots->row, expr_binary(site->routine->model->exprs, OP_ADD, corner->row, r));
  return r;
}

static const Expr *open_dot_columns(Site *site, const Dots *dots, const Corner *corner,
                                    LoopBody **body) {
  const Expr *j = open_beside(site, body, "j", dots->columns);
  if (dots->column)
    site_bind(site, dots->column,
              expr_binary(site->routine->model->exprs, OP_ADD, corner->column, j));
  return j;
}

/* The number among the sums at hand. */
static const Expr *dot_number(Site *site, const Dots *dots, const Expr *r, const Expr *j) {
  ExprTable *exprs = site->routine->model->exprs;
  const Expr *before = expr_binary(exprs, OP_MUL, r, expr_integer(exprs, dots->columns));
  return expr_binary(exprs, OP_ADD, before, j);
}

/* for lane: a round of lanes; `count`: so many of them, in vectors all the same; null: all. */
static const Expr *open_lanes(Site *site, const Dots *dots, const Expr *count, LoopBody **body) {
  Model *model = site->routine->model;
  const Index *lane =
      index_new(model, name_of(model->names, "lane"), extent_constant(model->extents, LANES));
  LoopNode *loop = open_own_loop(site, body, lane);
  loop->marks = MARK_VECTOR;
  loop->lanes = dots->lanes;
  if (count) loop->end = count;
  return expr_index(model->exprs, lane);
}

/* ---- factors that several sums share, in vectors of their own ---- */

typedef struct Factors {
  const Expr *of_row,
      *of_column; /* parts of the body; null: it is no product of a row and a column */
  const Tensor *row,
      *columns; /* what holds that of the row at hand, and those of all columns; null: nothing */
} Factors;

static Factors factors_of(const Site *site, const Dots *dots) {
  const Expr *body = site->equation->body;
  if (body->op != OP_MUL || dots->columns == 1) return (Factors){NULL};
  Arena *scratch = arena_new();
  bool is_turned = expr_uses_index(scratch, body->args[0], dots->column);
  arena_free(scratch);
  return (Factors){.of_row = body->args[is_turned], .of_column = body->args[!is_turned]};
}

/* Beside the sums, and the factor of a row. */
static bool columns_fit(const Site *site, const Dots *dots) {
  int64_t each = LANES / dots->lanes;
  int64_t needed = (dots->rows * dots->columns + dots->columns + 1) * each;
  return dots->rows > 1 && needed < site->routine->target->registers;
}

/* held[number] = the factor at the points from `round` on. */
static void hold(Site *site, const Dots *dots, const Expr *factor, const Tensor *held,
                 const Expr *number, const Expr *round, LoopBody *body) {
  Model *model = site->routine->model;
  const Equation *equation = site->equation;
  int bound = site->bound;
  const Expr *element[2] = {number, open_lanes(site, dots, NULL, &body)};
  site_bind(site, equation->reduced[equation->reduced_count - 1],
            expr_binary(model->exprs, OP_ADD, round, element[1]));
  APPEND(model->arena, body,
         store_new(model, held, element, REDUCE_NONE, site_value(site, factor)));
  site->bound = bound;
}

static const Tensor *declare_factors(Site *site, const Dots *dots, int64_t count, LoopBody *body) {
  Model *model = site->routine->model;
  Tensor *held = tile_new(site, "factor", count, LANES, dots->lanes);
  APPEND(model->arena, body, declare_new(model, held, NULL));
  return held;
}

static void hold_columns(Site *site, const Dots *dots, const Corner *corner, Factors *factors,
                         const Expr *round, LoopBody *body) {
  if (!factors->of_column || !columns_fit(site, dots)) return;
  int bound = site->bound;
  factors->columns = declare_factors(site, dots, dots->columns, body);
  const Expr *j = open_dot_columns(site, dots, corner, &body);
  hold(site, dots, factors->of_column, factors->columns, j, round, body);
  site->bound = bound;
}

static void hold_row(Site *site, const Dots *dots, Factors *factors, const Expr *round,
                     LoopBody *body) {
  if (!factors->of_row) return;
  factors->row = declare_factors(site, dots, 1, body);
  hold(site, dots, factors->of_row, factors->row, expr_integer(site->routine->model->exprs, 0),
       round, body);
}

static const Expr *read_held(Site *site, const Tensor *held, const Expr *number, const Expr *lane) {
  const Expr *element[2] = {number, lane};
  return expr_read(site->routine->model->exprs, held, element, NULL);
}

/* What is added to a sum. */
static const Expr *dot_value(Site *site, const Factors *factors, const Expr *j, const Expr *lane) {
  ExprTable *exprs = site->routine->model->exprs;
  if (!factors->row) return site_value(site, site->equation->body);
  const Expr *row = read_held(site, factors->row, expr_integer(exprs, 0), lane);
  const Expr *column = factors->columns ? read_held(site, factors->columns, j, lane)
                                        : site_value(site, factors->of_column);
  return expr_binary(exprs, OP_MUL, row, column);
}

/* ---- sums ---- */

/* The points from `round` on, added to the lanes of each sum: a round, or so many. */
static void build_round(Site *site, const Dots *dots, const Corner *corner, const Tensor *sums,
                        const Expr *round, const Expr *count, LoopBody *body) {
  Model *model = site->routine->model;
  const Equation *equation = site->equation;
  int bound = site->bound;
  const Expr *element[2];
  Factors factors = factors_of(site, dots);
  hold_columns(site, dots, corner, &factors, round, body);
  const Expr *r = open_dot_rows(site, dots, corner, &body);
  hold_row(site, dots, &factors, round, body);
  const Expr *j = open_dot_columns(site, dots, corner, &body);
  element[0] = dot_number(site, dots, r, j);
  element[1] = open_lanes(site, dots, count, &body);
  site_bind(site, equation->reduced[equation->reduced_count - 1],
            expr_binary(model->exprs, OP_ADD, round, element[1]));
  const Expr *value = dot_value(site, &factors, j, element[1]);
  APPEND(model->arena, body, store_new(model, sums, element, REDUCE_SUM, value));
  site->bound = bound;
}

/* The points from the given variable of the sum on, in whole rounds and what remains. */
static void build_points(Site *site, const Dots *dots, const Corner *corner, const Tensor *sums,
                         int from, LoopBody *body) {
  Model *model = site->routine->model;
  const Equation *equation = site->equation;
  int bound = site->bound, last = equation->reduced_count - 1;
  const Index *index = equation->reduced[last];
  const Extent *whole = whole_multiple(model, index->range, LANES);
  guard_start(site);
  body = open_branch(site, body);
  for (int i = from; i < last; i++) body = open_bounded_loop(site, body, equation->reduced[i]);
  LoopBody *rounds = body;
  const Expr *round = open_starts(site, &rounds, index_new(model, index->name, whole), LANES);
  build_round(site, dots, corner, sums, round, NULL, rounds);
  if (whole != index->range) {
    const Expr *end = expr_extent(model->exprs, whole);
    const Expr *range = expr_extent(model->exprs, index->range);
    body = append_branch(site, body, expr_binary(model->exprs, OP_LT, end, range));
    build_round(site, dots, corner, sums, end, expr_binary(model->exprs, OP_SUB, range, end), body);
  }
  site->bound = bound;
}

/* The lanes of each sum, combined; they are held from number `first` on. */
static void build_totals(Site *site, const Dots *dots, const Corner *corner, const Tensor *sums,
                         const Expr *first, LoopBody *body) {
  Model *model = site->routine->model;
  int bound = site->bound;
  const Expr *element[2];
  const Expr *r = open_dot_rows(site, dots, corner, &body);
  element[0] = dot_number(site, dots, r, open_dot_columns(site, dots, corner, &body));
  element[0] = expr_binary(model->exprs, OP_ADD, first, element[0]);
  Tensor *lanes = local_new(site, "lanes", TYPE_REAL, LANES);
  APPEND(model->arena, body, declare_new(model, lanes, NULL));
  LoopBody *inner = body;
  element[1] = open_lanes(site, dots, NULL, &inner);
  const Expr *held = expr_read(model->exprs, sums, element, NULL);
  APPEND(model->arena, inner, store_new(model, lanes, &element[1], REDUCE_NONE, held));
  const Expr *total = build_tree(site, body, lanes, REDUCE_SUM, LANES);
  APPEND(model->arena, body, target_store(site, REDUCE_NONE, total));
  site->bound = bound;
}

static Tensor *declare_sums(Site *site, const Dots *dots, const Expr *value, LoopBody *body) {
  Model *model = site->routine->model;
  Tensor *sums = tile_new(site, "tile", dots->rows * dots->columns, LANES, dots->lanes);
  APPEND(model->arena, body, declare_new(model, sums, value));
  return sums;
}

/* ---- step by step ---- */

/* to[to_first + i] = from[from_first + i], for all sums of a tile. */
static void move_sums(Site *site, const Dots *dots, const Tensor *to, const Expr *to_first,
                      const Tensor *from, const Expr *from_first, LoopBody *body) {
  Model *model = site->routine->model;
  const Expr *number = open_beside(site, &body, "r", dots->rows * dots->columns);
  const Expr *lane = open_lanes(site, dots, NULL, &body);
  const Expr *there[2] = {expr_binary(model->exprs, OP_ADD, from_first, number), lane};
  const Expr *here[2] = {expr_binary(model->exprs, OP_ADD, to_first, number), lane};
  const Expr *value = expr_read(model->exprs, from, there, NULL);
  APPEND(model->arena, body, store_new(model, to, here, REDUCE_NONE, value));
}

/* Over the window; `*first` counts the sums of the values before. */
static LoopBody *open_window(Site *site, const Dots *dots, LoopBody *body, const Expr **first) {
  Model *model = site->routine->model;
  const Index *window = index_new(model, dots->window->name, dots->window->range);
  open_own_loop(site, &body, window);
  *first = expr_binary(model->exprs, OP_MUL, expr_index(model->exprs, window),
                       expr_integer(model->exprs, dots->rows * dots->columns));
  site_bind(site, dots->window, expr_index(model->exprs, window));
  return body;
}

static void build_steps(Site *site, const Dots *dots, const Corner *corner, LoopBody *body) {
  Model *model = site->routine->model;
  int bound = site->bound;
  const Expr *first, *zero = expr_integer(model->exprs, 0);
  int64_t count = range_of(dots->window) * dots->rows * dots->columns;
  Tensor *all = array_new(site, name_of(model->names, "sums"), TYPE_REAL, count, LANES);
  APPEND(model->arena, body, declare_new(model, all, expr_number(model->exprs, 0)));
  LoopBody *step = open_loop(site, body, site->equation->reduced[0]);
  step = open_window(site, dots, step, &first);
  Tensor *sums = declare_sums(site, dots, NULL, step);
  move_sums(site, dots, sums, zero, all, first, step);
  build_points(site, dots, corner, sums, 1, step);
  move_sums(site, dots, all, first, sums, zero, step);
  site->bound = bound;
  body = open_window(site, dots, body, &first);
  build_totals(site, dots, corner, all, first, body);
  site->bound = bound;
}

void build_dots(Site *site, const Dots *dots, LoopBody *body) {
  Model *model = site->routine->model;
  Corner corner;
  corner.row = open_starts(site, &body, dots->row, dots->rows);
  corner.column = open_starts(site, &body, dots->column, dots->columns);
  if (dots->window) {
    build_steps(site, dots, &corner, body);
    return;
  }
  Tensor *sums = declare_sums(site, dots, expr_number(model->exprs, 0), body);
  build_points(site, dots, &corner, sums, 0, body);
  build_totals(site, dots, &corner, sums, expr_integer(model->exprs, 0), body);
}
