/* Random numbers as a pure function of (seed, step, site, index), so that nothing depends on threads,
   order or the number of workers, and resuming is exact.

   Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
   turns a key of 64 and a counter of 128 bits into four words of 32. Here
     key     = seed
     counter = block (64 bits, low), nnrt_mix(site) + step (64 bits, high)
   where the site is the hash of the draw's path in the model. For one site all steps have counters
   of their own; two sites meet only if their mixed hashes are closer than the number of steps.
     uniform f32: block index / 4, word w = index % 4; (w >> 8) 2^-24
     uniform f64: block index / 2, words 2 (index % 2) and the next: their 53 upper bits 2^-53
     normal f32, f64: Box and Muller's pair of the two uniforms in elements 2 (index / 2) and the
     next, u in (0, 1] and v in [0, 1): sqrt(-2 log u) cos(2 pi v) where index is even, sin where odd.
   Uniforms are in [0, 1).

   nnrt_uniforms and nnrt_normals make the numbers of an array with consecutive indices: the same ones, whole blocks
   at a time, which C compilers run in vectors. */
#ifndef NNRT_PHILOX_H
#define NNRT_PHILOX_H

#include "nnrt_math.h"

#if defined __AVX512F__ && (defined __clang__ || (defined __GNUC__ && __GNUC__ >= 12))
#define NNRT_WORDS 1
#include <immintrin.h>
#include <string.h>
#else
#define NNRT_WORDS 0
#endif

/* The four words of a counter, in place. */
NNRT_INLINE void nnrt_philox(uint64_t key, uint32_t words[4]) {
  uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; ++round, key0 += 0x9e3779b9, key1 += 0xbb67ae85) {
    uint64_t a = (uint64_t)words[0] * 0xd2511f53, b = (uint64_t)words[2] * 0xcd9e8d57;
    words[0] = (uint32_t)(b >> 32) ^ words[1] ^ key0;
    words[1] = (uint32_t)b;
    words[2] = (uint32_t)(a >> 32) ^ words[3] ^ key1;
    words[3] = (uint32_t)a;
  }
}

/* A bijection that spreads every bit (the finaliser of splitmix64). */
NNRT_INLINE uint64_t nnrt_mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/* Block number `block` of a draw: the elements 4 block to 4 block + 3 in f32, 2 block and the next
   in f64. */
NNRT_INLINE void nnrt_draw(uint64_t seed, uint64_t step, uint64_t site, uint64_t block,
                           uint32_t words[4]) {
  uint64_t stream = nnrt_mix(site) + step;
  words[0] = (uint32_t)block;
  words[1] = (uint32_t)(block >> 32);
  words[2] = (uint32_t)stream;
  words[3] = (uint32_t)(stream >> 32);
  nnrt_philox(seed, words);
}

NNRT_INLINE float nnrt_unit_f32(uint32_t word) {
  return (float)(int32_t)(word >> 8) * 5.9604644775390625e-8f;
}

NNRT_INLINE double nnrt_unit_f64(uint32_t high, uint32_t low) {
  return (double)(int64_t)(((uint64_t)high << 32 | low) >> 11) * 1.1102230246251565e-16;
}

static inline float nnrt_uniform_f32(uint64_t seed, uint64_t step, uint64_t site, uint64_t index) {
  uint32_t words[4];
  nnrt_draw(seed, step, site, index >> 2, words);
  return nnrt_unit_f32(words[index & 3]);
}

static inline double nnrt_uniform_f64(uint64_t seed, uint64_t step, uint64_t site, uint64_t index) {
  uint32_t words[4];
  nnrt_draw(seed, step, site, index >> 1, words);
  return index & 1 ? nnrt_unit_f64(words[2], words[3]) : nnrt_unit_f64(words[0], words[1]);
}

/* Box and Muller: two uniforms become two normals. */
NNRT_INLINE void nnrt_pair_f32(float *pair) {
  float radius = nnrt_sqrt_f32(-2 * nnrt_log_f32(pair[0] + 5.9604644775390625e-8f)),
        angle = 6.28318531f * pair[1];
  pair[0] = radius * nnrt_cos_f32(angle);
  pair[1] = radius * nnrt_sin_f32(angle);
}

NNRT_INLINE void nnrt_pair_f64(double *pair) {
  double radius = nnrt_sqrt_f64(-2 * nnrt_log_f64(pair[0] + 1.1102230246251565e-16)),
         angle = 6.283185307179586 * pair[1];
  pair[0] = radius * nnrt_cos_f64(angle);
  pair[1] = radius * nnrt_sin_f64(angle);
}

static inline float nnrt_normal_f32(uint64_t seed, uint64_t step, uint64_t site, uint64_t index) {
  uint32_t words[4];
  nnrt_draw(seed, step, site, index >> 2, words);
  float pair[2] = {nnrt_unit_f32(words[index & 2]), nnrt_unit_f32(words[(index & 2) + 1])};
  nnrt_pair_f32(pair);
  return pair[index & 1];
}

static inline double nnrt_normal_f64(uint64_t seed, uint64_t step, uint64_t site, uint64_t index) {
  uint32_t words[4];
  nnrt_draw(seed, step, site, index >> 1, words);
  double pair[2] = {nnrt_unit_f64(words[0], words[1]), nnrt_unit_f64(words[2], words[3])};
  nnrt_pair_f64(pair);
  return pair[index & 1];
}

