/* Random numbers are hashes of their place in the sequence (splitmix64). */
#include "arguments.h"
#include "nnrt_math.h"

#include <tgmath.h>

enum { PAIRS = 100000000 };

static uint64_t hash(uint64_t k) {
  uint64_t z = k * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* From -1 to 1. */
static double share(uint64_t k) {
  return (double)(int64_t)hash(k) / 9223372036854775808.0;
}

void argument_pair_f32(uint64_t k, float *x, float *y) {
  *x = nnrt_from_bits_f32((uint32_t)((k << 32) / PAIRS));
  uint64_t random = hash(2 * k + 1);
  float part = (float)share(2 * k + 2), span = 110 / fmax(fabs(log(fabs(*x))), 1e-30f);
  *y = random & 8 ? part * span : rint(part * fmin(span, 40.0f));
  if (random % 8 == 0) *y = nnrt_from_bits_f32((uint32_t)(random >> 32));
}

void argument_pair_f64(uint64_t k, double *x, double *y) {
  uint64_t random = hash(4 * k + 1), kind = random % 3;
  double part = share(4 * k + 2), of_exponent = share(4 * k + 3);
  *x = kind == 0   ? nnrt_from_bits_f64(hash(4 * k + 4))
       : kind == 1 ? 30 * part
                   : ldexp(part, (int)(random >> 32) % 70 - 60);
  double span = 760 / fmax(fabs(log(fabs(*x))), 1e-300);
  *y = random >> 63 ? of_exponent * span : rint(of_exponent * fmin(span, 40.0));
}

static const double special_numbers[] = {0,
                                         0.5,
                                         1,
                                         1.5,
                                         2,
                                         2.5,
                                         3,
                                         4,
                                         5,
                                         10,
                                         127,
                                         128,
                                         149,
                                         150,
                                         1023,
                                         1024,
                                         1074,
                                         1075,
                                         88.75,
                                         709.8,
                                         0x1p-149,
                                         0x1p-126,
                                         0x1.fffffep127,
                                         0x1p-24,
                                         0x1p24,
                                         0x1.000002p0,
                                         0x1.fffffep-1,
                                         0x1p23,
                                         8388607,
                                         16777215,
                                         1e10,
                                         1e-10,
                                         0x1p-1074,
                                         0x1p-1022,
                                         0x1p53,
                                         0x1.fffffffffffffp52,
                                         0x1.fffffffffffffp1023,
                                         INFINITY,
                                         NAN};

enum { SPECIAL_COUNT = 2 * (int)(sizeof special_numbers / sizeof *special_numbers) };

static double special_number(int i) {
  return i % 2 ? -special_numbers[i / 2] : special_numbers[i / 2];
}

int special_pair_count(void) {
  return SPECIAL_COUNT * SPECIAL_COUNT;
}

void special_pair(int i, double *x, double *y) {
  *x = special_number(i % SPECIAL_COUNT);
  *y = special_number(i / SPECIAL_COUNT % SPECIAL_COUNT);
}
