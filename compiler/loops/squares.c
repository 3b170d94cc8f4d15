/* Squares: a copy that turns rows into columns goes by squares of vectors.

     for k: for d: W.panels[k, d] = W[d, k]

   reads, or writes, one number of each row at a time: rows as far apart as a power of two share so few places of the
   cache that they drive each other out. In squares of as many rows as a vector has lanes, rows are loaded, turned in
   registers and stored. Where they do not divide the copy, the last ones overlap those before. Loops that go on in
   both where the next one ends, as those over the channels and the window of a filter, are taken for one. */
#include "loops/build.h"
#include "loops/distance.h"

#include <string.h>

typedef struct Squares {
  Routine *routine;
  Arena *scratch;
  int64_t lanes;
} Squares;

static int64_t distance(const Squares *s, const Tensor *tensor, const Expr *const *subscripts,
                        const Index *index) {
  return element_distance(s->routine, s->scratch, tensor, subscripts, index);
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

/* One index goes along rows of the target, the other along rows of what is read. */
static bool turns(Squares *s, const LoopNode *copy, const Index *row, const Index *column) {
  const Expr *read = copy->value;
  return distance(s, copy->target, copy->subscripts, row) >= s->lanes &&
         distance(s, read->tensor, read->args, column) >= s->lanes &&
         distance(s, copy->target, copy->subscripts, column) == 1 &&
         distance(s, read->tensor, read->args, row) == 1;
}

static void take_squares(Squares *s, LoopNode *outer, LoopNode *inner, bool is_turned,
                         LoopNode *copy) {
  const Index *row = is_turned ? inner->index : outer->index;
  const Index *column = is_turned ? outer->index : inner->index;
  copy->from_row = distance(s, copy->value->tensor, copy->value->args, column);
  copy->to_row = distance(s, copy->target, copy->subscripts, row);
  copy->lanes = s->lanes;
  copy->marks |= MARK_SQUARE;
  take_steps(s, outer, copy);
  take_steps(s, inner, copy);
}

/* ---- loops that are taken for one ---- */

/* Each but the last has the next alone in its body. */
typedef struct Run {
  LoopNode *first, *last;
  int64_t count; /* of iterations in all */
} Run;

/* In what is read and in the target, the loop goes on where the run inside it ends. */
static bool goes_on(Squares *s, const LoopNode *loop, const Run *run, const LoopNode *copy) {
  const Expr *read = copy->value;
  int64_t ignored;
  if (!loop_is_plain(s->routine->model->exprs, loop, &ignored) ||
      ((loop->marks | run->first->marks) & MARK_PARALLEL))
    return false;
  int64_t to = distance(s, copy->target, copy->subscripts, run->last->index);
  int64_t from = distance(s, read->tensor, read->args, run->last->index);
  return to > 0 && from > 0 &&
         distance(s, copy->target, copy->subscripts, loop->index) == run->count * to &&
         distance(s, read->tensor, read->args, loop->index) == run->count * from;
}

/* The run that ends with the loop of this number, and begins with that of the number returned. */
static int find_run(Squares *s, LoopNode *const *loops, int number, const LoopNode *copy,
                    Run *run) {
  *run = (Run){.first = loops[number], .last = loops[number]};
  int64_t count;
  if (!loop_is_plain(s->routine->model->exprs, loops[number], &count)) return number;
  run->count = count;
  while (number > 0 && goes_on(s, loops[number - 1], run, copy)) {
    run->first = loops[--number];
    run->count *= run->first->end->integer;
  }
  return number;
}

/* The first loop of the run is all of it, and the copy is over its index. */
static void merge(Squares *s, const Run *run, LoopNode *copy) {
  Model *model = s->routine->model;
  if (run->first == run->last) return;
  LoopNode *next = run->first;
  const Index *index =
      index_new(model, run->last->index->name, extent_constant(model->extents, run->count));
  const Expr **subscripts = NEW_ARRAY(model->arena, const Expr *, copy->target->rank);
  memcpy(subscripts, copy->subscripts, sizeof *subscripts * (size_t)copy->target->rank);
  for (const LoopNode *last = NULL; last != run->last; next = next->body.items[0]) {
    last = next;
    const Expr *value =
        last == run->last ? expr_index(model->exprs, index) : expr_integer(model->exprs, 0);
    for (int dim = 0; dim < copy->target->rank; dim++)
      subscripts[dim] =
          expr_substitute(model->exprs, s->scratch, subscripts[dim], &last->index, &value, 1);
    copy->value = expr_substitute(model->exprs, s->scratch, copy->value, &last->index, &value, 1);
  }
  copy->subscripts = subscripts;
  run->first->index = index;
  run->first->end = expr_integer(model->exprs, run->count);
  run->first->body = run->last->body;
}

/* ---- which loops ---- */

static bool has_squares(const Squares *s, const Run *run) {
  bool is_dealt = run->first->marks & MARK_PARALLEL;
  return run->count >= s->lanes && (run->count % s->lanes == 0 || !is_dealt) &&
         run->first->grain % s->lanes == 0;
}

/* Loops around nothing but a copy, each alone in the one before; returns how many, 0: there are other things. */
static int loops_around_copy(LoopNode *outer, LoopNode **loops, LoopNode **copy) {
  int count = 0;
  for (*copy = outer; (*copy)->kind == LOOP_FOR; *copy = (*copy)->body.items[0]) {
    if ((*copy)->body.count != 1 || count == MAX_LOOPS) return 0;
    loops[count++] = *copy;
  }
  return is_copy(*copy) ? count : 0;
}

static bool take_loops(Squares *s, LoopNode *outer) {
  LoopNode *loops[MAX_LOOPS], *copy;
  Run inside, around;
  int count = loops_around_copy(outer, loops, &copy);
  if (count < 2) return false;
  int first = find_run(s, loops, count - 1, copy, &inside);
  if (first == 0 || find_run(s, loops, first - 1, copy, &around) > 0) return false;
  if (!has_squares(s, &around) || !has_squares(s, &inside)) return false;
  const Index *one = around.last->index, *other = inside.last->index;
  bool is_turned = !turns(s, copy, one, other);
  if (is_turned && !turns(s, copy, other, one)) return false;
  merge(s, &around, copy);
  merge(s, &inside, copy);
  take_squares(s, around.first, inside.first, is_turned, copy);
  return true;
}

static void visit(Squares *s, const LoopBody *body) {
  for (int i = 0; i < body->count; i++)
    if (!take_loops(s, body->items[i])) visit(s, &body->items[i]->body);
}

void routine_square(Routine *routine) {
  Squares squares = {.routine = routine, .scratch = arena_new()};
  squares.lanes = routine->target->vector_bytes / routine->bytes_of_real;
  for (int i = 0; squares.lanes > 1 && i < routine->nests.count; i++)
    visit(&squares, &routine->nests.items[i]->body);
  arena_free(squares.scratch);
}
