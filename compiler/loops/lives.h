/* Lives: where each tensor is written and read in the nests of a routine.

   Steps number the top-level nodes of all nests in order; a tensor must keep its memory from the step of
   its first access to that of its last. `path` is the chain of loops and branches that encloses every
   access; a dim whose subscript is, at every access, the index of one loop on that path needs no room. */
#ifndef NNC_LOOPS_LIVES_H
#define NNC_LOOPS_LIVES_H

#include "loops/build.h"

enum { MAX_PATH = 2 * MAX_LOOPS };

typedef struct Access {
  LoopNode *path[MAX_PATH]; /* enclosing FOR and IF nodes, outermost first */
  int depth;
  LoopNode *node;           /* the node that reads or stores */
  int nest, step, sequence; /* sequence: pre-order number of the node */
  const Expr *const *subscripts;
} Access;

typedef struct AccessList {
  Access *items;
  int count, capacity;
} AccessList;

typedef struct Life {
  const Tensor *tensor;
  AccessList accesses; /* in sequence */
  Access first, last;  /* in sequence */
  Access store;        /* the last store */
  int store_count;
  LoopNode *path[MAX_PATH]; /* common to all accesses */
  int depth;
  const Expr *subscripts[LIMIT_RANK]; /* equal in all accesses; null where they differ */
} Life;

typedef struct Lives {
  Arena *scratch;
  Map by_tensor; /* Tensor * -> Life *, in order of first access */
  int steps;
} Lives;

Lives lives_of(const Routine *routine, Arena *scratch);

#endif
