/* Each reference is a view of ulp.def. libmvec leaves to single calls of the C library what is out of the ordinary
   for exp, sin and cos, which are half of all floats: here these are made of functions without such detours. */
#include "reference.h"
#include "functions.h"

#include <math.h>

#if defined __x86_64__ && defined __GLIBC__ && !defined __clang__
#if __GLIBC_PREREQ(2, 35)
__attribute__((simd("notinbranch"), const)) double expm1(double), log(double), log1p(double),
    tanh(double), erf(double), tan(double), atan(double), pow(double, double);
#endif
#endif

#include <tgmath.h>

static inline double exponential(double x) {
  double grown = expm1(fabs(x)) + 1;
  return x < 0 ? 1 / grown : grown;
}

static inline double sine(double x) {
  double t = tan(x / 2);
  return 2 * t / (1 + t * t);
}

/* The recurrence up to 10, then the asymptotic series; digamma(x) = digamma(-x) - 1/x - pi cot. Open where these
   cancel. */
static inline double digamma(double x) {
  const double pi = 3.14159265358979323846;
  double size = fabs(x), turn = x - rint(x), sum = x < 0 ? -pi / tan(pi * turn) - 1 / x : 0;
  for (int k = 0; k < 10; ++k) {
    sum -= size < 10 ? 1 / size : 0;
    size += size < 10 ? 1 : 0;
  }
  double z = 1 / (size * size), tail = 1 / 132.0 - z * (691 / 32760.0 - z / 12);
  tail = 1 / 12.0 - z * (1 / 120.0 - z * (1 / 252.0 - z * (1 / 240.0 - z * tail)));
  sum += log(size) - 0.5 / size - z * tail;
  return fabs(sum) < 0.25 ? (double)NAN : sum;
}

static inline long double precise_digamma(long double x) {
  const long double pi = 3.14159265358979323846264338327950288L;
  long double sum = 0;
  if (x == 0) return -1 / x;
  if (isnan(x) || x == (long double)INFINITY) return x;
  if (x < 0) {
    if (x == floor(x)) return (long double)NAN;
    sum = -pi / tan(pi * (x - rint(x))) - 1 / x;
    x = -x;
  }
  while (x < 20) {
    sum -= 1 / x;
    x += 1;
  }
  long double z = 1 / (x * x), tail = 1 / 240.0L - z * (1 / 132.0L - z * (691 / 32760.0L - z / 12));
  tail = 1 / 12.0L - z * (1 / 120.0L - z * (1 / 252.0L - z * tail));
  return sum + (log(x) - 0.5L / x - z * tail);
}

#define ULP(name, quick, ...)                                                                      \
  static void quick_##name(const float *arguments, const float *others, double *want) {            \
    (void)others;                                                                                  \
    for (int i = 0; i < BLOCK; ++i) {                                                              \
      double x = (double)arguments[i];                                                             \
      want[i] = (double)(quick);                                                                   \
    }                                                                                              \
  }
#define ULP_PAIRS(name, quick, ...)                                                                \
  static void quick_##name(const float *arguments, const float *others, double *want) {            \
    for (int i = 0; i < BLOCK; ++i) {                                                              \
      double x = (double)arguments[i], y = (double)others[i];                                      \
      want[i] = quick;                                                                             \
    }                                                                                              \
  }
#include "ulp.def"

void reference_quick(int function, const float *x, const float *y, double *want) {
  static void (*const quick[])(const float *, const float *, double *) = {
#define ULP(name, ...) quick_##name,
#include "ulp.def"
  };
  quick[function](x, y, want);
}

long double reference_precise(int function, long double x, long double y) {
  long double want = NAN;
  switch (function) {
#define ULP(name, quick, precise, ...)                                                             \
  case FUNCTION_##name:                                                                            \
    want = precise;                                                                                \
    break;
#include "ulp.def"
  default: break;
  }
  return want;
}

static void sigmoid(mpfr_t value) {
  mpfr_neg(value, value, MPFR_RNDN);
  mpfr_exp(value, value, MPFR_RNDN);
  mpfr_add_ui(value, value, 1, MPFR_RNDN);
  mpfr_ui_div(value, 1, value, MPFR_RNDN);
}

static void softplus(mpfr_t value) {
  if (mpfr_cmp_ui(value, 1000) > 0) return; /* exp would leave even MPFR's range */
  mpfr_exp(value, value, MPFR_RNDN);
  mpfr_log1p(value, value, MPFR_RNDN);
}

void reference_exact(int function, mpfr_t value, mpfr_t second) {
  int sign = 0; /* of gamma */
  switch (function) {
#define ULP(name, quick, precise, call, ...)                                                       \
  case FUNCTION_##name:                                                                            \
    call;                                                                                          \
    break;
#include "ulp.def"
  default: break;
  }
}
