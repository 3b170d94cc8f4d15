/* Carrying: what is made of the steps of a recurrence goes with it, as each is near when it has just been made; a pass
   of its own would read all steps again. That is what takes one step at a time, as norms do, but for products of which
   each factor is used often: these stay apart, for their tiles. It becomes part of the recurrence. And it is sums over
   the steps, which are added up as it goes:

     d.b[k] = sum[t, n](d.z[T-1-t, n, k])      in the loop that makes d.z[t, ..], from the last step to the first

   Each term is an element of a value of the recurrence. The sum takes the steps in the order of the recurrence, so
   bits do not change. Such a sum stands behind the recurrence, and its loop over steps is that of the recurrence
   (fuse.c). */
#include "loops/carry.h"
#include "loops/copies.h"
#include "loops/recurrence.h"

#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"

typedef struct Carrier {
  Routine *routine;
  Arena *scratch;
  Map places; /* of the equations in their sequence */
  Map joined; /* Tensor * of what takes a step at a time -> itself: part of the recurrence from here on */
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

/* The recurrence that is read and comes last, which does not run in segments; null: there is none. */
static const RecurrentEquation *last_recurrence(const Carrier *carrier, const ExprList *reads) {
  const Routine *routine = carrier->routine;
  const RecurrentEquation *last = NULL;
  int position = -1;
  for (int i = 0; i < reads->count; i++) {
    const Tensor *tensor = reads->items[i]->tensor;
    const RecurrentEquation *recurrent = map_get(&routine->recurrences, tensor);
    if (!recurrent || map_has(&routine->segments, tensor)) continue;
    if (position_of(carrier, tensor) < position) continue;
    position = position_of(carrier, tensor);
    last = recurrent;
  }
  return last;
}

static const RecurrentEquation *in_group(const Carrier *carrier, const Tensor *tensor, int group) {
  const RecurrentEquation *member = map_get(&carrier->routine->recurrences, tensor);
  return member && member->group == group ? member : NULL;
}

static int begin_of_group(const Carrier *carrier, int group) {
  const EquationList *equations = &carrier->routine->equations;
  int at = 0;
  while (!in_group(carrier, equations->items[at]->target, group)) at++;
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

/* The last recurrence that is read, in the same part and ahead of all that is read else; null: there is none. */
static const RecurrentEquation *recurrence_before(const Carrier *carrier, const Equation *equation,
                                                  const ExprList *reads) {
  const RecurrentEquation *along = last_recurrence(carrier, reads);
  if (!along) return NULL;
  int begin = begin_of_group(carrier, along->group);
  int forward_count = carrier->routine->forward_count;
  bool is_backward = position_of(carrier, equation->target) >= forward_count;
  bool in_same_part = is_backward == (begin >= forward_count);
  return in_same_part && is_ready_at(carrier, reads, along->group, begin) ? along : NULL;
}

/* The recurrence whose steps the equation may be added up along; null: there is none. */
static const RecurrentEquation *recurrence_to_follow(const Carrier *carrier,
                                                     const Equation *equation) {
  if (!may_be_carried(carrier->routine, equation)) return NULL;
  ExprList reads = equation_reads(carrier->scratch, equation);
  const RecurrentEquation *along = recurrence_before(carrier, equation, &reads);
  bool fits = along && equation->reduced[0]->range == along->time->range &&
              follows(carrier, equation, &reads, along);
  return fits ? along : NULL;
}

/* ---- their place ---- */

/* What is to stand behind a recurrence. */
typedef struct Follower {
  Equation *equation;
  int group; /* of the recurrence */
} Follower;
typedef LIST_OF(Follower) FollowerList;

static void follow(const Carrier *carrier, FollowerList *followers, Equation *equation, int group) {
  Follower follower = {equation, group};
  APPEND(carrier->scratch, followers, follower);
}

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

static bool goes_on(const Carrier *carrier, const Equation *next, int group, bool members) {
  return members ? in_group(carrier, next->target, group) != NULL
                 : takes_steps(carrier, next, group);
}

static void append_followers(const Carrier *carrier, const FollowerList *followers, int group,
                             EquationList *equations) {
  for (int i = 0; group && i < followers->count; i++)
    if (followers->items[i].group == group)
      APPEND(carrier->routine->model->arena, equations, followers->items[i].equation);
}

/* Each right behind its recurrence; `members` of it, or else behind all that shares the loop over its steps. */
static void move_behind_recurrences(Carrier *carrier, const FollowerList *followers, bool members) {
  Routine *routine = carrier->routine;
  EquationList equations = {0};
  Map moved;
  int group = 0;
  map_init(&moved, carrier->scratch);
  for (int i = 0; i < followers->count; i++)
    map_put(&moved, followers->items[i].equation->target, followers->items[i].equation);
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (!map_has(&moved, equation->target)) APPEND(routine->model->arena, &equations, equation);
    const RecurrentEquation *member = map_get(&routine->recurrences, equation->target);
    if (member && !map_has(&moved, equation->target)) group = member->group;
    if (i + 1 < routine->equations.count &&
        goes_on(carrier, routine->equations.items[i + 1], group, members))
      continue;
    append_followers(carrier, followers, group, &equations);
    group = 0;
  }
  routine->equations = equations;
  carrier->places = equation_places(carrier->scratch, &routine->equations);
}

/* ---- what takes a step at a time ---- */

enum { MOST_JOINED = 12 }; /* to a recurrence: keeps generated functions short */

static bool is_full(const Carrier *carrier, int group) {
  int count = 0;
  for (int i = 0; i < carrier->joined.count; i++)
    count += in_group(carrier, carrier->joined.keys[i], group) != NULL;
  return count >= MOST_JOINED;
}

static bool reads_joined(const Carrier *carrier, const ExprList *reads) {
  for (int i = 0; i < reads->count; i++)
    if (map_has(&carrier->joined, reads->items[i]->tensor)) return true;
  return false;
}

static bool may_join(const Carrier *carrier, const Equation *equation, const ExprList *reads) {
  const Routine *routine = carrier->routine;
  const Tensor *target = equation->target;
  return !map_has(&routine->roots, target) && !map_has(&routine->recurrences, target) &&
         !map_has(&routine->segments, target) && !is_draw(equation->body) &&
         !equation_scatters_any(equation) && !equation_contracts(carrier->scratch, equation) &&
         (is_far(routine, equation) || reads_joined(carrier, reads));
}

/* Each copy of a layer has nests of its own. */
static bool is_in_other_copy(const Carrier *carrier, const Equation *equation, int group) {
  const EquationList *equations = &carrier->routine->equations;
  const Instance *instance = equations->items[begin_of_group(carrier, group)]->instance;
  return instance && equation->instance && are_in_copies(instance, equation->instance);
}

/* It becomes part of the recurrence; false: it does not. */
static bool join(Carrier *carrier, const Equation *equation, int *group) {
  Routine *routine = carrier->routine;
  ExprList reads = equation_reads(carrier->scratch, equation);
  if (!may_join(carrier, equation, &reads)) return false;
  const RecurrentEquation *along = recurrence_before(carrier, equation, &reads);
  if (!along || is_full(carrier, along->group) || is_in_other_copy(carrier, equation, along->group))
    return false;
  *group = along->group;
  const Index *step = recurrence_step(routine, &reads, *group);
  int time_dim = step ? equation_dim_of(equation, step) : -1;
  if (time_dim < 0 || step->range != along->time->range) return false;
  RecurrentEquation *entry = NEW(routine->model->arena, RecurrentEquation);
  *entry = (RecurrentEquation){*group, step, time_dim, along->direction};
  map_put(&routine->recurrences, equation->target, entry);
  map_put(&carrier->joined, equation->target, (void *)equation->target);
  return true;
}

static void join_steps(Carrier *carrier) {
  const EquationList *equations = &carrier->routine->equations;
  FollowerList followers = {0};
  int group;
  for (int i = 0; i < equations->count; i++)
    if (join(carrier, equations->items[i], &group))
      follow(carrier, &followers, equations->items[i], group);
  if (followers.count > 0) move_behind_recurrences(carrier, &followers, true);
}

/* ---- sums over the steps ---- */

/* A sum of elements as they are is done in registers, beside a product that reads them, but for one over what another
   sum goes through here anyway. */
static bool joins_others(const Carrier *carrier, const FollowerList *carried,
                         const Equation *equation) {
  if (!is_read(equation->body)) return true;
  for (int i = 0; i < carried->count; i++) {
    ExprList reads = equation_reads(carrier->scratch, carried->items[i].equation);
    for (int k = 0; k < reads.count; k++)
      if (reads.items[k]->tensor == equation->body->tensor) return true;
  }
  return false;
}

static void choose_sums(Carrier *carrier, bool of_elements, FollowerList *carried) {
  Routine *routine = carrier->routine;
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (is_read(equation->body) != of_elements) continue;
    const RecurrentEquation *along = recurrence_to_follow(carrier, equation);
    if (!along || !joins_others(carrier, carried, equation)) continue;
    map_put(&routine->carried, equation->target, (void *)along);
    follow(carrier, carried, equation, along->group);
  }
}

static void carry_sums(Carrier *carrier) {
  FollowerList carried = {0};
  choose_sums(carrier, false, &carried);
  choose_sums(carrier, true, &carried);
  if (carried.count > 0) move_behind_recurrences(carrier, &carried, false);
}

void routine_carry(Routine *routine) {
  Carrier carrier = {.routine = routine, .scratch = arena_new()};
  carrier.places = equation_places(carrier.scratch, &routine->equations);
  map_init(&carrier.joined, carrier.scratch);
  join_steps(&carrier);
  carry_sums(&carrier);
  arena_free(carrier.scratch);
}
