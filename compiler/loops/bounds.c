/* Bounds: where the loops of a guarded reduction begin and end.

     sum[p if 0 <= u + 1 - 2*p and u + 1 - 2*p < 3](..)   for p in max(0, u//2)..min(P, (u + 1)//2 + 1)

   A conjunct of the guard is answered at the outermost loop where all its variables are known. When it
   compares whole numbers and is linear in the index of that loop, with a coefficient that is a number, it becomes
   a bound of the loop; a remainder that must have one value becomes its step; any other is a branch. So no
   point is visited in vain and the innermost loops have no test. The points that are visited, and their order,
   stay those of the equation.

   A conjunct that may read outside a tensor, or divide by 0, where an earlier one does not hold is asked after that one. */
#include "loops/build.h"

#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "equations/affine.h"

/* ---- which conjuncts can be answered ---- */

void guard_start(Site *site) {
  site->guard = (ExprList){0};
  condition_conjuncts(site->routine->model->arena, site->equation->guard, &site->guard);
}

static bool is_bound(const Site *site, const Index *index) {
  for (int i = 0; i < site->bound; i++)
    if (site->indices[i] == index) return true;
  return false;
}

static bool is_known(const Site *site, Arena *scratch, const Expr *condition) {
  IndexList used = {0};
  expr_indices(scratch, condition, &used);
  for (int i = 0; i < used.count; i++)
    if (!is_bound(site, used.items[i])) return false;
  return true;
}

static bool is_total(const Site *site, Arena *scratch, const Expr *condition) {
  return exprs_are_total(site->routine->model->exprs, scratch, &condition, 1);
}

static void remove_conjunct(Site *site, int position) {
  ExprList kept = {0};
  for (int i = 0; i < site->guard.count; i++)
    if (i != position) APPEND(site->routine->model->arena, &kept, site->guard.items[i]);
  site->guard = kept;
}

const Expr *guard_take(Site *site) {
  Model *model = site->routine->model;
  Arena *scratch = arena_new();
  const Expr *condition = NULL;
  for (int i = 0; i < site->guard.count;) {
    const Expr *e = site->guard.items[i];
    if (!is_known(site, scratch, e) || (i > 0 && !is_total(site, scratch, e))) {
      i++;
      continue;
    }
    condition = arithmetic_and(model->exprs, condition, site_value(site, e));
    remove_conjunct(site, i);
  }
  arena_free(scratch);
  return condition;
}

LoopBody *open_branch(Site *site, LoopBody *body) {
  const Expr *condition = guard_take(site);
  return condition ? append_branch(site, body, condition) : body;
}

/* ---- bounds ---- */

typedef struct Bounding {
  ExprTable *table;
  Arena *scratch;
  LoopNode *loop;
} Bounding;

static const Expr *whole(const Bounding *b, int64_t value) {
  return expr_integer(b->table, value);
}

static const Expr *add(const Bounding *b, const Expr *x, const Expr *y) {
  return expr_binary(b->table, OP_ADD, x, y);
}

static const Expr *subtract(const Bounding *b, const Expr *x, const Expr *y) {
  return expr_binary(b->table, OP_SUB, x, y);
}

static const Expr *multiply(const Bounding *b, const Expr *x, int64_t factor) {
  return expr_binary(b->table, OP_MUL, whole(b, factor), x);
}

/* The coefficient of the loop's index in a form that is linear in it; 0: it is not, or not by a number. */
static int64_t coefficient_in(const Bounding *b, const Expr *form) {
  Affine affine = affine_of(b->table, b->scratch, form);
  const Extent *extent = affine_coefficient(&affine, b->loop->index);
  int64_t coefficient;
  if (!extent || !extent_is_constant(extent, &coefficient)) return 0;
  return affine_is_linear_in(b->scratch, &affine, b->loop->index) ? coefficient : 0;
}

