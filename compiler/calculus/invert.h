/* Index inversion: who reads this element?

   For a read A[s1..sR] at the points (i, r) of an equation, with weight w(i, r), the adjoint of A is

     dA[u1..uR] = sum over all (i, r) with s(i, r) = u and the guard true, of w(i, r)

   and inversion solves s = u for as many iteration variables as it can, so that what is left is a gather:

     v                       v = u
     (a, e) as a*E + e       a = u//E, e = u % E; the same for windows that do not overlap
     v + rest, -v + rest     v = u - rest, v = rest - u, for the variable of largest range
     (v + rest)//c           v = u*c + q - rest with a new variable q in 0..c-1
     v % c                   v = q*c + u, likewise
     c*v + rest              v = (u - rest)//c where (u - rest) % c = 0
     anything else           a condition s = u: constants, diagonals, gathered subscripts

   A solved variable outside its range contributes nothing: its range becomes a condition unless it is
   proved. Variables left over are summed; one that nothing depends on any more counts its range. */
#ifndef NNC_CALCULUS_INVERT_H
#define NNC_CALCULUS_INVERT_H

#include "equations/equation.h"

typedef enum {
#define INVERSION(name, title) INVERSION_##name,
#include "calculus/inversions.def"
#undef INVERSION
  INVERSION_demand, /* s = u remains */
  INVERSION_COUNT
} Inversion;

typedef struct Inverse {
  IndexList reduced;  /* new variables, in the order of the iteration */
  const Expr *outer;  /* condition on the target variables alone; null: true */
  const Expr *guard;  /* condition on the reduced variables, too; null: true */
  const Expr *weight; /* over target and reduced variables; 0 when the conditions never hold */
  Inversion ways[LIMIT_RANK]; /* how each subscript was met */
} Inverse;

/* `targets` are the variables u, one for each dim of the tensor read, with the ranges of its dims;
   `guard` (null: true) and `weight` are over the variables of `iteration`. */
Inverse invert(Model *model, Arena *scratch, const Index *const *targets, const Expr *read,
               const IndexList *iteration, const Expr *guard, const Expr *weight);

#endif
