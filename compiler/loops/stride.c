/* Strides: a loop that reads every other element, as those of windows over a row, goes by vectors.

     for q in 0..14: y[q] = max(z[2*q], z[2*q+1])    gives   for q in 0..14 step 8 of 8: the same

   Two vectors are loaded, of which every other lane is taken; C compilers may load each element by itself. The last
   vector ends where the loop does, and has some elements that the one before had. */
#include "loops/build.h"
#include "loops/distance.h"

enum { APART = 2, LEAST_LANES = 4 };

typedef struct Striding {
  Routine *routine;
  Arena *scratch;
  const LoopNode *loop;
  Map locals;    /* Tensor * that the loop declares -> itself */
  bool is_apart; /* something is read that lies apart */
} Striding;

static bool varies(const Striding *s, const Expr *e) {
  if (expr_uses_index(s->scratch, e, s->loop->index)) return true;
  ExprList nodes = expr_postorder(s->scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && map_has(&s->locals, nodes.items[i]->tensor)) return true;
  return false;
}

static bool is_arithmetic(Op op) {
  return op == OP_ADD || op == OP_SUB || op == OP_MUL || op == OP_DIV || op == OP_NEGATE ||
         op == OP_SQRT || op == OP_MAX || op == OP_MIN;
}

static bool reads_by_vectors(Striding *s, const Expr *read) {
  if (map_has(&s->locals, read->tensor)) return true;
  if (!is_stored_as_real(read->tensor) || read_default(read)) return false;
  int64_t distance =
      element_distance(s->routine, s->scratch, read->tensor, read->args, s->loop->index);
  s->is_apart |= distance == APART;
  return distance == 1 || distance == APART;
}

static bool is_of_vectors(Striding *s, const Expr *value) {
  ExprList nodes = expr_postorder(s->scratch, &value, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (node->type == TYPE_INT || !varies(s, node)) continue;
    bool fits = is_read(node) ? reads_by_vectors(s, node) : is_arithmetic(node->op);
    if (node->type != TYPE_REAL || !fits) return false;
  }
  return value->type == TYPE_REAL;
}

static bool declares_by_vectors(Striding *s, const LoopNode *node) {
  const Buffer *buffer = map_get(&s->routine->buffers, node->target);
  if (node->target->type != TYPE_REAL || !buffer || buffer->place != PLACE_REGISTER ||
      buffer_has_elements(buffer))
    return false;
  if (node->value && !is_of_vectors(s, node->value)) return false;
  map_put(&s->locals, node->target, (void *)node->target);
  return true;
}

static bool combines_by_vectors(const LoopNode *node) {
  return node->combine == REDUCE_NONE || node->combine == REDUCE_MAX ||
         node->combine == REDUCE_MIN || (node->combine == REDUCE_SUM && node->value->op != OP_MUL);
}

/* What is stored is read nowhere in the loop: some of it is stored twice. */
static bool is_read_in_loop(const Striding *s, const Tensor *target) {
  for (int i = 0; i < s->loop->body.count; i++) {
    const Expr *value = s->loop->body.items[i]->value;
    if (!value) continue;
    ExprList nodes = expr_postorder(s->scratch, &value, 1);
    for (int k = 0; k < nodes.count; k++)
      if (is_read(nodes.items[k]) &&
          memory_of(s->routine, nodes.items[k]->tensor) == memory_of(s->routine, target))
        return true;
  }
  return false;
}

static bool stores_by_vectors(Striding *s, const LoopNode *node) {
  if (!combines_by_vectors(node) || !is_of_vectors(s, node->value)) return false;
  if (map_has(&s->locals, node->target)) return true;
  return node->combine == REDUCE_NONE && is_stored_as_real(node->target) &&
         element_distance(s->routine, s->scratch, node->target, node->subscripts, s->loop->index) ==
             1 &&
         !is_read_in_loop(s, node->target);
}

static bool goes_by_vectors(Striding *s) {
  for (int i = 0; i < s->loop->body.count; i++) {
    const LoopNode *node = s->loop->body.items[i];
    bool fits = node->kind == LOOP_DECLARE ? declares_by_vectors(s, node)
                                           : node->kind == LOOP_STORE && stores_by_vectors(s, node);
    if (!fits || node->lanes > 0 || node->marks != 0) return false;
  }
  return s->is_apart;
}

/* As many as the loop has iterations, or fewer; more where part of a vector, of which at least half is needed, costs as
   much as all of it. */
static int64_t lanes_for(const Routine *routine, int64_t count) {
  int64_t lanes = routine->target->vector_bytes / routine->bytes_of_real;
  while (lanes > count && !(routine->target->masks && 2 * count > lanes)) lanes /= 2;
  bool is_vector = lanes >= LEAST_LANES && lanes * routine->bytes_of_real >= LEAST_VECTOR_BYTES;
  return is_vector ? lanes : 0;
}

static bool take_vectors(Routine *routine, LoopNode *loop) {
  int64_t count, lanes;
  if (!loop_is_plain(routine->model->exprs, loop, &count) ||
      (loop->marks & (MARK_PARALLEL | MARK_DRAWS)) || (lanes = lanes_for(routine, count)) == 0)
    return false;
  Striding s = {.routine = routine, .scratch = arena_new(), .loop = loop};
  map_init(&s.locals, s.scratch);
  bool found = goes_by_vectors(&s);
  for (int i = 0; found && i < s.locals.count; i++)
    ((Buffer *)map_get(&routine->buffers, s.locals.keys[i]))->lanes = lanes;
  if (found) loop->lanes = loop->step = lanes;
  arena_free(s.scratch);
  return found;
}

static void visit(Routine *routine, const LoopBody *body) {
  for (int i = 0; i < body->count; i++)
    if (!take_vectors(routine, body->items[i])) visit(routine, &body->items[i]->body);
}

void routine_stride(Routine *routine) {
  for (int i = 0; routine->target->vector_bytes > 0 && i < routine->nests.count; i++)
    visit(routine, &routine->nests.items[i]->body);
}
