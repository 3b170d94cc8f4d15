/* Solving subscripts for iteration variables, one at a time, simplest first. */
#include "calculus/invert.h"

#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "calculus/variables.h"

/* An iteration variable, or one that a quotient brought in. */
typedef struct Unknown {
  const Index *index;
  const Expr *value; /* over target variables and unsolved unknowns; null: unsolved */
} Unknown;

typedef struct Solver {
  Model *model;
  ExprTable *table;
  Arena *scratch;
  const Index *const *targets;
  int rank;
  LIST_OF(Unknown) unknowns;
  const Expr *subscripts[LIMIT_RANK]; /* of the read, in unsolved unknowns and targets */
  Inversion ways[LIMIT_RANK]; /* but for demands: holds by the values and conditions so far */
  ExprList conditions; /* in the order of testing: ranges and the guard, then the demands s = u */
  int first_demand;
} Solver;

static Unknown *find_unsolved(Solver *s, const Index *index) {
  for (int i = 0; index && i < s->unknowns.count; i++)
    if (s->unknowns.items[i].index == index && !s->unknowns.items[i].value)
      return &s->unknowns.items[i];
  return NULL;
}

static const Expr *substitute_one(Solver *s, const Expr *e, const Index *index, const Expr *value) {
  return expr_substitute(s->table, s->scratch, e, &index, &value, 1);
}

static void add_condition(Solver *s, const Expr *condition) {
  if (condition) APPEND(s->scratch, &s->conditions, condition);
}

/* Solves one unknown, everywhere. The condition that the value is in range is the caller's. */
static void bind_unknown(Solver *s, Unknown *unknown, const Expr *value) {
  const Index *index = unknown->index;
  for (int i = 0; i < s->unknowns.count; i++) {
    Unknown *other = &s->unknowns.items[i];
    if (other->value) other->value = substitute_one(s, other->value, index, value);
  }
  unknown->value = value;
  for (int k = 0; k < s->rank; k++)
    s->subscripts[k] = substitute_one(s, s->subscripts[k], index, value);
  for (int i = 0; i < s->conditions.count; i++)
    s->conditions.items[i] = substitute_one(s, s->conditions.items[i], index, value);
}

static void bind_in_range(Solver *s, Unknown *unknown, const Expr *value) {
  const Extent *range = unknown->index->range;
  bind_unknown(s, unknown, value);
  add_condition(s, condition_in_range(s->table, s->scratch, value, range));
}

static const Expr *target(const Solver *s, int k) {
  return expr_index(s->table, s->targets[k]);
}

static const Expr *subtract(const Solver *s, const Expr *a, const Expr *b) {
  return expr_binary(s->table, OP_SUB, a, b);
}

static bool solve_same_range(Solver *s, int k) {
  Unknown *unknown = find_unsolved(s, lone_index(s->subscripts[k]));
  if (!unknown || unknown->index->range != s->targets[k]->range) return false;
  bind_unknown(s, unknown, target(s, k));
  return true;
}

static bool solve_lone(Solver *s, int k) {
  Unknown *unknown = find_unsolved(s, lone_index(s->subscripts[k]));
  if (!unknown) return false;
  bind_in_range(s, unknown, target(s, k));
  return true;
}

/* The terms of a subscript that are unknowns and occur nowhere else in it. */
typedef struct Terms {
  struct {
    const Index *index;
    const Extent *coefficient;
  } items[16];
  int count;
} Terms;

static Terms unknown_terms(Solver *s, const Affine *affine) {
  Terms terms = {.count = 0};
  for (int i = 0; i < affine->count && terms.count < 16; i++) {
    const Index *index = lone_index(affine->terms[i].atom);
    if (!find_unsolved(s, index) || !affine_is_linear_in(s->scratch, affine, index)) continue;
    terms.items[terms.count].index = index;
    terms.items[terms.count++].coefficient = affine->terms[i].coefficient;
  }
  return terms;
}

static const Expr *scaled_index(const Solver *s, const Terms *terms, int i) {
  return expr_binary(s->table, OP_MUL, expr_extent(s->table, terms->items[i].coefficient),
                     expr_index(s->table, terms->items[i].index));
}

