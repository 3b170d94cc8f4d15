/* Unswitching: a condition that is the same in all iterations of an innermost loop is asked before it.

     for k: m[n, k] = if t > 0 then c[n, t-1, k] else 0

   becomes a loop that copies, where t > 0, and one that sets to 0, where t == 0. Such conditions come from the first
   and the last step of recurrences, from lengths of sequences and from edges. Where a load waits for one, C compilers
   may not run the loop in vectors. */
#include "loops/build.h"
#include "loops/rewrite.h"

#include "calculus/condition.h"
#include "equations/affine.h"

enum {
  MOST_CONDITIONS = 2, /* of a loop */
  MOST_NODES = 256     /* of the expressions in it */
};

typedef struct Unswitcher {
  Model *model;
  Arena *scratch;
  bool changes;
} Unswitcher;

/* ---- which ---- */

static bool is_innermost(const LoopNode *node) {
  if (node->kind != LOOP_FOR || node->lanes > 0) return false;
  for (int i = 0; i < node->body.count; i++)
    if (node->body.items[i]->kind == LOOP_FOR || node->body.items[i]->kind == LOOP_IF) return false;
  return true;
}

static bool is_set_in(const LoopNode *loop, const Tensor *tensor) {
  for (int i = 0; i < loop->body.count; i++)
    if (loop->body.items[i]->target == tensor) return true;
  return false;
}

/* It may be asked before what stands before it. */
static bool is_fixed(Unswitcher *u, const LoopNode *loop, const Expr *condition) {
  ExprList nodes = expr_postorder(u->scratch, &condition, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    if (e->op == OP_INDEX && e->index == loop->index) return false;
    if (is_read(e) && (read_default(e) || is_set_in(loop, e->tensor))) return false;
  }
  return exprs_are_total(u->model->exprs, u->scratch, &condition, 1);
}

/* A part of a choice's condition, or of the range of a read with a default; null: there is none. */
static const Expr *fixed_part(Unswitcher *u, const LoopNode *loop, const Expr *e) {
  ExprList parts = {0};
  const Expr *condition = NULL;
  if (e->op == OP_SELECT) condition = e->args[0];
  if (is_read(e) && read_default(e)) condition = condition_inside(u->model->exprs, u->scratch, e);
  condition_conjuncts(u->scratch, condition, &parts);
  for (int i = 0; i < parts.count; i++)
    if (is_fixed(u, loop, parts.items[i])) return parts.items[i];
  return NULL;
}

static const Expr *find_condition(Unswitcher *u, const LoopNode *loop) {
  const Expr *found = NULL;
  int count = 0;
  for (int i = 0; i < loop->body.count; i++) {
    if (!loop->body.items[i]->value) continue;
    ExprList nodes = expr_postorder(u->scratch, &loop->body.items[i]->value, 1);
    for (int k = 0; k < nodes.count && !found; k++) found = fixed_part(u, loop, nodes.items[k]);
    count += nodes.count;
  }
  return count <= MOST_NODES ? found : NULL;
}

/* ---- the loop where it holds, and where it does not ---- */

typedef struct Assumption {
  Unswitcher *u;
  Map truths; /* Expr * -> Expr * */
  /* A condition that holds for one value of an index says what that is. */
  const Index *index;
  const Expr *value;
} Assumption;

/* Reads whose defaults are told by the condition are choices. */
static const Expr *ask_range(void *context, const Expr *leaf) {
  const Assumption *a = context;
  ExprTable *exprs = a->u->model->exprs;
  if (!is_read(leaf) || !read_default(leaf)) return leaf;
  ExprList parts = {0};
  condition_conjuncts(a->u->scratch, condition_inside(exprs, a->u->scratch, leaf), &parts);
  for (int i = 0; i < parts.count; i++)
    if (map_has(&a->truths, parts.items[i])) return condition_choice(exprs, a->u->scratch, leaf);
  return leaf;
}

static const Expr *assume(void *context, const Expr *e) {
  Assumption *a = context;
  ExprTable *exprs = a->u->model->exprs;
  Arena *scratch = a->u->scratch;
  const Expr *there = expr_rewrite(exprs, scratch, e, ask_range, context);
  there = expr_replace(exprs, scratch, there, &a->truths);
  if (a->index) there = expr_substitute(exprs, scratch, there, &a->index, &a->value, 1);
  return condition_decide(exprs, scratch, there);
}

