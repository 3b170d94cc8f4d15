/* Reductions over dims that have no names: all dims of a value, `sum(h)`, and in an optimizer some of the
   parameter at hand, `sum[unit](e)` and `max[dims(0, -2)](e)`. */
#include "elaborate/indices.h"

#include <string.h>

/* Dims from `first` to `last`, both included, from the end where negative. */
typedef struct DimRange {
  int64_t first, last;
} DimRange;

static const DimRange all_dims = {0, -1}, all_but_the_last = {0, -2};

/* The range within a rank: where it begins and how many dims it has; those that do not exist are none. */
static int place_range(DimRange range, int rank, int *first) {
  int64_t low = range.first < 0 ? range.first + rank : range.first;
  int64_t high = range.last < 0 ? range.last + rank : range.last;
  if (low < 0) low = 0;
  if (high > rank - 1) high = rank - 1;
  *first = (int)(low < rank ? low : rank);
  return low <= high ? (int)(high - low + 1) : 0;
}

/* ---- reductions */

/* The parameter of the optimizer that this stands in; null outside of one. */
static const Tensor *parameter_at_hand(const Context *c) {
  const Frame *frame = c->frame;
  while (frame && !frame->is_optimizer) frame = frame->caller;
  const Binding *binding = frame ? frame_find(frame, name_of(frame->e->names, "w")) : NULL;
  return binding && binding->value.kind == VALUE_TENSOR ? binding->value.tensor : NULL;
}

/* In an optimizer, a number as every element of the parameter at hand; elsewhere the value itself. */
static Value over_parameter(const Context *c, Value value, Span span) {
  const Tensor *w = parameter_at_hand(c);
  return value.field || !w ? value : spread_value(c, value, w->axes, w->rank, span);
}

/* Whether equal elements give something else than one of them. */
static bool counts_elements(const Reducing *parts) {
  switch (parts->reduction) {
  case REDUCE_SUM: return !parts->is_mean;
  case REDUCE_PROD:
  case REDUCE_LSE: return true;
  default: return false;
  }
}

static bool check_reduced(const Context *c, Name reduction, Value value, Span span) {
  bool logic = is_named(reduction, "any") || is_named(reduction, "all");
  if ((value.expr->type == TYPE_BOOL) == logic) return true;
  report(c->frame, NN0209, span, "'%s' is for %s", reduction, logic ? "conditions" : "numbers");
  return false;
}

/* The operand stays pointwise along the other dims, and the field of the result is that of the operand. */
static Value reduce_range(const Context *c, Name reduction, Value value, DimRange range,
                          Span span) {
  Reducing parts = {.is_mean = is_named(reduction, "mean")};
  if (is_poison(value)) return value;
  if (!find_reduction(reduction, &parts.reduction)) bug("reduction '%s'", reduction);
  if (!check_reduced(c, reduction, value, span)) return value_poison();
  if (counts_elements(&parts)) value = over_parameter(c, value, span);
  int first = 0;
  parts.count = value.field ? place_range(range, value.field->rank, &first) : 0;
  if (parts.count == 0) return value;
  parts.body = value.expr;
  memcpy(parts.indices, value.field->indices + first, (size_t)parts.count * sizeof *parts.indices);
  if (!check_ranges(c, reduction, &parts, span)) return value_poison();
  return value_expr(hoist_reduction(c, &parts, span).expr, value.field);
}

Value reduce_all(const Context *c, Name reduction, Value value, Span span) {
  value = reduce_range(c, reduction, value, all_dims, span);
  return is_poison(value) ? value : value_expr(value.expr, NULL);
}

/* ---- unit, dims(first, last) */

bool names_dims(const Context *c, const Node *subs) {
  if (!c->frame->is_optimizer || subs->count != 1) return false;
  const Node *sub = subs->parts[0];
  if (sub->kind == NODE_IDENT) return is_named(sub->name, "unit");
  return sub->kind == NODE_CALL && sub->parts[0]->kind == NODE_IDENT &&
         is_named(sub->parts[0]->name, "dims");
}

static bool find_end(const Context *c, const Node *node, int64_t *end) {
  Value value = evaluate_static(c->frame, node);
  if (is_poison(value)) return false;
  if (value_as_integer(value, end)) return true;
  report(c->frame, NN0213, node->span, "the number of a dim is a whole number, and this is %s",
         value_text(c->frame->e->arena, value));
  return false;
}

static bool find_range(const Context *c, const Node *sub, DimRange *range) {
  *range = all_but_the_last;
  if (sub->kind == NODE_IDENT) return true;
  if (sub->count != 3 || sub->parts[1]->kind == NODE_ARG || sub->parts[2]->kind == NODE_ARG) {
    Diagnostic *d = report(c->frame, NN0213, sub->span, "'dims' takes two numbers of dims");
    diagnostic_help(d, "dims(0, 1) are the first two, dims(1, -1) all but the first");
    return false;
  }
  return find_end(c, sub->parts[1], &range->first) && find_end(c, sub->parts[2], &range->last);
}

Value reduce_dims(const Context *c, const Node *node) {
  DimRange range;
  if (!find_range(c, node->parts[0]->parts[0], &range)) return value_poison();
  if (node->parts[1]) {
    report(c->frame, NN0209, node->parts[1]->span, "a condition on indices, and there are none");
    return value_poison();
  }
  const Node *body = node->parts[2];
  return reduce_range(c, node->name, as_operand(c, evaluate(c, body), body->span), range,
                      node->span);
}

Value count_dims(const Context *c, const Node *sub) {
  DimRange range;
  if (!find_range(c, sub, &range)) return value_poison();
  const Tensor *w = parameter_at_hand(c);
  if (!w) return value_poison(); /* an update of it was refused */
  int first, count = place_range(range, w->rank, &first);
  return value_extent(axes_product(c, w->axes + first, count));
}
