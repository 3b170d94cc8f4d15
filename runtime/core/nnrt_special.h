/* What needs more than one working precision: the reduction of angles, pow, lgamma, digamma.

   Angles are reduced exactly for every argument by one path without cases (Payne and Hanek, "Radian
   reduction for trigonometric functions", SIGNUM Newsletter 1983): the mantissa times the 192 bits
   of 2/pi that matter, in integers. pow needs some 66 bits of the logarithm: Dekker's exact products
   ("A floating-point technique for extending the available precision", 1971). The f32 functions here
   are the f64 ones, rounded. */
#ifndef NNRT_SPECIAL_H
#define NNRT_SPECIAL_H

/* The upper half of a 128-bit product, by products of halves, which are vectors. */
NNRT_INLINE uint64_t nnrt_multiply_high(uint64_t a, uint64_t b) {
  uint64_t a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* 2/pi in binary after 64 zeros: 64 bits of it from bit `first`. */
NNRT_INLINE uint64_t nnrt_two_over_pi(int64_t first) {
  static const uint64_t digits[20] = {NNRT_TWO_OVER_PI};
  int64_t word = first >> 6, shift = first & 63;
  return digits[word] << shift | digits[word + 1] >> 1 >> (63 - shift);
}

/* The fraction of a right angle is a 128-bit number high:low; its upper 26 bits times the upper 27
   of pi/2 are exact, which gives hi and lo without a fused multiply-add. */
NNRT_INLINE int nnrt_quadrant_f64(double size, double *hi, double *lo) {
  uint64_t bits = nnrt_bits_f64(size);
  uint64_t mantissa = (bits & 0xfffffffffffff) | 0x10000000000000;
  int64_t first = (int64_t)(bits >> 52) - 1075 + 62; /* size = mantissa 2^(first - 62) */
  first = first < 0 ? 0 : first;
  uint64_t p0 = nnrt_two_over_pi(first), p1 = nnrt_two_over_pi(first + 64);
  uint64_t low = mantissa * p1 + nnrt_multiply_high(mantissa, nnrt_two_over_pi(first + 128));
  uint64_t carry = low < mantissa * p1;
  uint64_t high = mantissa * p0 + nnrt_multiply_high(mantissa, p1) + carry;
  uint64_t fraction = high << 2 | low >> 62, coarse = fraction & ~(uint64_t)0x3fffffffff;
  double unit = 1 / 18446744073709551616.0; /* 2^-64 */
  double a = (double)(int64_t)coarse * unit;
  double b =
      ((double)(int64_t)(fraction - coarse) + (double)(int64_t)(low << 2 >> 1) * 2 * unit) * unit;
  double product = a * 1.570796325802803, rest = a * 9.920935796805404e-10 + b * NNRT_PIO2_HI_f64;
  int small = size < 0.7853981633974483;
  *hi = small ? size : size < NNRT_INFINITY_f64 ? product + rest : NNRT_NAN_f64;
  *lo = small ? 0 : (product - *hi) + rest;
  return small ? 0 : (int)((high >> 62) + (high >> 61 & 1)) & 3;
}

NNRT_INLINE int nnrt_quadrant_f32(float size, float *hi, float *lo) {
  double wide_hi, wide_lo;
  int n = nnrt_quadrant_f64((double)size, &wide_hi, &wide_lo);
  *hi = (float)wide_hi;
  *lo = (float)(wide_hi - (double)*hi);
  return n;
}

/* The unevaluated sum hi + lo of two doubles, |lo| at most half a unit of hi. */
typedef struct nnrt_pair {
  double hi, lo;
} nnrt_pair;

/* a + b exactly, for |a| >= |b| or a = 0. */
static inline nnrt_pair nnrt_exact_sum(double a, double b) {
  nnrt_pair sum = {a + b, 0};
  sum.lo = (a - sum.hi) + b;
  return sum;
}

/* a b exactly, by halves of 26 bits. */
static inline nnrt_pair nnrt_exact_product(double a, double b) {
  double a_cut = a * 134217729.0, b_cut = b * 134217729.0; /* 2^27 + 1 */
  double a1 = a_cut - (a_cut - a), a0 = a - a1, b1 = b_cut - (b_cut - b), b0 = b - b1;
  nnrt_pair product = {a * b, 0};
  product.lo = ((a1 * b1 - product.hi) + a1 * b0 + a0 * b1) + a0 * b0;
  return product;
}

static inline nnrt_pair nnrt_pair_product(nnrt_pair a, nnrt_pair b) {
  nnrt_pair product = nnrt_exact_product(a.hi, b.hi);
  product.lo += a.hi * b.lo + a.lo * b.hi;
  return product;
}

static inline nnrt_pair nnrt_pair_sum(nnrt_pair a, nnrt_pair b) {
  nnrt_pair sum = {a.hi + b.hi, 0};
  double of_b = sum.hi - a.hi;
  sum.lo = (a.hi - (sum.hi - of_b)) + (b.hi - of_b) + a.lo + b.lo;
  return sum;
}

/* a / b, to some 100 bits. */
static inline nnrt_pair nnrt_quotient_pair(double a, double b) {
  nnrt_pair quotient = {a / b, 0}, back = nnrt_exact_product(quotient.hi, b);
  quotient.lo = ((a - back.hi) - back.lo) / b;
  return quotient;
}

/* log x for finite x > 0, to some 66 bits: with s = (m - 1) / (m + 1),
   log m = 2 s + s^3 (2/3 + s^2 (...)). */
static inline nnrt_pair nnrt_log_pair(double x) {
  double m, k = nnrt_split_f64(x, &m), n = m - 1, d = m + 1, d_lost = m - (d - 1);
  nnrt_pair s = {n / d, 0}, back = nnrt_exact_product(s.hi, d);
  s.lo = ((n - back.hi) - back.lo - s.hi * d_lost) / d;
  nnrt_pair z = nnrt_pair_product(s, s);
  nnrt_pair c = nnrt_exact_sum(2.0 / 3, z.hi * NNRT_POW_LOG_f64(z.hi) + 3.700743415417188e-17);
  nnrt_pair cubic = nnrt_pair_product(s, nnrt_pair_product(z, c));
  nnrt_pair sum = nnrt_exact_sum(2 * s.hi, cubic.hi);
  nnrt_pair whole = nnrt_exact_sum(k * NNRT_LN2_HI_f64, sum.hi);
  whole.lo += sum.lo + (2 * s.lo + cubic.lo) + k * NNRT_LN2_LO_f64;
  return whole;
}

static inline double nnrt_power_f64(double x, double y) {
  nnrt_pair log = nnrt_log_pair(x);
  double limit = 1e21; /* a larger |y| gives 0 or inf all the same, and must not overflow here */
  double capped = y > limit ? limit : y < -limit ? -limit : y;
  nnrt_pair power = nnrt_exact_product(capped, log.hi);
  power.lo += capped * log.lo;
  double usual = nnrt_exp_sum_f64(power.hi, nnrt_abs_f64(power.hi) < 1000 ? -power.lo : 0);
  double edge = (x == 0) != (y < 0) ? 0 : NNRT_INFINITY_f64; /* x is 0 or inf */
  return x != x ? x : x > 0 && x < NNRT_INFINITY_f64 ? usual : y != y ? y : edge;
}

static inline float nnrt_power_f32(float x, float y) {
  return (float)nnrt_exp_f64((double)y * nnrt_log_f64((double)x));
}

static inline double nnrt_horner(const double *coefficients, int count, double x) {
  double sum = coefficients[count - 1];
  for (int i = count - 2; i >= 0; --i) sum = nnrt_fma_f64(sum, x, coefficients[i]);
  return sum;
}
#define NNRT_HORNER(table, x) nnrt_horner(table, (int)(sizeof(table) / sizeof(table)[0]), x)

/* lgamma(1 + t) for |t| <= 1/2. */
static inline double nnrt_lgamma_near_1(double t) {
  static const double table[] = {NNRT_LGAMMA_1};
  return t * NNRT_HORNER(table, t) + 0.0; /* lgamma(1) is +0 */
}

/* lgamma(2 + t) for -1/2 <= t <= 1. */
static inline double nnrt_lgamma_near_2(double t) {
  static const double table[] = {NNRT_LGAMMA_2};
  return t * NNRT_HORNER(table, t);
}

/* lgamma for x >= 1/2: polynomials, lgamma(x) = log(x - 1) + lgamma(x - 1), Stirling's series. */
static inline double nnrt_lgamma_positive(double x) {
  static const double stirling[] = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
                                    1.0 / 1188, -691.0 / 360360, 1.0 / 156,  -3617.0 / 122400};
  if (x < 1.5) return nnrt_lgamma_near_1(x - 1);
  if (x < 9) {
    double product = 1;
    while (x >= 3) {
      x -= 1;
      product *= x;
    }
    return nnrt_log_f64(product) + nnrt_lgamma_near_2(x - 2);
  }
  double series = NNRT_HORNER(stirling, 1 / x / x) / x + 0.4189385332046727; /* log(2 pi)/2 - 1/2 */
  return (x - 0.5) * (nnrt_log_f64(x) - 1) + series;
}

