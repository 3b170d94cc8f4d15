/* `grad x = expr`: the adjoint of x is what the clause says.

   The clause's equations read the adjoints of the results through placeholders. Each sweep has adjoints
   of its own, so it gets its own copy of those equations, the placeholders replaced. */
#include "calculus/sweep.h"

#include "calculus/variables.h"

const CustomGradient *custom_gradient_of(const Program *program, const Tensor *tensor) {
  for (int i = 0; i < program->custom_gradients.count; i++)
    if (program->custom_gradients.items[i].input == tensor)
      return &program->custom_gradients.items[i];
  return NULL;
}

typedef struct Copy {
  Sweep *sweep;
  const CustomGradient *custom;
  Map copies; /* tensor of the clause -> its copy for this sweep */
} Copy;

static const Tensor *result_of_placeholder(const CustomGradient *custom, const Tensor *tensor) {
  for (int i = 0; i < custom->incoming_count; i++)
    if (custom->incoming[i].placeholder == tensor) return custom->incoming[i].result;
  return NULL;
}

static const Expr *replace_read(void *context, const Expr *leaf) {
  const Copy *copy = context;
  if (!is_read(leaf)) return leaf;
  const Tensor *result = result_of_placeholder(copy->custom, leaf->tensor);
  if (result) return adjoint_read(copy->sweep, result, leaf->args);
  const Tensor *tensor = map_get(&copy->copies, leaf->tensor);
  if (!tensor) return leaf;
  return expr_read(copy->sweep->model->exprs, tensor, leaf->args, read_default(leaf));
}

static bool needs_copy(const Copy *copy, Arena *scratch, const Equation *equation) {
  if (map_has(&copy->copies, equation->target)) return false;
  ExprList nodes = equation_nodes(scratch, equation);
  for (int i = 0; i < nodes.count; i++) {
    if (!is_read(nodes.items[i])) continue;
    const Tensor *tensor = nodes.items[i]->tensor;
    if (result_of_placeholder(copy->custom, tensor) || map_has(&copy->copies, tensor)) return true;
  }
  return false;
}

static void make_copy_tensor(Copy *copy, const Tensor *tensor) {
  Sweep *s = copy->sweep;
  Name name = program_unique_name(s->model, s->program, tensor->name);
  Tensor *made = tensor_new(s->model, &s->program->tensors, name, ROLE_VALUE, tensor->type,
                            tensor->axes, tensor->rank);
  made->origin = tensor->origin;
  map_put(&copy->copies, tensor, made);
}

static const Expr *copy_expr(Copy *copy, const Renaming *renaming, const Expr *e) {
  Sweep *s = copy->sweep;
  if (!e) return NULL;
  e = expr_rewrite(s->model->exprs, s->scratch, e, replace_read, copy);
  return renaming_apply(s->model, s->scratch, renaming, e);
}

static void copy_equation(Copy *copy, const Equation *equation) {
  Sweep *s = copy->sweep;
  IndexList taken = {0}, variables = equation_variables(s->scratch, equation);
  Renaming renaming =
      renaming_new(s->model, s->model->arena, variables.items, variables.count, &taken);
  const Expr *body = copy_expr(copy, &renaming, equation->body);
  Tensor *target = map_get(&copy->copies, equation->target);
  Equation *made = equation_new(s->model, s->program, target, renaming.to, body);
  int place_count = equation->var_count;
  made->vars = renaming.to;
  made->var_count = place_count;
  for (int i = 0; i < place_count; i++) made->place[i] = equation->place[i];
  made->reduction = equation->reduction;
  made->reduced = renaming.to + place_count;
  made->reduced_count = equation->reduced_count;
  made->guard = copy_expr(copy, &renaming, equation->guard);
  made->instance = equation->instance;
  made->span = equation->span;
}

void custom_gradient_settle(Sweep *sweep, const CustomGradient *custom) {
  Copy copy = {.sweep = sweep, .custom = custom};
  map_init(&copy.copies, sweep->scratch);
  EquationList needed = program_needed(sweep->model, sweep->program, sweep->scratch,
                                       (Tensor *const[]){custom->adjoint}, 1);
  int before;
  do {
    before = copy.copies.count;
    for (int i = 0; i < needed.count; i++)
      if (needs_copy(&copy, sweep->scratch, needed.items[i]))
        make_copy_tensor(&copy, needed.items[i]->target);
  } while (copy.copies.count != before);
  for (int i = 0; i < needed.count; i++)
    if (map_has(&copy.copies, needed.items[i]->target)) copy_equation(&copy, needed.items[i]);
  const Tensor *made = map_get(&copy.copies, custom->adjoint);
  const Index *const *vars = adjoint_variables(sweep, custom->input, NULL);
  const Expr *read = tensor_read(sweep->model, made ? made : custom->adjoint, vars);
  adjoint_define(sweep, custom->input, read, custom->adjoint->definition);
}
