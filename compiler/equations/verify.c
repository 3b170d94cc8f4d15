/* The verifier: the invariants stated at the head of equation.h, for every equation of a program. */
#include "equations/affine.h"
#include "equations/equation.h"

typedef struct Verifier {
  const Model *model;
  Arena *arena;   /* of the result */
  Arena *scratch; /* of one equation */
  Map known;      /* tensors that may be read */
  Map equations;  /* of the program */
} Verifier;

/* What is wrong with an equation, after its name; null when nothing is. */
typedef const char *(*Check)(Verifier *v, const Equation *equation);

static const char *check_target(Verifier *v, const Equation *e) {
  if (e->target->definition != e) return "is not the definition of its target";
  if (!map_has(&v->known, e->target)) return "defines a tensor that is not in the program";
  return e->target->rank > LIMIT_RANK ? "has too many dims" : NULL;
}

/* Variables are in the order of dims, and those of one dim multiply to its extent. */
static const char *check_places(Verifier *v, const Equation *e) {
  int var = 0;
  for (int dim = 0; dim < e->target->rank; dim++) {
    const Extent *size = extent_constant(v->model->extents, 1);
    if (var == e->var_count || e->place[var] != dim)
      return "leaves a dim of its target without a variable";
    for (; var < e->var_count && e->place[var] == dim; var++) {
      size = extent_multiply(v->model->extents, size, e->vars[var]->range);
    }
    if (size != e->target->axes[dim].extent)
      return "has a variable whose range is not the extent of its dim";
  }
  return var < e->var_count ? "has a variable without a dim" : NULL;
}

static bool is_variable(const Equation *e, const Index *index) {
  for (int i = 0; i < e->var_count; i++) {
    if (e->vars[i] == index) return true;
  }
  for (int i = 0; i < e->reduced_count; i++) {
    if (e->reduced[i] == index) return true;
  }
  return false;
}

static const char *check_variables(Verifier *v, const Equation *e) {
  Map seen;
  map_init(&seen, v->scratch);
  for (int i = 0; i < e->var_count; i++) map_put(&seen, e->vars[i], NULL);
  for (int i = 0; i < e->reduced_count; i++) map_put(&seen, e->reduced[i], NULL);
  if (seen.count != e->var_count + e->reduced_count) return "has a variable twice";
  IndexList used = {0};
  expr_indices(v->scratch, e->body, &used);
  if (e->guard) expr_indices(v->scratch, e->guard, &used);
  for (int i = 0; i < used.count; i++) {
    if (!is_variable(e, used.items[i])) {
      return arena_format(v->arena, "uses index '%s', which is not its own", used.items[i]->name);
    }
  }
  return NULL;
}

static const char *check_reduction(Verifier *v, const Equation *e) {
  (void)v;
  if (e->lanes < 0) return "has a negative number of lanes";
  if (e->guard && e->guard->type != TYPE_BOOL) return "has a guard that is no condition";
  if (e->reduction != REDUCE_NONE) return e->reduced_count < 1 ? "reduces nothing" : NULL;
  return e->reduced_count > 0 || e->guard ? "has no reduction for its guard or variables" : NULL;
}

static bool fits(ValueType type, ValueType wanted) {
  return type == wanted || (type == TYPE_NUMBER && wanted > TYPE_NUMBER);
}

static const char *check_type(Verifier *v, const Equation *e) {
  (void)v;
  ValueType wanted = e->target->type, type = e->body->type;
  bool fine = fits(type, wanted);
  if (e->reduction == REDUCE_ARGMAX || e->reduction == REDUCE_ARGMIN) {
    fine = wanted == TYPE_INT && type != TYPE_BOOL;
  }
  return fine ? NULL : "has a right side of another type than its target";
}

static const char *check_read(Verifier *v, const Expr *read) {
  const Tensor *tensor = read->tensor;
  if (!map_has(&v->known, tensor)) {
    return arena_format(v->arena, "reads '%s', which is not in the program", tensor->name);
  }
  if (read->count != tensor->rank && read->count != tensor->rank + 1) {
    return arena_format(v->arena, "reads '%s' with the wrong number of subscripts", tensor->name);
  }
  for (int i = 0; i < tensor->rank; i++) {
    if (read->args[i]->type != TYPE_INT) return "has a subscript that is no whole number";
  }
  const Expr *otherwise = read_default(read);
  return otherwise && !fits(otherwise->type, tensor->type) ? "has a default of another type" : NULL;
}

