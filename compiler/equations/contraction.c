/* What makes a sum a contraction. */
#include "equations/contraction.h"

/* Some target variable is used by `a` and not by `b`. */
static bool has_own_variable(Arena *scratch, const Equation *equation, const Expr *a,
                             const Expr *b) {
  for (int i = 0; i < equation->var_count; i++)
    if (expr_uses_index(scratch, a, equation->vars[i]) &&
        !expr_uses_index(scratch, b, equation->vars[i]))
      return true;
  return false;
}

bool equation_contracts(Arena *scratch, const Equation *equation) {
  const Expr *e = equation->body;
  if (equation->reduction != REDUCE_SUM || e->op != OP_MUL) return false;
  return has_own_variable(scratch, equation, e->args[0], e->args[1]) &&
         has_own_variable(scratch, equation, e->args[1], e->args[0]);
}

const Expr *contraction_factor(Arena *scratch, const Equation *equation, const Index *variable) {
  const Expr *a = equation->body->args[0], *b = equation->body->args[1];
  bool in_a = expr_uses_index(scratch, a, variable), in_b = expr_uses_index(scratch, b, variable);
  if (in_a == in_b) return NULL;
  return in_a ? a : b;
}

double contraction_terms(const Equation *equation) {
  double terms = 1;
  for (int i = 0; i < equation->reduced_count; i++)
    terms *= (double)extent_maximum(equation->reduced[i]->range);
  return terms;
}

double contraction_uses(Arena *scratch, const Equation *equation, const Expr *factor) {
  double uses = 1;
  for (int i = 0; i < equation->var_count; i++)
    if (!expr_uses_index(scratch, factor, equation->vars[i]))
      uses *= (double)extent_maximum(equation->vars[i]->range);
  return uses;
}

bool contraction_is_narrow(Arena *scratch, const Equation *equation) {
  for (int i = 0; i < equation->var_count; i++)
    if (contraction_factor(scratch, equation, equation->vars[i]) &&
        extent_maximum(equation->vars[i]->range) > LANES)
      return false;
  return true;
}
