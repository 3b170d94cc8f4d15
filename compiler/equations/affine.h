/* Affine forms: what a whole-number expression says about the index variables in it.

   value = constant + sum of coefficient * atom, where the constant and the coefficients are extents
   (numbers or run-time sizes) and an atom is an index variable or any other whole-number expression
   (a gathered read, a quotient, a remainder, int(...)). Inversion, bounds and strides all read this. */
#ifndef NNC_EQUATIONS_AFFINE_H
#define NNC_EQUATIONS_AFFINE_H

#include "equations/expr.h"

typedef struct AffineTerm {
  const Expr *atom; /* OP_INDEX or opaque */
  const Extent *coefficient;
} AffineTerm;

typedef struct Affine {
  const Extent *constant;
  AffineTerm
      *terms; /* sorted: index variables by their ids, then other atoms; coefficients are not 0 */
  int count;
} Affine;

/* Every whole-number expression has one. Lives in `arena`. */
Affine affine_of(ExprTable *table, Arena *arena, const Expr *e);
const Expr *affine_expr(ExprTable *table, const Affine *affine);

bool affine_is_constant(const Affine *affine, const Extent **value);
/* a + factor*b. Poisoned coefficients stay. */
Affine affine_add_scaled(ExprTable *table, Arena *arena, const Affine *a, const Affine *b,
                         const Extent *factor);

/* The coefficient of an index variable; null when it does not occur as a term. An index may still hide
   inside an opaque atom: see affine_is_linear_in. */
const Extent *affine_coefficient(const Affine *affine, const Index *index);
bool affine_is_linear_in(Arena *scratch, const Affine *affine, const Index *index);

/* A lone index variable, `v`, as a subscript: its index, else null. */
const Index *lone_index(const Expr *e);

/* The index of a subscript `index + shift`, with a number for the shift; null: it is another. */
const Index *shifted_index(ExprTable *table, Arena *scratch, const Expr *e, int64_t *shift);

/* A subscript that counts a dim in blocks: `block*width + inner`, with 0 <= inner < width. */
typedef struct BlockSubscript {
  const Index *block, *inner;
  int64_t width;
} BlockSubscript;
bool affine_blocks(ExprTable *table, Arena *scratch, const Expr *e, BlockSubscript *blocks);

/* Bounds over all values of the index variables and gathered values, as extents: low <= value <= high.
   Null where there is none. */
typedef struct Bounds {
  const Extent *low, *high;
} Bounds;
Bounds affine_bounds(ExprTable *table, Arena *scratch, const Affine *affine);

/* Facts: conditions known to hold where an expression is evaluated (guards, select branches). */
typedef struct Facts Facts;
struct Facts {
  const Facts *outer;
  const Expr *condition; /* boolean */
  bool holds;            /* the condition, or its negation */
};

/* The innermost fact alone, as a condition that holds. */
const Expr *fact_as_condition(ExprTable *table, const Facts *fact);

/* Proves 0 <= e < extent for all values of the index variables, run-time sizes and gathered values
   (bounded by the type of the tensor read) under `facts`. When it cannot, returns false and, if it
   found one, fills `witness` (values of the index variables of `e`, in order of id) and `*reached`. */
typedef struct Witness {
  bool found;
  int64_t reached; /* the value of the subscript */
  int64_t size;    /* the extent there */
  int count;
  const Index *indices[16];
  int64_t values[16];
  int dim_count;
  const Dim *dims[8];
  int64_t sizes[8];
} Witness;
bool affine_proves_range(ExprTable *table, Arena *scratch, const Expr *e, const Extent *extent,
                         const Facts *facts, Witness *witness);

/* Least and greatest value under the facts, by interval arithmetic (clamped as extents are). */
void affine_interval(ExprTable *table, Arena *scratch, const Expr *e, const Facts *facts,
                     int64_t *least, int64_t *greatest);

#endif
