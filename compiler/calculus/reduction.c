/* Adjoints through reductions. */
#include "calculus/reduction.h"

#include "calculus/arithmetic.h"
#include "calculus/unbounded.h"
#include "calculus/variables.h"

#include <math.h>

/* reduce'[r' if guard(r') and extra(r, r')](body(r')), over the points r' of the same equation. */
static const Expr *reduce_again(Model *model, Program *program, Arena *scratch,
                                const Equation *equation, Reduction reduction, const char *suffix,
                                bool others_only) {
  IndexList taken = equation_variables(scratch, equation);
  if (!others_only) taken.count = equation->var_count;
  Renaming renaming =
      renaming_new(model, scratch, equation->reduced, equation->reduced_count, &taken);
  const Expr *guard = renaming_apply(model, scratch, &renaming, equation->guard);
  const Expr *body = renaming_apply(model, scratch, &renaming, equation->body);
  if (others_only) {
    const Expr *here = indices_linear(model, renaming.from, renaming.count);
    const Expr *there = indices_linear(model, renaming.to, renaming.count);
    guard = arithmetic_and(model->exprs, guard, expr_binary(model->exprs, OP_NE, there, here));
  }
  Name name = name_format(model->names, "%s.%s", equation->target->name, suffix);
  return equation_hoist(model, program, name, reduction, renaming.to, renaming.count, guard, body,
                        equation->instance, equation->span);
}

static const Expr *first_attaining(Model *model, Program *program, Arena *scratch,
                                   const Equation *equation, const Expr *adjoint) {
  Reduction reduction = equation->reduction == REDUCE_MAX ? REDUCE_ARGMAX : REDUCE_ARGMIN;
  const Expr *where = reduce_again(model, program, scratch, equation, reduction, "at", false);
  const Expr *here = indices_linear(model, equation->reduced, equation->reduced_count);
  return arithmetic_restrict(model->exprs, expr_binary(model->exprs, OP_EQ, here, where), adjoint);
}

/* Where all elements are -inf, so is Y: measured from 0 their weight is 0, not that of -inf + inf. */
static const Expr *softmax_weight(Model *model, Arena *scratch, const Equation *equation,
                                  const Expr *adjoint) {
  ExprTable *table = model->exprs;
  const Expr *value = equation_own_read(model, equation, equation->target);
  if (may_be_infinite(scratch, equation->body)) {
    const Expr *nothing = expr_binary(table, OP_EQ, value, expr_number(table, -INFINITY));
    value = expr_select(table, nothing, expr_number(table, 0), value);
  }
  const Expr *distance = expr_binary(table, OP_SUB, equation->body, value);
  return arithmetic_multiply(model->exprs, adjoint, expr_unary(model->exprs, OP_EXP, distance));
}

const Expr *reduction_adjoint(Model *model, Program *program, Arena *scratch,
                              const Equation *equation, const Expr *adjoint) {
  switch (equation->reduction) {
  case REDUCE_NONE:
  case REDUCE_SUM: return adjoint;
  case REDUCE_LSE: return softmax_weight(model, scratch, equation, adjoint);
  case REDUCE_MAX:
  case REDUCE_MIN: return first_attaining(model, program, scratch, equation, adjoint);
  case REDUCE_PROD: {
    const Expr *others =
        reduce_again(model, program, scratch, equation, REDUCE_PROD, "others", true);
    return arithmetic_multiply(model->exprs, adjoint, others);
  }
  default: return expr_number(model->exprs, 0);
  }
}
