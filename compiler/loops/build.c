/* Building: loops and stores of one equation.

   Maps store; sums and the like with one lane accumulate into the target itself (which place.c keeps in a
   register when all its uses share the loops); the rest goes to reduce.c. */
#include "loops/beside.h"
#include "loops/dots.h"
#include "loops/traffic.h"

#include "calculus/condition.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"

#include <math.h>

/* ---- the loops an equation wants ---- */

static void add_loop(Schedule *schedule, const Index *index, bool reduced) {
  schedule->indices[schedule->count] = index;
  schedule->reduced[schedule->count++] = reduced;
}

static Movement read_movement(ExprTable *table, Arena *scratch, const Expr *read,
                              const Index *index) {
  if (read_rank(read) == 0) return NOT_BY_ONE;
  const Expr *last = read->args[read_rank(read) - 1];
  if (lone_index(last) == index) return ALONG_ROW;
  Affine affine = affine_of(table, scratch, last);
  bool by_one = affine_coefficient(&affine, index) == extent_constant(expr_extents(table), 1);
  return by_one && affine_is_linear_in(scratch, &affine, index) ? ALONG_WINDOW : NOT_BY_ONE;
}

Movement expr_movement(ExprTable *table, const Expr *e, const Index *index) {
  Arena *scratch = arena_new();
  Movement greatest = NOT_BY_ONE;
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    if (!is_read(nodes.items[i])) continue;
    Movement movement = read_movement(table, scratch, nodes.items[i], index);
    if (movement > greatest) greatest = movement;
  }
  arena_free(scratch);
  return greatest;
}

static bool accumulates_in_target(const Equation *equation) {
  switch (equation->reduction) {
  case REDUCE_SUM:
  case REDUCE_PROD: return equation->lanes <= 1;
  case REDUCE_MAX:
  case REDUCE_MIN:
  case REDUCE_ANY:
  case REDUCE_ALL: return true;
  case REDUCE_NONE:
  case REDUCE_LSE:
  case REDUCE_ARGMAX:
  case REDUCE_ARGMIN: return false;
  }
  return false;
}

/* The points of the reduction name the one value of the variable that they count for: its loop, inside theirs, is
   bounded to that. */
static bool is_scattered(const Equation *equation, const Index *index) {
  return accumulates_in_target(equation) && equation_scatters(equation, index);
}

static const Index *widest_variable(const Equation *equation, const Index *time) {
  const Index *widest = equation->vars[equation->var_count - 1];
  for (int k = equation->var_count - 1; k >= 0; k--)
    if (equation->vars[k] != time &&
        extent_maximum(equation->vars[k]->range) > extent_maximum(widest->range))
      widest = equation->vars[k];
  return widest;
}

enum {
  NARROW = 4,      /* a window of fewer steps is no loop of its own */
  MOST_POINTS = 9, /* of a reduction whose points are written out */
  MOST_APART = 4   /* elements that vectors can pick out of those that lie side by side */
};

/* Some read goes through what lies in memory with the variable, a few elements at a time. */
static bool moves_along(const Routine *routine, const Expr *e, const Index *index) {
  ExprTable *exprs = routine->model->exprs;
  Arena *scratch = arena_new();
  ExprList nodes = expr_postorder(scratch, &e, 1);
  bool found = false;
  for (int i = 0; i < nodes.count && !found; i++) {
    const Expr *read = nodes.items[i];
    if (!is_read(read) || read_rank(read) == 0) continue;
    Affine affine = affine_of(exprs, scratch, read->args[read_rank(read) - 1]);
    const Extent *coefficient = affine_coefficient(&affine, index);
    int64_t apart = 0;
    found = coefficient && extent_is_constant(coefficient, &apart) && apart >= 1 &&
            apart <= MOST_APART && affine_is_linear_in(scratch, &affine, index);
  }
  arena_free(scratch);
  return found;
}

