/* Shares: what an iteration of a loop has to itself, from the subscripts in it. */
#include "loops/threads.h"

#include "equations/affine.h"

/* ---- touches ---- */

static void add_reads(Arena *scratch, const Expr *e, TouchList *touches) {
  if (!e) return;
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *read = nodes.items[i];
    if (is_read(read)) APPEND(scratch, touches, ((Touch){read->tensor, read->args, false}));
  }
}

void touches_of(Arena *scratch, const LoopNode *node, bool below, TouchList *touches) {
  add_reads(scratch, node->begin, touches);
  add_reads(scratch, node->end, touches);
  add_reads(scratch, node->condition, touches);
  /* What is only asked for may be anyone's. */
  if (node->kind != LOOP_FETCH) add_reads(scratch, node->value, touches);
  if (node->kind == LOOP_STORE) {
    for (int dim = 0; dim < node->target->rank; dim++)
      add_reads(scratch, node->subscripts[dim], touches);
    APPEND(scratch, touches, ((Touch){node->target, node->subscripts, true}));
  }
  for (int i = 0; below && i < node->body.count; i++)
    touches_of(scratch, node->body.items[i], true, touches);
}

/* ---- marks ---- */

bool body_has_marks(const LoopBody *body, unsigned marks) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    if ((node->marks & marks) || body_has_marks(&node->body, marks)) return true;
  }
  return false;
}

void clear_marks(LoopBody *body, unsigned marks) {
  for (int i = 0; i < body->count; i++) {
    body->items[i]->marks &= ~marks;
    if (marks & MARK_PARALLEL) body->items[i]->grain = 0;
    clear_marks(&body->items[i]->body, marks);
  }
}

/* ---- shares ---- */

static void look_inside(Inside *inside, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    if (node->kind == LOOP_DECLARE) map_put(&inside->declared, node->target, node);
    if (node->kind == LOOP_FOR) map_put(&inside->indices, node->index, node);
    look_inside(inside, &node->body);
  }
}

Inside inside_of(const Routine *routine, Arena *scratch, const LoopNode *loop) {
  Inside inside = {.routine = routine, .scratch = scratch, .loop = loop};
  map_init(&inside.declared, scratch);
  map_init(&inside.indices, scratch);
  look_inside(&inside, &loop->body);
  return inside;
}

bool is_uniform(const Expr *e) {
  return e->op == OP_INTEGER || e->op == OP_EXTENT;
}

/* It is the index, or less at the end of the range: where the last tile begins. */
static bool is_first_row(const LoopNode *declare, const Index *index) {
  const Expr *value = declare->kind == LOOP_DECLARE ? declare->value : NULL;
  return value && value->op == OP_MIN && lone_index(value->args[0]) == index;
}

LoopNode *loop_first_row(const LoopNode *loop) {
  for (int i = 0; i < loop->body.count; i++)
    if (is_first_row(loop->body.items[i], loop->index)) return loop->body.items[i];
  return NULL;
}

void loop_set_grain(LoopNode *loop, int64_t grain) {
  LoopNode *first = loop_first_row(loop);
  loop->grain = grain;
  if (!first) return;
  first->grain = grain;
  first->end = loop->end;
}

/* The declaration of the local variable, when it is that; else null. */
static const LoopNode *first_row_of(const Inside *inside, const Expr *atom) {
  const LoopNode *declare = is_read(atom) ? map_get(&inside->declared, atom->tensor) : NULL;
  return declare && is_first_row(declare, inside->loop->index) ? declare : NULL;
}

/* What a subscript adds to the index. */
typedef struct Rest {
  int64_t spread;
  bool is_less; /* it is the index or less, */
  bool is_new;  /* and rows from the index on */
} Rest;

/* An element that a place has room for; before there are places every one has. */
static bool has_room(const Inside *inside, const Tensor *tensor, int dim) {
  const Buffer *buffer = map_get(&inside->routine->buffers, tensor);
  int64_t stride;
  if (!buffer) return true;
  bool is_ring = buffer->ring_steps > 0 && buffer->ring_dim == dim;
  return !is_ring && !(extent_is_constant(buffer->strides[dim], &stride) && stride == 0);
}

/* An index of rows that no tile before had: those from where the last tile begins on. */
static bool is_of_new_rows(const Inside *inside, const Index *index) {
  const LoopNode *loop = map_get(&inside->indices, index);
  const Expr *begin = loop->begin;
  return begin->op == OP_SUB && lone_index(begin->args[0]) == inside->loop->index &&
         first_row_of(inside, begin->args[1]);
}

/* Adds a term to what is known of the subscript; false: nobody has such elements to himself. */
static bool add_term(const Inside *inside, const AffineTerm *term, Share *share, Rest *rest) {
  int64_t factor;
  if (!extent_is_constant(term->coefficient, &factor) || factor <= 0) return false;
  const Index *index = lone_index(term->atom);
  const LoopNode *first = first_row_of(inside, term->atom);
  if (index == inside->loop->index || first) {
    rest->is_less = first && first->grain == 0; /* else it is among the rows of the thread */
    if (share->factor > 0 || (rest->is_less && factor != 1)) return false;
    share->factor = factor;
    return true;
  }
  if (!index || !map_has(&inside->indices, index)) return false;
  rest->spread += factor * (extent_maximum(index->range) - 1);
  rest->is_new |= factor == 1 && is_of_new_rows(inside, index);
  return true;
}

