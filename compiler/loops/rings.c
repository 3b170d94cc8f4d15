/* Rings: how far behind the newest step of a loop a value is still read. */
#include "loops/rings.h"

#include "equations/affine.h"

typedef struct Ring {
  const Routine *routine;
  const Life *life;
  Arena *scratch;
  int dim, depth;       /* of the loop on the path of a store */
  const LoopNode *loop; /* whose iterations store the steps */
  const Expr *base;     /* the first step that an iteration stores, */
  int64_t steps;        /* and how many */
  int direction;        /* +1: later iterations store later steps; -1: earlier ones */
  int64_t lag;
  int end; /* sequence of the last access inside */
} Ring;

static bool is_inside(const Ring *ring, const Access *access) {
  return access->depth > ring->depth && access->path[ring->depth] == ring->loop;
}

/* Least and greatest a - b. */
static void find_distance(const Ring *ring, const Expr *a, const Expr *b, int64_t *least,
                          int64_t *greatest) {
  ExprTable *exprs = ring->routine->model->exprs;
  affine_interval(exprs, ring->scratch, expr_binary(exprs, OP_SUB, a, b), NULL, least, greatest);
}

static bool find_direction(Ring *ring) {
  Affine affine = affine_of(ring->routine->model->exprs, ring->scratch, ring->base);
  const Extent *coefficient = affine_coefficient(&affine, ring->loop->index);
  int64_t stride;
  if (!coefficient || !extent_is_constant(coefficient, &stride)) return false;
  ring->direction = ring->loop->marks & MARK_DOWN ? -1 : 1;
  return stride == ring->steps && ring->loop->step == 1;
}

/* Within the steps of the iteration or behind them; what is ahead is not there yet and never read. False when
   it does not go along with the loop. */
static bool note_inside(Ring *ring, const Access *access) {
  int64_t least, greatest;
  const Expr *distance =
      expr_binary(ring->routine->model->exprs, OP_SUB, access->subscripts[ring->dim], ring->base);
  if (expr_uses_index(ring->scratch, distance, ring->loop->index)) return false;
  find_distance(ring, access->subscripts[ring->dim], ring->base, &least, &greatest);
  int64_t behind = ring->direction > 0 ? -least : greatest - (ring->steps - 1);
  if (behind > ring->lag) ring->lag = behind;
  ring->end = access->sequence;
  return true;
}

/* After the loop, one of the last steps: `lag` is known. */
static bool reads_last(const Ring *ring, const Access *access) {
  ExprTable *exprs = ring->routine->model->exprs;
  const Extent *extent = ring->life->tensor->axes[ring->dim].extent;
  const Expr *end = expr_extent(exprs, extent);
  int64_t least, greatest, kept = ring->steps + ring->lag;
  if (access->node->target == ring->life->tensor) return false;
  if (access->sequence < ring->end) return false;
  if (ring->direction > 0) {
    find_distance(ring, access->subscripts[ring->dim], end, &least, &greatest);
    return least >= -kept && greatest < 0;
  }
  find_distance(ring, access->subscripts[ring->dim], expr_integer(exprs, 0), &least, &greatest);
  return least >= 0 && greatest < kept;
}

static bool is_ring(Ring *ring) {
  const AccessList *accesses = &ring->life->accesses;
  if (!find_direction(ring)) return false;
  for (int i = 0; i < accesses->count; i++)
    if (is_inside(ring, &accesses->items[i]) && !note_inside(ring, &accesses->items[i]))
      return false;
  for (int i = 0; i < accesses->count; i++)
    if (!is_inside(ring, &accesses->items[i]) && !reads_last(ring, &accesses->items[i]))
      return false;
  return true;
}

/* Of the loop at this depth around a store: itself over the steps, or over segments of them. */
static int64_t steps_of_loop(Ring ring) {
  const Access *store = &ring.life->store;
  ring.loop = store->path[ring.depth];
  if (ring.loop->kind != LOOP_FOR) return 0;
  ring.base = ring.loop->segment > 0 ? ring.loop->start : store->subscripts[ring.dim];
  ring.steps = ring.loop->segment > 0 ? ring.loop->segment : 1;
  if (!is_ring(&ring)) return 0;
  int64_t extent = extent_maximum(ring.life->tensor->axes[ring.dim].extent);
  return ring.lag < extent - ring.steps ? ring.steps + ring.lag : 0;
}

int64_t ring_steps(const Routine *routine, const Life *life, int dim) {
  if (life->store_count == 0 || life->store.depth == 0) return 0;
  Ring ring = {.routine = routine, .life = life, .scratch = arena_new(), .dim = dim};
  int64_t found = 0;
  bool in_segments = life->store.path[0]->segment > 0 && life->store.depth > 1;
  for (ring.depth = in_segments; ring.depth >= 0 && found == 0; ring.depth--)
    found = steps_of_loop(ring);
  arena_free(ring.scratch);
  return found;
}
