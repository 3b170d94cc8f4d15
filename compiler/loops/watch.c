/* Watch: new parameters are tested where they are stored.

   After a step the model is invalid when a parameter is not finite. A pass over all parameters would bring each
   through memory once more; in the loop that stores it the number is at hand. Left to the pass are parameters that
   short loops store, which would combine what they found too often, and those that are stored in pieces. */
#include "loops/loop.h"

enum { LEAST_ITERATIONS = 64 }; /* of an innermost loop that is not of vectors */

typedef struct Watcher {
  Routine *routine;
  Arena *scratch;
  Map candidates; /* Tensor *, a parameter that the routine changes -> itself */
  Map stored;     /* of those: that some nest stores, */
  Map refused;    /* and that one stores as it cannot be watched */
} Watcher;

/* One of the candidates, into whose memory the node stores; null: into none. */
static const Tensor *stored_parameter(const Watcher *watcher, const LoopNode *node) {
  if (node->kind != LOOP_STORE) return NULL;
  return map_get(&watcher->candidates, memory_of(watcher->routine, node->target));
}

/* Each number once, or the same number again, in a loop that goes through many. */
static bool may_be_watched(const LoopNode *store, const LoopNode *loop) {
  if (store->combine != REDUCE_NONE || (store->marks & MARK_SQUARE) || is_draw(store->value))
    return false;
  if (!loop || loop->marks & MARK_DRAWS) return false;
  int64_t iterations = extent_maximum(loop->index->range);
  return loop->lanes > 0 ? iterations % loop->lanes == 0 : iterations >= LEAST_ITERATIONS;
}

static void look_at(Watcher *watcher, const LoopBody *body, const LoopNode *loop) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    const Tensor *parameter = stored_parameter(watcher, node);
    if (parameter) map_put(&watcher->stored, parameter, (void *)parameter);
    if (parameter && !may_be_watched(node, loop))
      map_put(&watcher->refused, parameter, (void *)parameter);
    look_at(watcher, &node->body, node->kind == LOOP_FOR ? node : loop);
  }
}

static void mark_stores(const Watcher *watcher, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    const Tensor *parameter = stored_parameter(watcher, node);
    if (parameter && map_has(&watcher->routine->watched, parameter)) node->marks |= MARK_WATCH;
    mark_stores(watcher, &node->body);
  }
}

static void find_candidates(Watcher *watcher) {
  const UpdateList *updates = &watcher->routine->updates;
  for (int i = 0; i < updates->count; i++) {
    Tensor *target = updates->items[i].target;
    bool is_tested = target->role == ROLE_PARAM && target->type == TYPE_REAL;
    if (is_tested) map_put(&watcher->candidates, target, target);
  }
}

void routine_watch(Routine *routine) {
  Watcher watcher = {.routine = routine, .scratch = arena_new()};
  map_init(&watcher.candidates, watcher.scratch);
  map_init(&watcher.stored, watcher.scratch);
  map_init(&watcher.refused, watcher.scratch);
  find_candidates(&watcher);
  for (int i = 0; i < routine->nests.count; i++)
    look_at(&watcher, &routine->nests.items[i]->body, NULL);
  for (int i = 0; i < watcher.stored.count; i++) {
    const Tensor *parameter = watcher.stored.keys[i];
    if (!map_has(&watcher.refused, parameter))
      map_put(&routine->watched, parameter, (void *)parameter);
  }
  for (int i = 0; i < routine->nests.count; i++)
    mark_stores(&watcher, &routine->nests.items[i]->body);
  arena_free(watcher.scratch);
}
