/* Regions: where C computes each node of an expression.

   What is needed only in one branch of a choice is computed only there: the region of a node (the whole, or one
   side of a choice) is the innermost that holds all its uses. So what different choices use stands outside them
   all, and may be computed where none of their conditions holds and the equation itself would not. */
#ifndef NNC_LOOPS_REGIONS_H
#define NNC_LOOPS_REGIONS_H

#include "equations/expr.h"

typedef struct Region {
  struct Region *outer;
  int depth, number;
} Region;

typedef struct Computation {
  int uses;
  Region *region;
  Region *
      certain; /* the outermost where the equation itself computes it, whenever that region is entered */
  bool is_operand;  /* of something else than a choice between it and others */
  bool is_early;    /* a read for one side of a choice, done before it: see regions_of */
  Region *sides[3]; /* of a choice: of its lazy arguments; null: nothing is computed there alone */
} Computation;

typedef struct Regions {
  ExprList nodes; /* arguments before users */
  Computation *computations;
  Region *whole;
  int count; /* of regions; their numbers are below */
} Regions;

/* `may_be_early`, null: none: a read that a side of a choice needs may be done before the choice, which then selects
   among values and needs no jump. */
typedef bool (*MayBeEarly)(void *context, const Expr *read, const Computation *computation);
Regions regions_of(Arena *arena, const Expr *root, MayBeEarly may_be_early, void *context);
/* Where it is computed, the equation computes it, too. */
bool computation_is_certain(const Computation *computation);

#endif
