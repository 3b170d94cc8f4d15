/* `nnc show`: layers, and what its tables measure. */
#ifndef NNC_COMMAND_LAYERS_H
#define NNC_COMMAND_LAYERS_H

#include "equations/equation.h"

/* A row for each application of a definition that the outputs need, in the order of the equations: its path,
   the shape of what it gives on, parameters and their bytes, scalar operations of one inference at the maxima
   of run-time dims. What stands in the model itself comes last. */
void layers_print(Arena *arena, const Model *model, int64_t bytes_of_real);

/* show.c: elements at the maxima; "[N, 128]"; scalar operations, a multiply-add counting two. */
int64_t tensor_count(const Tensor *tensor);
const char *tensor_shape(Arena *arena, const Tensor *tensor);
double equation_operations(const Equation *equation);

#endif
