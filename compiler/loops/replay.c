/* Replay: the equations that keep what enters each segment, those that compute its values again, and those of
   the backward part, which read these. */
#include "loops/again.h"
#include "loops/segment.h"

#include "calculus/condition.h"

static ExprTable *exprs_of(const Scan *scan) {
  return scan->routine->model->exprs;
}

static const Expr *whole(const Scan *scan, int64_t value) {
  return expr_integer(exprs_of(scan), value);
}

static const Expr *binary(const Scan *scan, Op op, const Expr *a, const Expr *b) {
  return expr_binary(exprs_of(scan), op, a, b);
}

/* ---- reads of values that are computed again ---- */

/* The equation being rewritten: the step it computes. */
typedef struct Rewrite {
  const Scan *scan;
  const Expr *step;
} Rewrite;

/* How far into its segment a step is, in the direction of the scan. */
static const Expr *steps_into_segment(const Scan *scan, const Expr *step) {
  const Expr *into = binary(scan, OP_MOD, step, whole(scan, scan->segment));
  if (scan->forth.direction > 0) return into;
  return binary(scan, OP_SUB, whole(scan, scan->segment - 1), into);
}

/* Every subscript but that of time is within the tensor. */
static bool is_inside_but_for_time(const Scan *scan, const Expr *read, int dim) {
  for (int i = 0; i < read->tensor->rank; i++)
    if (i != dim && condition_in_range(exprs_of(scan), scan->scratch, read->args[i],
                                       read->tensor->axes[i].extent))
      return false;
  return true;
}

/* `lag` steps behind a step that is `into` its segment, from what entered the segment. */
static const Expr *read_entering(const Scan *scan, const Timed *timed, const Expr *read,
                                 const Expr *step, int64_t lag) {
  const Expr *subscripts[LIMIT_RANK];
  int count = 0;
  subscripts[count++] = binary(scan, OP_IDIV, step, whole(scan, scan->segment));
  if (timed->lag > 1)
    subscripts[count++] =
        binary(scan, OP_SUB, whole(scan, lag - 1), steps_into_segment(scan, step));
  for (int i = 0; i < read->tensor->rank; i++)
    if (i != timed->dim) subscripts[count++] = read->args[i];
  const Expr *otherwise = read_default(read);
  bool inside = is_inside_but_for_time(scan, read, timed->dim);
  const Expr *value =
      expr_read(exprs_of(scan), timed->entering, subscripts, inside ? NULL : otherwise);
  const Expr *there =
      condition_in_range(exprs_of(scan), scan->scratch, read->args[timed->dim], scan->time);
  return otherwise && there ? expr_select(exprs_of(scan), there, value, otherwise) : value;
}

static const Expr *replace_read(void *context, const Expr *leaf) {
  const Rewrite *rewrite = context;
  const Scan *scan = rewrite->scan;
  const Timed *timed = is_read(leaf) ? map_get(&scan->forward, leaf->tensor) : NULL;
  int64_t shift;
  if (!timed || !timed->again) return leaf;
  if (!scan_shift(scan, leaf->args[timed->dim], rewrite->step, &shift)) return leaf;
  int64_t lag = -shift * scan->forth.direction;
  const Expr *here = expr_read(exprs_of(scan), timed->again, leaf->args, read_default(leaf));
  if (lag <= 0) return here;
  const Expr *into = steps_into_segment(scan, rewrite->step);
  const Expr *entered = read_entering(scan, timed, leaf, rewrite->step, lag);
  return expr_select(exprs_of(scan), binary(scan, OP_LT, into, whole(scan, lag)), entered, here);
}

static void rewrite_equation(const Scan *scan, Equation *equation, const Expr *step) {
  Rewrite rewrite = {scan, step};
  equation->body =
      expr_rewrite(exprs_of(scan), scan->scratch, equation->body, replace_read, &rewrite);
  if (equation->guard)
    equation->guard =
        expr_rewrite(exprs_of(scan), scan->scratch, equation->guard, replace_read, &rewrite);
}

/* ---- new tensors and equations ---- */

