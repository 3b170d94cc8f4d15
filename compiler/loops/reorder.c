/* Puts values in another order, and equations around them. */
#include "loops/reorder.h"

#include <string.h>

void reordering_init(Reordering *reordering, Routine *routine, Arena *scratch) {
  *reordering = (Reordering){.routine = routine, .scratch = scratch};
  map_init(&reordering->dims, scratch);
  map_init(&reordering->results, scratch);
}

void reordering_add(Reordering *reordering, const Tensor *tensor, int dim) {
  map_put(&reordering->dims, tensor, arena_copy(reordering->scratch, &dim, sizeof dim));
}

static Tensor *tensor_reordered(Model *model, const Tensor *tensor, int dim) {
  Tensor *result = arena_copy(model->arena, tensor, sizeof *tensor);
  result->id = model->next_tensor++;
  for (int i = dim; i + 1 < tensor->rank; i++) result->axes[i] = tensor->axes[i + 1];
  result->axes[tensor->rank - 1] = tensor->axes[dim];
  return result;
}

static const Expr *read_reordered(void *context, const Expr *leaf) {
  const Reordering *r = context;
  const int *dim = is_read(leaf) ? map_get(&r->dims, leaf->tensor) : NULL;
  if (!dim) return leaf;
  const Expr *subscripts[LIMIT_RANK];
  int rank = read_rank(leaf);
  for (int i = 0, next = 0; i < rank; i++)
    if (i != *dim) subscripts[next++] = leaf->args[i];
  subscripts[rank - 1] = leaf->args[*dim];
  return expr_read(r->routine->model->exprs, map_get(&r->results, leaf->tensor), subscripts,
                   read_default(leaf));
}

static void reorder_target(const Reordering *r, Equation *equation, int dim) {
  Arena *arena = r->routine->model->arena;
  int count = equation->var_count, next = 0;
  const Index **vars = arena_copy(arena, equation->vars, (size_t)count * sizeof *equation->vars);
  int place[LIMIT_RANK];
  memcpy(place, equation->place, sizeof place);
  for (int i = 0; i < count; i++) {
    if (place[i] == dim) {
      vars[count - 1] = equation->vars[i];
      equation->place[count - 1] = equation->target->rank - 1;
      continue;
    }
    vars[next] = equation->vars[i];
    equation->place[next++] = place[i] - (place[i] > dim);
  }
  equation->vars = vars;
  equation->target = map_get(&r->results, equation->target);
  equation->target->definition = equation;
}

static Equation *equation_reordered(Reordering *r, Equation *equation) {
  Model *model = r->routine->model;
  if (!equation_touches(r->scratch, equation, &r->dims)) return equation;
  Equation *result = arena_copy(model->arena, equation, sizeof *equation);
  result->body = expr_rewrite(model->exprs, r->scratch, equation->body, read_reordered, r);
  if (equation->guard)
    result->guard = expr_rewrite(model->exprs, r->scratch, equation->guard, read_reordered, r);
  map_put(&r->routine->sources, result, equation_source(r->routine, equation));
  const int *dim = map_get(&r->dims, equation->target);
  if (dim) reorder_target(r, result, *dim);
  return result;
}

void routine_reorder(Reordering *r) {
  Routine *routine = r->routine;
  EquationList equations = {0};
  for (int i = 0; i < r->dims.count; i++) {
    const int *dim = r->dims.values[i];
    map_put(&r->results, r->dims.keys[i], tensor_reordered(routine->model, r->dims.keys[i], *dim));
  }
  for (int i = 0; i < routine->equations.count; i++)
    APPEND(routine->model->arena, &equations, equation_reordered(r, routine->equations.items[i]));
  routine->equations = equations;
}
