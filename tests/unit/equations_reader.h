/* Equations from text, for tests of the rooms below the elaborator.

   Reads `dim`, `input`, `target`, `param`, `loss` and equations with every range written (`z[n in 4]`),
   one scalar type, no definitions. Nested reductions are hoisted. A text it cannot read fails the test. */
#ifndef NNC_TESTS_EQUATIONS_READER_H
#define NNC_TESTS_EQUATIONS_READER_H

#include "equations/interpreter.h"

/* A model in an arena of its own (model->arena): equations in model->train, `loss NAME` in its first step.
   Diagnostics go to model->diagnostics. */
Model *read_model(const char *text);

/* Asks for the derivative of `of` with respect to `name` in the step; the result is "d.NAME". */
Tensor *request_gradient(Model *model, const char *of, const char *name);

Tensor *find_tensor(const Model *model, const char *name);

/* Inputs and parameters set to values in about -1..1 that depend on `seed`; whole numbers to any that
   their type allows. Tangents of parameters likewise when `tangents`, else 0. */
void fill_tensors(Interpreter *interpreter, const Model *model, unsigned seed, bool tangents);

#endif
