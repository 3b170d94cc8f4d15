/* From contributions to the adjoint equation: reductions get equations of their own, the rest adds up. */
#include "calculus/sweep.h"

#include "calculus/arithmetic.h"
#include "calculus/variables.h"
#include "equations/affine.h"

Tensor *adjoint_tensor(Sweep *sweep, const Tensor *tensor) {
  Adjoint *adjoint = sweep_adjoint(sweep, tensor);
  if (adjoint->tensor) return adjoint->tensor;
  adjoint->tensor = adjoint->requested;
  if (adjoint->tensor) return adjoint->tensor;
  Name name = name_format(sweep->model->names, "d.%s", tensor->name);
  name = program_unique_name(sweep->model, sweep->program, name);
  adjoint->tensor = tensor_new(sweep->model, &sweep->program->tensors, name, ROLE_VALUE, TYPE_REAL,
                               tensor->axes, tensor->rank);
  adjoint->tensor->origin = tensor->origin;
  return adjoint->tensor;
}

const Expr *adjoint_read(Sweep *sweep, const Tensor *tensor, const Expr *const *subscripts) {
  ExprTable *table = sweep->model->exprs;
  if (!is_member(&sweep->activity.active, tensor)) return expr_number(table, 0);
  Adjoint *adjoint = sweep_adjoint(sweep, tensor);
  if (adjoint->constant) return adjoint->constant;
  return expr_read(table, adjoint_tensor(sweep, tensor), subscripts, NULL);
}

/* The variable of the definition that alone addresses dim k; null when there is none. */
static const Index *defining_variable(const Tensor *tensor, int k) {
  const Equation *equation = equation_of(tensor);
  const Index *found = NULL;
  for (int v = 0; equation && v < equation->var_count; v++) {
    if (equation->place[v] != k) continue;
    if (found) return NULL;
    found = equation->vars[v];
  }
  return found;
}

static Name variable_name(Sweep *sweep, const Tensor *tensor, int k, const Expr *read) {
  const Index *index = defining_variable(tensor, k);
  if (!index && read) index = lone_index(read->args[k]);
  return index ? index->name : name_of(sweep->model->names, "u");
}

const Index *const *adjoint_variables(Sweep *sweep, const Tensor *tensor, const Expr *read) {
  Adjoint *adjoint = sweep_adjoint(sweep, tensor);
  if (adjoint->vars) return adjoint->vars;
  IndexList taken = {0};
  adjoint->vars = NEW_ARRAY(sweep->model->arena, const Index *, tensor->rank);
  for (int k = 0; k < tensor->rank; k++) {
    Name name = name_apart(sweep->model, variable_name(sweep, tensor, k, read), &taken);
    Index *index = index_new(sweep->model, name, tensor->axes[k].extent);
    const Index *like = defining_variable(tensor, k);
    if (like) index->steps = like->steps;
    adjoint->vars[k] = index;
    APPEND(sweep->scratch, &taken, index);
  }
  return adjoint->vars;
}

Equation *adjoint_define(Sweep *sweep, const Tensor *tensor, const Expr *body,
                         const Equation *source) {
  const Index *const *vars = adjoint_variables(sweep, tensor, NULL);
  Tensor *target = adjoint_tensor(sweep, tensor);
  Equation *equation = equation_new(sweep->model, sweep->program, target, vars, body);
  if (source) {
    equation->span = source->span;
    equation->instance = source->instance;
  }
  return equation;
}

static void define_sum(Sweep *sweep, const Tensor *tensor, const Contribution *c) {
  const Inverse *inverse = &c->inverse;
  Equation *equation = adjoint_define(sweep, tensor, inverse->weight, c->source);
  equation->reduction = REDUCE_SUM;
  equation->reduced_count = inverse->reduced.count;
  equation->reduced = arena_copy(sweep->model->arena, inverse->reduced.items,
                                 (size_t)inverse->reduced.count * sizeof(const Index *));
  equation->guard = inverse->guard;
}

/* What the contribution adds, as an expression over the variables of the adjoint. */
static const Expr *contribution_value(Sweep *sweep, const Tensor *tensor, const Contribution *c,
                                      int number) {
  const Inverse *inverse = &c->inverse;
  ExprTable *table = sweep->model->exprs;
  if (inverse->reduced.count == 0)
    return arithmetic_restrict(table, arithmetic_and(table, inverse->outer, inverse->guard),
                               inverse->weight);
  Name name =
      name_format(sweep->model->names, "%s.%d", adjoint_tensor(sweep, tensor)->name, number);
  const Expr *sum = equation_hoist(sweep->model, sweep->program, name, REDUCE_SUM,
                                   inverse->reduced.items, inverse->reduced.count, inverse->guard,
                                   inverse->weight, c->source->instance, c->source->span);
  return arithmetic_restrict(table, inverse->outer, sum);
}

