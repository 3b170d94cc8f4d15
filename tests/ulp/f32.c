/* All floats are many: the quick reference serves both profiles, and one loop in vectors sorts out the few results
   that need a better one. */
#include "measure.h"
#include "nnrt_math.h"
#include "reference.h"

/* The quick reference's error is far less than `step`: 4 units of double are 2^-27. */
static const Format format = {24, 128, -149, 0x1p-20, 0x1p-18};

typedef struct Block {
  int count; /* of the arguments; the arrays are filled to their ends */
  float x[BLOCK], y[BLOCK];
  double want[BLOCK];
} Block;

typedef void Visit(Worst worst[PROFILE_COUNT], int function, Block *block);

/* A number of which an infinity is no more than 2^128. */
NNRT_INLINE double within_limit(double x) {
  const double limit = 0x1p128;
  double most = limit < x ? limit : x;
  return most < -limit ? -limit : most;
}

/* The distance in units; infinite when the result is no number where the reference is one, or has another sign, or
   should be 0. */
NNRT_INLINE double quick_units(double all, float result) {
  double want = within_limit(all), number = (double)result, got = within_limit(number);
  uint64_t size = nnrt_bits_f64(want) >> 52 & 0x7ff, normal = size < 897 ? 897 : size;
  double per_unit = nnrt_from_bits_f64((2069 - (size == 0 ? 69 : normal)) << 52);
  double error = nnrt_abs_f64(want - got) * per_unit;
  int64_t signs = (int64_t)(nnrt_bits_f64(want) ^ nnrt_bits_f64(got));
  double number_error = signs < 0 ? NNRT_INFINITY_f64 : error;
  double no_number_error = number != number ? 0 : NNRT_INFINITY_f64;
  return all != all ? no_number_error : number_error;
}

/* Whether an error is for `judge`: it is above `enough` or close to a half. */
NNRT_INLINE uint64_t is_open(double error, double enough) {
  uint64_t tie = nnrt_abs_f64(error - 0.5) >= format.step ? 0u : 1u;
  return error <= enough ? tie : 1;
}

static void judge_results(Worst *worst, int function, const Block *block, const float *result) {
  uint64_t open = 0, missed = 0;
  double enough = worst->near + format.step;
  for (int i = 0; i < block->count; ++i) {
    double error = quick_units(block->want[i], result[i]);
    uint64_t left = is_open(error, enough), far = error > 0.5 ? 1 : 0;
    open += left;
    missed += far & (left ^ 1);
  }
  worst->missed += missed;
  for (int i = 0; open > 0; ++i) {
    if (!is_open(quick_units(block->want[i], result[i]), enough)) continue;
    double x = (double)block->x[i], y = (double)block->y[i];
    judge(worst, &format, function, x, y, (double)result[i], reference_precise(function, x, y));
    --open;
  }
}

static void judge_block(Worst worst[PROFILE_COUNT], int function, Block *block) {
  static float result[BLOCK];
  reference_quick(function, block->x, block->y, block->want);
  for (int profile = 0; profile < PROFILE_COUNT; ++profile) {
    functions_vectors[profile][function].f32(block->x, block->y, result);
    judge_results(&worst[profile], function, block, result);
    worst[profile].count += (uint64_t)block->count;
  }
}

static uint64_t count_unlike(const float *vectors, const float *single, int count) {
  uint32_t unlike = 0;
  for (int i = 0; i < count; ++i) {
    uint32_t other = nnrt_bits_f32(vectors[i]) != nnrt_bits_f32(single[i]);
    unlike += other & ((vectors[i] == vectors[i]) | (single[i] == single[i]));
  }
  return unlike;
}

static void compare_block(Worst worst[PROFILE_COUNT], int function, Block *block) {
  static float vectors[BLOCK], single[BLOCK];
  for (int profile = 0; profile < PROFILE_COUNT; ++profile) {
    functions_vectors[profile][function].f32(block->x, block->y, vectors);
    functions_single[profile][function].f32(block->x, block->y, single);
    worst[profile].unlike += count_unlike(vectors, single, block->count);
  }
}

static void fill(Block *block, int function, Range range) {
  block->count = range_count(range, BLOCK);
  for (int i = 0; i < BLOCK; ++i)
    block->x[i] = nnrt_from_bits_f32((uint32_t)(range.first + (uint64_t)i * range.stride));
  if (function != FUNCTION_pow) return;
  for (int i = 0; i < BLOCK; ++i)
    argument_pair_f32(range.first + (uint64_t)i * range.stride, &block->x[i], &block->y[i]);
}

static void fill_special(Block *block, int first) {
  int left = special_pair_count() - first;
  block->count = left < BLOCK ? left : BLOCK;
  for (int i = 0; i < BLOCK; ++i) {
    double x, y;
    special_pair(first + i, &x, &y);
    block->x[i] = (float)x;
    block->y[i] = (float)y;
  }
}

static void visit(Visit *visit_block, int function, Range range, Worst worst[PROFILE_COUNT]) {
  static Block block;
  int special = range.first == 0 ? special_pair_count() : 0;
  for (int i = 0; i < special; i += BLOCK) {
    fill_special(&block, i);
    visit_block(worst, function, &block);
  }
  for (; range.first < range.last; range.first += BLOCK * range.stride) {
    fill(&block, function, range);
    visit_block(worst, function, &block);
  }
}

void measure_f32(int function, Range range, Worst worst[PROFILE_COUNT]) {
  visit(judge_block, function, range, worst);
}

void compare_f32(int function, Range range, Worst worst[PROFILE_COUNT]) {
  if (function_has_vectors(function)) visit(compare_block, function, range, worst);
}
