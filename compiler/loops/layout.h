/* Layout: values lie in memory as the inner loops of contractions run.

   Passes see to it: windows slide over padded copies (pad.c), sums whose last variable is narrow are
   computed for a turned target (turn.c), and a factor that the inner loop would stride through is transposed
   (transpose.c). Each goes through the equations in order and puts others in place of some; what they
   compute, term by term, stays. */
#ifndef NNC_LOOPS_LAYOUT_H
#define NNC_LOOPS_LAYOUT_H

#include "loops/build.h"

typedef struct Layout {
  Routine *routine;
  Arena *scratch;
  EquationList equations; /* in their new order */
  EquationList copies;    /* of those, that others may share: see blocks.h */
} Layout;

/* Calls `visit` for each equation, which appends it, or what takes its place, to layout->equations. */
void layout_run(Layout *layout, Routine *routine, void (*visit)(Layout *, Equation *));

/* A value that no program has, defined by the equation; ROLE_VALUE and real. */
void layout_define(Layout *layout, Equation *equation, Name name, const Axis *axes, int rank);

/* name[variables] = element, for the equation, over variables of its own. */
Equation *layout_copy(Layout *layout, const Equation *equation, Name name,
                      const IndexList *variables, const Expr *element);

/* The same contraction with `read` in place of a factor. */
Equation *layout_reading(Layout *layout, Equation *equation, const Expr *factor, const Expr *read);

/* fill.c: so many elements, in whole rounds of lanes. */
const Extent *extent_filled(Model *model, const Extent *range);

/* rearrange.c: how the value lies is for the routine to say, so that copies of it may become the value itself. */
bool layout_is_free(const Routine *routine, const Tensor *tensor);

/* Whether a copy of the factor may be made before the equation: every read is certain to be in range, and none
   is of a value that the same recurrence steps through. `recurrent`: of the equation, null: it is in none. */
bool layout_may_read_ahead(Layout *layout, const Expr *factor, const RecurrentEquation *recurrent);

/* The copy at the end, or before the first equation of the recurrence that the last ones are of. */
void layout_insert(Layout *layout, Equation *copy, int group);

#endif
