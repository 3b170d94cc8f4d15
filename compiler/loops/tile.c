/* Tiles: which contractions are computed in tiles, and their loops. */
#include "loops/traffic.h"

#include "loops/epilogue.h"

#include "calculus/condition.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"

/* ---- which ---- */

bool is_contiguous(ExprTable *table, const Expr *read, const Index *column) {
  int rank = is_read(read) ? read->tensor->rank : 0;
  if (rank == 0 || read_default(read)) return false;
  Arena *scratch = arena_new();
  bool found = expr_movement(table, read, column) != NOT_BY_ONE;
  for (int dim = 0; dim + 1 < rank; dim++)
    found = found && !expr_uses_index(scratch, read->args[dim], column);
  arena_free(scratch);
  return found;
}

bool is_stored_as_real(const Tensor *tensor) {
  bool callers = tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
  if (tensor->type != TYPE_REAL || (callers && tensor->storage != STORE_REAL)) return false;
  return tensor->role != ROLE_VALUE || !tensor->definition || !is_draw(tensor->definition->body);
}

static bool is_in_guard(Arena *scratch, const Equation *equation, const Index *index) {
  return equation->guard && expr_uses_index(scratch, equation->guard, index);
}

/* The variable counts strips of a dim, in which the next one counts. */
static bool counts_strips(const Equation *equation, int variable) {
  return variable + 1 < equation->var_count &&
         equation->place[variable] == equation->place[variable + 1];
}

/* The widest variable that only `along` has, of those of one dim the last; `cut`: one in the guard, too. */
static const Index *find_row(Arena *scratch, const Equation *equation, const Index *time,
                             const Expr *along, bool cut) {
  const Index *row = NULL;
  for (int i = 0; i < equation->var_count; i++) {
    const Index *index = equation->vars[i];
    if (index == time || contraction_factor(scratch, equation, index) != along) continue;
    if (!cut && is_in_guard(scratch, equation, index)) continue;
    if (counts_strips(equation, i) &&
        contraction_factor(scratch, equation, equation->vars[i + 1]) == along)
      continue;
    if (!row || extent_maximum(index->range) > extent_maximum(row->range)) row = index;
  }
  return row;
}

/* One that cuts no tile, when there is one; none when the guard does not let tiles be cut. */
static bool choose_row(const Routine *routine, Arena *scratch, const Equation *equation,
                       const Index *time, Tiling *tiling) {
  ExprTable *table = routine->model->exprs;
  tiling->row = find_row(scratch, equation, time, tiling->along, false);
  if (!tiling->row) tiling->row = find_row(scratch, equation, time, tiling->along, true);
  if (guard_fits(table, scratch, equation, tiling)) return true;
  tiling->row = NULL;
  return guard_fits(table, scratch, equation, tiling);
}

/* Sums of rows that lie in blocks, side by side: db[(p, k)] = sum[n](dy[n, p, k]). Those of whole rows are left to
   the loop that makes the rows. */
static bool sums_rows(const Routine *routine, const Equation *equation) {
  const Expr *read = equation->body;
  return equation->reduction == REDUCE_SUM && !equation->guard && equation->var_count > 1 &&
         is_read(read) && equation->reduced_count > 0 &&
         !map_has(&routine->recurrences, equation->target);
}

/* Of a product with one row, what a tile of many rows takes at a time is as many terms of its sums. */
static bool has_enough_points(const Routine *routine, const Equation *equation,
                              const Tiling *tiling) {
  int64_t least = routine->target->tile.least;
  if (tiling->along && tiling->rows == 1) least /= routine->target->tile.rows;
  return equation_volume(equation) >= (double)least;
}

static bool find_tiling(const Routine *routine, Arena *scratch, const Equation *equation,
                        Tiling *tiling) {
  const RecurrentEquation *recurrent = map_get(&routine->recurrences, equation->target);
  const Index *time = recurrent ? recurrent->time : NULL;
  if (equation->lanes != 1 || equation->target->type != TYPE_REAL) return false;
  bool contracts = equation_contracts(scratch, equation);
  if (!(contracts || sums_rows(routine, equation)) || equation_scatters_any(equation)) return false;
  tiling->column = equation->vars[equation->var_count - 1];
  tiling->across =
      contracts ? contraction_factor(scratch, equation, tiling->column) : equation->body;
  if (tiling->column == time || !tiling->across) return false;
  if (!is_contiguous(routine->model->exprs, tiling->across, tiling->column)) return false;
  if (!is_stored_as_real(tiling->across->tensor)) return false;
  if (!contracts) {
    tiling->row = NULL;
    tiling->along = NULL;
    return tile_shape(routine, equation, tiling) && has_enough_points(routine, equation, tiling);
  }
  bool is_left = equation->body->args[0] == tiling->across;
  tiling->along = equation->body->args[is_left ? 1 : 0];
  return choose_row(routine, scratch, equation, time, tiling) &&
         tile_shape(routine, equation, tiling) && has_enough_points(routine, equation, tiling);
}

