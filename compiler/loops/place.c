/* Placement: where every tensor of a routine lives.

   A value whose uses all share the loops over its dims is a local variable; one whose uses share the outer
   loops shrinks to a row, and one whose uses are a few steps apart to a ring (rings.c). Where the loops are
   divided among threads, a row is a local array, or there is one for each iteration. New values of parameters
   and states are written over the old ones when no reader is left; else they are copied by a last nest, so that
   all commit together. The rest lies in the arena (offsets.c): a value has storage from the nest that first
   writes it to the last that uses it (never for a part of a nest, whose arrays are `restrict`). */
#include "loops/offsets.h"
#include "loops/panels.h"
#include "loops/rings.h"

typedef struct Placer {
  Routine *routine;
  Arena *scratch;
  Lives lives;
  BufferList in_arena; /* in order of first use */
  int nest;            /* the last one with local rows, */
  int64_t row_bytes;   /* which have so many bytes together */
} Placer;

/* ---- strides ---- */

static int64_t bytes_of(const Routine *routine, const Tensor *tensor) {
  switch (tensor->type) {
  case TYPE_BOOL: return 1;
  case TYPE_INT: return 4;
  case TYPE_F64: return 8;
  case TYPE_NUMBER:
  case TYPE_REAL: return routine->bytes_of_real;
  }
  return 8;
}

/* In memory of a kept tensor; false: that lies row by row. */
static bool set_strides_as_stored(const Routine *routine, Buffer *buffer, const Tensor *kept) {
  const Panels *panels = routine_panels(routine, kept);
  for (int dim = 0; panels && dim < kept->rank; dim++)
    buffer->strides[dim] =
        extent_constant(routine->model->extents, panels_stride(kept, panels, dim));
  return panels != NULL;
}

/* Strides over the dims kept, by actual extents or by their maxima; returns the number of elements at
   the maxima. */
static int64_t set_strides(const Routine *routine, Buffer *buffer, const bool *dropped,
                           bool actual) {
  ExtentTable *extents = routine->model->extents;
  const Tensor *tensor = buffer->tensor;
  const Extent *stride = extent_constant(extents, 1);
  int64_t elements = 1;
  for (int level = tensor->rank - 1; level >= 0; level--) {
    int dim = routine_dim_at(routine, tensor, level);
    const Extent *extent = tensor->axes[dim].extent;
    if (dropped && dropped[dim]) {
      buffer->strides[dim] = extent_constant(extents, 0);
      continue;
    }
    buffer->strides[dim] = stride;
    bool is_ring = buffer->ring_steps > 0 && buffer->ring_dim == dim;
    int64_t maximum = is_ring ? buffer->ring_steps : extent_maximum(extent);
    elements *= maximum;
    stride = extent_multiply(extents, stride, actual ? extent : extent_constant(extents, maximum));
  }
  return elements;
}

int routine_dim_at(const Routine *routine, const Tensor *tensor, int level) {
  const int *order = map_get(&routine->orders, tensor);
  return order ? order[level] : level;
}

const Tensor *memory_of(const Routine *routine, const Tensor *tensor) {
  const Buffer *buffer = routine_buffer(routine, tensor);
  return buffer->shares ? buffer->shares : tensor;
}

bool buffer_has_elements(const Buffer *buffer) {
  int64_t stride;
  for (int dim = 0; dim < buffer->tensor->rank; dim++)
    if (!extent_is_constant(buffer->strides[dim], &stride) || stride != 0) return true;
  return false;
}

static Buffer *buffer_new(Placer *placer, const Tensor *tensor, PlaceKind place) {
  Buffer *buffer = NEW(placer->routine->model->arena, Buffer);
  buffer->tensor = tensor;
  buffer->place = place;
  map_put(&placer->routine->buffers, tensor, buffer);
  return buffer;
}

/* ---- places that the role decides ---- */

static bool is_output(const Routine *routine, const Tensor *tensor) {
  if (routine->kind != ROUTINE_INFER || tensor->role != ROLE_VALUE) return false;
  const ResultList *outputs = &routine->program->outputs;
  for (int i = 0; i < outputs->count; i++) {
    if (outputs->items[i].value == tensor) return true;
  }
  return false;
}

static void place_draw(Placer *placer, const Tensor *tensor) {
  const Model *model = placer->routine->model;
  int64_t strides[LIMIT_RANK];
  draw_strides(model, tensor, strides);
  Buffer *buffer = buffer_new(placer, tensor, PLACE_DRAW);
  for (int dim = 0; dim < tensor->rank; dim++)
    buffer->strides[dim] = extent_constant(model->extents, strides[dim]);
}

