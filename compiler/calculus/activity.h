/* Activity: which tensors lie on a differentiable path from a scalar down to what it is differentiated
   with respect to. Only these get adjoints (Griewank & Walther, Evaluating Derivatives, section 6.2). */
#ifndef NNC_CALCULUS_ACTIVITY_H
#define NNC_CALCULUS_ACTIVITY_H

#include "calculus/adjoint.h"

typedef struct Activity {
  TensorSet active;
  LIST_OF(const Tensor *) order; /* active tensors, users before what they read (but for cycles) */
  TensorSet useful;              /* reached from the scalar, active or not */
  TensorSet cyclic;              /* some reader comes at the same place or later in the order */
} Activity;

/* `gradients` all have the same `of`. */
Activity activity_find(Model *model, const Program *program, Arena *arena,
                       const Derivatives *derivatives, const GradientList *gradients);

/* The equation that a tensor of the program is computed by; null for parameters, inputs and the like. */
static inline const Equation *equation_of(const Tensor *tensor) {
  bool computed = tensor->role == ROLE_VALUE || tensor->role == ROLE_GRADIENT;
  return computed ? tensor->definition : NULL;
}

/* Body and guard of the equation and all below, arguments first. */
ExprList equation_nodes(Arena *arena, const Equation *equation);

bool reduction_is_differentiable(Reduction reduction);

/* Reports NN0501 for gradients whose path is missing, naming where it breaks: once for each break, with
   the number of others that are lost there. All have the same `of`. */
void report_breaks(Model *model, const Program *program, Arena *arena,
                   const Derivatives *derivatives, const Activity *activity,
                   const GradientList *missing);

#endif
