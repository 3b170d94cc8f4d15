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

/* Parameters, states and slots live on between calls. */
Interpreter *interpreter_new(Model *model, uint64_t seed);
void interpreter_free(Interpreter *interpreter);

/* Uniform draws of 24 bits, as a program with 32-bit reals makes them. */
void interpreter_use_f32_draws(Interpreter *interpreter, bool f32);

/* Initial values of parameters, states and slots by model->init; step 0. */
bool interpreter_initialise(Interpreter *interpreter);

/* Sets run-time sizes, `sizes[dim->id]`, and forgets every value of inputs and equations. False when a
   size is out of bounds or breaks a check of the model. */
bool interpreter_start(Interpreter *interpreter, const int64_t *sizes);

/* Forgets the values of equations: after a change of inputs, parameters or tangents. */
void interpreter_forget(Interpreter *interpreter);

/* Elements of an INPUT, TARGET, PARAM, STATE, SLOT, CONST, HYPER or STEP tensor, row-major: writable;
   tangents start at 0. Inputs have their actual extents, parameters and states over a run-time dim the
   maximum. For the tensor of an equation: evaluates it if it was not. Null on an error (an out-of-range
   gather, a cycle): see interpreter_error. */
Dual *interpreter_tensor(Interpreter *interpreter, const Tensor *tensor);
int64_t interpreter_elements(Interpreter *interpreter, const Tensor *tensor);
int64_t interpreter_extent(Interpreter *interpreter, const Tensor *tensor, int axis);

/* One training step, in two halves so that every value in it can be read in between: the step number
   goes up by one and values are forgotten; the loss and the updates of the step and of the model are
   evaluated and committed together. The derivative must have been taken. */
void interpreter_begin_step(Interpreter *interpreter);
bool interpreter_finish_step(Interpreter *interpreter, int step_block, double *loss);

/* Commits the updates that are kept in inference, `state ... @live`. */
bool interpreter_finish_inference(Interpreter *interpreter);

/* Operations on reals so far: each of an expression where it is evaluated, one for each point that a reduction of
   more than one adds. */
int64_t interpreter_operations(const Interpreter *interpreter);

const char *interpreter_error(const Interpreter *interpreter); /* null: none */

#endif
