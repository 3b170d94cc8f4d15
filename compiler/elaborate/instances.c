/* Instances: the block of a definition elaborated in its frame, and what it gives back. */
#include "elaborate/statements.h"

/* `def f(x) -> y = expr` says the same as a block with one equation. */
static Node *block_of_expression(Frame *frame, const Node *result, Node *body) {
  Arena *arena = frame->e->arena;
  Axis axes[LIMIT_RANK];
  int rank;
  bool has_dims = declared_dims(frame, result->name, axes, &rank);
  Node *block = NEW(arena, Node);
  *block = (Node){.kind = NODE_BLOCK, .span = body->span, .count = 1};
  block->parts = NEW_ARRAY(arena, Node *, 1);
  block->parts[0] = equation_node(arena, result, has_dims ? NULL : result->parts[0], body);
  return block;
}

static Value result_value(Frame *frame, const Node *result) {
  const Binding *binding = map_get(&frame->bindings, result->name);
  if (!binding) {
    report(frame, NN0307, result->span, "result '%s' of '%s' has no equation", result->name,
           frame->definition->name);
    return value_poison();
  }
  Name path = path_of(frame, result->name);
  Context c = formula_begin(frame, NULL, path, NULL);
  Value value = resolve_name(&c, result->name, result->span);
  if (value.kind == VALUE_LAYER || value.kind == VALUE_STRING) {
    report(frame, NN0209, result->span, "result '%s' is %s, not a tensor", result->name,
           kind_text(value.kind));
    return value_poison();
  }
  return define_tensor(&c, path, value, result->span);
}

Value elaborate_instance(Frame *frame, const Node *definition) {
  const Node *results = definition->parts[2];
  for (int i = 0; i < results->count; i++) {
    Node *result = results->parts[i];
    if (result->parts[0]) map_put(&frame->declared_results, result->name, result);
  }
  Node *block = definition->parts[3];
  if (block->kind != NODE_BLOCK) block = block_of_expression(frame, results->parts[0], block);
  collect_statements(frame, block, NULL);
  prepare_gradients(frame);
  run_statements(frame);
  if (frame->failed) return value_poison();
  Value *values = NEW_ARRAY(frame->e->arena, Value, results->count);
  for (int i = 0; i < results->count; i++) {
    values[i] = result_value(frame, results->parts[i]);
    if (is_poison(values[i])) return value_poison();
  }
  if (results->count == 1) return values[0];
  return (Value){.kind = VALUE_RESULTS, .results = values, .result_count = results->count};
}