static const char *check_nodes(Verifier *v, const Equation *e) {
  const Expr *roots[2] = {e->body, e->guard};
  ExprList nodes = expr_postorder(v->scratch, roots, e->guard ? 2 : 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (is_draw(node) && (node != e->body || e->reduction != REDUCE_NONE))
      return "has a draw inside its right side";
    const char *wrong = node->op == OP_READ ? check_read(v, node) : NULL;
    if (wrong) return wrong;
  }
  return NULL;
}

#ifdef NNC_VERIFY
/* What holds wherever a node is evaluated: a list that grows along the DAG. */
typedef struct Known {
  const Facts *facts;
  int depth;
  bool reached;
} Known;

static Known extend(Arena *scratch, Known known, const Expr *condition, bool holds) {
  Facts *fact = NEW(scratch, Facts);
  *fact = (Facts){known.facts, condition, holds};
  return (Known){fact, known.depth + 1, true};
}

static Known common_tail(Known a, Known b) {
  while (a.facts != b.facts) {
    Known *deeper = a.depth >= b.depth ? &a : &b;
    deeper->facts = deeper->facts->outer;
    deeper->depth--;
  }
  return a;
}

static bool holds_before(const Facts *facts, const Facts *end, const Facts *wanted) {
  while (facts != end && (facts->condition != wanted->condition || facts->holds != wanted->holds)) {
    facts = facts->outer;
  }
  return facts != end;
}

/* What holds of `facts` down to `end` and not of `others`; null when that is nothing. */
static const Expr *difference(ExprTable *table, const Facts *facts, const Facts *others,
                              const Facts *end) {
  const Expr *all = NULL;
  for (; facts != end; facts = facts->outer) {
    if (holds_before(others, end, facts)) continue;
    const Expr *fact = fact_as_condition(table, facts);
    all = all ? expr_binary(table, OP_AND, fact, all) : fact;
  }
  return all;
}

/* Where paths meet, what both know holds, and what either knows beyond that. */
static void meet(Verifier *v, Known *known, Known other) {
  if (!known->reached) {
    *known = other;
    return;
  }
  ExprTable *table = v->model->exprs;
  Known both = common_tail(*known, other);
  const Facts *end = both.facts;
  const Expr *here = difference(table, known->facts, other.facts, end);
  const Expr *there = difference(table, other.facts, known->facts, end);
  for (const Facts *fact = known->facts; fact != end; fact = fact->outer) {
    if (holds_before(other.facts, end, fact)) {
      both = extend(v->scratch, both, fact->condition, fact->holds);
    }
  }
  if (here && there) both = extend(v->scratch, both, expr_binary(table, OP_OR, here, there), true);
  *known = both;
}

/* The condition that every subscript of a read is in range. */
static const Expr *all_in_range(ExprTable *table, const Expr *read) {
  const Expr *all = expr_true(table), *zero = expr_integer(table, 0);
  for (int i = 0; i < read->tensor->rank; i++) {
    const Extent *extent = read->tensor->axes[i].extent;
    const Index *index = lone_index(read->args[i]);
    if (index && index->range == extent) continue;
    const Expr *low = expr_binary(table, OP_LE, zero, read->args[i]);
    const Expr *high = expr_binary(table, OP_LT, read->args[i], expr_extent(table, extent));
    all = expr_binary(table, OP_AND, all, expr_binary(table, OP_AND, low, high));
  }
  return all;
}

/* What holds in operand `i` of the node beyond what holds at the node. */
static Known inside(Verifier *v, const Expr *node, int i, Known known) {
  Arena *scratch = v->scratch;
  if (node->op == OP_READ && i == node->tensor->rank) {
    return extend(scratch, known, all_in_range(v->model->exprs, node), false);
  }
  if (i == 0) return known;
  if (node->op == OP_SELECT) return extend(scratch, known, node->args[0], i == 1);
  if (node->op == OP_AND) return extend(scratch, known, node->args[0], true);
  if (node->op == OP_OR) return extend(scratch, known, node->args[0], false);
  return known;
}

