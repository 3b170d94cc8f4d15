/* Proofs about whole numbers. A target L >= 0 is tried by its symbolic bounds; when they do not
   decide, by Fourier and Motzkin's elimination: if F >= 0 is a fact and m*L - k*F > -m for some m > 0
   and k >= 0 then L >= 0. Up to two facts are combined, and `or` is taken apart into cases. */
#include "equations/affine_table.h"

#include "equations/extent_table.h"
#include "equations/witness.h"

enum { MOST_STEPS = 2, MOST_SPLITS = 3, MOST_FACTS = 32 };

typedef struct Condition {
  const Expr *expr;
  bool holds;
} Condition;

typedef struct Prover {
  ExprTable *table;
  ExtentTable *extents;
  Arena *scratch;
  const Extent *zero, *one, *minus;
  LIST_OF(Affine) facts;           /* each is >= 0 */
  LIST_OF(Affine) differences;     /* each is not 0 */
  LIST_OF(Condition) alternatives; /* `or` that holds, `and` that does not */
} Prover;

static Prover prover_for(ExprTable *table, Arena *scratch) {
  ExtentTable *extents = expr_extents(table);
  return (Prover){.table = table,
                  .extents = extents,
                  .scratch = scratch,
                  .zero = extent_constant(extents, 0),
                  .one = extent_constant(extents, 1),
                  .minus = extent_constant(extents, -1)};
}

/* a + factor*b + shift */
static Affine combine(const Prover *p, const Affine *a, const Affine *b, const Extent *factor,
                      int64_t shift) {
  Affine sum = affine_add_scaled(p->table, p->scratch, a, b, factor);
  sum.constant = extent_add(p->extents, sum.constant, extent_constant(p->extents, shift));
  return sum;
}

static Affine form_of(const Prover *p, const Expr *e) {
  return affine_of(p->table, p->scratch, e);
}

/* The fact greater - less >= gap. */
static void add_fact(Prover *p, const Affine *greater, const Affine *less, int64_t gap) {
  Affine fact = combine(p, greater, less, p->minus, -gap);
  if (p->facts.count < MOST_FACTS) APPEND(p->scratch, &p->facts, fact);
}

static void add_comparison(Prover *p, const Expr *e, bool holds) {
  Affine a = form_of(p, e->args[0]), b = form_of(p, e->args[1]);
  bool strict = e->op == OP_LT;
  if (e->op == OP_LT || e->op == OP_LE) {
    if (holds) add_fact(p, &b, &a, strict);
    if (!holds) add_fact(p, &a, &b, !strict);
  } else if ((e->op == OP_EQ) == holds) {
    add_fact(p, &a, &b, 0);
    add_fact(p, &b, &a, 0);
  } else {
    Affine difference = combine(p, &a, &b, p->minus, 0);
    APPEND(p->scratch, &p->differences, difference);
  }
}

/* Takes a condition apart; what says nothing about whole numbers is left out. */
static void add_condition(Prover *p, const Expr *condition, bool holds) {
  LIST_OF(Condition) pending = {0};
  APPEND(p->scratch, &pending, (Condition){condition, holds});
  while (pending.count > 0) {
    Condition next = pending.items[--pending.count];
    const Expr *e = next.expr;
    if (is_true(e) || is_false(e)) {
      Affine zero = affine_constant(p->zero);
      add_fact(p, &zero, &zero, is_true(e) != next.holds);
    } else if (e->op == OP_NOT) {
      APPEND(p->scratch, &pending, (Condition){e->args[0], !next.holds});
    } else if ((e->op == OP_AND || e->op == OP_OR) && (e->op == OP_AND) == next.holds) {
      APPEND(p->scratch, &pending, (Condition){e->args[1], next.holds});
      APPEND(p->scratch, &pending, (Condition){e->args[0], next.holds});
    } else if (e->op == OP_AND || e->op == OP_OR) {
      APPEND(p->scratch, &p->alternatives, next);
    } else if (e->op >= OP_EQ && e->op <= OP_LE && e->args[0]->type == TYPE_INT) {
      add_comparison(p, e, next.holds);
    }
  }
}

