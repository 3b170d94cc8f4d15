/* Quotients and remainders of affine forms. Multiples of the divisor are pulled out, common factors
   cancelled and quotients of quotients flattened; when the bounds of the rest decide it, nothing is
   left: (a*E + e)//E is a and (a*E + e)%E is e for 0 <= e < E. */
#include "equations/affine_table.h"

/* Splits a = d*quotient + rest, coefficient by coefficient. */
static Affine split(ExprTable *table, Arena *arena, const Affine *a, const Extent *d,
                    Affine *rest) {
  ExtentTable *extents = expr_extents(table);
  Affine quotient = {.terms = NEW_ARRAY(arena, AffineTerm, a->count + 1)};
  Affine left = {.terms = NEW_ARRAY(arena, AffineTerm, a->count + 1)};
  const Extent *zero = extent_constant(extents, 0);
  quotient.constant = extent_divide(extents, a->constant, d, &left.constant);
  for (int i = 0; i < a->count; i++) {
    AffineTerm multiple = a->terms[i], remainder = a->terms[i];
    multiple.coefficient =
        extent_divide(extents, a->terms[i].coefficient, d, &remainder.coefficient);
    if (multiple.coefficient != zero) quotient.terms[quotient.count++] = multiple;
    if (remainder.coefficient != zero) left.terms[left.count++] = remainder;
  }
  *rest = left;
  return quotient;
}

/* The greatest constant that divides d and everything variable in `a`; 1 when d is not constant. */
static int64_t common_content(const Affine *a, const Extent *d) {
  int64_t content;
  if (!extent_is_constant(d, &content)) return 1;
  content = extent_content(a->constant, false, content);
  for (int i = 0; i < a->count; i++)
    content = extent_content(a->terms[i].coefficient, true, content);
  return content;
}

/* (n//e + k)//d = (n + k*e)//(e*d) for constants d, e > 0. */
static bool flatten(ExprTable *table, Arena *arena, Affine *a, const Extent **d) {
  ExtentTable *extents = expr_extents(table);
  if (a->count != 1 || a->terms[0].atom->op != OP_IDIV || !extent_is_constant(*d, NULL))
    return false;
  if (a->terms[0].coefficient != extent_constant(extents, 1)) return false;
  const Expr *atom = a->terms[0].atom;
  const Extent *inner = whole_constant(table, atom->args[1]);
  int64_t size;
  if (!inner || !extent_is_constant(inner, &size) || size <= 0) return false;
  Affine numerator = affine_of(table, arena, atom->args[0]), shift = affine_constant(a->constant);
  *a = affine_add_scaled(table, arena, &numerator, &shift, inner);
  *d = extent_multiply(extents, *d, inner);
  return true;
}

/* Finds k with k*d <= rest < (k+1)*d: among 0 and -1, or for a constant d by its bounds. */
static bool decide(ExprTable *table, Arena *arena, const Affine *rest, const Extent *d,
                   int64_t *k) {
  ExtentTable *extents = expr_extents(table);
  Bounds bounds = affine_bounds(table, arena, rest);
  int64_t size, least, greatest;
  if (!bounds.low || !bounds.high) return false;
  least = extent_minimum(bounds.low);
  greatest = extent_maximum(bounds.high);
  if (extent_is_constant(d, &size)) {
    *k = floor_divide(least, size);
    return *k == floor_divide(greatest, size);
  }
  for (*k = 0; *k >= -1; (*k)--) {
    const Extent *base = extent_multiply(extents, d, extent_constant(extents, *k));
    const Extent *over = extent_subtract(extents, bounds.low, base);
    const Extent *under = extent_subtract(extents, extent_add(extents, base, d), bounds.high);
    if (extent_minimum(over) >= 0 && extent_minimum(under) >= 1) return true;
  }
  return false;
}

static Affine atom_form(ExprTable *table, Arena *arena, Op op, const Affine *a, const Extent *d) {
  const Expr *args[2] = {affine_expr(table, a), expr_extent(table, d)};
  ExtentTable *extents = expr_extents(table);
  Affine form = {
      .constant = extent_constant(extents, 0), .terms = NEW(arena, AffineTerm), .count = 1};
  form.terms[0] =
      (AffineTerm){expr_node(table, op, TYPE_INT, args, 2), extent_constant(extents, 1)};
  return form;
}

