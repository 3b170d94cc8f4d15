/* A conjunct without a variable of the sum leaves out elements: tiles without one that counts are not summed, in
   others the elements left out are set to 0. One with the row and the last variable of the sum, u <= t, cuts a tile's
   terms into those of all its rows, which have no test, and before and after them those of some. Where all that
   reads the elements asks the same, those left out are not set. */
#include "loops/tile.h"

#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "calculus/variables.h"
#include "equations/affine.h"

/* ---- which guards ---- */

typedef struct Inspection {
  ExprTable *table;
  Arena *scratch;
  const Equation *equation;
  const Tiling *tiling;
} Inspection;

/* It does not use the variable, or is a bound of it. */
static bool is_linear(const Inspection *i, const Expr *conjunct, const Index *index) {
  if (!index || !expr_uses_index(i->scratch, conjunct, index)) return true;
  return bound_slope(i->table, i->scratch, conjunct, index) != 0;
}

static bool uses(const Inspection *i, const Expr *conjunct, const Index *index) {
  return index && expr_uses_index(i->scratch, conjunct, index);
}

static bool is_on_sum(Arena *scratch, const Equation *equation, const Expr *conjunct) {
  for (int i = 0; i < equation->reduced_count; i++)
    if (expr_uses_index(scratch, conjunct, equation->reduced[i])) return true;
  return false;
}

static bool conjunct_fits(const Inspection *i, const Expr *conjunct) {
  const Equation *equation = i->equation;
  const Tiling *tiling = i->tiling;
  if (!uses(i, conjunct, tiling->row) && !uses(i, conjunct, tiling->column)) return true;
  if (expr_reads_tensors(i->scratch, conjunct)) return false;
  if (!is_on_sum(i->scratch, equation, conjunct))
    return is_linear(i, conjunct, tiling->row) && is_linear(i, conjunct, tiling->column);
  if (uses(i, conjunct, tiling->column)) return false;
  for (int k = 0; k + 1 < equation->reduced_count; k++)
    if (uses(i, conjunct, equation->reduced[k])) return false;
  const Index *last = equation->reduced[equation->reduced_count - 1];
  int64_t slope = bound_slope(i->table, i->scratch, conjunct, last);
  return is_linear(i, conjunct, tiling->row) && (slope == 1 || slope == -1);
}

/* Of the conjuncts on the last variable of the sum: +1 when its bounds grow with the row, -1 when they fall, 0
   when there are none on the row, 2 when some do one and some the other. */
static int growth_of(ExprTable *table, Arena *scratch, const Equation *equation,
                     const Tiling *tiling) {
  const Index *last = equation->reduced[equation->reduced_count - 1];
  ExprList conjuncts = {0};
  int growth = 0;
  condition_conjuncts(scratch, equation->guard, &conjuncts);
  for (int i = 0; i < conjuncts.count && tiling->row; i++) {
    const Expr *e = conjuncts.items[i];
    if (!expr_uses_index(scratch, e, tiling->row) || !is_on_sum(scratch, equation, e)) continue;
    bool row_rises = bound_slope(table, scratch, e, tiling->row) > 0;
    bool same = row_rises == (bound_slope(table, scratch, e, last) > 0);
    int sign = same ? -1 : 1;
    growth = growth == 0 || growth == sign ? sign : 2;
  }
  return growth;
}

bool guard_fits(ExprTable *table, Arena *scratch, const Equation *equation, const Tiling *tiling) {
  Inspection inspection = {table, scratch, equation, tiling};
  ExprList conjuncts = {0};
  condition_conjuncts(scratch, equation->guard, &conjuncts);
  for (int i = 0; i < conjuncts.count; i++)
    if (!conjunct_fits(&inspection, conjuncts.items[i])) return false;
  return growth_of(table, scratch, equation, tiling) <= 1;
}

/* ---- elements that count ---- */

static const Expr *corner_value(ExprTable *table, const Expr *first, int64_t count, bool last) {
  return last ? expr_binary(table, OP_ADD, first, expr_integer(table, count - 1)) : first;
}

