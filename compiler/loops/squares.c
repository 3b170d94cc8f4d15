/* Squares: a copy that turns rows into columns goes by squares of vectors.

     for k: for d: W.panels[k, d] = W[d, k]

   reads, or writes, one number of each row at a time: rows as far apart as a power of two share so few places of the
   cache that they drive each other out. In squares of as many rows as a vector has lanes, rows are loaded, turned in
   registers and stored. Where they do not divide the copy, the last ones overlap those before. */
#include "equations/affine.h"
#include "loops/build.h"

typedef struct Squares {
  Routine *routine;
  Arena *scratch;
  int64_t lanes;
} Squares;

/* Elements from one value of the index to the next; -1: that is no number, or not the same everywhere. */
static int64_t distance(Squares *s, const Tensor *tensor, const Expr *const *subscripts,
                        const Index *index) {
  const Buffer *buffer = map_get(&s->routine->buffers, tensor);
  int64_t total = 0;
  if (!buffer || buffer->ring_steps > 0 || buffer->lanes > 0 || buffer->place == PLACE_DRAW)
    return -1;
  for (int dim = 0; dim < tensor->rank; dim++) {
    Affine affine = affine_of(s->routine->model->exprs, s->scratch, subscripts[dim]);
    const Extent *coefficient = affine_coefficient(&affine, index);
    int64_t factor, stride;
    if (!affine_is_linear_in(s->scratch, &affine, index)) return -1;
    if (!coefficient) continue;
    if (!extent_is_constant(coefficient, &factor) ||
        !extent_is_constant(buffer->strides[dim], &stride))
      return -1;
    total += factor * stride;
  }
  return total;
}

static bool has_squares(const Squares *s, const LoopNode *loop) {
  int64_t count;
  return loop->kind == LOOP_FOR && loop->step == 1 && loop->lanes == 0 && loop->segment == 0 &&
         !(loop->marks & (MARK_DOWN | MARK_UNROLL)) && loop->begin->op == OP_INTEGER &&
         loop->begin->integer == 0 && loop->end->op == OP_INTEGER &&
         extent_is_constant(loop->index->range, &count) && loop->end->integer == count &&
         count >= s->lanes && (count % s->lanes == 0 || !(loop->marks & MARK_PARALLEL)) &&
         loop->grain % s->lanes == 0;
}

static bool is_copy(const LoopNode *node) {
  return node->kind == LOOP_STORE && node->combine == REDUCE_NONE && is_read(node->value) &&
         !read_default(node->value) && is_stored_as_real(node->target) &&
         is_stored_as_real(node->value->tensor);
}

/* Where the squares begin along the loop: the last one inside, too. */
static void take_steps(Squares *s, LoopNode *loop, LoopNode *copy) {
  Model *model = s->routine->model;
  const Expr *begin = expr_index(model->exprs, loop->index);
  loop->step = s->lanes;
  if (loop->end->integer % s->lanes == 0) return;
  begin = expr_binary(model->exprs, OP_MIN, begin,
                      expr_integer(model->exprs, loop->end->integer - s->lanes));
  const Expr **subscripts = NEW_ARRAY(model->arena, const Expr *, copy->target->rank);
  for (int dim = 0; dim < copy->target->rank; dim++)
    subscripts[dim] =
        expr_substitute(model->exprs, s->scratch, copy->subscripts[dim], &loop->index, &begin, 1);
  copy->subscripts = subscripts;
  copy->value = expr_substitute(model->exprs, s->scratch, copy->value, &loop->index, &begin, 1);
}

/* Of the two loops, one goes along rows of what is read, the other along rows of the target. */
static void take_squares(Squares *s, LoopNode *outer, LoopNode *inner, LoopNode *copy) {
  const Expr *read = copy->value;
  for (int turned = 0; turned < 2; turned++) {
    const Index *row = turned ? inner->index : outer->index;
    const Index *column = turned ? outer->index : inner->index;
    int64_t to = distance(s, copy->target, copy->subscripts, row);
    int64_t from = distance(s, read->tensor, read->args, column);
    if (to < s->lanes || from < s->lanes) continue;
    if (distance(s, copy->target, copy->subscripts, column) != 1) continue;
    if (distance(s, read->tensor, read->args, row) != 1) continue;
    take_steps(s, outer, copy);
    take_steps(s, inner, copy);
    copy->lanes = s->lanes;
    copy->marks |= MARK_SQUARE;
    copy->from_row = from;
    copy->to_row = to;
    return;
  }
}

/* Two loops around nothing but a copy. */
static bool take_pair(Squares *s, LoopNode *outer) {
  if (outer->body.count != 1 || !has_squares(s, outer)) return false;
  LoopNode *inner = outer->body.items[0];
  if (inner->body.count != 1 || !has_squares(s, inner)) return false;
  if (!is_copy(inner->body.items[0])) return false;
  take_squares(s, outer, inner, inner->body.items[0]);
  return true;
}

static void visit(Squares *s, const LoopBody *body) {
  for (int i = 0; i < body->count; i++)
    if (!take_pair(s, body->items[i])) visit(s, &body->items[i]->body);
}

void routine_square(Routine *routine) {
  Squares squares = {.routine = routine, .scratch = arena_new()};
  squares.lanes = routine->target->vector_bytes / routine->bytes_of_real;
  for (int i = 0; squares.lanes > 1 && i < routine->nests.count; i++)
    visit(&squares, &routine->nests.items[i]->body);
  arena_free(squares.scratch);
}