/* u - (subscript without its unknown terms). */
static const Expr *radix_base(const Solver *s, int k, const Terms *terms) {
  const Expr *base = subtract(s, target(s, k), s->subscripts[k]);
  for (int i = 0; i < terms->count; i++)
    base = expr_binary(s->table, OP_ADD, base, scaled_index(s, terms, i));
  return base;
}

/* The term whose coefficient is the least that is no smaller than `needed`; -1 when there is none. */
static int next_digit(const Terms *terms, const Extent *needed) {
  int found = -1;
  int64_t wanted, coefficient, best = INT64_MAX;
  for (int i = 0; i < terms->count; i++)
    if (terms->items[i].coefficient == needed) return i;
  for (int i = 0; i < terms->count; i++) {
    if (!extent_is_constant(terms->items[i].coefficient, &coefficient)) continue;
    if (!extent_is_constant(needed, &wanted) || coefficient < wanted || coefficient >= best)
      continue;
    best = coefficient;
    found = i;
  }
  return found;
}

/* Puts the terms in the order of their place value, least first; place[j + 1] is a multiple of place[j]
   and no digit j reaches place[j + 1]. */
static bool order_digits(Solver *s, Terms *terms) {
  ExtentTable *extents = s->model->extents;
  const Extent *one = extent_constant(extents, 1), *zero = extent_constant(extents, 0);
  const Extent *needed = one;
  for (int j = 0; j < terms->count; j++) {
    Terms rest = {.count = terms->count - j};
    for (int i = j; i < terms->count; i++) rest.items[i - j] = terms->items[i];
    int next = next_digit(&rest, needed);
    if (next < 0) return false;
    terms->items[j + next] = terms->items[j];
    terms->items[j].index = rest.items[next].index;
    terms->items[j].coefficient = rest.items[next].coefficient;
    const Extent *place = terms->items[j].coefficient;
    if (j == 0 && place != one) return false;
    if (j > 0 && place != needed &&
        extent_modulo(extents, place, terms->items[j - 1].coefficient) != zero)
      return false;
    needed = extent_multiply(extents, place, terms->items[j].index->range);
  }
  return true;
}

static const Expr *divide(const Solver *s, Op op, const Expr *e, const Extent *divisor) {
  return expr_binary(s->table, op, e, expr_extent(s->table, divisor));
}

/* Digit j of `base`; the topmost keeps what is above it. */
static const Expr *digit_value(const Solver *s, const Terms *terms, int j, const Expr *base) {
  const Extent *place = terms->items[j].coefficient, *range = terms->items[j].index->range;
  const Expr *shifted = divide(s, OP_IDIV, base, place);
  if (j + 1 == terms->count) return shifted;
  const Extent *above = terms->items[j + 1].coefficient;
  if (above == extent_multiply(s->model->extents, place, range))
    return divide(s, OP_MOD, shifted, range);
  return divide(s, OP_MOD, shifted, extent_floor_divide(s->model->extents, above, place));
}

static bool solve_radix(Solver *s, int k) {
  Affine affine = affine_of(s->table, s->scratch, s->subscripts[k]);
  Terms terms = unknown_terms(s, &affine);
  if (terms.count < 2 || !order_digits(s, &terms)) return false;
  const Expr *base = radix_base(s, k, &terms);
  for (int j = 0; j < terms.count; j++) {
    Unknown *unknown = find_unsolved(s, terms.items[j].index);
    const Extent *reach =
        extent_multiply(s->model->extents, terms.items[j].coefficient, unknown->index->range);
    const Expr *value = digit_value(s, &terms, j, base);
    bool exact = j + 1 == terms.count && base == target(s, k) && reach == s->targets[k]->range;
    if (exact)
      bind_unknown(s, unknown, value);
    else
      bind_in_range(s, unknown, value);
  }
  return true;
}

/* The term of largest range among those whose coefficient `accepts`; -1: none. */
static int largest_term(const Terms *terms, bool accepts(const Extent *coefficient)) {
  int best = -1;
  for (int i = 0; i < terms->count; i++) {
    if (!accepts(terms->items[i].coefficient)) continue;
    if (best < 0 || extent_maximum(terms->items[i].index->range) >
                        extent_maximum(terms->items[best].index->range))
      best = i;
  }
  return best;
}

