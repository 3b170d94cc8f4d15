/* Whole numbers and tests on arrays: what generated programs need beside elementary functions. */
#ifndef NNRT_WHOLE_H
#define NNRT_WHOLE_H

#include "nnrt_math.h"

/* Quotient and remainder towards minus infinity; b is not 0. */
static inline int64_t nnrt_floor_divide_i64(int64_t a, int64_t b) {
  int64_t q = a / b;
  return q - (a % b != 0 && (a < 0) != (b < 0));
}

static inline int64_t nnrt_floor_modulo_i64(int64_t a, int64_t b) {
  int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static inline int64_t nnrt_min_i64(int64_t a, int64_t b) {
  return b < a ? b : a;
}

static inline int64_t nnrt_max_i64(int64_t a, int64_t b) {
  return b > a ? b : a;
}

static inline int64_t nnrt_abs_i64(int64_t a) {
  return a < 0 ? -a : a;
}

static inline int64_t nnrt_sign_i64(int64_t a) {
  return (a > 0) - (a < 0);
}

/* Towards zero; what does not fit in 32 bits gives the nearest end, a NaN 0. */
static inline int64_t nnrt_int_f64(double x) {
  if (x != x) return 0;
  return x >= 2147483647.0 ? INT32_MAX : x <= -2147483648.0 ? INT32_MIN : (int64_t)x;
}

static inline int64_t nnrt_int_f32(float x) {
  return nnrt_int_f64((double)x);
}

/* Bit tests: they hold whatever the compiler believes of infinities. */
static inline int nnrt_is_finite_f32(float x) {
  return (nnrt_bits_f32(x) & UINT32_C(0x7f800000)) != UINT32_C(0x7f800000);
}

static inline int nnrt_is_finite_f64(double x) {
  return (nnrt_bits_f64(x) & UINT64_C(0x7ff0000000000000)) != UINT64_C(0x7ff0000000000000);
}

static inline int nnrt_all_finite_f32(const float *x, int64_t count) {
  int bad = 0;
  for (int64_t i = 0; i < count; ++i) bad |= !nnrt_is_finite_f32(x[i]);
  return !bad;
}

static inline int nnrt_all_finite_f64(const double *x, int64_t count) {
  int bad = 0;
  for (int64_t i = 0; i < count; ++i) bad |= !nnrt_is_finite_f64(x[i]);
  return !bad;
}

#endif
