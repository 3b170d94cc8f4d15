/* What the files of extents share: the table that interns them and the parts of an extent.

   Atoms are interned too; their order depends on what they are, not on when they were made. Terms are
   sorted by degree, highest first, then by their atoms (graded lexicographic order), so the constant
   term comes last and the first term is the leading one of polynomial division. Private to extent*.c. */
#ifndef NNC_EQUATIONS_EXTENT_TABLE_H
#define NNC_EQUATIONS_EXTENT_TABLE_H

#include "equations/extent.h"

/* Polynomials past these are poisoned: no model needs them, and they bound every walk below. */
enum { MOST_TERMS = 256, MOST_FACTORS = 16, MOST_NESTING = 32 };

/* Where bounds are clamped; a bound of this size stands for infinity. */
#define EXTENT_BOUND (INT64_MAX / 4)

typedef struct Interval {
  int64_t least, greatest;
} Interval;

typedef struct Atom Atom;
struct Atom {
  ExtentAtom public; /* first: an ExtentAtom of the table is an Atom */
  int id;            /* for hashing */
  int nesting;       /* of floor divisions */
  Interval interval;
  Atom *next; /* with the same numerator */
};

struct Extent {
  uint32_t hash;
  bool poisoned;
  int nesting;
  Interval interval;
  Atom *quotients; /* atoms that divide this extent */
  int count;
  const ExtentTerm *terms;
};

struct ExtentTable {
  Arena *arena;
  Extent **slots; /* open addressing */
  size_t count, capacity;
  Map dims; /* from Dim to its Atom */
  int atom_count;
  int refinements; /* nesting of bound_extent, which may make new extents */
  const Extent *poison;
};

/* A list of terms under construction; `failed` after an overflow. */
typedef struct Terms {
  ExtentTerm *items;
  int count, capacity;
  bool failed;
} Terms;

static inline const Atom *atom_of(const ExtentAtom *atom) {
  return (const Atom *)atom;
}

void terms_add(ExtentTable *table, Terms *terms, int64_t coefficient, const ExtentTerm *monomial);
void terms_add_extent(ExtentTable *table, Terms *terms, const Extent *extent, int64_t factor);
/* The extent that is the sum of the terms, in any order and with repetitions. */
const Extent *terms_collect(ExtentTable *table, Terms *terms);

const Extent *extent_scale(ExtentTable *table, const Extent *a, int64_t factor);
const Extent *extent_of_atom(ExtentTable *table, const ExtentAtom *atom);

/* Bounds of a new extent: see extent_interval.c. */
Interval bound_extent(ExtentTable *table, const Extent *extent);
Interval interval_add(Interval a, Interval b);
Interval interval_multiply(Interval a, Interval b);
Interval interval_floor_divide(Interval a, Interval b); /* b does not contain 0 */

#endif