/* What defines q = R//d, R%d, min, max and abs, for those in the expression. */
static void add_definition(Prover *p, const Expr *e) {
  Affine self = {p->zero, &(AffineTerm){e, p->one}, 1};
  if (e->op == OP_IDIV) {
    const Extent *d = whole_constant(p->table, e->args[1]);
    if (!d || extent_minimum(d) <= 0) return;
    Affine numerator = form_of(p, e->args[0]),
           scaled = affine_scale(p->table, p->scratch, &self, d);
    Affine end = scaled;
    end.constant = extent_add(p->extents, d, p->minus);
    add_fact(p, &numerator, &scaled, 0);
    add_fact(p, &end, &numerator, 0);
  } else if (e->op == OP_MIN || e->op == OP_MAX) {
    for (int i = 0; i < 2; i++) {
      Affine operand = form_of(p, e->args[i]);
      if (e->op == OP_MIN) add_fact(p, &operand, &self, 0);
      if (e->op == OP_MAX) add_fact(p, &self, &operand, 0);
    }
  } else if (e->op == OP_ABS) {
    Affine operand = form_of(p, e->args[0]);
    add_fact(p, &self, &operand, 0);
    operand = affine_scale(p->table, p->scratch, &operand, p->minus);
    add_fact(p, &self, &operand, 0);
  }
}

static void add_definitions(Prover *p, const Expr *e) {
  ExprList nodes = expr_postorder(p->scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    if (nodes.items[i]->type == TYPE_INT) add_definition(p, nodes.items[i]);
  }
}

/* m and k that make m*a - k*b vanish, m > 0, k >= 0. */
static bool find_factors(const Prover *p, const Extent *a, const Extent *b, const Extent **m,
                         const Extent **k) {
  int64_t x, y;
  *m = *k = p->one;
  if (a == b) return true;
  const Extent *sign = extent_maximum(b) < 0 ? p->minus : p->one;
  *m = extent_multiply(p->extents, b, sign);
  *k = extent_multiply(p->extents, a, sign);
  if (extent_is_constant(*m, &x) && extent_is_constant(*k, &y) && x > 0 && y % x == 0) {
    *m = p->one;
    *k = extent_constant(p->extents, y / x);
  }
  return extent_minimum(*m) >= 1 && extent_minimum(*k) >= 0;
}

/* m*L - k*F + m - 1 for the factors that take `term` of L away; false when F cannot do that. */
static bool eliminate(const Prover *p, const Affine *target, const AffineTerm *term,
                      const Affine *fact, Affine *result, const Extent **m) {
  for (int i = 0; i < fact->count; i++) {
    const Extent *k;
    if (fact->terms[i].atom != term->atom) continue;
    if (!find_factors(p, term->coefficient, fact->terms[i].coefficient, m, &k)) return false;
    Affine scaled = affine_scale(p->table, p->scratch, target, *m);
    k = extent_multiply(p->extents, k, p->minus);
    *result = combine(p, &scaled, fact, k, -1);
    result->constant = extent_add(p->extents, result->constant, *m);
    return true;
  }
  return false;
}

static bool is_bounded_below(const Prover *p, const Affine *target) {
  Bounds bounds = affine_bounds(p->table, p->scratch, target);
  return bounds.low && extent_minimum(bounds.low) >= 0;
}

/* Recursion is MOST_STEPS deep. */
static bool is_nonnegative(const Prover *p, const Affine *target, int steps) {
  if (is_bounded_below(p, target)) return true;
  for (int f = 0; steps > 0 && f < p->facts.count; f++) {
    const Affine *fact = &p->facts.items[f];
    Affine next;
    const Extent *m;
    if (target->count == 0) {
      next = combine(p, target, fact, p->minus, 0);
      if (is_nonnegative(p, &next, steps - 1)) return true;
    }
    for (int i = 0; i < target->count; i++) {
      if (eliminate(p, target, &target->terms[i], fact, &next, &m) &&
          is_nonnegative(p, &next, steps - 1)) {
        return true;
      }
    }
  }
  return false;
}

/* a != b together with a >= b is a > b. */
static void sharpen_differences(Prover *p) {
  Affine zero = affine_constant(p->zero);
  for (int i = 0; i < p->differences.count; i++) {
    Affine difference = p->differences.items[i];
    Affine opposite = affine_scale(p->table, p->scratch, &difference, p->minus);
    if (is_nonnegative(p, &difference, 1)) {
      add_fact(p, &difference, &zero, 1);
    } else if (is_nonnegative(p, &opposite, 1)) {
      add_fact(p, &opposite, &zero, 1);
    }
  }
}

