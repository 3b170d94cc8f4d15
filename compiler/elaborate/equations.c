/* Equations, draws and updates: a statement with a left side becomes an equation of the program.

   With subscripts on the left the right side is one element, and a reduction at its root is that of the
   equation. Without them it is a whole value: another name for a tensor, or pointwise in its dims. */
#include "elaborate/calls.h"
#include "elaborate/statements.h"

#include <string.h>

static const Node *subs_of(const Node *left) {
  return left->count > 0 ? left->parts[0] : NULL;
}

static bool is_root_reduction(const Node *right) {
  return right->kind == NODE_REDUCE && !is_named(right->name, "mean");
}

bool is_indexed(const Node *left, const Node *right) {
  return subs_of(left) || (right->kind == NODE_REDUCE);
}

Node *equation_node(Arena *arena, const Node *named, Node *subs, Node *right) {
  Node *left = NEW(arena, Node), *lefts = NEW(arena, Node), *equation = NEW(arena, Node);
  *left = (Node){.kind = NODE_LHS, .span = named->span, .name = named->name, .count = 1};
  *lefts = (Node){.kind = NODE_LIST, .span = named->span, .count = 1};
  *equation = (Node){.kind = NODE_EQUATION, .span = named->span, .count = 2};
  left->parts = NEW_ARRAY(arena, Node *, 1);
  lefts->parts = NEW_ARRAY(arena, Node *, 1);
  equation->parts = NEW_ARRAY(arena, Node *, 2);
  left->parts[0] = subs;
  lefts->parts[0] = left;
  equation->parts[0] = lefts;
  equation->parts[1] = right;
  return equation;
}

static void settle(Statement *statement, const Node *left, Value value) {
  Binding *binding = map_get(&statement->frame->bindings, left->name);
  if (!binding || binding->statement != statement) return; /* defined twice: reported */
  binding->known = true;
  binding->value = value;
  if (value.kind == VALUE_TENSOR && value.hidden > 0) {
    int outside = statement->frame->scan ? statement->frame->scan->depth : 0;
    if (value.hidden > outside) binding->scan = statement->scan;
  }
}

/* ---- indexed */

static Equation *build_equation(Shape *shape, Tensor *target, const Expr *body, Span span) {
  Elaborator *e = shape->context.frame->e;
  Equation *equation = define_equation(&shape->context, target, shape->vars, body, span);
  size_t count = (size_t)shape->var_count;
  equation->vars = arena_copy(e->arena, shape->vars, count * sizeof *shape->vars);
  equation->var_count = shape->var_count;
  memcpy(equation->place, shape->place, (size_t)shape->var_count * sizeof *shape->place);
  return equation;
}

/* A tensor that was read before its type was known is real, and so is what defines it. */
static const Expr *convert_to(const Context *c, const Expr *body, ValueType type) {
  if (type == TYPE_REAL && body->type == TYPE_BOOL) {
    return expr_unary(c->frame->e->model->exprs, OP_REAL, body);
  }
  return body;
}

static bool fits_type(const Context *c, ValueType body, ValueType target, Span span) {
  if (target == TYPE_REAL || target == TYPE_F64 || body == target) return true;
  report(c->frame, NN0209, span, "%s wanted here",
         target == TYPE_INT ? "a whole number is" : "a condition is");
  return false;
}

/* A whole number or a condition that is reduced to, as the value of a real tensor. */
static bool define_converted(Shape *shape, Tensor *target, const Reducing *parts, Span span) {
  Model *model = shape->context.frame->e->model;
  const Expr *reduced = hoist_reduction(&shape->context, parts, span).expr;
  const Expr *body = expr_unary(model->exprs, OP_REAL, reduced);
  equation_bound_values(model, build_equation(shape, target, body, span));
  return true;
}