static inline double nnrt_lgamma_f64(double x) {
  double size = nnrt_abs_f64(x), turn = x - nnrt_round_f64(x);
  if (x != x || size == NNRT_INFINITY_f64) return size;
  if (size < 0.5) return x == 0 ? NNRT_INFINITY_f64 : nnrt_lgamma_near_1(x) - nnrt_log_f64(size);
  if (x > 0) return nnrt_lgamma_positive(x);
  if (turn == 0) return NNRT_INFINITY_f64;
  double reflected = x * nnrt_sin_f64(turn * 3.141592653589793);
  return nnrt_log_f64(3.141592653589793 / nnrt_abs_f64(reflected)) - nnrt_lgamma_positive(size);
}

static inline float nnrt_lgamma_f32(float x) {
  return (float)nnrt_lgamma_f64((double)x);
}

/* digamma for 1 <= x <= 2, by a polynomial that keeps its zero exact. */
static inline double nnrt_digamma_near_root(double x) {
  static const double table[] = {NNRT_DIGAMMA};
  return ((x - 1.4616321449683622) - 9.549995429965697e-17) * NNRT_HORNER(table, x - 1.5);
}

/* log x - 1/(2 x) - digamma(x), for x >= 10. */
static inline double nnrt_digamma_tail(double x) {
  static const double series[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                  1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160};
  return NNRT_HORNER(series, 1 / x / x) / x / x;
}

