/* What the tests of equations share: a model to build in, a small random generator, evaluation of
   whole-number expressions by their plain meaning, and printing to a string. */
#ifndef TESTS_EQUATIONS_FIXTURE_H
#define TESTS_EQUATIONS_FIXTURE_H

#include "equations/affine.h"
#include "equations/equation.h"

typedef struct Fixture {
  Arena *arena;
  Names *names;
  Model *model;
  ExtentTable *extents;
  ExprTable *exprs;
  Dim *n, *t; /* run-time dims N <= 5 and T <= 7 */
} Fixture;

Fixture fixture_new(void);

/* The next of a fixed sequence of numbers in 0..bound-1. */
int random_below(uint64_t *state, int bound);

/* Values of index variables by id, of the elements of every whole-number tensor, and of dims by id. */
typedef struct Values {
  int64_t index[32], gathered;
  int64_t sizes[4];
} Values;

/* The value of a whole-number or boolean expression; `*defined` is cleared by a division by 0. */
int64_t whole_value(const Expr *e, const Values *values, bool *defined);

const char *printed_extent(Arena *arena, const Extent *extent);
const char *printed_expr(Arena *arena, const Expr *e);

#endif