static const char *check_range(Verifier *v, const Expr *read, const Facts *facts) {
  for (int i = 0; i < read->tensor->rank && !read_default(read); i++) {
    Witness witness;
    bool proved = affine_proves_range(v->model->exprs, v->scratch, read->args[i],
                                      read->tensor->axes[i].extent, facts, &witness);
    if (!proved && witness.found) {
      return arena_format(v->arena, "reads '%s' at %ld, where its dim %d has extent %ld",
                          read->tensor->name, (long)witness.reached, i, (long)witness.size);
    }
  }
  return NULL;
}

/* Every read without a default is in range; only a witness counts against it. */
static const char *check_ranges(Verifier *v, const Equation *e) {
  const Expr *roots[2] = {e->body, e->guard};
  ExprList nodes = expr_postorder(v->scratch, roots, e->guard ? 2 : 1);
  Known *known = NEW_ARRAY(v->scratch, Known, nodes.count), start = {.reached = true};
  Map places;
  map_init(&places, v->scratch);
  for (int i = 0; i < nodes.count; i++) map_put(&places, nodes.items[i], &known[i]);
  for (int i = 0; i < v->model->checks.count; i++) {
    start = extend(v->scratch, start, v->model->checks.items[i].condition, true);
  }
  if (e->guard) meet(v, map_get(&places, e->guard), start);
  if (e->guard) start = extend(v->scratch, start, e->guard, true);
  meet(v, map_get(&places, e->body), start);
  for (int i = nodes.count - 1; i >= 0; i--) {
    const Expr *node = nodes.items[i];
    const char *wrong = node->op == OP_READ ? check_range(v, node, known[i].facts) : NULL;
    if (wrong) return wrong;
    for (int k = 0; k < node->count; k++) {
      meet(v, map_get(&places, node->args[k]), inside(v, node, k, known[i]));
    }
  }
  return NULL;
}
#endif

static const Check checks[] = {
    check_target, check_places, check_variables, check_reduction, check_type, check_nodes,
#ifdef NNC_VERIFY
    check_ranges,
#endif
};

static const char *check_equation(Verifier *v, const Equation *equation) {
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    const char *wrong = checks[i](v, equation);
    if (wrong) return arena_format(v->arena, "equation '%s' %s", equation->target->name, wrong);
  }
  return NULL;
}

static const char *note_tensors(Verifier *v, Map *names, const TensorList *tensors) {
  for (int i = 0; i < tensors->count; i++) {
    const Tensor *tensor = tensors->items[i];
    if (map_has(names, tensor->name)) {
      return arena_format(v->arena, "two tensors are called '%s'", tensor->name);
    }
    map_put(names, tensor->name, NULL);
    map_put(&v->known, tensor, NULL);
  }
  return NULL;
}

static const char *check_definitions(const Verifier *v, const Program *program) {
  for (int i = 0; i < program->tensors.count; i++) {
    const Tensor *tensor = program->tensors.items[i];
    bool defined = tensor->definition && map_has(&v->equations, tensor->definition);
    if (!defined && (tensor->role == ROLE_VALUE || tensor->definition)) {
      return arena_format(v->arena, "'%s' has no equation in the program", tensor->name);
    }
  }
  return NULL;
}

const char *program_verify(const Model *model, const Program *program, Arena *arena) {
  Arena *tables = arena_new();
  Verifier v = {.model = model, .arena = arena};
  Map names;
  map_init(&names, tables);
  map_init(&v.known, tables);
  map_init(&v.equations, tables);
  const char *wrong = note_tensors(&v, &names, &model->tensors);
  if (!wrong) wrong = note_tensors(&v, &names, &program->tensors);
  for (int i = 0; i < program->equations.count; i++) {
    map_put(&v.equations, program->equations.items[i], NULL);
  }
  if (!wrong) wrong = check_definitions(&v, program);
  for (int i = 0; !wrong && i < program->equations.count; i++) {
    v.scratch = arena_new();
    wrong = check_equation(&v, program->equations.items[i]);
    arena_free(v.scratch);
  }
  arena_free(tables);
  return wrong;
}
