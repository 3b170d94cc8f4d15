/* Hoisting: what does not vary in a loop is computed once, in an equation of its own.

     y[n, c] = g[c]*(x[n, c] - m[c])*rsqrt(v[c] + 1e-5)  gives  t[c] = rsqrt(v[c] + 1e-5)

   An expression is hoisted when it costs more than reading its value would, uses fewer variables than the
   points of its equation have, may be evaluated at all of these, and is not under a condition on the
   others (the gates of a cell: each value is wanted once). It has then just the variables that
   it uses: the normal form. Bits do not change. Equal ones of several equations are shared: forward and
   backward pass have the same rsqrt.

   An elementary function of the same values in several equations is hoisted, too, whatever varies: the backward
   pass of a cell reads its gates instead of computing each again for every gradient.

   What all points of an extreme have in common is done to the extreme (monotone.h). */
#include "calculus/calculus.h"

#include "calculus/condition.h"
#include "calculus/monotone.h"
#include "calculus/reciprocal.h"
#include "calculus/variables.h"

enum { LEAST_COST = 8 /* operations, in multiplies: a division */ };

/* An expression of the equation at hand. */
typedef struct Part {
  uint64_t variables;  /* those it uses, by position */
  int cost;            /* of all below; shared ones are counted more than once, up to a cap */
  uint64_t conditions; /* variables of the conditions under which alone it is evaluated */
  bool reached;        /* from the root, not through something hoisted */
  bool safe;           /* it has a value whatever the conditions around it */
} Part;

/* A costly function over common variables. */
typedef struct Repeat {
  int equations;     /* that have it */
  const Expr *value; /* what stands for it, over common variables; null: it was not hoisted yet */
} Repeat;

typedef struct Repeats {
  Map by_function; /* Expr * -> Repeat * */
  CommonVariables common;
  Arena *arena;
} Repeats;

typedef struct Hoister {
  Model *model;
  Program *program;
  Arena *scratch;
  Repeats *repeats;
  Equation *equation;
  IndexList variables;
  uint64_t varying; /* the variables with more than one value */
  double largest;   /* elements of the largest tensor of the equation: nothing hoisted has more */
  ExprList nodes;
  Part *parts;
  Map places;       /* node -> its part */
  Map replacements; /* node -> what stands for it */
} Hoister;

static Part *part_of(const Hoister *h, const Expr *e) {
  return map_get(&h->places, e);
}

static uint64_t bit_of(const Hoister *h, const Index *index) {
  for (int i = 0; i < h->variables.count; i++)
    if (h->variables.items[i] == index) return UINT64_C(1) << i;
  return 0;
}

static void describe_node(Hoister *h, const Expr *e, Part *part) {
  *part = (Part){.cost = op_cost(e->op), .conditions = UINT64_MAX};
  if (e->op == OP_INDEX) part->variables = bit_of(h, e->index);
  part->safe = node_is_total(h->model->exprs, h->scratch, e);
  for (int k = 0; k < e->count; k++) {
    const Part *below = part_of(h, e->args[k]);
    part->variables |= below->variables;
    part->safe = part->safe && below->safe;
    if (part->cost < 1000) part->cost += below->cost;
  }
}

static double points(const Hoister *h, uint64_t variables) {
  double product = 1;
  for (int i = 0; i < h->variables.count && i < 64; i++)
    if (variables >> i & 1) product *= (double)extent_maximum(h->variables.items[i]->range);
  return product;
}

/* ---- functions that several equations need ---- */

/* The function over common variables. */
static const Expr *key_of(const Hoister *h, const Expr *e) {
  IndexList variables = indices_occurring(h->scratch, e);
  return over_common(&h->repeats->common, e, variables.items, variables.count);
}

/* Null: only this equation has it. */
static Repeat *find_repeat(const Hoister *h, const Expr *e) {
  if (h->equation->guard || !is_costly_function(e)) return NULL;
  Repeat *repeat = map_get(&h->repeats->by_function, key_of(h, e));
  return repeat && repeat->equations > 1 ? repeat : NULL;
}

/* The equation is nothing but the expression. */
static bool is_whole(const Equation *equation, const Expr *e) {
  return e == equation->body && equation->reduction == REDUCE_NONE;
}

static void count_functions(Hoister *h) {
  if (h->equation->guard) return;
  h->nodes = expr_postorder(h->scratch, &h->equation->body, 1);
  for (int i = 0; i < h->nodes.count; i++) {
    if (!is_costly_function(h->nodes.items[i])) continue;
    const Expr *key = key_of(h, h->nodes.items[i]);
    Repeat *repeat = map_get(&h->repeats->by_function, key);
    if (!repeat) {
      repeat = NEW(h->repeats->arena, Repeat);
      map_put(&h->repeats->by_function, key, repeat);
    }
    repeat->equations++;
  }
}

/* ---- what is hoisted ---- */

