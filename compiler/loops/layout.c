/* What the passes on layout share. */
#include "loops/layout.h"

#include "calculus/variables.h"
#include "equations/affine.h"

void layout_run(Layout *layout, Routine *routine, void (*visit)(Layout *, Equation *)) {
  *layout = (Layout){.routine = routine, .scratch = arena_new()};
  int forward_count = 0;
  for (int i = 0; i < routine->equations.count; i++) {
    visit(layout, routine->equations.items[i]);
    if (i + 1 == routine->forward_count) forward_count = layout->equations.count;
  }
  routine->equations = layout->equations;
  routine->forward_count = forward_count;
  arena_free(layout->scratch);
}

void layout_define(Layout *layout, Equation *equation, Name name, const Axis *axes, int rank) {
  TensorList apart = {0};
  Tensor *tensor =
      tensor_new(layout->routine->model, &apart, name, ROLE_VALUE, TYPE_REAL, axes, rank);
  equation->target = tensor;
  tensor->definition = equation;
  map_put(&layout->routine->made, tensor, tensor);
}

Equation *layout_copy(Layout *layout, const Equation *equation, Name name,
                      const IndexList *variables, const Expr *element) {
  Model *model = layout->routine->model;
  Axis axes[LIMIT_RANK] = {{0}};
  IndexList taken = {0};
  int rank = variables->count;
  for (int i = 0; i < rank; i++) axes[i].extent = variables->items[i]->range;
  Equation *copy = NEW(model->arena, Equation);
  Renaming renaming = renaming_new(model, model->arena, variables->items, rank, &taken);
  *copy = (Equation){.vars = renaming.to,
                     .var_count = rank,
                     .body = renaming_apply(model, layout->scratch, &renaming, element),
                     .instance = equation->instance,
                     .span = equation->span};
  for (int i = 0; i < rank; i++) copy->place[i] = i;
  layout_define(layout, copy, name, axes, rank);
  return copy;
}

Equation *layout_reading(Layout *layout, Equation *equation, const Expr *factor, const Expr *read) {
  Model *model = layout->routine->model;
  Equation *reading = arena_copy(model->arena, equation, sizeof *equation);
  const Expr *a = equation->body->args[0], *b = equation->body->args[1];
  reading->body = expr_binary(model->exprs, OP_MUL, a == factor ? read : a, b == factor ? read : b);
  map_put(&layout->routine->sources, reading, equation_source(layout->routine, equation));
  return reading;
}

bool layout_may_read_ahead(Layout *t, const Expr *factor, const RecurrentEquation *recurrent) {
  ExprTable *table = t->routine->model->exprs;
  ExprList nodes = expr_postorder(t->scratch, &factor, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *read = nodes.items[i];
    if (!is_read(read)) continue;
    const RecurrentEquation *other = map_get(&t->routine->recurrences, read->tensor);
    if (recurrent && other && other->group == recurrent->group) return false;
    if (map_has(&t->routine->segments, read->tensor)) return false;
    for (int dim = 0; dim < read->tensor->rank && !read_default(read); dim++)
      if (!affine_proves_range(table, t->scratch, read->args[dim], read->tensor->axes[dim].extent,
                               NULL, NULL))
        return false;
  }
  return true;
}

void layout_insert(Layout *t, Equation *copy, int group) {
  EquationList *list = &t->equations;
  APPEND(t->routine->model->arena, list, copy);
  for (int i = list->count - 1; i > 0; i--) {
    const RecurrentEquation *last = map_get(&t->routine->recurrences, list->items[i - 1]->target);
    if (!last || last->group != group) return;
    list->items[i] = list->items[i - 1];
    list->items[i - 1] = copy;
  }
}