/* `index == number`, when the condition says that, and the index is then the number; else as it is. */
static const Expr *solved(Assumption *a, const Expr *condition) {
  ExprTable *exprs = a->u->model->exprs;
  condition = condition_tightened(exprs, a->u->scratch, condition);
  for (int side = 0; side < 2 && condition->op == OP_EQ; side++) {
    const Expr *value = condition->args[1 - side];
    int64_t shift;
    const Index *index = shifted_index(exprs, a->u->scratch, condition->args[side], &shift);
    if (!index || value->op != OP_INTEGER) continue;
    a->index = index;
    a->value = expr_integer(exprs, value->integer - shift);
    return expr_binary(exprs, OP_EQ, expr_index(exprs, index), a->value);
  }
  return condition;
}

static bool reads(Unswitcher *u, const LoopNode *node, const Tensor *tensor) {
  ExprList nodes = loop_node_expressions(u->scratch, node);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && nodes.items[i]->tensor == tensor) return true;
  return false;
}

/* A local variable that nothing but its own stores needs. */
static bool is_unread(Unswitcher *u, const LoopBody *body, int i) {
  const Tensor *local = body->items[i]->target;
  if (body->items[i]->kind != LOOP_DECLARE) return false;
  for (int k = i + 1; k < body->count; k++)
    if (body->items[k]->target != local && reads(u, body->items[k], local)) return false;
  return true;
}

/* Its declaration and its stores; false: one of them states its equation. */
static bool drop_local(LoopBody *body, const Tensor *local) {
  int kept = 0;
  for (int i = 0; i < body->count; i++) {
    if (body->items[i]->target != local)
      body->items[kept++] = body->items[i];
    else if (body->items[i]->equation)
      return false;
  }
  body->count = kept;
  return true;
}

/* Leaves out local variables that only the other branch reads; false: one of them states its equation. */
static bool drop_unread(Unswitcher *u, LoopBody *body) {
  for (int i = body->count - 1; i >= 0; i--)
    if (is_unread(u, body, i) && !drop_local(body, body->items[i]->target)) return false;
  return true;
}

/* if condition: the loop, in which `part` is `truth`; null: it would lose what states an equation. */
static LoopNode *branch_where(Unswitcher *u, const LoopNode *loop, const Expr *part, bool truth) {
  ExprTable *exprs = u->model->exprs;
  const Expr *condition = truth ? part : condition_not(exprs, part);
  Assumption assumption = {.u = u};
  map_init(&assumption.truths, u->scratch);
  map_put(&assumption.truths, part, (void *)(truth ? expr_true(exprs) : expr_false(exprs)));
  condition = solved(&assumption, condition);
  LoopNode *copy = loop_copy(u->model, loop, truth, assume, &assumption);
  LoopNode *branch = branch_new(u->model, condition);
  branch->marks = loop->marks & (MARK_FIRST | MARK_TILE | (truth ? MARK_WAIT : 0));
  branch->equation = copy->equation;
  copy->equation = NULL;
  copy->marks &= ~(unsigned)(MARK_FIRST | MARK_WAIT);
  APPEND(u->model->arena, &branch->body, copy);
  return drop_unread(u, &copy->body) ? branch : NULL;
}

/* In place of the loop, to `body`; `asked`: so many conditions stand around it. */
static void append_unswitched(Unswitcher *u, LoopBody *body, LoopNode *loop, int asked) {
  const Expr *part = asked < MOST_CONDITIONS ? find_condition(u, loop) : NULL;
  LoopNode *sides[2] = {NULL, NULL};
  for (int i = 0; i < 2 && part; i++) sides[i] = branch_where(u, loop, part, i == 0);
  bool stays =
      !sides[0] || !sides[1] || loop_loses_reads(u->scratch, loop, &(LoopBody){sides, 2, 2});
  if (stays) {
    APPEND(u->model->arena, body, loop);
    return;
  }
  u->changes = true;
  for (int i = 0; i < 2; i++) {
    LoopBody inside = {0};
    append_unswitched(u, &inside, sides[i]->body.items[0], asked + 1);
    sides[i]->body = inside;
    APPEND(u->model->arena, body, sides[i]);
  }
}

static void unswitch_body(Unswitcher *u, LoopBody *body) {
  LoopBody unswitched = {0};
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    if (is_innermost(node)) {
      append_unswitched(u, &unswitched, node, 0);
      continue;
    }
    unswitch_body(u, &node->body);
    APPEND(u->model->arena, &unswitched, node);
  }
  *body = unswitched;
}

bool routine_unswitch(Routine *routine) {
  Unswitcher u = {routine->model, arena_new(), false};
  if (routine->target->vector_bytes > 0)
    for (int i = 0; i < routine->nests.count; i++)
      unswitch_body(&u, &routine->nests.items[i]->body);
  arena_free(u.scratch);
  return u.changes;
}
