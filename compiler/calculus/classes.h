/* Classes of dims: two dims are of one class where a variable of some equation alone addresses both.

   The samples of a batch are one class, from the input to the last gradient, and so are the channels between two
   layers. It is what a decision about memory is made for: dims of one class lie alike. */
#ifndef NNC_CALCULUS_CLASSES_H
#define NNC_CALCULUS_CLASSES_H

#include "equations/equation.h"

typedef struct Classes Classes;

Classes *classes_of(Arena *arena, const EquationList *equations);

/* How many numbers classes have: theirs are below. */
int classes_count(const Classes *classes);

/* How many dims of the tensor are of the class; the one that is, -1: none or several. */
int class_dims(const Classes *classes, const Tensor *tensor, int class);
int class_dim(const Classes *classes, const Tensor *tensor, int class);

/* The class of the dims that the variable alone addresses; -1: it never does. */
int class_along(const Classes *classes, const Index *variable);

/* The variable of the equation, or of its reduction, that alone addresses dims of the class; null: none. */
const Index *class_variable(const Classes *classes, const Equation *equation, int class);

/* Every tensor, in order of first occurrence. */
int classes_tensor_count(const Classes *classes);
const Tensor *classes_tensor(const Classes *classes, int position);

#endif
