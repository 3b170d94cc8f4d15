/* Recurrences: the axis that a cycle of equations steps along, its direction, and the order in one step. */
#include "loops/recurrence.h"

#include "equations/affine.h"

typedef struct Member {
  Equation *equation;
  const Index *time; /* null until found */
  int time_dim;
  bool placed;
} Member;

typedef struct Cycle {
  Routine *routine;
  Arena *scratch;
  Member *members;
  int count;
  Map by_tensor; /* Tensor * -> Member * */
} Cycle;

static int dim_of_var(const Equation *equation, const Index *var) {
  for (int k = 0; k < equation->var_count; k++) {
    if (equation->vars[k] == var) return equation->place[k];
  }
  return -1;
}

static const Index *var_of_dim(const Equation *equation, int dim) {
  const Index *found = NULL;
  for (int k = 0; k < equation->var_count; k++) {
    if (equation->place[k] != dim) continue;
    if (found) return NULL; /* a composite is no time axis */
    found = equation->vars[k];
  }
  return found;
}

/* subscript = var + constant for a left-side variable of the equation: that variable, else null. */
static const Index *shifted_var(Cycle *cycle, const Equation *equation, const Expr *subscript,
                                int64_t *shift) {
  const Index *var = shifted_index(cycle->routine->model->exprs, cycle->scratch, subscript, shift);
  return var && dim_of_var(equation, var) >= 0 ? var : NULL;
}

/* Both ends of a read step together: the reader's variable and the member's variable at that dim. */
static bool join(Member *reader, const Index *var, Member *read, int dim) {
  const Index *other = var_of_dim(read->equation, dim);
  if (!other) return false;
  bool changed = false;
  if (!reader->time) {
    reader->time = var;
    reader->time_dim = dim_of_var(reader->equation, var);
    changed = true;
  }
  if (!read->time) {
    read->time = other;
    read->time_dim = dim;
    changed = true;
  }
  return changed;
}

/* In how many dims of a read the variable stands, shifted or not. */
static int count_dims(Cycle *cycle, const Equation *equation, const Expr *read, const Index *var) {
  int count = 0;
  for (int dim = 0; dim < read_rank(read); dim++) {
    int64_t shift;
    count += shifted_var(cycle, equation, read->args[dim], &shift) == var;
  }
  return count;
}

/* Spreads what is known of the time axis over one read; a shifted subscript starts it. `certain`: only
   where one dim can be meant. */
static bool learn_from_read(Cycle *cycle, Member *reader, const Expr *read, bool any_known,
                            bool certain) {
  Member *member = map_get(&cycle->by_tensor, read->tensor);
  if (!member) return false;
  for (int dim = 0; dim < read_rank(read); dim++) {
    int64_t shift;
    const Index *var = shifted_var(cycle, reader->equation, read->args[dim], &shift);
    if (!var || (certain && count_dims(cycle, reader->equation, read, var) > 1)) continue;
    bool starts = !any_known && shift != 0;
    bool known = reader->time ? reader->time == var : member->time && member->time_dim == dim;
    if ((starts || known) && join(reader, var, member, dim)) return true;
  }
  return false;
}

/* One sweep over all reads; what is not certain is learnt one at a time. */
static bool learn(Cycle *cycle, bool *any_known, bool certain) {
  bool changed = false;
  for (int i = 0; i < cycle->count; i++) {
    ExprList reads = equation_reads(cycle->scratch, cycle->members[i].equation);
    for (int r = 0; r < reads.count; r++) {
      if (!learn_from_read(cycle, &cycle->members[i], reads.items[r], *any_known, certain))
        continue;
      *any_known = changed = true;
      if (!certain) return true;
    }
  }
  return changed;
}

static void find_time_axis(Cycle *cycle) {
  bool any_known = false;
  while (learn(cycle, &any_known, true) || learn(cycle, &any_known, false)) {
  }
}

static bool lag_of_read(Cycle *cycle, const Member *reader, const Expr *read, int64_t *lag) {
  const Member *member = map_get(&cycle->by_tensor, read->tensor);
  *lag = 0;
  if (!member) return true;
  if (!reader->time || !member->time) return false;
  return shifted_var(cycle, reader->equation, read->args[member->time_dim], lag) == reader->time;
}