/* A term that counts only where `index` equals a number: the gates of a recurrent cell, slices. */
static const Index *case_index(const Expr *term) {
  if (term->op != OP_SELECT || !is_literal(term->args[2], 0)) return NULL;
  const Expr *condition = term->args[0];
  if (condition->op != OP_EQ) return NULL;
  for (int side = 0; side < 2; side++)
    if (lone_index(condition->args[side]) && condition->args[1 - side]->op == OP_INTEGER)
      return lone_index(condition->args[side]);
  return NULL;
}

static int64_t case_value(const Expr *term) {
  const Expr *condition = term->args[0];
  return condition->args[condition->args[0]->op == OP_INTEGER ? 0 : 1]->integer;
}

static void sort_cases(ExprList *cases) {
  for (int i = 1; i < cases->count; i++)
    for (int k = i; k > 0 && case_value(cases->items[k]) < case_value(cases->items[k - 1]); k--) {
      const Expr *lesser = cases->items[k];
      cases->items[k] = cases->items[k - 1];
      cases->items[k - 1] = lesser;
    }
}

/* Cases of one index become a chain, if i == 0 then .. else if i == 1 then .. else 0; a chain that names
   every value of the index needs no last condition. */
static const Expr *join_cases(Sweep *sweep, const Index *index, ExprList *cases) {
  sort_cases(cases);
  ExprTable *table = sweep->model->exprs;
  int64_t size;
  bool covers = extent_is_constant(index->range, &size) && size == cases->count && size > 0 &&
                case_value(cases->items[0]) == 0 && case_value(cases->items[size - 1]) == size - 1;
  const Expr *chain = expr_number(table, 0);
  for (int i = cases->count - 1; i >= 0; i--) {
    const Expr *term = cases->items[i];
    bool last = covers && i == cases->count - 1;
    chain = last ? term->args[1] : expr_select(table, term->args[0], term->args[1], chain);
  }
  return chain;
}

/* Adds `term` to the case with its condition, or appends it as a new case. */
static void add_case(Sweep *sweep, ExprList *cases, const Expr *term) {
  ExprTable *table = sweep->model->exprs;
  for (int i = 0; i < cases->count; i++) {
    const Expr *other = cases->items[i];
    if (other->args[0] != term->args[0]) continue;
    const Expr *sum = arithmetic_add(table, other->args[1], term->args[1]);
    cases->items[i] = arithmetic_restrict(table, term->args[0], sum);
    return;
  }
  APPEND(sweep->scratch, cases, term);
}

static const Expr *add_terms(Sweep *sweep, ExprList *terms) {
  const Expr *sum = expr_number(sweep->model->exprs, 0);
  for (int i = 0; i < terms->count; i++) {
    const Expr *term = terms->items[i];
    const Index *index = term ? case_index(term) : NULL;
    if (!term) continue;
    if (index) {
      ExprList cases = {0};
      for (int k = i; k < terms->count; k++) {
        if (!terms->items[k] || case_index(terms->items[k]) != index) continue;
        add_case(sweep, &cases, terms->items[k]);
        terms->items[k] = NULL;
      }
      term = join_cases(sweep, index, &cases);
    }
    sum = arithmetic_add(sweep->model->exprs, sum, term);
  }
  return sum;
}

static const Equation *first_source(const Adjoint *adjoint) {
  return adjoint->contributions.count > 0 ? adjoint->contributions.items[0].source : NULL;
}

static void settle_contributions(Sweep *sweep, const Tensor *tensor, Adjoint *adjoint) {
  int count = adjoint->contributions.count;
  const Contribution *first = adjoint->contributions.items;
  if (count == 1 && first->inverse.reduced.count > 0 && !first->inverse.outer) {
    define_sum(sweep, tensor, first);
    return;
  }
  ExprList terms = {0};
  for (int i = 0; i < count; i++)
    APPEND(sweep->scratch, &terms, contribution_value(sweep, tensor, &first[i], i + 1));
  const Expr *sum = add_terms(sweep, &terms);
  double number;
  bool is_constant = is_number(sum, &number) && !adjoint->tensor;
  if (is_constant) adjoint->constant = sum;
  if (!is_constant || adjoint->requested) adjoint_define(sweep, tensor, sum, first_source(adjoint));
}

void adjoint_settle(Sweep *sweep, const Tensor *tensor) {
  Adjoint *adjoint = sweep_adjoint(sweep, tensor);
  if (adjoint->settled) return;
  adjoint->settled = true;
  const CustomGradient *custom = custom_gradient_of(sweep->program, tensor);
  if (custom)
    custom_gradient_settle(sweep, custom);
  else
    settle_contributions(sweep, tensor, adjoint);
}
