/* Affine forms: from expressions and back, and the canonical form of sums and products; quotients and
   remainders are in affine_quotient.c. */
#include "equations/affine_table.h"

#include "equations/equation.h"

#include <stdlib.h>

static int compare_numbers(int64_t a, int64_t b) {
  return a < b ? -1 : a > b;
}

/* The order of two leaves or operations of the same kind, by what they say themselves. */
static int compare_payloads(const Expr *a, const Expr *b) {
  switch (a->op) {
  case OP_INDEX: return compare_numbers(a->index->id, b->index->id);
  case OP_EXTENT: return extent_compare(a->extent, b->extent);
  case OP_READ: return compare_numbers(a->tensor->id, b->tensor->id);
  case OP_NUMBER: return (a->number > b->number) - (a->number < b->number);
  default: return compare_numbers(a->integer, b->integer);
  }
}

/* A total order by structure: the order of creation must not show, for a C compiler may evaluate the
   arguments of a constructor in any order. Equal expressions are one node, so this walks one path. */
static int compare_exprs(const Expr *a, const Expr *b) {
  while (a != b) {
    if (a->op != b->op) return compare_numbers(a->op, b->op);
    int order = compare_payloads(a, b), first = 0;
    if (order == 0) order = compare_numbers(a->count, b->count);
    if (order == 0) order = compare_numbers(a->type, b->type);
    if (order != 0) return order;
    while (first < a->count && a->args[first] == b->args[first]) first++;
    if (first == a->count) return compare_numbers(a->id, b->id);
    const Expr *next = a->args[first];
    b = b->args[first];
    a = next;
  }
  return 0;
}

static int compare_atoms(const void *a, const void *b) {
  return compare_exprs(((const AffineTerm *)a)->atom, ((const AffineTerm *)b)->atom);
}

/* Adds up equal atoms, sorted, and drops zeros. */
static void combine_terms(ExtentTable *extents, Affine *affine) {
  const Extent *zero = extent_constant(extents, 0);
  int count = 0;
  for (int i = 0; i < affine->count;) {
    AffineTerm sum = affine->terms[i++];
    while (i < affine->count && affine->terms[i].atom == sum.atom) {
      sum.coefficient = extent_add(extents, sum.coefficient, affine->terms[i++].coefficient);
    }
    if (sum.coefficient != zero) affine->terms[count++] = sum;
  }
  affine->count = count;
}

Affine affine_add_scaled(ExprTable *table, Arena *arena, const Affine *a, const Affine *b,
                         const Extent *factor) {
  ExtentTable *extents = expr_extents(table);
  Affine sum = {
      .constant = extent_add(extents, a->constant, extent_multiply(extents, b->constant, factor))};
  int count = a->count + b->count;
  sum.terms = NEW_ARRAY(arena, AffineTerm, count + 1);
  for (int i = 0; i < a->count; i++) sum.terms[sum.count++] = a->terms[i];
  for (int i = 0; i < b->count; i++) {
    const Extent *product = extent_multiply(extents, b->terms[i].coefficient, factor);
    sum.terms[sum.count++] = (AffineTerm){b->terms[i].atom, product};
  }
  if (count > 1) qsort(sum.terms, (size_t)count, sizeof *sum.terms, compare_atoms);
  combine_terms(extents, &sum);
  return sum;
}

Affine affine_constant(const Extent *value) {
  return (Affine){.constant = value};
}

Affine affine_scale(ExprTable *table, Arena *arena, const Affine *a, const Extent *factor) {
  Affine zero = affine_constant(extent_constant(expr_extents(table), 0));
  return affine_add_scaled(table, arena, &zero, a, factor);
}

bool affine_is_constant(const Affine *affine, const Extent **value) {
  if (affine->count > 0) return false;
  if (value) *value = affine->constant;
  return true;
}

const Extent *whole_constant(ExprTable *table, const Expr *e) {
  if (e->op == OP_EXTENT) return e->extent;
  if (e->op == OP_INTEGER) return extent_constant(expr_extents(table), e->integer);
  return NULL;
}

/* One term of a canonical sum: a constant, an atom, -atom or constant*atom. */
static Affine read_term(ExprTable *table, Arena *arena, const Expr *e) {
  ExtentTable *extents = expr_extents(table);
  const Extent *constant = whole_constant(table, e), *coefficient = NULL;
  if (constant) return affine_constant(constant);
  if (e->op == OP_MUL) coefficient = whole_constant(table, e->args[0]);
  const Expr *atom = coefficient ? e->args[1] : e;
  if (e->op == OP_NEGATE) {
    coefficient = extent_constant(extents, -1);
    atom = e->args[0];
  }
  Affine term = affine_constant(extent_constant(extents, 0));
  term.terms = NEW(arena, AffineTerm);
  term.terms[term.count++] =
      (AffineTerm){atom, coefficient ? coefficient : extent_constant(extents, 1)};
  return term;
}

