/* Vectors of numbers, by the vector extensions of gcc and clang: nnrt_f32x16 is 16 floats.

   An operation on a vector is that operation on each lane: the same bits as one number at a time. A type may
   be wider than the machine's registers, compilers then split it. nnrt_load and nnrt_store take any address at
   which a number may stand; nnrt_load_part and nnrt_store_part touch only the first `count` of them, the other lanes
   are 0; nnrt_fma(a, b, c) is the number a times b plus c, nnrt_fma_each that with a vector a, by the profile of
   nnrt_math.h; nnrt_first takes the first `count` lanes of one vector and the others of another;
   nnrt_load_even loads every other number, nnrt_all has one in all lanes, nnrt_max and nnrt_min are as those of numbers;
   nnrt_transpose copies a square of as many rows as there are lanes, rows to columns. */
#ifndef NNRT_VECTOR_H
#define NNRT_VECTOR_H

#include "nnrt_math.h"

#if defined __x86_64__
#include <immintrin.h>
#elif NNRT_FMA && defined __aarch64__
#include <arm_neon.h>
#endif

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wpsabi" /* all functions of vectors are inline */
#endif

/* gcc gives registers to a loop that needs fewer than there are together with what is around it. A tile needs most
   of the 32 of AVX-512, and then one of its factors was in memory. */
#if defined __AVX512F__ && !defined __clang__
#pragma GCC optimize("ira-region=all")
#endif

/* Between the sums of a tile and what is done with them. clang keeps the constants of the latter in registers all
   the time, and then the sums in memory: so nothing stays in a register here. */