/* `*time`: the variable that counts its steps. */
static Equation *timed_again(const Scan *scan, const Timed *timed, const Index **time) {
  Renaming renaming;
  Equation *again =
      equation_again(scan->routine, scan->scratch, timed->equation, timed->again, &renaming);
  for (int i = 0; i < renaming.count; i++)
    if (renaming.from[i] == timed->time) *time = renaming.to[i];
  return again;
}

/* x.kept[s, j, ..] = x[.., s*K - 1 - j, ..]: what enters segment s, the nearest step first; j only when there
   are several. Running down, x[.., s*K + K + j, ..]. */
static Equation *equation_entering(const Scan *scan, Timed *timed, const Segments *segments) {
  Model *model = scan->routine->model;
  const Tensor *tensor = timed->equation->target;
  Equation *kept = arena_copy(model->arena, timed->equation, sizeof *timed->equation);
  const Index **vars = NEW_ARRAY(model->arena, const Index *, LIMIT_RANK);
  const Expr *subscripts[LIMIT_RANK];
  Axis axes[LIMIT_RANK];
  int rank = 0;
  vars[rank] = index_new(model, name_of(model->names, "segment"), segments->number->range);
  axes[rank++].extent = segments->number->range;
  const Expr *near =
      binary(scan, OP_MUL, expr_index(exprs_of(scan), vars[0]), whole(scan, segments->steps));
  int64_t first = scan->forth.direction > 0 ? -1 : segments->steps;
  const Expr *step = binary(scan, OP_ADD, near, whole(scan, first));
  if (timed->lag > 1) {
    axes[rank].extent = extent_constant(model->extents, timed->lag);
    vars[rank] = index_new(model, name_of(model->names, "j"), axes[rank].extent);
    Op away = scan->forth.direction > 0 ? OP_SUB : OP_ADD;
    step = binary(scan, away, step, expr_index(exprs_of(scan), vars[rank++]));
  }
  for (int dim = 0; dim < tensor->rank; dim++) {
    subscripts[dim] = step;
    if (dim == timed->dim) continue;
    axes[rank] = tensor->axes[dim];
    vars[rank] = index_new(model, name_format(model->names, "i%d", dim), axes[rank].extent);
    subscripts[dim] = expr_index(exprs_of(scan), vars[rank++]);
  }
  timed->entering = tensor_like(model, tensor, "kept");
  timed->entering->rank = rank;
  for (int dim = 0; dim < rank; dim++) timed->entering->axes[dim] = axes[dim];
  Reduction none = tensor->type == TYPE_BOOL ? REDUCE_ANY : REDUCE_SUM;
  kept->target = timed->entering;
  kept->vars = vars;
  kept->var_count = rank;
  for (int i = 0; i < rank; i++) kept->place[i] = i;
  kept->reduction = REDUCE_NONE;
  kept->reduced_count = 0;
  kept->guard = NULL;
  kept->body =
      expr_read(exprs_of(scan), tensor, subscripts, reduction_identity(model, none, tensor->type));
  timed->entering->definition = kept;
  map_put(&scan->routine->made, timed->entering, timed->entering);
  return kept;
}

/* ---- the new order ---- */

static Segments *segments_new(const Scan *scan, int direction) {
  Model *model = scan->routine->model;
  ExtentTable *extents = model->extents;
  Segments *segments = NEW(model->arena, Segments);
  const Extent *steps = extent_constant(extents, scan->segment);
  const Extent *last = extent_constant(extents, scan->segment - 1);
  const Extent *count = extent_floor_divide(extents, extent_add(extents, scan->time, last), steps);
  *segments = (Segments){scan->segment, scan->time, direction,
                         index_new(model, name_of(model->names, "segment"), count)};
  return segments;
}

static SegmentedEquation *add_segmented(const Scan *scan, EquationList *list,
                                        const Segments *segments, Equation *equation,
                                        const Index *time, const Index *number) {
  Arena *arena = scan->routine->model->arena;
  SegmentedEquation *segmented = NEW(arena, SegmentedEquation);
  *segmented = (SegmentedEquation){segments, time, number, false};
  map_put(&scan->routine->segments, equation->target, segmented);
  APPEND(arena, list, equation);
  return segmented;
}

