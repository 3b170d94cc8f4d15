/* Whole numbers and tests on arrays: what generated programs need beside elementary functions. */
#ifndef NNRT_WHOLE_H
#define NNRT_WHOLE_H

#include "nnrt_math.h"

#include <stddef.h>

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

/* x, which is kept: bits of `unsound` are set when it is not finite, since x - x is 0 or NaN. */
static inline float nnrt_watch_f32(float x, uint32_t *unsound) {
  *unsound |= nnrt_bits_f32(x - x);
  return x;
}

static inline double nnrt_watch_f64(double x, uint64_t *unsound) {
  *unsound |= nnrt_bits_f64(x - x);
  return x;
}

/* `count` numbers of a model, `offset` bytes from its start. */
typedef struct nnrt_span {
  size_t offset;
  int64_t count;
} nnrt_span;

/* Numbers without their sign are ordered as their bits are: the greatest tells of all. */
static inline int nnrt_all_finite_f32(const float *x, int64_t count) {
  int32_t greatest = 0;
  for (int64_t i = 0; i < count; ++i) {
    int32_t bits = (int32_t)(nnrt_bits_f32(x[i]) & UINT32_C(0x7fffffff));
    greatest = bits > greatest ? bits : greatest;
  }
  return greatest < INT32_C(0x7f800000);
}

static inline int nnrt_all_finite_f64(const double *x, int64_t count) {
  int64_t greatest = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t bits = (int64_t)(nnrt_bits_f64(x[i]) & UINT64_C(0x7fffffffffffffff));
    greatest = bits > greatest ? bits : greatest;
  }
  return greatest < INT64_C(0x7ff0000000000000);
}

static inline int nnrt_spans_finite_f32(const void *model, const nnrt_span *spans, int count) {
  int good = 1;
  for (int i = 0; i < count; ++i) {
    const void *first = (const unsigned char *)model + spans[i].offset;
    good &= nnrt_all_finite_f32((const float *)first, spans[i].count);
  }
  return good;
}

static inline int nnrt_spans_finite_f64(const void *model, const nnrt_span *spans, int count) {
  int good = 1;
  for (int i = 0; i < count; ++i) {
    const void *first = (const unsigned char *)model + spans[i].offset;
    good &= nnrt_all_finite_f64((const double *)first, spans[i].count);
  }
  return good;
}

static inline void nnrt_spans_clear_f32(void *model, const nnrt_span *spans, int count) {
  for (int i = 0; i < count; ++i) {
    void *first = (unsigned char *)model + spans[i].offset;
    for (int64_t k = 0; k < spans[i].count; ++k) ((float *)first)[k] = 0;
  }
}

static inline void nnrt_spans_clear_f64(void *model, const nnrt_span *spans, int count) {
  for (int i = 0; i < count; ++i) {
    void *first = (unsigned char *)model + spans[i].offset;
    for (int64_t k = 0; k < spans[i].count; ++k) ((double *)first)[k] = 0;
  }
}

#endif
