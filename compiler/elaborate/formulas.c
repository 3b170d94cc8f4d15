/* Formulas: right sides, and the tensors and equations that values become. */
#include "elaborate/calls.h"
#include "elaborate/indices.h"

#include <string.h>

static Name hidden_name(const Frame *frame, const Scan *scan, const Node *root) {
  bool in_frame = scan->depth > (frame->scan ? frame->scan->depth : 0);
  Name name = scan->name;
  for (int i = 2; !in_frame && root && tree_mentions(root, name); i++) {
    name = name_format(frame->e->names, "%s%d", scan->name, i);
  }
  return name;
}

Context formula_begin(Frame *frame, const Scan *scan, Name path, const Node *root) {
  Elaborator *e = frame->e;
  Formula *formula = NEW(e->arena, Formula);
  formula->path = path;
  formula->root = root;
  formula->kinds = NEW(e->arena, Map);
  map_init(formula->kinds, e->arena);
  formula->scan = scan ? scan : frame->scan;
  formula->scan_count = formula->scan ? formula->scan->depth : 0;
  for (const Scan *s = formula->scan; s; s = s->outer) {
    Index *index = index_new(e->model, hidden_name(frame, s, root), s->axis.extent);
    index->steps = s->steps;
    formula->scan_indices[s->depth - 1] = index;
  }
  formula->lone = root && is_lone_application(frame, root);
  return (Context){.frame = frame, .formula = formula};
}

Context formula_inside(const Context *c) {
  Formula *formula = NEW(c->frame->e->arena, Formula);
  *formula = *c->formula;
  memset(&formula->fields, 0, sizeof formula->fields);
  memset(&formula->generated, 0, sizeof formula->generated);
  Context inner = {.frame = c->frame, .formula = formula, .variables = c->variables};
  return inner;
}

bool check_size(const Frame *frame, Name name, const Axis *axes, int rank, Span span) {
  int64_t elements = 1;
  if (rank > LIMIT_RANK) {
    report(frame, NN0212, span, "'%s' would have %d dims; the limit is %d", name, rank, LIMIT_RANK);
    return false;
  }
  for (int i = 0; i < rank; i++) {
    bool fits = checked_multiply(elements, extent_maximum(axes[i].extent), &elements);
    if (fits && elements <= LIMIT_ELEMENTS) continue;
    report(frame, NN0211, span, "'%s' %s has more than 2^40 elements", name,
           shape_text(frame->e->arena, axes, rank));
    return false;
  }
  return true;
}

/* ---- scalars of step and hyper-parameters */

static const Expr *hoist_scalar(const Context *c, const Expr *e, Name name, Span span) {
  Elaborator *el = c->frame->e;
  if (el->hoisted_in != el->program) {
    map_init(&el->hoisted, el->arena);
    el->hoisted_in = el->program;
  }
  const Expr *known = map_get(&el->hoisted, e);
  if (known) return known;
  Tensor *tensor =
      tensor_new(el->model, &el->program->tensors,
                 program_unique_name(el->model, el->program, name), ROLE_VALUE, TYPE_F64, NULL, 0);
  tensor->origin = span;
  Equation *equation = equation_new(el->model, el->program, tensor, NULL, e);
  equation->instance = c->frame->instance;
  equation->span = span;
  const Expr *read = tensor_read(el->model, tensor, NULL);
  map_put(&el->hoisted, e, (void *)read);
  return read;
}

static bool is_double_scalar(const Expr *e) {
  return e->op == OP_REAL && e->args[0]->type == TYPE_F64 && !is_read(e->args[0]);
}

static const Expr *rebuild(ExprTable *table, const Expr *e, const Map *new_of) {
  const Expr *args[LIMIT_RANK + 1];
  for (int i = 0; i < e->count; i++) args[i] = map_get(new_of, e->args[i]);
  return expr_over(table, e, args);
}

static const Expr *hoist_inner_scalars(const Context *c, const Expr *e, const ExprList *nodes,
                                       Span span) {
  Elaborator *el = c->frame->e;
  const Frame *frame = c->frame;
  Name owner = frame->is_optimizer ? frame->definition->name : c->formula->path; /* all share it */
  Name name = name_format(el->names, "%s.scalar", owner);
  Map new_of;
  map_init(&new_of, el->arena);
  for (int i = 0; i < nodes->count; i++) {
    const Expr *node = nodes->items[i], *new = rebuild(el->model->exprs, node, &new_of);
    if (is_double_scalar(new)) {
      new = expr_unary(el->model->exprs, OP_REAL, hoist_scalar(c, new->args[0], name, span));
    }
    map_put(&new_of, node, (void *)new);
  }
  return map_get(&new_of, e);
}

const Expr *hoist_scalars(const Context *c, const Expr *e, Span span) {
  bool leaf = is_read(e) || e->count == 0;
  if (e->type == TYPE_F64) return leaf ? e : hoist_scalar(c, e, c->formula->path, span);
  Arena *scratch = arena_new();
  ExprList nodes = expr_postorder(scratch, &e, 1);
  bool any = false;
  for (int i = 0; i < nodes.count; i++) any = any || is_double_scalar(nodes.items[i]);
  const Expr *result = any ? hoist_inner_scalars(c, e, &nodes, span) : e;
  arena_free(scratch);
  return result;
}

/* ---- equations */

