/* Recomputation: of what the forward part leaves for the backward part only some is kept; the rest is computed
   again from it.

   Kept are the values of least size from which all others that the backward part reads can be computed by
   equations cheap enough: the smallest cut between what is too costly to be done twice and the backward part. A
   `remat` block says that its equations are cheap enough, products too; where memory is short, more are. What is
   computed again stands right before its first reader there, so that it shares the reader's loops and often needs
   no memory at all. */
#include "loops/again.h"
#include "loops/cut.h"
#include "loops/remat.h"

typedef struct Value { /* of the forward part */
  Equation *equation;
  ExprList reads;
  bool is_cheap;  /* to be computed again */
  Tensor *again;  /* null: it is kept, or nothing reads it behind */
  bool is_stated; /* its equation for `again` stands in the new order */
} Value;

enum { LEAST_PART = 64 }; /* of the greatest value; smaller ones are not worth the work */

typedef struct Recomputation {
  Routine *routine;
  Arena *scratch;
  SpanList blocks; /* remat */
  Value *values;
  int count;
  Map by_tensor;    /* Tensor * -> Value * */
  int64_t greatest; /* number of elements */
  EquationList equations;
} Recomputation;

static Value *value_of(const Recomputation *all, const Expr *read) {
  return map_get(&all->by_tensor, read->tensor);
}

static int64_t weight_of(const Equation *equation) {
  const Tensor *target = equation->target;
  int64_t weight = is_draw(equation->body) ? 0 : 1;
  for (int dim = 0; dim < target->rank; dim++) {
    int64_t extent = extent_maximum(target->axes[dim].extent);
    if (!checked_multiply(weight, extent, &weight) || weight > LIMIT_ELEMENTS)
      return LIMIT_ELEMENTS;
  }
  return weight;
}

static bool is_cheap(const Recomputation *all, const Equation *equation) {
  const Routine *routine = all->routine;
  if (map_has(&routine->recurrences, equation->target)) return false;
  if (map_has(&routine->segments, equation->target)) return false;
  if (remat_holds(&all->blocks, equation)) return true;
  if (routine->pressure->again == AGAIN_NOTHING) return is_draw(equation->body);
  if (LEAST_PART * weight_of(equation) < all->greatest) return is_draw(equation->body);
  if (is_draw(equation->body) || equation->reduction == REDUCE_NONE) return true;
  return routine->pressure->again == AGAIN_PASSES &&
         equation_volume(equation) <= equation_largest_tensor(all->scratch, equation);
}

static void read_values(Recomputation *all) {
  all->values = NEW_ARRAY(all->scratch, Value, all->count);
  map_init(&all->by_tensor, all->scratch);
  for (int i = 0; i < all->count; i++) {
    int64_t weight = weight_of(all->routine->equations.items[i]);
    if (weight > all->greatest) all->greatest = weight;
  }
  for (int i = 0; i < all->count; i++) {
    Equation *equation = all->routine->equations.items[i];
    all->values[i].equation = equation;
    all->values[i].reads = equation_reads(all->scratch, equation);
    all->values[i].is_cheap = is_cheap(all, equation);
    map_put(&all->by_tensor, equation->target, &all->values[i]);
  }
}

/* ---- which ---- */

static int number_of(const Recomputation *all, const Value *value) {
  return (int)(value - all->values);
}

static void add_forward(const Recomputation *all, Cut *cut, const Value *value) {
  cut_set_weight(cut, number_of(all, value), weight_of(value->equation));
  if (!value->is_cheap) cut_add_edge(cut, CUT_SOURCE, number_of(all, value));
  for (int i = 0; value->is_cheap && i < value->reads.count; i++) {
    const Value *read = value_of(all, value->reads.items[i]);
    if (read) cut_add_edge(cut, number_of(all, read), number_of(all, value));
  }
}

typedef LIST_OF(Value *) ValueList;

/* The values that are read behind the forward part. */
static ValueList values_read_behind(const Recomputation *all) {
  const EquationList *equations = &all->routine->equations;
  ValueList found = {0};
  Map seen;
  map_init(&seen, all->scratch);
  for (int i = all->count; i < equations->count; i++) {
    ExprList reads = equation_reads(all->scratch, equations->items[i]);
    for (int r = 0; r < reads.count; r++) {
      Value *value = value_of(all, reads.items[r]);
      if (!value || map_has(&seen, value)) continue;
      map_put(&seen, value, value);
      APPEND(all->scratch, &found, value);
    }
  }
  return found;
}

/* What is not kept, and what that is computed from, down to what is. */
static void find_again(Recomputation *all) {
  Cut *cut = cut_new(all->scratch, all->count);
  ValueList waiting = values_read_behind(all);
  for (int i = 0; i < all->count; i++) add_forward(all, cut, &all->values[i]);
  for (int i = 0; i < waiting.count; i++)
    cut_add_edge(cut, number_of(all, waiting.items[i]), CUT_SINK);
  cut_find(cut);
  while (waiting.count > 0) {
    Value *value = waiting.items[--waiting.count];
    bool is_kept = cut_has(cut, number_of(all, value)) || !value->is_cheap;
    if (is_kept || value->again || is_draw(value->equation->body)) continue;
    value->again = tensor_like(all->routine->model, value->equation->target, "again");
    for (int i = 0; i < value->reads.count; i++) {
      Value *read = value_of(all, value->reads.items[i]);
      if (read) APPEND(all->scratch, &waiting, read);
    }
  }
}