static bool is_unit(const Extent *coefficient) {
  int64_t value;
  return extent_is_constant(coefficient, &value) && (value == 1 || value == -1);
}

static bool is_signed(const Extent *coefficient) {
  return extent_minimum(coefficient) > 0 || extent_maximum(coefficient) < 0;
}

/* u - rest where the subscript is coefficient*v + rest. */
static const Expr *isolate(const Solver *s, int k, const Terms *terms, int i) {
  const Expr *difference = subtract(s, target(s, k), s->subscripts[k]);
  return expr_binary(s->table, OP_ADD, difference, scaled_index(s, terms, i));
}

static const Expr *negate_whole(const Solver *s, const Expr *e) {
  return subtract(s, expr_integer(s->table, 0), e);
}

static bool solve_unit(Solver *s, int k) {
  Affine affine = affine_of(s->table, s->scratch, s->subscripts[k]);
  Terms terms = unknown_terms(s, &affine);
  int i = largest_term(&terms, is_unit);
  if (i < 0) return false;
  const Expr *value = isolate(s, k, &terms, i);
  if (extent_maximum(terms.items[i].coefficient) < 0) value = negate_whole(s, value);
  bind_in_range(s, find_unsolved(s, terms.items[i].index), value);
  return true;
}

static bool solve_multiple(Solver *s, int k) {
  Affine affine = affine_of(s->table, s->scratch, s->subscripts[k]);
  Terms terms = unknown_terms(s, &affine);
  int i = largest_term(&terms, is_signed);
  if (i < 0) return false;
  ExtentTable *extents = s->model->extents;
  const Extent *divisor = terms.items[i].coefficient;
  const Expr *dividend = isolate(s, k, &terms, i);
  if (extent_maximum(divisor) < 0) {
    divisor = extent_subtract(extents, extent_constant(extents, 0), divisor);
    dividend = negate_whole(s, dividend);
  }
  const Expr *remainder = divide(s, OP_MOD, dividend, divisor);
  add_condition(s, expr_binary(s->table, OP_EQ, remainder, expr_integer(s->table, 0)));
  bind_in_range(s, find_unsolved(s, terms.items[i].index), divide(s, OP_IDIV, dividend, divisor));
  return true;
}

/* A subscript `numerator//divisor + rest` or `numerator % divisor + rest`, with a variable of unit
   coefficient in the numerator. */
typedef struct Quotient {
  const Expr *numerator;
  const Extent *divisor;
  const Expr *result;    /* what the quotient or remainder must be: u - rest */
  const Expr *remaining; /* numerator - v */
  Unknown *unknown;      /* v */
} Quotient;

/* A divisor that is a positive size. */
static const Extent *divisor_of(Solver *s, const Expr *divisor) {
  Affine affine = affine_of(s->table, s->scratch, divisor);
  return affine.count == 0 && extent_minimum(affine.constant) > 0 ? affine.constant : NULL;
}

static bool take_quotient(Solver *s, int k, const Expr *atom, Quotient *q) {
  Affine numerator = affine_of(s->table, s->scratch, atom->args[0]);
  Terms terms = unknown_terms(s, &numerator);
  int i = largest_term(&terms, is_unit);
  q->divisor = divisor_of(s, atom->args[1]);
  if (i < 0 || !q->divisor || extent_maximum(terms.items[i].coefficient) < 0) return false;
  q->numerator = atom->args[0];
  q->unknown = find_unsolved(s, terms.items[i].index);
  q->remaining = subtract(s, q->numerator, expr_index(s->table, q->unknown->index));
  const Expr *rest = subtract(s, s->subscripts[k], atom);
  q->result = subtract(s, target(s, k), rest);
  return !expr_uses_index(s->scratch, rest, q->unknown->index);
}

static bool find_quotient(Solver *s, int k, Op op, Quotient *q) {
  Affine affine = affine_of(s->table, s->scratch, s->subscripts[k]);
  const Extent *one = extent_constant(s->model->extents, 1);
  for (int i = 0; i < affine.count; i++)
    if (affine.terms[i].atom->op == op && affine.terms[i].coefficient == one &&
        take_quotient(s, k, affine.terms[i].atom, q))
      return true;
  return false;
}

