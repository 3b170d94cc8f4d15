/* Affine forms: the canonical form means what was asked for, and proofs are never wrong. */
#include "equations_fixture.h"

#include <criterion/criterion.h>

static Fixture f;
static Index *i, *j, *k; /* ranges 4, N and T */
static Tensor *gathered; /* whole numbers in 0..N-1 */

static void start(void) {
  f = fixture_new();
  i = index_new(f.model, name_of(f.names, "i"), extent_constant(f.extents, 4));
  j = index_new(f.model, name_of(f.names, "j"), extent_dim(f.extents, f.n));
  k = index_new(f.model, name_of(f.names, "k"), extent_dim(f.extents, f.t));
  gathered =
      tensor_new(f.model, &f.model->tensors, name_of(f.names, "g"), ROLE_INPUT, TYPE_INT, NULL, 0);
  gathered->low = extent_constant(f.extents, 0);
  gathered->high = extent_dim(f.extents, f.n);
}

static void stop(void) {
  arena_free(f.arena);
}

TestSuite(equations_affine, .init = start, .fini = stop);

static const Expr *number(int64_t value) {
  return expr_integer(f.exprs, value);
}

static const Expr *variable(const Index *index) {
  return expr_index(f.exprs, index);
}

static const Expr *make(const Expr *a, Op op, const Expr *b) {
  return expr_binary(f.exprs, op, a, b);
}

static const Expr *size(const Dim *dim) {
  return expr_extent(f.exprs, extent_dim(f.extents, dim));
}

Test(equations_affine, sums_are_collected_and_sorted) {
  const Expr *a = make(make(variable(j), OP_ADD, variable(i)), OP_SUB, number(1));
  const Expr *b = make(variable(i), OP_SUB, make(number(1), OP_SUB, variable(j)));
  cr_assert_eq(a, b);
  cr_assert_str_eq(printed_expr(f.arena, a), "i + j - 1");
  cr_assert_eq(make(a, OP_SUB, variable(j)), make(variable(i), OP_SUB, number(1)));
  cr_assert_eq(make(number(0), OP_MUL, variable(i)), number(0));
  cr_assert_eq(make(variable(i), OP_IDIV, number(1)), variable(i));
}

Test(equations_affine, mixed_radix_is_taken_apart_and_put_together) {
  const Expr *composite = make(make(size(f.n), OP_MUL, variable(k)), OP_ADD, variable(j));
  cr_assert_eq(make(composite, OP_IDIV, size(f.n)), variable(k));
  cr_assert_eq(make(composite, OP_MOD, size(f.n)), variable(j));
  const Expr *high = make(variable(k), OP_IDIV, number(3)),
             *low = make(variable(k), OP_MOD, number(3));
  cr_assert_eq(make(make(number(3), OP_MUL, high), OP_ADD, low), variable(k));
  const Expr *middle = make(make(variable(k), OP_IDIV, number(2)), OP_MOD, number(3));
  const Expr *top = make(variable(k), OP_IDIV, number(6));
  const Expr *upper = make(make(number(6), OP_MUL, top), OP_ADD, make(number(2), OP_MUL, middle));
  cr_assert_eq(make(upper, OP_ADD, make(variable(k), OP_MOD, number(2))), variable(k));
}

Test(equations_affine, coefficients_are_found) {
  const Expr *e =
      make(make(size(f.n), OP_MUL, variable(k)), OP_ADD, make(variable(j), OP_MOD, number(2)));
  Affine affine = affine_of(f.exprs, f.arena, e);
  cr_assert_eq(affine_coefficient(&affine, k), extent_dim(f.extents, f.n));
  cr_assert_null(affine_coefficient(&affine, j));
  cr_assert(affine_is_linear_in(f.arena, &affine, k));
  cr_assert_not(affine_is_linear_in(f.arena, &affine, j));
  cr_assert_eq(affine_expr(f.exprs, &affine), e);
}

/* A random expression beside its plain value, built bottom-up. */
typedef struct Sample {
  const Expr *expr;
  int64_t value;
} Sample;