bool has_short_window(const Routine *routine, const Equation *equation) {
  int64_t points = 1, range;
  if (equation->var_count == 0 || equation->guard || equation->lanes > 1) return false;
  if (map_has(&routine->carried, equation->target)) return false; /* one step at a time */
  for (int i = 0; i < equation->reduced_count; i++) {
    if (!extent_is_constant(equation->reduced[i]->range, &range) || range > MOST_POINTS)
      return false;
    points *= range;
  }
  Arena *scratch = arena_new();
  bool contracts = equation_contracts(scratch, equation);
  arena_free(scratch);
  const Index *last = equation->vars[equation->var_count - 1];
  return points <= MOST_POINTS && !contracts && moves_along(routine, equation->body, last);
}

/* In the target itself; a short window is combined in a local variable, but for one that segments cut. */
static bool accumulates(const Routine *routine, const Equation *equation) {
  return accumulates_in_target(equation) &&
         (!has_short_window(routine, equation) || map_has(&routine->segments, equation->target));
}

/* A variable of the target that runs inside the reduction: the last one when that makes steps of 1, in what is read
   or in the row that a point is sent to. The elements of a narrow window, as of the weights of a convolution, are
   sums that wait for their last term: others go on beside each. Null: none. */
static const Index *innermost_variable(const Routine *routine, const Equation *equation,
                                       const Index *time) {
  if (!accumulates_in_target(equation) || equation->var_count == 0) return NULL;
  const Index *last = equation->vars[equation->var_count - 1];
  if (last == time || is_scattered(equation, last) || has_short_window(routine, equation))
    return NULL;
  for (int k = 0; k < equation->var_count; k++)
    if (is_scattered(equation, equation->vars[k])) return last;
  Movement movement = expr_movement(routine->model->exprs, equation->body, last);
  if (movement == NOT_BY_ONE) return NULL;
  bool narrow = movement == ALONG_WINDOW && extent_maximum(last->range) < NARROW;
  return narrow ? widest_variable(equation, time) : last;
}

/* The loop over segments, which adds up when the steps do. */
static const Index *add_segment_loop(const Routine *routine, const Equation *equation,
                                     Schedule *schedule) {
  const SegmentedEquation *segmented = map_get(&routine->segments, equation->target);
  if (!segmented) return NULL;
  bool reduced = equation->reduced_count > 0 && equation->reduced[0] == segmented->time;
  add_loop(schedule, segmented->number, reduced);
  return segmented->number;
}

/* The variable of the sum that counts the steps of the recurrence that it goes with; null: it goes with none. */
static const Index *carried_variable(const Routine *routine, const Equation *equation) {
  return map_has(&routine->carried, equation->target) ? equation->reduced[0] : NULL;
}

/* Loops around the tiles may be shared. `tiling`, null: those of dots, or of rows beside each other, in the order of
   the target. */
static Schedule tiled_schedule(const Routine *routine, const Equation *equation, const Index *time,
                               const Index *row, const Index *column, const Index *window,
                               const Tiling *tiling) {
  Schedule schedule = {0};
  if (time) add_loop(&schedule, time, false);
  int first = schedule.count;
  for (int k = 0; k < equation->var_count; k++) {
    const Index *index = equation->vars[k];
    bool is_inside = index == row || index == column || index == window;
    if (index != time && !is_inside) add_loop(&schedule, index, false);
  }
  schedule.sharable = schedule.count;
  if (tiling)
    traffic_order(routine, equation, tiling, &schedule.indices[first], schedule.count - first);
  if (row) add_loop(&schedule, row, false);
  if (window) add_loop(&schedule, window, false);
  for (int k = 0; k < equation->reduced_count; k++) add_loop(&schedule, equation->reduced[k], true);
  if (column) add_loop(&schedule, column, false);
  return schedule;
}

