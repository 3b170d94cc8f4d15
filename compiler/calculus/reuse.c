/* Reuse: a costly value that is stored is read, not computed again.

     p[t, u] = if u <= t then exp(s[t, u] - l[t]) else 0
     d[t, u] = if u <= t then g[t, u]*exp(s[t, u] - l[t]) else 0   gives   .. then g[t, u]*p[t, u] else 0

   The derivative of an exponential is that exponential once more. Where it is an equation by itself, or what a
   choice on index variables takes, readers under the same condition read it. Equal values over other variables are
   found as those of equations are (see share.c): variables are numbered as they occur; so are those of other steps of
   a recurrence, as the backward part reads gates of the step behind. What nothing but
   copies reads is not stored for it. Bits do not change.

   A stored max(e, c) decides c < e, too, by c < max(e, c), and min(e, c) e < c: also where e is not a number. So what
   stands before a rectifier need not be kept for its derivative, nor what an extreme was taken of (attain.h). */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/attain.h"
#include "calculus/condition.h"
#include "calculus/known.h"
#include "calculus/roots.h"
#include "calculus/steps.h"

/* A stored value: `subscripts[dim]` is the number of the variable that counts the dim. */
typedef struct Stored {
  const Equation *equation;
  const Expr *condition; /* under which it is the value; null: everywhere */
  int subscripts[LIMIT_RANK];
} Stored;

typedef struct Reuse {
  Model *model;
  Arena *arena;
  TensorSet read;    /* by some equation, not just copied */
  TensorSet defined; /* by the equations so far */
  CommonVariables common;
  const Stepping *stepping;
  const Equation *reader; /* at hand */
  Map stored;             /* value over common variables -> Stored * */
} Reuse;

static int position_in(const IndexList *list, const Index *index) {
  for (int i = 0; i < list->count; i++)
    if (list->items[i] == index) return i;
  return -1;
}

/* ---- what is stored ---- */

/* It needs nothing that comes after it, as a value in a recurrence may. */
static bool is_ready(const Reuse *r, const Expr *e) {
  ExprList nodes = expr_postorder(r->arena, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && equation_of(nodes.items[i]->tensor) &&
        !is_member(&r->defined, nodes.items[i]->tensor))
      return false;
  return true;
}

static bool is_clamp(const Expr *value) {
  return value->op == OP_MAX || value->op == OP_MIN;
}

static void note_stored(Reuse *r, const Equation *equation) {
  const Expr *value = equation->body, *condition = NULL;
  if (equation->reduction != REDUCE_NONE || equation->var_count != equation->target->rank) return;
  if (value->op == OP_SELECT && !expr_reads_tensors(r->arena, value->args[0])) {
    condition = value->args[0];
    value = value->args[1];
  }
  if (!(is_costly_function(value) || is_clamp(value)) || !is_ready(r, value) ||
      !is_member(&r->read, equation->target))
    return;
  IndexList variables = indices_occurring(r->arena, value);
  Stored *stored = NEW(r->arena, Stored);
  stored->equation = equation;
  for (int i = 0; i < equation->var_count; i++) {
    stored->subscripts[i] = position_in(&variables, equation->vars[i]);
    if (stored->subscripts[i] < 0) return;
  }
  if (condition)
    stored->condition = over_common(&r->common, condition, variables.items, variables.count);
  const Expr *key = over_common(&r->common, value, variables.items, variables.count);
  if (!map_has(&r->stored, key)) map_put(&r->stored, key, stored);
}

/* ---- where it is read ---- */

static bool is_known(Reuse *r, const Stored *stored, const KnownExpr *node,
                     const IndexList *variables) {
  ExprList needed = {0};
  condition_conjuncts(r->arena, stored->condition, &needed);
  for (int i = 0; i < needed.count; i++) {
    bool found = false;
    for (int k = 0; k < node->known.count && !found; k++)
      found = over_common(&r->common, node->known.items[k], variables->items, variables->count) ==
              needed.items[i];
    if (!found) return false;
  }
  return true;
}

/* An expression at other steps of a recurrence: of each variable what it is here, and what with these in their place the
   expression is over the variables themselves. */
typedef struct Shifted {
  IndexList variables;
  const Expr **here; /* `t + 1` for t */
  const Expr *e;
  bool is_shifted;
} Shifted;

static int64_t *shift_of(const Shifted *shifted, int64_t *shifts, const Index *index) {
  return &shifts[position_in(&shifted->variables, index)];
}

/* All reads that a variable takes through the steps of a recurrence are as many steps away; false: they are not. */
static bool find_shifts(Reuse *r, const Shifted *shifted, const Expr *e, int64_t *shifts) {
  ExprList nodes = expr_postorder(r->arena, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *read = nodes.items[i];
    for (int dim = 0; is_read(read) && dim < read_rank(read); dim++) {
      int64_t steps;
      const Index *index = shifted_index(r->model->exprs, r->arena, read->args[dim], &steps);
      if (!index || !stepping_counts(r->stepping, r->reader, index)) continue;
      int64_t *shift = shift_of(shifted, shifts, index);
      bool is_whole = read->tensor->axes[dim].extent == index->range && !read_default(read);
      if (!is_whole || (*shift != 0 && *shift != steps)) return false;
      *shift = steps;
    }
  }
  return true;
}