static Sample random_leaf(uint64_t *state, const Values *values) {
  int64_t constant = random_below(state, 9) - 3;
  switch (random_below(state, 6)) {
  case 0: return (Sample){variable(i), values->index[i->id]};
  case 1: return (Sample){variable(j), values->index[j->id]};
  case 2: return (Sample){variable(k), values->index[k->id]};
  case 3: return (Sample){size(f.n), values->sizes[0]};
  case 4: return (Sample){expr_read(f.exprs, gathered, NULL, NULL), values->gathered};
  default: return (Sample){number(constant), constant};
  }
}

static Sample combine(uint64_t *state, Sample a, Sample b) {
  static const Op ops[] = {OP_ADD, OP_SUB, OP_MUL, OP_IDIV, OP_MOD, OP_MIN, OP_MAX, OP_ADD, OP_SUB};
  Op op = ops[random_below(state, 9)];
  int64_t v;
  bool divides = op == OP_IDIV || op == OP_MOD;
  if (divides && b.value == 0) return a;
  switch (op) {
  case OP_ADD: v = a.value + b.value; break;
  case OP_SUB: v = a.value - b.value; break;
  case OP_MUL: v = a.value * b.value; break;
  case OP_IDIV: v = floor_divide(a.value, b.value); break;
  case OP_MOD: v = floor_modulo(a.value, b.value); break;
  case OP_MIN: v = a.value < b.value ? a.value : b.value; break;
  default: v = a.value > b.value ? a.value : b.value; break;
  }
  return (Sample){make(a.expr, op, b.expr), v};
}

static Sample random_sample(uint64_t *state, const Values *values, int leaves) {
  Sample sample = random_leaf(state, values);
  for (int count = 1; count < leaves; count++) {
    Sample other = random_leaf(state, values);
    if (random_below(state, 2)) other = combine(state, other, random_leaf(state, values));
    sample = random_below(state, 2) ? combine(state, sample, other) : combine(state, other, sample);
  }
  return sample;
}

static Values random_values(uint64_t *state) {
  Values values = {.sizes = {1 + random_below(state, 5), 1 + random_below(state, 7)}};
  values.index[i->id] = random_below(state, 4);
  values.index[j->id] = random_below(state, (int)values.sizes[0]);
  values.index[k->id] = random_below(state, (int)values.sizes[1]);
  values.gathered = random_below(state, (int)values.sizes[0]);
  return values;
}

Test(equations_affine, the_canonical_form_has_the_plain_value_within_its_bounds) {
  uint64_t state = 11;
  for (int round = 0; round < 20000; round++) {
    Values values = random_values(&state);
    Sample sample = random_sample(&state, &values, 4);
    bool defined = true;
    int64_t least, greatest, value = whole_value(sample.expr, &values, &defined);
    if (!defined) continue;
    cr_assert_eq(value, sample.value, "%s", printed_expr(f.arena, sample.expr));
    affine_interval(f.exprs, f.arena, sample.expr, NULL, &least, &greatest);
    cr_assert(least <= value && value <= greatest, "%s", printed_expr(f.arena, sample.expr));
  }
}

Test(equations_affine, rewriting_nothing_gives_the_same_node) {
  uint64_t state = 12;
  for (int round = 0; round < 2000; round++) {
    Values values = random_values(&state);
    const Expr *e = random_sample(&state, &values, 3).expr;
    Affine affine = affine_of(f.exprs, f.arena, e);
    cr_assert_eq(affine_expr(f.exprs, &affine), e);
  }
}

static bool proves(const Expr *e, const Extent *extent, const Facts *facts, Witness *witness) {
  return affine_proves_range(f.exprs, f.arena, e, extent, facts, witness);
}