/* The conjunct at the element of the tile where it is most, or least, likely to hold. */
static const Expr *at_corner(Site *site, const Tiling *tiling, const Block *block,
                             const Expr *conjunct, bool most) {
  ExprTable *table = site->routine->model->exprs;
  Arena *scratch = arena_new();
  int bound = site->bound;
  if (expr_uses_index(scratch, conjunct, tiling->column)) {
    bool rises = bound_slope(table, scratch, conjunct, tiling->column) > 0;
    site_bind(site, tiling->column,
              corner_value(table, block->column, block->columns, rises == most));
  }
  if (tiling->row && expr_uses_index(scratch, conjunct, tiling->row)) {
    bool rises = bound_slope(table, scratch, conjunct, tiling->row) > 0;
    site_bind(site, tiling->row, corner_value(table, block->row, block->rows, rises == most));
  }
  const Expr *there = site_value(site, conjunct);
  site->bound = bound;
  arena_free(scratch);
  return there;
}

/* Conjuncts on elements alone. */
static ExprList element_conjuncts(Site *site) {
  Arena *arena = site->routine->model->arena;
  ExprList all = {0}, kept = {0};
  condition_conjuncts(arena, site->equation->guard, &all);
  for (int i = 0; i < all.count; i++)
    if (!is_on_sum(arena, site->equation, all.items[i])) APPEND(arena, &kept, all.items[i]);
  return kept;
}

bool guard_cuts_tiles(const Equation *equation, const Tiling *tiling) {
  Arena *scratch = arena_new();
  ExprList all = {0};
  bool found = false;
  condition_conjuncts(scratch, equation->guard, &all);
  for (int i = 0; i < all.count; i++) {
    if (is_on_sum(scratch, equation, all.items[i])) continue;
    found |= expr_uses_index(scratch, all.items[i], tiling->column);
    found |= tiling->row && expr_uses_index(scratch, all.items[i], tiling->row);
  }
  arena_free(scratch);
  return found;
}

/* All of them, each at a corner; null: they always hold there. */
static const Expr *elements_condition(Site *site, const Tiling *tiling, const Block *block,
                                      bool most) {
  ExprTable *table = site->routine->model->exprs;
  const Expr *all = NULL;
  ExprList conjuncts = element_conjuncts(site);
  Arena *scratch = arena_new();
  for (int i = 0; i < conjuncts.count; i++) {
    const Expr *there = at_corner(site, tiling, block, conjuncts.items[i], most);
    Truth truth = condition_truth(table, scratch, there);
    if (truth != ALWAYS_TRUE) all = arithmetic_and(table, all, there);
    if (truth == ALWAYS_FALSE) all = expr_false(table);
    if (truth == ALWAYS_FALSE) break;
  }
  arena_free(scratch);
  return all;
}

static LoopBody *open_tile(Site *site, const Tiling *tiling, const Block *block, LoopBody *body) {
  const Expr *some = elements_condition(site, tiling, block, true);
  return some ? append_branch(site, body, some) : body;
}

/* ---- who reads elements that are left out ---- */

/* The condition on elements at those that are read; null: the read says nothing of them. */
static const Expr *condition_at(Site *site, Arena *scratch, const Expr *condition,
                                const Expr *read) {
  Model *model = site->routine->model;
  const Expr *own = equation_own_read(model, site->equation, site->equation->target);
  const Index *vars[LIMIT_RANK];
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    vars[dim] = lone_index(own->args[dim]);
    if (!vars[dim]) return NULL;
  }
  return expr_substitute(model->exprs, scratch, condition, vars, read->args, read->tensor->rank);
}

/* Whether the expression takes the read somewhere else than where a choice has found that the condition holds. */
static bool takes_without(Arena *scratch, const Expr *root, const Expr *read,
                          const Expr *condition) {
  ExprList waiting = {0};
  Map seen;
  map_init(&seen, scratch);
  APPEND(scratch, &waiting, root);
  while (waiting.count > 0) {
    const Expr *e = waiting.items[--waiting.count];
    if (e == read) return true;
    if (map_has(&seen, e)) continue;
    map_put(&seen, e, (void *)e);
    for (int i = 0; i < e->count; i++)
      if (i != 1 || e->op != OP_SELECT || e->args[0] != condition)
        APPEND(scratch, &waiting, e->args[i]);
  }
  return false;
}

