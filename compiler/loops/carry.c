/* Carrying: sums over the steps of a recurrence that are added up as it goes.

     d.b[k] = sum[t, n](d.z[T-1-t, n, k])      in the loop that makes d.z[t, ..], from the last step to the first

   Each term is an element of a value of the recurrence, and is near when it has just been made; a pass of its own
   would read all steps again. The sum takes the steps in the order of the recurrence, so bits do not change. Such a
   sum stands behind the recurrence, and its loop over steps is that of the recurrence (fuse.c). Products of
   which each factor is used often stay apart, for their tiles. */
#include "loops/carry.h"

#include "calculus/variables.h"
#include "equations/affine.h"

typedef struct Carrier {
  Routine *routine;
  Arena *scratch;
  Map places; /* of the equations in their sequence */
} Carrier;

static int position_of(const Carrier *carrier, const Tensor *tensor) {
  return equation_position(&carrier->routine->equations, &carrier->places, tensor);
}

/* ---- which ---- */

const Expr *carried_step(Model *model, const RecurrentEquation *along, const Expr *time) {
  if (along->direction > 0) return time;
  const Extent *one = extent_constant(model->extents, 1);
  const Expr *last =
      expr_extent(model->exprs, extent_subtract(model->extents, along->time->range, one));
  return expr_binary(model->exprs, OP_SUB, last, time);
}

bool carried_reads_step(const Routine *routine, Arena *scratch, const Expr *subscript,
                        const RecurrentEquation *along, const Index *time) {
  Model *model = routine->model;
  const Expr *step = carried_step(model, along, expr_index(model->exprs, time));
  Affine ahead =
      affine_of(model->exprs, scratch, expr_binary(model->exprs, OP_SUB, subscript, step));
  const Extent *zero;
  return affine_is_constant(&ahead, &zero) && zero == extent_constant(model->extents, 0);
}

/* A different element for each point of the equation. */
static bool is_read_once(const Equation *equation, const Expr *read, int time_dim) {
  int rank = read_rank(read);
  if (read_default(read) || rank != equation->var_count + equation->reduced_count) return false;
  for (int dim = 0; dim < rank; dim++) {
    const Index *index = lone_index(read->args[dim]);
    if (dim == time_dim) continue;
    if (!index || index == equation->reduced[0]) return false;
    for (int before = 0; before < dim; before++)
      if (before != time_dim && lone_index(read->args[before]) == index) return false;
  }
  return true;
}

enum { PART = 2 }; /* of the second cache: what is larger has left it when the recurrence is done */

static bool is_far(const Routine *routine, const Equation *equation) {
  double bytes = equation_volume(equation) * (double)routine->bytes_of_real;
  int64_t second = routine->target->caches.second;
  return second > 0 && PART * bytes >= (double)second;
}

static bool may_be_carried(const Routine *routine, const Equation *equation) {
  return equation->reduction == REDUCE_SUM && equation->lanes <= 1 && !equation->guard &&
         equation->var_count > 0 && equation->reduced_count > 0 && is_far(routine, equation) &&
         !map_has(&routine->recurrences, equation->target) &&
         !map_has(&routine->segments, equation->target);
}

/* The first read of a recurrence that does not run in segments; null: there is none. */
static const Expr *first_of_recurrence(const Carrier *carrier, const ExprList *reads) {
  const Routine *routine = carrier->routine;
  for (int i = 0; i < reads->count; i++) {
    const Tensor *tensor = reads->items[i]->tensor;
    if (map_has(&routine->recurrences, tensor) && !map_has(&routine->segments, tensor))
      return reads->items[i];
  }
  return NULL;
}

static const RecurrentEquation *in_group(const Carrier *carrier, const Tensor *tensor, int group) {
  const RecurrentEquation *member = map_get(&carrier->routine->recurrences, tensor);
  return member && member->group == group ? member : NULL;
}

/* The position of the first equation of the recurrence that the equation at `at` belongs to. */
static int begin_of_group(const Carrier *carrier, int at, int group) {
  const EquationList *equations = &carrier->routine->equations;
  while (at > 0 && in_group(carrier, equations->items[at - 1]->target, group)) at--;
  return at;
}

/* All reads of the recurrence are at the step at hand, and one is of another element for each point. */
static bool follows(const Carrier *carrier, const Equation *equation, const ExprList *reads,
                    const RecurrentEquation *along) {
  bool is_pointwise = false;
  for (int i = 0; i < reads->count; i++) {
    const Expr *read = reads->items[i];
    const RecurrentEquation *member = in_group(carrier, read->tensor, along->group);
    if (!member) continue;
    if (!carried_reads_step(carrier->routine, carrier->scratch, read->args[member->time_dim], along,
                            equation->reduced[0]))
      return false;
    is_pointwise |= is_read_once(equation, read, member->time_dim);
  }
  return is_pointwise;
}

