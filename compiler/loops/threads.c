/* Which loops are divided: in each nest the outermost that are independent, have enough iterations to keep
   several threads busy and are worth the while. */
#include "loops/threads.h"

#include "equations/affine.h"
#include "loops/build.h"

/* ---- work ---- */

static double operations_of(const Expr *e) {
  if (!e) return 0;
  Arena *scratch = arena_new();
  double operations = 0;
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) operations += op_cost(nodes.items[i]->op);
  arena_free(scratch);
  return operations;
}

double loop_iterations(ExprTable *exprs, const LoopNode *loop) {
  Arena *scratch = arena_new();
  const Extent *count = loop->index->range;
  Affine distance = affine_of(exprs, scratch, expr_binary(exprs, OP_SUB, loop->end, loop->begin));
  affine_is_constant(&distance, &count);
  int64_t step = loop->lanes > 0 ? loop->lanes : loop->step;
  int64_t iterations = (extent_maximum(count) + step - 1) / step;
  arena_free(scratch);
  return (double)iterations;
}

double node_work(ExprTable *exprs, const LoopNode *node) {
  if (node->kind == LOOP_STORE || node->kind == LOOP_DECLARE) return 1 + operations_of(node->value);
  double work = 0;
  for (int i = 0; i < node->body.count; i++) work += node_work(exprs, node->body.items[i]);
  return node->kind == LOOP_FOR ? loop_iterations(exprs, node) * work : work;
}

/* Two threads are busy most of the time, three and four for two thirds of it. */
bool keeps_busy(double iterations) {
  for (int threads = 2; threads <= 4; threads++) {
    int64_t count = (int64_t)iterations, rounds = (count + threads - 1) / threads;
    double least = threads == 2 ? 0.85 : 0.66;
    if ((double)count < least * (double)(threads * rounds)) return false;
  }
  return true;
}

/* ---- choice ---- */

static double divide_body(const Routine *routine, double least, LoopBody *body);

enum {
  MOST_PERCENT_LEFT = 10, /* of a loop's work outside the loops in it that are divided */
  WITHOUT_MEETING = 16    /* part of the least work that is worth it when threads need not meet */
};

/* Marks the loop, or loops inside it that keep threads busier; returns how much work is divided. */
static double divide_loop(const Routine *routine, double least, LoopNode *loop) {
  ExprTable *exprs = routine->model->exprs;
  double work = node_work(exprs, loop), iterations = loop_iterations(exprs, loop);
  if (work < least) return 0;
  bool may_divide = iterations > 1 && loop_is_independent(routine, loop);
  if (!may_divide && iterations > 1 && divide_across(routine, least / WITHOUT_MEETING, loop))
    return work;
  if (!may_divide || !keeps_busy(iterations)) {
    double inside = iterations * divide_body(routine, least, &loop->body);
    if (!may_divide || 100 * (work - inside) <= MOST_PERCENT_LEFT * work) return inside;
    clear_marks(&loop->body, MARK_PARALLEL);
  }
  loop->marks |= MARK_PARALLEL;
  return work;
}

static double divide_body(const Routine *routine, double least, LoopBody *body) {
  double divided = 0;
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    if (node->kind == LOOP_FOR) divided += divide_loop(routine, least, node);
    if (node->kind == LOOP_IF) divided += divide_body(routine, least, &node->body);
  }
  return divided;
}

/* ---- guards ---- */

static const Expr *guard_of(const Inside *inside, const LoopNode *store) {
  Touch touch = {store->target, store->subscripts, true};
  if (map_has(&inside->declared, store->target)) return NULL;
  for (int dim = 0; dim < store->target->rank; dim++) {
    Share share = share_of(inside, &touch, dim);
    if (share.guard) return share.guard;
  }
  return NULL;
}

static void guard_body(const Inside *inside, LoopBody *body);

/* The condition of the stores in the node, which are guarded right here, around vectors; null: none has one. */
static const Expr *guard_here(const Inside *inside, LoopNode *node) {
  if (node->kind == LOOP_STORE) return guard_of(inside, node);
  if (node->kind == LOOP_FOR && node->lanes > 0)
    return node->body.count > 0 ? guard_here(inside, node->body.items[0]) : NULL;
  guard_body(inside, &node->body);
  return NULL;
}

/* Where tiles overlap, the last stores what the one before it does not. */
static void guard_body(const Inside *inside, LoopBody *body) {
  Model *model = inside->routine->model;
  for (int i = 0; i < body->count; i++) {
    const Expr *guard = guard_here(inside, body->items[i]);
    if (!guard) continue;
    LoopNode *branch = branch_new(model, guard);
    APPEND(model->arena, &branch->body, body->items[i]);
    body->items[i] = branch;
  }
}

static void guard_marked(Routine *routine, LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    guard_marked(routine, &node->body);
    if (!(node->marks & MARK_PARALLEL)) continue;
    Arena *scratch = arena_new();
    Inside inside = inside_of(routine, scratch, node);
    guard_body(&inside, &node->body);
    arena_free(scratch);
  }
}

/* Starting threads and meeting a few times takes as long as so many loops that are just worth dividing. */
enum { LEAST_LOOPS = 16 };

/* What is divided of all nests, at the maxima. */
static double divide_nests(Routine *routine, double least) {
  double divided = 0;
  for (int i = 0; i < routine->nests.count; i++)
    divided += divide_body(routine, least, &routine->nests.items[i]->body);
  return divided;
}

void routine_divide(Routine *routine) {
  const Dim *batch = routine->model->batch;
  double least = (double)routine->target->threads.least;
  double divided = least > 0 ? divide_nests(routine, least) : 0;
  if (divided >= LEAST_LOOPS * least) routine_deal(routine);
  for (int i = 0; i < routine->nests.count; i++) {
    LoopBody *body = &routine->nests.items[i]->body;
    if (divided < LEAST_LOOPS * least) clear_marks(body, MARK_PARALLEL);
    guard_marked(routine, body);
  }
  if (divided == 0 || divided < LEAST_LOOPS * least) return;
  routine->least_batch = 1;
  if (batch)
    routine->least_batch += (int64_t)(LEAST_LOOPS * least / divided * (double)batch->maximum);
}