static bool is_conjunct(Arena *scratch, const Expr *guard, const Expr *condition) {
  ExprList conjuncts = {0};
  condition_conjuncts(scratch, guard, &conjuncts);
  for (int i = 0; i < conjuncts.count; i++)
    if (conjuncts.items[i] == condition) return true;
  return false;
}

static bool asks_before_reading(Site *site, Arena *scratch, const Equation *reader,
                                const Expr *read, const Expr *condition) {
  const Expr *there = condition_at(site, scratch, condition, read);
  if (!there || read_default(read)) return false;
  return is_conjunct(scratch, reader->guard, there) ||
         !takes_without(scratch, reader->body, read, there);
}

/* Some equation reads the target without asking for the one condition on its elements. */
static bool zeros_are_read(Site *site) {
  const Routine *routine = site->routine;
  const Tensor *target = site->equation->target;
  ExprList conjuncts = element_conjuncts(site);
  if (conjuncts.count != 1) return true;
  Arena *scratch = arena_new();
  bool found = map_has(&routine->roots, target);
  for (int i = 0; i < routine->equations.count && !found; i++) {
    const Equation *reader = routine->equations.items[i];
    ExprList reads = equation_reads(scratch, reader);
    for (int k = 0; k < reads.count && !found; k++)
      found = reads.items[k]->tensor == target &&
              !asks_before_reading(site, scratch, reader, reads.items[k], conjuncts.items[0]);
  }
  arena_free(scratch);
  return found;
}

/* for r, for j: what does not count becomes 0, in tiles where that may be; the sums of a tile that counts nowhere
   are 0 from the start. */
void build_zeros(Site *site, const Tiling *tiling, const Block *block, const Tensor *product,
                 LoopBody *body) {
  Model *model = site->routine->model;
  const Expr *all = elements_condition(site, tiling, block, false), *element[2], *counts = NULL;
  if (!all || !guard_cuts_tiles(site->equation, tiling) || !zeros_are_read(site)) return;
  int bound = site->bound;
  if (!is_false(all)) body = append_branch(site, body, condition_not(model->exprs, all));
  body = open_rows(site, tiling, block, body, 0, element);
  body = open_columns(site, tiling, block, body, 0, element);
  ExprList conjuncts = element_conjuncts(site);
  for (int i = 0; i < conjuncts.count; i++)
    counts = arithmetic_and(model->exprs, counts, site_value(site, conjuncts.items[i]));
  LoopNode *store = product ? store_new(model, product, element, REDUCE_NONE, NULL)
                            : target_store(site, REDUCE_NONE, NULL);
  const Expr *old = expr_read(model->exprs, store->target, store->subscripts, NULL);
  store->value = expr_select(model->exprs, counts, old, expr_number(model->exprs, 0));
  APPEND(model->arena, body, store);
  site->bound = bound;
}

/* ---- terms that count ---- */

/* The loop of the variable for one row of the tile, not in any body. */
static LoopNode *loop_of_row(Site *site, const Tiling *tiling, const Expr *row,
                             const Index *index) {
  LoopBody nowhere = {0};
  int bound = site->bound;
  ExprList guard = site->guard;
  site_bind(site, tiling->row, row);
  open_bounded_loop(site, &nowhere, index);
  site->bound = bound;
  site->guard = guard;
  return nowhere.items[0];
}

const Expr *expr_extreme(ExprTable *table, Op op, const Expr *a, const Expr *b) {
  int64_t least, greatest;
  Arena *scratch = arena_new();
  affine_interval(table, scratch, expr_binary(table, OP_SUB, a, b), NULL, &least, &greatest);
  arena_free(scratch);
  if (greatest <= 0) return op == OP_MIN ? a : b;
  if (least >= 0) return op == OP_MIN ? b : a;
  return expr_binary(table, op, a, b);
}

