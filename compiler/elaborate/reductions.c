/* Reductions: their variables and guard, and how a nested one becomes an equation of its own. */
#include "elaborate/indices.h"

#include <math.h>
#include <string.h>

ValueType reduction_type(Reduction reduction, const Expr *body) {
  if (reduction == REDUCE_ARGMAX || reduction == REDUCE_ARGMIN) return TYPE_INT;
  if (reduction == REDUCE_ANY || reduction == REDUCE_ALL) return TYPE_BOOL;
  if (reduction == REDUCE_LSE && body->type != TYPE_F64) return TYPE_REAL;
  return body->type == TYPE_NUMBER ? TYPE_REAL : body->type;
}

static bool check_body(const Context *c, const Node *node, Reduction reduction, const Expr *body) {
  bool logic = reduction == REDUCE_ANY || reduction == REDUCE_ALL;
  if ((body->type == TYPE_BOOL) == logic) return true;
  report(c->frame, NN0209, node->span, "'%s' is for %s", node->name,
         logic ? "conditions" : "numbers; float(..) makes one of a condition");
  return false;
}

/* Conditions around the reduction that its own proofs needed, outermost first, then its guard. */
static const Expr *guard_with_facts(ExprTable *table, const Facts *facts, const Expr *guard) {
  for (; facts; facts = facts->outer) {
    const Expr *fact = fact_as_condition(table, facts);
    guard = guard ? expr_binary(table, OP_AND, fact, guard) : fact;
  }
  return guard;
}

/* An empty pack leaves one point. */
static const Index *unit_index(Model *model) {
  return index_new(model, name_of(model->names, "only"), extent_constant(model->extents, 1));
}

static bool collect_indices(const Context *c, const Node *node, const BinderList *binders,
                            const Variable *variables, Reducing *parts) {
  int total = 0;
  for (int i = 0; i < binders->count; i++) total += binders->items[i].rank;
  if (total > LIMIT_BINDERS) {
    report(c->frame, NN0212, node->span, "a reduction over more than %d dims", LIMIT_BINDERS);
    return false;
  }
  parts->count = total;
  for (const Variable *v = variables; v != c->variables; v = v->outer) {
    total -= v->binder->rank;
    memcpy(parts->indices + total, v->indices, (size_t)v->binder->rank * sizeof *v->indices);
  }
  if (parts->count == 0) parts->indices[parts->count++] = unit_index(c->frame->e->model);
  return true;
}

/* The element reduced, a scalar: under the guard, which is a fact there. */
static bool evaluate_body(const Context *c, const Node *node, Reducing *parts) {
  const Field *field = NULL;
  Context inner = *c;
  Facts facts;
  if (node->parts[1]) {
    parts->guard = evaluate_expr(c, node->parts[1], &field);
    if (!parts->guard) return false;
    if (field || parts->guard->type != TYPE_BOOL) {
      report(c->frame, NN0209, node->parts[1]->span, "a condition on indices is wanted");
      return false;
    }
    facts = (Facts){c->facts, parts->guard, true};
    inner.facts = &facts;
  }
  parts->body = evaluate_expr(&inner, node->parts[2], &field);
  if (!parts->body) return false;
  if (field) {
    report(c->frame, NN0205, node->parts[2]->span,
           "a whole tensor %s inside a reduction over indices",
           shape_text(c->frame->e->arena, field->axes, field->rank));
    return false;
  }
  return check_body(c, node, parts->reduction, parts->body);
}

static const Index *empty_range(const Reducing *parts) {
  for (int i = 0; i < parts->count; i++) {
    if (extent_is_zero(parts->indices[i]->range)) return parts->indices[i];
  }
  return NULL;
}

bool check_ranges(const Context *c, Name reduction, const Reducing *parts, Span span) {
  bool places = parts->reduction == REDUCE_ARGMAX || parts->reduction == REDUCE_ARGMIN;
  const Index *empty = empty_range(parts);
  if (!empty) return true;
  report(c->frame, places ? NN0210 : NN0953, span, "'%s' is over no elements: '%s' has the range 0",
         reduction, empty->name);
  return !places;
}

bool take_apart(const Context *c, const Node *node, Reducing *parts) {
  BinderList binders = {0};
  const Node *subs = node->parts[0];
  *parts = (Reducing){.is_mean = is_named(node->name, "mean")};
  if (!find_reduction(node->name, &parts->reduction)) bug("reduction '%s'", node->name);
  for (int i = 0; i < subs->count; i++) {
    if (!binder_add(c, &binders, subs->parts[i])) return false;
  }
  if (!find_ranges(c, &binders, (const Node *[]){node->parts[2], node->parts[1]}, 2)) return false;
  Level level = {c->level, c->facts, false};
  Context inner = *c;
  int generated = c->formula->generated.count;
  inner.variables = bind_variables(c, &binders, NULL);
  inner.level = &level;
  if (!collect_indices(c, node, &binders, inner.variables, parts)) return false;
  if (!check_ranges(c, node->name, parts, node->span)) return false;
  if (!evaluate_body(&inner, node, parts)) return false;
  c->formula->generated.count = generated; /* names of variables out of sight are free again */
  if (level.needs_facts) {
    parts->guard = guard_with_facts(c->frame->e->model->exprs, level.facts, parts->guard);
    if (c->level) c->level->needs_facts = true;
  }
  return true;
}

static const Expr *hoist(const Context *c, const Reducing *parts, const char *suffix,
                         const Expr *body, Span span) {
  const Elaborator *e = c->frame->e;
  Name name = name_format(e->names, "%s.%s", c->formula->path, suffix);
  return equation_hoist(e->model, e->program, name, parts->reduction, parts->indices, parts->count,
                        parts->guard, body, c->frame->instance, span);
}

/* How many elements a mean divides by: the product of the extents, or the guarded count. */
static const Expr *count_elements(const Context *c, const Reducing *parts, Span span) {
  ExprTable *table = c->frame->e->model->exprs;
  if (parts->guard) return hoist(c, parts, "count", expr_integer(table, 1), span);
  const Expr *product = expr_integer(table, 1);
  for (int i = 0; i < parts->count; i++) {
    const Expr *extent = expr_extent(table, parts->indices[i]->range);
    product = expr_binary(table, OP_MUL, product, extent);
  }
  return product;
}

Value hoist_reduction(const Context *c, const Reducing *parts, Span span) {
  ExprTable *table = c->frame->e->model->exprs;
  if (parts->is_mean && empty_range(parts)) return value_expr(expr_number(table, NAN), NULL);
  const Expr *read = hoist(c, parts, reduction_name(parts->reduction), parts->body, span);
  if (!parts->is_mean) return value_expr(read, NULL);
  return value_expr(expr_binary(table, OP_DIV, read, count_elements(c, parts, span)), NULL);
}

Value evaluate_reduction(const Context *c, const Node *node) {
  Reducing parts;
  if (names_dims(c, node->parts[0])) return reduce_dims(c, node);
  if (!take_apart(c, node, &parts)) return value_poison();
  return hoist_reduction(c, &parts, node->span);
}
