/* Padding: a window that reaches over the edges of what it reads slides over a copy with zeros around.

     z[k, p] = sum[c, r if 0 <= p+r-1 and p+r-1 < T](x[c, p+r-1]*w[k, c, r])

   gives x.padded[c, u] = x[c, u-1 | 0] and z[k, p] = sum[c, r](x.padded[c, p+r]*w[k, c, r]), whose loops have the
   same bounds everywhere and so go on in vectors. It is done for contractions whose inner loop moves the window,
   forwards and backwards, and for those in lanes, so that windows go on side by side (dots.c). The zeros change no
   sum, which begins at +0 (FINITE, see calculus/unpad.c). */
#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "equations/contraction.h"
#include "loops/layout.h"

enum { MOST_GROWTH = 4 /* elements of the copy for each of what it copies */ };

/* A copy: of which tensor, with how many zeros before and behind in each dim. */
typedef struct Padded {
  const Tensor *of;
  Tensor *copy;
  int64_t before[LIMIT_RANK], behind[LIMIT_RANK];
} Padded;

typedef struct Padder {
  Layout layout; /* first: what visits an equation gets this */
  LIST_OF(Padded *) made;
} Padder;

/* ---- how much ---- */

static bool is_among(const ExprList *parts, const Expr *part) {
  for (int i = 0; i < parts->count; i++)
    if (parts->items[i] == part) return true;
  return false;
}

/* Whether `parts` has all conjuncts of the condition. */
static bool has_conjuncts(Padder *p, const ExprList *parts, const Expr *condition) {
  ExprList wanted = {0};
  condition_conjuncts(p->layout.scratch, condition, &wanted);
  for (int i = 0; i < wanted.count; i++)
    if (!is_among(parts, wanted.items[i])) return false;
  return true;
}

/* How far a subscript goes over the edges; false: by no number known here. */
static bool find_excess(Padder *p, const Expr *subscript, const Extent *extent, int64_t *before,
                        int64_t *behind) {
  ExprTable *table = p->layout.routine->model->exprs;
  ExtentTable *extents = p->layout.routine->model->extents;
  Affine affine = affine_of(table, p->layout.scratch, subscript);
  Bounds bounds = affine_bounds(table, p->layout.scratch, &affine);
  if (!bounds.low || !bounds.high || !extent_is_constant(bounds.low, before)) return false;
  const Extent *last = extent_subtract(extents, extent, extent_constant(extents, 1));
  if (!extent_is_constant(extent_subtract(extents, bounds.high, last), behind)) return false;
  *before = *before < 0 ? -*before : 0;
  *behind = *behind > 0 ? *behind : 0;
  return true;
}

/* Which dims need zeros, all of which the guard keeps the read from; false: not just those. */
static bool find_padding(Padder *p, const Expr *read, const ExprList *guard, Padded *padded) {
  ExprTable *table = p->layout.routine->model->exprs;
  bool found = false;
  double growth = 1;
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    const Extent *extent = read->tensor->axes[dim].extent;
    const Expr *inside = condition_in_range(table, p->layout.scratch, read->args[dim], extent);
    if (!inside) continue;
    if (!has_conjuncts(p, guard, inside)) return false;
    if (!find_excess(p, read->args[dim], extent, &padded->before[dim], &padded->behind[dim]))
      return false;
    double size = (double)extent_maximum(extent);
    growth *= (size + (double)(padded->before[dim] + padded->behind[dim])) / size;
    found = true;
  }
  padded->of = read->tensor;
  return found && growth <= MOST_GROWTH;
}

/* ---- the copy ---- */

static Padded *find_made(const Padder *p, const Padded *wanted) {
  for (int i = 0; i < p->made.count; i++) {
    const Padded *made = p->made.items[i];
    bool same = made->of == wanted->of;
    for (int dim = 0; dim < wanted->of->rank; dim++)
      same = same && made->before[dim] == wanted->before[dim] &&
             made->behind[dim] == wanted->behind[dim];
    if (same) return p->made.items[i];
  }
  return NULL;
}