static const Expr *new_unknown(Solver *s, const Extent *range) {
  const Index *index = index_new(s->model, name_of(s->model->names, "q"), range);
  APPEND(s->scratch, &s->unknowns, (Unknown){.index = index});
  return expr_index(s->table, index);
}

/* v = result*divisor + digit - remaining; `high` and `low` are the two summands. */
static void bind_quotient(Solver *s, const Quotient *q, const Index *index, const Expr *high,
                          const Expr *low) {
  const Expr *product = expr_binary(s->table, OP_MUL, high, expr_extent(s->table, q->divisor));
  const Expr *value = subtract(s, expr_binary(s->table, OP_ADD, product, low), q->remaining);
  bind_in_range(s, find_unsolved(s, index), value);
}

static bool solve_quotient(Solver *s, int k) {
  Quotient q;
  if (!find_quotient(s, k, OP_IDIV, &q)) return false;
  const Index *index = q.unknown->index;
  bind_quotient(s, &q, index, q.result, new_unknown(s, q.divisor));
  return true;
}

/* The numerator must not be negative: then its quotient counts from 0. */
static bool solve_remainder(Solver *s, int k) {
  Quotient q;
  int64_t least, greatest;
  if (!find_quotient(s, k, OP_MOD, &q)) return false;
  affine_interval(s->table, s->scratch, q.numerator, NULL, &least, &greatest);
  Affine remaining = affine_of(s->table, s->scratch, q.remaining);
  if (least < 0 || remaining.count > 0) return false;
  ExtentTable *extents = s->model->extents;
  const Extent *size = extent_add(extents, q.unknown->index->range, remaining.constant);
  size =
      extent_add(extents, size, extent_subtract(extents, q.divisor, extent_constant(extents, 1)));
  const Index *index = q.unknown->index;
  add_condition(s, condition_in_range(s->table, s->scratch, q.result, q.divisor));
  bind_quotient(s, &q, index, new_unknown(s, extent_floor_divide(extents, size, q.divisor)),
                q.result);
  return true;
}

static bool (*const methods[])(Solver *s, int k) = {
#define INVERSION(name, title) solve_##name,
#include "calculus/inversions.def"
#undef INVERSION
};

/* One step of the solution; false when no subscript can be solved further. */
static bool solve_one(Solver *s) {
  for (Inversion way = 0; way < INVERSION_demand; way++)
    for (int k = 0; k < s->rank; k++)
      if (s->ways[k] == INVERSION_demand && methods[way](s, k)) {
        s->ways[k] = way;
        return true;
      }
  return false;
}

/* A choice around the read may be what keeps its subscripts within the tensors they are read from. */
static void protect_reads(Solver *s, const Expr *subscript) {
  ExprList nodes = expr_postorder(s->scratch, &subscript, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && !read_default(nodes.items[i]))
      add_condition(s, condition_inside(s->table, s->scratch, nodes.items[i]));
}

/* What was not solved is demanded: s = u, with the reads of tensors last, where all else holds. */
static void demand_equalities(Solver *s, const Expr *guard) {
  ExprList late = {0};
  condition_conjuncts(s->scratch, guard, &s->conditions);
  for (int k = 0; k < s->rank; k++)
    if (s->ways[k] == INVERSION_demand) protect_reads(s, s->subscripts[k]);
  s->first_demand = s->conditions.count;
  for (int k = 0; k < s->rank; k++) {
    if (s->ways[k] != INVERSION_demand || s->subscripts[k] == target(s, k)) continue;
    if (expr_reads_tensors(s->scratch, s->subscripts[k]))
      APPEND(s->scratch, &late, expr_binary(s->table, OP_EQ, s->subscripts[k], target(s, k)));
    else
      add_condition(s, expr_binary(s->table, OP_EQ, target(s, k), s->subscripts[k]));
  }
  for (int i = 0; i < late.count; i++) add_condition(s, late.items[i]);
}