Test(equations_affine, guards_enter_the_proofs) {
  const Extent *t = extent_dim(f.extents, f.t), *n = extent_dim(f.extents, f.n);
  const Index *u = index_new(f.model, name_of(f.names, "u"), extent_multiply(f.extents, t, t));
  Facts order = {.condition = make(variable(u), OP_LE, variable(k)), .holds = true};
  const Expr *gap = make(variable(k), OP_SUB, variable(u));
  cr_assert(proves(gap, t, &order, NULL));
  cr_assert(proves(variable(u), t, &order, NULL));
  cr_assert_not(proves(variable(u), t, NULL, NULL));
  const Expr *back = make(make(size(f.t), OP_SUB, number(1)), OP_SUB, variable(k));
  cr_assert(proves(back, t, NULL, NULL));
  /* concatenation: if s < N then a[s] else b[s - N] */
  const Index *s = index_new(f.model, name_of(f.names, "s"), extent_add(f.extents, n, t));
  Facts left = {.condition = make(variable(s), OP_LT, size(f.n)), .holds = true}, right = left;
  right.holds = false;
  cr_assert(proves(variable(s), n, &left, NULL));
  cr_assert(proves(make(variable(s), OP_SUB, size(f.n)), t, &right, NULL));
  /* if k == 0 then .. else x[k - 1] */
  Facts first = {.condition = make(variable(k), OP_EQ, number(0)), .holds = false};
  cr_assert(proves(make(variable(k), OP_SUB, number(1)), t, &first, NULL));
  cr_assert(proves(expr_read(f.exprs, gathered, NULL, NULL), n, NULL, NULL));
}

Test(equations_affine, windows_slices_and_strides_are_proved) {
  const Extent *t = extent_dim(f.extents, f.t), *two = extent_constant(f.extents, 2);
  const Extent *half = extent_floor_divide(f.extents, t, two);
  const Extent *pooled = extent_floor_divide(
      f.extents, extent_subtract(f.extents, t, extent_constant(f.extents, 3)), two);
  pooled = extent_add(f.extents, pooled, extent_constant(f.extents, 1));
  const Index *h = index_new(f.model, name_of(f.names, "h"), half);
  const Index *p = index_new(f.model, name_of(f.names, "p"), pooled);
  const Index *r = index_new(f.model, name_of(f.names, "r"), extent_constant(f.extents, 3));
  const Index *u = index_new(f.model, name_of(f.names, "u"), extent_multiply(f.extents, two, t));
  const Expr *odd = make(make(number(2), OP_MUL, variable(h)), OP_ADD, number(1));
  const Expr *window = make(make(number(2), OP_MUL, variable(p)), OP_ADD, variable(r));
  cr_assert(proves(odd, t, NULL, NULL));
  cr_assert(proves(window, t, NULL, NULL));
  cr_assert_not(proves(make(window, OP_ADD, number(1)), t, NULL, NULL));
  cr_assert(proves(make(variable(u), OP_IDIV, number(2)), t, NULL, NULL));
  cr_assert(proves(make(variable(u), OP_MOD, size(f.t)), t, NULL, NULL));
  /* a window that slides into the padding, guarded on both sides */
  const Expr *padded = make(window, OP_SUB, number(1));
  Facts above = {.condition = make(number(0), OP_LE, padded), .holds = true};
  Facts below = {.outer = &above, .condition = make(size(f.t), OP_LE, padded), .holds = false};
  cr_assert(proves(padded, t, &below, NULL));
  const Expr *even = make(variable(u), OP_LT, make(number(2), OP_MUL, size(f.n)));
  Facts small = {.condition = even, .holds = true};
  cr_assert(
      proves(make(variable(u), OP_IDIV, number(2)), extent_dim(f.extents, f.n), &small, NULL));
}

Test(equations_affine, alternatives_are_proved_one_by_one) {
  const Extent *t = extent_dim(f.extents, f.t);
  const Expr *e = make(variable(k), OP_ADD, make(variable(i), OP_SUB, number(1)));
  const Expr *inner =
      expr_binary(f.exprs, OP_AND, make(number(0), OP_LE, e), make(e, OP_LT, size(f.t)));
  const Expr *outside = expr_unary(f.exprs, OP_NOT, inner);
  Facts guard = {.condition = outside, .holds = false};
  cr_assert(proves(e, t, &guard, NULL));
  const Expr *either = expr_binary(f.exprs, OP_OR, make(variable(i), OP_EQ, number(1)),
                                   make(variable(i), OP_EQ, number(2)));
  Facts cases = {.condition = either, .holds = true};
  cr_assert(
      proves(make(variable(i), OP_SUB, number(1)), extent_constant(f.extents, 2), &cases, NULL));
}

