/* Meet: where threads wait for each other.

   One walk through the nests keeps what has been read and written since threads met, and by whom: by all, by
   the first alone, or by the iterations of a divided loop. They meet before a node that needs what another
   thread wrote, or writes what another may still need; a serial loop is walked twice, so that its end is seen
   from its beginning. Inside a nest that is a mark on the node, the same for all nests of a family. What
   lies before the nest may ask for another meeting, before the call. */
#include "loops/threads.h"

typedef enum { BY_ALL, BY_FIRST, BY_ITERATIONS } User;

typedef struct Use {
  const Buffer *buffer;
  bool writes;
  User by;
  const LoopNode *loop; /* BY_ITERATIONS */
  int dim;              /* along which each has a share */
  Share share;
  const Expr *when; /* a condition on sizes; null: always */
} Use;
typedef struct UseList {
  Use *items;
  int count, capacity;
} UseList;

typedef struct Walk {
  const Routine *routine;
  Arena *scratch;
  UseList pending;  /* since they met */
  const Expr *when; /* the branch at hand is taken */
  bool may_mark;    /* nodes; else: */
  bool is_missing;  /* a meeting that no node is marked for */
} Walk;

/* ---- conflicts ---- */

static bool is_same_memory(const Use *a, const Use *b) {
  const Buffer *x = a->buffer, *y = b->buffer;
  if (x == y) return true;
  bool both_in_arena = x->place == PLACE_ARENA && y->place == PLACE_ARENA;
  return both_in_arena && x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes;
}

/* As many iterations, or as many dealt out together, which OpenMP then gives to the same threads. */
static bool has_same_iterations(const LoopNode *a, const LoopNode *b) {
  bool is_same = a->grain == b->grain && (a->grain > 0 || a->step == b->step);
  return is_same && a->begin == b->begin && a->end == b->end &&
         (a->marks & MARK_DOWN) == (b->marks & MARK_DOWN) && is_uniform(a->begin) &&
         is_uniform(a->end);
}

static bool is_same_thread(const Use *a, const Use *b) {
  if (a->by != b->by || a->by == BY_ALL) return false;
  if (a->by == BY_FIRST) return true;
  return a->buffer == b->buffer && a->dim == b->dim && a->share.factor > 0 &&
         a->share.factor == b->share.factor && a->share.offset == b->share.offset &&
         has_same_iterations(a->loop, b->loop);
}

static bool is_other_branch(const Expr *less, const Expr *other) {
  return less->op == OP_LT && other->op == OP_LE && less->args[0] == other->args[1] &&
         less->args[1] == other->args[0];
}

/* In one call, of which sizes are the same throughout. */
static bool may_both_happen(const Use *a, const Use *b) {
  if (!a->when || !b->when) return true;
  return !is_other_branch(a->when, b->when) && !is_other_branch(b->when, a->when);
}

static bool conflicts(const Use *a, const Use *b) {
  return (a->writes || b->writes) && may_both_happen(a, b) && is_same_memory(a, b) &&
         !is_same_thread(a, b);
}

static bool conflicts_with_any(const UseList *pending, const UseList *uses) {
  for (int i = 0; i < uses->count; i++)
    for (int k = 0; k < pending->count; k++)
      if (conflicts(&uses->items[i], &pending->items[k])) return true;
  return false;
}

/* ---- uses ---- */

static bool is_same_use(const Use *a, const Use *b) {
  return a->when == b->when && a->buffer == b->buffer && a->writes == b->writes && a->by == b->by &&
         a->dim == b->dim && a->loop == b->loop && a->share.factor == b->share.factor &&
         a->share.offset == b->share.offset;
}

static void add_use(Walk *walk, UseList *uses, Use use) {
  for (int i = 0; i < uses->count; i++)
    if (is_same_use(&uses->items[i], &use)) return;
  APPEND(walk->scratch, uses, use);
}

static bool is_memory(const Buffer *buffer) {
  return buffer && (buffer->place == PLACE_MODEL || buffer->place == PLACE_ARGUMENT ||
                    buffer->place == PLACE_ARENA || buffer->place == PLACE_SCALAR);
}

static void add_touch(Walk *walk, const Inside *inside, const Touch *touch, User by,
                      UseList *uses) {
  const Buffer *buffer = map_get(&walk->routine->buffers, touch->tensor);
  if (!is_memory(buffer)) return;
  Use use = {.writes = touch->writes, .by = by, .when = walk->when};
  use.buffer = map_get(&walk->routine->buffers, memory_of(walk->routine, touch->tensor));
  if (!use.buffer) use.buffer = buffer;
  if (by == BY_ITERATIONS) use.loop = inside->loop;
  for (int dim = 0; by == BY_ITERATIONS && dim < touch->tensor->rank; dim++) {
    use.dim = dim;
    use.share = share_of(inside, touch, dim);
    if (use.share.factor > 0) break;
  }
  add_use(walk, uses, use);
}

static UseList uses_of(Walk *walk, const LoopNode *node, bool below, User by) {
  UseList uses = {0};
  TouchList touches = {0};
  Inside inside = {0};
  if (by == BY_ITERATIONS) inside = inside_of(walk->routine, walk->scratch, node);
  touches_of(walk->scratch, node, below, &touches);
  for (int i = 0; i < touches.count; i++) add_touch(walk, &inside, &touches.items[i], by, &uses);
  return uses;
}

/* ---- the walk ---- */

static void add_uses(Walk *walk, const UseList *uses) {
  for (int i = 0; i < uses->count; i++) add_use(walk, &walk->pending, uses->items[i]);
}

