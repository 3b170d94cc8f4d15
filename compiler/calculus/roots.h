/* Roots: the tensors of a program that someone outside its equations reads. */
#ifndef NNC_CALCULUS_ROOTS_H
#define NNC_CALCULUS_ROOTS_H

#include "calculus/adjoint.h"

/* Outputs, metrics, losses, values of updates, gradients and what `grad` clauses stand around. */
TensorSet program_roots(const Model *model, const Program *program, Arena *arena);

/* The tensor stands for itself alone: a gradient is taken with respect to it, or a `grad` clause stands
   around it. What equals it must not take its place, nor may a rule look behind it. */
bool is_held(const Program *program, const Tensor *tensor);

/* The equations, what is read before its readers (but for recurrences). */
EquationList program_in_order(const Model *model, const Program *program, Arena *arena);

#endif