#if defined __clang__ && defined __AVX512F__
#define NNRT_APART                                                                                 \
  __asm__ volatile("" ::                                                                           \
                       : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",   \
                         "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16",    \
                         "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",   \
                         "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
#elif defined __clang__ && defined __x86_64__
#define NNRT_APART                                                                                 \
  __asm__ volatile("" ::                                                                           \
                       : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",   \
                         "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#else
#define NNRT_APART
#endif

/* An array may hold anything: its elements are stored in the first steps of a loop and read in later ones, which gcc
   does not see, and warns. There is no instruction. */
#if defined __GNUC__ && !defined __clang__
#define NNRT_UNSET(array) __asm__("" : "=m"(array));
#else
#define NNRT_UNSET(array)
#endif

/* The line of the cache at an address is asked for before it is needed. */
#define NNRT_FETCH(address) __builtin_prefetch(address);

#define NNRT_VECTOR(Real, suffix, lanes)                                                           \
  typedef Real nnrt_##suffix##x##lanes __attribute__((vector_size(lanes * sizeof(Real))));         \
  typedef Real nnrt_any_##suffix##x##lanes                                                         \
      __attribute__((vector_size(lanes * sizeof(Real)), aligned(sizeof(Real)), may_alias));        \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_load_##suffix##x##lanes(const Real *from) {             \
    return *(const nnrt_any_##suffix##x##lanes *)from;                                             \
  }                                                                                                \
  NNRT_INLINE void nnrt_store_##suffix##x##lanes(Real *to, nnrt_##suffix##x##lanes value) {        \
    *(nnrt_any_##suffix##x##lanes *)to = value;                                                    \
  }
NNRT_VECTOR(float, f32, 4)
NNRT_VECTOR(float, f32, 8)
NNRT_VECTOR(float, f32, 16)
NNRT_VECTOR(double, f64, 2)
NNRT_VECTOR(double, f64, 4)
NNRT_VECTOR(double, f64, 8)

/* nnrt_watch: as that of nnrt_whole.h, lane by lane; nnrt_found: what all lanes found. */
#define NNRT_VECTOR_WATCH(Bits, suffix, lanes)                                                     \
  typedef Bits nnrt_bits_##suffix##x##lanes __attribute__((vector_size(lanes * sizeof(Bits))));    \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_watch_##suffix##x##lanes(                               \
      nnrt_##suffix##x##lanes x, nnrt_bits_##suffix##x##lanes *unsound) {                          \
    *unsound |= (nnrt_bits_##suffix##x##lanes)(x - x);                                             \
    return x;                                                                                      \
  }                                                                                                \
  NNRT_INLINE Bits nnrt_found_##suffix##x##lanes(nnrt_bits_##suffix##x##lanes unsound) {           \
    Bits any = 0;                                                                                  \
    for (int i = 0; i < lanes; ++i) any |= unsound[i];                                             \
    return any;                                                                                    \
  }
NNRT_VECTOR_WATCH(uint32_t, f32, 4)
NNRT_VECTOR_WATCH(uint32_t, f32, 8)
NNRT_VECTOR_WATCH(uint32_t, f32, 16)
NNRT_VECTOR_WATCH(uint64_t, f64, 2)
NNRT_VECTOR_WATCH(uint64_t, f64, 4)
NNRT_VECTOR_WATCH(uint64_t, f64, 8)

#define NNRT_VECTOR_PART(Real, suffix, lanes)                                                      \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_load_part_##suffix##x##lanes(const Real *from,          \
                                                                        int count) {               \
    Real all[lanes] = {0};                                                                         \
    for (int i = 0; i < count; ++i) all[i] = from[i];                                              \
    return *(const nnrt_any_##suffix##x##lanes *)all;                                              \
  }                                                                                                \
  NNRT_INLINE void nnrt_store_part_##suffix##x##lanes(Real *to, nnrt_##suffix##x##lanes value,     \
                                                      int count) {                                 \
    Real all[lanes];                                                                               \
    *(nnrt_any_##suffix##x##lanes *)all = value;                                                   \
    for (int i = 0; i < count; ++i) to[i] = all[i];                                                \
  }
/* `intrinsic`_maskz_loadu_`type`: those of AVX-512. */
#define NNRT_MASKED_PART(Real, suffix, lanes, intrinsic, type)                                     \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_load_part_##suffix##x##lanes(const Real *from,          \
                                                                        int count) {               \
    return (nnrt_##suffix##x##lanes)intrinsic##_maskz_loadu_##type(                                \
        (__mmask##lanes)((1 << count) - 1), from);                                                 \
  }                                                                                                \
  NNRT_INLINE void nnrt_store_part_##suffix##x##lanes(Real *to, nnrt_##suffix##x##lanes value,     \
                                                      int count) {                                 \
    intrinsic##_mask_storeu_##type(to, (__mmask##lanes)((1 << count) - 1), value);                 \
  }
#if defined __x86_64__ && defined __AVX512VL__
NNRT_MASKED_PART(float, f32, 8, _mm256, ps)
NNRT_MASKED_PART(float, f32, 16, _mm512, ps)
NNRT_MASKED_PART(double, f64, 8, _mm512, pd)
#else
NNRT_VECTOR_PART(float, f32, 8)
NNRT_VECTOR_PART(float, f32, 16)
NNRT_VECTOR_PART(double, f64, 8)
#endif
NNRT_VECTOR_PART(float, f32, 4)
NNRT_VECTOR_PART(double, f64, 2)
NNRT_VECTOR_PART(double, f64, 4)

/* The vector, in a register from here on: gcc would load it again for each use. `hold`: a statement that says so of
   x, where there are registers as wide: 16, 32 or 64 bytes. */
#define NNRT_VECTOR_KEEP(suffix, lanes, hold)                                                      \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_keep_##suffix##x##lanes(nnrt_##suffix##x##lanes x) {    \
    hold return x;                                                                                 \
  }
#if defined __x86_64__ && defined __GNUC__ && !defined __clang__
#define NNRT_HOLD __asm__("" : "+v"(x));
#else
#define NNRT_HOLD
#endif
#ifdef __AVX__
#define NNRT_HOLD_32 NNRT_HOLD
#else
#define NNRT_HOLD_32
#endif
#ifdef __AVX512F__
#define NNRT_HOLD_64 NNRT_HOLD
#else
#define NNRT_HOLD_64
#endif
NNRT_VECTOR_KEEP(f32, 4, NNRT_HOLD)
NNRT_VECTOR_KEEP(f32, 8, NNRT_HOLD_32)
NNRT_VECTOR_KEEP(f32, 16, NNRT_HOLD_64)
NNRT_VECTOR_KEEP(f64, 2, NNRT_HOLD)
NNRT_VECTOR_KEEP(f64, 4, NNRT_HOLD_32)
NNRT_VECTOR_KEEP(f64, 8, NNRT_HOLD_64)

/* The square root of each lane. */
#define NNRT_VECTOR_SQRT(suffix, lanes, roots)                                                     \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_sqrt_##suffix##x##lanes(nnrt_##suffix##x##lanes x) {    \
    return (nnrt_##suffix##x##lanes)(roots);                                                       \
  }
#define NNRT_LANES_SQRT(suffix, lanes)                                                             \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_sqrt_##suffix##x##lanes(nnrt_##suffix##x##lanes x) {    \
    for (int i = 0; i < lanes; ++i) x[i] = nnrt_sqrt_##suffix(x[i]);                               \
    return x;                                                                                      \
  }
