/* Targets: what the machine that a program is written for has.

   Speed depends on it, and one thing that changes bits: whether multiply-adds round once. Programs for all
   targets that do give one result, and those for all that do not another. */
#ifndef NNC_LOOPS_TARGET_H
#define NNC_LOOPS_TARGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
  LEAST_VECTOR_BYTES = 16, /* of the vectors that the runtime has */
  CACHE_LINE = 64          /* bytes */
};

typedef struct Target {
  const char *name;
  const char *title;    /* "x86 with AVX-512" */
  const char *flags;    /* for the C compiler, as the header of the program recommends them */
  int64_t vector_bytes; /* of a register; 0: loops are left to the C compiler */
  int64_t registers;    /* of vectors; 0: there are none */
  bool masks;           /* part of a vector is loaded and stored as fast as all of it */
  bool fused; /* a product is added to a sum with one rounding: the profile of nnrt_math.h */
  struct {
    int64_t rows, vectors; /* of the part of a product that is kept in registers */
    int64_t least;         /* products with fewer points have no tiles */
  } tile;
  struct {
    int64_t uses; /* at least, of each element of a factor that is copied into blocks */
    int64_t
        bytes; /* at least, of what tiles of one block of columns take: fewer stay in the first cache */
  } copies;
  struct {
    int64_t first, second; /* bytes that one thread has to itself; 0: not known */
  } caches;
  /* Two threads of a Zen 4 meet in 0.3 us and start in 0.9 us, with gcc's OpenMP and with clang's; vectors
     do about 16,000 operations in 1 us. */
  struct {
    int64_t least;     /* operations of a loop that are worth dividing; 0: there is one thread */
    int64_t row_bytes; /* at most, of what iterations of a loop keep in local arrays */
  } threads;
} Target;

#endif
