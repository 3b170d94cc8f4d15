/* Values by the C library, tangents by the chain rule, both written out for every operation.

   A direction of zero gives a tangent of zero, whatever the slope there (x^2 at x < 0 has no derivative
   by its exponent, and needs none). Not a number comes through max, min and sign. */
#include "equations/dual.h"

#include "support/checked.h"
#include "support/diagnostics.h"

#include <math.h>

/* ---- one slope for each operand ---------------------------------------------------------------- */

static Dual constant(double value) {
  return (Dual){value, 0};
}

static double along(double slope, double tangent) {
  return tangent == 0 ? 0 : slope * tangent;
}

static Dual chain(double value, double slope, Dual a) {
  return (Dual){value, along(slope, a.tangent)};
}

static Dual chain2(double value, double slope_a, Dual a, double slope_b, Dual b) {
  return (Dual){value, along(slope_a, a.tangent) + along(slope_b, b.tangent)};
}

/* ---- arithmetic -------------------------------------------------------------------------------- */

static Dual divide(Dual a, Dual b) {
  return chain2(a.value / b.value, 1 / b.value, a, -a.value / (b.value * b.value), b);
}

static Dual fused(Dual a, Dual b, Dual c) {
  Dual product = chain2(0, b.value, a, a.value, b);
  return (Dual){fma(a.value, b.value, c.value), product.tangent + c.tangent};
}

static Dual power(Dual a, Dual b) {
  double y = pow(a.value, b.value);
  double slope_a = b.value == 0 ? 0 : b.value * pow(a.value, b.value - 1);
  double slope_b = a.value == 0 ? 0 : y * log(a.value);
  return chain2(y, slope_a, a, slope_b, b);
}

/* The operand that is strictly on top; at a tie the value without a slope. */
static Dual choose(Dual a, Dual b, bool first, bool second) {
  if (first) return a;
  if (second) return b;
  return constant(a.value == b.value ? a.value : NAN);
}

/* Whole numbers are exact in a double up to 2^53; a division by zero has no value. */
static Dual whole(int64_t (*operation)(int64_t, int64_t), Dual a, Dual b) {
  bool defined = fabs(a.value) < 0x1p53 && fabs(b.value) < 0x1p53 && b.value != 0;
  return constant(defined ? (double)operation((int64_t)a.value, (int64_t)b.value) : NAN);
}

static double sign_of(double a) {
  return a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : NAN;
}

/* ---- functions the C library lacks ------------------------------------------------------------- */

static double logistic(double a) {
  if (a >= 0) return 1 / (1 + exp(-a));
  double e = exp(a);
  return e / (1 + e);
}

static double soft_plus(double a) {
  return (a > 0 ? a : 0) + log1p(exp(-fabs(a)));
}

static Dual sigmoid(Dual a) {
  return chain(logistic(a.value), logistic(a.value) * logistic(-a.value), a);
}

/* Abramowitz & Stegun 6.3.7 (reflection), 6.3.5 (recurrence), 6.3.18 (asymptotic series). */
static double digamma_of(double x) {
  const double pi = 3.14159265358979323846;
  if (x <= 0) return x == floor(x) ? NAN : digamma_of(1 - x) - pi / tan(pi * x);
  double shift = 0;
  while (x < 10) {
    shift -= 1 / x;
    x += 1;
  }
  double s = 1 / (x * x);
  double series =
      s * (1. / 12 -
           s * (1. / 120 -
                s * (1. / 252 - s * (1. / 240 - s * (1. / 132 - s * (691. / 32760 - s / 12))))));
  return shift + log(x) - 0.5 / x - series;
}

static Dual error_function(Dual a) {
  const double two_over_root_pi = 1.12837916709551257390;
  return chain(erf(a.value), two_over_root_pi * exp(-a.value * a.value), a);
}

static Dual square_root(Dual a) {
  double root = sqrt(a.value);
  return chain(root, 1 / (2 * root), a);
}

static Dual inverse_square_root(Dual a) {
  double root = sqrt(a.value);
  return chain(1 / root, -1 / (2 * a.value * root), a);
}

static Dual hyperbolic_tangent(Dual a) {
  double c = cosh(a.value);
  return chain(tanh(a.value), 1 / (c * c), a);
}

static Dual tangent_of(Dual a) {
  double c = cos(a.value);
  return chain(tan(a.value), 1 / (c * c), a);
}

/* ---- the table --------------------------------------------------------------------------------- */

Dual dual_apply(Op op, const Dual *operands) {
  Dual a = operands[0], b = operands[1];
  double v = a.value, w = b.value;
  switch (op) {
  case OP_ADD: return chain2(v + w, 1, a, 1, b);
  case OP_SUB: return chain2(v - w, 1, a, -1, b);
  case OP_MUL: return chain2(v * w, w, a, v, b);
  case OP_DIV: return divide(a, b);
  case OP_IDIV: return whole(floor_divide, a, b);
  case OP_MOD: return whole(floor_modulo, a, b);
  case OP_NEGATE: return chain(-v, -1, a);
  case OP_FMA: return fused(a, b, operands[2]);
  case OP_POW: return power(a, b);
  case OP_MIN: return choose(a, b, v < w, w < v);
  case OP_MAX: return choose(a, b, v > w, w > v);
  case OP_EQ: return constant(v == w);
  case OP_NE: return constant(v != w);
  case OP_LT: return constant(v < w);
  case OP_LE: return constant(v <= w);
  case OP_NOT: return constant(v == 0);
  case OP_ABS: return chain(fabs(v), sign_of(v), a);
  case OP_SIGN: return constant(sign_of(v));
  case OP_FLOOR: return constant(floor(v));
  case OP_CEIL: return constant(ceil(v));
  case OP_ROUND: return constant(nearbyint(v));
  case OP_EXP: return chain(exp(v), exp(v), a);
  case OP_EXPM1: return chain(expm1(v), exp(v), a);
  case OP_LOG: return chain(log(v), 1 / v, a);
  case OP_LOG1P: return chain(log1p(v), 1 / (1 + v), a);
  case OP_SQRT: return square_root(a);
  case OP_RSQRT: return inverse_square_root(a);
  case OP_SIN: return chain(sin(v), cos(v), a);
  case OP_COS: return chain(cos(v), -sin(v), a);
  case OP_TAN: return tangent_of(a);
  case OP_ATAN: return chain(atan(v), 1 / (1 + v * v), a);
  case OP_TANH: return hyperbolic_tangent(a);
  case OP_SIGMOID: return sigmoid(a);
  case OP_SOFTPLUS: return chain(soft_plus(v), logistic(v), a);
  case OP_ERF: return error_function(a);
  case OP_LGAMMA: return chain(lgamma(v), digamma_of(v), a);
  case OP_DIGAMMA: return chain(digamma_of(v), NAN, a);
  case OP_STOP: return constant(v);
  case OP_REAL: return a;
  case OP_INT: return constant(trunc(v));
  case OP_NUMBER:
  case OP_INTEGER:
  case OP_INDEX:
  case OP_EXTENT:
  case OP_UNIFORM:
  case OP_NORMAL:
  case OP_READ:
  case OP_AND:
  case OP_OR:
  case OP_SELECT:
  case OP_COUNT: break;
  }
  bug("dual_apply: '%s' is the interpreter's", op_spelling(op));
}
