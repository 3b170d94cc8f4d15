/* Monotone: sums and bounds move out of maxima and minima. */
#include "calculus/monotone.h"

#include "calculus/activity.h"
#include "calculus/roots.h"
#include "calculus/variables.h"

typedef struct Monotone {
  Model *model;
  Program *program;
  Arena *arena;
  CommonVariables common;
  Map places; /* what an argmax or argmin is taken of, over common variables */
} Monotone;

static bool is_extreme(const Equation *equation) {
  return (equation->reduction == REDUCE_MAX || equation->reduction == REDUCE_MIN) &&
         !equation->guard && equation->target->type == TYPE_REAL;
}

static void note_place(Monotone *m, const Equation *equation) {
  if (equation->reduction == REDUCE_ARGMAX || equation->reduction == REDUCE_ARGMIN)
    map_put(&m->places, common_body(&m->common, equation), (void *)equation);
}

static bool varies(const Monotone *m, const Equation *equation, const Expr *e) {
  for (int i = 0; i < equation->reduced_count; i++)
    if (expr_uses_index(m->arena, e, equation->reduced[i])) return true;
  return false;
}

/* The argument whose order the operation keeps, the other being the same at all points; -1: none. */
static int ordered_argument(const Monotone *m, const Equation *equation, const Expr *value) {
  if (value->op != OP_MAX && value->op != OP_MIN && value->op != OP_ADD) return -1;
  for (int i = 0; i < 2; i++)
    if (varies(m, equation, value->args[i]))
      return varies(m, equation, value->args[1 - i]) || value->args[i]->type != TYPE_REAL ? -1 : i;
  return -1;
}

/* What is read, as the right side of the equation that computes it; what it is not, as it is. */
static const Expr *defined_value(const Monotone *m, const Expr *read) {
  const Equation *definition = is_read(read) ? equation_of(read->tensor) : NULL;
  if (!definition || read_default(read) || definition->reduction != REDUCE_NONE ||
      definition->var_count != definition->target->rank || is_held(m->program, read->tensor))
    return read;
  return equation_at_read(m->model, m->arena, definition, read, definition->body);
}

/* The operations around the read at the heart of each point, outermost first, and that read; null: it is none. */
static const Expr *peel(const Monotone *m, const Equation *equation, ExprList *around) {
  const Expr *heart = equation->body;
  for (;;) {
    const Expr *value = defined_value(m, heart);
    int ordered = ordered_argument(m, equation, value);
    if (ordered < 0) return is_read(heart) && !read_default(heart) ? heart : NULL;
    APPEND(m->arena, around, value);
    heart = value->args[ordered];
  }
}

/* The operations, around the extreme of the hearts. */
static void move_out(Monotone *m, Equation *equation) {
  ExprTable *exprs = m->model->exprs;
  ExprList around = {0};
  if (!is_extreme(equation) || map_has(&m->places, common_body(&m->common, equation))) return;
  const Expr *heart = peel(m, equation, &around);
  if (!heart || around.count == 0) return;
  Name name = name_format(m->model->names, "%s.of", equation->target->name);
  const Expr *value =
      equation_hoist(m->model, m->program, name, equation->reduction, equation->reduced,
                     equation->reduced_count, NULL, heart, equation->instance, equation->span);
  for (int i = around.count - 1; i >= 0; i--) {
    const Expr *args[2] = {around.items[i]->args[0], around.items[i]->args[1]};
    args[ordered_argument(m, equation, around.items[i])] = value;
    value = expr_binary(exprs, around.items[i]->op, args[0], args[1]);
  }
  equation->reduction = REDUCE_NONE;
  equation->reduced_count = 0;
  equation->body = value;
}

void monotone(Model *model, Program *program) {
  Monotone m = {.model = model, .program = program, .arena = arena_new()};
  common_open(&m.common, model, m.arena);
  map_init(&m.places, m.arena);
  EquationList order = program_in_order(model, program, m.arena);
  for (int i = 0; i < order.count; i++) note_place(&m, order.items[i]);
  for (int i = 0; i < order.count; i++) move_out(&m, order.items[i]);
  arena_free(m.arena);
}
