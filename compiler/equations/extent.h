/* Extents: the sizes of dims, in canonical form.

   An extent is a polynomial with whole coefficients over atoms; an atom is a run-time dim (bounded by its
   maximum) or an opaque floor division of extents. Fixed dims are already numbers here: what a dim was
   called and where it came from is kept by the Axis that uses it. Extents are interned, so two are
   equal exactly when their pointers are: `(H + 2 - 3)//1 + 1` *is* `H`.

   Intervals of extents, taken over all run-time sizes 1..maximum, serve the proofs of the elaborator. */
#ifndef NNC_EQUATIONS_EXTENT_H
#define NNC_EQUATIONS_EXTENT_H

#include "support/checked.h"
#include "support/files.h"
#include "support/names.h"
#include "support/source.h"

/* A run-time dim, `dim N <= 128`: its size is known at each call and is between 1 and the maximum. */
typedef struct Dim {
  Name name;
  int64_t maximum;
  Span origin;
  int id; /* position in the model's list of dims */
} Dim;

typedef struct Extent Extent; /* immutable, interned in an ExtentTable */
typedef struct ExtentTable ExtentTable;

ExtentTable *extent_table_new(Arena *arena);

const Extent *extent_constant(ExtentTable *table, int64_t value);
const Extent *extent_dim(ExtentTable *table, const Dim *dim);
const Extent *extent_add(ExtentTable *table, const Extent *a, const Extent *b);
const Extent *extent_subtract(ExtentTable *table, const Extent *a, const Extent *b);
const Extent *extent_multiply(ExtentTable *table, const Extent *a, const Extent *b);
/* Multiples of the divisor are pulled out: (2*H + 3)//2 = H + 3//2. Null when `b` may be 0. */
const Extent *extent_floor_divide(ExtentTable *table, const Extent *a, const Extent *b);
const Extent *extent_modulo(ExtentTable *table, const Extent *a, const Extent *b);
/* The greatest common divisor of `content` and the coefficients of an extent, that of its constant term
   only `with_constant`; 0 when all are 0. */
int64_t extent_content(const Extent *extent, bool with_constant, int64_t content);
/* Division of polynomials: a = b*quotient + remainder, with the quotient returned. No floor division is
   introduced; for a constant b > 0 the coefficients of the remainder are in 0..b-1. b is not 0. */
const Extent *extent_divide(ExtentTable *table, const Extent *a, const Extent *b,
                            const Extent **remainder);

bool extent_is_constant(const Extent *extent, int64_t *value);
bool extent_is_zero(const Extent *extent);
bool extent_is_poisoned(
    const Extent *extent); /* overflowed or derived from an error; equal to itself only */
const Extent *extent_poison(ExtentTable *table);

/* A total order that does not depend on the order of creation. */
int extent_compare(const Extent *a, const Extent *b);

/* Bounds over all run-time sizes; clamped to +-INT64_MAX/4 where unbounded or overflowing. */
int64_t extent_minimum(const Extent *extent);
int64_t extent_maximum(const Extent *extent);

/* The value at given run-time sizes, `sizes[dim->id]`. */
int64_t extent_evaluate(const Extent *extent, const int64_t *sizes);

/* The run-time dims it depends on, appended to `dims` without repetition in order of id. */
typedef struct DimList {
  const Dim **items;
  int count, capacity;
} DimList;
void extent_dims(Arena *arena, const Extent *extent, DimList *dims);

/* Printed in the language: "2*T + 1", "(H - 1)//2"; `extent_print` needs no parentheses around it
   only when it is a lone atom or constant (extent_is_atom). */
void extent_print(const Extent *extent, Text *text);
bool extent_is_atom(const Extent *extent);

/* Terms, for analyses that walk a polynomial: value = sum of coefficient * product of atoms. */
typedef struct ExtentAtom {
  const Dim *dim;                        /* a run-time dim, or */
  const Extent *numerator, *denominator; /* a floor division */
} ExtentAtom;
typedef struct ExtentTerm {
  int64_t coefficient;
  int atom_count;
  const ExtentAtom *const *atoms; /* sorted, repeated for powers; none for the constant term */
} ExtentTerm;
int extent_term_count(const Extent *extent);
const ExtentTerm *extent_term(const Extent *extent, int position);

#endif
