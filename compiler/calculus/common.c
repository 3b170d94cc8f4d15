/* Common variables: a pool for each range, which grows as positions are asked for. */
#include "calculus/common.h"

#include "calculus/variables.h"

enum { LEAST_COST = 12 /* operations, in multiplies: more than a division */ };

void common_open(CommonVariables *common, Model *model, Arena *arena) {
  *common = (CommonVariables){.model = model, .arena = arena};
  map_init(&common->by_range, arena);
}

static const Index *common_index(CommonVariables *common, const Extent *range, int position) {
  IndexList *pool = map_get(&common->by_range, range);
  if (!pool) {
    pool = NEW(common->arena, IndexList);
    map_put(&common->by_range, range, pool);
  }
  while (pool->count <= position) {
    Name name = name_format(common->model->names, "i%d", pool->count);
    APPEND(common->arena, pool, index_new(common->model, name, range));
  }
  return pool->items[position];
}

const Expr **common_values(CommonVariables *common, const Index *const *variables, int count) {
  const Expr **values = NEW_ARRAY(common->arena, const Expr *, count);
  for (int i = 0; i < count; i++)
    values[i] = expr_index(common->model->exprs, common_index(common, variables[i]->range, i));
  return values;
}

const Expr *over_common(CommonVariables *common, const Expr *e, const Index *const *variables,
                        int count) {
  if (!e) return NULL;
  return expr_substitute(common->model->exprs, common->arena, e, variables,
                         common_values(common, variables, count), count);
}

const Expr *common_body(CommonVariables *common, const Equation *equation) {
  IndexList variables = equation_variables(common->arena, equation);
  return over_common(common, equation->body, variables.items, variables.count);
}

IndexList indices_occurring(Arena *arena, const Expr *e) {
  IndexList list = {0};
  ExprList nodes = expr_postorder(arena, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (nodes.items[i]->op == OP_INDEX) APPEND(arena, &list, nodes.items[i]->index);
  return list;
}

bool is_costly_function(const Expr *e) {
  return e->type == TYPE_REAL && e->op != OP_READ && op_cost(e->op) >= LEAST_COST && !is_draw(e);
}