/* e//d + rest >= 0 is e + d*rest >= 0, and rest - e//d >= 0 is d*rest + d - 1 - e >= 0. */
static const Expr *without_quotient(const Bounding *b, const Expr *form) {
  Affine affine = affine_of(b->table, b->scratch, form);
  for (int i = 0; i < affine.count; i++) {
    const Expr *quotient = affine.terms[i].atom;
    int64_t sign;
    if (quotient->op != OP_IDIV || quotient->args[1]->op != OP_INTEGER) continue;
    if (!extent_is_constant(affine.terms[i].coefficient, &sign) || (sign != 1 && sign != -1))
      continue;
    int64_t divisor = quotient->args[1]->integer;
    if (divisor <= 0 || !expr_uses_index(b->scratch, quotient, b->loop->index)) continue;
    const Expr *rest = subtract(b, form, multiply(b, quotient, sign));
    const Expr *scaled = add(b, multiply(b, rest, divisor), multiply(b, quotient->args[0], sign));
    return sign > 0 ? scaled : add(b, scaled, whole(b, divisor - 1));
  }
  return form;
}

int64_t bound_slope(ExprTable *table, Arena *scratch, const Expr *conjunct, const Index *index) {
  int64_t slope;
  if (conjunct->op != OP_LT && conjunct->op != OP_LE) return 0;
  if (conjunct->args[0]->type != TYPE_INT || conjunct->args[1]->type != TYPE_INT) return 0;
  const Expr *gap = expr_binary(table, OP_SUB, conjunct->args[1], conjunct->args[0]);
  Affine affine = affine_of(table, scratch, gap);
  const Extent *coefficient = affine_coefficient(&affine, index);
  bool is_number = coefficient && extent_is_constant(coefficient, &slope);
  return is_number && affine_is_linear_in(scratch, &affine, index) ? slope : 0;
}

/* The bound, or the one there is, or the stricter of both when none is known to be. */
static const Expr *stricter(const Bounding *b, Op op, const Expr *old, const Expr *bound) {
  int64_t least, greatest;
  const Expr *gain = op == OP_MAX ? subtract(b, bound, old) : subtract(b, old, bound);
  affine_interval(b->table, b->scratch, gain, NULL, &least, &greatest);
  if (greatest <= 0) return old;
  return least >= 0 ? bound : expr_binary(b->table, op, old, bound);
}

/* Restricts the loop to form >= 0. */
static bool bound_by_form(const Bounding *b, const Expr *form) {
  form = without_quotient(b, form);
  int64_t coefficient = coefficient_in(b, form);
  if (coefficient == 0) return false;
  LoopNode *loop = b->loop;
  const Expr *index = expr_index(b->table, loop->index);
  const Expr *rest = subtract(b, form, multiply(b, index, coefficient));
  int64_t divisor = coefficient < 0 ? -coefficient : coefficient;
  const Expr *dividend =
      coefficient > 0 ? subtract(b, whole(b, divisor - 1), rest) : add(b, rest, whole(b, divisor));
  const Expr *bound = expr_binary(b->table, OP_IDIV, dividend, whole(b, divisor));
  if (coefficient > 0)
    loop->begin = stricter(b, OP_MAX, loop->begin, bound);
  else
    loop->end = stricter(b, OP_MIN, loop->end, bound);
  return true;
}

static bool bound_by_comparison(const Bounding *b, const Expr *e) {
  if (e->op != OP_LT && e->op != OP_LE && e->op != OP_EQ) return false;
  if (e->args[0]->type != TYPE_INT || e->args[1]->type != TYPE_INT) return false;
  const Expr *gap = subtract(b, e->args[1], e->args[0]);
  if (e->op == OP_LT) gap = subtract(b, gap, whole(b, 1));
  if (!bound_by_form(b, gap)) return false;
  return e->op != OP_EQ || bound_by_form(b, multiply(b, gap, -1));
}