static bool define_reduction(Shape *shape, Tensor *given, const Node *right, Span span) {
  Reducing parts;
  if (!take_apart(&shape->context, right, &parts)) return false;
  Elaborator *e = shape->context.frame->e;
  ValueType type = reduction_type(parts.reduction, parts.body);
  Tensor *target = given ? given : make_target(shape, type, span);
  if (!fits_type(&shape->context, type, target->type, right->span)) return false;
  bool is_whole = type == TYPE_INT || type == TYPE_BOOL;
  if (is_whole && target->type == TYPE_REAL && parts.reduction != REDUCE_SUM)
    return define_converted(shape, target, &parts, span);
  parts.body = hoist_scalars(&shape->context, parts.body, span);
  if (parts.reduction == REDUCE_SUM && parts.body->type == TYPE_INT && target->type == TYPE_REAL) {
    parts.body = expr_unary(e->model->exprs, OP_REAL, parts.body);
  }
  Equation *equation = build_equation(shape, target, parts.body, span);
  equation->reduction = parts.reduction;
  equation->reduced =
      arena_copy(e->arena, parts.indices, (size_t)parts.count * sizeof *parts.indices);
  equation->reduced_count = parts.count;
  equation->guard = parts.guard;
  equation_bound_values(e->model, equation);
  return true;
}

static bool define_element(Shape *shape, Tensor *given, const Node *right, Span span) {
  const Context *c = &shape->context;
  Value value = as_operand(c, evaluate(c, right), right->span);
  if (is_poison(value)) return false;
  if (value.field) {
    Diagnostic *d = report(c->frame, NN0205, right->span,
                           "the right side is a whole tensor %s, the left side one element",
                           shape_text(c->frame->e->arena, value.field->axes, value.field->rank));
    diagnostic_help(d, "write the indices on both sides, or on neither");
    return false;
  }
  Tensor *target = given ? given : make_target(shape, value.expr->type, span);
  if (!fits_type(c, value.expr->type, target->type, right->span)) return false;
  const Expr *body = convert_to(c, value.expr, target->type);
  equation_bound_values(c->frame->e->model, build_equation(shape, target, body, span));
  return true;
}

/* The right side as the definition of `given`, or of a new tensor of the shape's own. */
static bool define_shape(Shape *shape, Tensor *given, const Node *right, Span span) {
  bool reduces = is_root_reduction(right) && !names_dims(&shape->context, right->parts[0]);
  return reduces ? define_reduction(shape, given, right, span)
                 : define_element(shape, given, right, span);
}

void shape_early(Statement *statement) {
  Frame *frame = statement->frame;
  const Node *node = statement->node;
  if (node->kind != NODE_EQUATION || node->parts[0]->count != 1) return;
  const Node *left = node->parts[0]->parts[0];
  if (!is_indexed(left, node->parts[1])) return;
  if (frame->e->depth >= LIMIT_WAITING) return;
  Axis declared[LIMIT_RANK];
  int rank = 0;
  bool is_declared = declared_dims(frame, left->name, declared, &rank);
  statement->state = STATEMENT_RUNNING;
  frame->e->depth += COST_OF_WAITING;
  Shape *shape = NEW(frame->e->arena, Shape);
  if (find_shape(shape, statement, left, node->parts[1], is_declared ? declared : NULL, rank)) {
    statement->shape = shape;
  }
  frame->e->depth -= COST_OF_WAITING;
  statement->state = statement->shape ? STATEMENT_SHAPED : STATEMENT_DONE;
  if (!statement->shape) settle(statement, left, value_poison());
}

static void run_indexed(Statement *statement, const Node *left, const Node *right) {
  if (!statement->shape) shape_early(statement);
  Shape *shape = statement->shape;
  if (!shape) return;
  statement->state = STATEMENT_RUNNING;
  bool good = define_shape(shape, NULL, right, statement->node->span);
  settle(statement, left, good ? shape_value(shape) : value_poison());
}

/* ---- whole values */