/* tile[r, j] += term, for the rows that count. */
static void build_terms(Site *site, const Tiling *tiling, const Block *block, const Tensor *tile,
                        LoopBody *body) {
  Model *model = site->routine->model;
  const Expr *element[2], *before = expr_integer(model->exprs, 0);
  Block part = *block;
  int bound = site->bound;
  ExprList guard = site->guard;
  if (tile_goes_by_vectors(site->routine->target, block)) {
    body = open_vectors(site, block, body, &before);
    part.column = expr_binary(model->exprs, OP_ADD, block->column, before);
    part.columns = block->lanes;
  }
  body = open_rows(site, tiling, block, body, MARK_UNROLL, element);
  body = open_branch(site, body);
  body = open_columns(site, tiling, &part, body, MARK_VECTOR, element);
  element[1] = expr_binary(model->exprs, OP_ADD, before, element[1]);
  const Expr *value = site_value(site, site->equation->body);
  APPEND(model->arena, body, store_new(model, tile, element, REDUCE_SUM, value));
  site->guard = guard;
  site->bound = bound;
}

/* The terms from `begin` to `end`; `counted`: of all rows. */
static void build_range(Site *site, const Tiling *tiling, const Block *block, const Tensor *tile,
                        LoopBody *body, const Expr *begin, const Expr *end, bool counted) {
  const Equation *equation = site->equation;
  int bound = site->bound;
  ExprList guard = site->guard;
  LoopBody *inner = open_loop(site, body, equation->reduced[equation->reduced_count - 1]);
  LoopNode *loop = body->items[body->count - 1];
  loop->begin = begin;
  loop->end = end;
  if (counted) site->guard = (ExprList){0};
  build_terms(site, tiling, block, tile, inner);
  site->guard = guard;
  site->bound = bound;
}

static void build_cut(Site *site, const Tiling *tiling, const Block *block, const Tensor *tile,
                      LoopBody *body, int growth) {
  ExprTable *table = site->routine->model->exprs;
  const Index *index = site->equation->reduced[site->equation->reduced_count - 1];
  const LoopNode *low =
      loop_of_row(site, tiling, corner_value(table, block->row, block->rows, growth < 0), index);
  const LoopNode *high =
      loop_of_row(site, tiling, corner_value(table, block->row, block->rows, growth > 0), index);
  const Expr *begin = high->begin, *end = low->end;
  if (low->begin != begin)
    build_range(site, tiling, block, tile, body, low->begin,
                expr_extreme(table, OP_MIN, begin, high->end), false);
  build_range(site, tiling, block, tile, body, begin, end, true);
  if (high->end != end)
    build_range(site, tiling, block, tile, body, expr_extreme(table, OP_MAX, begin, end), high->end,
                false);
}

void build_sum(Site *site, const Tiling *tiling, const Block *block, const Tensor *tile,
               LoopBody *body) {
  const Equation *equation = site->equation;
  Arena *arena = site->routine->model->arena;
  int bound = site->bound, last = equation->reduced_count - 1;
  ExprList conjuncts = {0};
  body = open_tile(site, tiling, block, body);
  condition_conjuncts(arena, equation->guard, &conjuncts);
  site->guard = (ExprList){0};
  for (int i = 0; i < conjuncts.count; i++)
    if (is_on_sum(arena, equation, conjuncts.items[i]))
      APPEND(arena, &site->guard, conjuncts.items[i]);
  for (int i = 0; i < last; i++) body = open_terms(site, tiling, body, i);
  int growth = growth_of(site->routine->model->exprs, arena, equation, tiling);
  if (growth != 0) {
    build_cut(site, tiling, block, tile, body, growth);
  } else {
    body = open_terms(site, tiling, body, last);
    fetch_ahead(site, tiling, block, body);
    build_terms(site, tiling, block, tile, body);
  }
  site->bound = bound;
}
