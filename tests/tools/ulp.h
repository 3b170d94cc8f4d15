/* How far a function is from the truth, in units of the last place of its result.

   Two references: a quick one, the C library's function in a wider type (ulp.def), and MPFR. The
   quick one is asked each time. Where what it leaves open could change the answer (a new greatest
   error, or a result so near the middle between two numbers that either could be the nearest) MPFR
   decides. Infinities, NaN and the signs of zeros must be those of the C library. */
#ifndef ULP_H
#define ULP_H

#include <math.h>
#include <mpfr.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <tgmath.h>

enum { PRECISION = 192, BLOCK = 2048 };

/* Numbers of `mantissa` bits that are less than 2^most and multiples of 2^least. */
typedef struct Format {
  const char *name;
  int mantissa, most, least;
  double doubt; /* how far in such units the quick reference may be from the truth, with a margin */
  double step;  /* by how much a greatest error must be surpassed to be looked at */
} Format;

/* Replaces `value` by the function's, or by that at value and second. */
typedef void Exact(mpfr_t value, mpfr_t second);

typedef struct Worst {
  double error; /* in units of the last place */
  double quick; /* the same by the quick reference, where that is close to the truth */
  double x, y;
  uint64_t count, missed; /* results; those that are not the nearest number */
  uint64_t unlike;        /* where a loop in vectors gives other bits than one number at a time */
} Worst;

/* The recurrence up to 20, then the asymptotic series; digamma(x) = digamma(-x) - 1/x - pi cot. */
static inline long double digamma(long double x) {
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

static inline void sigmoid(mpfr_t value) {
  mpfr_neg(value, value, MPFR_RNDN);
  mpfr_exp(value, value, MPFR_RNDN);
  mpfr_add_ui(value, value, 1, MPFR_RNDN);
  mpfr_ui_div(value, 1, value, MPFR_RNDN);
}

static inline void softplus(mpfr_t value) {
  if (mpfr_cmp_ui(value, 1000) > 0) return; /* exp would leave even MPFR's range */
  mpfr_exp(value, value, MPFR_RNDN);
  mpfr_log1p(value, value, MPFR_RNDN);
}

#define ULP(name, reference, mpfr, bound_f32, bound_f64)                                           \
  static inline void exact_##name(mpfr_t value, mpfr_t second) {                                   \
    int sign = 0;                                                                                  \
    (void)sign, (void)second;                                                                      \
    mpfr;                                                                                          \
  }
#include "ulp.def"
#undef ULP

static inline void exact_pow(mpfr_t value, mpfr_t second) {
  mpfr_pow(value, value, second, MPFR_RNDN);
}

/* The distance of a number from the true value; infinite for a wrong inf, NaN or sign. */
static inline double units(long double want, double got, const Format *format) {
  int exponent;
  if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : (double)INFINITY;
  if (!signbit(want) != !signbit(got)) return (double)INFINITY;
  if (want == 0 || isinf(want)) return (long double)got == want ? 0 : (double)INFINITY;
  long double limit = ldexp(1.0L, format->most), value = isinf(got) ? copysign(limit, got) : got;
  want = fmax(-limit, fmin(want, limit));
  (void)frexp(want, &exponent);
  exponent -= format->mantissa;
  return (double)(fabs(value - want) /
                  ldexp(1.0L, exponent < format->least ? format->least : exponent));
}

