/* The greatest error of each f32 function over every STRIDE-th of the 2^32 floats, against the C library in
   double and MPFR (ulp.h); for pow, over pairs of floats. Each is computed in a loop, which compilers run in
   vectors where they are asked to, and one number at a time.

   usage: ulp_f32 [STRIDE [NAME]]     STRIDE 1 is the whole range; exit 1 above a bound of ulp.def */
#include <stdlib.h>

#include "nnrt_math.h"
#include "ulp.h"

enum { PAIRS = 100000000 };

static const Format format = {"f32", 24, 128, -149, 0x1p-20, 0x1p-20};

typedef struct Block {
  float x[BLOCK], y[BLOCK], got[BLOCK], alone[BLOCK];
  double want[BLOCK];
  uint64_t open[BLOCK];
} Block;

typedef struct Function {
  const char *name;
  void (*compute)(Block *block);
  float (*alone)(float x, float y);
  Exact *exact;
  double bound;
} Function;

#define ULP(name, reference, mpfr, bound, bound_f64)                                               \
  static float alone_##name(float x, float y) {                                                    \
    (void)y;                                                                                       \
    return nnrt_##name##_f32(x);                                                                   \
  }                                                                                                \
  static void compute_##name(Block *block) {                                                       \
    for (int i = 0; i < BLOCK; ++i) block->got[i] = nnrt_##name##_f32(block->x[i]);                \
    for (int i = 0; i < BLOCK; ++i) {                                                              \
      double x = (double)block->x[i];                                                              \
      block->want[i] = (double)(reference);                                                        \
    }                                                                                              \
  }
#include "ulp.def"
#undef ULP

static float alone_pow(float x, float y) {
  return nnrt_pow_f32(x, y);
}

static void compute_pow(Block *block) {
  for (int i = 0; i < BLOCK; ++i) block->got[i] = nnrt_pow_f32(block->x[i], block->y[i]);
  for (int i = 0; i < BLOCK; ++i) block->want[i] = pow((double)block->x[i], (double)block->y[i]);
}

static const Function functions[] = {
#define ULP(name, reference, mpfr, bound, bound_f64)                                               \
  {#name, compute_##name, alone_##name, exact_##name, bound},
#include "ulp.def"
#undef ULP
    {"pow", compute_pow, alone_pow, exact_pow, 1.0}};

/* Which results are for `judge`: errors above `enough` or close to a half, and what is no number where the
   reference is one, or has another sign. A loop for vectors. */
static uint64_t look(Block *block, double enough, uint64_t *missed) {
  const double limit = 0x1p128;
  uint64_t open_count = 0, missed_count = 0;
  for (int i = 0; i < BLOCK; ++i) {
    double all = block->want[i], want = all > limit ? limit : all < -limit ? -limit : all;
    double number = (double)block->got[i];
    double got = number > limit ? limit : number < -limit ? -limit : number;
    uint64_t size = nnrt_bits_f64(want) >> 52 & 0x7ff;
    double per_unit = nnrt_from_bits_f64((2069 - (size < 897 ? 897 : size)) << 52);
    double error = nnrt_abs_f64(want - got) * per_unit;
    uint64_t sure =
        (error == 0) | ((error <= enough) & (nnrt_abs_f64(error - 0.5) >= format.doubt));
    uint64_t turned = (nnrt_bits_f64(want) ^ nnrt_bits_f64(got)) >> 63;
    uint64_t nothing = (all == 0) & (got != 0), no_number = (all != all) & (number != number);
    uint64_t open = ((sure ^ 1) | turned | nothing) & (no_number ^ 1);
    block->open[i] = open;
    open_count += open;
    missed_count += (uint64_t)(error > 0.5) & (open ^ 1);
  }
  *missed += missed_count;
  return open_count;
}

static uint64_t count_unlike(const Block *block) {
  uint32_t unlike = 0;
  for (int i = 0; i < BLOCK; ++i) {
    float got = block->got[i], alone = block->alone[i];
    unlike += (nnrt_bits_f32(got) != nnrt_bits_f32(alone)) & ((got == got) | (alone == alone));
  }
  return unlike;
}

static void judge_block(Worst *worst, const Function *function, Block *block) {
  for (int i = 0; i < BLOCK; ++i) block->alone[i] = function->alone(block->x[i], block->y[i]);
  worst->count += BLOCK;
  worst->unlike += count_unlike(block);
  if (!look(block, worst->quick + format.step, &worst->missed)) return;
  for (int i = 0; i < BLOCK; ++i)
    if (block->open[i])
      judge(worst, &format, function->exact, (double)block->x[i], (double)block->y[i],
            (double)block->got[i], (long double)block->want[i]);
}

/* One argument of eight is any float; other exponents keep x^y within the range of float, or just leave it. */
static float draw_exponent(float x, uint64_t random) {
  float share = (float)(int32_t)(random >> 32) / 2147483648.0f;
  float span = 110 / fmax(fabs(log(fabs(x))), 1e-30f);
  if (random % 8 == 0) return nnrt_from_bits_f32((uint32_t)(random >> 32));
  return random & 8 ? share * span : rint(share * fmin(span, 40.0f));
}

static void measure_pairs(Worst *worst, const Function *function, Block *block, uint64_t stride) {
  uint64_t random = 1, i = 0;
  for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += stride) {
    block->x[i % BLOCK] = nnrt_from_bits_f32((uint32_t)bits);
    block->y[i % BLOCK] = draw_exponent(block->x[i % BLOCK], next_random(&random));
    if (++i % BLOCK == 0) function->compute(block), judge_block(worst, function, block);
  }
  for (int k = 0; k < SPECIAL_COUNT * SPECIAL_COUNT; k += BLOCK) {
    for (int n = 0; n < BLOCK; ++n) {
      block->x[n] = (float)special_number((k + n) % SPECIAL_COUNT);
      block->y[n] = (float)special_number((k + n) / SPECIAL_COUNT % SPECIAL_COUNT);
    }
    function->compute(block);
    judge_block(worst, function, block);
  }
}

static void measure_all(Worst *worst, const Function *function, Block *block, uint64_t stride) {
  uint64_t bits = 0;
  while (bits < (uint64_t)1 << 32) {
    for (int i = 0; i < BLOCK; ++i, bits += stride)
      block->x[i] = nnrt_from_bits_f32((uint32_t)bits);
    function->compute(block);
    judge_block(worst, function, block);
  }
}

static int measure(const Function *function, uint64_t stride) {
  static Block block;
  uint64_t least = ((uint64_t)1 << 32) / PAIRS;
  Worst worst = {0, 0, 0, 0, 0, 0, 0};
  memset(&block, 0, sizeof block);
  if (function->compute == compute_pow)
    measure_pairs(&worst, function, &block, stride < least ? least : stride);
  else
    measure_all(&worst, function, &block, stride);
  return report(function->name, NNRT_FMA ? "fused" : "plain", &format, &worst, function->bound);
}

int main(int argc, char **argv) {
  uint64_t stride = argc > 1 ? strtoul(argv[1], NULL, 10) : 997;
  const char *only = argc > 2 ? argv[2] : NULL;
  int bad = 0;
  if (!stride) return 2;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; ++i)
    if (!only || !strcmp(only, functions[i].name)) bad |= measure(&functions[i], stride);
  return bad;
}
