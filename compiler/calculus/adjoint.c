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

/* What is known of a node of the DAG. */
typedef struct Cell {
  const Expr *adjoint; /* null: 0 so far */
  bool carries;        /* a wanted read is below, on a differentiable path */
  bool reached;        /* from the root, on a differentiable path */
} Cell;

/* The nodes of a DAG in postorder, a cell for each. */
typedef struct Table {
  ExprList nodes;
  Cell *cells;
  Map places; /* node -> its cell */
} Table;

typedef struct Sweep {
  Model *model;
  Arena *scratch;
  const Derivatives *derivatives;
  Table table;
  const Expr *body, *value;
  Span span;
} Sweep;

static Table table_of(Arena *scratch, const Expr *body) {
  Table table = {.nodes = expr_postorder(scratch, &body, 1)};
  table.cells = NEW_ARRAY(scratch, Cell, table.nodes.count);
  map_init(&table.places, scratch);
  for (int i = 0; i < table.nodes.count; i++)
    map_put(&table.places, table.nodes.items[i], &table.cells[i]);
  return table;
}

static Cell *cell_of(const Table *table, const Expr *e) {
  return map_get(&table->places, e);
}

ReadList differentiable_reads(Arena *arena, const Derivatives *derivatives, const Expr *body) {
  ReadList reads = {0};
  Table table = table_of(arena, body);
  cell_of(&table, body)->reached = true;
  for (int i = table.nodes.count - 1; i >= 0; i--) {
    const Expr *e = table.nodes.items[i];
    if (!table.cells[i].reached) continue;
    if (is_read(e) && e->type == TYPE_REAL) APPEND(arena, &reads, e);
    for (int k = 0; k < e->count; k++)
      if (is_differentiable(derivatives, e, k)) cell_of(&table, e->args[k])->reached = true;
  }
  return reads;
}

static void mark_carriers(Sweep *s, const TensorSet *wanted) {
  for (int i = 0; i < s->table.nodes.count; i++) {
    const Expr *e = s->table.nodes.items[i];
    bool carries = is_read(e) && is_member(wanted, e->tensor);
    for (int k = 0; k < e->count && !carries; k++)
      carries = is_differentiable(s->derivatives, e, k) && cell_of(&s->table, e->args[k])->carries;
    s->table.cells[i].carries = carries;
  }
}

static const Expr *partial_derivative(Sweep *s, const Expr *e, int argument) {
  static const char *const names[] = {"a", "b", "c"};
  Binding bindings[4] = {{0}};
  int count = 0;
  for (int k = 0; k < e->count && k < 3; k++)
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
  return arithmetic_weigh(table, adjoint, partial, argument > 0);
}

static void pass_adjoint(Sweep *s, const Expr *e, const Expr *adjoint) {
  for (int k = 0; k < e->count; k++) {
    if (!is_differentiable(s->derivatives, e, k)) continue;
    Cell *below = cell_of(&s->table, e->args[k]);
    if (!below->carries) continue;
    const Expr *more = argument_adjoint(s, e, k, adjoint), *sum = below->adjoint;
    below->adjoint = sum ? arithmetic_add(s->model->exprs, sum, more) : more;
  }
}

WeightList adjoint_weights(Model *model, Arena *scratch, const Derivatives *derivatives,
                           const TensorSet *wanted, const Expr *body, const Expr *value,
                           const Expr *seed, Span span) {
  Sweep s = {.model = model, .scratch = scratch, .derivatives = derivatives, .span = span};
  s.body = body;
  s.value = value;
  s.table = table_of(scratch, body);
  mark_carriers(&s, wanted);
  WeightList weights = {0};
  cell_of(&s.table, body)->adjoint = seed;
  for (int i = s.table.nodes.count - 1; i >= 0; i--) {
    const Expr *e = s.table.nodes.items[i], *adjoint = s.table.cells[i].adjoint;
    if (!adjoint || !s.table.cells[i].carries || is_literal(adjoint, 0)) continue;
    if (is_read(e) && is_member(wanted, e->tensor)) APPEND(scratch, &weights, (Weight){e, adjoint});
    pass_adjoint(&s, e, adjoint);
  }
  return weights;
}