/* a//d for d > 0. */
static Affine quotient_of(ExprTable *table, Arena *arena, Affine a, const Extent *d) {
  ExtentTable *extents = expr_extents(table);
  const Extent *one = extent_constant(extents, 1);
  Affine quotient = affine_constant(extent_constant(extents, 0)), unused;
  do {
    Affine multiple = split(table, arena, &a, d, &a);
    quotient = affine_add_scaled(table, arena, &quotient, &multiple, one);
    const Extent *content = extent_constant(extents, common_content(&a, d));
    if (content != one) {
      a = split(table, arena, &a, content, &unused);
      d = extent_divide(extents, d, content, &(const Extent *){NULL});
    }
  } while (flatten(table, arena, &a, &d));
  int64_t decided;
  Affine rest = decide(table, arena, &a, d, &decided)
                    ? affine_constant(extent_constant(extents, decided))
                    : atom_form(table, arena, OP_IDIV, &a, d);
  return affine_add_scaled(table, arena, &quotient, &rest, one);
}

/* a%d for d > 0: (g*R + k)%(g*d) = g*(R%d) + k for 0 <= k < g. */
static Affine remainder_of(ExprTable *table, Arena *arena, Affine a, const Extent *d) {
  ExtentTable *extents = expr_extents(table);
  split(table, arena, &a, d, &a);
  Affine low = affine_constant(extent_constant(extents, 0));
  const Extent *content = extent_constant(extents, common_content(&a, d)), *unused;
  if (content != extent_constant(extents, 1)) {
    a = split(table, arena, &a, content, &low);
    d = extent_divide(extents, d, content, &unused);
  }
  int64_t decided;
  Affine rest;
  if (decide(table, arena, &a, d, &decided)) {
    Affine base = affine_constant(extent_multiply(extents, d, extent_constant(extents, -decided)));
    rest = affine_add_scaled(table, arena, &a, &base, extent_constant(extents, 1));
  } else {
    rest = atom_form(table, arena, OP_MOD, &a, d);
  }
  return affine_add_scaled(table, arena, &low, &rest, content);
}

const Expr *affine_divide(ExprTable *table, Op op, const Expr *const *args, const Affine *a,
                          const Affine *b) {
  Arena *arena = expr_arena(table);
  const Extent *d;
  if (!affine_is_constant(b, &d) || extent_is_poisoned(d) ||
      (extent_minimum(d) <= 0 && extent_maximum(d) >= 0)) {
    return expr_node(table, op, TYPE_INT, args, 2);
  }
  Affine numerator = *a, result;
  const Extent *minus = extent_constant(expr_extents(table), -1);
  bool negative = extent_maximum(d) < 0;
  if (negative) {
    numerator = affine_scale(table, arena, &numerator, minus);
    d = extent_multiply(expr_extents(table), d, minus);
  }
  result = op == OP_IDIV ? quotient_of(table, arena, numerator, d)
                         : remainder_of(table, arena, numerator, d);
  if (negative && op == OP_MOD) result = affine_scale(table, arena, &result, minus);
  affine_recompose(table, arena, &result);
  return affine_expr(table, &result);
}

/* The coefficient of a quotient in `affine`; null when it is not a lone atom there. */
static const AffineTerm *find_quotient(ExprTable *table, Arena *arena, const Affine *affine,
                                       const Expr *remainder) {
  Affine a = affine_of(table, arena, remainder->args[0]);
  const Extent *d = whole_constant(table, remainder->args[1]);
  if (!d) return NULL;
  Affine quotient = quotient_of(table, arena, a, d);
  ExtentTable *extents = expr_extents(table);
  if (quotient.count != 1 || quotient.constant != extent_constant(extents, 0)) return NULL;
  if (quotient.terms[0].coefficient != extent_constant(extents, 1)) return NULL;
  for (int i = 0; i < affine->count; i++) {
    if (affine->terms[i].atom == quotient.terms[0].atom) return &affine->terms[i];
  }
  return NULL;
}

static bool recompose_once(ExprTable *table, Arena *arena, Affine *affine) {
  ExtentTable *extents = expr_extents(table);
  const Extent *minus = extent_constant(extents, -1);
  for (int i = 0; i < affine->count; i++) {
    AffineTerm remainder = affine->terms[i];
    if (remainder.atom->op != OP_MOD) continue;
    const AffineTerm *quotient = find_quotient(table, arena, affine, remainder.atom);
    if (!quotient) continue;
    const Extent *d = whole_constant(table, remainder.atom->args[1]);
    if (quotient->coefficient != extent_multiply(extents, d, remainder.coefficient)) continue;
    AffineTerm both[2] = {*quotient, remainder};
    Affine parts = {extent_constant(extents, 0), both, 2};
    Affine whole = affine_of(table, arena, remainder.atom->args[0]);
    Affine rest = affine_add_scaled(table, arena, affine, &parts, minus);
    *affine = affine_add_scaled(table, arena, &rest, &whole, remainder.coefficient);
    return true;
  }
  return false;
}

void affine_recompose(ExprTable *table, Arena *arena, Affine *affine) {
  while (recompose_once(table, arena, affine)) {
  }
}
