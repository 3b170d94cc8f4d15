/* Philox against the published vectors, and draws as functions of (seed, step, site, index). */
#include <criterion/criterion.h>
#include <math.h>

#include "nnrt_philox.h"

/* Lines `philox4x32 10` of tests/kat_vectors in Random123 1.09 (D. E. Shaw Research): counter, key,
   result. */
Test(runtime_random, philox_gives_the_published_vectors) {
  static const struct {
    uint32_t words[4];
    uint64_t key;
    uint32_t want[4];
  } rows[] = {
      {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       0xffffffffffffffff,
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       0x299f31d0a4093822,
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    uint32_t words[4];
    for (int k = 0; k < 4; ++k) words[k] = rows[i].words[k];
    nnrt_philox(rows[i].key, words);
    for (int k = 0; k < 4; ++k) cr_expect_eq(words[k], rows[i].want[k], "row %zu word %d", i, k);
  }
}

Test(runtime_random, a_draw_is_a_word_of_its_block) {
  uint32_t words[4] = {5, 1, (uint32_t)(nnrt_mix(7) + 9), (uint32_t)((nnrt_mix(7) + 9) >> 32)};
  nnrt_philox(42, words);
  uint64_t first = 4 * 0x100000005, second = 2 * 0x100000005;
  for (unsigned k = 0; k < 4; ++k)
    cr_expect_eq(nnrt_uniform_f32(42, 9, 7, first + k), (float)(words[k] >> 8) / 16777216.0f);
  uint64_t bits = (uint64_t)words[2] << 32 | words[3];
  cr_expect_eq(nnrt_uniform_f64(42, 9, 7, second + 1), ldexp((double)(bits >> 11), -53));
}

/* From each place in a block, over none, one and many blocks. */
Test(runtime_random, rows_have_the_numbers_of_their_elements) {
  enum { LONGEST = 150 };
  float f32[LONGEST], normal32[LONGEST];
  double f64[LONGEST], normal64[LONGEST];
  for (uint64_t first = 0xfffffffdU; first < 0x100000002U; ++first)
    for (int64_t count = -1; count <= LONGEST; count += count < 12 ? 1 : 69) {
      nnrt_uniforms_f32(f32, count, 5, 6, 7, first);
      nnrt_uniforms_f64(f64, count, 5, 6, 7, first);
      nnrt_normals_f32(normal32, count, 5, 6, 7, first);
      nnrt_normals_f64(normal64, count, 5, 6, 7, first);
      for (int64_t i = 0; i < count; ++i) {
        uint64_t at = first + (uint64_t)i;
        cr_assert_eq(f32[i], nnrt_uniform_f32(5, 6, 7, at));
        cr_assert_eq(f64[i], nnrt_uniform_f64(5, 6, 7, at));
        cr_assert_eq(normal32[i], nnrt_normal_f32(5, 6, 7, at));
        cr_assert_eq(normal64[i], nnrt_normal_f64(5, 6, 7, at));
      }
    }
}

Test(runtime_random, uniforms_fill_the_unit_interval) {
  double sum = 0, square = 0;
  enum { COUNT = 100000 };
  for (uint64_t i = 0; i < COUNT; ++i) {
    float u = nnrt_uniform_f32(1, 2, 3, i);
    double v = nnrt_uniform_f64(1, 2, 3, i);
    cr_assert(u >= 0 && u < 1 && v >= 0 && v < 1);
    sum += (double)u + v;
    square += (double)u * (double)u + v * v;
  }
  cr_expect_float_eq(sum / (2 * COUNT), 0.5, 0.005);
  cr_expect_float_eq(square / (2 * COUNT), 1.0 / 3, 0.005);
}

/* Moments within five standard errors of 0, 1, 0 and 3. */
Test(runtime_random, normals_have_the_moments_of_a_normal) {
  double f32[4] = {0}, f64[4] = {0};
  enum { COUNT = 100000 };
  for (uint64_t i = 0; i < COUNT; ++i) {
    double x = (double)nnrt_normal_f32(1, 2, 3, i), y = nnrt_normal_f64(1, 2, 3, i), p = x, q = y;
    for (int k = 0; k < 4; ++k, p *= x, q *= y) f32[k] += p / COUNT, f64[k] += q / COUNT;
  }
  static const double want[4] = {0, 1, 0, 3}, error[4] = {0.016, 0.023, 0.062, 0.16};
  for (int k = 0; k < 4; ++k) {
    cr_expect_float_eq(f32[k], want[k], error[k], "f32 moment %d is %g", k + 1, f32[k]);
    cr_expect_float_eq(f64[k], want[k], error[k], "f64 moment %d is %g", k + 1, f64[k]);
  }
}

Test(runtime_random, seeds_steps_and_sites_are_independent) {
  float base = nnrt_uniform_f32(1, 1, 1, 0);
  cr_expect_neq(base, nnrt_uniform_f32(2, 1, 1, 0));
  cr_expect_neq(base, nnrt_uniform_f32(1, 2, 1, 0));
  cr_expect_neq(base, nnrt_uniform_f32(1, 1, 2, 0));
  cr_expect_neq(base, nnrt_uniform_f32(1, 1, 1, 1));
  cr_expect_neq(base, nnrt_uniform_f32((uint64_t)1 << 32 | 1, 1, 1, 0));
  cr_expect_neq(base, nnrt_uniform_f32(1, (uint64_t)1 << 32 | 1, 1, 0));
  cr_expect_neq(base, nnrt_uniform_f32(1, 1, 1, (uint64_t)1 << 40));
}
