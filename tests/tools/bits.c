/* Prints hashes of what the runtime's arithmetic gives: of every function at 128 arguments, of a
   longer walk, and of random numbers. tests/tools/test_same_bits.py compares them over compilers. */
#include <stdio.h>

#include "nnrt_philox.h"
#include "nnrt_selftest.h"

enum { WALK = 20000 };

#define WALK_OVER(type, Real, Bits, odd)                                                           \
  static uint64_t walk_##type(void) {                                                              \
    static Real in[WALK], out[WALK];                                                               \
    uint64_t hash = 0;                                                                             \
    for (int i = 0; i < WALK; ++i)                                                                 \
      in[i] = i % 2 ? ((Real)i - WALK * (Real)0.5) / 500 : nnrt_from_bits_##type((Bits)i * odd);   \
    NNRT_FUNCTIONS(WALK_FUNCTION, type)                                                            \
    return hash;                                                                                   \
  }
#define WALK_FUNCTION(op, type)                                                                    \
  for (int i = 0; i < WALK; ++i) out[i] = nnrt_##op##_##type(in[i]);                               \
  for (int i = 0; i < WALK; ++i) {                                                                 \
    NNRT_ADD(out[i], type)                                                                         \
  }
WALK_OVER(f32, float, uint32_t, 0x9e3779b9)
WALK_OVER(f64, double, uint64_t, 0x9e3779b97f4a7c15)

static uint64_t draw_all(void) {
  uint64_t hash = 0;
  for (uint64_t i = 0; i < WALK; ++i) {
    NNRT_ADD(nnrt_uniform_f32(1, 2, 3, i), f32)
    NNRT_ADD(nnrt_normal_f32(1, 2, 3, i), f32)
    NNRT_ADD(nnrt_uniform_f64(1, 2, 3, i), f64)
    NNRT_ADD(nnrt_normal_f64(1, 2, 3, i), f64)
  }
  return hash;
}

int main(void) {
  printf("%016llx %016llx ", (unsigned long long)nnrt_hash_f32(),
         (unsigned long long)nnrt_hash_f64());
  printf("%016llx %016llx %016llx\n", (unsigned long long)walk_f32(),
         (unsigned long long)walk_f64(), (unsigned long long)draw_all());
  return nnrt_selftest_f32() || nnrt_selftest_f64();
}