static bool place_by_role(Placer *placer, const Tensor *tensor) {
  Routine *routine = placer->routine;
  const Op body = tensor->definition ? tensor->definition->body->op : OP_NUMBER;
  bool actual = false;
  PlaceKind place;
  switch (tensor->role) {
  case ROLE_INPUT:
  case ROLE_TARGET:
    place = PLACE_ARGUMENT;
    actual = true;
    break;
  case ROLE_CONST: place = PLACE_TABLE; break;
  case ROLE_VALUE:
  case ROLE_GRADIENT:
    if (body == OP_UNIFORM || body == OP_NORMAL) {
      place_draw(placer, tensor);
      return true;
    }
    if (!is_output(routine, tensor)) return false;
    place = PLACE_ARGUMENT;
    actual = true;
    break;
  default: place = PLACE_MODEL; break;
  }
  Buffer *buffer = buffer_new(placer, tensor, place);
  if (!set_strides_as_stored(routine, buffer, tensor)) set_strides(routine, buffer, NULL, actual);
  return true;
}

/* ---- updates ---- */

/* The access stores to the tensor. */
static bool is_store_to(const Access *access, const Tensor *tensor) {
  return access->node->kind == LOOP_STORE && access->node->target == tensor;
}

static bool in_same_body(const Access *a, const Access *b) {
  if (a->depth != b->depth) return false;
  for (int i = 0; i < a->depth; i++)
    if (a->path[i] != b->path[i]) return false;
  return true;
}

/* Right in the body that reads an element, after that or by the same statement, it gets its new value. */
static bool is_replaced_here(const Life *value, const Access *read, int rank) {
  for (int i = 0; i < value->accesses.count; i++) {
    const Access *store = &value->accesses.items[i];
    if (!is_store_to(store, value->tensor) || store->sequence < read->sequence) continue;
    bool is_same = in_same_body(store, read);
    for (int dim = 0; is_same && dim < rank; dim++)
      is_same = store->subscripts[dim] == read->subscripts[dim];
    if (is_same) return true;
  }
  return false;
}

/* Every store assigns, once for each element, when nothing may stop the step any more. */
static bool only_assigns(const Placer *placer, const Life *value, const Access **first) {
  *first = NULL;
  for (int i = 0; i < value->accesses.count; i++) {
    const Access *store = &value->accesses.items[i];
    if (!is_store_to(store, value->tensor)) continue;
    if (store->node->combine != REDUCE_NONE) return false;
    if (!*first) *first = store;
  }
  return *first && (*first)->nest >= placer->routine->nests_before_commit &&
         (*first)->nest >= placer->routine->nests_before_updates;
}

/* No element of the old value is read after it is written over; one that is only asked for does not count. */
static bool may_replace(const Placer *placer, const Life *value, const Life *old) {
  const Access *first;
  if (!only_assigns(placer, value, &first)) return false;
  for (int i = 0; old && i < old->accesses.count; i++) {
    const Access *read = &old->accesses.items[i];
    if (read->step < first->step || read->node->kind == LOOP_FETCH) continue;
    if (!is_replaced_here(value, read, value->tensor->rank)) return false;
  }
  return true;
}

enum { MOST_COPIES = 16 }; /* made by one nest */

/* Copies of values that could not be written in place, as the last nest; of a state over run-time dims
   only the part that the call has. */
static void copy_late(Placer *placer, Nest **nest, const Update *update) {
  Routine *routine = placer->routine;
  Model *model = routine->model;
  if (!*nest || (*nest)->body.count == MOST_COPIES) {
    *nest = NEW(model->arena, Nest);
    (*nest)->name = name_of(model->names, "commit");
    APPEND(model->arena, &routine->nests, *nest);
  }
  LoopBody *body = &(*nest)->body;
  const Expr *subscripts[LIMIT_RANK];
  for (int dim = 0; dim < update->target->rank; dim++) {
    const Axis *axis = &update->value->axes[dim];
    Name name = axis->letter ? axis->letter : name_of(model->names, "i");
    LoopNode *loop = loop_new(model, index_new(model, name, axis->extent));
    APPEND(model->arena, body, loop);
    subscripts[dim] = expr_index(model->exprs, loop->index);
    body = &loop->body;
  }
  const Expr *value = expr_read(model->exprs, update->value, subscripts, NULL);
  APPEND(model->arena, body, store_new(model, update->target, subscripts, REDUCE_NONE, value));
}

