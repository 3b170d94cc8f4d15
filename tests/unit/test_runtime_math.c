/* Special values of the elementary functions, rounding, and the self-test. */
#include <criterion/criterion.h>
#include <math.h>

#include "nnrt_selftest.h"

/* One number, or NaN where NaN is wanted, with the sign of a zero. */
static int is_same(double got, double want) {
  if (isnan(want)) return isnan(got);
  return got == want && !signbit(got) == !signbit(want);
}

/* Arguments and results exact in float and in double alike (C11, Annex F; lgamma and digamma by their
   limits). */
#define ROW(name, x, want)                                                                         \
  { #name, nnrt_##name##_f32, nnrt_##name##_f64, x, want }

static const struct {
  const char *name;
  float (*f32)(float);
  double (*f64)(double);
  double x, want;
} special_values[] = {ROW(exp, 0, 1),
                      ROW(exp, -0.0, 1),
                      ROW(exp, INFINITY, INFINITY),
                      ROW(exp, -INFINITY, 0),
                      ROW(exp, NAN, NAN),
                      ROW(exp, 1000, INFINITY),
                      ROW(exp, -1000, 0),
                      ROW(expm1, 0, 0),
                      ROW(expm1, -0.0, -0.0),
                      ROW(expm1, INFINITY, INFINITY),
                      ROW(expm1, -INFINITY, -1),
                      ROW(expm1, NAN, NAN),
                      ROW(expm1, -50, -1),
                      ROW(log, 1, 0),
                      ROW(log, 0, -INFINITY),
                      ROW(log, -0.0, -INFINITY),
                      ROW(log, -1, NAN),
                      ROW(log, NAN, NAN),
                      ROW(log, INFINITY, INFINITY),
                      ROW(log, -INFINITY, NAN),
                      ROW(log1p, 0, 0),
                      ROW(log1p, -0.0, -0.0),
                      ROW(log1p, -1, -INFINITY),
                      ROW(log1p, -2, NAN),
                      ROW(log1p, INFINITY, INFINITY),
                      ROW(log1p, -INFINITY, NAN),
                      ROW(log1p, NAN, NAN),
                      ROW(sqrt, 4, 2),
                      ROW(sqrt, -0.0, -0.0),
                      ROW(sqrt, INFINITY, INFINITY),
                      ROW(sqrt, -1, NAN),
                      ROW(rsqrt, 4, 0.5),
                      ROW(rsqrt, 0, INFINITY),
                      ROW(rsqrt, INFINITY, 0),
                      ROW(rsqrt, -1, NAN),
                      ROW(sigmoid, 0, 0.5),
                      ROW(sigmoid, INFINITY, 1),
                      ROW(sigmoid, -INFINITY, 0),
                      ROW(sigmoid, NAN, NAN),
                      ROW(softplus, INFINITY, INFINITY),
                      ROW(softplus, -INFINITY, 0),
                      ROW(softplus, NAN, NAN),
                      ROW(softplus, 100, 100),
                      ROW(tanh, 0, 0),
                      ROW(tanh, -0.0, -0.0),
                      ROW(tanh, INFINITY, 1),
                      ROW(tanh, -INFINITY, -1),
                      ROW(tanh, NAN, NAN),
                      ROW(erf, 0, 0),
                      ROW(erf, -0.0, -0.0),
                      ROW(erf, INFINITY, 1),
                      ROW(erf, -INFINITY, -1),
                      ROW(erf, NAN, NAN),
                      ROW(sin, 0, 0),
                      ROW(sin, -0.0, -0.0),
                      ROW(sin, INFINITY, NAN),
                      ROW(sin, -INFINITY, NAN),
                      ROW(sin, NAN, NAN),
                      ROW(cos, 0, 1),
                      ROW(cos, INFINITY, NAN),
                      ROW(cos, NAN, NAN),
                      ROW(tan, 0, 0),
                      ROW(tan, -0.0, -0.0),
                      ROW(tan, INFINITY, NAN),
                      ROW(tan, NAN, NAN),
                      ROW(atan, 0, 0),
                      ROW(atan, -0.0, -0.0),
                      ROW(atan, NAN, NAN),
                      ROW(abs, -0.0, 0),
                      ROW(abs, -INFINITY, INFINITY),
                      ROW(abs, -2, 2),
                      ROW(abs, NAN, NAN),
                      ROW(sign, 0, 0),
                      ROW(sign, -0.0, -0.0),
                      ROW(sign, -3, -1),
                      ROW(sign, INFINITY, 1),
                      ROW(sign, NAN, NAN),
                      ROW(floor, -0.5, -1),
                      ROW(floor, 0.5, 0),
                      ROW(floor, -0.0, -0.0),
                      ROW(floor, INFINITY, INFINITY),
                      ROW(floor, 1e30f, 1e30f),
                      ROW(floor, NAN, NAN),
                      ROW(floor, -3, -3),
                      ROW(ceil, -0.5, -0.0),
                      ROW(ceil, 0.5, 1),
                      ROW(ceil, -INFINITY, -INFINITY),
                      ROW(ceil, NAN, NAN),
                      ROW(round, 0.5, 0),
                      ROW(round, 1.5, 2),
                      ROW(round, 2.5, 2),
                      ROW(round, -0.5, -0.0),
                      ROW(round, -2.5, -2),
                      ROW(round, INFINITY, INFINITY),
                      ROW(round, NAN, NAN),
                      ROW(round, 8388609, 8388609),
                      ROW(lgamma, 1, 0),
                      ROW(lgamma, 2, 0),
                      ROW(lgamma, 0, INFINITY),
                      ROW(lgamma, -3, INFINITY),
                      ROW(lgamma, INFINITY, INFINITY),
                      ROW(lgamma, -INFINITY, INFINITY),
                      ROW(lgamma, NAN, NAN),
                      ROW(digamma, 0, -INFINITY),
                      ROW(digamma, -0.0, INFINITY),
                      ROW(digamma, -1, NAN),
                      ROW(digamma, NAN, NAN),
                      ROW(digamma, INFINITY, INFINITY),
                      ROW(digamma, -INFINITY, NAN)};

Test(runtime_math, special_values_are_those_of_annex_f) {
  for (size_t i = 0; i < sizeof special_values / sizeof special_values[0]; ++i) {
    double f32 = (double)special_values[i].f32((float)special_values[i].x),
           f64 = special_values[i].f64(special_values[i].x);
    cr_expect(is_same(f32, special_values[i].want), "%s_f32(%g) is %g", special_values[i].name,
              special_values[i].x, f32);
    cr_expect(is_same(f64, special_values[i].want), "%s_f64(%g) is %g", special_values[i].name,
              special_values[i].x, f64);
  }
}

/* C11 F.10.4.4 */
static const struct {
  double x, y, want;
} powers[] = {{0, 3, 0},
              {-0.0, 3, -0.0},
              {-0.0, 2, 0},
              {0, -1, INFINITY},
              {-0.0, -1, -INFINITY},
              {0, -INFINITY, INFINITY},
              {0, INFINITY, 0},
              {-1, INFINITY, 1},
              {-1, -INFINITY, 1},
              {1, NAN, 1},
              {NAN, 0, 1},
              {NAN, 1, NAN},
              {2, NAN, NAN},
              {INFINITY, 0, 1},
              {-8, 1.0 / 3, NAN},
              {-2, 3, -8},
              {-2, -2, 0.25},
              {0.5, INFINITY, 0},
              {0.5, -INFINITY, INFINITY},
              {2, INFINITY, INFINITY},
              {2, -INFINITY, 0},
              {-INFINITY, 3, -INFINITY},
              {-INFINITY, 2, INFINITY},
              {-INFINITY, -1, -0.0},
              {-INFINITY, 0.5, INFINITY},
              {INFINITY, -1, 0},
              {10, 400, INFINITY},
              {10, -400, 0},
              {3, 4, 81},
              {-3, 1e30f, INFINITY},
              {1, 1e30f, 1},
              {7, 1, 7}};

Test(runtime_math, powers_keep_signs_and_limits) {
  for (size_t i = 0; i < sizeof powers / sizeof powers[0]; ++i) {
    double x = powers[i].x, y = powers[i].y;
    double f32 = (double)nnrt_pow_f32((float)x, (float)y), f64 = nnrt_pow_f64(x, y);
    cr_expect(is_same(f32, powers[i].want), "pow_f32(%g, %g) is %g", x, y, f32);
    cr_expect(is_same(f64, powers[i].want), "pow_f64(%g, %g) is %g", x, y, f64);
  }
}

Test(runtime_math, min_and_max_keep_the_first_and_pass_nan) {
  cr_expect(is_same((double)nnrt_min_f32(0, -0.0f), 0));
  cr_expect(is_same((double)nnrt_max_f32(-0.0f, 0), -0.0));
  cr_expect(is_same(nnrt_min_f64(1, NAN), (double)NAN));
  cr_expect(is_same(nnrt_max_f64((double)NAN, 1), (double)NAN));
  cr_expect(is_same(nnrt_max_f64(-1, INFINITY), (double)INFINITY));
  cr_expect(is_same(nnrt_min_f64(2, 1), 1));
}

Test(runtime_math, denormals_are_kept) {
  cr_expect(is_same((double)nnrt_exp_f32(-103), 0x1p-149));
  cr_expect(is_same((double)nnrt_sin_f32(0x1p-149f), 0x1p-149));
  cr_expect(is_same(nnrt_tanh_f64(-0x1p-1074), -0x1p-1074));
  cr_expect(is_same(nnrt_log1p_f64(0x1p-1074), 0x1p-1074));
  cr_expect(nnrt_sigmoid_f32(-100) > 0);
  cr_expect_float_eq((double)nnrt_log_f32(0x1p-149f), -149 * 0.6931471805599453, 1e-5);
}

/* Kahan's hard case for the reduction of angles: 6381956970095103 2^797 is within 2^-60 of a multiple
   of pi/2 (Muller, "Elementary Functions", 3rd edition, section 11.1). */
Test(runtime_math, hard_angles_are_reduced_exactly) {
  cr_expect_float_eq(nnrt_cos_f64(ldexp(6381956970095103, 797)), -4.68716592425462761112e-19,
                     1e-34);
}

Test(runtime_math, selftest_knows_this_build) {
  cr_expect_eq(nnrt_selftest_f32(), NNRT_OK);
  cr_expect_eq(nnrt_selftest_f64(), NNRT_OK);
}
