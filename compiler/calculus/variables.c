/* Index variables and what they address. */
#include "calculus/variables.h"

static bool is_taken(const IndexList *taken, Name name) {
  for (int i = 0; i < taken->count; i++)
    if (taken->items[i]->name == name) return true;
  return false;
}

Name name_apart(Model *model, Name wanted, const IndexList *taken) {
  Name name = wanted;
  for (int n = 2; is_taken(taken, name); n++) name = name_format(model->names, "%s%d", wanted, n);
  return name;
}

IndexList equation_variables(Arena *arena, const Equation *equation) {
  IndexList list = {0};
  for (int i = 0; i < equation->var_count; i++) APPEND(arena, &list, equation->vars[i]);
  for (int i = 0; i < equation->reduced_count; i++) APPEND(arena, &list, equation->reduced[i]);
  return list;
}

int equation_dim_of(const Equation *equation, const Index *variable) {
  int dim = -1, sharing = 0;
  for (int i = 0; i < equation->var_count; i++)
    if (equation->vars[i] == variable) dim = equation->place[i];
  for (int i = 0; i < equation->var_count; i++) sharing += equation->place[i] == dim;
  return sharing == 1 ? dim : -1;
}

const Expr *indices_linear(Model *model, const Index *const *indices, int count) {
  const Expr *linear = expr_integer(model->exprs, 0);
  for (int i = 0; i < count; i++) {
    const Expr *range = expr_extent(model->exprs, indices[i]->range);
    linear = expr_binary(model->exprs, OP_MUL, linear, range);
    linear = expr_binary(model->exprs, OP_ADD, linear, expr_index(model->exprs, indices[i]));
  }
  return linear;
}

const Expr *indices_count(Model *model, const Index *const *indices, int count) {
  const Extent *points = extent_constant(model->extents, 1);
  for (int i = 0; i < count; i++)
    points = extent_multiply(model->extents, points, indices[i]->range);
  return expr_extent(model->exprs, points);
}

static double elements(const Tensor *tensor) {
  double product = 1;
  for (int k = 0; k < tensor->rank; k++) product *= (double)extent_maximum(tensor->axes[k].extent);
  return product;
}

double equation_largest_tensor(Arena *scratch, const Equation *equation) {
  double largest = elements(equation->target);
  ExprList nodes = expr_postorder(scratch, &equation->body, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && elements(nodes.items[i]->tensor) > largest)
      largest = elements(nodes.items[i]->tensor);
  return largest;
}

const Expr *equation_own_read(Model *model, const Equation *equation, const Tensor *tensor) {
  const Expr *subscripts[LIMIT_RANK];
  for (int k = 0, v = 0; k < tensor->rank; k++) {
    int first = v;
    while (v < equation->var_count && equation->place[v] == k) v++;
    subscripts[k] = indices_linear(model, equation->vars + first, v - first);
  }
  return expr_read(model->exprs, tensor, subscripts, NULL);
}

const Expr *equation_at_read(Model *model, Arena *scratch, const Equation *equation,
                             const Expr *read, const Expr *e) {
  return expr_substitute(model->exprs, scratch, e, equation->vars, read->args, equation->var_count);
}

Renaming renaming_new(Model *model, Arena *arena, const Index *const *indices, int count,
                      IndexList *taken) {
  Renaming renaming = {.count = count};
  renaming.from = NEW_ARRAY(arena, const Index *, count);
  renaming.to = NEW_ARRAY(arena, const Index *, count);
  renaming.values = NEW_ARRAY(arena, const Expr *, count);
  for (int i = 0; i < count; i++) {
    Name name = name_apart(model, indices[i]->name, taken);
    renaming.from[i] = indices[i];
    renaming.to[i] = index_like(model, name, indices[i]);
    renaming.values[i] = expr_index(model->exprs, renaming.to[i]);
    APPEND(arena, taken, renaming.to[i]);
  }
  return renaming;
}

const Expr *renaming_apply(Model *model, Arena *scratch, const Renaming *renaming, const Expr *e) {
  if (!e) return NULL;
  return expr_substitute(model->exprs, scratch, e, renaming->from, renaming->values,
                         renaming->count);
}

/* The dims of what is hoisted are in the order in which its variables are made. */
const Expr *equation_hoist_over(Model *model, Program *program, Name name, const IndexList *free,
                                const IndexList *reduced, const Expr *body,
                                const Equation *for_equation) {
  Arena *scratch = arena_new();
  IndexList taken = {0};
  Renaming renaming = renaming_new(model, scratch, free->items, free->count, &taken);
  body = renaming_apply(model, scratch, &renaming, body);
  const Expr *read = equation_hoist(
      model, program, name, reduced->count > 0 ? REDUCE_SUM : REDUCE_NONE, reduced->items,
      reduced->count, NULL, body, for_equation->instance, for_equation->span);
  for (int i = 0; i < free->count; i++)
    renaming.values[i] = expr_index(model->exprs, free->items[i]);
  read = expr_substitute(model->exprs, scratch, read, renaming.to, renaming.values, free->count);
  arena_free(scratch);
  return read;
}
