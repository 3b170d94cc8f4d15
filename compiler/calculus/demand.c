/* Demand: a sum is not taken for elements that no one reads.

     s[t, u] = sum[e](q[t, e]*k[u, e]) with p[t, u] = if u <= t then exp(s[t, u]) else 0
     gives   s[t, u] = sum[e if u <= t](q[t, e]*k[u, e])

   Equations are taken after all that read them, so that what is not needed of a reader is not needed of what it
   reads there. A condition counts when it holds at every read: in the branch of a choice, under the guard of a sum,
   for the elements that are needed of the reader. Only inequalities between variables are of use: they are bounds of
   loops. The elements left out, then 0, are never read: bits do not change. */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/condition.h"
#include "calculus/known.h"
#include "calculus/roots.h"
#include "calculus/support.h"

/* The elements of a tensor that are needed: where all the conditions hold, over the variables of its equation. */
typedef struct Need {
  ExprList conditions;
} Need;

typedef struct Demand {
  Model *model;
  Arena *arena;
  TensorSet whole; /* all elements are needed */
  Map needs;       /* Tensor * -> Need *; without one it has no reader yet */
} Demand;

/* ---- reads ---- */

/* The condition over the variables of what is read; null: it is not one on them. */
static const Expr *seen_from(const Demand *d, const Equation *equation, const Expr *read,
                             const Expr *condition) {
  const Index *from[LIMIT_RANK];
  const Expr *to[LIMIT_RANK];
  IndexList used = {0};
  int count = 0;
  for (int dim = 0; dim < read_rank(read); dim++) {
    from[count] = lone_index(read->args[dim]);
    if (!from[count]) continue;
    to[count++] = expr_index(d->model->exprs, equation->vars[dim]);
  }
  expr_indices(d->arena, condition, &used);
  for (int i = 0; i < used.count; i++) {
    bool found = false;
    for (int k = 0; k < count; k++) found = found || from[k] == used.items[i];
    if (!found) return NULL;
  }
  return expr_substitute(d->model->exprs, d->arena, condition, from, to, count);
}

static void note_read(Demand *d, const Expr *read, const ExprList *known) {
  const Equation *equation = equation_of(read->tensor);
  if (!equation || is_member(&d->whole, read->tensor)) return;
  ExprList conditions = {0};
  for (int i = 0; i < known->count && equation->var_count == read_rank(read); i++) {
    if (!links_indices(d->arena, known->items[i])) continue;
    const Expr *condition = seen_from(d, equation, read, known->items[i]);
    if (condition) conditions_add(d->arena, &conditions, condition);
  }
  Need *need = map_get(&d->needs, read->tensor);
  if (need) {
    need->conditions = conditions_common(d->arena, &need->conditions, &conditions);
    return;
  }
  need = NEW(d->arena, Need);
  need->conditions = conditions;
  map_put(&d->needs, read->tensor, need);
}

static void note_reads(Demand *d, const Expr *root, ExprList known) {
  KnownExprList nodes = {0};
  if (root) nodes = known_below(d->model, d->arena, root, known);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i].e)) note_read(d, nodes.items[i].e, &nodes.items[i].known);
}

/* ---- equations ---- */

static void visit(Demand *d, Equation *equation) {
  ExprList known = {0};
  const Need *need = map_get(&d->needs, equation->target);
  bool is_whole = !need || is_member(&d->whole, equation->target);
  if (!is_whole && equation->reduction == REDUCE_SUM)
    guard_restrict(d->model, d->arena, equation, &need->conditions);
  if (!is_whole) known = need->conditions;
  note_reads(d, equation->guard, known);
  note_reads(d, equation->body, conditions_with(d->arena, &known, equation->guard));
}

/* What is read by an equation that comes no later than its own, as in recurrences. */
static void find_cycles(Demand *d, const EquationList *order) {
  TensorSet defined = tensor_set_new(d->arena, d->model);
  for (int i = 0; i < order->count; i++) {
    ExprList nodes = equation_nodes(d->arena, order->items[i]);
    for (int k = 0; k < nodes.count; k++)
      if (is_read(nodes.items[k]) && !is_member(&defined, nodes.items[k]->tensor))
        tensor_set_add(&d->whole, nodes.items[k]->tensor);
    tensor_set_add(&defined, order->items[i]->target);
  }
}

void demand(Model *model, Program *program) {
  Demand d = {.model = model, .arena = arena_new()};
  map_init(&d.needs, d.arena);
  d.whole = program_roots(model, program, d.arena);
  EquationList order = program_in_order(model, program, d.arena);
  find_cycles(&d, &order);
  for (int i = order.count - 1; i >= 0; i--) visit(&d, order.items[i]);
  arena_free(d.arena);
}