/* Replaces solved unknowns by their values and the others by new variables, in place. */
static IndexList replace_unknowns(Solver *s, const Expr **exprs, int count) {
  IndexList solved = {0}, unsolved = {0}, taken = {0};
  ExprList values = {0};
  for (int k = 0; k < s->rank; k++) APPEND(s->scratch, &taken, s->targets[k]);
  for (int i = 0; i < s->unknowns.count; i++) {
    const Unknown *unknown = &s->unknowns.items[i];
    if (unknown->value) APPEND(s->scratch, &values, unknown->value);
    APPEND(s->scratch, unknown->value ? &solved : &unsolved, unknown->index);
  }
  Renaming renaming = renaming_new(s->model, s->scratch, unsolved.items, unsolved.count, &taken);
  for (int i = 0; i < count; i++) {
    exprs[i] =
        expr_substitute(s->table, s->scratch, exprs[i], solved.items, values.items, solved.count);
    exprs[i] = renaming_apply(s->model, s->scratch, &renaming, exprs[i]);
  }
  return (IndexList){renaming.to, renaming.count, renaming.count};
}

static bool uses_any(const Solver *s, const Expr *e, const IndexList *indices) {
  for (int i = 0; i < indices->count; i++)
    if (expr_uses_index(s->scratch, e, indices->items[i])) return true;
  return false;
}

/* A demand on target variables alone stands outside the sum. Ranges stay inside, where they keep the
   reads of the weight within their tensors; and so do demands that read tensors behind such a range. */
static bool stands_outside(const Solver *s, int i, const IndexList *reduced,
                           const Inverse *inverse) {
  const Expr *condition = s->conditions.items[i];
  if (i < s->first_demand || uses_any(s, condition, reduced)) return false;
  return !inverse->guard || !expr_reads_tensors(s->scratch, condition);
}

/* A condition that never holds empties all. */
static void place_conditions(Solver *s, const IndexList *reduced, Inverse *inverse) {
  for (int i = 0; i < s->conditions.count; i++) {
    const Expr *condition = s->conditions.items[i];
    Truth truth = condition_truth(s->table, s->scratch, condition);
    if (truth == ALWAYS_FALSE) inverse->weight = expr_number(s->table, 0);
    if (truth != SOMETIMES_TRUE) continue;
    bool outside = stands_outside(s, i, reduced, inverse);
    const Expr **place = outside ? &inverse->outer : &inverse->guard;
    *place = arithmetic_and(s->table, *place, condition);
  }
}

/* A variable on which nothing depends adds the same weight as often as its range says. */
static void count_multiplicity(Solver *s, const IndexList *reduced, Inverse *inverse) {
  for (int i = 0; i < reduced->count; i++) {
    const Index *index = reduced->items[i];
    int64_t size;
    if (expr_uses_index(s->scratch, inverse->weight, index) ||
        (inverse->guard && expr_uses_index(s->scratch, inverse->guard, index))) {
      APPEND(s->scratch, &inverse->reduced, index);
      continue;
    }
    const Expr *times = extent_is_constant(index->range, &size)
                            ? expr_number(s->table, (double)size)
                            : expr_unary(s->table, OP_REAL, expr_extent(s->table, index->range));
    inverse->weight = arithmetic_multiply(s->table, inverse->weight, times);
  }
}

Inverse invert(Model *model, Arena *scratch, const Index *const *targets, const Expr *read,
               const IndexList *iteration, const Expr *guard, const Expr *weight) {
  Solver s = {.model = model, .table = model->exprs, .scratch = scratch, .targets = targets};
  s.rank = read_rank(read);
  for (int i = 0; i < iteration->count; i++)
    APPEND(scratch, &s.unknowns, (Unknown){.index = iteration->items[i]});
  for (int k = 0; k < s.rank; k++) {
    s.subscripts[k] = read->args[k];
    s.ways[k] = INVERSION_demand;
  }
  while (solve_one(&s)) {
  }
  demand_equalities(&s, guard);
  Inverse inverse = {.weight = weight};
  for (int k = 0; k < s.rank; k++) inverse.ways[k] = s.ways[k];
  ExprList all = {0};
  APPEND(scratch, &all, weight);
  for (int i = 0; i < s.conditions.count; i++) APPEND(scratch, &all, s.conditions.items[i]);
  IndexList reduced = replace_unknowns(&s, all.items, all.count);
  inverse.weight = all.items[0];
  for (int i = 0; i < s.conditions.count; i++) s.conditions.items[i] = all.items[i + 1];
  place_conditions(&s, &reduced, &inverse);
  count_multiplicity(&s, &reduced, &inverse);
  return inverse;
}