#if defined __x86_64__
NNRT_VECTOR_SQRT(f32, 4, _mm_sqrt_ps((__m128)x))
NNRT_VECTOR_SQRT(f64, 2, _mm_sqrt_pd((__m128d)x))
#else
NNRT_LANES_SQRT(f32, 4)
NNRT_LANES_SQRT(f64, 2)
#endif
#if defined __x86_64__ && defined __AVX__
NNRT_VECTOR_SQRT(f32, 8, _mm256_sqrt_ps((__m256)x))
NNRT_VECTOR_SQRT(f64, 4, _mm256_sqrt_pd((__m256d)x))
#else
NNRT_LANES_SQRT(f32, 8)
NNRT_LANES_SQRT(f64, 4)
#endif
#if defined __x86_64__ && defined __AVX512F__
NNRT_VECTOR_SQRT(f32, 16, _mm512_sqrt_ps((__m512)x))
NNRT_VECTOR_SQRT(f64, 8, _mm512_sqrt_pd((__m512d)x))
#else
NNRT_LANES_SQRT(f32, 16)
NNRT_LANES_SQRT(f64, 8)
#endif

/* `fused`: an expression over vectors a, b and c; `all` = {a, a, ...}, since x - 0 is x, whatever x is. */
#define NNRT_VECTOR_FMA(Real, suffix, lanes, fused)                                                \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_fma_each_##suffix##x##lanes(                            \
      nnrt_##suffix##x##lanes a, nnrt_##suffix##x##lanes b, nnrt_##suffix##x##lanes c) {           \
    return (nnrt_##suffix##x##lanes)(fused);                                                       \
  }                                                                                                \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_fma_##suffix##x##lanes(                                 \
      Real a, nnrt_##suffix##x##lanes b, nnrt_##suffix##x##lanes c) {                              \
    nnrt_##suffix##x##lanes all = a - (nnrt_##suffix##x##lanes){0};                                \
    return nnrt_fma_each_##suffix##x##lanes(all, b, c);                                            \
  }
#define NNRT_LANES_FMA(Real, suffix, lanes)                                                        \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_fma_each_##suffix##x##lanes(                            \
      nnrt_##suffix##x##lanes a, nnrt_##suffix##x##lanes b, nnrt_##suffix##x##lanes c) {           \
    for (int i = 0; i < lanes; ++i) c[i] = nnrt_fma_##suffix(a[i], b[i], c[i]);                    \
    return c;                                                                                      \
  }                                                                                                \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_fma_##suffix##x##lanes(                                 \
      Real a, nnrt_##suffix##x##lanes b, nnrt_##suffix##x##lanes c) {                              \
    for (int i = 0; i < lanes; ++i) c[i] = nnrt_fma_##suffix(a, b[i], c[i]);                       \
    return c;                                                                                      \
  }

#if !NNRT_FMA
NNRT_VECTOR_FMA(float, f32, 4, a *b + c)
NNRT_VECTOR_FMA(float, f32, 8, a *b + c)
NNRT_VECTOR_FMA(float, f32, 16, a *b + c)
NNRT_VECTOR_FMA(double, f64, 2, a *b + c)
NNRT_VECTOR_FMA(double, f64, 4, a *b + c)
NNRT_VECTOR_FMA(double, f64, 8, a *b + c)
#else
#if defined __x86_64__ && defined __FMA__
NNRT_VECTOR_FMA(float, f32, 4, _mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c))
NNRT_VECTOR_FMA(float, f32, 8, _mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c))
NNRT_VECTOR_FMA(double, f64, 2, _mm_fmadd_pd((__m128d)a, (__m128d)b, (__m128d)c))
NNRT_VECTOR_FMA(double, f64, 4, _mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c))
#elif defined __aarch64__
NNRT_VECTOR_FMA(float, f32, 4, vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b))
NNRT_VECTOR_FMA(double, f64, 2, vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b))
NNRT_LANES_FMA(float, f32, 8)
NNRT_LANES_FMA(double, f64, 4)
#else
NNRT_LANES_FMA(float, f32, 4)
NNRT_LANES_FMA(float, f32, 8)
NNRT_LANES_FMA(double, f64, 2)
NNRT_LANES_FMA(double, f64, 4)
#endif
#if defined __x86_64__ && defined __AVX512F__
NNRT_VECTOR_FMA(float, f32, 16, _mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c))
NNRT_VECTOR_FMA(double, f64, 8, _mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c))
#else
NNRT_LANES_FMA(float, f32, 16)
NNRT_LANES_FMA(double, f64, 8)
#endif
#endif