/* ---- many at a time ---- */

#define NNRT_BLOCKS 8

#if NNRT_WORDS
/* Eight words, each the lower half of an element. Of the loop below gcc 12 makes products of 64 by 64 bits, and clang
   brings the numbers into their order one by one. */
typedef uint64_t nnrt_words __attribute__((vector_size(8 * NNRT_BLOCKS)));
typedef uint32_t nnrt_halves __attribute__((vector_size(8 * NNRT_BLOCKS)));

NNRT_INLINE nnrt_words nnrt_multiply_words(nnrt_words a, uint32_t b) {
  return (nnrt_words)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
}

NNRT_INLINE void nnrt_philox_blocks(uint64_t key, nnrt_words words[4]) {
  uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; ++round, key0 += 0x9e3779b9, key1 += 0xbb67ae85) {
    nnrt_words a = nnrt_multiply_words(words[0], 0xd2511f53),
               b = nnrt_multiply_words(words[2], 0xcd9e8d57);
    words[0] = b >> 32 ^ words[1] ^ (uint64_t)key0;
    words[1] = b;
    words[2] = a >> 32 ^ words[3] ^ (uint64_t)key1;
    words[3] = a;
  }
}

NNRT_INLINE nnrt_words nnrt_pair_words(nnrt_words a, nnrt_words b) {
  return (nnrt_words)__builtin_shufflevector((nnrt_halves)a, (nnrt_halves)b, 0, 16, 2, 18, 4, 20, 6,
                                             22, 8, 24, 10, 26, 12, 28, 14, 30);
}

NNRT_INLINE void nnrt_draw_blocks(uint64_t seed, uint64_t step, uint64_t site, uint64_t block,
                                  uint32_t numbers[4 * NNRT_BLOCKS]) {
  const nnrt_words lanes = {0, 1, 2, 3, 4, 5, 6, 7}, zero = {0};
  const uint64_t stream = nnrt_mix(site) + step;
  nnrt_words words[4] = {lanes + block, (lanes + block) >> 32, zero + stream,
                         zero + (stream >> 32)};
  nnrt_philox_blocks(seed, words);
  const nnrt_words first = nnrt_pair_words(words[0], words[1]),
                   second = nnrt_pair_words(words[2], words[3]),
                   lower = __builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11),
                   upper = __builtin_shufflevector(first, second, 4, 12, 5, 13, 6, 14, 7, 15);
  memcpy(numbers, &lower, sizeof lower);
  memcpy(numbers + 2 * NNRT_BLOCKS, &upper, sizeof upper);
}
#else
/* The words of the blocks from `block` on, one after the other. */
NNRT_INLINE void nnrt_draw_blocks(uint64_t seed, uint64_t step, uint64_t site, uint64_t block,
                                  uint32_t numbers[4 * NNRT_BLOCKS]) {
#pragma GCC unroll 1
  for (int b = 0; b < NNRT_BLOCKS; ++b) {
    uint32_t words[4];
    nnrt_draw(seed, step, site, block + (uint64_t)b, words);
    for (int k = 0; k < 4; ++k) numbers[4 * b + k] = words[k];
  }
}
#endif

#define NNRT_ROWS(Real, suffix, size, number)                                                      \
  static inline void nnrt_uniforms_##suffix(Real *restrict row, int64_t count, uint64_t seed,      \
                                            uint64_t step, uint64_t site, uint64_t first) {        \
    const int64_t all = (int64_t)size * NNRT_BLOCKS;                                               \
    uint64_t block = first / size;                                                                 \
    for (int64_t at = -(int64_t)(first % size); at < count; at += all, block += NNRT_BLOCKS) {     \
      uint32_t words[4 * NNRT_BLOCKS];                                                             \
      nnrt_draw_blocks(seed, step, site, block, words);                                            \
      if (at >= 0 && at + all <= count) {                                                          \
        _Pragma("GCC unroll 1") for (int64_t i = 0; i < all; ++i) row[at + i] = number;            \
      } else {                                                                                     \
        for (int64_t i = at < 0 ? -at : 0; i < all && at + i < count; ++i) row[at + i] = number;   \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  static inline void nnrt_normals_##suffix(Real *restrict row, int64_t count, uint64_t seed,       \
                                           uint64_t step, uint64_t site, uint64_t first) {         \
    int64_t i = 0;                                                                                 \
    if (first % 2 != 0 && count > 0) row[i++] = nnrt_normal_##suffix(seed, step, site, first);     \
    const int64_t pairs = count > i ? (count - i) / 2 : 0;                                         \
    Real *restrict whole = row + i;                                                                \
    nnrt_uniforms_##suffix(whole, 2 * pairs, seed, step, site, first + (uint64_t)i);               \
    for (int64_t p = 0; p < pairs; ++p) nnrt_pair_##suffix(whole + 2 * p);                         \
    i += 2 * pairs;                                                                                \
    if (i < count) row[i] = nnrt_normal_##suffix(seed, step, site, first + (uint64_t)i);           \
  }
NNRT_ROWS(float, f32, 4, nnrt_unit_f32(words[i]))
NNRT_ROWS(double, f64, 2, nnrt_unit_f64(words[2 * i], words[2 * i + 1]))
#undef NNRT_ROWS

#endif