static Value check_result(Statement *statement, const Context *c, const Node *left, Value value) {
  Axis declared[LIMIT_RANK];
  int rank = 0;
  Frame *frame = statement->frame;
  if (is_poison(value) || !declared_dims(frame, left->name, declared, &rank)) return value;
  Span span = statement->node->span;
  if (value.kind == VALUE_RESULTS) value = value.results[0];
  if (value.kind != VALUE_TENSOR) {
    Axis *axes = arena_copy(frame->e->arena, declared, sizeof declared);
    value = spread_value(c, value, axes, rank, span);
    return define_tensor(c, c->formula->path, value, span);
  }
  if (same_dims(value.axes, value.rank, declared, rank)) return value;
  Arena *arena = frame->e->arena;
  Diagnostic *d =
      report(frame, NN0205, span, "'%s' is %s and was declared as %s", left->name,
             shape_text(arena, value.axes, value.rank), shape_text(arena, declared, rank));
  note_shape(d, frame, value.axes, value.rank);
  return value_poison();
}

static Value reject_value(Statement *statement, Value value) {
  const Node *right = statement->node->parts[1];
  if (value.kind == VALUE_DISTRIBUTION) {
    Diagnostic *d = report(statement->frame, NN0309, right->span,
                           "a distribution is not a value; a draw from it is");
    diagnostic_help(d, "write '~' in place of '='");
  } else {
    Diagnostic *d =
        report(statement->frame, NN0301, right->span, "a layer without its tensor is not a value");
    diagnostic_help(d, "apply it, or name it with 'use'");
  }
  return value_poison();
}

static void run_whole(Statement *statement, const Node *left, const Node *right) {
  Name path = path_of(statement->frame, left->name);
  Context c = statement_context(statement, path, right);
  Value value = evaluate(&c, right);
  if (value.kind == VALUE_LAYER || value.kind == VALUE_DISTRIBUTION) {
    value = reject_value(statement, value);
  } else if (value.kind == VALUE_EXPR &&
             !map_has(&statement->frame->declared_results, left->name)) {
    value = define_tensor(&c, path, value, statement->node->span);
  }
  value = check_result(statement, &c, left, value);
  if (value.kind == VALUE_EXPR) value = define_tensor(&c, path, value, statement->node->span);
  if (value.kind == VALUE_RESULTS) value = value.results[0];
  settle(statement, left, value);
}

static void run_unpack(Statement *statement, const Node *lefts, const Node *right) {
  Context c = statement_context(statement, path_of(statement->frame, lefts->parts[0]->name), right);
  Value value = evaluate(&c, right);
  bool fits = value.kind == VALUE_RESULTS && value.result_count >= lefts->count;
  if (!fits && !is_poison(value)) {
    report(statement->frame, NN0301, right->span, "%d results are wanted, this is %s", lefts->count,
           value.kind == VALUE_RESULTS ? arena_format(c.frame->e->arena, "%d", value.result_count)
                                       : value_text(c.frame->e->arena, value));
  }
  for (int i = 0; i < lefts->count; i++) {
    const Node *left = lefts->parts[i];
    if (subs_of(left)) {
      report(statement->frame, NN0213, left->span, "results are unpacked into bare names");
    }
    settle(statement, left, fits ? value.results[i] : value_poison());
  }
}

void run_equation(Statement *statement) {
  const Node *lefts = statement->node->parts[0], *right = statement->node->parts[1];
  if (lefts->count > 1)
    run_unpack(statement, lefts, right);
  else if (is_indexed(lefts->parts[0], right))
    run_indexed(statement, lefts->parts[0], right);
  else
    run_whole(statement, lefts->parts[0], right);
}

/* ---- draws */

static const Distribution *evaluate_distribution(const Context *c, const Node *right) {
  Value value = evaluate(c, right);
  if (value.kind == VALUE_DISTRIBUTION) return value.distribution;
  if (!is_poison(value)) {
    report(c->frame, NN0309, right->span, "'~' draws from a distribution, and this is %s",
           value_text(c->frame->e->arena, value));
  }
  return NULL;
}