/* What enters each segment, and the scan itself. */
static void add_forward(Scan *scan, EquationList *list) {
  const Segments *segments = segments_new(scan, scan->forth.direction);
  for (int i = 0; i < scan->forward.count; i++) {
    Timed *timed = scan->forward.values[i];
    if (!timed || !timed->is_needed || timed->lag == 0) continue;
    Equation *kept = equation_entering(scan, timed, segments);
    add_segmented(scan, list, segments, kept, NULL, kept->vars[0]);
    if (scan->forth.first < scan->routine->forward_count) scan->routine->forward_count++;
  }
  for (int i = 0; i < scan->forth.end; i++) {
    const Timed *timed = map_get(&scan->forward, scan->routine->equations.items[i]->target);
    if (timed) add_segmented(scan, list, segments, timed->equation, timed->time, segments->number);
  }
}

/* Values computed again step as those they stand for. */
static void note_recurrent(const Scan *scan, const Timed *timed, const Index *time) {
  Routine *routine = scan->routine;
  const RecurrentEquation *recurrent = map_get(&routine->recurrences, timed->equation->target);
  if (!recurrent) return;
  RecurrentEquation *again = arena_copy(routine->model->arena, recurrent, sizeof *recurrent);
  again->group = -recurrent->group;
  again->time = time;
  map_put(&routine->recurrences, timed->again, again);
}

static void add_again(Scan *scan, EquationList *list, const Segments *segments) {
  for (int i = 0; i < scan->forward.count; i++) {
    Timed *timed = scan->forward.values[i];
    if (timed && timed->is_needed)
      timed->again = tensor_like(scan->routine->model, timed->equation->target, "again");
  }
  for (int i = 0; i < scan->forth.end; i++) {
    const Timed *timed = map_get(&scan->forward, scan->routine->equations.items[i]->target);
    if (!timed || !timed->is_needed) continue;
    const Index *time = NULL;
    Equation *again = timed_again(scan, timed, &time);
    rewrite_equation(scan, again, expr_index(exprs_of(scan), time));
    note_recurrent(scan, timed, time);
    add_segmented(scan, list, segments, again, time, segments->number);
  }
}

static void add_backward(Scan *scan, EquationList *list) {
  const Segments *segments = segments_new(scan, scan->back.direction);
  add_again(scan, list, segments);
  for (int i = 0; i < scan->routine->equations.count; i++) {
    const Timed *timed = map_get(&scan->backward, scan->routine->equations.items[i]->target);
    if (!timed) continue;
    Equation *copy = arena_copy(scan->routine->model->arena, timed->equation, sizeof *copy);
    map_put(&scan->routine->sources, copy, equation_source(scan->routine, timed->equation));
    rewrite_equation(scan, copy, timed->step);
    add_segmented(scan, list, segments, copy, timed->time, segments->number)->is_mirrored =
        timed->step->op != OP_INDEX;
  }
}

/* A value that enters has one dim more when the scan looks back several steps. */
static bool has_room(const Scan *scan) {
  for (int i = 0; i < scan->forward.count; i++) {
    const Timed *timed = scan->forward.values[i];
    if (timed && timed->lag > 1 && timed->equation->target->rank == LIMIT_RANK) return false;
  }
  return true;
}

void scan_replay(Scan *scan) {
  Routine *routine = scan->routine;
  EquationList list = {0};
  int inside = 0;
  for (int i = 0; i < scan->forward.count; i++) inside += scan->forward.values[i] != NULL;
  bool has_leaders = inside > scan->forth.end - scan->forth.first;
  if ((!scan->back.group && !has_leaders) || !has_room(scan)) return;
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (i == scan->forth.first) add_forward(scan, &list);
    if (scan->back.group && i == scan->back.first) add_backward(scan, &list);
    bool moved =
        map_get(&scan->forward, equation->target) || map_get(&scan->backward, equation->target);
    if (!moved) APPEND(routine->model->arena, &list, equation);
  }
  routine->equations = list;
}