bool tiling_of(const Routine *routine, const Equation *equation, Tiling *tiling) {
  if (routine->target->vector_bytes == 0) return false;
  if (map_has(&routine->segments, equation->target)) return false;
  if (map_has(&routine->carried, equation->target)) return false;
  Arena *scratch = arena_new();
  bool found = find_tiling(routine, scratch, equation, tiling);
  tiling->terms = 0;
  tiling->keeps_partial = false;
  if (found) traffic_terms(routine, equation, tiling);
  arena_free(scratch);
  return found;
}

/* ---- a tile ---- */

static const Expr *plus(ExprTable *exprs, const Expr *a, const Expr *b) {
  return expr_binary(exprs, OP_ADD, a, b);
}

LoopBody *open_rows(Site *site, const Tiling *tiling, const Block *block, LoopBody *body,
                    unsigned marks, const Expr **subscripts) {
  Model *model = site->routine->model;
  Index *r =
      index_new(model, name_of(model->names, "r"), extent_constant(model->extents, block->rows));
  subscripts[0] = block->rows > 1 ? expr_index(model->exprs, r) : expr_integer(model->exprs, 0);
  if (block->rows > 1) open_own_loop(site, &body, r)->marks = marks;
  if (tiling->row) site_bind(site, tiling->row, plus(model->exprs, block->row, subscripts[0]));
  return body;
}

LoopBody *open_columns(Site *site, const Tiling *tiling, const Block *block, LoopBody *body,
                       unsigned marks, const Expr **subscripts) {
  Model *model = site->routine->model;
  Index *j =
      index_new(model, name_of(model->names, "j"), extent_constant(model->extents, block->columns));
  subscripts[1] = block->columns > 1 ? expr_index(model->exprs, j) : expr_integer(model->exprs, 0);
  if (block->columns > 1) {
    LoopNode *loop = open_own_loop(site, &body, j);
    loop->marks = marks;
    loop->lanes = marks & MARK_VECTOR ? block->lanes : 0;
  }
  site_bind(site, tiling->column, plus(model->exprs, block->column, subscripts[1]));
  return body;
}

LoopBody *open_vectors(Site *site, const Block *block, LoopBody *body, const Expr **before) {
  Model *model = site->routine->model;
  const Extent *count = extent_constant(model->extents, block->columns / block->lanes);
  Index *v = index_new(model, name_of(model->names, "v"), count);
  *before = expr_binary(model->exprs, OP_MUL, expr_index(model->exprs, v),
                        expr_integer(model->exprs, block->lanes));
  open_own_loop(site, &body, v)->marks = MARK_UNROLL;
  return body;
}

/* Both, to be kept in registers. */
static LoopBody *open_elements(Site *site, const Tiling *tiling, const Block *block, LoopBody *body,
                               const Expr **subscripts) {
  body = open_rows(site, tiling, block, body, MARK_UNROLL, subscripts);
  return open_columns(site, tiling, block, body, MARK_VECTOR, subscripts);
}

/* ---- what is computed of a tile ---- */

/* for r, for j: the elements that no tile before had; its row and column stand for those of the equation. */
static LoopBody *open_new_elements(Site *site, const Tiling *tiling, const Block *block,
                                   LoopBody *body, const Expr **subscripts) {
  LoopBody *rows = body;
  body = open_rows(site, tiling, block, body, MARK_TILE, subscripts);
  if (block->rows > 1) rows->items[rows->count - 1]->begin = block->new_row;
  LoopBody *columns = body;
  body = open_columns(site, tiling, block, body, MARK_TILE, subscripts);
  if (block->columns > 1)
    columns->items[columns->count - 1]->begin =
        expr_integer(site->routine->model->exprs, block->new_column);
  return body;
}