/* Canonical sums lean to the left: only their last operand is looked into at each step. */
Affine affine_of(ExprTable *table, Arena *arena, const Expr *e) {
  ExtentTable *extents = expr_extents(table);
  int count = 0;
  for (const Expr *rest = e; rest->op == OP_ADD || rest->op == OP_SUB; rest = rest->args[0])
    count++;
  Affine sum = affine_constant(extent_constant(extents, 0));
  sum.terms = NEW_ARRAY(arena, AffineTerm, count + 1);
  for (const Expr *rest = e; rest; rest = count-- > 0 ? rest->args[0] : NULL) {
    bool last = count == 0, minus = rest->op == OP_SUB && !last;
    Affine term = read_term(table, arena, last ? rest : rest->args[1]);
    const Extent *sign = extent_constant(extents, minus ? -1 : 1);
    sum.constant = extent_add(extents, sum.constant, extent_multiply(extents, term.constant, sign));
    for (int i = 0; i < term.count; i++) {
      const Extent *coefficient = extent_multiply(extents, term.terms[i].coefficient, sign);
      sum.terms[sum.count++] = (AffineTerm){term.terms[i].atom, coefficient};
    }
  }
  if (sum.count > 1) qsort(sum.terms, (size_t)sum.count, sizeof *sum.terms, compare_atoms);
  return sum;
}

/* Whether the first term of a coefficient or constant has a minus sign. */
static bool is_negative(const Extent *extent) {
  return extent_term_count(extent) > 0 && extent_term(extent, 0)->coefficient < 0;
}

static const Extent *negate_extent(ExtentTable *extents, const Extent *extent) {
  return extent_subtract(extents, extent_constant(extents, 0), extent);
}

/* sum + addend, or sum - (-addend) when that reads better; `sum` may be null for 0. `atom` is null for
   a constant. */
static const Expr *append_term(ExprTable *table, const Expr *sum, const Extent *coefficient,
                               const Expr *atom) {
  ExtentTable *extents = expr_extents(table);
  const Extent *one = extent_constant(extents, 1);
  bool minus = is_negative(coefficient) && (sum || coefficient == negate_extent(extents, one));
  if (minus) coefficient = negate_extent(extents, coefficient);
  const Expr *term = atom ? atom : expr_extent(table, coefficient);
  if (atom && coefficient != one) {
    term = expr_node(table, OP_MUL, TYPE_INT,
                     (const Expr *[]){expr_extent(table, coefficient), atom}, 2);
  }
  if (sum)
    return expr_node(table, minus ? OP_SUB : OP_ADD, TYPE_INT, (const Expr *[]){sum, term}, 2);
  return minus && atom ? expr_node(table, OP_NEGATE, TYPE_INT, &term, 1) : term;
}

static bool is_beyond(const Affine *affine) {
  for (int i = 0; i < affine->count; i++)
    if (extent_is_poisoned(affine->terms[i].coefficient)) return true;
  return extent_is_poisoned(affine->constant);
}

/* Terms with a plus sign, those with a minus sign, the constant; the constant comes first when there
   is no plus sign to begin with. */
const Expr *affine_expr(ExprTable *table, const Affine *affine) {
  const Expr *sum = NULL;
  if (is_beyond(affine)) return expr_extent(table, extent_poison(expr_extents(table)));
  bool constant_left = affine->constant != extent_constant(expr_extents(table), 0);
  for (int negative = 0; negative < 2; negative++) {
    if (negative && !sum && constant_left) {
      sum = expr_extent(table, affine->constant);
      constant_left = false;
    }
    for (int i = 0; i < affine->count; i++) {
      const AffineTerm *term = &affine->terms[i];
      if (is_negative(term->coefficient) == (negative == 1)) {
        sum = append_term(table, sum, term->coefficient, term->atom);
      }
    }
  }
  if (sum && !constant_left) return sum;
  return sum ? append_term(table, sum, affine->constant, NULL)
             : expr_extent(table, affine->constant);
}

const Extent *affine_coefficient(const Affine *affine, const Index *index) {
  for (int i = 0; i < affine->count; i++) {
    const Expr *atom = affine->terms[i].atom;
    if (atom->op == OP_INDEX && atom->index == index) return affine->terms[i].coefficient;
  }
  return NULL;
}

bool affine_is_linear_in(Arena *scratch, const Affine *affine, const Index *index) {
  for (int i = 0; i < affine->count; i++) {
    const Expr *atom = affine->terms[i].atom;
    if (atom->op != OP_INDEX && expr_uses_index(scratch, atom, index)) return false;
  }
  return true;
}

