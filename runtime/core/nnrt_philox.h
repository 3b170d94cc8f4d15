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
   Uniforms are in [0, 1). */
#ifndef NNRT_PHILOX_H
#define NNRT_PHILOX_H

#include "nnrt_math.h"

/* The four words of a counter, in place. */
static inline void nnrt_philox(uint64_t key, uint32_t words[4]) {
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
static inline uint64_t nnrt_mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/* Block number `block` of a draw: the elements 4 block to 4 block + 3 in f32, 2 block and the next
   in f64. */
static inline void nnrt_draw(uint64_t seed, uint64_t step, uint64_t site, uint64_t block,
                             uint32_t words[4]) {
  uint64_t stream = nnrt_mix(site) + step;
  words[0] = (uint32_t)block;
  words[1] = (uint32_t)(block >> 32);
  words[2] = (uint32_t)stream;
  words[3] = (uint32_t)(stream >> 32);
  nnrt_philox(seed, words);
}

static inline float nnrt_unit_f32(uint32_t word) {
  return (float)(word >> 8) * 5.9604644775390625e-8f;
}

static inline double nnrt_unit_f64(uint32_t high, uint32_t low) {
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

static inline float nnrt_normal_f32(uint64_t seed, uint64_t step, uint64_t site, uint64_t index) {
  uint32_t words[4];
  nnrt_draw(seed, step, site, index >> 2, words);
  float u = nnrt_unit_f32(words[index & 2]),
        angle = 6.28318531f * nnrt_unit_f32(words[(index & 2) + 1]);
  float radius = nnrt_sqrt_f32(-2 * nnrt_log_f32(u + 5.9604644775390625e-8f));
  return radius * (index & 1 ? nnrt_sin_f32(angle) : nnrt_cos_f32(angle));
}

static inline double nnrt_normal_f64(uint64_t seed, uint64_t step, uint64_t site, uint64_t index) {
  uint32_t words[4];
  nnrt_draw(seed, step, site, index >> 1, words);
  double u = nnrt_unit_f64(words[0], words[1]),
         angle = 6.283185307179586 * nnrt_unit_f64(words[2], words[3]);
  double radius = nnrt_sqrt_f64(-2 * nnrt_log_f64(u + 1.1102230246251565e-16));
  return radius * (index & 1 ? nnrt_sin_f64(angle) : nnrt_cos_f64(angle));
}

#endif
