/* Global constants: a number or string known everywhere, or a table of numbers, `const w[3] = (1, 2, 5)`. */
#include "elaborate/statements.h"

static bool read_numbers(const Context *c, const Node *node, double *values, int count,
                         int *found) {
  if (node->kind == NODE_TUPLE) {
    for (int i = 0; i < node->count; i++) {
      if (!read_numbers(c, node->parts[i], values, count, found)) return false;
    }
    return true;
  }
  Value value = evaluate(c, node);
  double number;
  if (!value_as_number(value, &number)) {
    if (!is_poison(value)) report(c->frame, NN0209, node->span, "a table holds numbers");
    return false;
  }
  if (*found < count) values[*found] = number;
  (*found)++;
  return true;
}

static bool are_whole(const double *values, int64_t count) {
  int64_t integer;
  for (int64_t i = 0; i < count; i++) {
    if (!value_as_integer(value_number(values[i]), &integer)) return false;
    if (integer > INT32_MAX || integer < INT32_MIN) return false;
  }
  return true;
}

/* Tables of whole numbers are whole, so that they can be subscripts. */
static Value make_table(const Context *c, const Node *node, const Axis *axes, int rank,
                        const double *values, int64_t count) {
  Model *model = c->frame->e->model;
  ValueType type = are_whole(values, count) ? TYPE_INT : TYPE_REAL;
  Tensor *tensor = tensor_new(model, &model->tensors, node->name, ROLE_CONST, type, axes, rank);
  tensor->origin = node->span;
  tensor->values = values;
  double low = values[0], high = values[0];
  for (int64_t i = 1; i < count; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  if (type == TYPE_INT) {
    tensor->low = extent_constant(model->extents, (int64_t)low);
    tensor->high = extent_constant(model->extents, (int64_t)high + 1);
  }
  return value_tensor(tensor);
}

static int count_entries(const Node *node) {
  int count = 0;
  if (node->kind != NODE_TUPLE) return 1;
  for (int i = 0; i < node->count; i++) count += count_entries(node->parts[i]);
  return count;
}

static Value evaluate_table(const Context *c, const Node *node) {
  Axis axes[LIMIT_RANK] = {{0}};
  int rank = 0, found = 0, written = count_entries(node->parts[1]);
  int64_t count = 1, extent;
  if (!evaluate_dims(c->frame, node, node->parts[0], axes, &rank)) return value_poison();
  for (int i = 0; i < rank; i++) {
    bool fixed = extent_is_constant(axes[i].extent, &extent);
    if (!fixed || !checked_multiply(count, extent, &count)) count = -1;
  }
  if (count != written) {
    report(c->frame, NN0205, node->parts[1]->span, "'%s' has %d numbers for the dims %s",
           node->name, written, shape_text(c->frame->e->arena, axes, rank));
    return value_poison();
  }
  double *values = NEW_ARRAY(c->frame->e->arena, double, written + 1);
  if (!read_numbers(c, node->parts[1], values, written, &found)) return value_poison();
  return make_table(c, node, axes, rank, values, count);
}

static Value evaluate_constant(const Context *c, const Node *node) {
  if (node->parts[0]) return evaluate_table(c, node);
  Value value = evaluate(c, node->parts[1]);
  if (is_static(value) || is_poison(value)) return value;
  report(c->frame, NN0209, node->parts[1]->span, "a constant is a number, a condition or a string");
  return value_poison();
}

Value constant_value(Elaborator *e, const Definition *definition) {
  Value *known = map_get(&e->constants, definition);
  const Node *node = definition->node;
  if (known && known->kind != VALUE_LAYER) return *known;
  Frame *frame = frame_new(e, NULL, NULL);
  if (known) {
    report(frame, NN0303, node->span, "constant '%s' is defined by itself", node->name);
    return value_poison();
  }
  Value *value = NEW(e->arena, Value);
  *value = (Value){.kind = VALUE_LAYER}; /* stands for: being evaluated */
  map_put(&e->constants, definition, value);
  Context c = formula_begin(frame, NULL, node->name, NULL);
  *value = evaluate_constant(&c, node);
  return *value;
}
