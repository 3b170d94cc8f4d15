/* Stand-ins: what the program outside training reads of a parameter with a `state a = w @eval` is that
   state. Parameters without one, frozen ones for example, are read themselves. */
#include "elaborate/trainer.h"

typedef struct Reading {
  ExprTable *exprs;
  const Map *stand_ins; /* parameter -> its slot */
} Reading;

static const Expr *replace_read(void *context, const Expr *leaf) {
  const Reading *reading = context;
  const Tensor *slot = is_read(leaf) ? map_get(reading->stand_ins, leaf->tensor) : NULL;
  return slot ? expr_read(reading->exprs, slot, leaf->args, read_default(leaf)) : leaf;
}

void stand_ins_read(Model *model, const Map *stand_ins) {
  Program *program = &model->eval;
  Reading reading = {model->exprs, stand_ins};
  if (stand_ins->count == 0) return;
  Arena *scratch = arena_new();
  for (int i = 0; i < program->equations.count; i++) {
    Equation *equation = program->equations.items[i];
    equation->body = expr_rewrite(model->exprs, scratch, equation->body, replace_read, &reading);
    if (!equation->guard) continue;
    equation->guard = expr_rewrite(model->exprs, scratch, equation->guard, replace_read, &reading);
  }
  for (int i = 0; i < program->gradients.count; i++) {
    Gradient *gradient = &program->gradients.items[i];
    Tensor *slot = map_get(stand_ins, gradient->with_respect_to);
    if (slot) gradient->with_respect_to = slot;
  }
  arena_free(scratch);
}
