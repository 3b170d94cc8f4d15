/* Optimizers: a chain is applied to all trained parameters, one optimizer after the other. */
#include "elaborate/selectors.h"
#include "elaborate/trainer.h"

/* ---- hyper-parameters */

static bool is_scalar_of_step(Elaborator *e, const Expr *expr) {
  ExprList nodes = expr_postorder(e->arena, &expr, 1);
  for (int i = 0; i < nodes.count; i++) {
    if (!is_read(nodes.items[i])) continue;
    const Tensor *tensor = nodes.items[i]->tensor;
    if (tensor->type != TYPE_F64 && tensor->role != ROLE_CONST) return false;
  }
  return true;
}

Value hyper_value(const Context *c, Value value, Span span) {
  if (is_poison(value) || is_static(value)) return value;
  value = as_operand(c, value, span);
  if (is_poison(value)) return value;
  if (value.field || !is_scalar_of_step(c->frame->e, value.expr)) {
    report(
        c->frame, NN0209, span,
        "a hyper-parameter must be a number or an expression of `step` and other hyper-parameters");
    return value_poison();
  }
  return define_scalar(c, c->formula->path, value, span);
}

/* Formals of both lists: an optimizer has no tensor arguments. */
static const Node *formal_at(const Node *definition, int position) {
  const Node *first = definition->parts[0], *second = definition->parts[1];
  if (position < first->count) return first->parts[position];
  position -= first->count;
  return position < second->count ? second->parts[position] : NULL;
}

static const Node *formal_called(const Node *definition, Name name) {
  const Node *formal;
  for (int i = 0; (formal = formal_at(definition, i)); i++)
    if (formal->name == name) return formal;
  return NULL;
}

static bool check_argument_names(Trainer *trainer, const Definition *definition, const Node *call) {
  bool good = true;
  for (int i = 1; call->kind == NODE_CALL && i < call->count; i++) {
    const Node *argument = call->parts[i];
    if (argument->kind != NODE_ARG || formal_called(definition->node, argument->name)) continue;
    report(trainer->model, NN0402, argument->span, "optimizer '%s' has no option '%s'",
           definition->name, argument->name);
    good = false;
  }
  return good;
}

static bool check_complete(Trainer *trainer, const Frame *frame, const Node *call) {
  const Definition *definition = frame->definition;
  const Node *formal;
  for (int i = 0; (formal = formal_at(definition->node, i)); i++) {
    if (frame_find(frame, formal->name)) continue;
    report(trainer->model, NN0310, call->span, "optimizer '%s' needs a value for '%s'",
           definition->name, formal->name);
    return false;
  }
  return true;
}

static void settle_hypers(Frame *frame, const Node *call) {
  const Node *formal;
  for (int i = 0; (formal = formal_at(frame->definition->node, i)); i++) {
    Binding *binding = frame_find(frame, formal->name);
    Context c = formula_begin(frame, NULL, formal->name, call);
    binding->value = hyper_value(&c, binding->value, call->span);
  }
}

/* ---- one optimizer of the chain */

static const Definition *find_optimizer(Trainer *trainer, const Node *call) {
  const Node *callee = call->kind == NODE_CALL ? call->parts[0] : call;
  if (callee->kind == NODE_IDENT) {
    const Definition *definition = definition_of(trainer->e, callee->name);
    if (definition && definition->node->kind == NODE_OPTIMIZER_DEF) return definition;
    Diagnostic *d =
        report(trainer->model, NN0201, callee->span, "no optimizer is called '%s'", callee->name);
    if (!definition) suggest_name(d, trainer->model, callee->name);
  } else {
    report(trainer->model, NN0201, callee->span, "this is not an optimizer or a chain of them");
  }
  return NULL;
}

/* The frame of the call, its hyper-parameters bound; null after an error. */
static Frame *bind_hypers(Trainer *trainer, const Node *call) {
  const Definition *definition = find_optimizer(trainer, call);
  if (!definition || !check_argument_names(trainer, definition, call)) return NULL;
  Context c = formula_begin(trainer->model, NULL, definition->name, call);
  bool is_complete = true;
  Frame *frame =
      bind_arguments(&c, definition, call->kind == NODE_CALL ? call : NULL, NULL, &is_complete);
  if (!frame || !check_complete(trainer, frame, call)) return NULL;
  frame->is_optimizer = true;
  settle_hypers(frame, call);
  return frame;
}

/* First match wins for each hyper-parameter. */
static void bind_options(Trainer *trainer, const Frame *hypers, Trainee *trainee) {
  for (int i = 0; i < trainer->options.count; i++) {
    Option *option = &trainer->options.items[i];
    if (!map_has(&hypers->bindings, option->name)) continue;
    option->known = true;
    if (map_has(&trainee->frame->bindings, option->name)) continue;
    if (!selectors_match(option->selectors, trainee->parameter)) continue;
    frame_bind(trainee->frame, option->name, option->span, option->value);
  }
}

static void enter_optimizer(Trainer *trainer, Frame *hypers, Trainee *trainee) {
  Names *names = trainer->e->names;
  trainee->frame = frame_inside(hypers);
  trainee->slots.count = 0;
  bind_options(trainer, hypers, trainee);
  frame_bind(trainee->frame, name_of(names, "w"), (Span){0, 0}, trainee->w);
  frame_bind(trainee->frame, name_of(names, "g"), (Span){0, 0}, trainee->g);
}

static void add_update(Trainer *trainer, Tensor *target, Value value) {
  if (is_poison(value) || value.tensor == target) return;
  APPEND(trainer->e->arena, &trainer->step->updates,
         (Update){.target = target, .value = value.tensor});
}

static void leave_optimizer(Trainer *trainer, Trainee *trainee) {
  Names *names = trainer->e->names;
  trainee->w = frame_find(trainee->frame, name_of(names, "w"))->value;
  trainee->g = frame_find(trainee->frame, name_of(names, "g"))->value;
  for (int i = 0; i < trainee->slots.count; i++) {
    const Slot *slot = &trainee->slots.items[i];
    add_update(trainer, slot->tensor, frame_find(trainee->frame, slot->name)->value);
  }
}

static void apply_one(Trainer *trainer, const Node *call) {
  Frame *hypers = bind_hypers(trainer, call);
  if (!hypers) return;
  const TraineeList *trainees = &trainer->trainees;
  for (int i = 0; i < trainees->count; i++) enter_optimizer(trainer, hypers, trainees->items[i]);
  optimizer_run(trainer, hypers->definition->node->parts[2], trainees);
  for (int i = 0; i < trainees->count; i++) leave_optimizer(trainer, trainees->items[i]);
}

static void apply_chain(Trainer *trainer, const Node *chain) {
  if (chain->kind != NODE_PIPE) {
    apply_one(trainer, chain);
    return;
  }
  apply_chain(trainer, chain->parts[0]);
  apply_chain(trainer, chain->parts[1]);
}

void optimizer_apply(Trainer *trainer, const Node *chain) {
  apply_chain(trainer, chain);
  for (int i = 0; i < trainer->trainees.count; i++) {
    const Trainee *trainee = trainer->trainees.items[i];
    add_update(trainer, trainee->parameter, trainee->w);
  }
}
