/* Calls and pipes: what is applied, to which arguments, in whose formula. */
#include "elaborate/calls.h"
#include "elaborate/statements.h"

Value layer_of_definition(const Frame *frame, const Definition *definition, Span span) {
  Layer *layer = NEW(frame->e->arena, Layer);
  *layer = (Layer){LAYER_DEFINITION, .definition = definition, .frame = frame, .span = span};
  return (Value){.kind = VALUE_LAYER, .layer = layer};
}

Value layer_of_function(Elaborator *e, Op op, Span span) {
  Layer *layer = NEW(e->arena, Layer);
  *layer = (Layer){.kind = LAYER_FUNCTION, .op = op, .span = span};
  return (Value){.kind = VALUE_LAYER, .layer = layer};
}

Value layer_named(Elaborator *e, Value layer, Name path) {
  Layer *named = NEW(e->arena, Layer);
  *named = *layer.layer;
  named->path = path;
  return (Value){.kind = VALUE_LAYER, .layer = named};
}

/* ---- arguments */

static void add_argument(const Context *c, ArgumentList *list, Name name, const Node *node) {
  Argument argument = {.name = name, .span = node->span, .context = c, .node = node};
  argument.value = evaluate(c, node);
  APPEND(c->frame->e->arena, list, argument);
}

/* What an instance is applied to is computed on its own; what is inlined stays in this formula. */
static const Context *context_for(const Context *c, bool inlined) {
  if (inlined) return c;
  Context inner = formula_inside(c);
  return arena_copy(c->frame->e->arena, &inner, sizeof inner);
}

static ArgumentList evaluate_arguments(const Context *c, const Node *call, const Node *piped,
                                       bool inlined) {
  ArgumentList list = {0};
  if (piped) add_argument(context_for(c, inlined), &list, NULL, piped);
  for (int i = 1; call && i < call->count; i++) {
    const Node *part = call->parts[i];
    bool named = part->kind == NODE_ARG;
    add_argument(context_for(c, inlined), &list, named ? part->name : NULL,
                 named ? part->parts[0] : part);
  }
  return list;
}

Frame *bind_arguments(const Context *c, const Definition *definition, const Node *call,
                      const Value *first, bool *is_complete) {
  ArgumentList list = {0};
  if (first) {
    APPEND(c->frame->e->arena, &list,
           (Argument){.value = *first, .span = call->span, .context = c});
  }
  ArgumentList rest = evaluate_arguments(c, call, NULL, false);
  for (int i = 0; i < rest.count; i++) APPEND(c->frame->e->arena, &list, rest.items[i]);
  return bind_list(c, definition, &list, call ? call->span : definition->node->span, is_complete);
}

/* ---- calls */

static const Node *callee_of(const Node *node) {
  return node->kind == NODE_CALL ? node->parts[0] : node;
}

Name applied_name(const Node *node) {
  if (node && node->kind == NODE_PIPE)
    node = node->parts[1];
  else if (!node || node->kind != NODE_CALL)
    return NULL;
  const Node *callee = callee_of(node);
  return callee->kind == NODE_IDENT ? callee->name : NULL;
}

static bool names_built_in(const Frame *frame, const Node *callee) {
  return callee->kind == NODE_IDENT && !frame_find(frame, callee->name) &&
         !definition_seen(frame, callee->name) && is_built_in(callee->name);
}

static bool is_one_argument(const Node *node, const Node *piped) {
  return (node->kind == NODE_CALL ? node->count - 1 : 0) + (piped != NULL) == 1;
}

/* max(a, b) is a function, max(h) a reduction. */
static bool is_function_here(const Node *node, const Node *piped) {
  Op op;
  Reduction reduction;
  Name name = callee_of(node)->name;
  if (!find_function(name, &op)) return false;
  return !find_reduction(name, &reduction) || !is_one_argument(node, piped);
}

static Value reject_callee(const Context *c, const Node *callee, Value value) {
  if (is_poison(value)) return value;
  report(c->frame, NN0304, callee->span, "%s cannot be applied",
         value_text(c->frame->e->arena, value));
  return value_poison();
}

/* `node` is a CALL, or a layer without arguments on the right of `|>`. */
static Value apply_node(const Context *c, const Node *node, const Node *piped) {
  const Node *callee = callee_of(node);
  if (names_built_in(c->frame, callee) && !is_function_here(node, piped)) {
    return apply_built_in(c, callee->name, node, piped, node->span);
  }
  Value value = evaluate(c, callee);
  if (value.kind != VALUE_LAYER) return reject_callee(c, callee, value);
  ArgumentList arguments =
      evaluate_arguments(c, node->kind == NODE_CALL ? node : NULL, piped, is_inlined(value.layer));
  return apply_layer(c, value.layer, &arguments, node->span);
}

Value evaluate_call(const Context *c, const Node *node, const Node *piped) {
  return apply_node(c, node, piped);
}

Value evaluate_pipe(const Context *c, const Node *node) {
  const Node *right = node->parts[1];
  Value value = apply_node(c, right, node->parts[0]);
  if (value.kind != VALUE_LAYER) return value;
  report(c->frame, NN0301, right->span, "a required tensor is missing after '|>'");
  return value_poison();
}

/* ---- lone applications */

/* A call of a definition that can lack its tensor, among the arguments of another, named or not. */
static bool looks_like_layer(const Definition *definition, const Node *call) {
  const Node *tensors = definition->node->parts[0];
  if (tensors->count == 0 || tensors->parts[0]->parts[2]) return false;
  if (call->kind != NODE_CALL || call->count == 1) return true;
  const Node *first = call->parts[1];
  return first->kind == NODE_NUMBER || first->kind == NODE_ARG ||
         (first->kind == NODE_IDENT && !is_lower_case(first->name));
}

static bool is_application(const Frame *frame, const Node *callee) {
  if (callee->kind != NODE_IDENT) return false;
  const Binding *binding = frame_find(frame, callee->name);
  if (binding) {
    return binding->known && binding->value.kind == VALUE_LAYER &&
           !is_inlined(binding->value.layer) && !binding->value.layer->path;
  }
  const Definition *definition = definition_seen(frame, callee->name);
  if (definition) return definition->node->kind == NODE_DEF && !is_pointwise(definition);
  return is_named(callee->name, "repeat");
}

static int count_applications(const Frame *frame, const Node *node, bool is_argument) {
  int count = 0;
  if (!node) return 0;
  if (node->kind == NODE_PIPE) {
    const Node *right = node->parts[1];
    count += count_applications(frame, node->parts[0], false);
    if (right->kind == NODE_IDENT) return count + is_application(frame, right);
    return count + count_applications(frame, right, false);
  }
  if (node->kind == NODE_CALL && is_application(frame, node->parts[0])) {
    const Definition *definition = definition_seen(frame, node->parts[0]->name);
    count += !(is_argument && definition && looks_like_layer(definition, node));
    if (is_named(node->parts[0]->name, "repeat")) return count;
  }
  for (int i = 0; i < node->count && count < 2; i++) {
    bool inside = node->kind == NODE_CALL || (is_argument && node->kind == NODE_ARG);
    count += count_applications(frame, node->parts[i], inside);
  }
  return count;
}

bool is_lone_application(const Frame *frame, const Node *root) {
  const Node *applied = root->kind == NODE_PIPE ? root->parts[1] : root;
  bool bare = root->kind == NODE_PIPE && applied->kind == NODE_IDENT;
  if (applied->kind != NODE_CALL && !bare) return false;
  if (!is_application(frame, callee_of(applied))) return false;
  return count_applications(frame, root, false) == 1;
}
