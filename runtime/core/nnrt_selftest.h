/* Whether this compiler, its flags and this machine kept the arithmetic: a hash of the functions'
   bits at 128 arguments each, denormals among them, against the one recorded for the profile.
   Contraction, flushing to zero, reassociation, another rounding mode or x87 arithmetic change it. */
#ifndef NNRT_SELFTEST_H
#define NNRT_SELFTEST_H

#include "nnrt.h"
#include "nnrt_math.h"

/* The functions of one argument. */
/* clang-format off */
#define NNRT_FUNCTIONS(X, type)                                                                    \
  X(abs, type) X(sign, type) X(floor, type) X(ceil, type) X(round, type) X(sqrt, type)             \
  X(rsqrt, type) X(exp, type) X(expm1, type) X(log, type) X(log1p, type) X(sigmoid, type)          \
  X(softplus, type) X(tanh, type) X(erf, type) X(sin, type) X(cos, type) X(tan, type)              \
  X(atan, type) X(lgamma, type) X(digamma, type)
/* clang-format on */

/* A NaN counts as one value, whatever its bits. */
#define NNRT_ADD(y, type)                                                                          \
  hash = (hash ^ (y == y ? nnrt_bits_##type(y) : 1)) * 0x9e3779b97f4a7c15;                         \
  hash ^= hash >> 32;
#define NNRT_ADD_FUNCTION(op, type)                                                                \
  y = nnrt_##op##_##type(x);                                                                       \
  NNRT_ADD(y, type)

#define NNRT_DEFINE_HASH(type, Real, Bits, odd)                                                    \
  static inline uint64_t nnrt_hash_##type(void) {                                                  \
    uint64_t hash = 0;                                                                             \
    for (int i = 0; i < 128; ++i) { /* small numbers, and bit patterns of every kind */            \
      Real x = i % 2 ? (Real)(i - 64) / 8 : nnrt_from_bits_##type((Bits)i * odd), y;               \
      NNRT_FUNCTIONS(NNRT_ADD_FUNCTION, type)                                                      \
      y = nnrt_pow_##type(x, (Real)(i % 7) / 2 - 1);                                               \
      NNRT_ADD(y, type)                                                                            \
    }                                                                                              \
    return hash;                                                                                   \
  }
NNRT_DEFINE_HASH(f32, float, uint32_t, 0x9e3779b9)
NNRT_DEFINE_HASH(f64, double, uint64_t, 0x9e3779b97f4a7c15)

/* NNRT_OK or NNRT_E_SELFTEST. */
static inline int nnrt_selftest_f32(void) {
  uint64_t recorded = NNRT_FMA ? 0x96331484059e9add : 0x202e5b604cccf480;
  return nnrt_hash_f32() == recorded ? NNRT_OK : NNRT_E_SELFTEST;
}

static inline int nnrt_selftest_f64(void) {
  uint64_t recorded = NNRT_FMA ? 0x3780ddb78372606c : 0x726f9dd14c0cc983;
  return nnrt_hash_f64() == recorded ? NNRT_OK : NNRT_E_SELFTEST;
}

#endif