void run_draw(Statement *statement) {
  const Node *left = statement->node->parts[0], *right = statement->node->parts[1];
  Axis declared[LIMIT_RANK];
  int rank = 0;
  bool is_declared = declared_dims(statement->frame, left->name, declared, &rank);
  Shape *shape = NEW(statement->frame->e->arena, Shape);
  Value value = value_poison();
  if (find_shape(shape, statement, left, right, is_declared ? declared : NULL, rank)) {
    const Distribution *distribution = evaluate_distribution(&shape->context, right);
    bool is_bare = is_declared && rank > 0 && !subs_of(left);
    if (distribution && (is_bare || shape->var_count != shape->rank)) {
      report(statement->frame, NN0213, left->span, "a draw has one index for each dim");
    } else if (distribution) {
      Tensor *target = make_target(shape, TYPE_REAL, statement->node->span);
      define_draw(&shape->context, distribution, target, shape->vars, statement->node->span);
      value = shape_value(shape);
    }
  }
  settle(statement, left, value);
}

/* ---- updates */

static Declared *find_updated(Statement *statement, const Node *left) {
  Frame *frame = statement->frame;
  Elaborator *e = frame->e;
  Declared *declared = map_get(&e->declared, path_of(frame, left->name));
  bool is_kept =
      declared && declared->value.kind == VALUE_TENSOR &&
      (declared->value.tensor->role == ROLE_STATE || declared->value.tensor->role == ROLE_PARAM);
  if (is_kept) return declared;
  const Binding *binding = frame_find(frame, left->name);
  if (binding && is_poison(binding->value)) return NULL;
  Diagnostic *d = report(frame, NN0404, left->span, "'%s' is not a state or parameter of %s",
                         left->name, frame->definition ? "this definition" : "the model");
  if (!binding) suggest_name(d, frame, left->name);
  return NULL;
}

static bool check_once(Statement *statement, const Tensor *target) {
  Elaborator *e = statement->frame->e;
  const Node *first = map_get(&e->updated, target);
  map_put(&e->updated, target, (void *)statement->node);
  if (!first) return true;
  Diagnostic *d = report(statement->frame, NN0404, statement->node->parts[0]->span,
                         "'%s' is updated twice", target->name);
  diagnostic_note(d, first->span, "the first time");
  return false;
}

/* The right side without indices, in the dims of the shape. */
static bool define_spread(Statement *statement, Shape *shape, Tensor *target, const Node *right) {
  const Context *c = &shape->context;
  Value value = spread_value(c, evaluate(c, right), shape->axes, shape->rank, right->span);
  if (is_poison(value) || !fits_type(c, value.expr->type, target->type, right->span)) return false;
  const Index *const *vars = value.field ? value.field->indices : NULL;
  define_equation(c, target, vars, convert_to(c, value.expr, target->type), statement->node->span);
  return true;
}

Tensor *define_side(Statement *statement, const Node *left, const Node *right, Value like,
                    Name path) {
  Elaborator *e = statement->frame->e;
  Shape *shape = NEW(e->arena, Shape);
  if (!find_shape(shape, statement, left, right, like.axes, like.rank)) return NULL;
  bool bare = !subs_of(left);
  if (bare) {
    shape->rank = like.rank;
    memcpy(shape->axes, like.axes, (size_t)like.rank * sizeof *like.axes);
  }
  Tensor *target =
      tensor_new(e->model, &e->program->tensors, program_unique_name(e->model, e->program, path),
                 ROLE_VALUE, like.tensor->type, shape->axes, shape->rank);
  target->origin = statement->node->span;
  bool good = bare ? define_spread(statement, shape, target, right)
                   : define_shape(shape, target, right, statement->node->span);
  return good ? target : NULL;
}

void run_update(Statement *statement) {
  const Node *left = statement->node->parts[0], *right = statement->node->parts[1];
  Elaborator *e = statement->frame->e;
  const Declared *declared = find_updated(statement, left);
  if (!declared || !check_once(statement, declared->value.tensor)) return;
  Tensor *target = declared->value.tensor;
  Name path = name_format(e->names, "%s.next", target->name);
  Tensor *next = define_side(statement, left, right, declared->value, path);
  bool live = tensor_has_tag(target, name_of(e->names, "live"));
  if (next && (e->training || live)) {
    APPEND(e->arena, &e->program->updates, (Update){target, next, live});
  }
}