const Index *lone_index(const Expr *e) {
  return e->op == OP_INDEX ? e->index : NULL;
}

const Index *shifted_index(ExprTable *table, Arena *scratch, const Expr *e, int64_t *shift) {
  Affine affine = affine_of(table, scratch, e);
  int64_t coefficient;
  if (affine.count != 1 || affine.terms[0].atom->op != OP_INDEX) return NULL;
  if (!extent_is_constant(affine.terms[0].coefficient, &coefficient) || coefficient != 1)
    return NULL;
  return extent_is_constant(affine.constant, shift) ? affine.terms[0].atom->index : NULL;
}

static const Expr *multiply(ExprTable *table, const Expr *const *args, const Affine *a,
                            const Affine *b) {
  Arena *arena = expr_arena(table);
  Affine product;
  if (a->count > 0 && b->count > 0) {
    bool ordered = compare_exprs(args[0], args[1]) <= 0;
    return expr_node(table, OP_MUL, TYPE_INT, (const Expr *[]){args[!ordered], args[ordered]}, 2);
  }
  product = a->count == 0 ? affine_scale(table, arena, b, a->constant)
                          : affine_scale(table, arena, a, b->constant);
  return affine_expr(table, &product);
}

static const Expr *make_whole(ExprTable *table, int64_t a, Op op, int64_t b) {
  int64_t result;
  bool exact = op == OP_MUL ? checked_multiply(a, b, &result)
                            : checked_add(a, op == OP_SUB ? -b : b, &result);
  return exact && b > INT64_MIN ? expr_integer(table, result) : NULL;
}

const Expr *affine_make(ExprTable *table, Op op, const Expr *const *args) {
  Arena *arena = expr_arena(table);
  ExtentTable *extents = expr_extents(table);
  bool whole = args[0]->op == OP_INTEGER && op_arity(op) == 2 && args[1]->op == OP_INTEGER;
  const Expr *simple =
      whole && op <= OP_MUL ? make_whole(table, args[0]->integer, op, args[1]->integer) : NULL;
  if (simple) return simple;
  Affine a = affine_of(table, arena, args[0]);
  if (op == OP_NEGATE) {
    a = affine_scale(table, arena, &a, extent_constant(extents, -1));
    return affine_expr(table, &a);
  }
  Affine b = affine_of(table, arena, args[1]);
  if (op == OP_MUL) return multiply(table, args, &a, &b);
  if (op == OP_IDIV || op == OP_MOD) return affine_divide(table, op, args, &a, &b);
  Affine sum =
      affine_add_scaled(table, arena, &a, &b, extent_constant(extents, op == OP_ADD ? 1 : -1));
  affine_recompose(table, arena, &sum);
  return affine_expr(table, &sum);
}

const Expr *affine_compare(ExprTable *table, Op op, const Expr *a, const Expr *b) {
  Arena *arena = expr_arena(table);
  if (a != b && (whole_constant(table, a) == NULL || whole_constant(table, b) == NULL)) return NULL;
  Affine x = affine_of(table, arena, a), y = affine_of(table, arena, b);
  Affine gap = affine_add_scaled(table, arena, &y, &x, extent_constant(expr_extents(table), -1));
  int64_t least = extent_minimum(gap.constant), greatest = extent_maximum(gap.constant);
  int64_t wanted = op == OP_LT;
  if (op == OP_LT || op == OP_LE) {
    if (least >= wanted) return expr_true(table);
    return greatest < wanted ? expr_false(table) : NULL;
  }
  if (least > 0 || greatest < 0) return expr_boolean(table, op == OP_NE);
  return least == 0 && greatest == 0 ? expr_boolean(table, op == OP_EQ) : NULL;
}

bool affine_blocks(ExprTable *table, Arena *scratch, const Expr *e, BlockSubscript *blocks) {
  Affine affine = affine_of(table, scratch, e);
  int64_t constant, range, factors[2];
  if (affine.count != 2 || !extent_is_constant(affine.constant, &constant) || constant != 0)
    return false;
  for (int i = 0; i < 2; i++)
    if (affine.terms[i].atom->op != OP_INDEX ||
        !extent_is_constant(affine.terms[i].coefficient, &factors[i]))
      return false;
  int inner = factors[0] == 1 ? 0 : 1;
  *blocks = (BlockSubscript){affine.terms[1 - inner].atom->index, affine.terms[inner].atom->index,
                             factors[1 - inner]};
  return factors[inner] == 1 && extent_is_constant(blocks->inner->range, &range) &&
         range == blocks->width;
}
