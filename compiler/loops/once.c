/* Once: what the statements of an iteration have in common is computed before the first of them.

     y = max(y, max(z[n] + b, 0)); place = if best < max(z[n] + b, 0) then 3 else place; ...

   as of a window whose points were spelled out. C compilers find that, too, but after they have made jumps of the
   choices, in which they then lose themselves. For the same reason an extreme begins with its first value, and not
   with an infinity that is never chosen. */
#include "loops/build.h"
#include "loops/regions.h"
#include "loops/rewrite.h"

#include <math.h>

enum {
  LEAST_COST = 2,  /* of what gets a name */
  MOST_NODES = 512 /* of the expressions of an iteration */
};

typedef struct Sharer {
  Routine *routine;
  Arena *scratch;
  Map names; /* LoopNode *, a declaration made here -> itself */
  int count; /* of those in a body */
} Sharer;

/* ---- extremes ---- */

/* The number with which every value is the extreme. */
static bool is_neutral(const LoopNode *declare, Reduction combine) {
  double number;
  if (declare->kind != LOOP_DECLARE || declare->target->rank > 0 || !declare->value) return false;
  if (declare->target->type != TYPE_REAL || !is_number(declare->value, &number)) return false;
  return isinf(number) && combine == (number < 0 ? REDUCE_MAX : REDUCE_MIN);
}

/* y = -inf; y = max(y, value)  ->  y = value */
static void begin_extremes(LoopBody *body) {
  int kept = 0;
  for (int i = 0; i < body->count; i++) {
    LoopNode *last = kept > 0 ? body->items[kept - 1] : NULL, *node = body->items[i];
    bool begins = last && node->kind == LOOP_STORE && node->target == last->target &&
                  !node->equation && is_neutral(last, node->combine);
    if (begins)
      last->value = node->value;
    else
      body->items[kept++] = node;
  }
  body->count = kept;
}

/* ---- what several statements compute ---- */

static bool computes(Sharer *s, const LoopNode *statement, const Expr *e) {
  ExprList nodes = expr_postorder(s->scratch, &statement->value, statement->value ? 1 : 0);
  for (int i = 0; i < nodes.count; i++)
    if (nodes.items[i] == e) return true;
  return false;
}

static bool is_costly(Sharer *s, const Expr *e) {
  int cost = 0;
  if (e->type != TYPE_REAL || e->count == 0 || is_read(e)) return false;
  ExprList nodes = expr_postorder(s->scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (!is_read(nodes.items[i]) && nodes.items[i]->type == TYPE_REAL && nodes.items[i]->count > 0)
      cost += op_cost(nodes.items[i]->op);
  return cost >= LEAST_COST;
}

/* A product that may be added to a sum with one rounding. */
static bool is_term(const LoopNode *statement, const Expr *e) {
  return statement->combine == REDUCE_SUM && statement->value == e && e->op == OP_MUL;
}

/* Some tensor that is read in the expression is set. */
static bool changes(Sharer *s, const LoopNode *statement, const Expr *e) {
  ExprList nodes = expr_postorder(s->scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && nodes.items[i]->tensor == statement->target) return true;
  return false;
}

/* Whether statements behind the first compute the same, too, from the same values. */
static bool is_shared(Sharer *s, const LoopBody *body, int first, const Expr *e) {
  bool found = false;
  if (is_term(body->items[first], e)) return false;
  for (int i = first + 1; i < body->count; i++) {
    if (!computes(s, body->items[i], e)) continue;
    if (is_term(body->items[i], e)) return false;
    for (int k = first; k < i; k++)
      if (changes(s, body->items[k], e)) return false;
    found = true;
  }
  return found;
}

/* The largest of what a statement is certain to compute, and others behind it; null: nothing. */
static const Expr *find_shared(Sharer *s, const LoopBody *body, int first) {
  const Expr *value = body->items[first]->value;
  if (!value) return NULL;
  Regions regions = regions_of(s->scratch, value, NULL, NULL);
  for (int i = regions.nodes.count - 1; i >= 0; i--) {
    const Expr *e = regions.nodes.items[i];
    bool is_certain = regions.computations[i].certain == regions.whole;
    if (is_certain && is_costly(s, e) && is_shared(s, body, first, e)) return e;
  }
  return NULL;
}

/* ---- its name ---- */

/* As early as what it reads is there, behind other names. */
static int place_of_name(Sharer *s, const LoopBody *body, int first, const Expr *e) {
  int place = first;
  while (place > 0 && !changes(s, body->items[place - 1], e) &&
         !map_has(&s->names, body->items[place - 1]))
    place--;
  return place;
}

static void name_value(Sharer *s, LoopBody *body, int first, const Expr *e) {
  Model *model = s->routine->model;
  Site site = {.routine = s->routine};
  const char *name = arena_format(s->scratch, "value.%d", ++s->count);
  const Tensor *value = local_new(&site, name, TYPE_REAL, 1);
  Map named;
  map_init(&named, s->scratch);
  map_put(&named, e, (void *)expr_read(model->exprs, value, NULL, NULL));
  for (int i = first; i < body->count; i++) {
    LoopNode *statement = body->items[i];
    if (statement->value)
      statement->value = expr_replace(model->exprs, s->scratch, statement->value, &named);
  }
  LoopNode *declare = declare_new(model, value, e);
  LoopNode *next = body->items[place_of_name(s, body, first, e)];
  body_insert_before(model->arena, body, next, declare);
  declare->equation = next->equation;
  next->equation = NULL;
  map_put(&s->names, declare, declare);
}

static void name_shared(Sharer *s, LoopBody *body) {
  s->count = 0;
  for (int i = 0; i < body->count; i++)
    for (const Expr *e; (e = find_shared(s, body, i)) != NULL; i++) name_value(s, body, i, e);
}

/* ---- bodies ---- */

/* Statements alone, which run one after the other. */
static bool is_plain(Sharer *s, const LoopBody *body) {
  int nodes = 0;
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    if (node->kind != LOOP_DECLARE && node->kind != LOOP_STORE) return false;
    nodes += loop_node_expressions(s->scratch, node).count;
  }
  return body->count > 1 && nodes <= MOST_NODES;
}

/* Depth is bounded by the rank limit: a nest has at most MAX_LOOPS loops inside each other. */
static void visit(Sharer *s, LoopNode *node) {
  for (int i = 0; i < node->body.count; i++) visit(s, node->body.items[i]);
  if (node->kind != LOOP_FOR || node->lanes > 0 || !is_plain(s, &node->body)) return;
  begin_extremes(&node->body);
  name_shared(s, &node->body);
}

void routine_compute_once(Routine *routine) {
  Sharer s = {routine, arena_new(), {0}, 0};
  map_init(&s.names, s.scratch);
  for (int i = 0; i < routine->nests.count; i++)
    for (int k = 0; k < routine->nests.items[i]->body.count; k++)
      visit(&s, routine->nests.items[i]->body.items[k]);
  arena_free(s.scratch);
}
