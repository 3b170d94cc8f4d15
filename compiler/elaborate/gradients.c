/* `grad x = expr`: in its instance, x is read through an equation of its own, whose adjoint is `expr`;
   `adj.y` in it is the adjoint of the result y. */
#include "elaborate/statements.h"

/* In the program at hand; it may move when another is added. */
static CustomGradient *custom_of(const Elaborator *e, const Tensor *input) {
  const int *position = map_get(&e->custom, input);
  return position ? &e->program->custom_gradients.items[*position] : NULL;
}

/* What a name is bound to becomes the identity of what it was; poison after an error. */
static Value copy_binding(Frame *frame, Binding *binding, Name name, Span span) {
  Name path = path_of(frame, name);
  Context c = formula_begin(frame, NULL, path, NULL);
  Value copy = define_tensor(&c, path, as_operand(&c, binding->value, span), span);
  if (!is_poison(copy)) binding->value = copy;
  return copy;
}

static void replace_formal(Frame *frame, const Node *node) {
  Elaborator *e = frame->e;
  const Node *left = node->parts[0];
  Binding *binding = map_get(&frame->bindings, left->name);
  if (!binding || !binding->known || binding->value.kind != VALUE_TENSOR) {
    report(frame, NN0201, left->span, "'%s' is not a tensor argument of '%s'", left->name,
           frame->definition->name);
    return;
  }
  if (custom_of(e, binding->value.tensor)) {
    report(frame, NN0202, left->span, "'%s' has two grad clauses", left->name);
    return;
  }
  Value copy = copy_binding(frame, binding, left->name, left->span);
  if (is_poison(copy)) return;
  CustomGradient custom = {.input = copy.tensor};
  int *position = NEW(e->arena, int);
  *position = e->program->custom_gradients.count;
  map_put(&e->custom, copy.tensor, position);
  APPEND(e->arena, &e->program->custom_gradients, custom);
}

void prepare_gradients(Frame *frame) {
  for (int i = 0; i < frame->statements.count; i++) {
    const Node *node = frame->statements.items[i]->node;
    if (node->kind == NODE_GRAD) replace_formal(frame, node);
  }
}

/* A result that is an argument has uses elsewhere, which are no part of its adjoint here. */
static bool is_argument(const Frame *frame, const Tensor *tensor) {
  const Equation *definition = tensor->definition;
  return custom_of(frame->e, tensor) || !definition || definition->instance != frame->instance;
}

/* The adjoint of a result, as something to read. */
static void add_incoming(Frame *frame, CustomGradient *custom, const Node *result, int position) {
  Elaborator *e = frame->e;
  Binding *binding = map_get(&frame->bindings, result->name);
  if (!binding || !binding->known || binding->value.kind != VALUE_TENSOR) return;
  Value value = binding->value;
  if (is_argument(frame, value.tensor))
    value = copy_binding(frame, binding, result->name, result->span);
  if (is_poison(value)) return;
  Name name = name_format(e->names, "adj.%s", result->name);
  Binding *known = map_get(&frame->bindings, name);
  if (!known) {
    Name unique = program_unique_name(e->model, e->program, path_of(frame, name));
    Tensor *placeholder = tensor_new(e->model, &e->program->tensors, unique, ROLE_GRADIENT,
                                     TYPE_REAL, value.tensor->axes, value.tensor->rank);
    placeholder->origin = result->span;
    Value adjoint = value;
    adjoint.tensor = placeholder;
    known = frame_bind(frame, name, result->span, adjoint);
  }
  custom->incoming[position].result = value.tensor;
  custom->incoming[position].placeholder = known->value.tensor;
  custom->incoming_count = position + 1;
}

static void add_all_incoming(Frame *frame, CustomGradient *custom) {
  const Node *results = frame->definition->node->parts[2];
  custom->incoming = arena_alloc(frame->e->arena, (size_t)results->count, sizeof *custom->incoming);
  custom->incoming_count = 0; /* a second clause, reported, comes here, too */
  for (int i = 0; i < results->count; i++) {
    add_incoming(frame, custom, results->parts[i], custom->incoming_count);
  }
}

void run_grad(Statement *statement) {
  Frame *frame = statement->frame;
  Elaborator *e = frame->e;
  const Node *left = statement->node->parts[0], *right = statement->node->parts[1];
  const Binding *formal = map_get(&frame->bindings, left->name);
  if (!formal || !formal->known || formal->value.kind != VALUE_TENSOR) return;
  CustomGradient *custom = custom_of(e, formal->value.tensor);
  if (!custom) return; /* reported */
  add_all_incoming(frame, custom);
  Name path = name_format(e->names, "%s.grad", path_of(frame, left->name));
  Tensor *adjoint = define_side(statement, left, right, formal->value, path);
  custom = custom_of(e, formal->value.tensor); /* the list may have moved */
  custom->adjoint = adjoint;
}