static Shifted shifted_of(Reuse *r, const Expr *e) {
  ExprTable *exprs = r->model->exprs;
  Shifted shifted = {.variables = indices_occurring(r->arena, e), .e = e};
  int count = shifted.variables.count;
  int64_t *shifts = NEW_ARRAY(r->arena, int64_t, count);
  const Expr **back = NEW_ARRAY(r->arena, const Expr *, count);
  shifted.here = NEW_ARRAY(r->arena, const Expr *, count);
  bool found = find_shifts(r, &shifted, e, shifts);
  for (int i = 0; i < count; i++) {
    const Expr *own = expr_index(exprs, shifted.variables.items[i]);
    const Expr *steps = expr_integer(exprs, found ? shifts[i] : 0);
    shifted.here[i] = expr_binary(exprs, OP_ADD, own, steps);
    back[i] = expr_binary(exprs, OP_SUB, own, steps);
    shifted.is_shifted |= found && shifts[i] != 0;
  }
  if (shifted.is_shifted)
    shifted.e = expr_substitute(exprs, r->arena, e, shifted.variables.items, back, count);
  return shifted;
}

/* The read that stands for the value; null: none does. */
static const Expr *find_read(Reuse *r, const KnownExpr *node, const Expr *value) {
  Shifted shifted = shifted_of(r, value);
  const IndexList *variables = &shifted.variables;
  const Stored *stored =
      map_get(&r->stored, over_common(&r->common, shifted.e, variables->items, variables->count));
  if (!stored || (stored->condition && shifted.is_shifted)) return NULL;
  if (!is_known(r, stored, node, variables)) return NULL;
  const Expr *subscripts[LIMIT_RANK];
  for (int i = 0; i < stored->equation->var_count; i++)
    subscripts[i] = shifted.here[stored->subscripts[i]];
  return expr_read(r->model->exprs, stored->equation->target, subscripts, NULL);
}

/* c < e by the stored max(e, c), e < c by min(e, c); null: there is none. */
static const Expr *find_decision(Reuse *r, const KnownExpr *node) {
  ExprTable *exprs = r->model->exprs;
  const Expr *left = node->e->args[0], *right = node->e->args[1];
  double number;
  bool is_above = is_number(left, &number);
  const Expr *c = is_above ? left : right, *e = is_above ? right : left;
  if (!is_number(c, &number)) return NULL;
  Op clamp = is_above ? OP_MAX : OP_MIN;
  const Expr *read = find_read(r, node, expr_binary(exprs, clamp, e, c));
  if (!read) read = find_read(r, node, expr_binary(exprs, clamp, c, e));
  if (!read) return NULL;
  return expr_binary(exprs, OP_LT, is_above ? c : read, is_above ? read : c);
}

static const Expr *find_replacement(Reuse *r, const KnownExpr *node) {
  if (is_costly_function(node->e)) return find_read(r, node, node->e);
  return node->e->op == OP_LT ? find_decision(r, node) : NULL;
}

static void reuse_in(Reuse *r, Equation *equation) {
  ExprList guard = {0};
  Map replacements;
  r->reader = equation;
  map_init(&replacements, r->arena);
  condition_conjuncts(r->arena, equation->guard, &guard);
  KnownExprList nodes = known_below(r->model, r->arena, equation->body, guard);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *found = find_replacement(r, &nodes.items[i]);
    if (found) map_put(&replacements, nodes.items[i].e, (void *)found);
  }
  if (replacements.count > 0)
    equation->body = expr_replace(r->model->exprs, r->arena, equation->body, &replacements);
}

/* Outputs are copies, which a training step does not make. */
static void find_read_tensors(Reuse *r, const EquationList *equations) {
  for (int i = 0; i < equations->count; i++) {
    ExprList nodes = equation_nodes(r->arena, equations->items[i]);
    if (is_read(equations->items[i]->body)) continue;
    for (int k = 0; k < nodes.count; k++)
      if (is_read(nodes.items[k])) tensor_set_add(&r->read, nodes.items[k]->tensor);
  }
}

void reuse(Model *model, Program *program) {
  Reuse r = {.model = model, .arena = arena_new()};
  common_open(&r.common, model, r.arena);
  attain(model, program, &r.common);
  map_init(&r.stored, r.arena);
  r.read = tensor_set_new(r.arena, model);
  r.defined = tensor_set_new(r.arena, model);
  r.stepping = stepping_new(model, r.arena, program);
  EquationList order = program_in_order(model, program, r.arena);
  find_read_tensors(&r, &order);
  for (int i = 0; i < order.count; i++) {
    reuse_in(&r, order.items[i]);
    note_stored(&r, order.items[i]);
    tensor_set_add(&r.defined, order.items[i]->target);
  }
  arena_free(r.arena);
}
