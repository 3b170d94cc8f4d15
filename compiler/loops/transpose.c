/* Transposition: the factors of a contraction lie in memory as its inner loop runs.

     dx[n, i] = sum[k](dy[n, k]*W[i, k])   gives   W.transposed[k, i] = W[i, k]
                                                   dx[n, i] = sum[k](dy[n, k]*W.transposed[k, i])

   The inner loop of a contraction runs along the last variable of its target; where the factor that has it
   is not contiguous along it, every sum would be a chain of additions that wait for each other. A copy
   that is contiguous costs a pass over the factor, and each of its elements is used for every value of the
   other factor's variables. Sums keep their order, so bits do not change. */
#include "equations/contraction.h"

#include "calculus/condition.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "loops/layout.h"

enum {
  LEAST_USES = 8,    /* of each element of the copy */
  LEAST_COLUMNS = 4, /* of the inner loop */
  LEAST_TERMS = 4    /* of the sum: fewer do not wait for each other for long */
};

/* ---- is there something to transpose? ---- */

static double points_of(const IndexList *variables) {
  double points = 1;
  for (int i = 0; i < variables->count; i++)
    points *= (double)extent_maximum(variables->items[i]->range);
  return points;
}

/* Variables that the factor uses, the column last. */
static IndexList factor_variables(Layout *t, const Equation *equation, const Expr *factor,
                                  const Index *column) {
  IndexList all = equation_variables(t->scratch, equation), used = {0};
  for (int i = 0; i < all.count; i++)
    if (all.items[i] != column && expr_uses_index(t->scratch, factor, all.items[i]))
      APPEND(t->scratch, &used, all.items[i]);
  APPEND(t->scratch, &used, column);
  return used;
}

/* Elements of the largest tensor that is read. */
static double largest_read(Layout *t, const Expr *factor) {
  double largest = 0;
  ExprList nodes = expr_postorder(t->scratch, &factor, 1);
  for (int i = 0; i < nodes.count; i++) {
    if (!is_read(nodes.items[i])) continue;
    double elements = tensor_volume(nodes.items[i]->tensor);
    if (elements > largest) largest = elements;
  }
  return largest;
}

/* The factor to transpose and its variables; null: the equation stays as it is. */
static const Expr *find_factor(Layout *t, const Equation *equation, IndexList *variables) {
  const Routine *routine = t->routine;
  const RecurrentEquation *recurrent = map_get(&routine->recurrences, equation->target);
  if (map_has(&routine->segments, equation->target)) return NULL;
  if (!equation_contracts(t->scratch, equation) || equation->lanes > 1) return NULL;
  const Index *column = equation->vars[equation->var_count - 1];
  const Expr *factor = contraction_factor(t->scratch, equation, column);
  if (!factor || factor->type != TYPE_REAL || equation_scatters(equation, column)) return NULL;
  if (extent_maximum(column->range) < LEAST_COLUMNS || contraction_terms(equation) < LEAST_TERMS)
    return NULL;
  if (recurrent && expr_uses_index(t->scratch, factor, recurrent->time)) return NULL;
  if (expr_movement(routine->model->exprs, factor, column) != NOT_BY_ONE) return NULL;
  *variables = factor_variables(t, equation, factor, column);
  bool is_small = variables->count <= LIMIT_RANK && points_of(variables) <= largest_read(t, factor);
  bool is_worth_it = is_small && contraction_uses(t->scratch, equation, factor) >= LEAST_USES;
  return is_worth_it && layout_may_read_ahead(t, factor, recurrent) ? factor : NULL;
}

/* ---- the copy ---- */

static Name name_of_copy(Model *model, const Equation *equation, const Expr *factor) {
  Name name = is_read(factor) ? factor->tensor->name : equation->target->name;
  return name_format(model->names, "%s.transposed", name);
}

static void transpose_equation(Layout *t, Equation *equation) {
  IndexList variables = {0};
  const RecurrentEquation *recurrent = map_get(&t->routine->recurrences, equation->target);
  const Expr *factor = find_factor(t, equation, &variables);
  if (factor) {
    Name name = name_of_copy(t->routine->model, equation, factor);
    Equation *copy = layout_copy(t, equation, name, &variables, factor);
    layout_insert(t, copy, recurrent ? recurrent->group : 0);
    const Expr *read = tensor_read(t->routine->model, copy->target, variables.items);
    equation = layout_reading(t, equation, factor, read);
  }
  APPEND(t->routine->model->arena, &t->equations, equation);
}

void routine_transpose(Routine *routine) {
  Layout layout;
  layout_run(&layout, routine, transpose_equation);
}
