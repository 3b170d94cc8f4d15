/* The greatest error of each f32 function over every STRIDE-th of the 2^32 floats, against the C
   library in double; for pow, over pairs of floats.

   usage: ulp_f32 [STRIDE [NAME]]     STRIDE 1 is the whole range; exit 1 above a bound of ulp.def */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nnrt_math.h"

typedef struct Worst {
  double error; /* in units of the last place */
  float x, y;
} Worst;

/* The recurrence up to 20, then the asymptotic series; digamma(x) = digamma(-x) - 1/x - pi cot. */
static double digamma(double argument) {
  const long double pi = 3.14159265358979323846264338327950288L;
  long double x = argument, sum = 0;
  if (argument == 0) return -1 / argument;
  if (isnan(argument) || argument == INFINITY) return argument;
  if (argument < 0) {
    if (argument == floor(argument)) return (double)NAN;
    sum = -pi / tanl(pi * (x - rintl(x))) - 1 / x;
    x = -x;
  }
  for (; x < 20; x += 1) sum -= 1 / x;
  long double z = 1 / (x * x);
  long double tail = 1 / 12.0L - z * (1 / 120.0L - z * (1 / 252.0L - z * (1 / 240.0L - z / 132)));
  return (double)(sum + (logl(x) - 0.5L / x - z * tail));
}

/* The distance of a float from the true value; infinite for a wrong inf, NaN or sign of zero. */
static double error_in_units(float got, double want) {
  int exponent;
  if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : (double)INFINITY;
  if (want == 0 || isinf(want))
    return (double)got == want && !signbit(got) == !signbit(want) ? 0 : (double)INFINITY;
  double limit = ldexp(1, 128), value = isinf(got) ? copysign(limit, (double)got) : (double)got;
  want = fmax(-limit, fmin(want, limit));
  frexp(want, &exponent);
  return fabs(value - want) / ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static void note(Worst *worst, float x, float y, float got, double want) {
  double error = error_in_units(got, want);
  if (error > worst->error) *worst = (Worst){error, x, y};
}

static int report(const char *name, const Worst *worst, double bound) {
  int good = worst->error <= bound;
  printf("%s %s f32: %.3f units at %.9g", good ? "ok" : "FAIL", name, worst->error,
         (double)worst->x);
  if (worst->y != 0) printf(", %.9g", (double)worst->y);
  printf(" (bound %.2f)\n", bound);
  return !good;
}

#define ULP(name, reference, mpfr, bound, bound_f64)                                               \
  static int measure_##name(uint32_t stride) {                                                     \
    Worst worst = {0, 0, 0};                                                                       \
    for (uint64_t i = 0; i < (uint64_t)1 << 32; i += stride) {                                     \
      float argument = float_of((uint32_t)i);                                                      \
      double x = (double)argument;                                                                 \
      note(&worst, argument, 0, nnrt_##name##_f32(argument), reference);                           \
    }                                                                                              \
    return report(#name, &worst, bound);                                                           \
  }
#include "ulp.def"
#undef ULP

/* Exponents are drawn so that x^y keeps within or just leaves the range of float. */
static int measure_pow(uint32_t stride) {
  Worst worst = {0, 0, 0};
  uint64_t random = 1;
  for (uint64_t i = 0; i < (uint64_t)1 << 32; i += stride) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    float x = float_of((uint32_t)i), share = (float)(int32_t)(random >> 32) / 2147483648.0f;
    float span = 110 / fmaxf(fabsf(logf(fabsf(x))), 1e-30f);
    float y = random >> 31 & 1 ? share * span : rintf(share * fminf(span, 40));
    note(&worst, x, y, nnrt_pow_f32(x, y), pow((double)x, (double)y));
  }
  return report("pow", &worst, 1.0);
}

int main(int argc, char **argv) {
  uint32_t stride = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 997;
  const char *only = argc > 2 ? argv[2] : NULL;
  int bad = 0;
  if (!stride) return 2;
#define ULP(name, reference, mpfr, bound, bound_f64)                                               \
  if (!only || !strcmp(only, #name)) bad |= measure_##name(stride);
#include "ulp.def"
#undef ULP
  if (!only || !strcmp(only, "pow")) bad |= measure_pow(stride);
  return bad;
}
