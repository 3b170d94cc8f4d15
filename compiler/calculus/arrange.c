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

   A sum in sequence of rows that lie in blocks, as over all samples and their steps for the gradient of a bias, is
   first taken block by block. So the sums of one sample go with what makes its rows, whatever thread does that.

   A sum over the steps of a recurrence takes the steps outermost and in the order in which it comes to them: of
   one that runs backwards, as the gradients of what all steps share have it, sum[t](x[T-1-t]). So the backward
   pass can add each as it comes by, with or without `checkpoint`.

   max, min, argmax, argmin, any and all do not depend on order. */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/condition.h"
#include "calculus/steps.h"
#include "calculus/variables.h"
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

static void arrange_steps(Model *model, Arena *scratch, Equation *equation, const Index *steps,
                          int direction) {
  const Index **reduced = NEW_ARRAY(model->arena, const Index *, equation->reduced_count);
  reduced[0] = steps;
  for (int i = 0, next = 1; i < equation->reduced_count; i++)
    if (equation->reduced[i] != steps) reduced[next++] = equation->reduced[i];
  equation->reduced = reduced;
  if (direction < 0) count_from_end(model, scratch, equation, steps);
}

/* ---- subtotals ---- */

static bool has_at(const Expr *read, int dim, const Index *index) {
  return read->tensor->rank > 1 && lone_index(read->args[dim]) == index;
}

/* What it sums are rows along the last variable of the target, in one block for each value of the index. */
static bool sums_rows_of_blocks(Arena *scratch, const Equation *equation, const Index *index) {
  const Index *column = equation->vars[equation->var_count - 1];
  bool found = false;
  ExprList nodes = expr_postorder(scratch, &equation->body, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    if (!is_read(e) || !expr_uses_index(scratch, e, index)) continue;
    if (!has_at(e, 0, index)) return false;
    found |= has_at(e, e->tensor->rank - 1, column);
  }
  return found;
}

static bool counts_steps(const Stepping *stepping, const Equation *equation) {
  for (int i = 0; i < equation->var_count; i++)
    if (stepping_counts(stepping, equation, equation->vars[i])) return true;
  return false;
}

static bool has_subtotals(Arena *scratch, const Stepping *stepping, const Equation *equation) {
  double points = 1;
  if (equation->reduction != REDUCE_SUM || equation->guard || counts_steps(stepping, equation))
    return false;
  if (equation->var_count == 0 || equation->var_count == LIMIT_RANK) return false;
  if (equation_scatters_any(equation) || equation_contracts(scratch, equation)) return false;
  for (int i = 1; i < equation->reduced_count; i++)
    points *= (double)extent_maximum(equation->reduced[i]->range);
  return points >= LANES && lanes_of(scratch, equation) == 1 &&
         sums_rows_of_blocks(scratch, equation, equation->reduced[0]);
}

/* b[k] = sum[n, t](x[n, t, k]) becomes sum[n](s[n, k]) with s[n, k] = sum[t](x[n, t, k]). */
static void take_subtotals(Model *model, Arena *scratch, Program *program, Equation *equation) {
  IndexList free = {0}, reduced = {0};
  APPEND(scratch, &free, equation->reduced[0]);
  for (int i = 0; i < equation->var_count; i++) APPEND(scratch, &free, equation->vars[i]);
  for (int i = 1; i < equation->reduced_count; i++) APPEND(scratch, &reduced, equation->reduced[i]);
  Name name = name_format(model->names, "%s.subtotal", equation->target->name);
  equation->body =
      equation_hoist_over(model, program, name, &free, &reduced, equation->body, equation);
  equation->reduced_count = 1;
}

static void arrange_terms(Model *model, Arena *scratch, const Stepping *stepping, Program *program,
                          Equation *equation) {
  int direction = 0;
  if (equation->reduced_count == 0 || !depends_on_order(equation)) return;
  const Index *steps = stepping_sum(stepping, equation, &direction);
  if (steps)
    arrange_steps(model, scratch, equation, steps, direction);
  else if (has_subtotals(scratch, stepping, equation))
    take_subtotals(model, scratch, program, equation);
}

void arrange(Model *model, Program *program) {
  Arena *scratch = arena_new();
  const Stepping *stepping = stepping_new(model, scratch, program);
  int count = program->equations.count;
  for (int i = 0; i < count; i++)
    arrange_terms(model, scratch, stepping, program, program->equations.items[i]);
  for (int i = 0; i < program->equations.count; i++)
    program->equations.items[i]->lanes = lanes_of(scratch, program->equations.items[i]);
  arena_free(scratch);
}
