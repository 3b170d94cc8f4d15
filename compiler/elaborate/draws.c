/* Draws: distributions reduced to the two standard ones, which are whole right sides. */
#include "elaborate/statements.h"

#include <string.h>

static bool is_number_value(Value value, double wanted) {
  double number;
  return value_as_number(value, &number) && number == wanted;
}

static bool is_standard(const Distribution *d) {
  bool uniform = d->kind == DRAW_UNIFORM && is_number_value(d->a, 0) && is_number_value(d->b, 1);
  bool normal = d->kind == DRAW_NORMAL && is_number_value(d->a, 0) && is_number_value(d->b, 1);
  return uniform || normal || d->kind == DRAW_ORTHOGONAL;
}

static Op draw_of(const Distribution *d) {
  return d->kind == DRAW_NORMAL || d->kind == DRAW_ORTHOGONAL ? OP_NORMAL : OP_UNIFORM;
}

/* ---- tensors between the draw and its target */

typedef struct Helper {
  Tensor *tensor;
  const Index *vars[LIMIT_RANK];
} Helper;

/* With the dims of `target`, which is read at `vars`. */
static Helper helper_new(const Context *c, const char *part, const Tensor *target,
                         const Index *const *vars, Span span) {
  Elaborator *e = c->frame->e;
  Name name =
      program_unique_name(e->model, e->program, name_format(e->names, "%s.%s", target->name, part));
  Helper helper = {.tensor = tensor_new(e->model, &e->program->tensors, name, ROLE_VALUE, TYPE_REAL,
                                        target->axes, target->rank)};
  helper.tensor->origin = span;
  for (int i = 0; i < target->rank; i++) {
    helper.vars[i] = index_new(e->model, vars[i]->name, vars[i]->range);
  }
  return helper;
}

static Value define_helper(const Context *c, const Helper *helper, const Expr *body,
                           const Index *const *vars, Span span) {
  define_equation(c, helper->tensor, helper->vars, body, span);
  return value_expr(tensor_read(c->frame->e->model, helper->tensor, vars), NULL);
}

/* The standard draw. */
static Value helper_draw(const Context *c, Op draw, const Tensor *target, const Index *const *vars,
                         Span span) {
  Helper helper = helper_new(c, "draw", target, vars, span);
  helper.tensor->site = site_of(helper.tensor->name);
  return define_helper(c, &helper, expr_draw(c->frame->e->model->exprs, draw), vars, span);
}

/* ---- quantiles of the normal distribution: Wichura (1988), algorithm AS 241, PPND7, right to 3e-7 */

static Value apply(const Context *c, Op op, Value a, Value b, Span span) {
  return apply_op(c, op, (Value[]){a, b}, 2, span);
}

static Value apply_unary(const Context *c, Op op, Value a, Span span) {
  return apply_op(c, op, (Value[]){a}, 1, span);
}

/* The coefficients from the highest on. */
static Value polynomial(const Context *c, const double *coefficients, int count, Value x,
                        Span span) {
  Value sum = value_number(coefficients[0]);
  for (int i = 1; i < count; i++) {
    sum = apply(c, OP_ADD, apply(c, OP_MUL, sum, x, span), value_number(coefficients[i]), span);
  }
  return sum;
}

/* The middle part, q = share - 1/2 between -0.425 and 0.425. */
static Value middle_quantile(const Context *c, Value q, Span span) {
  static const double over[] = {59.109374720, 159.29113202, 50.434271938, 3.3871327179};
  static const double under[] = {67.187563600, 78.757757664, 17.895169469, 1};
  Value r = apply(c, OP_SUB, value_number(0.180625), apply(c, OP_MUL, q, q, span), span);
  Value ratio =
      apply(c, OP_DIV, polynomial(c, over, 4, r, span), polynomial(c, under, 4, r, span), span);
  return apply(c, OP_MUL, q, ratio, span);
}

