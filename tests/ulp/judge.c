/* Errors by the precise reference are differences of long doubles; MPFR is asked with 192 bits. */
#include "judge.h"
#include "reference.h"

#include <tgmath.h>

enum { PRECISION = 192 };

/* The distance of a number from the true value; infinite for a wrong inf, NaN or sign. */
static double units(long double want, double got, const Format *format) {
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
static double exact_units(int function, double x, double y, double got, const Format *format) {
  mpfr_t want, other;
  mpfr_inits2(PRECISION, want, other, (mpfr_ptr)0);
  mpfr_set_d(want, x, MPFR_RNDN);
  mpfr_set_d(other, y, MPFR_RNDN);
  reference_exact(function, want, other);
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

/* MPFR takes forever over lgamma and digamma far out, and cannot be asked about what the C library says is no
   number. */
static int can_be_exact(int function, double x, long double want) {
  double most = function == FUNCTION_digamma ? 1e15 : 1e300;
  return isfinite(want) && want != 0 && fabs(x) < most;
}

void judge(Worst *worst, const Format *format, int function, double x, double y, double got,
           long double want) {
  double near = units(want, got, format), error = near;
  int decides = near > worst->near + format->step || fabs(near - 0.5) < format->doubt;
  if (decides && can_be_exact(function, x, want)) error = exact_units(function, x, y, got, format);
  worst->missed += error > 0.5;
  if (decides && fabs(error - near) <= format->doubt) worst->near = fmax(worst->near, near);
  if (decides && error > worst->error) worst->error = error, worst->x = x, worst->y = y;
}