static void use_node(Walk *walk, LoopNode *node, const UseList *uses) {
  if (conflicts_with_any(&walk->pending, uses)) {
    if (walk->may_mark) node->marks |= MARK_WAIT;
    walk->is_missing |= !walk->may_mark;
    walk->pending.count = 0;
  }
  add_uses(walk, uses);
}

static bool is_on_sizes(const Expr *condition) {
  bool compares = condition->op == OP_LT || condition->op == OP_LE;
  return compares && is_uniform(condition->args[0]) && is_uniform(condition->args[1]);
}

static void walk_body(Walk *walk, const LoopBody *body);

/* What lies before a loop in which threads need not meet is waited for once, before it. */
static void wait_before_loop(Walk *walk, LoopNode *loop) {
  Walk within = {.routine = walk->routine, .scratch = walk->scratch, .when = walk->when};
  for (int time = 0; time < 2; time++) walk_body(&within, &loop->body);
  if (!within.is_missing && conflicts_with_any(&walk->pending, &within.pending)) {
    loop->marks |= MARK_WAIT;
    walk->pending.count = 0;
  }
}

/* Bounds and conditions are asked by all; what is inside may run or not. */
static void walk_inside(Walk *walk, LoopNode *node) {
  UseList asked = uses_of(walk, node, false, BY_ALL), before = {0};
  use_node(walk, node, &asked);
  if (walk->may_mark && node->kind == LOOP_FOR) wait_before_loop(walk, node);
  for (int i = 0; i < walk->pending.count; i++)
    APPEND(walk->scratch, &before, walk->pending.items[i]);
  const Expr *outer = walk->when;
  if (node->kind == LOOP_IF && is_on_sizes(node->condition)) walk->when = node->condition;
  walk_body(walk, &node->body);
  walk->when = outer;
  if (node->kind == LOOP_FOR) {
    add_uses(walk, &asked);
    walk_body(walk, &node->body);
    add_uses(walk, &asked);
  }
  add_uses(walk, &before);
}

static void walk_body(Walk *walk, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    bool is_divided = node->marks & MARK_PARALLEL;
    if (node->marks & MARK_WAIT) walk->pending.count = 0;
    if (!is_divided && body_has_marks(&node->body, MARK_PARALLEL)) {
      walk_inside(walk, node);
      continue;
    }
    User by = is_divided ? BY_ITERATIONS : node->marks & MARK_FIRST ? BY_FIRST : BY_ALL;
    UseList uses = uses_of(walk, node, true, by);
    use_node(walk, node, &uses);
  }
}

/* ---- what the first thread does ---- */

typedef struct Effects {
  bool on_memory, on_locals; /* declared around it */
} Effects;

static Effects effects_of(const Routine *routine, const LoopNode *node) {
  Arena *scratch = arena_new();
  Effects effects = {0};
  TouchList touches = {0};
  Inside inside = inside_of(routine, scratch, node);
  touches_of(scratch, node, true, &touches);
  for (int i = 0; i < touches.count; i++) {
    const Tensor *tensor = touches.items[i].tensor;
    if (!touches.items[i].writes || map_has(&inside.declared, tensor)) continue;
    bool is_local = routine_buffer(routine, tensor)->place == PLACE_REGISTER;
    effects.on_locals |= is_local;
    effects.on_memory |= !is_local;
  }
  arena_free(scratch);
  return effects;
}

/* Marks what the first thread does alone; false: something sets both memory and the variables of all. */
static bool find_first(const Routine *routine, const LoopBody *body) {
  bool found = true;
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    if (node->marks & MARK_PARALLEL) continue;
    if (body_has_marks(&node->body, MARK_PARALLEL)) {
      found &= find_first(routine, &node->body);
      continue;
    }
    Effects effects = effects_of(routine, node);
    if (effects.on_memory) node->marks |= MARK_FIRST;
    found &= !effects.on_memory || !effects.on_locals;
  }
  return found;
}

/* ---- nests ---- */

static void drop_dependent(const Routine *routine, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    if ((node->marks & MARK_PARALLEL) && !loop_is_independent(routine, node)) {
      node->marks &= ~(unsigned)MARK_PARALLEL;
      loop_set_grain(node, 0);
    }
    drop_dependent(routine, &node->body);
  }
}

/* Marks inside the nest, whatever stands before it. */
static void meet_inside(const Routine *routine, Nest *nest) {
  drop_dependent(routine, &nest->body);
  if (!find_first(routine, &nest->body)) clear_marks(&nest->body, MARK_PARALLEL | MARK_FIRST);
  if (!body_has_marks(&nest->body, MARK_PARALLEL)) {
    clear_marks(&nest->body, MARK_FIRST);
    nest->marks = MARK_FIRST;
    return;
  }
  Walk walk = {.routine = routine, .scratch = arena_new(), .may_mark = true};
  walk_body(&walk, &nest->body);
  arena_free(walk.scratch);
}

static void walk_nest(Walk *walk, const Nest *nest) {
  for (int i = 0; i < nest->body.count && nest->marks & MARK_FIRST; i++) {
    UseList uses = uses_of(walk, nest->body.items[i], true, BY_FIRST);
    use_node(walk, nest->body.items[i], &uses);
  }
  if (!(nest->marks & MARK_FIRST)) walk_body(walk, &nest->body);
}

void routine_meet(Routine *routine) {
  Walk walk = {.routine = routine, .scratch = arena_new()};
  for (int i = 0; routine->least_batch > 0 && i < routine->nests.count; i++) {
    Nest *nest = routine->nests.items[i];
    meet_inside(routine, nest);
    walk.is_missing = false;
    walk_nest(&walk, nest);
    if (!walk.is_missing) continue;
    nest->marks |= MARK_WAIT;
    walk.pending.count = 0;
    walk_nest(&walk, nest);
  }
  arena_free(walk.scratch);
}
