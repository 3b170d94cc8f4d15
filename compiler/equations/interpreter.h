/* The interpreter: equations evaluated in double, straight from their definition.

   It is the reference that every later stage is tested against: slow, plain, and sharing nothing with
   derive, fuse or emit. Every value is a dual number (value, tangent), so that one evaluation also gives
   the derivative along a direction by rules of its own (dual.c), which never see the derivative columns of
   ops.def. It runs every model the front end accepts: recurrences in any direction, windows, gathers. */
#ifndef NNC_EQUATIONS_INTERPRETER_H
#define NNC_EQUATIONS_INTERPRETER_H

#include "equations/dual.h"
#include "equations/equation.h"

typedef struct Interpreter Interpreter;

/* `sizes[dim->id]` for each run-time dim. Parameters, states and slots live on between calls. */
Interpreter *interpreter_new(Model *model, uint64_t seed);
void interpreter_free(Interpreter *interpreter);

/* Sets run-time sizes and forgets every value of inputs and equations. */
void interpreter_start(Interpreter *interpreter, const int64_t *sizes);

/* Elements of an INPUT, TARGET, PARAM, STATE, SLOT, HYPER or STEP tensor, row-major in actual extents:
   writable storage; tangents start at 0. For a VALUE tensor: evaluates it if it was not. Null on
   an error (an out-of-range gather, a cycle): see interpreter_error. */
Dual *interpreter_tensor(Interpreter *interpreter, const Program *program, const Tensor *tensor);
int64_t interpreter_elements(const Interpreter *interpreter, const Tensor *tensor);

/* Initial values of parameters and states (slots too) by model->init; step 0. */
bool interpreter_initialise(Interpreter *interpreter);

/* One training step: evaluates the loss, the updates of the step and of the model, and commits all.
   The derivative must have been taken. step += 1. */
bool interpreter_train_step(Interpreter *interpreter, int step_block, double *loss);

const char *interpreter_error(const Interpreter *interpreter); /* null: none */

#endif
