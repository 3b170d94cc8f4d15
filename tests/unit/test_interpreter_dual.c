/* Dual arithmetic: every tangent against central differences of the values, and the kinks one by one. */
#include "equations/dual.h"

#include <criterion/criterion.h>
#include <math.h>

/* Operations with a slope, each at a point away from its kinks. */
static const struct {
  Op op;
  double operands[3];
} slopes[] = {
    {OP_ADD, {1.5, -2}},  {OP_SUB, {1.5, -2}}, {OP_MUL, {1.5, -2}},
    {OP_DIV, {1.5, -2}},  {OP_NEGATE, {3}},    {OP_FMA, {1.5, -2, 0.5}},
    {OP_POW, {1.7, 2.3}}, {OP_POW, {1.7, -2}}, {OP_MIN, {1, 2}},
    {OP_MIN, {2, 1}},     {OP_MAX, {1, 2}},    {OP_MAX, {2, 1}},
    {OP_ABS, {-2}},       {OP_ABS, {2}},       {OP_SIGN, {-2}},
    {OP_FLOOR, {1.5}},    {OP_CEIL, {1.5}},    {OP_ROUND, {1.2}},
    {OP_EXP, {0.7}},      {OP_EXPM1, {-0.7}},  {OP_LOG, {0.7}},
    {OP_LOG1P, {0.7}},    {OP_SQRT, {2}},      {OP_RSQRT, {2}},
    {OP_SIN, {1}},        {OP_COS, {1}},       {OP_TAN, {1}},
    {OP_ATAN, {2}},       {OP_TANH, {0.6}},    {OP_TANH, {-4}},
    {OP_SIGMOID, {0.6}},  {OP_SIGMOID, {-30}}, {OP_SOFTPLUS, {0.6}},
    {OP_SOFTPLUS, {-30}}, {OP_SOFTPLUS, {40}}, {OP_ERF, {0.4}},
    {OP_LGAMMA, {3.3}},   {OP_LGAMMA, {0.3}},  {OP_LGAMMA, {-1.4}},
    {OP_REAL, {1.5}},
};

static double value_at(Op op, const double *x, int moved, double step) {
  Dual operands[3] = {{x[0], 0}, {x[1], 0}, {x[2], 0}};
  operands[moved].value += step;
  return dual_apply(op, operands).value;
}

Test(interpreter_dual, tangents_agree_with_central_differences) {
  for (size_t i = 0; i < sizeof slopes / sizeof *slopes; i++) {
    const double *x = slopes[i].operands;
    for (int k = 0; k < op_arity(slopes[i].op) && k < 3; k++) {
      Dual operands[3] = {{x[0], k == 0}, {x[1], k == 1}, {x[2], k == 2}};
      double h = 6e-6 * fmax(1, fabs(x[k]));
      double expected =
          (value_at(slopes[i].op, x, k, h) - value_at(slopes[i].op, x, k, -h)) / (2 * h);
      double tangent = dual_apply(slopes[i].op, operands).tangent;
      cr_assert(fabs(tangent - expected) <= 1e-8 * fmax(1, fabs(expected)), "%s at %g: %g, not %g",
                op_spelling(slopes[i].op), x[k], tangent, expected);
    }
  }
}

static Dual apply1(Op op, double a, double tangent) {
  return dual_apply(op, (Dual[3]){{a, tangent}});
}

static Dual apply2(Op op, Dual a, Dual b) {
  return dual_apply(op, (Dual[3]){a, b});
}

Test(interpreter_dual, kinks_have_the_slope_of_the_table) {
  cr_assert_eq(apply2(OP_MAX, (Dual){0, 1}, (Dual){0, 0}).tangent, 0);
  cr_assert_eq(apply2(OP_MIN, (Dual){2, 1}, (Dual){2, 1}).tangent, 0);
  cr_assert_eq(apply1(OP_ABS, 0, 1).tangent, 0);
  cr_assert_eq(apply2(OP_POW, (Dual){0, 1}, (Dual){0, 0}).tangent, 0);
  cr_assert_eq(apply2(OP_POW, (Dual){0, 0}, (Dual){2, 1}).tangent, 0);
  cr_assert_eq(apply2(OP_POW, (Dual){-3, 1}, (Dual){2, 0}).tangent, -6);
  cr_assert_eq(apply1(OP_STOP, 2, 1).tangent, 0);
  cr_assert_eq(apply1(OP_INT, -2.7, 1).value, -2);
}

Test(interpreter_dual, not_a_number_comes_through) {
  cr_assert(isnan(apply2(OP_MAX, (Dual){NAN, 0}, (Dual){0, 0}).value));
  cr_assert(isnan(apply2(OP_MIN, (Dual){1, 0}, (Dual){NAN, 0}).value));
  cr_assert(isnan(apply1(OP_SIGN, NAN, 0).value));
}

Test(interpreter_dual, whole_divisions_round_down) {
  cr_assert_eq(apply2(OP_IDIV, (Dual){-7, 0}, (Dual){2, 0}).value, -4);
  cr_assert_eq(apply2(OP_MOD, (Dual){-7, 0}, (Dual){2, 0}).value, 1);
  cr_assert(isnan(apply2(OP_MOD, (Dual){1, 0}, (Dual){0, 0}).value));
}

Test(interpreter_dual, halves_round_to_even) {
  cr_assert_eq(apply1(OP_ROUND, 2.5, 0).value, 2);
  cr_assert_eq(apply1(OP_ROUND, -3.5, 0).value, -4);
}

/* Abramowitz & Stegun, table 6.1 and formula 6.3.2: psi(1) = -gamma, psi(1/2) = -gamma - 2 log 2. */
Test(interpreter_dual, digamma_has_its_known_values) {
  const double gamma = 0.57721566490153286061;
  cr_assert_float_eq(apply1(OP_DIGAMMA, 1, 0).value, -gamma, 1e-14);
  cr_assert_float_eq(apply1(OP_DIGAMMA, 0.5, 0).value, -gamma - 2 * log(2), 1e-14);
  cr_assert_float_eq(apply1(OP_DIGAMMA, -0.5, 0).value, 2 - gamma - 2 * log(2), 1e-13);
  cr_assert(isnan(apply1(OP_DIGAMMA, -3, 0).value));
}

Test(interpreter_dual, functions_do_not_overflow_on_the_way) {
  cr_assert_eq(apply1(OP_SIGMOID, -1000, 1).value, 0);
  cr_assert_eq(apply1(OP_SIGMOID, 1000, 1).value, 1);
  cr_assert_eq(apply1(OP_SOFTPLUS, 1000, 1).value, 1000);
  cr_assert_eq(apply1(OP_TANH, 1000, 1).tangent, 0);
}

Test(interpreter_dual, an_override_stands_for_one_derivative) {
  op_override_derivative(OP_SIN, 0, "-cos(a)");
  cr_assert_str_eq(op_derivative(OP_SIN, 0), "-cos(a)");
  cr_assert_str_eq(op_derivative(OP_COS, 0), "-sin(a)");
  op_override_derivative(OP_SIN, 0, NULL);
  cr_assert_str_eq(op_derivative(OP_SIN, 0), "cos(a)");
}
