/* Pointwise: bare tensors stand for their elements at the variables of a field, one field for each list
   of dims in a formula. */
#include "elaborate/indices.h"

#include <string.h>

bool same_dims(const Axis *a, int a_rank, const Axis *b, int b_rank) {
  if (a_rank != b_rank) return false;
  for (int i = 0; i < a_rank; i++) {
    if (a[i].extent != b[i].extent) return false;
  }
  return true;
}

static const Field *field_of(const Context *c, const Axis *axes, int rank) {
  Elaborator *e = c->frame->e;
  Formula *formula = c->formula;
  for (int i = 0; i < formula->fields.count; i++) {
    const Field *field = formula->fields.items[i];
    if (same_dims(field->axes, field->rank, axes, rank)) return field;
  }
  Field *field = NEW(e->arena, Field);
  field->axes = axes;
  field->rank = rank;
  for (int i = 0; i < rank; i++) {
    field->indices[i] = index_new(e->model, index_name(c, &axes[i]), axes[i].extent);
  }
  APPEND(e->arena, &formula->fields, field);
  return field;
}

static const Expr *read_tensor(const Context *c, Value value, const Field *field) {
  ExprTable *table = c->frame->e->model->exprs;
  const Expr *subscripts[LIMIT_RANK];
  for (int i = 0; i < value.hidden; i++) {
    subscripts[i] = expr_index(table, c->formula->scan_indices[i]);
  }
  for (int i = 0; i < value.rank; i++) {
    subscripts[value.hidden + i] = expr_index(table, field->indices[i]);
  }
  return expr_read(table, value.tensor, subscripts, NULL);
}

static Value reject_operand(const Context *c, Value value, Span span) {
  Diagnostic *d = report(c->frame, NN0209, span, "%s cannot be an operand", kind_text(value.kind));
  if (value.kind == VALUE_LAYER) diagnostic_help(d, "apply it to a tensor");
  if (value.kind == VALUE_DISTRIBUTION) diagnostic_help(d, "draw from it with 'u[..] ~ ...'");
  return value_poison();
}

Value as_operand(const Context *c, Value value, Span span) {
  ExprTable *table = c->frame->e->model->exprs;
  switch (value.kind) {
  case VALUE_POISON:
  case VALUE_EXPR: return value;
  case VALUE_BOOL: return value_expr(value.truth ? expr_true(table) : expr_false(table), NULL);
  case VALUE_NUMBER: return value_expr(expr_number(table, value.number), NULL);
  case VALUE_EXTENT: return value_expr(expr_extent(table, value.extent), NULL);
  case VALUE_RESULTS: return as_operand(c, value.results[0], span);
  case VALUE_TENSOR: {
    const Field *field = value.rank > 0 ? field_of(c, value.axes, value.rank) : NULL;
    return value_expr(read_tensor(c, value, field), field);
  }
  default: return reject_operand(c, value, span);
  }
}

Value spread_value(const Context *c, Value value, const Axis *axes, int rank, Span span) {
  value = as_operand(c, value, span);
  if (is_poison(value)) return value;
  const Field *field = rank > 0 ? field_of(c, axes, rank) : NULL;
  if (!value.field || value.field == field) return value_expr(value.expr, field);
  Arena *arena = c->frame->e->arena;
  Diagnostic *d = report(c->frame, NN0205, span, "a tensor %s where %s is wanted",
                         shape_text(arena, value.field->axes, value.field->rank),
                         shape_text(arena, axes, rank));
  note_shape(d, c->frame, value.field->axes, value.field->rank);
  note_shape(d, c->frame, axes, rank);
  return value_poison();
}
