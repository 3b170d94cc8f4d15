/* Samples of doubles are few: each result is judged by the precise reference. */
#include "measure.h"
#include "nnrt_math.h"
#include "reference.h"

static const Format format = {53, 1024, -1074, 0x1p-8, 0x1p-10};

typedef struct Block {
  int count;
  double x[BLOCK], y[BLOCK];
  long double want[BLOCK];
} Block;

/* lgamma and digamma have zeros between the poles at negative x, near which only the absolute error is bounded. */
static double least_of(int function) {
  return function == FUNCTION_lgamma    ? -0.5
         : function == FUNCTION_digamma ? -0.25
                                        : -NNRT_INFINITY_f64;
}

static void measure_profile(Worst *worst, int function, const Block *block, int profile) {
  static double in_vectors[BLOCK], alone[BLOCK];
  functions_vectors[profile][function].f64(block->x, block->y, in_vectors);
  functions_single[profile][function].f64(block->x, block->y, alone);
  worst->count += (uint64_t)block->count;
  for (int i = 0; i < block->count; ++i) {
    double got = in_vectors[i], other = alone[i];
    worst->unlike += nnrt_bits_f64(got) != nnrt_bits_f64(other) && (got == got || other == other);
    judge(worst, &format, function, block->x[i], block->y[i], got, block->want[i]);
  }
}

static void measure_block(Worst worst[PROFILE_COUNT], int function, Block *block) {
  double least = least_of(function);
  for (int i = 0; i < BLOCK; ++i) {
    double x = block->x[i];
    block->x[i] = x < least ? -x : x;
    block->y[i] = function == FUNCTION_pow ? block->y[i] : 0;
  }
  for (int i = 0; i < block->count; ++i)
    block->want[i] =
        reference_precise(function, (long double)block->x[i], (long double)block->y[i]);
  for (int profile = 0; profile < PROFILE_COUNT; ++profile)
    measure_profile(&worst[profile], function, block, profile);
}

static void fill(Block *block, Range range) {
  block->count = range_count(range, BLOCK);
  for (int i = 0; i < BLOCK; ++i)
    argument_pair_f64(range.first + (uint64_t)i * range.stride, &block->x[i], &block->y[i]);
}

static void fill_special(Block *block, int first) {
  int left = special_pair_count() - first;
  block->count = left < BLOCK ? left : BLOCK;
  for (int i = 0; i < BLOCK; ++i) special_pair(first + i, &block->x[i], &block->y[i]);
}

void measure_f64(int function, Range range, Worst worst[PROFILE_COUNT]) {
  static Block block;
  int special = range.first == 0 ? special_pair_count() : 0;
  for (int i = 0; i < special; i += BLOCK) {
    fill_special(&block, i);
    measure_block(worst, function, &block);
  }
  for (; range.first < range.last; range.first += BLOCK * range.stride) {
    fill(&block, range);
    measure_block(worst, function, &block);
  }
}