Schedule schedule_of(const Routine *routine, const Equation *equation) {
  Schedule schedule = {0};
  Tiling tiling;
  const RecurrentEquation *recurrent = map_get(&routine->recurrences, equation->target);
  const Index *time = recurrent ? recurrent->time : NULL;
  Dots dots;
  if (tiling_of(routine, equation, &tiling))
    return tiled_schedule(routine, equation, time, tiling.row, tiling.column, NULL, &tiling);
  if (dots_of(routine, equation, &dots))
    return tiled_schedule(routine, equation, time, dots.row, dots.column, dots.window, NULL);
  Beside beside;
  if (beside_of(routine, equation, &beside))
    return tiled_schedule(routine, equation, time, NULL, beside.column, NULL, NULL);
  const Index *number = add_segment_loop(routine, equation, &schedule);
  const Index *carried = carried_variable(routine, equation);
  if (carried) add_loop(&schedule, carried, true);
  if (time) add_loop(&schedule, time, false);
  const Index *inner = innermost_variable(routine, equation, time);
  const SegmentedEquation *segmented = map_get(&routine->segments, equation->target);
  if (segmented && inner == segmented->time) inner = NULL;
  for (int k = 0; k < equation->var_count; k++) {
    const Index *index = equation->vars[k];
    bool late = index == inner || is_scattered(equation, index);
    if (index != time && index != number && !late) add_loop(&schedule, index, false);
  }
  schedule.sharable = schedule.count;
  for (int k = carried ? 1 : 0; k < equation->reduced_count; k++)
    add_loop(&schedule, equation->reduced[k], true);
  for (int k = 0; k < equation->var_count; k++) {
    const Index *index = equation->vars[k];
    if (index != time && index != inner && is_scattered(equation, index))
      add_loop(&schedule, index, false);
  }
  if (inner) add_loop(&schedule, inner, false);
  bool open = equation->reduction == REDUCE_NONE || accumulates(routine, equation);
  if (open) schedule.sharable = schedule.count;
  return schedule;
}

/* ---- small constructors ---- */

static LoopNode *node_new(Model *model, LoopKind kind) {
  LoopNode *node = NEW(model->arena, LoopNode);
  node->kind = kind;
  return node;
}

LoopNode *loop_new(Model *model, const Index *index) {
  LoopNode *loop = node_new(model, LOOP_FOR);
  loop->index = index;
  loop->begin = expr_integer(model->exprs, 0);
  loop->end = expr_extent(model->exprs, index->range);
  loop->step = 1;
  return loop;
}

bool loop_is_whole(ExprTable *exprs, const LoopNode *loop, const Extent *extent) {
  return loop->step == 1 && loop->begin == expr_integer(exprs, 0) &&
         loop->end == expr_extent(exprs, extent);
}

LoopNode *segment_loop(Model *model, const Segments *segments) {
  ExprTable *exprs = model->exprs;
  LoopNode *loop =
      loop_new(model, index_new(model, name_of(model->names, "segment"), segments->number->range));
  const Expr *number = expr_index(exprs, loop->index);
  if (segments->direction < 0) loop->marks = MARK_DOWN;
  loop->segment = segments->steps;
  loop->start = expr_binary(exprs, OP_MUL, number, expr_integer(exprs, segments->steps));
  return loop;
}

LoopNode *strip_loop(Model *model, const Segments *segments, const LoopNode *segment, Name name,
                     int direction, const Expr **step) {
  ExprTable *exprs = model->exprs;
  const Extent *range = extent_constant(model->extents, segments->steps);
  LoopNode *loop = loop_new(model, index_new(model, name, range));
  loop->marks = direction < 0 ? MARK_STRIP | MARK_DOWN : MARK_STRIP;
  const Expr *rest = expr_binary(exprs, OP_SUB, expr_extent(exprs, segments->time), segment->start);
  int64_t time;
  bool is_whole = extent_is_constant(segments->time, &time) && time % segments->steps == 0;
  if (!is_whole) loop->end = expr_binary(exprs, OP_MIN, loop->end, rest);
  *step = expr_binary(exprs, OP_ADD, segment->start, expr_index(exprs, loop->index));
  return loop;
}

