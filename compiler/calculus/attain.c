/* Attained: choices about what attains an extreme ask the extreme. */
#include "calculus/attain.h"

#include "calculus/activity.h"
#include "calculus/arithmetic.h"
#include "calculus/roots.h"
#include "calculus/variables.h"

typedef struct Attained {
  Model *model;
  Program *program;
  Arena *arena;
  CommonVariables *common;
  Map extremes; /* what a max or min is taken of, over common variables -> its Equation * */
} Attained;

static bool has_lone_dims(const Equation *equation) {
  return equation->var_count == equation->target->rank;
}

static void note_extreme(Attained *attained, const Equation *equation) {
  bool is_extreme = equation->reduction == REDUCE_MAX || equation->reduction == REDUCE_MIN;
  if (!is_extreme || equation->guard || !has_lone_dims(equation)) return;
  const Expr *key = common_body(attained->common, equation);
  if (!map_has(&attained->extremes, key)) map_put(&attained->extremes, key, (void *)equation);
}

/* The equation that defines what is read, one element for each of its points; null: there is none such. */
static const Equation *plain_definition(const Expr *read) {
  const Equation *equation = is_read(read) ? equation_of(read->tensor) : NULL;
  return equation && !read_default(read) && has_lone_dims(equation) ? equation : NULL;
}

/* The right side of the equation for the element that is read. */
static const Expr *body_at(const Attained *attained, const Equation *equation, const Expr *read) {
  return equation_at_read(attained->model, attained->arena, equation, read, equation->body);
}

/* `if place == where then adjoint else 0`, where `where` is that of an extreme. */
typedef struct Unpooled {
  const Expr *condition;
  const Expr *where, *place, *adjoint;
  const Equation *definition; /* of `where` */
  const Equation *extreme;
} Unpooled;

/* Of the element at the place that the extreme has at `where`. */
static const Equation *extreme_of(const Attained *attained, const Equation *where) {
  Reduction wanted = where->reduction == REDUCE_ARGMAX   ? REDUCE_MAX
                     : where->reduction == REDUCE_ARGMIN ? REDUCE_MIN
                                                         : REDUCE_NONE;
  if (wanted == REDUCE_NONE || where->guard) return NULL;
  const Equation *extreme = map_get(&attained->extremes, common_body(attained->common, where));
  return extreme && extreme->reduction == wanted && extreme->var_count == where->var_count ? extreme
                                                                                           : NULL;
}

static bool have_same_subscripts(const Expr *a, const Expr *b) {
  if (read_rank(a) != read_rank(b) || read_default(a) || read_default(b)) return false;
  for (int dim = 0; dim < read_rank(a); dim++)
    if (a->args[dim] != b->args[dim]) return false;
  return true;
}

static bool is_unpooled(const Attained *attained, const Expr *e, Unpooled *unpooled) {
  if (e->op != OP_SELECT || !is_literal(e->args[2], 0) || e->args[0]->op != OP_EQ) return false;
  *unpooled = (Unpooled){.condition = e->args[0], .adjoint = e->args[1]};
  for (int side = 0; side < 2; side++) {
    unpooled->where = e->args[0]->args[side];
    unpooled->place = e->args[0]->args[1 - side];
    unpooled->definition = plain_definition(unpooled->where);
    unpooled->extreme = unpooled->definition ? extreme_of(attained, unpooled->definition) : NULL;
    if (unpooled->extreme)
      return is_read(unpooled->adjoint) && have_same_subscripts(unpooled->adjoint, unpooled->where);
  }
  return false;
}

/* What attains the extreme: the reduced variables are the digits of the place. */
static const Expr *attaining(const Attained *attained, const Unpooled *unpooled) {
  ExprTable *exprs = attained->model->exprs;
  const Equation *where = unpooled->definition;
  const Expr *rest = unpooled->place, *body = body_at(attained, where, unpooled->where);
  const Expr **digits = NEW_ARRAY(attained->arena, const Expr *, where->reduced_count);
  for (int i = where->reduced_count - 1; i >= 0; i--) {
    const Expr *range = expr_extent(exprs, where->reduced[i]->range);
    digits[i] = i > 0 ? expr_binary(exprs, OP_MOD, rest, range) : rest;
    rest = expr_binary(exprs, OP_IDIV, rest, range);
  }
  return expr_substitute(exprs, attained->arena, body, where->reduced, digits,
                         where->reduced_count);
}

