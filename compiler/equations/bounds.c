/* Bounds of whole-number expressions, as extents: each atom is replaced by its least or greatest
   symbolic value, by the sign of its coefficient, so that differences such as T - 1 - t with t < T
   come out exactly. */
#include "equations/affine_table.h"

#include "equations/equation.h"
#include "equations/extent_table.h"

/* Past this nesting of quotients, selects and the like nothing is known. */
enum { MOST_DEPTH = 8 };

static const Bounds UNBOUNDED = {NULL, NULL};

static Bounds bounds_at(ExprTable *table, Arena *scratch, const Affine *affine, int depth);

static Bounds constant_bounds(ExprTable *table, int64_t least, int64_t greatest) {
  ExtentTable *extents = expr_extents(table);
  return (Bounds){least > -EXTENT_BOUND ? extent_constant(extents, least) : NULL,
                  greatest < EXTENT_BOUND ? extent_constant(extents, greatest) : NULL};
}

static Bounds read_bounds(ExprTable *table, const Tensor *tensor) {
  ExtentTable *extents = expr_extents(table);
  if (tensor->low && tensor->high) {
    return (Bounds){tensor->low,
                    extent_subtract(extents, tensor->high, extent_constant(extents, 1))};
  }
  if (tensor->storage == STORE_U8) return constant_bounds(table, 0, UINT8_MAX);
  if (tensor->storage == STORE_I8) return constant_bounds(table, INT8_MIN, INT8_MAX);
  return UNBOUNDED;
}

/* The lesser or greater of two extents where that is certain, else null. */
static const Extent *choose(ExtentTable *extents, const Extent *a, const Extent *b, bool greater) {
  if (!a || !b) return NULL;
  const Extent *gap = extent_subtract(extents, b, a);
  if (extent_minimum(gap) >= 0) return greater ? b : a;
  if (extent_maximum(gap) <= 0) return greater ? a : b;
  int64_t x = greater ? extent_maximum(a) : extent_minimum(a);
  int64_t y = greater ? extent_maximum(b) : extent_minimum(b);
  return extent_constant(extents, greater == (x > y) ? x : y);
}

/* A bound of min or max on the side where either operand's will do. */
static const Extent *choose_any(ExtentTable *extents, const Extent *a, const Extent *b,
                                bool greater) {
  if (!a || !b) return a ? a : b;
  const Extent *gap = extent_subtract(extents, b, a);
  bool second = greater ? extent_minimum(gap) >= 0 : extent_maximum(gap) <= 0;
  return second ? b : a;
}

static Bounds operand_bounds(ExprTable *table, Arena *scratch, const Expr *operand, int depth) {
  Affine affine = affine_of(table, scratch, operand);
  return bounds_at(table, scratch, &affine, depth + 1);
}

static Bounds quotient_bounds(ExprTable *table, Arena *scratch, const Expr *e, int depth) {
  ExtentTable *extents = expr_extents(table);
  const Extent *d = whole_constant(table, e->args[1]), *zero = extent_constant(extents, 0);
  if (!d || extent_minimum(d) <= 0) return UNBOUNDED;
  Bounds bounds = operand_bounds(table, scratch, e->args[0], depth);
  if (e->op ==
      OP_MOD) { /* less than the divisor, and not more than a number that is not negative */
    const Extent *high = extent_subtract(extents, d, extent_constant(extents, 1));
    bool positive = bounds.low && extent_minimum(bounds.low) >= 0;
    return (Bounds){zero, positive ? choose_any(extents, high, bounds.high, false) : high};
  }
  if (bounds.low) bounds.low = extent_floor_divide(extents, bounds.low, d);
  if (bounds.high) bounds.high = extent_floor_divide(extents, bounds.high, d);
  return bounds;
}

static Bounds choice_bounds(ExprTable *table, Arena *scratch, const Expr *e, int depth) {
  ExtentTable *extents = expr_extents(table);
  Bounds a = operand_bounds(table, scratch, e->args[e->count - 2], depth);
  Bounds b = operand_bounds(table, scratch, e->args[e->count - 1], depth);
  Bounds result;
  result.low = e->op == OP_MAX ? choose_any(extents, a.low, b.low, true)
                               : choose(extents, a.low, b.low, false);
  result.high = e->op == OP_MIN ? choose_any(extents, a.high, b.high, false)
                                : choose(extents, a.high, b.high, true);
  return result;
}