/* ---- the new order ---- */

static const Expr *replace_read(void *context, const Expr *leaf) {
  const Recomputation *all = context;
  const Value *value = is_read(leaf) ? value_of(all, leaf) : NULL;
  if (!value || !value->again) return leaf;
  return expr_read(all->routine->model->exprs, value->again, leaf->args, read_default(leaf));
}

static void read_again(Recomputation *all, Equation *equation) {
  ExprTable *exprs = all->routine->model->exprs;
  equation->body = expr_rewrite(exprs, all->scratch, equation->body, replace_read, all);
  if (equation->guard)
    equation->guard = expr_rewrite(exprs, all->scratch, equation->guard, replace_read, all);
}

/* One of those it reads that are computed again and not there yet; null: none. */
static Value *missing_read(const Recomputation *all, const ExprList *reads) {
  for (int i = 0; i < reads->count; i++) {
    Value *value = value_of(all, reads->items[i]);
    if (value && value->again && !value->is_stated) return value;
  }
  return NULL;
}

static void state_again(Recomputation *all, Value *value) {
  Renaming renaming;
  Equation *again =
      equation_again(all->routine, all->scratch, value->equation, value->again, &renaming);
  read_again(all, again);
  value->is_stated = true;
  APPEND(all->routine->model->arena, &all->equations, again);
}

/* What these reads ask for, each behind what it is computed from. */
static void state_reads(Recomputation *all, const ExprList *reads) {
  ValueList open = {0};
  for (Value *next; (next = missing_read(all, reads)) != NULL;) {
    APPEND(all->scratch, &open, next);
    while (open.count > 0) {
      Value *value = open.items[open.count - 1], *missing = missing_read(all, &value->reads);
      if (missing) {
        APPEND(all->scratch, &open, missing);
        continue;
      }
      state_again(all, value);
      open.count--;
    }
  }
}

/* Nothing comes between the equations of a recurrence, nor between those of one loop over segments. */
static bool stand_together(const Routine *routine, const Equation *a, const Equation *b) {
  const RecurrentEquation *in_cycle = map_get(&routine->recurrences, a->target);
  const RecurrentEquation *other = map_get(&routine->recurrences, b->target);
  const SegmentedEquation *in_segments = map_get(&routine->segments, a->target);
  const SegmentedEquation *others = map_get(&routine->segments, b->target);
  if (in_segments && others && in_segments->segments == others->segments) return true;
  return in_cycle && other && in_cycle->group == other->group;
}

static int end_of_group(const EquationList *equations, const Routine *routine, int first) {
  int end = first + 1;
  while (end < equations->count &&
         stand_together(routine, equations->items[end - 1], equations->items[end]))
    end++;
  return end;
}

static void add_behind(Recomputation *all, Equation *equation) {
  ExprList reads = equation_reads(all->scratch, equation);
  bool differs = false;
  for (int i = 0; i < reads.count; i++) {
    const Value *value = value_of(all, reads.items[i]);
    differs |= value && value->again;
  }
  Equation *copy = equation;
  if (differs) {
    copy = arena_copy(all->routine->model->arena, equation, sizeof *equation);
    map_put(&all->routine->sources, copy, equation_source(all->routine, equation));
    read_again(all, copy);
  }
  APPEND(all->routine->model->arena, &all->equations, copy);
}

static void reorder(Recomputation *all) {
  Routine *routine = all->routine;
  EquationList old = routine->equations;
  for (int i = 0; i < all->count; i++) APPEND(routine->model->arena, &all->equations, old.items[i]);
  for (int first = all->count, end; first < old.count; first = end) {
    end = end_of_group(&old, routine, first);
    for (int i = first; i < end; i++) {
      ExprList reads = equation_reads(all->scratch, old.items[i]);
      state_reads(all, &reads);
    }
    for (int i = first; i < end; i++) add_behind(all, old.items[i]);
  }
  routine->equations = all->equations;
}

void routine_recompute(Routine *routine) {
  bool trains = routine->kind == ROUTINE_TRAIN || routine->kind == ROUTINE_ACCUMULATE;
  bool is_asked = routine->pressure->again != AGAIN_NOTHING || routine->model->remat.count > 0;
  if (!is_asked || !trains || routine->forward_count == 0) return;
  Recomputation all = {.routine = routine, .scratch = arena_new(), .count = routine->forward_count};
  all.blocks = remat_blocks(all.scratch, routine->model);
  read_values(&all);
  find_again(&all);
  reorder(&all);
  arena_free(all.scratch);
}