/* max(e, c) decides c < e, and min(e, c) e < c, as e itself decides both. */
static bool decides(const Expr *value, const Expr *e, const Expr *c, bool is_above) {
  if (value == e) return true;
  if (value->op != (is_above ? OP_MAX : OP_MIN)) return false;
  return (value->args[0] == e && value->args[1] == c) ||
         (value->args[0] == c && value->args[1] == e);
}

/* The condition, as one on the extreme's own elements; null: it is no condition on what attains it. */
static const Expr *condition_on_extreme(const Attained *attained, const Expr *condition,
                                        const Unpooled *unpooled) {
  ExprTable *exprs = attained->model->exprs;
  double number;
  if (condition->op != OP_LT) return NULL;
  bool is_above = is_number(condition->args[0], &number);
  const Expr *c = condition->args[!is_above], *e = condition->args[is_above];
  if (!is_number(c, &number)) return NULL;
  const Expr *value = attaining(attained, unpooled);
  const Equation *definition = plain_definition(value);
  bool is_decided = value == e;
  if (!is_decided && definition && definition->reduction == REDUCE_NONE)
    is_decided = decides(body_at(attained, definition, value), e, c, is_above);
  if (!is_decided) return NULL;
  const Expr *own =
      equation_own_read(attained->model, unpooled->extreme, unpooled->extreme->target);
  return expr_binary(exprs, OP_LT, is_above ? c : own, is_above ? own : c);
}

/* if condition then adjoint else 0, of each extreme; the read of it that stands for `adjoint`. */
static const Expr *mask_adjoint(const Attained *attained, const Unpooled *unpooled,
                                const Expr *condition, const Equation *equation) {
  ExprTable *exprs = attained->model->exprs;
  const Equation *extreme = unpooled->extreme;
  const Expr *own = equation_own_read(attained->model, extreme, unpooled->adjoint->tensor);
  const Expr *body = expr_select(exprs, condition, own, expr_number(exprs, 0));
  Name name = name_format(attained->model->names, "%s.kept", unpooled->adjoint->tensor->name);
  const Expr *kept = equation_hoist(attained->model, attained->program, name, REDUCE_NONE, NULL, 0,
                                    NULL, body, equation->instance, equation->span);
  return equation_at_read(attained->model, attained->arena, extreme, unpooled->where, kept);
}

static void mask(const Attained *attained, Equation *equation) {
  ExprTable *exprs = attained->model->exprs;
  const Expr *body = equation->body;
  Unpooled unpooled;
  if (equation->reduction != REDUCE_NONE || body->op != OP_SELECT || !is_literal(body->args[2], 0))
    return;
  const Equation *definition = plain_definition(body->args[1]);
  if (!definition || definition->reduction != REDUCE_NONE) return;
  if (!is_unpooled(attained, body_at(attained, definition, body->args[1]), &unpooled)) return;
  const Expr *condition = condition_on_extreme(attained, body->args[0], &unpooled);
  if (!condition) return;
  const Expr *kept = mask_adjoint(attained, &unpooled, condition, equation);
  equation->body = expr_select(exprs, unpooled.condition, kept, body->args[2]);
}

void attain(Model *model, Program *program, CommonVariables *common) {
  Attained attained = {
      .model = model, .program = program, .arena = common->arena, .common = common};
  map_init(&attained.extremes, common->arena);
  EquationList order = program_in_order(model, program, common->arena);
  for (int i = 0; i < order.count; i++) {
    mask(&attained, order.items[i]);
    note_extreme(&attained, order.items[i]);
  }
}