static bool holds_here(Prover *p, const Affine *target) {
  int facts = p->facts.count;
  sharpen_differences(p);
  Affine absurd = affine_constant(p->minus);
  bool proved = is_nonnegative(p, target, MOST_STEPS) ||
                (p->facts.count > 0 && is_nonnegative(p, &absurd, MOST_STEPS));
  p->facts.count = facts;
  return proved;
}

/* Recursion is MOST_SPLITS deep. */
static bool holds_in_cases(Prover *p, const Affine *target, int split) {
  if (holds_here(p, target)) return true;
  if (split >= p->alternatives.count || split >= MOST_SPLITS) return false;
  Condition alternative = p->alternatives.items[split];
  Prover saved = *p;
  for (int side = 0; side < 2; side++) {
    add_condition(p, alternative.expr->args[side], alternative.holds);
    bool proved = holds_in_cases(p, target, split + 1);
    p->facts.count = saved.facts.count;
    p->differences.count = saved.differences.count;
    p->alternatives.count = saved.alternatives.count;
    if (!proved) return false;
  }
  return true;
}

const Expr *fact_as_condition(ExprTable *table, const Facts *fact) {
  return fact->holds ? fact->condition : expr_unary(table, OP_NOT, fact->condition);
}

static void add_facts(Prover *p, const Facts *facts) {
  for (const Facts *fact = facts; fact; fact = fact->outer) {
    add_condition(p, fact->condition, fact->holds);
    if (fact->condition->op != OP_READ) add_definitions(p, fact->condition);
  }
}

/* An index of range 0 has no value: whatever is said of its values is true. */
static bool has_no_value(const Affine *affine) {
  for (int i = 0; i < affine->count; i++) {
    const Expr *atom = affine->terms[i].atom;
    const Extent *range = atom->op == OP_INDEX ? atom->index->range : NULL;
    if (range && extent_is_zero(range)) return true;
  }
  return false;
}

bool affine_proves_range(ExprTable *table, Arena *scratch, const Expr *e, const Extent *extent,
                         const Facts *facts, Witness *witness) {
  Prover p = prover_for(table, scratch);
  Affine low = form_of(&p, e), end = affine_constant(extent);
  Affine high = combine(&p, &end, &low, p.minus, -1);
  if (has_no_value(&low)) return true;
  add_facts(&p, facts);
  add_definitions(&p, e);
  if (witness) *witness = (Witness){0};
  if (holds_in_cases(&p, &low, 0) && holds_in_cases(&p, &high, 0)) return true;
  if (witness) witness_search(scratch, e, extent, facts, witness);
  return false;
}

/* The greatest number that the target is found never to be below, with the help of at most one fact. */
static int64_t lower_bound(const Prover *p, const Affine *target) {
  Bounds bounds = affine_bounds(p->table, p->scratch, target);
  int64_t best = bounds.low ? extent_minimum(bounds.low) : -EXTENT_BOUND;
  for (int f = 0; f < p->facts.count; f++) {
    for (int i = 0; i < target->count; i++) {
      Affine next;
      const Extent *m;
      int64_t divisor;
      if (!eliminate(p, target, &target->terms[i], &p->facts.items[f], &next, &m)) continue;
      bounds = affine_bounds(p->table, p->scratch, &next);
      if (!bounds.low || !extent_is_constant(m, &divisor)) continue;
      int64_t least = extent_minimum(bounds.low);
      if (least <= -EXTENT_BOUND) continue;
      least = floor_divide(least, divisor); /* the m - 1 that `eliminate` adds rounds this up */
      if (least > best) best = least;
    }
  }
  return best;
}

void affine_interval(ExprTable *table, Arena *scratch, const Expr *e, const Facts *facts,
                     int64_t *least, int64_t *greatest) {
  Prover p = prover_for(table, scratch);
  Affine target = form_of(&p, e);
  Affine opposite = affine_scale(table, scratch, &target, p.minus);
  add_facts(&p, facts);
  add_definitions(&p, e);
  sharpen_differences(&p);
  *least = lower_bound(&p, &target);
  *greatest = -lower_bound(&p, &opposite);
}