LoopNode *store_new(Model *model, const Tensor *target, const Expr *const *subscripts,
                    Reduction combine, const Expr *value) {
  LoopNode *store = node_new(model, LOOP_STORE);
  store->target = target;
  store->subscripts =
      arena_copy(model->arena, subscripts, (size_t)target->rank * sizeof *subscripts);
  store->combine = combine;
  store->value = value;
  return store;
}

LoopNode *fetch_new(Model *model, const Expr *read) {
  LoopNode *fetch = node_new(model, LOOP_FETCH);
  fetch->value = read;
  return fetch;
}

LoopNode *branch_new(Model *model, const Expr *condition) {
  LoopNode *branch = node_new(model, LOOP_IF);
  branch->condition = condition;
  return branch;
}

LoopNode *declare_new(Model *model, const Tensor *target, const Expr *value) {
  LoopNode *declare = node_new(model, LOOP_DECLARE);
  declare->target = target;
  declare->value = value;
  return declare;
}

static Tensor *register_new(Site *site, const char *name, ValueType type, const Axis *axes,
                            int rank, int64_t lanes) {
  Model *model = site->routine->model;
  TensorList ignored = {0};
  Tensor *local =
      tensor_new(model, &ignored, name_of(model->names, name), ROLE_VALUE, type, axes, rank);
  Buffer *buffer = NEW(model->arena, Buffer);
  buffer->tensor = local;
  buffer->place = PLACE_REGISTER;
  buffer->lanes = lanes;
  const Extent *stride = extent_constant(model->extents, 1);
  for (int dim = rank - 1; dim >= 0; dim--) {
    buffer->strides[dim] = stride;
    stride = extent_multiply(model->extents, stride, axes[dim].extent);
  }
  map_put(&site->routine->buffers, local, buffer);
  return local;
}

Tensor *local_new(Site *site, const char *name, ValueType type, int64_t lanes) {
  Axis axis = {.extent = extent_constant(site->routine->model->extents, lanes)};
  return register_new(site, name, type, &axis, lanes > 1, 0);
}

Tensor *tile_new(Site *site, const char *name, int64_t rows, int64_t columns, int64_t lanes) {
  ExtentTable *extents = site->routine->model->extents;
  const Axis axes[2] = {{.extent = extent_constant(extents, rows)},
                        {.extent = extent_constant(extents, columns)}};
  if (lanes == 1) return register_new(site, name, TYPE_REAL, axes, rows > 1, 0);
  return register_new(site, name, TYPE_REAL, axes, 2, lanes);
}

Tensor *array_new(Site *site, Name name, ValueType type, int64_t rows, int64_t columns) {
  ExtentTable *extents = site->routine->model->extents;
  const Axis axes[2] = {{.extent = extent_constant(extents, rows)},
                        {.extent = extent_constant(extents, columns)}};
  return register_new(site, name, type, axes, 2, 0);
}

const Extent *whole_multiple(Model *model, const Extent *range, int64_t of) {
  const Extent *width = extent_constant(model->extents, of);
  return extent_multiply(model->extents, extent_floor_divide(model->extents, range, width), width);
}

/* ---- places ---- */

void site_bind(Site *site, const Index *index, const Expr *value) {
  site->indices[site->bound] = index;
  site->values[site->bound++] = value;
}

const Expr *site_value(Site *site, const Expr *e) {
  Arena *scratch = arena_new();
  const Expr *value = expr_substitute(site->routine->model->exprs, scratch, e, site->indices,
                                      site->values, site->bound);
  if (value != e) value = condition_decide_reads(site->routine->model->exprs, scratch, value);
  arena_free(scratch);
  return value;
}

