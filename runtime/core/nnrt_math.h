/* Elementary functions with the same bits under every compiler.

   nnrt_<op>_f32 and nnrt_<op>_f64 are straight sequences of additions, multiplications, divisions,
   integer operations and selects, without tables, so that a compiler may inline and vectorise them
   (but not lgamma, digamma and f64 pow, and sin, cos and tan only where 64-bit products are vectors).
   Nothing is taken from the C library but the exact operations (sqrt, and fma where asked for), so
   gcc and clang, any -O level and any -march give the same bits; only the sign and payload of a NaN
   are left open.

   A multiply-add is written nnrt_fma_f32(a, b, c). NNRT_FMA chooses the profile of a whole program:
   0 (default), plain: a * b + c rounded twice; 1, fused: rounded once, for targets that have it.
   Elsewhere the compiler may contract nothing; the pragmas below see to it for the rest of the
   translation unit, and free gcc from errno and from traps, which would keep it from vectorising.
   The rounding mode is to nearest.

   Greatest error found, in units of the last place, rounded up (f32: all 2^32 floats, pow 10^8 pairs;
   f64: 3*10^6 arguments, lgamma and digamma 3*10^4; against the C library in a wider type and MPFR).
   tests/ulp/ulp.def holds each to a bound, and `make ulp` goes through all floats:

                 f32           f64                        f32           f64
               plain  fused  plain  fused               plain  fused  plain  fused
     exp        1.17   0.90   0.95   1.00     erf        1.09   1.05   1.18   1.01
     expm1      1.30   1.30   1.48   1.43     sin        0.92   0.87   0.85   0.78
     log        0.84   0.83   0.82   0.81     cos        0.91   0.87   0.83   0.79
     log1p      0.87   0.84   0.82   0.82     tan        2.53   2.42   2.28   2.23
     rsqrt      1.50   1.50   1.50   1.50     atan       2.39   2.12   2.41   2.35
     sigmoid    2.49   2.49   1.99   1.99     lgamma     0.51   0.51   3.16*  2.82*
     softplus   1.70   1.70   1.54   1.60     digamma    0.51   0.51   3.92*  3.92*
     tanh       1.55   1.53   1.58   1.52     pow        0.51   0.51   1.13   1.16

   abs, sign, floor, ceil, round, min, max and sqrt are exact. Infinities, denormal numbers and signed
   zeros give what C's Annex F says; a NaN gives a NaN, but pow(1, NaN) and pow(NaN, 0) are 1.
   round(x) takes halves to even. min and max keep the first of two equal arguments and return a
   NaN when either is one. sign(0) is 0. At a pole lgamma is inf and digamma NaN (0: -+inf).
   * for x > -1/4. lgamma and digamma in f64 have zeros between their poles at negative x, near which
   only the error relative to the terms subtracted is small. */
#ifndef NNRT_MATH_H
#define NNRT_MATH_H

#include <stdint.h>

#if defined __FAST_MATH__ || defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__ ||        \
    defined __NO_SIGNED_ZEROS__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__)
#error "nnrt: -ffast-math and its parts change results; build without them"
#endif
#if defined __FLT_EVAL_METHOD__ && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "nnrt: float must be computed in float; on x86 build with -msse2 -mfpmath=sse"
#endif

#ifdef __clang__
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off", "no-math-errno", "no-trapping-math")
#endif

#ifndef NNRT_FMA
#define NNRT_FMA 0
#endif

/* A loop is vectorised only when all its calls are inlined. */
#define NNRT_INLINE static inline __attribute__((always_inline))

/* A nest stays a function of its own, though it is called once: the time that compilers take grows faster than
   functions do. */
#define NNRT_NEST static __attribute__((noinline))

/* Horner's rule: a + x (b + x (c + ...)) by the multiply-add `fma`, degree in the name. */
#define NNRT_P1(fma, x, a, b) fma(b, x, a)
#define NNRT_P2(fma, x, a, ...) fma(NNRT_P1(fma, x, __VA_ARGS__), x, a)
#define NNRT_P3(fma, x, a, ...) fma(NNRT_P2(fma, x, __VA_ARGS__), x, a)
#define NNRT_P4(fma, x, a, ...) fma(NNRT_P3(fma, x, __VA_ARGS__), x, a)
#define NNRT_P5(fma, x, a, ...) fma(NNRT_P4(fma, x, __VA_ARGS__), x, a)
#define NNRT_P6(fma, x, a, ...) fma(NNRT_P5(fma, x, __VA_ARGS__), x, a)
#define NNRT_P7(fma, x, a, ...) fma(NNRT_P6(fma, x, __VA_ARGS__), x, a)
#define NNRT_P8(fma, x, a, ...) fma(NNRT_P7(fma, x, __VA_ARGS__), x, a)
#define NNRT_P9(fma, x, a, ...) fma(NNRT_P8(fma, x, __VA_ARGS__), x, a)
#define NNRT_P10(fma, x, a, ...) fma(NNRT_P9(fma, x, __VA_ARGS__), x, a)
#define NNRT_P11(fma, x, a, ...) fma(NNRT_P10(fma, x, __VA_ARGS__), x, a)
#define NNRT_P12(fma, x, a, ...) fma(NNRT_P11(fma, x, __VA_ARGS__), x, a)

/* |x| = hi + lo + n pi/2 with |hi + lo| <= pi/4; the result is n mod 4. */
NNRT_INLINE int nnrt_quadrant_f64(double size, double *hi, double *lo);
NNRT_INLINE int nnrt_quadrant_f32(float size, float *hi, float *lo);

/* x^y for x >= 0 and neither x = 1 nor y = 0. */
static inline double nnrt_power_f64(double x, double y);
static inline float nnrt_power_f32(float x, float y);

#include "nnrt_constants.h"

#define NNRT_PASTE_(a, b) a##b
#define NNRT_PASTE(a, b) NNRT_PASTE_(a, b)
#define nnrt(op) NNRT_PASTE(nnrt_##op##_, Suffix)
#define K(name) NNRT_PASTE(NNRT_##name##_, Suffix)

#define Suffix f32
#define Real float
#define Bits uint32_t
#define Int int32_t
#include "nnrt_real.h"
#undef Suffix
#undef Real
#undef Bits
#undef Int

#define Suffix f64
#define Real double
#define Bits uint64_t
#define Int int64_t
#include "nnrt_real.h"
#undef Suffix
#undef Real
#undef Bits
#undef Int

#undef nnrt
#undef K

#include "nnrt_special.h"

#endif
