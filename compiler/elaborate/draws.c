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

/* The standard draw in a tensor of its own, with the dims of `target`, read at `vars`. */
static Value helper_draw(const Context *c, Op draw, const Tensor *target, const Index *const *vars,
                         Span span) {
  Elaborator *e = c->frame->e;
  const Index *own[LIMIT_RANK];
  Name name =
      program_unique_name(e->model, e->program, name_format(e->names, "%s.draw", target->name));
  Tensor *tensor = tensor_new(e->model, &e->program->tensors, name, ROLE_VALUE, TYPE_REAL,
                              target->axes, target->rank);
  tensor->origin = span;
  tensor->site = site_of(name);
  for (int i = 0; i < target->rank; i++) {
    own[i] = index_new(e->model, vars[i]->name, vars[i]->range);
  }
  define_equation(c, tensor, own, expr_draw(e->model->exprs, draw), span);
  return value_expr(tensor_read(e->model, tensor, vars), NULL);
}

static Value scale_and_shift(const Context *c, Value draw, Value scale, Value shift, Span span) {
  draw = apply_op(c, OP_MUL, (Value[]){scale, draw}, 2, span);
  if (is_number_value(shift, 0)) return draw;
  return apply_op(c, OP_ADD, (Value[]){shift, draw}, 2, span);
}

static Value transform(const Context *c, const Distribution *d, Value draw, Span span) {
  if (d->kind == DRAW_NORMAL) return scale_and_shift(c, draw, d->b, d->a, span);
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
  Value draw = helper_draw(c, draw_of(distribution), target, vars, span);
  Value value = as_operand(c, transform(c, distribution, draw, span), span);
  if (is_poison(value)) return;
  if (value.field) {
    report(c->frame, NN0205, span, "the distribution depends on a whole tensor; write its indices");
    return;
  }
  define_equation(c, target, vars, value.expr, span);
}