/* digamma for x > 0: digamma(x) = digamma(x - 1) + 1 / (x - 1), or the asymptotic series. */
static inline double nnrt_digamma_positive(double x) {
  double sum = 0;
  if (x >= 10) return nnrt_log_f64(x) - 0.5 / x - nnrt_digamma_tail(x);
  if (x < 1) return nnrt_digamma_near_root(x + 1) - 1 / x;
  while (x > 2) {
    x -= 1;
    sum += 1 / x;
  }
  return nnrt_digamma_near_root(x) + sum;
}

/* pi cot(pi t) for 0 < |t| <= 1/2, to some 58 bits: its three poles near 0, and the power series of the rest. */
static inline nnrt_pair nnrt_cotangent_pair(double t) {
  static const double table[] = {NNRT_COTANGENT};
  nnrt_pair linear =
      nnrt_pair_product((nnrt_pair){1.2898681336964528, 6.081344700796952e-17}, (nnrt_pair){t, 0});
  linear.lo += t * t * t * NNRT_HORNER(table, t * t);
  nnrt_pair beside = nnrt_pair_sum(nnrt_quotient_pair(1, t - 1), nnrt_quotient_pair(1, t + 1));
  return nnrt_pair_sum(nnrt_quotient_pair(1, t),
                       nnrt_pair_sum(beside, (nnrt_pair){-linear.hi, -linear.lo}));
}

/* digamma for x <= -1/2, t = x - round(x) not 0: digamma(-x) - 1/x - pi cot(pi t). These cancel between the poles, so
   they are pairs: of a float next to a zero all digits are right. */
static inline double nnrt_digamma_reflected(double x, double t) {
  double size = -x;
  nnrt_pair sum = nnrt_quotient_pair(1, size);
  while (size < 10) {
    sum = nnrt_pair_sum(sum, nnrt_quotient_pair(-1, size));
    size += 1;
  }
  sum = nnrt_pair_sum(sum, nnrt_quotient_pair(-0.5, size));
  sum = nnrt_pair_sum(sum, (nnrt_pair){-nnrt_digamma_tail(size), 0});
  nnrt_pair cotangent = nnrt_cotangent_pair(t);
  sum = nnrt_pair_sum(sum, nnrt_log_pair(size));
  sum = nnrt_pair_sum(sum, (nnrt_pair){-cotangent.hi, -cotangent.lo});
  return sum.hi + sum.lo;
}

static inline double nnrt_digamma_f64(double x) {
  double turn = x - nnrt_round_f64(x); /* NaN for -inf */
  if (x > 0 || x != x) return x < NNRT_INFINITY_f64 ? nnrt_digamma_positive(x) : x;
  if (x > -0.5) return nnrt_digamma_near_root(x + 2) - 1 / (x + 1) - 1 / x;
  return turn != 0 ? nnrt_digamma_reflected(x, turn) : NNRT_NAN_f64;
}

static inline float nnrt_digamma_f32(float x) {
  return (float)nnrt_digamma_f64((double)x);
}

#endif
