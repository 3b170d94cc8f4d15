/* The greatest error of each f64 function at COUNT random doubles of each of three kinds, against
   MPFR.

   usage: ulp_f64 [COUNT [NAME]]     exit 1 above a bound of ulp.def */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mpfr.h>

#include "nnrt_math.h"

enum { PRECISION = 320 };

typedef struct Worst {
  double error; /* in units of the last place */
  double x, y;
} Worst;

static uint64_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (*state ^ *state >> 29) * 0xbf58476d1ce4e5b9u;
}

/* Kind 0: any double; 1: near -30..30; 2: every size from 2^-60 to 2^10. */
static double draw(int kind, uint64_t *state) {
  uint64_t bits = next_random(state);
  double x, share = (double)(int64_t)next_random(state) / 9223372036854775808.0;
  memcpy(&x, &bits, sizeof x);
  return kind == 0 ? x : kind == 1 ? 30 * share : ldexp(share, (int)(bits >> 32) % 70 - 60);
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

/* The distance of a double from the true value; infinite for a wrong inf, NaN or sign. */
static double error_in_units(double got, mpfr_t want) {
  double nearest = mpfr_get_d(want, MPFR_RNDN);
  if (isnan(nearest) || isnan(got)) return isnan(nearest) && isnan(got) ? 0 : (double)INFINITY;
  if (got == nearest && (got == 0 || isinf(got))) return !signbit(got) == !signbit(nearest) ? 0 : 9;
  if (isinf(got) || isinf(nearest)) return fabs(isinf(got) ? nearest : got) > 1.797e308 ? 1 : 99;
  long exponent = mpfr_get_exp(want) < -1021 ? -1021 : (long)mpfr_get_exp(want);
  mpfr_t difference;
  mpfr_init2(difference, PRECISION);
  mpfr_sub_d(difference, want, got, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, 53 - exponent, MPFR_RNDN);
  double error = fabs(mpfr_get_d(difference, MPFR_RNDN));
  mpfr_clear(difference);
  return error;
}

static void note(Worst *worst, double x, double y, double got, mpfr_t want) {
  double error = error_in_units(got, want);
  if (error > worst->error) *worst = (Worst){error, x, y};
}

static int report(const char *name, const Worst *worst, double bound) {
  int good = worst->error <= bound;
  printf("%s %s f64: %.3f units at %.17g", good ? "ok" : "FAIL", name, worst->error, worst->x);
  if (worst->y != 0) printf(", %.17g", worst->y);
  printf(" (bound %.2f)\n", bound);
  return !good;
}

/* lgamma and digamma have zeros between the poles at negative x, near which only the absolute error
   is bounded; MPFR's digamma takes forever far out. */
static int is_measured(const char *name, double x) {
  if (!strcmp(name, "lgamma")) return x > -0.5 && fabs(x) < 1e300;
  if (!strcmp(name, "digamma")) return x > -0.25 && fabs(x) < 1e15;
  return 1;
}

#define ULP(name, reference, mpfr, bound_f32, bound)                                               \
  static int measure_##name(long count) {                                                          \
    Worst worst = {0, 0, 0};                                                                       \
    uint64_t state = 1;                                                                            \
    int sign = 0;                                                                                  \
    mpfr_t value;                                                                                  \
    mpfr_init2(value, PRECISION);                                                                  \
    for (long i = 0; i < 3 * count; ++i) {                                                         \
      double x = draw((int)(i % 3), &state);                                                       \
      if (!is_measured(#name, x)) continue;                                                        \
      mpfr_set_d(value, x, MPFR_RNDN);                                                             \
      mpfr;                                                                                        \
      note(&worst, x, 0, nnrt_##name##_f64(x), value);                                             \
    }                                                                                              \
    mpfr_clear(value);                                                                             \
    return report(#name, &worst, sign < 2 ? bound : 0);                                            \
  }
#include "ulp.def"
#undef ULP

/* Exponents are drawn so that x^y keeps within or just leaves the range of double. */
static int measure_pow(long count) {
  Worst worst = {0, 0, 0};
  uint64_t state = 1;
  mpfr_t value, exponent;
  mpfr_inits2(PRECISION, value, exponent, (mpfr_ptr)0);
  for (long i = 0; i < 3 * count; ++i) {
    double x = draw((int)(i % 3), &state), share = draw(1, &state) / 30;
    double span = 760 / fmax(fabs(log(fabs(x))), 1e-300);
    double y = i % 2 ? share * span : rint(share * fmin(span, 40));
    mpfr_set_d(value, x, MPFR_RNDN);
    mpfr_set_d(exponent, y, MPFR_RNDN);
    mpfr_pow(value, value, exponent, MPFR_RNDN);
    note(&worst, x, y, nnrt_pow_f64(x, y), value);
  }
  mpfr_clears(value, exponent, (mpfr_ptr)0);
  return report("pow", &worst, 1.5);
}

int main(int argc, char **argv) {
  long count = argc > 1 ? strtol(argv[1], NULL, 10) : 3000;
  const char *only = argc > 2 ? argv[2] : NULL;
  int bad = 0;
#define ULP(name, reference, mpfr, bound_f32, bound)                                               \
  if (!only || !strcmp(only, #name)) bad |= measure_##name(count);
#include "ulp.def"
#undef ULP
  if (!only || !strcmp(only, "pow")) bad |= measure_pow(count);
  return bad;
}
