/* Reciprocals: which divisors no data reaches is followed through the definitions of scalars. */
#include "calculus/reciprocal.h"

/* Adds what the value of `e` depends on to `waiting`; false: something there is data, or varies. */
static bool follow(Arena *scratch, const Expr *e, Map *seen, TensorList *waiting) {
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (node->op == OP_INDEX || is_draw(node)) return false;
    if (!is_read(node) || map_has(seen, node->tensor)) continue;
    map_put(seen, node->tensor, (void *)node->tensor);
    APPEND(scratch, waiting, (Tensor *)node->tensor);
  }
  return true;
}

static bool is_of_the_step(const Tensor *tensor) {
  return tensor->role == ROLE_HYPER || tensor->role == ROLE_STEP;
}

static bool is_without_data(Arena *scratch, const Expr *e) {
  Map seen;
  TensorList waiting = {0};
  map_init(&seen, scratch);
  bool found = follow(scratch, e, &seen, &waiting);
  for (int i = 0; found && i < waiting.count; i++) {
    const Tensor *tensor = waiting.items[i];
    if (is_of_the_step(tensor)) continue;
    const Equation *definition = tensor->role == ROLE_VALUE ? tensor->definition : NULL;
    found = definition && tensor->rank == 0 && definition->reduction == REDUCE_NONE &&
            follow(scratch, definition->body, &seen, &waiting);
  }
  return found && waiting.count > 0;
}

static bool varies(Arena *scratch, const Expr *e) {
  IndexList indices = {0};
  expr_indices(scratch, e, &indices);
  return indices.count > 0;
}

static const Expr *divided(Model *model, Arena *scratch, const Expr *e, const Expr *const *args) {
  ExprTable *exprs = model->exprs;
  if (e->op != OP_DIV || e->type != TYPE_REAL || !varies(scratch, args[0])) return NULL;
  if (!is_without_data(scratch, args[1])) return NULL;
  return expr_binary(exprs, OP_MUL, args[0],
                     expr_binary(exprs, OP_DIV, expr_number(exprs, 1), args[1]));
}

const Expr *expr_with_reciprocals(Model *model, Arena *scratch, const Expr *e) {
  ExprList nodes = expr_postorder(scratch, &e, 1);
  Map made;
  map_init(&made, scratch);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i], *args[LIMIT_RANK + 1] = {0};
    for (int k = 0; k < node->count; k++) args[k] = map_get(&made, node->args[k]);
    const Expr *product = divided(model, scratch, node, args);
    if (!product) product = expr_over(model->exprs, node, args);
    map_put(&made, node, (void *)product);
  }
  return map_get(&made, e);
}
