/* Lives: one walk over all nests that notes every access. */
#include "loops/lives.h"

#include <string.h>

typedef struct Walk {
  Lives *lives;
  Access at; /* the position of the walk; node and subscripts change */
} Walk;

static void keep_equal(const Expr **kept, const Expr *const *subscripts, int rank) {
  for (int dim = 0; dim < rank; dim++) {
    if (kept[dim] != subscripts[dim]) kept[dim] = NULL;
  }
}

static void keep_common_path(Life *life, const Access *access) {
  int depth = 0;
  while (depth < life->depth && depth < access->depth && life->path[depth] == access->path[depth]) {
    depth++;
  }
  life->depth = depth;
}

static Life *start_life(Walk *walk, const Tensor *tensor) {
  Life *life = NEW(walk->lives->scratch, Life);
  life->tensor = tensor;
  life->first = walk->at;
  life->depth = walk->at.depth;
  memcpy(life->path, walk->at.path, sizeof life->path);
  for (int dim = 0; dim < tensor->rank; dim++) life->subscripts[dim] = walk->at.subscripts[dim];
  map_put(&walk->lives->by_tensor, tensor, life);
  return life;
}

static Life *note_access(Walk *walk, const Tensor *tensor, const Expr *const *subscripts) {
  walk->at.subscripts = subscripts;
  Life *life = map_get(&walk->lives->by_tensor, tensor);
  if (!life) life = start_life(walk, tensor);
  keep_common_path(life, &walk->at);
  keep_equal(life->subscripts, subscripts, tensor->rank);
  life->last = walk->at;
  APPEND(walk->lives->scratch, &life->accesses, walk->at);
  return life;
}

static void note_reads(Walk *walk, const Expr *e) {
  if (!e) return;
  Arena *scratch = arena_new();
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    if (!is_read(nodes.items[i])) continue;
    note_access(walk, nodes.items[i]->tensor, nodes.items[i]->args);
  }
  arena_free(scratch);
}

static void note_store(Walk *walk, LoopNode *node) {
  for (int dim = 0; dim < node->target->rank; dim++) note_reads(walk, node->subscripts[dim]);
  Life *life = note_access(walk, node->target, node->subscripts);
  life->store = walk->at;
  life->store_count++;
}

/* Depth is bounded by the rank limit: a nest has at most MAX_LOOPS loops inside each other. */
static void walk_body(Walk *walk, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    walk->at.node = node;
    walk->at.sequence++;
    if (walk->at.depth == 0) walk->at.step = walk->lives->steps++;
    note_reads(walk, node->begin);
    note_reads(walk, node->end);
    note_reads(walk, node->condition);
    note_reads(walk, node->value);
    if (node->kind == LOOP_STORE) note_store(walk, node);
    if (walk->at.depth == MAX_PATH) bug("a nest is too deep");
    walk->at.path[walk->at.depth++] = node;
    walk_body(walk, &node->body);
    walk->at.depth--;
  }
}

Lives lives_of(const Routine *routine, Arena *scratch) {
  Lives lives = {.scratch = scratch};
  map_init(&lives.by_tensor, scratch);
  Walk walk = {.lives = &lives};
  for (int i = 0; i < routine->nests.count; i++) {
    walk.at.nest = i;
    walk_body(&walk, &routine->nests.items[i]->body);
  }
  return lives;
}