/* `value` in the first `count` lanes and `other` in those behind. */
#define NNRT_VECTOR_FIRST(Whole, suffix, lanes)                                                    \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_first_##suffix##x##lanes(                               \
      int64_t count, nnrt_##suffix##x##lanes value, nnrt_##suffix##x##lanes other) {               \
    typedef Whole Bits __attribute__((vector_size(lanes * sizeof(Whole))));                        \
    Bits is_first;                                                                                 \
    for (int i = 0; i < lanes; ++i) is_first[i] = i < count ? -1 : 0;                              \
    return (nnrt_##suffix##x##lanes)(((Bits)value & is_first) | ((Bits)other & ~is_first));        \
  }
NNRT_VECTOR_FIRST(int32_t, f32, 4)
NNRT_VECTOR_FIRST(int32_t, f32, 8)
NNRT_VECTOR_FIRST(int32_t, f32, 16)
NNRT_VECTOR_FIRST(int64_t, f64, 2)
NNRT_VECTOR_FIRST(int64_t, f64, 4)
NNRT_VECTOR_FIRST(int64_t, f64, 8)

/* The lanes of two vectors in turn: the low halves, and the high ones. */
#define NNRT_LANES_4(_) _(0), _(1)
#define NNRT_LANES_8(_) NNRT_LANES_4(_), _(2), _(3)
#define NNRT_LANES_16(_) NNRT_LANES_8(_), _(4), _(5), _(6), _(7)
#define NNRT_LANES_2(_) _(0)
#ifdef __clang__
#define NNRT_SHUFFLE(Mask, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define NNRT_SHUFFLE(Mask, a, b, ...) __builtin_shuffle(a, b, (Mask){__VA_ARGS__})
#endif

