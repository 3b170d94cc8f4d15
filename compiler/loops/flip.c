/* Flipping: values whose rows are reduced in lanes lie with the rows side by side.

     s[t, u] = sum[e](q[t, e]*k[u, e])      gives   s.flipped[u, t] = sum[e](q[t, e]*k[u, e])
     l[t] = lse[u](s[t, u])                         l[t] = lse[u](s.flipped[u, t])
     p[t, u] = exp(s[t, u] - l[t])                  p.flipped[u, t] = exp(s.flipped[u, t] - l[t])

   Rows then go on in vectors beside each other (beside.h) where one alone would wait for each level of the tree of
   its lanes. All values that meet element by element are flipped together, or none: each is computed by a product,
   one factor of which has to be transposed either way, or element by element, and read by such rows, element by
   element, or by products that take it one number at a time. Sums keep their order, so bits do not change. */
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"
#include "loops/beside.h"
#include "loops/layout.h"
#include "loops/reorder.h"

typedef struct Flip {
  Routine *routine;
  Arena *scratch;
  Map members;         /* Tensor * -> itself */
  Map readers, places; /* of the routine's equations */
} Flip;

/* The last two variables of an element. */
typedef struct Pair {
  const Index *row, *column;
} Pair;

static bool find_pair(const Expr *element, Pair *pair) {
  int rank = read_rank(element);
  if (rank < 2) return false;
  *pair = (Pair){lone_index(element->args[rank - 2]), lone_index(element->args[rank - 1])};
  return pair->row && pair->column && pair->row != pair->column;
}

static bool is_of_pair(const Expr *element, const Pair *pair) {
  Pair own;
  return find_pair(element, &own) && own.row == pair->row && own.column == pair->column;
}

static bool is_member(const Flip *f, const Tensor *tensor) {
  return map_has(&f->members, tensor);
}

/* ---- which values ---- */

static bool may_be_flipped(const Flip *f, const Tensor *tensor) {
  int64_t ignored;
  return layout_is_free(f->routine, tensor) && tensor->rank >= 2 &&
         beside_width(f->routine, tensor->axes[tensor->rank - 2].extent) > 0 &&
         extent_is_constant(tensor->axes[tensor->rank - 1].extent, &ignored);
}

/* An element that runs in the pair's loops is of a member, which it may become. */
static bool admits(Flip *f, const Expr *element, const Pair *pair) {
  const Tensor *tensor = element->tensor;
  if (!is_of_pair(element, pair)) return !is_member(f, tensor);
  if (read_default(element) || !may_be_flipped(f, tensor)) return false;
  map_put(&f->members, tensor, (void *)tensor);
  return true;
}

/* The target's own element; false: its last two dims have no variable each. */
static bool own_pair(const Flip *f, const Equation *equation, Pair *pair) {
  const Tensor *target = equation->target;
  return target->rank >= 2 &&
         find_pair(equation_own_read(f->routine->model, equation, target), pair);
}

static bool admits_reads(Flip *f, const Equation *equation, const Pair *pair) {
  ExprList reads = equation_reads(f->scratch, equation);
  for (int i = 0; i < reads.count; i++)
    if (!admits(f, reads.items[i], pair)) return false;
  return true;
}

static bool admits_map(Flip *f, const Equation *equation) {
  Pair pair;
  if (!own_pair(f, equation, &pair)) return false;
  const Expr *own = equation_own_read(f->routine->model, equation, equation->target);
  return admits(f, own, &pair) && admits_reads(f, equation, &pair);
}

static bool admits_rows(Flip *f, const Equation *equation) {
  if (equation->var_count == 0 || is_member(f, equation->target)) return false;
  const Pair pair = {equation->vars[equation->var_count - 1],
                     equation->reduced[equation->reduced_count - 1]};
  return admits_reads(f, equation, &pair);
}

/* The factor with the column lies otherwise, now and when the rows are the column. */
static bool computes_either_way(const Flip *f, const Equation *equation, const Pair *pair) {
  ExprTable *table = f->routine->model->exprs;
  const Expr *across = contraction_factor(f->scratch, equation, pair->column);
  return across && contraction_factor(f->scratch, equation, pair->row) &&
         expr_movement(table, across, pair->column) == NOT_BY_ONE;
}

