/* Widening: products whose last variable fills vectors badly, and the windows that reduce them, have another last.

     z[k, p, q] = sum[c, r, s](x[c, p+r, q+s]*w[k, c, r, s])    gives   z[p, q, k] = the same sum
     y[k, p, q] = max[r, s](z[k, 2*p+r, 2*q+s])                         y[p, q, k] = max[r, s](z[2*p+r, 2*q+s, k])

   where 10 places of q need a vector for 16, as many as there are channels k. Windows then move by whole vectors,
   too. Products keep the order of their sums, so bits do not change. */
#include "calculus/condition.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"
#include "loops/layout.h"
#include "loops/reorder.h"

/* Operations of vectors that are saved for each element which is copied. */
enum { LEAST_SAVED = 2 };

typedef struct Widening {
  Routine *routine;
  Arena *scratch;
  Map readers; /* of the routine's equations */
} Widening;

/* Operations of vectors along the variable; 0: how many there are is known at run time only. */
static double vectors_along(const Routine *routine, const Equation *equation,
                            const Index *variable) {
  int64_t lanes = routine->target->vector_bytes / routine->bytes_of_real, count;
  if (!extent_is_constant(variable->range, &count)) return 0;
  int64_t vectors = (count + lanes - 1) / lanes;
  return equation_volume(equation) / (double)count * (double)vectors;
}

static bool has_place_for_each(const Equation *equation) {
  for (int i = 0; i < equation->var_count; i++)
    if (equation->place[i] != i) return false;
  return equation->var_count == equation->target->rank;
}

static bool may_be_widened(const Widening *w, const Equation *equation) {
  const Routine *routine = w->routine;
  return equation->var_count > 1 && !equation->guard && has_place_for_each(equation) &&
         layout_is_free(routine, equation->target) &&
         !map_has(&routine->recurrences, equation->target) &&
         !map_has(&routine->carried, equation->target);
}

/* The variable to be last; null: the last as it is. */
static const Index *find_wider(const Widening *w, const Equation *equation) {
  if (!may_be_widened(w, equation) || equation->lanes != 1) return NULL;
  if (!equation_contracts(w->scratch, equation)) return NULL;
  const Index *last = equation->vars[equation->var_count - 1], *best = NULL;
  double least = vectors_along(w->routine, equation, last);
  for (int i = 0; i + 1 < equation->var_count; i++) {
    const Index *index = equation->vars[i];
    const Expr *factor = contraction_factor(w->scratch, equation, index);
    double vectors = vectors_along(w->routine, equation, index);
    if (!factor || !is_read(factor) || vectors == 0) continue;
    double copied = tensor_volume(factor->tensor) + tensor_volume(equation->target);
    if (vectors + LEAST_SAVED * copied >= least) continue;
    best = index;
    least = vectors;
  }
  return best;
}

/* An extreme of what is read, which stands at one value of a variable of its own there; null: it is none. */
static const Index *window_variable(const Widening *w, const Equation *window, const Tensor *value,
                                    int dim) {
  bool is_extreme = window->reduction == REDUCE_MAX || window->reduction == REDUCE_MIN;
  if (!is_extreme || !may_be_widened(w, window)) return NULL;
  ExprList reads = equation_reads(w->scratch, window);
  const Index *found = NULL;
  for (int i = 0; i < reads.count; i++) {
    if (reads.items[i]->tensor != value) continue;
    const Index *index = lone_index(reads.items[i]->args[dim]);
    if (!index || (found && found != index)) return NULL;
    found = index;
  }
  return found && equation_dim_of(window, found) >= 0 ? found : NULL;
}

/* All that reads the value; false: something is no window along other dims. */
static bool add_windows(Widening *w, Reordering *reordering, const Tensor *value, int dim) {
  const PositionList *readers = map_get(&w->readers, value);
  for (int i = 0; readers && i < readers->count; i++) {
    const Equation *equation = w->routine->equations.items[readers->items[i]];
    const Index *variable = window_variable(w, equation, value, dim);
    if (!variable) return false;
    reordering_add(reordering, equation->target, equation_dim_of(equation, variable));
  }
  return readers != NULL;
}

void routine_widen(Routine *routine) {
  if (routine->target->vector_bytes == 0) return;
  Widening widening = {.routine = routine, .scratch = arena_new()};
  widening.readers = equation_readers(widening.scratch, &routine->equations);
  for (int i = 0; i < routine->equations.count; i++) {
    const Equation *product = routine->equations.items[i];
    const Index *column = find_wider(&widening, product);
    if (!column) continue;
    Reordering reordering;
    int dim = equation_dim_of(product, column);
    reordering_init(&reordering, routine, widening.scratch);
    reordering_add(&reordering, product->target, dim);
    if (!add_windows(&widening, &reordering, product->target, dim)) continue;
    routine_reorder(&reordering);
    widening.readers = equation_readers(widening.scratch, &routine->equations);
  }
  arena_free(widening.scratch);
}