/* What else is read is there before the recurrence, whose first equation is the one at `begin`. */
static bool is_ready_at(const Carrier *carrier, const ExprList *reads, int group, int begin) {
  for (int i = 0; i < reads->count; i++) {
    int position = position_of(carrier, reads->items[i]->tensor);
    bool is_member = in_group(carrier, reads->items[i]->tensor, group) != NULL;
    if (!is_member && position >= begin) return false;
  }
  return true;
}

/* The recurrence whose steps the equation may be added up along; null: there is none. */
static const RecurrentEquation *recurrence_to_follow(const Carrier *carrier,
                                                     const Equation *equation) {
  const Routine *routine = carrier->routine;
  if (!may_be_carried(routine, equation)) return NULL;
  ExprList reads = equation_reads(carrier->scratch, equation);
  const Expr *read = first_of_recurrence(carrier, &reads);
  if (!read) return NULL;
  const RecurrentEquation *along = map_get(&routine->recurrences, read->tensor);
  int begin = begin_of_group(carrier, position_of(carrier, read->tensor), along->group);
  bool is_backward = position_of(carrier, equation->target) >= routine->forward_count;
  bool in_same_part = is_backward == (begin >= routine->forward_count);
  bool fits = equation->reduced[0]->range == along->time->range && in_same_part &&
              follows(carrier, equation, &reads, along) &&
              is_ready_at(carrier, &reads, along->group, begin);
  return fits ? along : NULL;
}

/* ---- their place ---- */

/* A member of the recurrence, or what order.c put behind it: it is made of what single steps compute. */
static bool takes_steps(const Carrier *carrier, const Equation *equation, int group) {
  if (in_group(carrier, equation->target, group)) return true;
  ExprList reads = equation_reads(carrier->scratch, equation);
  for (int i = 0; equation->reduction == REDUCE_NONE && i < reads.count; i++) {
    const RecurrentEquation *member = in_group(carrier, reads.items[i]->tensor, group);
    if (member && lone_index(reads.items[i]->args[member->time_dim])) return true;
  }
  return false;
}

static void append_carried(const Carrier *carrier, const EquationList *carried, int group,
                           EquationList *equations) {
  for (int i = 0; group && i < carried->count; i++) {
    const RecurrentEquation *along = map_get(&carrier->routine->carried, carried->items[i]->target);
    if (along->group == group) APPEND(carrier->routine->model->arena, equations, carried->items[i]);
  }
}

/* Each right behind what shares the loop over the steps of its recurrence. */
static void move_behind_recurrences(Carrier *carrier, const EquationList *carried) {
  Routine *routine = carrier->routine;
  EquationList equations = {0};
  int group = 0;
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (!map_has(&routine->carried, equation->target))
      APPEND(routine->model->arena, &equations, equation);
    const RecurrentEquation *member = map_get(&routine->recurrences, equation->target);
    if (member) group = member->group;
    bool goes_on = i + 1 < routine->equations.count &&
                   takes_steps(carrier, routine->equations.items[i + 1], group);
    if (goes_on) continue;
    append_carried(carrier, carried, group, &equations);
    group = 0;
  }
  routine->equations = equations;
}

/* A sum of elements as they are is done in registers, beside a product that reads them, but for one over what another
   sum goes through here anyway. */
static bool joins_others(const Carrier *carrier, const EquationList *carried,
                         const Equation *equation) {
  if (!is_read(equation->body)) return true;
  for (int i = 0; i < carried->count; i++) {
    ExprList reads = equation_reads(carrier->scratch, carried->items[i]);
    for (int k = 0; k < reads.count; k++)
      if (reads.items[k]->tensor == equation->body->tensor) return true;
  }
  return false;
}

static void choose_sums(Carrier *carrier, bool of_elements, EquationList *carried) {
  Routine *routine = carrier->routine;
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (is_read(equation->body) != of_elements) continue;
    const RecurrentEquation *along = recurrence_to_follow(carrier, equation);
    if (!along || !joins_others(carrier, carried, equation)) continue;
    map_put(&routine->carried, equation->target, (void *)along);
    APPEND(carrier->scratch, carried, equation);
  }
}

void routine_carry(Routine *routine) {
  Carrier carrier = {.routine = routine, .scratch = arena_new()};
  EquationList carried = {0};
  carrier.places = equation_places(carrier.scratch, &routine->equations);
  choose_sums(&carrier, false, &carried);
  choose_sums(&carrier, true, &carried);
  if (carried.count > 0) move_behind_recurrences(&carrier, &carried);
  arena_free(carrier.scratch);
}