/* `lanes` or `count` numbers, every other one from the first on; no number behind the last of them is touched. */
#define NNRT_EVEN(i, lanes) ((i) < (lanes) / 2 ? 2 * (i) : 2 * (i) + 1)
#define NNRT_EVEN_2(i) NNRT_EVEN(2 * i, 2), NNRT_EVEN(2 * i + 1, 2)
#define NNRT_EVEN_4(i) NNRT_EVEN(2 * i, 4), NNRT_EVEN(2 * i + 1, 4)
#define NNRT_EVEN_8(i) NNRT_EVEN(2 * i, 8), NNRT_EVEN(2 * i + 1, 8)
#define NNRT_EVEN_16(i) NNRT_EVEN(2 * i, 16), NNRT_EVEN(2 * i + 1, 16)
#define NNRT_VECTOR_EVEN(Real, Whole, suffix, lanes)                                               \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_load_even_##suffix##x##lanes(const Real *from) {        \
    typedef Whole Mask __attribute__((vector_size(lanes * sizeof(Whole)), unused));                \
    nnrt_##suffix##x##lanes a = nnrt_load_##suffix##x##lanes(from);                                \
    nnrt_##suffix##x##lanes b = nnrt_load_##suffix##x##lanes(&from[lanes - 1]);                    \
    return NNRT_SHUFFLE(Mask, a, b, NNRT_LANES_##lanes(NNRT_EVEN_##lanes));                        \
  }                                                                                                \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_load_even_part_##suffix##x##lanes(const Real *from,     \
                                                                             int count) {          \
    typedef Whole Mask __attribute__((vector_size(lanes * sizeof(Whole)), unused));                \
    int touched = 2 * count - 1, behind = touched - (lanes - 1);                                   \
    nnrt_##suffix##x##lanes a =                                                                    \
        nnrt_load_part_##suffix##x##lanes(from, touched < lanes ? touched : lanes);                \
    nnrt_##suffix##x##lanes b =                                                                    \
        nnrt_load_part_##suffix##x##lanes(&from[lanes - 1], behind > 0 ? behind : 0);              \
    return NNRT_SHUFFLE(Mask, a, b, NNRT_LANES_##lanes(NNRT_EVEN_##lanes));                        \
  }
NNRT_VECTOR_EVEN(float, int32_t, f32, 4)
NNRT_VECTOR_EVEN(float, int32_t, f32, 8)
NNRT_VECTOR_EVEN(float, int32_t, f32, 16)
NNRT_VECTOR_EVEN(double, int64_t, f64, 2)
NNRT_VECTOR_EVEN(double, int64_t, f64, 4)
NNRT_VECTOR_EVEN(double, int64_t, f64, 8)

/* The number in all lanes; x - 0 is x, whatever x is. The greater and the less of two, as those of nnrt_math.h. */
#define NNRT_VECTOR_EXTREME(Whole, suffix, lanes, verb, is_beyond)                                 \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_##verb##_##suffix##x##lanes(                            \
      nnrt_##suffix##x##lanes a, nnrt_##suffix##x##lanes b) {                                      \
    typedef Whole Bits __attribute__((vector_size(lanes * sizeof(Whole))));                        \
    Bits is_b = (b is_beyond a) | (b != b);                                                        \
    return (nnrt_##suffix##x##lanes)(((Bits)b & is_b) | ((Bits)a & ~is_b));                        \
  }
#define NNRT_VECTOR_ALL(Real, Whole, suffix, lanes)                                                \
  NNRT_INLINE nnrt_##suffix##x##lanes nnrt_all_##suffix##x##lanes(Real x) {                        \
    return x - (nnrt_##suffix##x##lanes){0};                                                       \
  }                                                                                                \
  NNRT_VECTOR_EXTREME(Whole, suffix, lanes, max, >)                                                \
  NNRT_VECTOR_EXTREME(Whole, suffix, lanes, min, <)
NNRT_VECTOR_ALL(float, int32_t, f32, 4)
NNRT_VECTOR_ALL(float, int32_t, f32, 8)
NNRT_VECTOR_ALL(float, int32_t, f32, 16)
NNRT_VECTOR_ALL(double, int64_t, f64, 2)
NNRT_VECTOR_ALL(double, int64_t, f64, 4)
NNRT_VECTOR_ALL(double, int64_t, f64, 8)

/* What is in row i = (half, i') and column j = (half', j') goes to row (i', half') and column (j', half); so often
   that rows are columns. */
#define NNRT_VECTOR_TRANSPOSE(Real, Whole, suffix, lanes)                                          \
  static __attribute__((noinline, unused)) void nnrt_transpose_##suffix##x##lanes(                 \
      const Real *from, int64_t from_row, Real *to, int64_t to_row) {                              \
    typedef Whole Mask __attribute__((vector_size(lanes * sizeof(Whole)), unused));                \
    nnrt_##suffix##x##lanes rows[lanes], turned[lanes];                                            \
    NNRT_UNROLL                                                                                    \
    for (int i = 0; i < lanes; ++i) rows[i] = nnrt_load_##suffix##x##lanes(&from[i * from_row]);   \
    NNRT_UNROLL                                                                                    \
    for (int size = 1; size < lanes; size *= 2) {                                                  \
      NNRT_UNROLL                                                                                  \
      for (int i = 0; i < lanes / 2; ++i) {                                                        \
        nnrt_##suffix##x##lanes a = rows[i], b = rows[i + lanes / 2];                              \
        turned[2 * i] = NNRT_SHUFFLE(Mask, a, b, NNRT_LANES_##lanes(NNRT_LOW_##lanes));            \
        turned[2 * i + 1] = NNRT_SHUFFLE(Mask, a, b, NNRT_LANES_##lanes(NNRT_HIGH_##lanes));       \
      }                                                                                            \
      NNRT_UNROLL                                                                                  \
      for (int i = 0; i < lanes; ++i) rows[i] = turned[i];                                         \
    }                                                                                              \
    NNRT_UNROLL                                                                                    \
    for (int i = 0; i < lanes; ++i) nnrt_store_##suffix##x##lanes(&to[i * to_row], rows[i]);       \
  }
#define NNRT_UNROLL _Pragma("GCC unroll 16")
#define NNRT_LOW_2(i) i, i + 2
#define NNRT_HIGH_2(i) i + 1, i + 3
#define NNRT_LOW_4(i) i, i + 4
#define NNRT_HIGH_4(i) i + 2, i + 6
#define NNRT_LOW_8(i) i, i + 8
#define NNRT_HIGH_8(i) i + 4, i + 12
#define NNRT_LOW_16(i) i, i + 16
#define NNRT_HIGH_16(i) i + 8, i + 24
NNRT_VECTOR_TRANSPOSE(float, int32_t, f32, 4)
NNRT_VECTOR_TRANSPOSE(float, int32_t, f32, 8)
NNRT_VECTOR_TRANSPOSE(float, int32_t, f32, 16)
NNRT_VECTOR_TRANSPOSE(double, int64_t, f64, 2)
NNRT_VECTOR_TRANSPOSE(double, int64_t, f64, 4)
NNRT_VECTOR_TRANSPOSE(double, int64_t, f64, 8)

#endif