static bool admits_product(Flip *f, const Equation *equation) {
  Pair pair;
  const Index *column = equation->var_count > 0 ? equation->vars[equation->var_count - 1] : NULL;
  if (!column || !equation_contracts(f->scratch, equation)) return false;
  if (is_member(f, equation->target)) {
    if (!own_pair(f, equation, &pair) || !computes_either_way(f, equation, &pair)) return false;
    column = pair.row;
  }
  const Expr *across = contraction_factor(f->scratch, equation, column);
  for (int i = 0; i < 2; i++) {
    const Expr *factor = equation->body->args[i];
    if (is_read(factor) && is_member(f, factor->tensor)) {
      if (factor == across || !across || read_default(factor)) return false;
      continue;
    }
    ExprList nodes = expr_postorder(f->scratch, &factor, 1);
    for (int k = 0; k < nodes.count; k++)
      if (is_read(nodes.items[k]) && is_member(f, nodes.items[k]->tensor)) return false;
  }
  return true;
}

static bool admits_equation(Flip *f, const Equation *equation) {
  const Routine *routine = f->routine;
  if (map_has(&routine->recurrences, equation->target)) return false;
  if (map_has(&routine->segments, equation->target)) return false;
  if (is_draw(equation->body)) return false;
  if (equation->reduction == REDUCE_NONE) return admits_map(f, equation);
  bool has_rows = equation->lanes == LANES;
  return has_rows ? admits_rows(f, equation) : admits_product(f, equation);
}

static bool admits_touching(Flip *f, const Tensor *member) {
  const EquationList *equations = &f->routine->equations;
  int own = equation_position(equations, &f->places, member);
  if (own >= 0 && !admits_equation(f, equations->items[own])) return false;
  const PositionList *readers = map_get(&f->readers, member);
  for (int i = 0; readers && i < readers->count; i++)
    if (!admits_equation(f, equations->items[readers->items[i]])) return false;
  return true;
}

/* All that has to be flipped with the members; false: something cannot be. */
static bool find_members(Flip *f) {
  int before;
  do {
    before = f->members.count;
    for (int i = 0; i < f->members.count; i++)
      if (!admits_touching(f, f->members.keys[i])) return false;
  } while (f->members.count > before);
  return true;
}

static void note_equations(Flip *f) {
  f->readers = equation_readers(f->scratch, &f->routine->equations);
  f->places = equation_places(f->scratch, &f->routine->equations);
}

static void flip_members(Flip *f) {
  Reordering reordering;
  reordering_init(&reordering, f->routine, f->scratch);
  for (int i = 0; i < f->members.count; i++) {
    const Tensor *tensor = f->members.keys[i];
    reordering_add(&reordering, tensor, tensor->rank - 2);
  }
  routine_reorder(&reordering);
  note_equations(f);
}

/* ---- where to begin ---- */

/* A value whose rows the equation reduces; null: there is none. */
static const Tensor *find_seed(const Flip *f, const Equation *equation) {
  bool suits = equation->reduction == REDUCE_SUM || equation->reduction == REDUCE_LSE;
  if (!suits || equation->lanes != LANES || equation->var_count == 0) return NULL;
  const Pair pair = {equation->vars[equation->var_count - 1],
                     equation->reduced[equation->reduced_count - 1]};
  ExprList reads = equation_reads(f->scratch, equation);
  for (int i = 0; i < reads.count; i++)
    if (is_of_pair(reads.items[i], &pair) && may_be_flipped(f, reads.items[i]->tensor))
      return reads.items[i]->tensor;
  return NULL;
}

void routine_flip(Routine *routine) {
  if (routine->target->vector_bytes == 0) return;
  Flip flip = {.routine = routine, .scratch = arena_new()};
  note_equations(&flip);
  for (int i = 0; i < routine->equations.count; i++) {
    const Tensor *seed = find_seed(&flip, routine->equations.items[i]);
    if (!seed) continue;
    map_init(&flip.members, flip.scratch);
    map_put(&flip.members, seed, (void *)seed);
    if (find_members(&flip)) flip_members(&flip);
  }
  arena_free(flip.scratch);
}
