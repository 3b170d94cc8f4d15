/* How far a function is from the truth, in units of the last place of its result.

   Where what the quicker reference leaves open could change the answer (a new greatest error, or a
   result so near the middle between two numbers that either could be the nearest) the more exact one
   decides, at last MPFR. Infinities, NaN and the signs of zeros must be those of the C library. */
#ifndef ULP_JUDGE_H
#define ULP_JUDGE_H

#include <stdint.h>

#include "functions.h"

/* Numbers of `mantissa` bits that are less than 2^most and multiples of 2^least. */
typedef struct Format {
  int mantissa, most, least;
  double
      doubt; /* how far in such units the precise reference may be from the truth, with a margin */
  double step; /* by how much a greatest error must be surpassed to be looked at */
} Format;

typedef struct Worst {
  double error; /* in units of the last place */
  double near;  /* the same by the precise reference, where that is close to the truth */
  double x, y;
  uint64_t count, missed; /* results; those that are not the nearest number */
  uint64_t unlike;        /* where a loop in vectors gives other bits than one number at a time */
} Worst;

/* Looks at a result of which the precise reference says `want`; does not count it. */
void judge(Worst *worst, const Format *format, int function, double x, double y, double got,
           long double want);

#endif