/* +1 when some read goes to earlier steps, -1 when to later ones, 0 when the cycle has no such axis. */
static int find_direction(Cycle *cycle) {
  bool back = false, ahead = false;
  for (int i = 0; i < cycle->count; i++) {
    ExprList reads = equation_reads(cycle->scratch, cycle->members[i].equation);
    for (int r = 0; r < reads.count; r++) {
      int64_t lag;
      if (!lag_of_read(cycle, &cycle->members[i], reads.items[r], &lag)) return 0;
      back |= lag < 0;
      ahead |= lag > 0;
    }
    if (cycle->members[i].time->range != cycle->members[0].time->range) return 0;
  }
  if (back == ahead) return 0;
  return back ? 1 : -1;
}

static bool is_ready(Cycle *cycle, const Member *member) {
  ExprList reads = equation_reads(cycle->scratch, member->equation);
  for (int r = 0; r < reads.count; r++) {
    const Member *read = map_get(&cycle->by_tensor, reads.items[r]->tensor);
    int64_t lag;
    lag_of_read(cycle, member, reads.items[r], &lag);
    if (read && lag == 0 && !read->placed) return false;
  }
  return true;
}

static bool place_members(Cycle *cycle, int group, int direction, EquationList *ordered) {
  Arena *arena = cycle->routine->model->arena;
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < cycle->count; i++) {
      Member *member = &cycle->members[i];
      if (member->placed || !is_ready(cycle, member)) continue;
      RecurrentEquation *entry = NEW(arena, RecurrentEquation);
      *entry = (RecurrentEquation){group, member->time, member->time_dim, direction};
      map_put(&cycle->routine->recurrences, member->equation->target, entry);
      APPEND(arena, ordered, member->equation);
      member->placed = changed = true;
    }
  }
  return ordered->count == cycle->count;
}

static void report_cycle(Cycle *cycle) {
  Model *model = cycle->routine->model;
  Diagnostic *d = diagnose(model->diagnostics, NN0601, cycle->members[0].equation->span,
                           "'%s' needs its own value", cycle->members[0].equation->target->name);
  for (int i = 1; i < cycle->count && i < 8; i++) {
    const Equation *equation = cycle->members[i].equation;
    diagnostic_note(d, equation->span, "through '%s'", equation->target->name);
  }
  diagnostic_help(
      d, "a recurrence reads earlier steps (t-1) or later ones (t+1) of one axis, not both, "
         "and gives a value for the steps outside, as in h[n, t-1, k | 0]");
}

EquationList recurrence_order(Routine *routine, EquationList members, int group) {
  Cycle cycle = {.routine = routine, .scratch = arena_new(), .count = members.count};
  EquationList ordered = {0};
  cycle.members = NEW_ARRAY(cycle.scratch, Member, members.count);
  map_init(&cycle.by_tensor, cycle.scratch);
  for (int i = 0; i < members.count; i++) {
    cycle.members[i].equation = members.items[i];
    map_put(&cycle.by_tensor, members.items[i]->target, &cycle.members[i]);
  }
  find_time_axis(&cycle);
  int direction = cycle.members[0].time ? find_direction(&cycle) : 0;
  bool done = direction && place_members(&cycle, group, direction, &ordered);
  if (!done) report_cycle(&cycle);
  arena_free(cycle.scratch);
  return done ? ordered : members;
}

int64_t recurrence_lag(Arena *scratch, const Routine *routine, const Equation *reader,
                       const Expr *read) {
  const RecurrentEquation *at = map_get(&routine->recurrences, reader->target);
  const RecurrentEquation *from = map_get(&routine->recurrences, read->tensor);
  if (!at || !from || at->group != from->group) return 0;
  Affine affine = affine_of(routine->model->exprs, scratch, read->args[from->time_dim]);
  int64_t lag = 0;
  extent_is_constant(affine.constant, &lag);
  return lag;
}

const Index *recurrence_step(const Routine *routine, const ExprList *reads, int group) {
  const Index *step = NULL;
  for (int i = 0; i < reads->count; i++) {
    const RecurrentEquation *member = map_get(&routine->recurrences, reads->items[i]->tensor);
    if (!member || member->group != group) continue;
    const Index *index = lone_index(reads->items[i]->args[member->time_dim]);
    if (!index || (step && step != index)) return NULL;
    step = index;
  }
  return step;
}
