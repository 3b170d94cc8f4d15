/* Values known at compile time: conditions of static ifs and sizes. */
#include "elaborate/checks.h"

Value evaluate_static(Frame *frame, const Node *node) {
  Context c = formula_begin(frame, NULL, path_of(frame, "static"), NULL);
  Value value = evaluate(&c, node);
  bool known = is_static(value) || value.kind == VALUE_EXTENT || is_poison(value);
  if (known) return value;
  report(frame, NN0305, node->span, "%s is not known at compile time",
         value_text(frame->e->arena, value));
  return value_poison();
}

bool evaluate_condition(Frame *frame, const Node *node, bool *truth) {
  Context c = formula_begin(frame, NULL, path_of(frame, "condition"), NULL);
  Value value = evaluate(&c, node);
  if (is_poison(value)) return false;
  if (value.kind != VALUE_BOOL) {
    bool is_condition = value.kind == VALUE_EXPR && value.expr->type == TYPE_BOOL;
    Diagnostic *d = report(frame, NN0305, node->span, "%s",
                           is_condition ? "this condition is not known at compile time"
                                        : "a condition known at compile time is wanted");
    if (is_condition) diagnostic_help(d, "an element is chosen by 'if .. then .. else ..'");
    return false;
  }
  *truth = value.truth;
  return true;
}

static const Extent *reject_size(Frame *frame, const Node *node, Value value) {
  report(frame, NN0210, node->span, "a size must be a whole number, 0 or more, and this is %s",
         value_text(frame->e->arena, value));
  return extent_poison(frame->e->model->extents);
}

/* Sizes that only some run-time dims make positive are left to the entry. */
static const Extent *check_extent(Frame *frame, const Node *node, const Extent *extent) {
  Elaborator *e = frame->e;
  if (extent_is_zero(extent)) return extent;
  if (extent_maximum(extent) < 1) return reject_size(frame, node, value_extent(extent));
  if (extent_maximum(extent) > LIMIT_EXTENT) {
    report(frame, NN0211, node->span, "a dim of %s; the limit is 2147483647",
           size_text(e->arena, extent));
    return extent_poison(e->model->extents);
  }
  if (extent_minimum(extent) < 1) {
    ExprTable *table = e->model->exprs;
    const Expr *positive =
        expr_binary(table, OP_LE, expr_integer(table, 1), expr_extent(table, extent));
    check_at_entry(frame, positive, arena_format(e->arena, "%s >= 1", size_text(e->arena, extent)),
                   node->span);
  }
  return extent;
}

const Extent *evaluate_extent(Frame *frame, const Node *node, Axis *axis) {
  Context c = formula_begin(frame, NULL, path_of(frame, "size"), NULL);
  int64_t integer;
  Value value = evaluate(&c, node);
  *axis = (Axis){extent_poison(frame->e->model->extents), NULL, node->span};
  if (is_poison(value)) return axis->extent;
  if (node->kind == NODE_IDENT) axis->letter = node->name;
  const Extent *extent;
  if (value.kind == VALUE_EXTENT)
    extent = value.extent;
  else if (value_as_integer(value, &integer)) {
    extent = extent_constant(frame->e->model->extents, integer);
  } else {
    axis->extent = reject_size(frame, node, value);
    return axis->extent;
  }
  axis->extent = check_extent(frame, node, extent);
  return axis->extent;
}

const Extent *evaluate_positive(Frame *frame, const Node *node) {
  const Extent *extent = evaluate_extent(frame, node, &(Axis){0});
  if (!extent_is_zero(extent)) return extent;
  report(frame, NN0210, node->span, "a positive whole number is wanted here, and this is 0");
  return extent_poison(frame->e->model->extents);
}