/* An element within its promise, or the default. */
static Bounds guarded_bounds(ExprTable *table, Arena *scratch, const Expr *read, int depth) {
  ExtentTable *extents = expr_extents(table);
  Bounds element = read_bounds(table, read->tensor);
  if (!read_default(read)) return element;
  Bounds otherwise = operand_bounds(table, scratch, read_default(read), depth);
  return (Bounds){choose(extents, element.low, otherwise.low, false),
                  choose(extents, element.high, otherwise.high, true)};
}

/* A product of two numbers, or an absolute value: numeric bounds will do. */
static Bounds product_bounds(ExprTable *table, Arena *scratch, const Expr *e, int depth) {
  Bounds a = operand_bounds(table, scratch, e->args[0], depth);
  Bounds b = operand_bounds(table, scratch, e->args[e->count - 1], depth);
  if (!a.low || !a.high || !b.low || !b.high) return UNBOUNDED;
  Interval x = {extent_minimum(a.low), extent_maximum(a.high)};
  Interval y = {extent_minimum(b.low), extent_maximum(b.high)};
  Interval product = interval_multiply(x, y);
  return constant_bounds(table, product.least, product.greatest);
}

static Bounds magnitude_bounds(ExprTable *table, Arena *scratch, const Expr *e, int depth) {
  ExtentTable *extents = expr_extents(table);
  Bounds a = operand_bounds(table, scratch, e->args[0], depth);
  Bounds result = {extent_constant(extents, 0), NULL};
  if (a.low && a.high) {
    const Extent *negative = extent_subtract(extents, result.low, a.low);
    if (!extent_is_poisoned(negative)) result.high = choose(extents, negative, a.high, true);
  }
  return result;
}

static Bounds atom_bounds(ExprTable *table, Arena *scratch, const Expr *atom, int depth) {
  ExtentTable *extents = expr_extents(table);
  if (depth > MOST_DEPTH) return UNBOUNDED;
  switch (atom->op) {
  case OP_INDEX:
    if (!atom->index->range) return (Bounds){extent_constant(extents, 0), NULL};
    return (Bounds){extent_constant(extents, 0),
                    extent_subtract(extents, atom->index->range, extent_constant(extents, 1))};
  case OP_READ: return guarded_bounds(table, scratch, atom, depth);
  case OP_IDIV:
  case OP_MOD: return quotient_bounds(table, scratch, atom, depth);
  case OP_MIN:
  case OP_MAX:
  case OP_SELECT: return choice_bounds(table, scratch, atom, depth);
  case OP_MUL: return product_bounds(table, scratch, atom, depth);
  case OP_ABS: return magnitude_bounds(table, scratch, atom, depth);
  case OP_SIGN: return constant_bounds(table, -1, 1);
  default: return UNBOUNDED;
  }
}

/* coefficient * [low, high], where the sign of the coefficient may be unknown. */
static Bounds scale_bounds(ExprTable *table, const Extent *coefficient, Bounds bounds) {
  ExtentTable *extents = expr_extents(table);
  const Extent *low = bounds.low, *high = bounds.high;
  if (extent_maximum(coefficient) <= 0) {
    low = bounds.high;
    high = bounds.low;
  } else if (extent_minimum(coefficient) < 0) {
    if (!low || !high) return UNBOUNDED;
    Interval factor = {extent_minimum(coefficient), extent_maximum(coefficient)};
    Interval value = {extent_minimum(low), extent_maximum(high)};
    Interval product = interval_multiply(factor, value);
    return constant_bounds(table, product.least, product.greatest);
  }
  return (Bounds){low ? extent_multiply(extents, coefficient, low) : NULL,
                  high ? extent_multiply(extents, coefficient, high) : NULL};
}

static Bounds bounds_at(ExprTable *table, Arena *scratch, const Affine *affine, int depth) {
  ExtentTable *extents = expr_extents(table);
  Bounds sum = {affine->constant, affine->constant};
  for (int i = 0; i < affine->count && (sum.low || sum.high); i++) {
    Bounds atom = atom_bounds(table, scratch, affine->terms[i].atom, depth);
    Bounds term = scale_bounds(table, affine->terms[i].coefficient, atom);
    sum.low = sum.low && term.low ? extent_add(extents, sum.low, term.low) : NULL;
    sum.high = sum.high && term.high ? extent_add(extents, sum.high, term.high) : NULL;
  }
  return sum;
}

Bounds affine_bounds(ExprTable *table, Arena *scratch, const Affine *affine) {
  return bounds_at(table, scratch, affine, 0);
}
