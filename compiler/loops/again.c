/* Copies of equations that share no variable and no target with the original. */
#include "loops/again.h"

Tensor *tensor_like(Model *model, const Tensor *like, const char *ending) {
  Tensor *tensor = arena_copy(model->arena, like, sizeof *like);
  tensor->name = name_format(model->names, "%s.%s", like->name, ending);
  tensor->id = model->next_tensor++;
  return tensor;
}

Equation *equation_again(Routine *routine, Arena *scratch, Equation *equation, Tensor *target,
                         Renaming *renaming) {
  Model *model = routine->model;
  Equation *again = arena_copy(model->arena, equation, sizeof *equation);
  IndexList variables = equation_variables(scratch, equation), taken = {0};
  *renaming = renaming_new(model, model->arena, variables.items, variables.count, &taken);
  again->vars = renaming->to;
  again->reduced = renaming->to + again->var_count;
  again->target = target;
  again->body = renaming_apply(model, scratch, renaming, again->body);
  again->guard = renaming_apply(model, scratch, renaming, again->guard);
  target->definition = again;
  map_put(&routine->sources, again, equation_source(routine, equation));
  return again;
}