/* padded[u..] = x[u - before.. | 0] */
static Equation *equation_padded(Padder *p, Padded *padded, const Equation *reader) {
  Model *model = p->layout.routine->model;
  const Tensor *of = padded->of;
  Axis axes[LIMIT_RANK] = {{0}};
  const Index **vars = NEW_ARRAY(model->arena, const Index *, LIMIT_RANK);
  const Expr *subscripts[LIMIT_RANK];
  Equation *copy = NEW(model->arena, Equation);
  *copy = (Equation){
      .vars = vars, .var_count = of->rank, .instance = reader->instance, .span = reader->span};
  for (int dim = 0; dim < of->rank; dim++) {
    const Extent *more = extent_constant(model->extents, padded->before[dim] + padded->behind[dim]);
    axes[dim].extent = extent_add(model->extents, of->axes[dim].extent, more);
    vars[dim] = index_new(model, name_format(model->names, "i%d", dim), axes[dim].extent);
    subscripts[dim] = expr_binary(model->exprs, OP_SUB, expr_index(model->exprs, vars[dim]),
                                  expr_integer(model->exprs, padded->before[dim]));
    copy->place[dim] = dim;
  }
  copy->body =
      expr_read(model->exprs, of, subscripts, reduction_identity(model, REDUCE_SUM, TYPE_REAL));
  layout_define(&p->layout, copy, name_format(model->names, "%s.padded", of->name), axes, of->rank);
  padded->copy = copy->target;
  return copy;
}

/* ---- the contraction ---- */

/* A window moves along the inner loop; or, where sums run in lanes, beside others. */
static bool is_window(Padder *p, const Equation *equation, const Expr *factor) {
  ExprTable *table = p->layout.routine->model->exprs;
  if (equation->lanes == 1) {
    const Index *column = equation->vars[equation->var_count - 1];
    return expr_movement(table, factor, column) == ALONG_WINDOW;
  }
  const Index *last = equation->reduced[equation->reduced_count - 1];
  return expr_movement(table, factor, last) == ALONG_ROW;
}

/* A factor to read from a padded copy; null: none. */
static const Expr *find_factor(Padder *p, const Equation *equation, const ExprList *guard,
                               Padded *padded) {
  for (int i = 0; i < 2; i++) {
    const Expr *factor = equation->body->args[i];
    if (!is_read(factor) || read_default(factor) || factor->tensor->type != TYPE_REAL) continue;
    if (!is_window(p, equation, factor)) continue;
    if (map_has(&p->layout.routine->recurrences, factor->tensor)) continue;
    *padded = (Padded){0};
    if (find_padding(p, factor, guard, padded)) return factor;
  }
  return NULL;
}

/* The guard without what kept the read within its tensor. */
static const Expr *remaining_guard(Padder *p, const ExprList *guard, const Expr *read) {
  ExprTable *table = p->layout.routine->model->exprs;
  ExprList answered = {0};
  const Expr *rest = NULL;
  condition_conjuncts(p->layout.scratch, condition_inside(table, p->layout.scratch, read),
                      &answered);
  for (int i = 0; i < guard->count; i++)
    if (!is_among(&answered, guard->items[i])) rest = arithmetic_and(table, rest, guard->items[i]);
  return rest;
}

static Equation *equation_reading(Padder *p, Equation *equation, const Expr *factor,
                                  const Padded *padded, const Expr *guard) {
  ExprTable *exprs = p->layout.routine->model->exprs;
  const Expr *subscripts[LIMIT_RANK];
  for (int dim = 0; dim < factor->tensor->rank; dim++)
    subscripts[dim] =
        expr_binary(exprs, OP_ADD, factor->args[dim], expr_integer(exprs, padded->before[dim]));
  const Expr *read = expr_read(exprs, padded->copy, subscripts, NULL);
  Equation *reading = layout_reading(&p->layout, equation, factor, read);
  reading->guard = guard;
  return reading;
}

static bool may_be_padded(Padder *p, const Equation *equation) {
  if (!equation->guard || equation->lanes < 1) return false;
  if (map_has(&p->layout.routine->segments, equation->target)) return false;
  if (map_has(&p->layout.routine->recurrences, equation->target)) return false;
  return equation_contracts(p->layout.scratch, equation);
}

static void pad_equation(Layout *layout, Equation *equation) {
  Padder *p = (Padder *)layout;
  Arena *arena = p->layout.routine->model->arena;
  ExprList guard = {0};
  Padded wanted = {0};
  const Expr *factor = NULL;
  if (may_be_padded(p, equation)) {
    condition_conjuncts(p->layout.scratch, equation->guard, &guard);
    factor = find_factor(p, equation, &guard, &wanted);
  }
  if (factor) {
    Padded *padded = find_made(p, &wanted);
    if (!padded) {
      padded = arena_copy(p->layout.scratch, &wanted, sizeof wanted);
      APPEND(p->layout.scratch, &p->made, padded);
      APPEND(arena, &p->layout.equations, equation_padded(p, padded, equation));
    }
    const Expr *rest = remaining_guard(p, &guard, factor);
    equation = equation_reading(p, equation, factor, padded, rest);
  }
  APPEND(arena, &p->layout.equations, equation);
}

void routine_pad(Routine *routine) {
  Padder padder = {0};
  layout_run(&padder.layout, routine, pad_equation);
}