static bool is_worth_hoisting(const Hoister *h, const Expr *e, const Part *part) {
  if (e->type != TYPE_REAL && e->type != TYPE_F64) return false;
  if (e->op == OP_READ || e->count == 0 || part->cost < LEAST_COST || !part->safe) return false;
  bool is_partly_needed = (part->conditions & part->variables) != 0;
  if (!is_whole(h->equation, e) && !is_partly_needed && find_repeat(h, e))
    return points(h, part->variables) <= h->largest;
  uint64_t missing = h->varying & ~part->variables;
  return missing != 0 && (missing & part->conditions) == 0 &&
         points(h, part->variables) <= h->largest;
}

static const Expr *hoist_alone(Hoister *h, const Expr *e) {
  Name name = name_format(h->model->names, "%s.%s", h->equation->target->name,
                          e->op >= OP_ABS ? op_spelling(e->op) : "factor");
  return equation_hoist(h->model, h->program, name, REDUCE_NONE, NULL, 0, NULL, e,
                        h->equation->instance, h->equation->span);
}

static const Expr *hoist_part(Hoister *h, const Expr *e) {
  Repeat *repeat = find_repeat(h, e);
  if (!repeat) return hoist_alone(h, e);
  CommonVariables *common = &h->repeats->common;
  IndexList own = indices_occurring(h->scratch, e);
  if (!repeat->value) repeat->value = over_common(common, hoist_alone(h, e), own.items, own.count);
  const Expr **values = common_values(common, own.items, own.count);
  Map here;
  map_init(&here, h->scratch);
  for (int i = 0; i < own.count; i++)
    map_put(&here, values[i], (void *)expr_index(h->model->exprs, own.items[i]));
  return expr_replace(h->model->exprs, h->scratch, repeat->value, &here);
}

/* A side of a choice is evaluated only where its condition says. */
static void reach_arguments(Hoister *h, const Expr *e, const Part *part) {
  for (int k = 0; k < e->count; k++) {
    Part *below = part_of(h, e->args[k]);
    bool chosen = e->op == OP_SELECT && k > 0;
    below->reached = true;
    below->conditions &= part->conditions | (chosen ? part_of(h, e->args[0])->variables : 0);
  }
}

/* From the root down: what is reached without passing through something hoisted is hoisted when it is
   worth it, and passed through when not. */
static void choose_parts(Hoister *h) {
  Part *root = &h->parts[h->nodes.count - 1];
  root->reached = true;
  root->conditions = 0;
  for (int i = h->nodes.count - 1; i >= 0; i--) {
    const Expr *e = h->nodes.items[i];
    if (!h->parts[i].reached) continue;
    if (is_worth_hoisting(h, e, &h->parts[i]))
      map_put(&h->replacements, e, (void *)hoist_part(h, e));
    else
      reach_arguments(h, e, &h->parts[i]);
  }
}

static void hoist_equation(Hoister *h) {
  h->variables = equation_variables(h->scratch, h->equation);
  h->varying = 0;
  for (int i = 0; i < h->variables.count && i < 64; i++)
    if (extent_maximum(h->variables.items[i]->range) > 1) h->varying |= UINT64_C(1) << i;
  h->equation->body = expr_with_reciprocals(h->model, h->scratch, h->equation->body);
  h->nodes = expr_postorder(h->scratch, &h->equation->body, 1);
  if (h->varying == 0 || h->nodes.count < 2) return;
  h->largest = equation_largest_tensor(h->scratch, h->equation);
  map_init(&h->places, h->scratch);
  map_init(&h->replacements, h->scratch);
  h->parts = NEW_ARRAY(h->scratch, Part, h->nodes.count);
  for (int i = 0; i < h->nodes.count; i++) {
    map_put(&h->places, h->nodes.items[i], &h->parts[i]);
    describe_node(h, h->nodes.items[i], &h->parts[i]);
  }
  choose_parts(h);
  if (h->replacements.count > 0)
    h->equation->body =
        expr_replace(h->model->exprs, h->scratch, h->equation->body, &h->replacements);
}

static void for_equation(Hoister *h, Equation *equation, void (*visit)(Hoister *)) {
  h->scratch = arena_new();
  h->equation = equation;
  visit(h);
  arena_free(h->scratch);
}

void hoist(Model *model, Program *program) {
  monotone(model, program);
  Repeats repeats = {.arena = arena_new()};
  map_init(&repeats.by_function, repeats.arena);
  common_open(&repeats.common, model, repeats.arena);
  Hoister h = {.model = model, .program = program, .repeats = &repeats};
  int count = program->equations.count;
  for (int i = 0; i < count; i++) for_equation(&h, program->equations.items[i], count_functions);
  for (int i = 0; i < program->equations.count; i++)
    for_equation(&h, program->equations.items[i], hoist_equation);
  arena_free(repeats.arena);
  share(model, program);
}
