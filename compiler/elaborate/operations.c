/* Operations: ops.def applied to values. Sizes stay sizes, numbers known now are folded as they are
   built, tensors are pointwise, and operands of the wrong type are reported before they are combined. */
#include "elaborate/scope.h"

#include <string.h>

Value value_of_expr(const Expr *expr, const Field *field) {
  if (field) return value_expr(expr, field);
  if (expr->op == OP_NUMBER) return value_number(expr->number);
  if (is_true(expr) || is_false(expr)) return value_bool(is_true(expr));
  if (expr->op == OP_EXTENT) return value_extent(expr->extent);
  return value_expr(expr, NULL);
}

static bool is_poisoned_any(const Value *operands, int count) {
  for (int i = 0; i < count; i++) {
    if (is_poison(operands[i])) return true;
  }
  return false;
}

static const Extent *combine_extents(ExtentTable *table, Op op, const Extent *a, const Extent *b) {
  switch (op) {
  case OP_ADD: return extent_add(table, a, b);
  case OP_SUB: return extent_subtract(table, a, b);
  case OP_MUL: return extent_multiply(table, a, b);
  case OP_IDIV: return extent_floor_divide(table, a, b);
  default: return extent_modulo(table, a, b);
  }
}

static bool is_extent_op(Op op) {
  return op == OP_ADD || op == OP_SUB || op == OP_MUL || op == OP_IDIV || op == OP_MOD;
}

static void check_whole(const Context *c, const Extent *result, Span span) {
  if (extent_is_poisoned(result)) report(c->frame, NN0211, span, "whole number beyond 64 bits");
}

static Value apply_to_extents(const Context *c, Op op, const Value *operands, Span span) {
  ExtentTable *table = c->frame->e->model->extents;
  const Extent *result = combine_extents(table, op, operands[0].extent, operands[1].extent);
  if (!result) {
    report(c->frame, NN0210, span, "division by a size that may be 0");
    return value_poison();
  }
  check_whole(c, result, span);
  return value_extent(result);
}

static Value apply_to_strings(const Context *c, Op op, const Value *operands, Span span) {
  bool same = operands[0].kind == operands[1].kind;
  if (same && (op == OP_EQ || op == OP_NE)) {
    return value_bool((operands[0].text == operands[1].text) == (op == OP_EQ));
  }
  report(c->frame, NN0209, span, "a string can only be compared with another by == and !=");
  return value_poison();
}

/* All fields must be one: equal dims. */
static bool join_fields(const Context *c, const Value *operands, int count, Span span,
                        const Field **field) {
  *field = NULL;
  for (int i = 0; i < count; i++) {
    const Field *other = operands[i].field;
    if (!other || other == *field) continue;
    if (*field) {
      Arena *arena = c->frame->e->arena;
      Diagnostic *d = report(c->frame, NN0205, span, "operands with different dims: %s and %s",
                             shape_text(arena, (*field)->axes, (*field)->rank),
                             shape_text(arena, other->axes, other->rank));
      note_shape(d, c->frame, (*field)->axes, (*field)->rank);
      note_shape(d, c->frame, other->axes, other->rank);
      diagnostic_help(d, "nothing is repeated silently; write the indices of both");
      return false;
    }
    *field = other;
  }
  return true;
}

static bool is_logic(Op op) {
  return op == OP_AND || op == OP_OR || op == OP_NOT;
}

static Value reject_type(const Context *c, Span span, Op op, const char *wanted) {
  report(c->frame, NN0209, span, "'%s' is for %s", op_spelling(op), wanted);
  return value_poison();
}

static int count_booleans(const Expr *const *args, int count) {
  int booleans = 0;
  for (int i = 0; i < count; i++) booleans += args[i]->type == TYPE_BOOL;
  return booleans;
}

/* Null when the types fit, else what is wanted instead. */
static const char *wanted_types(Op op, const Expr *const *args, int count) {
  int booleans = count_booleans(args, count);
  if (op == OP_REAL || op == OP_INT || op == OP_STOP) return NULL;
  if (is_logic(op)) return booleans == count ? NULL : "conditions";
  if (op == OP_EQ || op == OP_NE) {
    return booleans == 0 || booleans == 2 ? NULL : "two numbers or two conditions";
  }
  if (op == OP_SELECT) {
    int branches = booleans - (args[0]->type == TYPE_BOOL);
    return branches == 0 || branches == 2 ? NULL : "two numbers or two conditions";
  }
  return booleans == 0 ? NULL : "numbers; float(..) makes one of a condition";
}

/* `//` and `%` of the step or a hyper-parameter, which are kept in double: a - b*floor(a/b). */
static const Expr *divide_in_double(ExprTable *table, Op op, const Expr *a, const Expr *b) {
  const Expr *quotient = expr_unary(table, OP_FLOOR, expr_binary(table, OP_DIV, a, b));
  if (op == OP_IDIV) return quotient;
  return expr_binary(table, OP_SUB, a, expr_binary(table, OP_MUL, b, quotient));
}

static Value build_op(const Context *c, Op op, const Expr **args, int count, const Field *field,
                      Span span) {
  ExprTable *table = c->frame->e->model->exprs;
  const char *wanted = wanted_types(op, args, count);
  if (wanted) return reject_type(c, span, op, wanted);
  if (count == 2 && (op == OP_IDIV || op == OP_MOD)) {
    bool real = args[0]->type == TYPE_REAL || args[1]->type == TYPE_REAL;
    bool whole = args[0]->type == TYPE_INT && args[1]->type == TYPE_INT;
    if (real) return reject_type(c, span, op, "whole numbers; floor(a/b) is for others");
    if (!whole) return value_of_expr(divide_in_double(table, op, args[0], args[1]), field);
  }
  const Expr *result = expr_make(table, op, args, count);
  if (result->op == OP_EXTENT) check_whole(c, result->extent, span);
  return value_of_expr(result, field);
}

Value apply_op(const Context *c, Op op, const Value *operands, int count, Span span) {
  if (is_poisoned_any(operands, count)) return value_poison();
  bool strings = operands[0].kind == VALUE_STRING || operands[count - 1].kind == VALUE_STRING;
  if (strings && count == 2) return apply_to_strings(c, op, operands, span);
  bool extents = operands[0].kind == VALUE_EXTENT && operands[count - 1].kind == VALUE_EXTENT;
  if (extents && is_extent_op(op)) return apply_to_extents(c, op, operands, span);
  if (extents && op == OP_NEGATE) {
    Value zero = value_integer(c->frame->e, 0);
    return apply_to_extents(c, OP_SUB, (Value[]){zero, operands[0]}, span);
  }
  Value values[3];
  const Expr *args[3];
  if (count < 1) bug("'%s' without operands", op_spelling(op));
  for (int i = 0; i < count; i++) {
    values[i] = as_operand(c, operands[i], span);
    if (is_poison(values[i])) return values[i];
    args[i] = values[i].expr;
  }
  const Field *field;
  if (!join_fields(c, values, count, span, &field)) return value_poison();
  return build_op(c, op, args, count, field, span);
}