/* The same against MPFR, for a true value that is a number and not 0. */
static inline double exact_units(Exact *exact, double x, double y, double got,
                                 const Format *format) {
  mpfr_t want, other;
  mpfr_inits2(PRECISION, want, other, (mpfr_ptr)0);
  mpfr_set_d(want, x, MPFR_RNDN);
  mpfr_set_d(other, y, MPFR_RNDN);
  exact(want, other);
  mpfr_set_si_2exp(other, mpfr_signbit(want) ? -1 : 1, format->most, MPFR_RNDN);
  if (mpfr_cmpabs(want, other) > 0) mpfr_set(want, other, MPFR_RNDN);
  if (!isinf(got)) mpfr_set_d(other, got, MPFR_RNDN);
  long exponent = (long)mpfr_get_exp(want) - format->mantissa;
  mpfr_sub(other, want, other, MPFR_RNDN);
  mpfr_mul_2si(other, other, exponent < format->least ? -format->least : -exponent, MPFR_RNDN);
  double error = fabs(mpfr_get_d(other, MPFR_RNDN));
  int turned = !signbit(got) != !mpfr_signbit(want);
  mpfr_clears(want, other, (mpfr_ptr)0);
  return turned ? (double)INFINITY : error;
}

/* Counts a result of which the quick reference says `want`. MPFR takes forever over lgamma and digamma far
   out, and cannot be asked about what the C library says is no number. */
static inline void judge(Worst *worst, const Format *format, Exact *exact, double x, double y,
                         double got, long double want) {
  double quick = units(want, got, format), error = quick;
  int decides = quick > worst->quick + format->step || fabs(quick - 0.5) < format->doubt;
  if (decides && isfinite(want) && want != 0 && fabs(x) < 1e300)
    error =
        fabs(x) > 1e15 && exact == exact_digamma ? error : exact_units(exact, x, y, got, format);
  worst->missed += error > 0.5;
  if (decides && fabs(error - quick) <= format->doubt) worst->quick = fmax(worst->quick, quick);
  if (decides && error > worst->error) worst->error = error, worst->x = x, worst->y = y;
}

/* Arguments at which something happens, and some that are whole, odd, or just not so. */
static const double special_numbers[] = {0,
                                         0.5,
                                         1,
                                         1.5,
                                         2,
                                         2.5,
                                         3,
                                         4,
                                         5,
                                         10,
                                         127,
                                         128,
                                         149,
                                         150,
                                         1023,
                                         1024,
                                         1074,
                                         1075,
                                         88.75,
                                         709.8,
                                         0x1p-149,
                                         0x1p-126,
                                         0x1.fffffep127,
                                         0x1p-24,
                                         0x1p24,
                                         0x1.000002p0,
                                         0x1.fffffep-1,
                                         0x1p23,
                                         8388607,
                                         16777215,
                                         1e10,
                                         1e-10,
                                         0x1p-1074,
                                         0x1p-1022,
                                         0x1p53,
                                         0x1.fffffffffffffp52,
                                         0x1.fffffffffffffp1023,
                                         INFINITY,
                                         NAN};
enum { SPECIAL_COUNT = 2 * sizeof special_numbers / sizeof *special_numbers };

static inline double special_number(int i) {
  return i % 2 ? -special_numbers[i / 2] : special_numbers[i / 2];
}

static inline uint64_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (*state ^ *state >> 29) * 0xbf58476d1ce4e5b9u;
}

/* A line for the function; 1 when it errs by more than its bound or vectors differ. */
static inline int report(const char *name, const char *profile, const Format *format,
                         const Worst *worst, double bound) {
  int good = worst->error <= bound && !worst->unlike;
  char where[64];
  int length = snprintf(where, sizeof where, "%.*g", format->mantissa > 24 ? 17 : 9, worst->x);
  if (worst->y != 0)
    snprintf(where + length, sizeof where - (size_t)length, ", %.*g",
             format->mantissa > 24 ? 17 : 9, worst->y);
  printf("%s %-8s %s %s: %.4f units (bound %.2f) at %-24s %8.4f %% not the nearest, %llu arguments",
         good ? "ok" : "FAIL", name, format->name, profile, worst->error, bound, where,
         100.0 * (double)worst->missed / (double)worst->count, (unsigned long long)worst->count);
  if (worst->unlike) printf(", %llu other in vectors", (unsigned long long)worst->unlike);
  printf("\n");
  return !good;
}

#endif
