/* Traffic: counting bytes, loop by loop from the innermost out. */
#include "loops/traffic.h"

#include "loops/panels.h"

#include "calculus/condition.h"
#include "equations/affine.h"
#include "equations/contraction.h"

enum {
  ARRAYS = 3,        /* the factors and the target */
  MOST_AROUND = 5,   /* loops of which all orders are tried */
  FROM_SECOND = 32,  /* bytes in a cycle of the processor: from the second cache */
  FROM_BEHIND = 6,   /* and from behind it, */
  FROM_FIRST = 64,   /* or to and from the first */
  PRODUCTS = 2,      /* vectors multiplied and added in a cycle */
  LEAST_PERCENT = 4, /* of the time of the product, that another order saves */
  WAYS = 16,         /* lines of the second cache that have one place */
  PART = 2,          /* of the places that one tile takes at most, */
  LEAST_TERMS = 32   /* but for so many terms */
};

typedef struct Array {
  const Expr *factor; /* null: the target, which all variables count in */
  double whole;       /* its bytes */
  double touched;     /* by the loops so far: different ones, */
  double moved;       /* and those that came from behind the cache */
  bool is_kept;       /* all that was touched is there when the next iteration comes */
} Array;

typedef struct Traffic {
  const Routine *routine;
  Arena *scratch;
  const Equation *equation;
  const Tiling *tiling;
  Array arrays[ARRAYS];
} Traffic;

static bool counts_in(const Traffic *t, const Array *array, const Index *index) {
  return !array->factor || expr_uses_index(t->scratch, array->factor, index);
}

static double range_of(const Index *index) {
  return (double)extent_maximum(index->range);
}

static double whole_bytes(const Routine *routine, const Tensor *tensor) {
  return tensor_volume(tensor) * (double)routine->bytes_of_real;
}

/* What one tile touches. */
static double tile_bytes(const Traffic *t, const Array *array) {
  const Tiling *tiling = t->tiling;
  double bytes = (double)t->routine->bytes_of_real;
  if (tiling->row && counts_in(t, array, tiling->row)) bytes *= (double)tiling->rows;
  if (counts_in(t, array, tiling->column)) bytes *= (double)tiling->columns;
  for (int i = 0; array->factor && i < t->equation->reduced_count; i++)
    if (counts_in(t, array, t->equation->reduced[i])) bytes *= range_of(t->equation->reduced[i]);
  return bytes < array->whole ? bytes : array->whole;
}

static double touched_by_all(const Traffic *t) {
  double bytes = 0;
  for (int i = 0; i < ARRAYS; i++) bytes += t->arrays[i].touched;
  return bytes;
}

static void count_loop(Traffic *t, const Index *index, double iterations, double cache) {
  bool fits = touched_by_all(t) <= cache;
  for (int i = 0; i < ARRAYS; i++) {
    Array *array = &t->arrays[i];
    bool counts = counts_in(t, array, index);
    array->is_kept = !counts && (fits || array->is_kept);
    if (!array->is_kept) array->moved *= iterations;
    if (counts) array->touched *= iterations;
    if (array->touched > array->whole) array->touched = array->whole;
  }
  if (touched_by_all(t) > cache) return;
  for (int i = 0; i < ARRAYS; i++) t->arrays[i].moved = t->arrays[i].touched;
}

/* Bytes that come from behind the cache. */
static double bytes_moved(Traffic *t, const Index *const *around, int count, double cache) {
  const Tiling *tiling = t->tiling;
  double bytes = 0;
  for (int i = 0; i < ARRAYS; i++) {
    t->arrays[i].touched = t->arrays[i].moved = tile_bytes(t, &t->arrays[i]);
    t->arrays[i].is_kept = false;
  }
  if (tiling->row) count_loop(t, tiling->row, range_of(tiling->row) / (double)tiling->rows, cache);
  count_loop(t, tiling->column, range_of(tiling->column) / (double)tiling->columns, cache);
  for (int i = count - 1; i >= 0; i--) count_loop(t, around[i], range_of(around[i]), cache);
  for (int i = 0; i < ARRAYS; i++) bytes += t->arrays[i].moved;
  return bytes;
}

static double cycles_moving(Traffic *t, const Index *const *around, int count) {
  const Target *target = t->routine->target;
  return bytes_moved(t, around, count, (double)target->caches.first) / FROM_SECOND +
         bytes_moved(t, around, count, (double)target->caches.second) / FROM_BEHIND;
}

/* The next order of the numbers in the order of words; false: that was the last. */
static bool next_order(int *numbers, int count) {
  int at = count - 2, other = count - 1;
  while (at >= 0 && numbers[at] > numbers[at + 1]) at--;
  if (at < 0) return false;
  while (numbers[other] < numbers[at]) other--;
  int kept = numbers[at];
  numbers[at] = numbers[other];
  numbers[other] = kept;
  for (int low = at + 1, high = count - 1; low < high; low++, high--) {
    kept = numbers[low];
    numbers[low] = numbers[high];
    numbers[high] = kept;
  }
  return true;
}

