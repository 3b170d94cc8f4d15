/* The true values of the elementary functions, three times: the quicker, the less exact.

   The quick one is for all floats: loops over the C library's functions of doubles, by gcc on x86-64
   with those of glibc for vectors (libmvec, up to 4 units of double wrong; a float's is 2^29 times as
   much). What it cannot tell is a NaN. The precise one is the C library's in long double; the exact
   one is MPFR's. */
#ifndef ULP_REFERENCE_H
#define ULP_REFERENCE_H

#include <mpfr.h>

/* Of BLOCK arguments; `function` is a FUNCTION_ of functions.h. */
void reference_quick(int function, const float *x, const float *y, double *want);
long double reference_precise(int function, long double x, long double y);

/* Replaces `value` by the function's value at value and second. */
void reference_exact(int function, mpfr_t value, mpfr_t second);

#endif