/* The same in vectors: a branch leaves out rows that a tile before had. */
static LoopBody *open_new_vectors(Site *site, const Tiling *tiling, const Block *block,
                                  LoopBody *body, const Expr **subscripts) {
  ExprTable *exprs = site->routine->model->exprs;
  body = open_rows(site, tiling, block, body, MARK_UNROLL, subscripts);
  if (block->rows > 1 && block->new_row != expr_integer(exprs, 0))
    body = append_branch(site, body, expr_binary(exprs, OP_LE, block->new_row, subscripts[0]));
  return open_columns(site, tiling, block, body, MARK_VECTOR, subscripts);
}

/* What reads of values without memory are here. */
typedef struct Held {
  Map elements; /* Tensor * -> Expr * */
} Held;

static const Expr *read_held(void *context, const Expr *leaf) {
  const Held *held = context;
  const Expr *element = is_read(leaf) ? map_get(&held->elements, leaf->tensor) : NULL;
  return element ? element : leaf;
}

static LoopNode *build_member(Site *site, const Epilogue *epilogue, Held *held,
                              Equation *equation) {
  Model *model = site->routine->model;
  Site own = *site;
  own.equation = equation;
  Arena *scratch = arena_new();
  /* Asked of the variables of the equation: what rows of a tile stand for them here is less known. */
  const Expr *value = condition_ask_reads(model->exprs, scratch, equation->body);
  value = expr_rewrite(model->exprs, scratch, site_value(&own, value), read_held, held);
  arena_free(scratch);
  if (!map_has(&epilogue->locals, equation->target)) return target_store(&own, REDUCE_NONE, value);
  Tensor *local = local_new(site, equation->target->name, equation->target->type, 1);
  map_put(&held->elements, equation->target, (void *)expr_read(model->exprs, local, NULL, NULL));
  return declare_new(model, local, value);
}

/* `product`: the tile's elements when they have no memory, or the tile itself; null: they were stored. */
static void build_epilogue(Site *site, const Tiling *tiling, const Block *block,
                           const Tensor *product, bool in_vectors, LoopBody *body) {
  Model *model = site->routine->model;
  const Epilogue *epilogue = epilogue_of(site->routine, site->equation);
  if (!epilogue) return;
  if (!site->partial) body = open_last_terms(site, tiling, body);
  Arena *scratch = arena_new();
  Held held;
  map_init(&held.elements, scratch);
  int bound = site->bound;
  const Expr *element[2];
  body = in_vectors ? open_new_vectors(site, tiling, block, body, element)
                    : open_new_elements(site, tiling, block, body, element);
  if (product)
    map_put(&held.elements, site->equation->target,
            (void *)expr_read(model->exprs, product, element, NULL));
  for (int i = 0; i < epilogue->members.count; i++) {
    Equation *member = epilogue->members.items[i];
    LoopNode *node = build_member(site, epilogue, &held, member);
    if (site->tiles == 0) node->equation = equation_source(site->routine, member);
    APPEND(model->arena, body, node);
  }
  site->bound = bound;
  arena_free(scratch);
}

static bool is_zero_integer(const Expr *e) {
  return e->op == OP_INTEGER && e->integer == 0;
}

/* For the sums of a tile, only those that no tile before had where terms are to be added to them. */
static LoopBody *open_sums(Site *site, const Tiling *tiling, const Block *block, LoopBody *body,
                           const Expr **subscripts) {
  ExprTable *exprs = site->routine->model->exprs;
  body = open_rows(site, tiling, block, body, MARK_UNROLL, subscripts);
  if (site->term && !is_zero_integer(block->new_row))
    body = append_branch(site, body, expr_binary(exprs, OP_LE, block->new_row, subscripts[0]));
  return open_columns(site, tiling, block, body, MARK_VECTOR, subscripts);
}

/* Stores the sums of a tile; returns where, when they have no memory of their own. */
static Tensor *store_tile(Site *site, const Tiling *tiling, const Block *block, Tensor *tile,
                          LoopBody *body) {
  Model *model = site->routine->model;
  const Epilogue *epilogue = epilogue_of(site->routine, site->equation);
  const Tensor *target = site->equation->target;
  Tensor *product = NULL;
  const Expr *element[2];
  if (epilogue && map_has(&epilogue->locals, target)) {
    product = array_new(site, target->name, TYPE_REAL, block->rows, block->columns);
    APPEND(model->arena, body, declare_new(model, product, NULL));
  }
  int bound = site->bound;
  LoopBody *inner = open_sums(site, tiling, block, body, element);
  const Expr *total = expr_read(model->exprs, tile, element, NULL);
  LoopNode *store = product ? store_new(model, product, element, REDUCE_NONE, total)
                            : target_store(site, REDUCE_NONE, total);
  APPEND(model->arena, inner, store);
  site->bound = bound;
  return product;
}