Equation *define_equation(const Context *c, Tensor *target, const Index *const *vars,
                          const Expr *body, Span span) {
  Elaborator *e = c->frame->e;
  if (target->type != TYPE_F64) body = hoist_scalars(c, body, span);
  Equation *equation = equation_new(e->model, e->program, target, vars, body);
  equation->instance = c->frame->instance;
  equation->span = span;
  return equation;
}

static bool uses_scan(const Context *c, const IndexList *used) {
  for (int i = 0; i < used->count; i++) {
    for (int j = 0; j < c->formula->scan_count; j++) {
      if (used->items[i] == c->formula->scan_indices[j]) return true;
    }
  }
  return false;
}

/* The variables of the new equation: those of the scans (when one is used), then of the field. */
typedef struct Layout {
  const Index *from[2 * LIMIT_RANK];
  Axis axes[2 * LIMIT_RANK];
  int rank, hidden;
} Layout;

static Layout layout_of(const Context *c, Value value, const IndexList *used) {
  Layout layout = {.rank = 0};
  layout.hidden = uses_scan(c, used) ? c->formula->scan_count : 0;
  const Scan *scan = c->formula->scan;
  for (int i = layout.hidden; i > 0; i--, scan = scan->outer) layout.axes[i - 1] = scan->axis;
  for (; layout.rank < layout.hidden; layout.rank++) {
    layout.from[layout.rank] = c->formula->scan_indices[layout.rank];
  }
  for (int i = 0; value.field && i < value.field->rank; i++, layout.rank++) {
    layout.from[layout.rank] = value.field->indices[i];
    layout.axes[layout.rank] = value.field->axes[i];
  }
  return layout;
}

static bool check_free(const Context *c, const Layout *layout, const IndexList *used, Span span) {
  for (int i = 0; i < used->count; i++) {
    bool found = false;
    for (int j = 0; j < layout->rank; j++) found = found || layout->from[j] == used->items[i];
    if (found) continue;
    Diagnostic *d =
        report(c->frame, NN0205, span, "a whole tensor is wanted, and this depends on index '%s'",
               used->items[i]->name);
    diagnostic_help(d, "give it a name with its indices on a line of its own");
    return false;
  }
  return true;
}

static ValueType type_of_tensor(const Expr *body, int rank) {
  if (body->type == TYPE_NUMBER || (body->type == TYPE_F64 && rank > 0)) return TYPE_REAL;
  return body->type;
}

/* The same over variables of its own: the field's stay those of the formula. */
static const Expr *rename_variables(const Context *c, const Layout *layout, const Expr *body,
                                    const Index **to) {
  Model *model = c->frame->e->model;
  const Expr *values[2 * LIMIT_RANK];
  for (int i = 0; i < layout->rank; i++) {
    to[i] = index_like(model, layout->from[i]->name, layout->from[i]);
    values[i] = expr_index(model->exprs, to[i]);
  }
  Arena *scratch = arena_new();
  body = expr_substitute(model->exprs, scratch, body, layout->from, values, layout->rank);
  arena_free(scratch);
  return body;
}

static Value define_layout(const Context *c, Name name, const Layout *layout, const Expr *body,
                           Span span) {
  Elaborator *e = c->frame->e;
  const Index *to[2 * LIMIT_RANK];
  if (!check_size(c->frame, name, layout->axes, layout->rank, span)) return value_poison();
  body = rename_variables(c, layout, body, to);
  Tensor *tensor =
      tensor_new(e->model, &e->program->tensors, program_unique_name(e->model, e->program, name),
                 ROLE_VALUE, type_of_tensor(body, layout->rank), layout->axes, layout->rank);
  tensor->origin = span;
  equation_bound_values(e->model, define_equation(c, tensor, to, body, span));
  Value value = value_tensor(tensor);
  value.axes += layout->hidden;
  value.rank -= layout->hidden;
  value.hidden = layout->hidden;
  return value;
}

Value define_tensor(const Context *c, Name name, Value value, Span span) {
  if (value.kind == VALUE_RESULTS) return define_tensor(c, name, value.results[0], span);
  if (value.kind == VALUE_TENSOR || is_poison(value)) return value;
  value = as_operand(c, value, span);
  if (is_poison(value)) return value;
  Layout layout;
  Arena *scratch = arena_new();
  IndexList used = {0};
  expr_indices(scratch, value.expr, &used);
  layout = layout_of(c, value, &used);
  bool good = check_free(c, &layout, &used, span);
  arena_free(scratch);
  return good ? define_layout(c, name, &layout, value.expr, span) : value_poison();
}

bool is_own_value(Value value) {
  if (value.kind != VALUE_TENSOR || value.tensor->role != ROLE_VALUE) return false;
  const Equation *equation = value.tensor->definition;
  return !equation || !is_draw(equation->body);
}

Value define_scalar(const Context *c, Name name, Value value, Span span) {
  if (value.kind == VALUE_RESULTS) value = value.results[0];
  Value operand = as_operand(c, value, span);
  if (is_poison(operand)) return operand;
  if (operand.field || operand.expr->type == TYPE_BOOL) {
    report(c->frame, NN0209, span, "a scalar is wanted, not %s",
           operand.field ? value_text(c->frame->e->arena, operand) : "a condition");
    return value_poison();
  }
  return define_tensor(c, name, is_own_value(value) ? value : operand, span);
}
