/* Differentiation: reverse mode on equations.

   For each scalar asked for, the active tensors are visited from the scalar down. The equation of each
   says how its adjoint reaches its reads: reduction rule (reduction.c) times scalar rules (adjoint.c),
   gathered by inverting the subscripts (invert.c). Nothing here knows of time: `t - 1` inverts to
   `t + 1`, and back-propagation through time falls out. */
#include "calculus/calculus.h"

#include "calculus/arithmetic.h"
#include "calculus/reduction.h"
#include "calculus/sweep.h"
#include "calculus/variables.h"

static const Expr *own_adjoint(Sweep *sweep, const Equation *equation) {
  const Expr *own = equation_own_read(sweep->model, equation, equation->target);
  return adjoint_read(sweep, equation->target, own->args);
}

/* Sends the adjoint of a tensor on to what its equation reads. */
static void contribute(Sweep *sweep, const Equation *equation) {
  Model *model = sweep->model;
  const Expr *adjoint = own_adjoint(sweep, equation);
  if (is_literal(adjoint, 0)) return;
  const Expr *seed = reduction_adjoint(model, sweep->program, sweep->scratch, equation, adjoint);
  bool is_map = equation->reduction == REDUCE_NONE;
  const Expr *value = is_map ? equation_own_read(model, equation, equation->target) : NULL;
  WeightList weights =
      adjoint_weights(model, sweep->scratch, sweep->derivatives, &sweep->activity.active,
                      equation->body, value, seed, equation->span);
  IndexList iteration = equation_variables(sweep->scratch, equation);
  for (int i = 0; i < weights.count; i++) {
    const Expr *read = weights.items[i].read;
    const Index *const *targets = adjoint_variables(sweep, read->tensor, read);
    Contribution c = {.source = equation};
    c.inverse = invert(model, sweep->scratch, targets, read, &iteration, equation->guard,
                       weights.items[i].weight);
    if (!is_literal(c.inverse.weight, 0))
      APPEND(sweep->scratch, &sweep_adjoint(sweep, read->tensor)->contributions, c);
  }
}

/* The adjoint of a tensor on a recurrence is not complete when its turn comes: its equation is made last. */
static void visit(Sweep *sweep, const Tensor *tensor) {
  const Equation *equation = equation_of(tensor);
  if (is_member(&sweep->activity.cyclic, tensor))
    adjoint_tensor(sweep, tensor);
  else
    adjoint_settle(sweep, tensor);
  if (equation) contribute(sweep, equation);
}

/* The adjoint of the scalar itself is 1. Of two requests for one tensor the first is met by the sweep. */
static void start(Sweep *sweep) {
  for (int i = sweep->gradients->count - 1; i >= 0; i--) {
    const Gradient *gradient = &sweep->gradients->items[i];
    sweep_adjoint(sweep, gradient->with_respect_to)->requested = gradient->result;
  }
  Adjoint *adjoint = sweep_adjoint(sweep, sweep->gradients->items[0].of);
  adjoint->constant = expr_number(sweep->model->exprs, 1);
  adjoint->settled = true;
}

/* Requests that the sweep did not come to: the scalar itself, a missing path, one asked for twice. */
static void answer_rest(Sweep *sweep) {
  ExprTable *table = sweep->model->exprs;
  GradientList missing = {0};
  for (int i = 0; i < sweep->gradients->count; i++) {
    const Gradient *gradient = &sweep->gradients->items[i];
    const Tensor *tensor = gradient->with_respect_to;
    if (gradient->result->definition) continue;
    const Index *const *vars = adjoint_variables(sweep, tensor, NULL);
    bool is_active = is_member(&sweep->activity.active, tensor);
    if (!is_active) APPEND(sweep->scratch, &missing, *gradient);
    const Expr *body = expr_number(table, 0);
    if (is_active)
      body = adjoint_read(sweep, tensor, tensor_read(sweep->model, tensor, vars)->args);
    IndexList taken = {0};
    Renaming renaming = renaming_new(sweep->model, sweep->scratch, vars, tensor->rank, &taken);
    body = renaming_apply(sweep->model, sweep->scratch, &renaming, body);
    equation_new(sweep->model, sweep->program, gradient->result, renaming.to, body)->span =
        gradient->span;
  }
  report_breaks(sweep->model, sweep->program, sweep->scratch, sweep->derivatives, &sweep->activity,
                &missing);
}

static void differentiate(Model *model, Program *program, const Derivatives *derivatives,
                          const GradientList *gradients) {
  Arena *scratch = arena_new();
  Sweep sweep = {.model = model,
                 .program = program,
                 .scratch = scratch,
                 .derivatives = derivatives,
                 .gradients = gradients};
  sweep.activity = activity_find(model, program, scratch, derivatives, gradients);
  sweep.adjoints = NEW_ARRAY(scratch, Adjoint, model->next_tensor + 1);
  start(&sweep);
  for (int i = 0; i < sweep.activity.order.count; i++) visit(&sweep, sweep.activity.order.items[i]);
  for (int i = 0; i < sweep.activity.order.count; i++)
    adjoint_settle(&sweep, sweep.activity.order.items[i]);
  answer_rest(&sweep);
  arena_free(scratch);
}

/* The scalar needs no gradient that is still to be defined. */
static bool is_ready(const Model *model, const Program *program, Arena *scratch, Tensor *scalar) {
  EquationList needed = program_needed(model, program, scratch, &scalar, 1);
  for (int i = 0; i < needed.count; i++) {
    ExprList nodes = equation_nodes(scratch, needed.items[i]);
    for (int k = 0; k < nodes.count; k++) {
      const Expr *e = nodes.items[k];
      if (is_read(e) && e->tensor->role == ROLE_GRADIENT && !e->tensor->definition) return false;
    }
  }
  return true;
}

/* The requests for the first scalar that is ready, taken out of `pending`. */
static GradientList take_ready(Model *model, const Program *program, Arena *scratch,
                               GradientList *pending) {
  GradientList taken = {0}, left = {0};
  Tensor *scalar = NULL;
  for (int i = 0; i < pending->count && !scalar; i++)
    if (is_ready(model, program, scratch, pending->items[i].of)) scalar = pending->items[i].of;
  for (int i = 0; i < pending->count; i++) {
    GradientList *list = pending->items[i].of == scalar ? &taken : &left;
    APPEND(scratch, list, pending->items[i]);
  }
  *pending = left;
  return taken;
}

static void derive_all(Model *model, Program *program, const Derivatives *derivatives,
                       const GradientList *gradients) {
  Arena *scratch = arena_new();
  GradientList pending = {0};
  for (int i = 0; i < gradients->count; i++) APPEND(scratch, &pending, gradients->items[i]);
  while (pending.count > 0) {
    Gradient first = pending.items[0];
    GradientList ready = take_ready(model, program, scratch, &pending);
    if (ready.count == 0) {
      diagnose(model->diagnostics, NN0601, first.span, "the gradient of '%s' needs itself",
               first.of->name);
      break;
    }
    differentiate(model, program, derivatives, &ready);
  }
  arena_free(scratch);
}

void derive(Model *model) {
  Arena *scratch = arena_new();
  const Derivatives *derivatives = derivatives_new(model, scratch);
  derive_all(model, &model->train, derivatives, &model->train.gradients);
  derive_all(model, &model->eval, derivatives, &model->eval.gradients);
  for (int i = 0; i < model->steps.count; i++)
    derive_all(model, &model->train, derivatives, &model->steps.items[i].gradients);
  model->train.custom_gradients.count = 0;
  model->eval.custom_gradients.count = 0;
  arena_free(scratch);
}
