/* Turning: the target of a contraction is computed with its widest variable last.

     dw[k, c, r] = sum[n, p](x[n, c, p+r]*dy[n, k, p])   gives   dw.turned[c, r, k] = the same sum
                                                                 dw[k, c, r] = dw.turned[c, r, k]

   The inner loop of a contraction runs along the last variable of its target. That of the weights of a
   convolution is a narrow window; in vectors of channels many sums go on side by side instead. Sums keep their
   order, so bits do not change. */
#include "calculus/condition.h"
#include "calculus/variables.h"
#include "equations/contraction.h"
#include "loops/layout.h"

enum {
  NARROW = 8,        /* a last variable with fewer values may be no inner loop */
  LEAST_COLUMNS = 4, /* of the one that takes its place */
  LEAST_USES = 8,    /* of each element of its factor */
  LEAST_TERMS = 16   /* of the sum */
};

static bool may_be_turned(Layout *t, const Equation *equation) {
  const Routine *routine = t->routine;
  if (equation->var_count < 2 || equation->guard || equation->lanes != 1) return false;
  if (map_has(&routine->segments, equation->target)) return false;
  if (map_has(&routine->recurrences, equation->target)) return false;
  if (!equation_contracts(t->scratch, equation) || contraction_terms(equation) < LEAST_TERMS)
    return false;
  const Index *last = equation->vars[equation->var_count - 1];
  return extent_maximum(last->range) < NARROW && equation->target->type == TYPE_REAL;
}

/* The variable to have last: the widest that one factor alone has; null: the last as it is. */
static const Index *find_column(Layout *t, const Equation *equation) {
  if (!may_be_turned(t, equation) || equation_scatters_any(equation)) return NULL;
  const Index *last = equation->vars[equation->var_count - 1], *widest = last;
  for (int i = 0; i < equation->var_count; i++) {
    const Index *index = equation->vars[i];
    bool is_wider = extent_maximum(index->range) > extent_maximum(widest->range);
    if (is_wider && contraction_factor(t->scratch, equation, index)) widest = index;
  }
  bool is_wide = widest != last && extent_maximum(widest->range) >= LEAST_COLUMNS;
  if (!is_wide) return NULL;
  const Expr *factor = contraction_factor(t->scratch, equation, widest);
  return contraction_uses(t->scratch, equation, factor) >= LEAST_USES ? widest : NULL;
}

/* The same sums for a target that has one dim for each variable, the column last. */
static Equation *equation_turned(Layout *t, Equation *equation, const Index *column) {
  Model *model = t->routine->model;
  Equation *turned = arena_copy(model->arena, equation, sizeof *equation);
  const Index **vars = NEW_ARRAY(model->arena, const Index *, equation->var_count);
  Axis axes[LIMIT_RANK] = {{0}};
  int count = 0;
  for (int i = 0; i < equation->var_count; i++)
    if (equation->vars[i] != column) vars[count++] = equation->vars[i];
  vars[count++] = column;
  for (int i = 0; i < count; i++) {
    axes[i].extent = vars[i]->range;
    turned->place[i] = i;
  }
  turned->vars = vars;
  layout_define(t, turned, name_format(model->names, "%s.turned", equation->target->name), axes,
                count);
  map_put(&t->routine->sources, turned, equation_source(t->routine, equation));
  return turned;
}

/* target[..] = turned[.., column] */
static Equation *equation_turning_back(Layout *t, Equation *equation, const Equation *turned) {
  Model *model = t->routine->model;
  Equation *back = arena_copy(model->arena, equation, sizeof *equation);
  IndexList taken = {0};
  Renaming renaming =
      renaming_new(model, model->arena, equation->vars, equation->var_count, &taken);
  const Expr *read = tensor_read(model, turned->target, turned->vars);
  back->vars = renaming.to;
  back->reduction = REDUCE_NONE;
  back->reduced_count = 0;
  back->lanes = 0;
  back->body = renaming_apply(model, t->scratch, &renaming, read);
  map_put(&t->routine->sources, back, equation_source(t->routine, equation));
  return back;
}

static void turn_equation(Layout *t, Equation *equation) {
  Arena *arena = t->routine->model->arena;
  const Index *column = find_column(t, equation);
  if (!column) {
    APPEND(arena, &t->equations, equation);
    return;
  }
  Equation *turned = equation_turned(t, equation, column);
  APPEND(arena, &t->equations, turned);
  APPEND(arena, &t->equations, equation_turning_back(t, equation, turned));
}

void routine_turn(Routine *routine) {
  Layout layout;
  layout_run(&layout, routine, turn_equation);
}