/* Stores what will be summed further. */
static void keep_tile(Site *site, const Tiling *tiling, const Block *block, const Tensor *tile,
                      LoopBody *body) {
  Model *model = site->routine->model;
  const Expr *element[2];
  int bound = site->bound;
  body = open_partial_sums(site, tiling, body);
  LoopBody *inner = open_sums(site, tiling, block, body, element);
  const Expr *sum = expr_read(model->exprs, tile, element, NULL);
  APPEND(model->arena, inner, store_partial(site, tiling, sum));
  site->bound = bound;
}

/* What was summed of the tile before. */
static void load_tile(Site *site, const Tiling *tiling, const Block *block, const Tensor *tile,
                      LoopBody *body) {
  Model *model = site->routine->model;
  const Expr *element[2];
  int bound = site->bound;
  if (site->partial) body = open_further_terms(site, body);
  LoopBody *inner = open_elements(site, tiling, block, body, element);
  const Expr *before = read_partial(site, tiling);
  APPEND(model->arena, inner, store_new(model, tile, element, REDUCE_NONE, before));
  site->bound = bound;
}

static void build_block(Site *site, const Tiling *tiling, Block block, LoopBody *body) {
  Model *model = site->routine->model;
  Tensor *tile = tile_new(site, "tile", block.rows, block.columns, block.lanes);
  APPEND(model->arena, body, declare_new(model, tile, expr_number(model->exprs, 0)));
  if (site->term) load_tile(site, tiling, &block, tile, body);
  if (!site->term || site->partial) fetch_for_epilogue(site, tiling, &block, body);
  build_sum(site, tiling, &block, tile, body);
  if (site->partial) {
    keep_tile(site, tiling, &block, tile, body);
    body = open_last_terms(site, tiling, body);
  }
  bool in_vectors = epilogue_is_of_vectors(site->routine, site->equation, tiling, &block);
  const Tensor *product = in_vectors ? tile : store_tile(site, tiling, &block, tile, body);
  build_zeros(site, tiling, &block, product, body);
  build_epilogue(site, tiling, &block, product, in_vectors, body);
  site->tiles++;
}

/* ---- rows ---- */

/* What is known of where tiles of `step` begin: that far before the end, when they divide what is before it. */
static const Extent *range_of_steps(Model *model, const Index *index, const Extent *begin,
                                    const Extent *end, int64_t step) {
  int64_t first, last;
  if (!extent_is_constant(begin, &first) || !extent_is_constant(end, &last)) return index->range;
  return (last - first) % step == 0 ? extent_constant(model->extents, last - step + 1)
                                    : index->range;
}

LoopBody *open_steps(Site *site, LoopBody *body, const Index *index, const Extent *begin,
                     const Extent *end, int64_t step, const Expr **at) {
  Model *model = site->routine->model;
  const Index *start =
      index_new(model, index->name, range_of_steps(model, index, begin, end, step));
  LoopNode *loop = open_own_loop(site, &body, start);
  loop->begin = expr_extent(model->exprs, begin);
  loop->end = expr_extent(model->exprs, end);
  loop->step = step;
  *at = expr_index(model->exprs, start);
  return body;
}

/* Tiles of `block->rows` rows from `begin` to `end`, which they divide. */
static void build_even_rows(Site *site, const Tiling *tiling, Block block, LoopBody *body,
                            int64_t begin, int64_t end) {
  ExtentTable *extents = site->routine->model->extents;
  if (begin == end) return;
  block.row = expr_integer(site->routine->model->exprs, begin);
  if (end - begin > block.rows)
    body = open_steps(site, body, tiling->row, extent_constant(extents, begin),
                      extent_constant(extents, end), block.rows, &block.row);
  build_block(site, tiling, block, body);
}

