/* The elementary functions, once for any real type. nnrt_math.h includes this text for float and
   for double with Real, Bits (unsigned, as wide), Int (signed, as wide) and Suffix defined;
   nnrt(op) is the function's name for that type and K(NAME) its constant. A select is written
   `c ? a : b` with both sides computed; no comparison holds for a NaN, and each order is chosen so
   that it comes through. */

NNRT_INLINE Bits nnrt(bits)(Real x) {
  Bits bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

NNRT_INLINE Real nnrt(from_bits)(Bits bits) {
  Real x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

NNRT_INLINE Real nnrt(fma)(Real a, Real b, Real c) {
#if NNRT_FMA
  return K(FUSED)(a, b, c);
#else
  return a * b + c;
#endif
}

/* 1 or 0: the sign bit. */
NNRT_INLINE Bits nnrt(sign_bit)(Real x) {
  return nnrt(bits)(x) >> (sizeof(Bits) * 8 - 1);
}

/* x with its sign turned when bit 0 of `turn` is set. */
NNRT_INLINE Real nnrt(turn_sign)(Real x, Bits turn) {
  return nnrt(from_bits)(nnrt(bits)(x) ^ turn << (sizeof(Bits) * 8 - 1));
}

/* `yes` when bit 0 of `odd` is set, else `no`: never a branch, which would be mispredicted. */
NNRT_INLINE Real nnrt(choose)(Bits odd, Real yes, Real no) {
  Bits mask = -(odd & 1);
  return nnrt(from_bits)((nnrt(bits)(yes) & mask) | (nnrt(bits)(no) & ~mask));
}

NNRT_INLINE Real nnrt(abs)(Real x) {
  return nnrt(from_bits)(nnrt(bits)(x) & ((Bits)-1 >> 1));
}

NNRT_INLINE Real nnrt(sign)(Real x) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}

NNRT_INLINE Real nnrt(min)(Real a, Real b) {
  Real least = b < a ? b : a;
  return b != b ? b : least;
}

NNRT_INLINE Real nnrt(max)(Real a, Real b) {
  Real greatest = b > a ? b : a;
  return b != b ? b : greatest;
}

NNRT_INLINE Real nnrt(round)(Real x) {
  Real size = nnrt(abs)(x), whole = (size + K(WHOLE)) - K(WHOLE);
  return nnrt(turn_sign)(size < K(WHOLE) ? whole : size, nnrt(sign_bit)(x));
}

NNRT_INLINE Real nnrt(floor)(Real x) {
  Real whole = nnrt(round)(x);
  return whole > x ? whole - 1 : whole;
}

NNRT_INLINE Real nnrt(ceil)(Real x) {
  return -nnrt(floor)(-x);
}

NNRT_INLINE Real nnrt(sqrt)(Real x) {
  return K(SQRT)(x);
}

NNRT_INLINE Real nnrt(rsqrt)(Real x) {
  return 1 / K(SQRT)(x);
}

/* 2^(field - BIAS), `field` being that of the exponent: 0 gives 0, all bits set give inf. The bits above it are lost. */
NNRT_INLINE Real nnrt(power_of_two)(Bits field) {
  return nnrt(from_bits)(field << K(MANTISSA));
}

/* A number of which every unit is one of the last place, so that its lowest bits hold `whole`. */
NNRT_INLINE Real nnrt(shifter)(int whole) {
  return K(WHOLE) + K(WHOLE) / 2 + (Real)whole;
}

/* shifter(base + k), k the whole number nearest to x / log 2, where that is within the bits of a mantissa. */
NNRT_INLINE Real nnrt(exp_shifted)(Real x, int base) {
  return nnrt(fma)(x, K(LOG2E), nnrt(shifter)(base));
}

/* The less of two numbers by their bits, one of them not negative: a NaN may be the greater one. */
NNRT_INLINE Real nnrt(less)(Real a, Real b) {
  Int of_a = (Int)nnrt(bits)(a), of_b = (Int)nnrt(bits)(b);
  return nnrt(from_bits)((Bits)(of_a < of_b ? of_a : of_b));
}

/* x - k log 2 */
NNRT_INLINE Real nnrt(exp_rest)(Real x, Real k) {
  return nnrt(fma)(-k, K(LN2_LO), nnrt(fma)(-k, K(LN2_HI), x));
}

/* exp(x - tail), for a small tail. The power of two goes on in two steps, to reach denormals and overflow. Far below
   both are 0: a product that underflows takes processors long, and masks are made of such x. */
NNRT_INLINE Real nnrt(exp_sum)(Real x, Real tail) {
  const Real scale = nnrt(power_of_two)(3 * K(BIAS) - K(EXP_BASE));
  Real low = x < K(EXP_MIN) ? K(EXP_MIN) : x;
  Real shifted =
      nnrt(less)(nnrt(exp_shifted)(low, K(EXP_BASE)), nnrt(shifter)(K(EXP_BASE) + K(BIAS) + 1));
  Real r = nnrt(exp_rest)(low, shifted - nnrt(shifter)(K(EXP_BASE))) - tail;
  Bits field = nnrt(bits)(shifted), half = field >> 1;
  return K(EXP)(r, scale) * nnrt(power_of_two)(half) * nnrt(power_of_two)(field - half);
}

NNRT_INLINE Real nnrt(exp)(Real x) {
  return nnrt(exp_sum)(x, 0);
}

/* exp(x) for EXP_MIN <= x < 70, where one step is enough. */
NNRT_INLINE Real nnrt(exp_within)(Real x) {
  const Real scale = nnrt(power_of_two)(2 * K(BIAS) - K(EXP_BASE));
  Real shifted = nnrt(exp_shifted)(x, K(EXP_BASE));
  Real r = nnrt(exp_rest)(x, shifted - nnrt(shifter)(K(EXP_BASE)));
  return K(EXP)(r, scale) * nnrt(power_of_two)(nnrt(bits)(shifted));
}

/* The greatest terms are summed first: where they cancel, that is exact. */
NNRT_INLINE Real nnrt(expm1)(Real x) {
  const int base = K(BIAS) - 1; /* for half of the power of two: the whole would overflow first */
  Real low = x < K(EXPM1_MIN) ? K(EXPM1_MIN) : x;
  Real shifted = nnrt(less)(nnrt(exp_shifted)(low, base), nnrt(shifter)(2 * K(BIAS)));
  Real r = nnrt(exp_rest)(low, shifted - nnrt(shifter)(base));
  Real half = nnrt(power_of_two)(nnrt(bits)(shifted));
  Real linear = nnrt(fma)(r, half, half - (Real)0.5);
  return nnrt(abs)(x) < K(LEAST_NORMAL) ? x
                                        : 2 * nnrt(fma)(r * r * K(EXP_REST)(r, 1), half, linear);
}

/* x = 2^result m with sqrt(1/2) <= m < sqrt(2), for finite x > 0. */
NNRT_INLINE Real nnrt(split)(Real x, Real *m) {
  int tiny = x < K(LEAST_NORMAL);
  Bits low = nnrt(bits)(K(SQRT_HALF)), fraction = ((Bits)1 << K(MANTISSA)) - 1;
  Bits bits = nnrt(bits)(tiny ? x * (4 * K(WHOLE)) : x) - low;
  *m = nnrt(from_bits)((bits & fraction) + low);
  return (Real)(int32_t)((Int)bits >> K(MANTISSA)) - (Real)(tiny ? K(MANTISSA) + 2 : 0);
}

/* log x + correction, for finite x > 0 and a small correction. The sum is that of fdlibm's e_log.c. */
NNRT_INLINE Real nnrt(log_finite)(Real x, Real correction) {
  Real m, k = nnrt(split)(x, &m), f = m - 1, s = f / (2 + f), z = s * s, half = f * f / 2;
  Real low = nnrt(fma)(k, K(LN2_LO), correction);
  Real rest = half - nnrt(fma)(s, nnrt(fma)(z, K(LOG)(z), half), low);
  return nnrt(fma)(k, K(LN2_HI), f - rest);
}

NNRT_INLINE Real nnrt(log_sum)(Real x, Real correction) {
  Real sum = nnrt(log_finite)(x, correction);
  return ((x > 0) & (x < K(INFINITY))) ? sum : x == 0 ? -K(INFINITY) : x < 0 ? K(NAN) : x;
}

NNRT_INLINE Real nnrt(log)(Real x) {
  return nnrt(log_sum)(x, 0);
}

/* log(1 + x): what 1 + x loses by rounding goes in as a correction. */
NNRT_INLINE Real nnrt(log1p)(Real x) {
  Real u = 1 + x, lost = (x - (u - 1)) / u;
  Real sum = nnrt(log_sum)(u, x < K(WHOLE) ? lost : 0);
  return x == 0 ? x : sum;
}

/* 1 / (1 + exp(-x)), both terms of the quotient times `one`, so that it is 0 before they overflow. */
NNRT_INLINE Real nnrt(sigmoid)(Real x) {
  const int base = K(BIAS) - K(MANTISSA) - 3;
  const Real one = nnrt(power_of_two)((Bits)base);
  Real low = -(x > 40 ? 40 : x); /* there 1 + exp(-x) is 1 */
  Real shifted = nnrt(less)(nnrt(exp_shifted)(low, base), nnrt(shifter)(2 * K(BIAS) + 1));
  Real r = nnrt(exp_rest)(low, shifted - nnrt(shifter)(base));
  return one / nnrt(fma)(K(EXP)(r, 1), nnrt(power_of_two)(nnrt(bits)(shifted)), one);
}

NNRT_INLINE Real nnrt(softplus)(Real x) {
  Real size = nnrt(abs)(x), e = nnrt(exp_within)(-(size > -K(EXP_MIN) ? -K(EXP_MIN) : size));
  Real u = 1 + e;
  return (x < 0 ? 0 : x) + nnrt(log_finite)(u, (e - (u - 1)) / u);
}

/* With |x| = r + k log 2, P = 4^k / 2 and u = tanh r: tanh |x| = n / (n + 1 - u), where n = (P + 1/2) u + P - 1/2. k is 0
   until tanh |x| is above 1/2: n is then u, and what it is divided by is 1. Later an error of n is nearly one of both.
   From TANH_END on the result is 1. */
NNRT_INLINE Real nnrt(tanh)(Real x) {
  const Real shifter =
      (K(WHOLE) + K(WHOLE) / 2) / 256 + K(BIAS) / 2; /* its last 8 bits are a fraction */
  Real size = nnrt(abs)(x), capped = size > K(TANH_END) ? K(TANH_END) : size;
  Bits floor = nnrt(bits)(nnrt(fma)(capped, K(LOG2E), shifter + (Real)50 / 256)) & ~(Bits)255;
  Real power = nnrt(from_bits)(floor << (K(MANTISSA) - 7)); /* of 4: twice the field */
  Real r = nnrt(exp_rest)(capped, nnrt(from_bits)(floor) - shifter), z = r * r;
  Real u = nnrt(fma)(r * z, K(TANH)(z), r);
  Real n = nnrt(fma)(power + (Real)0.5, u, power - (Real)0.5);
  return nnrt(turn_sign)(n / (n + (1 - u)), nnrt(sign_bit)(x));
}

NNRT_INLINE Real nnrt(erf)(Real x) {
  Real size = nnrt(abs)(x), z = x * x;
  Real t = (size > K(ERF_END) ? K(ERF_END) : size) - K(ERF_CENTRE);
  Real near = nnrt(fma)(size, K(ERF)(z), size), far = 1 - nnrt(exp_within)(-K(ERFC)(t));
  return nnrt(turn_sign)(size < K(ERF_SPLIT) ? near : far, nnrt(sign_bit)(x));
}

NNRT_INLINE Real nnrt(atan)(Real x) {
  Real size = nnrt(abs)(x), t = size > 1 ? 1 / size : size, z = t * t;
  Real p = nnrt(fma)(t * z, K(ATAN)(z), t);
  Real angle = size > 1 ? (K(PIO2_HI) - p) + K(PIO2_LO) : p;
  return nnrt(turn_sign)(angle, nnrt(sign_bit)(x));
}

/* Sine and cosine of |x| less n right angles; the result is n mod 4. */
NNRT_INLINE Bits nnrt(sine_cosine)(Real x, Real *sine, Real *cosine) {
  Real hi, lo;
  Bits n = (Bits)nnrt(quadrant)(nnrt(abs)(x), &hi, &lo);
  Real z = hi * hi, half = z / 2, w = 1 - half;
  *sine = hi + nnrt(fma)(hi * z, K(SIN)(z), lo - half * lo);
  *cosine = w + (((1 - w) - half) + nnrt(fma)(z * z, K(COS)(z), -(hi * lo)));
  return n;
}

NNRT_INLINE Real nnrt(sin)(Real x) {
  Real sine, cosine;
  Bits n = nnrt(sine_cosine)(x, &sine, &cosine);
  return nnrt(turn_sign)(nnrt(choose)(n, cosine, sine), nnrt(sign_bit)(x) ^ n >> 1);
}

NNRT_INLINE Real nnrt(cos)(Real x) {
  Real sine, cosine;
  Bits n = nnrt(sine_cosine)(x, &sine, &cosine);
  return nnrt(turn_sign)(nnrt(choose)(n, sine, cosine), (n + 1) >> 1);
}

NNRT_INLINE Real nnrt(tan)(Real x) {
  Real sine, cosine;
  Bits n = nnrt(sine_cosine)(x, &sine, &cosine);
  return nnrt(turn_sign)(nnrt(choose)(n, cosine, sine) / nnrt(choose)(n, sine, cosine),
                         nnrt(sign_bit)(x) ^ n);
}

NNRT_INLINE Real nnrt(pow)(Real x, Real y) {
  int whole = nnrt(round)(y) == y, odd = whole & (nnrt(round)(y / 2) != y / 2);
  Real power = nnrt(turn_sign)(nnrt(power)(nnrt(abs)(x), y), nnrt(sign_bit)(x) & (Bits)odd);
  int no_value = (x < 0) & (x > -K(INFINITY)) & !whole;
  int one = (y == 0) | (x == 1) | ((x == -1) & (nnrt(abs)(y) == K(INFINITY)));
  return one ? 1 : no_value ? K(NAN) : power;
}
