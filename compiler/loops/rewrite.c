/* Copies of loop nodes: as deep as loops stand inside each other, which the rank limit bounds. */
#include "loops/rewrite.h"

static const Expr *rewritten(const Expr *e, ExprRewrite rewrite, void *context) {
  return e ? rewrite(context, e) : NULL;
}

LoopNode *loop_copy(Model *model, const LoopNode *node, bool states, ExprRewrite rewrite,
                    void *context) {
  LoopNode *copy = arena_copy(model->arena, node, sizeof *node);
  copy->begin = rewritten(node->begin, rewrite, context);
  copy->end = rewritten(node->end, rewrite, context);
  copy->condition = rewritten(node->condition, rewrite, context);
  copy->value = rewritten(node->value, rewrite, context);
  copy->equation = states ? node->equation : NULL;
  if (node->kind == LOOP_STORE) {
    const Expr **subscripts = NEW_ARRAY(model->arena, const Expr *, LIMIT_RANK);
    for (int dim = 0; dim < node->target->rank; dim++)
      subscripts[dim] = rewrite(context, node->subscripts[dim]);
    copy->subscripts = subscripts;
  }
  copy->body = (LoopBody){0};
  for (int i = 0; i < node->body.count; i++)
    APPEND(model->arena, &copy->body,
           loop_copy(model, node->body.items[i], states, rewrite, context));
  return copy;
}

ExprList loop_node_expressions(Arena *scratch, const LoopNode *node) {
  const Expr *roots[LIMIT_RANK + 2];
  int count = 0;
  if (node->condition) roots[count++] = node->condition;
  if (node->value) roots[count++] = node->value;
  for (int dim = 0; node->kind == LOOP_STORE && dim < node->target->rank; dim++)
    roots[count++] = node->subscripts[dim];
  return expr_postorder(scratch, roots, count);
}

/* How many tensors are read. */
static int count_tensors(Arena *scratch, const LoopBody *body, Map *tensors) {
  for (int i = 0; i < body->count; i++) {
    ExprList nodes = loop_node_expressions(scratch, body->items[i]);
    for (int k = 0; k < nodes.count; k++)
      if (is_read(nodes.items[k]))
        map_put(tensors, nodes.items[k]->tensor, (void *)nodes.items[k]->tensor);
    count_tensors(scratch, &body->items[i]->body, tensors);
  }
  return tensors->count;
}

bool loop_loses_reads(Arena *scratch, const LoopNode *loop, const LoopBody *instead) {
  Map before, after;
  map_init(&before, scratch);
  map_init(&after, scratch);
  return count_tensors(scratch, instead, &after) < count_tensors(scratch, &loop->body, &before);
}