static int last_gradient_nest(const Placer *placer, const GradientList *gradients) {
  int last = -1;
  for (int i = 0; i < gradients->count; i++) {
    const Life *life = map_get(&placer->lives.by_tensor, gradients->items[i].result);
    if (life && life->store.nest > last) last = life->store.nest;
  }
  return last;
}

/* Whether the first new value of a parameter or slot is computed after the last gradient: a global norm
   asks for that. */
static void find_gradients_end(Placer *placer) {
  Routine *routine = placer->routine;
  if (routine->kind != ROUTINE_TRAIN || !routine->step) return;
  int last = last_gradient_nest(placer, &routine->step->gradients);
  for (int i = 0; i < routine->step->updates.count; i++) {
    const Life *life = map_get(&placer->lives.by_tensor, routine->step->updates.items[i].value);
    if (life && life->store.nest <= last) return;
  }
  routine->nests_before_updates = last + 1;
}

static void place_updates(Placer *placer) {
  Routine *routine = placer->routine;
  find_gradients_end(placer);
  Nest *late = NULL;
  for (int i = 0; i < routine->updates.count; i++) {
    const Update *update = &routine->updates.items[i];
    const Life *value = map_get(&placer->lives.by_tensor, update->value);
    const Life *old = map_get(&placer->lives.by_tensor, update->target);
    bool placed = map_has(&routine->buffers, update->value);
    if (!placed && value && update->value->type == update->target->type &&
        may_replace(placer, value, old)) {
      Buffer *buffer = buffer_new(placer, update->value, PLACE_MODEL);
      buffer->shares = update->target;
      if (!set_strides_as_stored(routine, buffer, update->target))
        set_strides(routine, buffer, NULL, false);
    } else {
      copy_late(placer, &late, update);
    }
  }
  if (late) placer->lives = lives_of(routine, placer->scratch);
}

/* ---- local variables and rows ---- */

static bool is_subscript(const Life *life, int dim, const LoopNode *loop) {
  const Expr *subscript = life->subscripts[dim];
  return subscript && subscript->op == OP_INDEX && loop->kind == LOOP_FOR && loop->step == 1 &&
         loop->index == subscript->index;
}

static bool has_plain_subscript(const Life *life, const LoopNode *loop) {
  for (int dim = 0; dim < life->tensor->rank; dim++) {
    if (is_subscript(life, dim, loop)) return true;
  }
  return false;
}

/* How many nodes of the common path end an element's life with each iteration: when a dim is accessed at
   different places, an element may be needed in a later iteration of a loop that is no subscript, as the
   time of a recurrence is. */
static int private_depth(const Life *life) {
  bool differs = false;
  for (int dim = 0; dim < life->tensor->rank; dim++) differs |= life->subscripts[dim] == NULL;
  int depth = 0;
  while (depth < life->depth && (!differs || life->path[depth]->kind == LOOP_IF ||
                                 has_plain_subscript(life, life->path[depth]))) {
    depth++;
  }
  return depth;
}

static bool shrinks(const Life *life, int dim) {
  for (int i = 0; i < private_depth(life); i++) {
    if (is_subscript(life, dim, life->path[i])) return true;
  }
  return false;
}

static LoopBody *common_body(Placer *placer, const Life *life) {
  if (life->depth > 0) return &life->path[life->depth - 1]->body;
  return &placer->routine->nests.items[life->first.nest]->body;
}

/* The declaration stands where the variable is first set: in place of its store, or before the loop or
   branch that sets it. */
static void declare_local(Placer *placer, const Life *life) {
  Model *model = placer->routine->model;
  LoopBody *body = common_body(placer, life);
  LoopNode *first =
      life->first.depth > life->depth ? life->first.path[life->depth] : life->first.node;
  bool sets = first->kind == LOOP_STORE && first->target == life->tensor;
  if (sets && first->combine == REDUCE_NONE &&
      !buffer_has_elements(routine_buffer(placer->routine, life->tensor))) {
    first->kind = LOOP_DECLARE;
    return;
  }
  LoopNode *declare = declare_new(model, life->tensor, NULL);
  declare->equation = first->equation;
  first->equation = NULL;
  body_insert_before(model->arena, body, first, declare);
}

