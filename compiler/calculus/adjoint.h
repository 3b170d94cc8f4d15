/* Adjoints of a scalar expression: one reverse sweep over its DAG.

   Linear in the DAG, whatever the number of reads (Griewank & Walther, Evaluating Derivatives, ch. 3). */
#ifndef NNC_CALCULUS_ADJOINT_H
#define NNC_CALCULUS_ADJOINT_H

#include "calculus/formula.h"

/* Which tensors a derivative is wanted for, by tensor->id. */
typedef struct TensorSet {
  unsigned char *members;
  int size;
} TensorSet;
TensorSet tensor_set_new(Arena *arena, const Model *model);
static inline bool is_member(const TensorSet *set, const Tensor *tensor) {
  return tensor->id < set->size && set->members[tensor->id];
}
static inline void tensor_set_add(TensorSet *set, const Tensor *tensor) {
  set->members[tensor->id] = 1;
}

/* Derivatives of the operation with respect to this argument may differ from 0. */
bool is_differentiable(const Derivatives *derivatives, const Expr *e, int argument);

/* The reads of real tensors that a change can pass through to reach `body`, each once, in order of
   evaluation, last first. */
typedef struct ReadList {
  const Expr **items;
  int count, capacity;
} ReadList;
ReadList differentiable_reads(Arena *arena, const Derivatives *derivatives, const Expr *body);

typedef struct Weight {
  const Expr *read;
  const Expr *weight; /* derivative of the whole with respect to this read */
} Weight;
typedef struct WeightList {
  Weight *items;
  int count, capacity;
} WeightList;

/* For every read of a tensor in `wanted`: seed * d(body)/d(read). `value` is an expression equal to `body`
   that is cheaper to evaluate (a read of the tensor it defines), or null. Undefined derivatives on the
   way are reported as NN0503 at `span`. */
WeightList adjoint_weights(Model *model, Arena *scratch, const Derivatives *derivatives,
                           const TensorSet *wanted, const Expr *body, const Expr *value,
                           const Expr *seed, Span span);

#endif