static void choose_order(Traffic *t, const Index **around, int count) {
  const Index *given[MOST_AROUND], *tried[MOST_AROUND];
  int order[MOST_AROUND];
  for (int i = 0; i < count; i++) given[i] = around[i];
  for (int i = 0; i < count; i++) order[i] = i;
  double product = equation_volume(t->equation) / (double)(PRODUCTS * t->tiling->lanes);
  double best = cycles_moving(t, given, count) - product * LEAST_PERCENT / 100;
  while (next_order(order, count)) {
    for (int i = 0; i < count; i++) tried[i] = given[order[i]];
    double cycles = cycles_moving(t, tried, count);
    if (cycles >= best) continue;
    best = cycles;
    for (int i = 0; i < count; i++) around[i] = tried[i];
  }
}

void traffic_order(const Routine *routine, const Equation *equation, const Tiling *tiling,
                   const Index **around, int count) {
  if (count < 2 || count > MOST_AROUND || routine->target->caches.second == 0) return;
  Traffic traffic = {routine, arena_new(), equation, tiling, {{0}}};
  const Expr *factors[ARRAYS] = {tiling->along, tiling->across, NULL};
  double whole = 0;
  for (int i = 0; i < ARRAYS; i++) {
    const Expr *factor = factors[i];
    const Tensor *tensor = factor && is_read(factor) ? factor->tensor : equation->target;
    traffic.arrays[i] = (Array){.factor = factor, .whole = whole_bytes(routine, tensor)};
    whole += traffic.arrays[i].whole;
  }
  if (whole > (double)routine->target->caches.second) choose_order(&traffic, around, count);
  arena_free(traffic.scratch);
}

/* ---- terms ---- */

