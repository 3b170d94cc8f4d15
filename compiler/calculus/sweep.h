/* One reverse sweep: the adjoints of every active tensor for one scalar.

   derive.c drives it; settle.c turns what a tensor has received into its adjoint equation; custom.c does
   the same for the inputs of `grad` clauses. */
#ifndef NNC_CALCULUS_SWEEP_H
#define NNC_CALCULUS_SWEEP_H

#include "calculus/activity.h"
#include "calculus/invert.h"

/* What one read of a tensor adds to its adjoint. */
typedef struct Contribution {
  Inverse inverse;
  const Equation *source; /* the equation that reads it */
} Contribution;

typedef struct Adjoint {
  Tensor *requested;    /* the result of a request; null: none asks for it */
  Tensor *tensor;       /* holds it; null until it is needed */
  const Expr *constant; /* the number it is everywhere, once known; null: see tensor */
  const Index **vars;   /* of its equation, one for each dim; null until the first contribution */
  LIST_OF(Contribution) contributions;
  bool settled;
} Adjoint;

typedef struct Sweep {
  Model *model;
  Program *program;
  Arena *scratch;
  const Derivatives *derivatives;
  const GradientList *gradients; /* all of the same scalar */
  Activity activity;
  Adjoint *adjoints; /* by tensor->id */
} Sweep;

static inline Adjoint *sweep_adjoint(const Sweep *sweep, const Tensor *tensor) {
  return &sweep->adjoints[tensor->id];
}

/* The tensor that holds the adjoint: the result of a request, or a new one, "d.NAME". */
Tensor *adjoint_tensor(Sweep *sweep, const Tensor *tensor);

/* The adjoint at an element: its number when it is one everywhere; 0 when the tensor is not active. */
const Expr *adjoint_read(Sweep *sweep, const Tensor *tensor, const Expr *const *subscripts);

/* Variables for the adjoint's equation, named as at the definition of the tensor or as in `read`
   (may be null). */
const Index *const *adjoint_variables(Sweep *sweep, const Tensor *tensor, const Expr *read);

/* The equation `adjoint of tensor = body` over adjoint_variables. */
Equation *adjoint_define(Sweep *sweep, const Tensor *tensor, const Expr *body,
                         const Equation *source);

/* Makes the adjoint of what the tensor has received: a number, or an equation. */
void adjoint_settle(Sweep *sweep, const Tensor *tensor);

/* The `grad` clause whose input this is; null: none. */
const CustomGradient *custom_gradient_of(const Program *program, const Tensor *tensor);
void custom_gradient_settle(Sweep *sweep, const CustomGradient *custom);

#endif
