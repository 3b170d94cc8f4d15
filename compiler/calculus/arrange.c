/* The order of every reduction.

   From here on roundings are fixed: whatever target, tile or thread count the loops are given, the terms
   of a floating-point reduction are added in the order that `lanes` says. It follows from the equation's
   index structure and declared sizes alone:

   16 lanes  a reduction along contiguous memory: the last reduced variable runs at least 16 long, every
             read that uses it has it as its innermost subscript, and there is such a read. Full reductions,
             rows of softmax and layer norm, products of a matrix and a vector; contractions of many terms
             for a narrow target.
   1 lane    in sequence: all others. They are vectorised along a variable of the target instead. So are
             other contractions, products in which each of two factors has a target variable that the other lacks:
             kernels keep a tile of the target in registers and add along the sum. So are the adjoints of
             gathers, whose points are each added to the element they name.

   A sum over the steps of a recurrence takes the steps outermost and in the order in which it comes to them: of
   one that runs backwards, as the gradients of what all steps share have it, sum[t](x[T-1-t]). So the backward
   pass can add each as it comes by, with or without `checkpoint`.

   max, min, argmax, argmin, any and all do not depend on order. */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/condition.h"
#include "calculus/steps.h"
#include "equations/affine.h"
#include "equations/contraction.h"

enum { LEAST_TERMS = 16 * LANES }; /* of a contraction in lanes: their tree costs little */

static bool depends_on_order(const Equation *equation) {
  if (equation->target->type != TYPE_REAL && equation->target->type != TYPE_F64) return false;
  return equation->reduction == REDUCE_SUM || equation->reduction == REDUCE_PROD ||
         equation->reduction == REDUCE_LSE;
}

/* Every read that uses the index runs along it, and some read does. */
static bool runs_along(Arena *scratch, const Equation *equation, const Index *index) {
  bool found = false;
  ExprList nodes = expr_postorder(scratch, &equation->body, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    if (!is_read(e) || !expr_uses_index(scratch, e, index)) continue;
    if (e->tensor->rank == 0 || lone_index(e->args[e->tensor->rank - 1]) != index) return false;
    found = true;
  }
  return found;
}

static bool is_long_and_narrow(Arena *scratch, const Equation *equation) {
  return contraction_is_narrow(scratch, equation) && contraction_terms(equation) >= LEAST_TERMS;
}

static int lanes_of(Arena *scratch, const Equation *equation) {
  if (equation->reduction == REDUCE_NONE) return 0;
  if (!depends_on_order(equation)) return 1;
  const Index *last = equation->reduced[equation->reduced_count - 1];
  if (extent_maximum(last->range) < LANES || equation_scatters_any(equation)) return 1;
  if (equation_contracts(scratch, equation) && !is_long_and_narrow(scratch, equation)) return 1;
  return runs_along(scratch, equation, last) ? LANES : 1;
}

/* ---- steps of recurrences ---- */

/* t becomes T-1-t. */
static void count_from_end(Model *model, Arena *scratch, Equation *equation, const Index *index) {
  ExprTable *table = model->exprs;
  const Expr *last = expr_extent(
      table, extent_subtract(model->extents, index->range, extent_constant(model->extents, 1)));
  const Expr *value = expr_binary(table, OP_SUB, last, expr_index(table, index));
  equation->body = expr_substitute(table, scratch, equation->body, &index, &value, 1);
  if (equation->guard)
    equation->guard = expr_substitute(table, scratch, equation->guard, &index, &value, 1);
}

static void arrange_steps(Model *model, Arena *scratch, const Stepping *stepping,
                          Equation *equation) {
  int direction = 0;
  if (equation->reduced_count == 0 || !depends_on_order(equation)) return;
  const Index *steps = stepping_sum(stepping, equation, &direction);
  if (!steps) return;
  const Index **reduced = NEW_ARRAY(model->arena, const Index *, equation->reduced_count);
  reduced[0] = steps;
  for (int i = 0, next = 1; i < equation->reduced_count; i++)
    if (equation->reduced[i] != steps) reduced[next++] = equation->reduced[i];
  equation->reduced = reduced;
  if (direction < 0) count_from_end(model, scratch, equation, steps);
}

void arrange(Model *model, Program *program) {
  Arena *scratch = arena_new();
  const Stepping *stepping = stepping_new(model, scratch, program);
  for (int i = 0; i < program->equations.count; i++) {
    Equation *equation = program->equations.items[i];
    arrange_steps(model, scratch, stepping, equation);
    equation->lanes = lanes_of(scratch, equation);
  }
  arena_free(scratch);
}
