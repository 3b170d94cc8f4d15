/* Totals: total(e), the sum of `e` over all elements of all parameters, where `e` names them `w`.

   In a loss these are the parameters of the model; in an optimizer those that the block trains, and
   `g` and the states have their meaning, too. One sum for each parameter, in order of
   declaration. */
#include "elaborate/selectors.h"
#include "elaborate/trainer.h"

Value value_filled(const Context *c, Value value, const Tensor *like, Span span) {
  value = spread_value(c, value, like->axes, like->rank, span);
  if (is_poison(value)) return value;
  ValueType type = value.expr->type;
  if (type == TYPE_BOOL) {
    report(c->frame, NN0209, span, "a condition where a number is wanted");
    return value_poison();
  }
  if (type != TYPE_F64 && type != TYPE_INT) return value;
  return value_expr(expr_unary(c->frame->e->model->exprs, OP_REAL, value.expr), value.field);
}

/* `expr` summed over one parameter; `frame` says what its names mean for that one. */
static Value sum_over(Frame *frame, const Tensor *parameter, const Node *expr) {
  Names *names = frame->e->names;
  Context c = formula_begin(frame, NULL, name_format(names, "%s.total", parameter->name), expr);
  Value value = value_filled(&c, evaluate(&c, expr), parameter, expr->span);
  if (is_poison(value) || !value.field) return value;
  return reduce_all(&c, name_of(names, "sum"), value, expr->span);
}

static Value add(const Context *c, Value sum, Value term, Span span) {
  Value operands[2] = {sum, term};
  return apply_op(c, OP_ADD, operands, 2, span);
}

/* ---- in a loss */

static Value total_of_model(const Context *c, const Node *node) {
  Elaborator *e = c->frame->e;
  const TensorList *tensors = &e->model->tensors;
  Value sum = value_integer(e, 0);
  bool is_first = true;
  for (int i = 0; i < tensors->count; i++) {
    Tensor *parameter = tensors->items[i];
    if (parameter->role != ROLE_PARAM || !selectors_match(node->parts[0], parameter)) continue;
    Frame *frame = frame_inside(c->frame);
    frame_bind(frame, name_of(e->names, "w"), node->span, value_tensor(parameter));
    Value term = sum_over(frame, parameter, node->parts[1]);
    sum = is_first ? term : add(c, sum, term, node->span);
    is_first = false;
  }
  return sum;
}

/* ---- in an optimizer */

static bool is_in_statement(const Context *c) {
  const Definition *definition = c->frame->definition;
  return definition && definition->node->kind == NODE_OPTIMIZER_DEF;
}

/* In a pointwise definition only `w` and `g` change from parameter to parameter. */
static Frame *frame_for(const Context *c, const Trainee *trainee) {
  if (is_in_statement(c)) return trainee->frame;
  Frame *frame = frame_inside(c->frame);
  Name names[2] = {name_of(frame->e->names, "w"), name_of(frame->e->names, "g")};
  for (int i = 0; i < 2; i++)
    frame_bind(frame, names[i], (Span){0, 0}, frame_find(trainee->frame, names[i])->value);
  return frame;
}

static Value total_of_trainees(const Context *c, const Trainer *trainer, const Node *node) {
  Value sum = value_integer(trainer->e, 0);
  bool is_first = true;
  for (int i = 0; i < trainer->trainees.count; i++) {
    const Trainee *trainee = trainer->trainees.items[i];
    if (!selectors_match(node->parts[0], trainee->parameter)) continue;
    Value term = sum_over(frame_for(c, trainee), trainee->parameter, node->parts[1]);
    sum = is_first ? term : add(c, sum, term, node->span);
    is_first = false;
  }
  return sum;
}

static bool values_agree(Value a, Value b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
  case VALUE_BOOL: return a.truth == b.truth;
  case VALUE_NUMBER: return a.number == b.number;
  case VALUE_EXTENT: return a.extent == b.extent;
  case VALUE_STRING: return a.text == b.text;
  case VALUE_EXPR: return a.expr == b.expr && !a.field && !b.field;
  case VALUE_TENSOR: return a.tensor == b.tensor;
  default: return false;
  }
}

/* Applications of one definition to the same arguments. */
static bool frames_agree(const Frame *a, const Frame *b) {
  if (a == b) return true;
  if (!a || !b || a->definition != b->definition || a->bindings.count != b->bindings.count)
    return false;
  for (int i = 0; i < a->bindings.count; i++) {
    const Binding *first = a->bindings.values[i];
    const Binding *second = map_get(&b->bindings, first->name);
    if (!second || !values_agree(first->value, second->value)) return false;
  }
  return true;
}

static const Total *find_total(const Trainer *trainer, const Node *node, const Frame *frame) {
  for (int i = trainer->totals.count - 1; i >= 0; i--) {
    const Total *total = &trainer->totals.items[i];
    if (total->moment != trainer->moment) return NULL;
    if (total->node == node && frames_agree(total->frame, frame)) return total;
  }
  return NULL;
}

/* ---- both */

/* The sum in a tensor of its own, so that what reads it reads one number. */
static Value make_total(const Context *c, const Trainer *trainer, const Node *node) {
  Name name = name_of(c->frame->e->names, "total");
  selectors_check(c->frame, node->parts[0]);
  Context inner = formula_begin(c->frame, NULL, name, node);
  Value value = trainer ? total_of_trainees(&inner, trainer, node) : total_of_model(&inner, node);
  if (is_poison(value) || is_static(value)) return value;
  return define_scalar(&inner, name, value, node->span);
}

/* Arguments of the first optimizer are asked before it is at work. */
static bool is_at_work(const Trainer *trainer) {
  return trainer && trainer->trainees.count > 0 && trainer->trainees.items[0]->frame;
}

Value evaluate_total(const Context *c, const Node *node) {
  Trainer *trainer = c->frame->e->trainer;
  if (!is_at_work(trainer)) return make_total(c, NULL, node);
  const Frame *frame = is_in_statement(c) ? NULL : c->frame;
  const Total *known = find_total(trainer, node, frame);
  if (known) return known->value;
  Value value = make_total(c, trainer, node);
  APPEND(trainer->e->arena, &trainer->totals, (Total){node, frame, trainer->moment, value});
  return value;
}