static int64_t greatest_divisor(int64_t a, int64_t b) {
  while (b != 0) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Bytes of the second cache for parts of rows that lie so far apart. */
static int64_t room_for_rows(const Target *target, int64_t apart, int64_t part) {
  int64_t way = target->caches.second / WAYS;
  int64_t room = way / greatest_divisor(apart, way) * WAYS * part;
  return room < target->caches.second ? room : target->caches.second;
}

/* A product of matrices, of which `across` is one as it is: bytes from row to row; 0: it is none. */
static int64_t bytes_between_rows(const Routine *routine, const Equation *equation,
                                  const Tiling *tiling) {
  const Expr *across = tiling->across;
  int64_t columns, terms;
  if (!tiling->row || tiling->rows == 1 || equation->guard || equation->reduced_count != 1)
    return 0;
  if (equation->var_count != 2 || map_has(&routine->recurrences, equation->target)) return 0;
  if (across->tensor->rank != 2 || lone_index(across->args[0]) != equation->reduced[0]) return 0;
  if (lone_index(across->args[1]) != tiling->column) return 0;
  if (!extent_is_constant(tiling->column->range, &columns) || columns % tiling->columns != 0)
    return 0;
  return extent_is_constant(equation->reduced[0]->range, &terms) ? columns * routine->bytes_of_real
                                                                 : 0;
}

/* The cycles that are saved when each tile finds the rows that the one before took, less those of partial sums. */
static double cycles_saved(const Routine *routine, const Equation *equation, const Tiling *tiling,
                           int64_t terms) {
  double rows = range_of(tiling->row), columns = range_of(tiling->column);
  double sum = range_of(equation->reduced[0]), real = (double)routine->bytes_of_real;
  double again = rows / (double)tiling->rows - 1;
  double partial = 2 * rows * columns * real * sum / (double)terms;
  bool fits = 2 * rows * columns * real <= (double)routine->target->caches.second;
  return again * sum * columns * real / FROM_BEHIND - partial / (fits ? FROM_SECOND : FROM_BEHIND);
}

static int64_t terms_from_behind(const Routine *routine, const Equation *equation,
                                 const Tiling *tiling) {
  const Target *target = routine->target;
  int64_t real = routine->bytes_of_real;
  if (target->caches.second == 0) return 0;
  int64_t apart = bytes_between_rows(routine, equation, tiling);
  if (apart == 0) return 0;
  int64_t part = (tiling->columns * real + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
  int64_t room = room_for_rows(target, apart, part);
  int64_t range = extent_maximum(equation->reduced[0]->range), terms = LEAST_TERMS;
  if (range * apart <= target->caches.second || 2 * range * part <= room) return 0;
  while (2 * terms * part <= room / PART) terms *= 2;
  if (range % terms != 0 || range == terms) return 0;
  double product = equation_volume(equation) / (double)(PRODUCTS * tiling->lanes);
  bool pays = cycles_saved(routine, equation, tiling, terms) > product * LEAST_PERCENT / 100;
  return pays ? terms : 0;
}

/* ---- terms in the first cache ---- */

/* A subscript with variables of the sum and of the target: terms of one element are those of the next, too. */
static bool has_window(Arena *scratch, const Equation *equation, const Expr *factor) {
  for (int dim = 0; dim < factor->tensor->rank; dim++) {
    bool is_summed = false, is_free = false;
    for (int i = 0; i < equation->reduced_count; i++)
      is_summed |= expr_uses_index(scratch, factor->args[dim], equation->reduced[i]);
    for (int i = 0; i < equation->var_count; i++)
      is_free |= expr_uses_index(scratch, factor->args[dim], equation->vars[i]);
    if (is_summed && is_free) return true;
  }
  return false;
}

static bool comes_from_behind(const Routine *routine, const Tiling *tiling) {
  return whole_bytes(routine, tiling->across->tensor) > (double)routine->target->caches.second;
}

/* The guard says where the outermost variable of the sum begins and ends, and no more: a remainder would be the step of
   its loop, which parts would begin elsewhere. */
static bool bounds_terms(const Routine *routine, const Equation *equation) {
  Arena *scratch = arena_new();
  ExprList conjuncts = {0};
  bool bounds = true;
  condition_conjuncts(scratch, equation->guard, &conjuncts);
  for (int i = 0; i < conjuncts.count; i++) {
    IndexList used = {0};
    const Expr *conjunct = conjuncts.items[i];
    expr_indices(scratch, conjunct, &used);
    bounds &= used.count == 1 && used.items[0] == equation->reduced[0] &&
              bound_slope(routine->model->exprs, scratch, conjunct, used.items[0]) != 0;
  }
  arena_free(scratch);
  return bounds;
}

/* In panels that are stored: what follows some terms in memory is the next. */
static bool goes_on_behind_caches(const Routine *routine, const Tiling *tiling) {
  return comes_from_behind(routine, tiling) &&
         panel_width(routine, tiling->across->tensor) == tiling->columns;
}

/* All columns are one tile, there are several of rows, of a known number or of a factor that is stored in panels
   behind the caches, and loops around them. */
static bool has_tiles_of_rows(const Routine *routine, const Equation *equation,
                              const Tiling *tiling) {
  int64_t rows, columns;
  if (!tiling->row || tiling->rows == 1 || equation->var_count < 3) return false;
  if (equation->guard && !bounds_terms(routine, equation)) return false;
  if (map_has(&routine->recurrences, equation->target)) return false;
  if (!extent_is_constant(tiling->row->range, &rows) && !goes_on_behind_caches(routine, tiling))
    return false;
  if (extent_maximum(tiling->row->range) <= tiling->rows) return false;
  if (!extent_is_constant(tiling->column->range, &columns) || columns != tiling->columns)
    return false;
  Arena *scratch = arena_new();
  bool found = !has_window(scratch, equation, tiling->across);
  arena_free(scratch);
  return found;
}

/* A loop around the tiles counts the first dim of the factor, as that of a copy in panels. */
static bool counts_panels(const Equation *equation, const Tiling *tiling) {
  const Expr *across = tiling->across;
  const Index *panel = across->tensor->rank > 2 ? lone_index(across->args[0]) : NULL;
  bool is_around = false;
  for (int i = 0; i < equation->var_count; i++)
    is_around |= equation->vars[i] == panel && panel != tiling->column;
  return is_around && !equation->guard;
}

/* The cycles of one block of columns that are saved when a factor of so many bytes stays for all rows. */
static double cycles_kept(const Tiling *tiling, double factor, double partial, double parts) {
  double again = range_of(tiling->row) / (double)tiling->rows - 1;
  return again * factor / FROM_SECOND - 2 * partial * (parts - 1) / FROM_FIRST;
}

/* The greatest part of the range, that divides it and is no more; 0: there is none. */
static int64_t greatest_part(const Extent *range, int64_t most) {
  int64_t count, part;
  if (!extent_is_constant(range, &count)) return most > 0 && extent_minimum(range) > 0;
  for (part = most < count ? most : count - 1; part > 0 && count % part != 0;) part--;
  return part > 0 ? part : 0;
}

static int64_t terms_kept(const Routine *routine, const Equation *equation, const Tiling *tiling) {
  double room = (double)routine->target->caches.first / 2, real = (double)routine->bytes_of_real;
  if (room == 0 || !has_tiles_of_rows(routine, equation, tiling)) return 0;
  const Index *outer = equation->reduced[0];
  double rows = range_of(tiling->row), columns = (double)tiling->columns;
  double sum = contraction_terms(equation), partial = rows * columns * real;
  double factor = sum * columns * real, each = factor / range_of(outer);
  if (factor <= room || partial > room) return 0;
  /* What comes from behind the caches is asked for ahead instead, but where it goes on behind these terms:
     tile_ahead.c. */
  if (counts_panels(equation, tiling) && comes_from_behind(routine, tiling) &&
      !goes_on_behind_caches(routine, tiling))
    return 0;
  int64_t terms = greatest_part(outer->range, (int64_t)(room / each));
  if (terms == 0) return 0;
  double product = sum * rows * columns / (double)(PRODUCTS * tiling->lanes);
  double saved = cycles_kept(tiling, factor, partial, range_of(outer) / (double)terms);
  return saved > product * LEAST_PERCENT / 100 ? terms : 0;
}

void traffic_terms(const Routine *routine, const Equation *equation, Tiling *tiling) {
  tiling->terms = terms_from_behind(routine, equation, tiling);
  if (tiling->terms > 0) return;
  tiling->terms = terms_kept(routine, equation, tiling);
  tiling->keeps_partial = tiling->terms > 0;
}