/* (index + rest) % d == r, or (rest - index) % d == r: every d-th value, from the first that has it. */
static bool bound_by_remainder(const Bounding *b, const Expr *e) {
  LoopNode *loop = b->loop;
  if (e->op != OP_EQ || loop->step != 1 || (loop->marks & MARK_DOWN)) return false;
  int side = e->args[0]->op == OP_MOD ? 0 : 1;
  const Expr *remainder = e->args[side], *value = e->args[1 - side];
  if (remainder->op != OP_MOD || remainder->args[1]->op != OP_INTEGER) return false;
  int64_t divisor = remainder->args[1]->integer;
  int64_t coefficient = coefficient_in(b, remainder->args[0]);
  bool possible = value->op == OP_INTEGER && value->integer >= 0 && value->integer < divisor;
  if (!possible || (coefficient != 1 && coefficient != -1)) return false;
  const Expr *index = expr_index(b->table, loop->index);
  const Expr *rest = subtract(b, remainder->args[0], multiply(b, index, coefficient));
  const Expr *first = multiply(b, subtract(b, value, rest), coefficient);
  const Expr *ahead =
      expr_binary(b->table, OP_MOD, subtract(b, first, loop->begin), whole(b, divisor));
  loop->begin = add(b, loop->begin, ahead);
  loop->step = divisor;
  return true;
}

typedef bool (*BoundBy)(const Bounding *b, const Expr *condition);

/* `first`, which no other conjunct was left to protect when the loop was opened, may read anything. */
static void answer_by(Site *site, const Bounding *b, BoundBy bound_by, const Expr *first) {
  for (int i = 0; i < site->guard.count;) {
    const Expr *e = site->guard.items[i];
    bool answered = is_known(site, b->scratch, e) &&
                    (e == first || is_total(site, b->scratch, e)) &&
                    bound_by(b, site_value(site, e));
    if (answered)
      remove_conjunct(site, i);
    else
      i++;
  }
}

void bound_rounds(Site *site, LoopNode *rounds, const Index *variable, int lanes) {
  ExprTable *table = site->routine->model->exprs;
  Bounding b = {.table = table, .scratch = arena_new(), .loop = rounds};
  int bound = site->bound;
  site_bind(site, variable, expr_index(table, rounds->index));
  for (int i = 0; i < site->guard.count; i++) {
    const Expr *e = site->guard.items[i];
    if (is_known(site, b.scratch, e) && is_total(site, b.scratch, e))
      bound_by_comparison(&b, site_value(site, e));
  }
  const Expr *before = expr_binary(table, OP_IDIV, rounds->begin, whole(&b, lanes));
  rounds->begin = multiply(&b, before, lanes);
  site->bound = bound;
  arena_free(b.scratch);
}

void bound_rounds_of_rows(Site *site, LoopNode *rounds, const Index *variable, int lanes,
                          const Index *row, const Expr *first, int64_t rows) {
  ExprTable *table = site->routine->model->exprs;
  Arena *scratch = arena_new();
  ExprList guard = site->guard;
  int bound = site->bound;
  for (int i = 0; i < guard.count; i++) {
    const Expr *e = guard.items[i];
    int64_t slope = bound_slope(table, scratch, e, row);
    site->guard = (ExprList){0};
    APPEND(scratch, &site->guard, e);
    if (slope != 0)
      site_bind(site, row,
                slope < 0 ? first
                          : expr_binary(table, OP_ADD, first, expr_integer(table, rows - 1)));
    bound_rounds(site, rounds, variable, lanes);
    site->bound = bound;
  }
  site->guard = guard;
  arena_free(scratch);
}

LoopBody *open_bounded_loop(Site *site, LoopBody *body, const Index *index) {
  LoopBody *inner = open_loop(site, body, index);
  Bounding b = {.table = site->routine->model->exprs,
                .scratch = arena_new(),
                .loop = body->items[body->count - 1]};
  const Expr *first = site->guard.count > 0 ? site->guard.items[0] : NULL;
  answer_by(site, &b, bound_by_comparison, first);
  answer_by(site, &b, bound_by_remainder, first);
  arena_free(b.scratch);
  return open_branch(site, inner);
}