Test(equations_affine, a_witness_shows_where_a_subscript_leaves_its_range) {
  Witness witness;
  const Expr *e = make(make(variable(k), OP_ADD, variable(i)), OP_SUB, number(1));
  cr_assert_not(proves(e, extent_dim(f.extents, f.t), NULL, &witness));
  cr_assert(witness.found);
  cr_assert_eq(witness.reached, -1);
  cr_assert_eq(witness.size, 7);
  cr_assert_eq(witness.count, 2);
  cr_assert_eq(witness.indices[0], i);
  cr_assert_eq(witness.values[0], 0);
  cr_assert_eq(witness.dims[0], f.t);
}

static bool holds(const Facts *facts, const Values *values) {
  bool defined = true;
  for (; facts; facts = facts->outer) {
    if ((whole_value(facts->condition, values, &defined) != 0) != facts->holds) return false;
  }
  return defined;
}

/* Whether the subscript is in range at every point where the facts hold. */
static bool is_safe(const Expr *e, const Extent *extent, const Facts *facts) {
  Values v = {0};
  for (v.sizes[0] = 1; v.sizes[0] <= 5; v.sizes[0]++)
    for (v.sizes[1] = 1; v.sizes[1] <= 7; v.sizes[1]++)
      for (v.index[i->id] = 0; v.index[i->id] < 4; v.index[i->id]++)
        for (v.index[j->id] = 0; v.index[j->id] < v.sizes[0]; v.index[j->id]++)
          for (v.index[k->id] = 0; v.index[k->id] < v.sizes[1]; v.index[k->id]++)
            for (v.gathered = 0; v.gathered < v.sizes[0]; v.gathered++) {
              bool defined = true;
              int64_t value = whole_value(e, &v, &defined);
              if (!defined || !holds(facts, &v)) continue;
              if (value < 0 || value >= extent_evaluate(extent, v.sizes)) return false;
            }
  return true;
}

static void check_witness(const Expr *e, const Extent *extent, const Witness *witness) {
  cr_assert(witness->reached < 0 || witness->reached >= witness->size, "%s in %s",
            printed_expr(f.arena, e), printed_extent(f.arena, extent));
}

Test(equations_affine, proofs_are_never_wrong_and_seldom_missing) {
  uint64_t state = 5;
  int safe = 0, proved = 0, unsafe = 0, witnessed = 0;
  for (int round = 0; round < 1500; round++) {
    static const Op comparisons[] = {OP_LT, OP_LE, OP_EQ, OP_NE};
    Values values = random_values(&state);
    const Expr *e = random_sample(&state, &values, 2 + random_below(&state, 2)).expr;
    const Expr *a = random_sample(&state, &values, 2).expr, *b = random_leaf(&state, &values).expr;
    Facts facts = {.condition = make(a, comparisons[random_below(&state, 4)], b),
                   .holds = random_below(&state, 2)};
    const Facts *given = random_below(&state, 3) ? &facts : NULL;
    const Extent *extent = extent_dim(f.extents, random_below(&state, 2) ? f.n : f.t);
    Witness witness;
    bool is_proved = proves(e, extent, given, &witness), truth = is_safe(e, extent, given);
    cr_assert(truth || !is_proved, "%s in %s under %s", printed_expr(f.arena, e),
              printed_extent(f.arena, extent),
              given ? printed_expr(f.arena, facts.condition) : "-");
    cr_assert_not(truth && witness.found, "%s has a false witness", printed_expr(f.arena, e));
    if (witness.found) check_witness(e, extent, &witness);
    safe += truth;
    proved += is_proved;
    unsafe += !truth;
    witnessed += witness.found;
  }
  cr_assert(proved * 10 >= safe * 6, "%d of %d proved", proved, safe);
  cr_assert(witnessed * 100 >= unsafe * 99, "%d of %d witnessed", witnessed, unsafe);
  cr_log_info("%d of %d proved, %d of %d witnessed", proved, safe, witnessed, unsafe);
}
