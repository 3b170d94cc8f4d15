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

/* 2^k for a k within the exponent's range; any other k gives some number. */
NNRT_INLINE Real nnrt(power_of_two)(Int k) {
  return nnrt(from_bits)(((Bits)k + K(BIAS)) << K(MANTISSA));
}

/* x = result + k log 2, the result about half of log 2 at most, for x within the range of exp. */
NNRT_INLINE Real nnrt(exp_argument)(Real x, Int *k) {
  const Real shifter = K(WHOLE) + K(WHOLE) / 2; /* its lowest bits hold the nearest whole number */
  Real shifted = nnrt(fma)(x, K(LOG2E), shifter), whole = shifted - shifter;
  *k = (Int)(nnrt(bits)(shifted) - nnrt(bits)(shifter));
  return nnrt(fma)(-whole, K(LN2_LO), nnrt(fma)(-whole, K(LN2_HI), x));
}

/* exp(x - tail) = (1 + result) 2^k, for x within the range of exp and a small tail. */
NNRT_INLINE Real nnrt(exp_reduced)(Real x, Real tail, Int *k) {
  Real r = nnrt(exp_argument)(x, k) - tail;
  return nnrt(fma)(r * r, K(EXP)(r), r);
}

/* exp(x - tail). The power of two goes on in two steps, to reach denormals and overflow. Far below
   the second is 0: a product that underflows takes processors long, and masks are made of such x. */
NNRT_INLINE Real nnrt(exp_sum)(Real x, Real tail) {
  Int k;
  Real capped = x > K(EXP_MAX) ? K(EXP_MAX) : x;
  Real p = nnrt(exp_reduced)(capped < K(EXP_MIN) ? K(EXP_MIN) : capped, tail, &k);
  Real last = nnrt(power_of_two)(k - (k >> 1));
  return (1 + p) * nnrt(power_of_two)(k >> 1) * (x < K(EXP_MIN) ? 0 : last);
}

NNRT_INLINE Real nnrt(exp)(Real x) {
  return nnrt(exp_sum)(x, 0);
}

/* The greatest terms are summed first: where they cancel, that is exact. */
NNRT_INLINE Real nnrt(expm1)(Real x) {
  Int k;
  Real capped = x > K(EXP_MAX) ? K(EXP_MAX) : x;
  Real r = nnrt(exp_argument)(capped < K(EXPM1_MIN) ? K(EXPM1_MIN) : capped, &k);
  Real half = nnrt(power_of_two)(k - 1); /* 2^k itself would overflow first */
  Real linear = nnrt(fma)(r, half, half - (Real)0.5);
  return nnrt(abs)(x) < K(LEAST_NORMAL) ? x : 2 * nnrt(fma)(r * r * K(EXP)(r), half, linear);
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

/* exp(-size), for size >= 0 or a NaN: powers of two that only fall need fewer steps. */
NNRT_INLINE Real nnrt(exp_falling)(Real size) {
  Int k;
  Real capped = size > -K(EXP_MIN) ? -K(EXP_MIN) : size, p = nnrt(exp_reduced)(-capped, 0, &k);
  return (1 + p) * nnrt(power_of_two)(k + 64) * (size > -K(EXP_MIN) ? 0 : (Real)0x1p-64);
}

NNRT_INLINE Real nnrt(sigmoid)(Real x) {
  Real e = nnrt(exp_falling)(nnrt(abs)(x));
  return (x < 0 ? e : 1) / (1 + e);
}

NNRT_INLINE Real nnrt(softplus)(Real x) {
  Real e = nnrt(exp_falling)(nnrt(abs)(x)), u = 1 + e;
  return (x < 0 ? 0 : x) + nnrt(log_finite)(u, (e - (u - 1)) / u);
}

/* exp(2 x), of which no power of two is out of range: from the end on the result is 1. */
NNRT_INLINE Real nnrt(tanh)(Real x) {
  Int k;
  Real size = nnrt(abs)(x), z = x * x, capped = size > K(TANH_END) ? K(TANH_END) : size;
  Real p = nnrt(exp_reduced)(2 * capped, 0, &k), e = (1 + p) * nnrt(power_of_two)(k);
  Real near = nnrt(fma)(size * z, K(TANH)(z), size), far = 1 - 2 / (e + 1);
  return nnrt(turn_sign)(size < K(TANH_SPLIT) ? near : far, nnrt(sign_bit)(x));
}

NNRT_INLINE Real nnrt(erf)(Real x) {
  Real size = nnrt(abs)(x), z = x * x;
  Real t = (size > K(ERF_END) ? K(ERF_END) : size) - K(ERF_CENTRE);
  Real near = nnrt(fma)(size, K(ERF)(z), size), far = 1 - nnrt(exp)(-K(ERFC)(t));
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