/* Those further out, down to a share of exp(-25) on either side. */
static Value outer_quantile(const Context *c, Value q, Span span) {
  static const double over[] = {0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777};
  static const double under[] = {0.12021132975, 0.73700164250, 1};
  Value tail = apply(c, OP_SUB, value_number(0.5), apply_unary(c, OP_ABS, q, span), span);
  Value r = apply_unary(c, OP_LOG, tail, span);
  r = apply_unary(c, OP_SQRT, apply_unary(c, OP_NEGATE, r, span), span);
  r = apply(c, OP_SUB, r, value_number(1.6), span);
  Value size =
      apply(c, OP_DIV, polynomial(c, over, 4, r, span), polynomial(c, under, 3, r, span), span);
  return apply(c, OP_MUL, apply_unary(c, OP_SIGN, q, span), size, span);
}

/* A standard normal draw within two deviations: the quantile of a share between those of -2 and 2. */
static Value truncated_draw(const Context *c, const Tensor *target, const Index *const *vars,
                            Span span) {
  static const double within = 0.95449973610364159; /* the share of what is kept */
  Helper helper = helper_new(c, "quantile", target, vars, span);
  helper.tensor->truncates = true;
  Value draw = helper_draw(c, OP_UNIFORM, target, helper.vars, span);
  Value q = apply(c, OP_SUB, draw, value_number(0.5), span);
  q = apply(c, OP_MUL, value_number(within), q, span);
  Value is_middle = apply(c, OP_LE, apply_unary(c, OP_ABS, q, span), value_number(0.425), span);
  Value middle = middle_quantile(c, q, span), outer = outer_quantile(c, q, span);
  Value body = apply_op(c, OP_SELECT, (Value[]){is_middle, middle, outer}, 3, span);
  return define_helper(c, &helper, body.expr, vars, span);
}

/* ---- from the draw to the distribution */

static Value scale_and_shift(const Context *c, Value draw, Value scale, Value shift, Span span) {
  draw = apply_op(c, OP_MUL, (Value[]){scale, draw}, 2, span);
  if (is_number_value(shift, 0)) return draw;
  return apply_op(c, OP_ADD, (Value[]){shift, draw}, 2, span);
}

static Value transform(const Context *c, const Distribution *d, Value draw, Span span) {
  if (d->kind == DRAW_NORMAL || d->kind == DRAW_TRUNCATED_NORMAL) {
    return scale_and_shift(c, draw, d->b, d->a, span);
  }
  if (d->kind == DRAW_UNIFORM) {
    Value width = apply_op(c, OP_SUB, (Value[]){d->b, d->a}, 2, span);
    return scale_and_shift(c, draw, width, d->a, span);
  }
  Value below = apply_op(c, OP_LT, (Value[]){draw, d->a}, 2, span);
  Value one = value_integer(c->frame->e, 1), zero = value_integer(c->frame->e, 0);
  return apply_op(c, OP_SELECT, (Value[]){below, one, zero}, 3, span);
}

void define_draw(const Context *c, const Distribution *distribution, Tensor *target,
                 const Index *const *vars, Span span) {
  ExprTable *table = c->frame->e->model->exprs;
  bool is_initial = target->role == ROLE_PARAM || target->role == ROLE_STATE;
  if (distribution->kind == DRAW_ORTHOGONAL) {
    double gain;
    if (!is_initial || !value_as_number(distribution->a, &gain) || target->rank < 2) {
      report(c->frame, NN0309, span,
             "orthogonal(gain) is for initial values of parameters with two dims or more");
      return;
    }
    target->orthogonal_gain = gain;
  }
  if (is_standard(distribution)) {
    target->site = site_of(target->name);
    define_equation(c, target, vars, expr_draw(table, draw_of(distribution)), span);
    return;
  }
  Value draw = distribution->kind == DRAW_TRUNCATED_NORMAL
                   ? truncated_draw(c, target, vars, span)
                   : helper_draw(c, draw_of(distribution), target, vars, span);
  Value value = as_operand(c, transform(c, distribution, draw, span), span);
  if (is_poison(value)) return;
  if (value.field) {
    report(c->frame, NN0205, span, "the distribution depends on a whole tensor; write its indices");
    return;
  }
  define_equation(c, target, vars, value.expr, span);
}
