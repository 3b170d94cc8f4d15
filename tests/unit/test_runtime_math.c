/* Special values of the elementary functions, rounding, and the self-test. */
#include <criterion/criterion.h>
#include <math.h>

#include "nnrt_selftest.h"

/* One number, or NaN where NaN is wanted, with the sign of a zero. */
static int is_same(double got, double want) {
  if (isnan(want)) return isnan(got);
  return got == want && !signbit(got) == !signbit(want);
}

/* name, argument, result: exact in float and in double alike (C11, Annex F; lgamma and digamma by
   their limits). */
#define SPECIAL_VALUES(X)                                                                                   \
  X(exp, 0, 1)                                                                                              \
  X(exp, -0.0, 1)                                                                                           \
  X(exp, INFINITY, INFINITY) X(exp, -INFINITY, 0) X(exp, NAN, NAN) X(exp, 1000, INFINITY) X(                \
      exp, -1000, 0) X(expm1, 0, 0) X(expm1, -0.0, -0.0) X(expm1, INFINITY, INFINITY)                       \
      X(expm1, -INFINITY, -1) X(expm1, NAN, NAN) X(expm1, -50, -1) X(log, 1, 0) X(                          \
          log, 0, -INFINITY) X(log, -0.0, -INFINITY) X(log, -1, NAN) X(log, NAN, NAN)                       \
          X(log, INFINITY, INFINITY) X(log, -INFINITY, NAN) X(log1p, 0, 0) X(log1p, -0.0, -0.0) X(          \
              log1p, -1, -INFINITY) X(log1p, -2, NAN)                                                       \
              X(log1p, INFINITY, INFINITY) X(log1p, -INFINITY, NAN) X(log1p, NAN, NAN) X(                   \
                  sqrt,                                                                                     \
                  4,                                                                                        \
                  2) X(sqrt, -0.0,                                                                          \
                       -0.0) X(sqrt, INFINITY,                                                              \
                               INFINITY) X(sqrt, -1, NAN)                                                   \
                  X(rsqrt, 4, 0.5) X(rsqrt, 0, INFINITY) X(rsqrt, INFINITY, 0) X(rsqrt, -1, NAN) X(         \
                      sigmoid,                                                                              \
                      0,                                                                                    \
                      0.5) X(sigmoid, INFINITY,                                                             \
                             1) X(sigmoid, -INFINITY, 0)                                                    \
                      X(sigmoid, NAN, NAN) X(softplus, INFINITY, INFINITY) X(                               \
                          softplus,                                                                         \
                          -INFINITY,                                                                        \
                          0) X(softplus, NAN,                                                               \
                               NAN) X(softplus, 100, 100)                                                   \
                          X(tanh, 0, 0) X(tanh, -0.0, -0.0) X(tanh, INFINITY, 1) X(tanh, -INFINITY, -1) X(  \
                              tanh,                                                                         \
                              NAN, NAN) X(erf, 0, 0)                                                        \
                              X(erf, -0.0, -0.0) X(erf, INFINITY, 1) X(erf, -INFINITY, -1) X(               \
                                  erf, NAN,                                                                 \
                                  NAN) X(sin, 0, 0)                                                         \
                                  X(sin, -0.0, -0.0) X(sin, INFINITY, NAN) X(sin, -INFINITY, NAN) X(        \
                                      sin, NAN,                                                             \
                                      NAN) X(cos, 0, 1)                                                     \
                                      X(cos, INFINITY, NAN) X(cos, NAN, NAN) X(                             \
                                          tan, 0,                                                           \
                                          0) X(tan, -0.0,                                                   \
                                               -0.0) X(tan, INFINITY,                                       \
                                                       NAN) X(tan, NAN, NAN)                                \
                                          X(atan, 0, 0) X(atan, -0.0, -0.0) X(atan, NAN, NAN) X(            \
                                              abs, -0.0,                                                    \
                                              0) X(abs, -INFINITY, INFINITY)                                \
                                              X(abs, -2, 2) X(abs, NAN, NAN) X(                             \
                                                  sign,                                                     \
                                                  0,                                                        \
                                                  0) X(sign, -0.0,                                          \
                                                       -0.0) X(sign, -3,                                    \
                                                               -1) X(sign, INFINITY, 1)                     \
                                                  X(sign, NAN, NAN) X(floor, -0.5, -1) X(                   \
                                                      floor, 0.5,                                           \
                                                      0) X(floor, -0.0,                                     \
                                                           -0.0) X(floor, INFINITY, INFINITY)               \
                                                      X(floor, 1e30f, 1e30f) X(floor, NAN, NAN)             \
                                                          X(floor, -3, -3) X(ceil, -0.5, -0.0) X(           \
                                                              ceil,                                         \
                                                              0.5,                                          \
                                                              1) X(ceil, -INFINITY,                         \
                                                                   -INFINITY) X(ceil, NAN, NAN)             \
                                                              X(round, 0.5, 0) X(round, 1.5, 2) X(          \
                                                                  round,                                    \
                                                                  2.5,                                      \
                                                                  2) X(round, -0.5,                         \
                                                                       -0.0) X(round, -2.5, -2)             \
                                                                  X(round, INFINITY, INFINITY) X(           \
                                                                      round, NAN,                           \
                                                                      NAN) X(round, 8388609,                \
                                                                             8388609) X(lgamma, 1, 0)       \
                                                                      X(lgamma, 2,                          \
                                                                        0) X(lgamma, 0,                     \
                                                                             INFINITY) X(lgamma,            \
                                                                                         -3,                \
                                                                                         INFINITY)          \
                                                                          X(lgamma, INFINITY, INFINITY) X(  \
                                                                              lgamma,                       \
                                                                              -INFINITY,                    \
                                                                              INFINITY) X(lgamma, NAN, NAN) \
                                                                              X(digamma, 0,                 \
                                                                                -INFINITY) X(digamma,       \
                                                                                             -0.0,          \
                                                                                             INFINITY)      \
                                                                                  X(digamma, -1,            \
                                                                                    NAN) X(digamma,         \
                                                                                           NAN,             \
                                                                                           NAN)             \
                                                                                      X(digamma,            \
                                                                                        INFINITY,           \
                                                                                        INFINITY)           \
                                                                                          X(digamma,        \
                                                                                            -INFINITY,      \
                                                                                            NAN)

