/* Results of a model: outputs, metrics and losses. */
#include "elaborate/statements.h"

#include <string.h>

static void add_result(const Frame *frame, ResultList *list, const Node *node, Value value) {
  Elaborator *e = frame->e;
  Name key = name_format(e->names, "%s %s", node_title(node->kind), node->name);
  const Node *other = map_get(&e->results, key);
  if (other) {
    Diagnostic *d = report(frame, NN0202, node->span, "there are two of '%s'", key);
    diagnostic_note(d, other->span, "the first one");
  } else if (value.kind == VALUE_TENSOR) {
    APPEND(e->arena, list, (Result){node->name, value.tensor, node->span});
  }
  map_put(&e->results, key, (void *)node);
}

/* A result is a value of its own: an input or state handed on is copied. */
static Value own_value(const Context *c, Name name, Value value, Span span) {
  if (value.kind == VALUE_RESULTS) value = value.results[0];
  if (value.kind == VALUE_TENSOR && !is_own_value(value)) value = as_operand(c, value, span);
  return define_tensor(c, name, value, span);
}

static bool check_is_value(const Context *c, Value value, Span span) {
  if (is_poison(value)) return false;
  if (value.kind != VALUE_LAYER && value.kind != VALUE_DISTRIBUTION) return true;
  report(c->frame, NN0209, span, "%s cannot be a result", kind_text(value.kind));
  return false;
}

static void settle(Statement *statement, Value value) {
  Binding *binding = map_get(&statement->frame->bindings, statement->node->name);
  if (!binding || binding->statement != statement) return;
  binding->known = true;
  binding->value = value;
}

/* `output p[n, k] = ..` is an equation, too. */
static Value indexed_output(Statement *statement) {
  const Node *node = statement->node;
  Elaborator *e = statement->frame->e;
  Node *equation = equation_node(e->arena, node, node->parts[0], node->parts[1]);
  Statement inner = *statement;
  inner.node = equation;
  inner.state = STATEMENT_RUNNING;
  Binding *binding = map_get(&statement->frame->bindings, node->name);
  if (!binding || binding->statement != statement) return value_poison();
  binding->statement = &inner;
  run_equation(&inner);
  binding->statement = statement;
  return binding->value;
}

void run_output(Statement *statement) {
  Frame *frame = statement->frame;
  Elaborator *e = frame->e;
  const Node *node = statement->node;
  Value value;
  if (node->parts[0] && node->parts[1]) {
    value = indexed_output(statement);
  } else {
    Context c = statement_context(statement, node->name, node->parts[1]);
    value =
        node->parts[1] ? evaluate(&c, node->parts[1]) : resolve_name(&c, node->name, node->span);
    if (!check_is_value(&c, value, node->span)) value = value_poison();
    value = own_value(&c, node->name, value, node->span);
    if (value.kind == VALUE_TENSOR && map_has(&e->results, value.tensor)) { /* under another name */
      value = define_tensor(&c, node->name, as_operand(&c, value, node->span), node->span);
    }
    if (node->parts[1]) settle(statement, value);
  }
  add_result(frame, &e->program->outputs, node, value);
  if (value.kind == VALUE_TENSOR) map_put(&e->results, value.tensor, (void *)node);
}

void run_metric(Statement *statement) {
  Elaborator *e = statement->frame->e;
  const Node *node = statement->node, *right = node->parts[0];
  Context c = statement_context(statement, node->name, right);
  Value value = define_scalar(&c, node->name, evaluate(&c, right), right->span);
  add_result(statement->frame, &e->program->metrics, node, value);
}

void run_loss(Statement *statement) {
  Elaborator *e = statement->frame->e;
  const Node *right = statement->node->parts[0];
  int number = e->loss_terms.count + 1;
  Name name = number == 1 ? name_of(e->names, "loss") : name_format(e->names, "loss%d", number);
  Context c = statement_context(statement, name, right);
  Value value = define_scalar(&c, name, evaluate(&c, right), right->span);
  APPEND(e->arena, &e->loss_terms, value);
}

void finish_loss(Frame *frame) {
  Elaborator *e = frame->e;
  Name name = name_of(e->names, "loss");
  Context c = formula_begin(frame, NULL, name, NULL);
  for (int i = 1; i < e->loss_terms.count; i++) {
    Value sum[2] = {e->loss_terms.items[0], e->loss_terms.items[i]};
    e->loss_terms.items[0] = apply_op(&c, OP_ADD, sum, 2, (Span){0, 0});
  }
  if (e->loss_terms.count == 0) return;
  Value loss = define_tensor(&c, name, e->loss_terms.items[0], (Span){0, 0});
  if (loss.kind == VALUE_TENSOR) e->program->loss = loss.tensor;
}
