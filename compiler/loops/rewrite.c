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