Test(runtime_math, special_values_are_those_of_annex_f) {
#define CHECK(name, x, want)                                                                       \
  cr_expect(is_same((double)nnrt_##name##_f32((float)(x)), (double)(want)), #name "_f32(" #x ")"); \
  cr_expect(is_same(nnrt_##name##_f64((double)(x)), (double)(want)), #name "_f64(" #x ")");
  SPECIAL_VALUES(CHECK)
#undef CHECK
}

/* x, y, x^y (C11 F.10.4.4) */
#define POWERS(X)                                                                                  \
  X(0, 3, 0)                                                                                       \
  X(-0.0, 3, -0.0)                                                                                 \
  X(-0.0, 2, 0) X(0, -1, INFINITY) X(-0.0, -1, -INFINITY) X(0, -INFINITY, INFINITY)                \
      X(0, INFINITY, 0) X(-1, INFINITY, 1) X(-1, -INFINITY, 1) X(1, NAN, 1) X(NAN, 0, 1)           \
          X(NAN, 1, NAN) X(2, NAN, NAN) X(INFINITY, 0, 1) X(-8, 1.0 / 3, NAN) X(-2, 3, -8)         \
              X(-2, -2, 0.25) X(0.5, INFINITY, 0) X(0.5, -INFINITY, INFINITY)                      \
                  X(2, INFINITY, INFINITY) X(2, -INFINITY, 0) X(-INFINITY, 3, -INFINITY)           \
                      X(-INFINITY, 2, INFINITY) X(-INFINITY, -1, -0.0) X(-INFINITY, 0.5, INFINITY) \
                          X(INFINITY, -1, 0) X(10, 400, INFINITY) X(10, -400, 0) X(3, 4, 81)       \
                              X(-3, 1e30f, INFINITY) X(1, 1e30f, 1) X(7, 1, 7)

Test(runtime_math, powers_keep_signs_and_limits) {
#define CHECK(x, y, want)                                                                          \
  cr_expect(is_same((double)nnrt_pow_f32((float)(x), (float)(y)), (double)(float)(want)),          \
            "pow_f32(" #x ", " #y ")");                                                            \
  cr_expect(is_same(nnrt_pow_f64((double)(x), (double)(y)), (double)(want)),                       \
            "pow_f64(" #x ", " #y ")");
  POWERS(CHECK)
#undef CHECK
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