/* At least one tile of rows, the last of which overlaps the one before when they do not divide the range. */
static void build_overlapping_rows(Site *site, const Tiling *tiling, Block block, LoopBody *body) {
  Model *model = site->routine->model;
  const Extent *range = tiling->row->range, *zero = extent_constant(model->extents, 0);
  body = open_steps(site, body, tiling->row, zero, range, block.rows, &block.row);
  const Extent *last =
      extent_subtract(model->extents, range, extent_constant(model->extents, block.rows));
  Tensor *first = local_new(site, "first", TYPE_INT, 1);
  const Expr *value = expr_binary(model->exprs, OP_MIN, block.row, expr_extent(model->exprs, last));
  APPEND(model->arena, body, declare_new(model, first, value));
  const Expr *start = block.row;
  block.row = expr_read(model->exprs, first, NULL, NULL);
  block.new_row = expr_binary(model->exprs, OP_SUB, start, block.row);
  build_block(site, tiling, block, body);
}

static void build_whole_rows(Site *site, const Tiling *tiling, Block block, LoopBody *body) {
  int64_t rows;
  bool is_constant = extent_is_constant(tiling->row->range, &rows);
  if (!is_constant || !(rows % block.rows == 0 || rows_are_split(rows, block.rows))) {
    build_overlapping_rows(site, tiling, block, body);
    return;
  }
  int64_t high = high_tiles(rows, block.rows) * block.rows;
  build_even_rows(site, tiling, block, body, 0, high);
  block.rows--;
  build_even_rows(site, tiling, block, body, high, rows);
}

static void build_rows(Site *site, const Tiling *tiling, Block block, LoopBody *body) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  if (!tiling->row) {
    build_block(site, tiling, block, body);
    return;
  }
  const Extent *range = tiling->row->range;
  const Expr *count = expr_extent(exprs, range), *least = expr_integer(exprs, block.rows);
  if (extent_minimum(range) >= block.rows) {
    build_whole_rows(site, tiling, block, body);
    return;
  }
  LoopBody *enough = append_branch(site, body, expr_binary(exprs, OP_LE, least, count));
  build_whole_rows(site, tiling, block, enough);
  LoopBody *few = append_branch(site, body, expr_binary(exprs, OP_LT, count, least));
  block.rows = 1;
  few =
      open_steps(site, few, tiling->row, extent_constant(model->extents, 0), range, 1, &block.row);
  build_block(site, tiling, block, few);
}

/* ---- columns ---- */

/* Tiles of `columns` columns from `begin` to `end`, which they divide. */
static void build_panels(Site *site, const Tiling *tiling, LoopBody *body, const Extent *begin,
                         const Extent *end, int64_t columns, int64_t lanes, int64_t new_column) {
  Model *model = site->routine->model;
  Block block = {
      .rows = tiling->rows, .columns = columns, .lanes = lanes, .new_column = new_column};
  block.new_row = expr_integer(model->exprs, 0);
  int64_t count;
  bool is_constant = extent_is_constant(extent_subtract(model->extents, end, begin), &count);
  if (is_constant && count == 0) return;
  block.column = expr_extent(model->exprs, begin);
  if (!is_constant || count != columns)
    body = open_steps(site, body, tiling->column, begin, end, columns, &block.column);
  build_rows(site, tiling, block, body);
}

/* Of a number of columns known here, what is left is computed by narrower tiles that overlap; else by tiles of
   one vector and then one by one. */
void build_tiles(Site *site, const Tiling *tiling, LoopBody *body) {
  Model *model = site->routine->model;
  ExtentTable *extents = model->extents;
  const Extent *range = tiling->column->range;
  const Extent *zero = extent_constant(extents, 0);
  const Extent *whole = whole_multiple(model, range, tiling->columns);
  if (tiling->terms > 0) body = open_term_steps(site, tiling, body);
  build_panels(site, tiling, body, zero, whole, tiling->columns, tiling->lanes, 0);
  int64_t columns;
  if (extent_is_constant(range, &columns)) {
    int64_t rest = columns % tiling->columns;
    int64_t width = (rest + tiling->lanes - 1) / tiling->lanes * tiling->lanes;
    const Extent *first = extent_constant(extents, columns - width);
    build_panels(site, tiling, body, first, rest > 0 ? range : first, width, tiling->lanes,
                 width - rest);
    return;
  }
  const Extent *vectors = whole_multiple(model, range, tiling->lanes);
  if (tiling->columns > tiling->lanes)
    build_panels(site, tiling, body, whole, vectors, tiling->lanes, tiling->lanes, 0);
  build_panels(site, tiling, body, vectors, range, 1, 1, 0);
}