Share share_of(const Inside *inside, const Touch *touch, int dim) {
  const Share none = {0};
  Share share = {0};
  ExprTable *exprs = inside->routine->model->exprs;
  const Expr *subscript = touch->subscripts[dim];
  Rest rest = {0};
  int64_t zero;
  if (!has_room(inside, touch->tensor, dim)) return none;
  Affine affine = affine_of(exprs, inside->scratch, subscript);
  for (int i = 0; i < affine.count; i++)
    if (!add_term(inside, &affine.terms[i], &share, &rest)) return none;
  if (share.factor == 0 || rest.spread >= share.factor * inside->loop->step) return none;
  share.offset = affine.constant;
  if (!rest.is_less) return share;
  if (!extent_is_constant(share.offset, &zero) || zero != 0) return none;
  if (rest.is_new) return share;
  if (!touch->writes) return none;
  share.guard = expr_binary(exprs, OP_LE, expr_index(exprs, inside->loop->index), subscript);
  return share;
}

/* ---- independence ---- */

typedef struct Common { /* of all that a loop does to a tensor */
  Share shares[LIMIT_RANK];
  bool is_written;
} Common;

static Common *common_of(Map *tensors, Arena *scratch, const Inside *inside, const Touch *touch) {
  const Buffer *buffer = map_get(&inside->routine->buffers, touch->tensor);
  const Tensor *memory = buffer && buffer->shares ? buffer->shares : touch->tensor;
  Common *common = map_get(tensors, memory);
  if (common) return common;
  common = NEW(scratch, Common);
  for (int dim = 0; dim < touch->tensor->rank; dim++)
    common->shares[dim] = share_of(inside, touch, dim);
  map_put(tensors, memory, common);
  return common;
}

static void note_touch(Map *tensors, Arena *scratch, const Inside *inside, const Touch *touch) {
  Common *common = common_of(tensors, scratch, inside, touch);
  common->is_written |= touch->writes;
  for (int dim = 0; dim < touch->tensor->rank; dim++) {
    Share share = share_of(inside, touch, dim);
    bool is_same =
        share.factor == common->shares[dim].factor && share.offset == common->shares[dim].offset;
    if (!is_same) common->shares[dim].factor = 0;
  }
}

static void note_touches(Map *tensors, Arena *scratch, const Inside *inside,
                         const TouchList *touches) {
  for (int i = 0; i < touches->count; i++) {
    if (!map_has(&inside->declared, touches->items[i].tensor))
      note_touch(tensors, scratch, inside, &touches->items[i]);
  }
}

static bool writes_own_elements(const Map *tensors) {
  for (int i = 0; i < tensors->count; i++) {
    const Common *common = tensors->values[i];
    bool has_share = false;
    for (int dim = 0; dim < LIMIT_RANK; dim++) has_share |= common->shares[dim].factor > 0;
    if (common->is_written && !has_share) return false;
  }
  return true;
}

/* Local variables that are declared around the loop are of one thread each. */
static bool writes_outer_locals(const Inside *inside, const TouchList *touches) {
  for (int i = 0; i < touches->count; i++) {
    const Touch *touch = &touches->items[i];
    const Buffer *buffer = map_get(&inside->routine->buffers, touch->tensor);
    bool is_local = buffer && buffer->place == PLACE_REGISTER;
    if (is_local && touch->writes && !map_has(&inside->declared, touch->tensor)) return true;
  }
  return false;
}

static bool may_be_divided(const LoopNode *loop) {
  const unsigned others = MARK_VECTOR | MARK_UNROLL | MARK_STRIP | MARK_TILE | MARK_WINDOW;
  return loop->kind == LOOP_FOR && !(loop->marks & others) && loop->lanes == 0 &&
         loop->segment == 0;
}

bool loops_go_apart(const Routine *routine, LoopNode *const *loops, int count) {
  Arena *scratch = arena_new();
  Map tensors;
  map_init(&tensors, scratch);
  bool found = true;
  for (int i = 0; i < count && found; i++) {
    Inside inside = inside_of(routine, scratch, loops[i]);
    TouchList touches = {0};
    for (int k = 0; k < loops[i]->body.count; k++)
      touches_of(scratch, loops[i]->body.items[k], true, &touches);
    note_touches(&tensors, scratch, &inside, &touches);
    found = may_be_divided(loops[i]) && !writes_outer_locals(&inside, &touches);
  }
  found = found && writes_own_elements(&tensors);
  arena_free(scratch);
  return found;
}

bool loop_is_independent(const Routine *routine, const LoopNode *loop) {
  LoopNode *only = (LoopNode *)loop;
  return loops_go_apart(routine, &only, 1);
}
