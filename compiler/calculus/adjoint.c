/* The reverse sweep: adjoint of an argument += adjoint of its user times the partial derivative. */
#include "calculus/adjoint.h"

#include "calculus/arithmetic.h"
#include "calculus/condition.h"

TensorSet tensor_set_new(Arena *arena, const Model *model) {
  return (TensorSet){NEW_ARRAY(arena, unsigned char, model->next_tensor + 1),
                     model->next_tensor + 1};
}

bool is_differentiable(const Derivatives *derivatives, const Expr *e, int argument) {
  if (e->op == OP_READ) return argument >= read_rank(e);
  return argument < 3 && (derivatives->formulas[e->op][argument] != NULL ||
                          derivatives->undefined[e->op][argument]);
}

/* The sweep's table: one cell for each node of the DAG, in postorder. */
typedef struct Sweep {
  Model *model;
  Arena *scratch;
  const Derivatives *derivatives;
  ExprList nodes;
  Map places;             /* node -> its cell + 1, so that null is none */
  const Expr **adjoints;  /* null: 0 so far */
  unsigned char *carries; /* a wanted read is below, on a differentiable path */
  const Expr *body, *value;
  Span span;
} Sweep;

static void number_nodes(Map *places, Arena *scratch, const ExprList *nodes) {
  map_init(places, scratch);
  for (int i = 0; i < nodes->count; i++)
    map_put(places, nodes->items[i], (void *)(intptr_t)(i + 1));
}

static int place_of_node(const Map *places, const Expr *e) {
  return (int)(intptr_t)map_get(places, e) - 1;
}

ReadList differentiable_reads(Arena *arena, const Derivatives *derivatives, const Expr *body) {
  ReadList reads = {0};
  ExprList nodes = expr_postorder(arena, &body, 1);
  Map places;
  number_nodes(&places, arena, &nodes);
  unsigned char *reached = NEW_ARRAY(arena, unsigned char, nodes.count);
  reached[nodes.count - 1] = 1;
  for (int i = nodes.count - 1; i >= 0; i--) {
    const Expr *e = nodes.items[i];
    if (!reached[i]) continue;
    if (is_read(e) && e->type == TYPE_REAL) APPEND(arena, &reads, e);
    for (int k = 0; k < e->count; k++)
      if (is_differentiable(derivatives, e, k)) reached[place_of_node(&places, e->args[k])] = 1;
  }
  return reads;
}

static void mark_carriers(Sweep *s, const TensorSet *wanted) {
  for (int i = 0; i < s->nodes.count; i++) {
    const Expr *e = s->nodes.items[i];
    s->carries[i] = is_read(e) && is_member(wanted, e->tensor);
    for (int k = 0; k < e->count && !s->carries[i]; k++)
      s->carries[i] = is_differentiable(s->derivatives, e, k) &&
                      s->carries[place_of_node(&s->places, e->args[k])];
  }
}

static const Expr *partial_derivative(Sweep *s, const Expr *e, int argument) {
  static const char *const names[] = {"a", "b", "c"};
  Binding bindings[4];
  int count = 0;
  for (int k = 0; k < e->count; k++)
    bindings[count++] = (Binding){name_of(s->model->names, names[k]), e->args[k]};
  const Expr *value = e == s->body && s->value ? s->value : e;
  bindings[count++] = (Binding){name_of(s->model->names, "y"), value};
  return formula_instantiate(s->model, s->derivatives->formulas[e->op][argument], bindings, count);
}

/* A default counts where the read falls outside. */
static const Expr *default_adjoint(Sweep *s, const Expr *read, const Expr *adjoint) {
  ExprTable *table = s->model->exprs;
  const Expr *inside = condition_inside(table, s->scratch, read);
  if (!inside) return expr_number(table, 0);
  return arithmetic_restrict(table, condition_not(table, inside), adjoint);
}

/* The factor stands where the operand stood: d(x*w)/dx gives dy*w, d(x*w)/dw gives x*dy. */
static const Expr *argument_adjoint(Sweep *s, const Expr *e, int argument, const Expr *adjoint) {
  ExprTable *table = s->model->exprs;
  if (e->op == OP_READ) return default_adjoint(s, e, adjoint);
  if (s->derivatives->undefined[e->op][argument]) {
    diagnose(s->model->diagnostics, NN0503, s->span, "'%s' has no derivative here",
             op_spelling(e->op));
    return expr_number(table, 0);
  }
  const Expr *partial = partial_derivative(s, e, argument);
  return argument == 0 ? arithmetic_multiply(table, adjoint, partial)
                       : arithmetic_multiply(table, partial, adjoint);
}

static void pass_adjoint(Sweep *s, const Expr *e, const Expr *adjoint) {
  for (int k = 0; k < e->count; k++) {
    if (!is_differentiable(s->derivatives, e, k)) continue;
    int place = place_of_node(&s->places, e->args[k]);
    if (!s->carries[place]) continue;
    const Expr *more = argument_adjoint(s, e, k, adjoint), *sum = s->adjoints[place];
    s->adjoints[place] = sum ? arithmetic_add(s->model->exprs, sum, more) : more;
  }
}

WeightList adjoint_weights(Model *model, Arena *scratch, const Derivatives *derivatives,
                           const TensorSet *wanted, const Expr *body, const Expr *value,
                           const Expr *seed, Span span) {
  Sweep s = {.model = model, .scratch = scratch, .derivatives = derivatives, .span = span};
  s.body = body;
  s.value = value;
  s.nodes = expr_postorder(scratch, &body, 1);
  number_nodes(&s.places, scratch, &s.nodes);
  s.adjoints = NEW_ARRAY(scratch, const Expr *, s.nodes.count);
  s.carries = NEW_ARRAY(scratch, unsigned char, s.nodes.count);
  mark_carriers(&s, wanted);
  WeightList weights = {0};
  s.adjoints[s.nodes.count - 1] = seed;
  for (int i = s.nodes.count - 1; i >= 0; i--) {
    const Expr *e = s.nodes.items[i], *adjoint = s.adjoints[i];
    if (!adjoint || !s.carries[i] || is_literal(adjoint, 0)) continue;
    if (is_read(e) && is_member(wanted, e->tensor)) APPEND(scratch, &weights, (Weight){e, adjoint});
    pass_adjoint(&s, e, adjoint);
  }
  return weights;
}