/* The variable that counts steps, or what is left of them, over those of the segment at hand. */
static LoopNode *open_strip(Site *site, const Index *index, const Expr **value) {
  Model *model = site->routine->model;
  const SegmentedEquation *segmented = site->segmented;
  LoopNode *loop = strip_loop(model, segmented->segments, site->loops[0], index->name,
                              segmented->is_mirrored ? -1 : 1, value);
  const Extent *one = extent_constant(model->extents, 1);
  const Expr *last =
      expr_extent(model->exprs, extent_subtract(model->extents, segmented->segments->time, one));
  if (segmented->is_mirrored) *value = expr_binary(model->exprs, OP_SUB, last, *value);
  return loop;
}

LoopBody *open_loop(Site *site, LoopBody *body, const Index *index) {
  Model *model = site->routine->model;
  const Expr *value = expr_index(model->exprs, index);
  bool is_strip = site->segmented && index == site->segmented->time;
  LoopNode *loop = is_strip ? open_strip(site, index, &value) : loop_new(model, index);
  APPEND(model->arena, body, loop);
  site_bind(site, index, value);
  return &loop->body;
}

LoopBody *open_reduced_loop(Site *site, LoopBody *body, const Index *index) {
  LoopBody *inner = open_bounded_loop(site, body, index);
  if (has_short_window(site->routine, site->equation))
    body->items[body->count - 1]->marks |= MARK_WINDOW;
  return inner;
}

LoopNode *open_own_loop(Site *site, LoopBody **body, const Index *index) {
  const LoopBody *outer = *body;
  *body = open_loop(site, *body, index);
  site->bound--;
  return outer->items[outer->count - 1];
}

LoopBody *append_branch(Site *site, LoopBody *body, const Expr *condition) {
  Model *model = site->routine->model;
  LoopNode *branch = branch_new(model, condition);
  APPEND(model->arena, body, branch);
  return &branch->body;
}

LoopNode *target_store(Site *site, Reduction combine, const Expr *value) {
  Model *model = site->routine->model;
  const Tensor *target = site->equation->target;
  const Expr *own = equation_own_read(model, site->equation, target);
  const Expr *subscripts[LIMIT_RANK];
  for (int dim = 0; dim < target->rank; dim++) subscripts[dim] = site_value(site, own->args[dim]);
  return store_new(model, target, subscripts, combine, value);
}

/* ---- the equation ---- */

/* Opens the loops that are not shared, up to `count` of the schedule. */
static LoopBody *open_loops(Site *site, LoopBody *body, int count) {
  for (int i = site->shared; i < count; i++) {
    body = open_loop(site, body, site->schedule.indices[i]);
  }
  return body;
}

/* Remembers the loops made below the shared ones: the chain of last nodes, but for branches. */
static void record_loops(Site *site, LoopBody *body, int count) {
  for (int i = site->shared; i < count; i++) {
    LoopNode *last = body->items[body->count - 1];
    while (last->kind == LOOP_IF) last = last->body.items[last->body.count - 1];
    site->loops[i] = last;
    body = &last->body;
  }
}

void body_insert_before(Arena *arena, LoopBody *body, const LoopNode *node, LoopNode *inserted) {
  APPEND(arena, body, inserted);
  int i = body->count - 1;
  for (; i > 0 && body->items[i - 1] != node; i--) body->items[i] = body->items[i - 1];
  body->items[i] = body->items[i - 1];
  body->items[i - 1] = inserted;
}

/* First loop of the schedule that belongs to a reduced variable. */
static int first_reduced(const Schedule *schedule) {
  int i = 0;
  while (i < schedule->count && !schedule->reduced[i]) i++;
  return i;
}

static bool is_scheduled_from(const Schedule *schedule, int from, const Index *index) {
  for (int i = from; i < schedule->count; i++) {
    if (schedule->indices[i] == index) return true;
  }
  return false;
}