/* Dims without room, and the one along which only the last steps are stored: one step needs no room. */
static bool shrink_dims(Placer *placer, Buffer *buffer, const Life *life, bool *dropped) {
  bool all = life->first.nest == life->last.nest;
  for (int dim = 0; dim < life->tensor->rank; dim++) {
    dropped[dim] = life->first.nest == life->last.nest && shrinks(life, dim);
    int64_t steps =
        dropped[dim] || buffer->ring_steps > 0 ? 0 : ring_steps(placer->routine, life, dim);
    dropped[dim] |= steps == 1;
    if (steps > 1) {
      buffer->ring_dim = dim;
      buffer->ring_steps = steps;
    }
    all &= dropped[dim];
  }
  return all;
}

enum { ALIGNMENT = 64 }; /* of what lies in the arena */

/* ---- rows ---- */

/* The loop on the common path that is divided among threads and runs over this dim; null: none does. */
static const LoopNode *divided_loop(const Life *life, int dim) {
  for (int i = 0; i < life->depth; i++) {
    const LoopNode *loop = life->path[i];
    if ((loop->marks & MARK_PARALLEL) && is_subscript(life, dim, loop)) return loop;
  }
  return NULL;
}

/* Whether there is room for a row among the local variables of the nest. */
static bool takes_stack(Placer *placer, int nest, int64_t bytes) {
  if (nest != placer->nest) placer->row_bytes = 0;
  placer->nest = nest;
  if (placer->row_bytes + bytes > placer->routine->target->threads.row_bytes) return false;
  placer->row_bytes += bytes;
  return true;
}

/* Threads have rows of their own: short ones as local variables, where nothing is kept from one iteration of a
   loop around them to the next, or else with room for all iterations. False: it is no such row. */
static bool separate_rows(Placer *placer, Buffer *buffer, const Life *life, bool *dropped) {
  bool separates = false;
  for (int dim = 0; dim < life->tensor->rank; dim++)
    separates |= dropped[dim] && divided_loop(life, dim);
  if (!separates) return false;
  int64_t elements = set_strides(placer->routine, buffer, dropped, false);
  int64_t bytes = elements * bytes_of(placer->routine, life->tensor);
  bool is_private = private_depth(life) == life->depth && buffer->ring_steps == 0;
  if (is_private && takes_stack(placer, life->first.nest, bytes)) return true;
  for (int dim = 0; dim < life->tensor->rank; dim++)
    if (divided_loop(life, dim)) dropped[dim] = false;
  return false;
}

static void place_value(Placer *placer, const Life *life) {
  const Tensor *tensor = life->tensor;
  bool root = map_has(&placer->routine->roots, tensor);
  bool one_nest = life->first.nest == life->last.nest;
  if (tensor->rank == 0 && (root || !one_nest)) {
    buffer_new(placer, tensor, PLACE_SCALAR);
    return;
  }
  bool dropped[LIMIT_RANK] = {false};
  Buffer *buffer = buffer_new(placer, tensor, PLACE_ARENA);
  bool all = !root && shrink_dims(placer, buffer, life, dropped);
  if (all || (!root && separate_rows(placer, buffer, life, dropped)))
    buffer->place = PLACE_REGISTER;
  int64_t elements = set_strides(placer->routine, buffer, dropped, false);
  buffer->first = life->first.nest;
  buffer->last = life->last.nest;
  if (buffer->place == PLACE_REGISTER) {
    declare_local(placer, life);
    return;
  }
  int64_t bytes = elements * bytes_of(placer->routine, tensor);
  buffer->bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  APPEND(placer->scratch, &placer->in_arena, buffer);
}

/* ---- the pass ---- */

static void place_values(Placer *placer) {
  for (int i = 0; i < placer->lives.by_tensor.count; i++) {
    const Life *life = placer->lives.by_tensor.values[i];
    if (!map_has(&placer->routine->buffers, life->tensor)) place_value(placer, life);
  }
}

void routine_place(Routine *routine) {
  Placer placer = {.routine = routine, .scratch = arena_new()};
  placer.lives = lives_of(routine, placer.scratch);
  for (int i = 0; i < placer.lives.by_tensor.count; i++) {
    const Life *life = placer.lives.by_tensor.values[i];
    if (!map_has(&routine->buffers, life->tensor)) place_by_role(&placer, life->tensor);
  }
  place_updates(&placer);
  place_values(&placer);
  offsets_assign(routine, &placer.in_arena);
  routine_enter_panels(routine);
  arena_free(placer.scratch);
}