/* Forgets what the variables from position `from` of the schedule on stand for. */
static void unbind_from(Site *site, int from) {
  int kept = 0;
  for (int i = 0; i < site->bound; i++) {
    if (is_scheduled_from(&site->schedule, from, site->indices[i])) continue;
    site->indices[kept] = site->indices[i];
    site->values[kept++] = site->values[i];
  }
  site->bound = kept;
}

/* Loops over the left variables from position `from` of the schedule on, that set the target to the
   identity; with indices of their own, since the real loops may come outside in another order. */
static LoopNode *initial_nest(Site *site, int from) {
  Model *model = site->routine->model;
  Site start = *site;
  LoopBody top = {0}, *body = &top;
  unbind_from(&start, from);
  for (int i = from; i < site->schedule.count; i++) {
    if (site->schedule.reduced[i]) continue;
    const Index *index = site->schedule.indices[i];
    const Index *fresh = index_new(model, index->name, index->range);
    body = open_loop(&start, body, fresh);
    site_bind(&start, index, expr_index(model->exprs, fresh));
  }
  const Tensor *target = site->equation->target;
  const Expr *identity = reduction_identity(model, site->equation->reduction, target->type);
  APPEND(model->arena, body, target_store(&start, REDUCE_NONE, identity));
  return top.items[0];
}

/* The target is set to the identity before the first loop of a reduced variable, whether that loop is
   shared or made here. */
static void build_accumulation(Site *site) {
  Model *model = site->routine->model;
  int split = first_reduced(&site->schedule);
  LoopBody *body = site->bodies[site->shared];
  if (split < site->shared) {
    LoopBody *outer = site->bodies[split];
    const LoopNode *first = outer->items[outer->count - 1];
    body_insert_before(model->arena, outer, first, initial_nest(site, split));
  } else {
    body = open_loops(site, body, split);
    APPEND(model->arena, body, initial_nest(site, split));
  }
  guard_start(site);
  body = open_branch(site, body);
  for (int i = split > site->shared ? split : site->shared; i < site->schedule.count; i++) {
    const Index *index = site->schedule.indices[i];
    body = site->schedule.reduced[i] ? open_reduced_loop(site, body, index)
                                     : open_bounded_loop(site, body, index);
  }
  const Expr *value = site_value(site, site->equation->body);
  APPEND(model->arena, body, target_store(site, site->equation->reduction, value));
  record_loops(site, site->bodies[site->shared], site->schedule.count);
}

static void build_map(Site *site) {
  LoopBody *body = open_loops(site, site->bodies[site->shared], site->schedule.count);
  LoopNode *store = target_store(site, REDUCE_NONE, site_value(site, site->equation->body));
  APPEND(site->routine->model->arena, body, store);
  record_loops(site, site->bodies[site->shared], site->schedule.count);
}

/* Reductions that are combined in local variables. */
static void build_in_locals(Site *site, LoopBody *body) {
  switch (site->equation->reduction) {
  case REDUCE_LSE: build_logsumexp(site, body); break;
  case REDUCE_ARGMAX:
  case REDUCE_ARGMIN: build_arg(site, body); break;
  default: build_lanes(site, body); break;
  }
}

void build_equation(Site *site) {
  Tiling tiling;
  bool is_tiled = tiling_of(site->routine, site->equation, &tiling);
  if (site->equation->reduction == REDUCE_NONE) {
    build_map(site);
    return;
  }
  if (accumulates(site->routine, site->equation) && !is_tiled) {
    build_accumulation(site);
    return;
  }
  LoopBody *body = open_loops(site, site->bodies[site->shared], site->schedule.sharable);
  if (is_tiled && tiling.terms > 0 && !tiling.keeps_partial)
    APPEND(site->routine->model->arena, body, initial_nest(site, site->schedule.sharable));
  if (is_tiled)
    build_tiles(site, &tiling, body);
  else
    build_in_locals(site, body);
  record_loops(site, site->bodies[site->shared], site->schedule.sharable);
}
