/* The greatest error of each f64 function at COUNT random doubles of each of three kinds and at special ones,
   against the C library in long double and MPFR (ulp.h), in loops and one number at a time.

   usage: ulp_f64 [COUNT [NAME]]     exit 1 above a bound of ulp.def */
#include <stdlib.h>

#include "nnrt_math.h"
#include "ulp.h"

static const Format format = {"f64", 53, 1024, -1074, 0x1p-6, 0x1p-10};

typedef struct Block {
  double x[BLOCK], y[BLOCK], got[BLOCK], alone[BLOCK];
  long double want[BLOCK];
} Block;

typedef struct Function {
  const char *name;
  void (*compute)(Block *block);
  double (*alone)(double x, double y);
  Exact *exact;
  double bound;
} Function;

#define ULP(name, reference, mpfr, bound_f32, bound)                                               \
  static double alone_##name(double x, double y) {                                                 \
    (void)y;                                                                                       \
    return nnrt_##name##_f64(x);                                                                   \
  }                                                                                                \
  static void compute_##name(Block *block) {                                                       \
    for (int i = 0; i < BLOCK; ++i) block->got[i] = nnrt_##name##_f64(block->x[i]);                \
    for (int i = 0; i < BLOCK; ++i) {                                                              \
      long double x = (long double)block->x[i];                                                    \
      block->want[i] = (long double)(reference);                                                   \
    }                                                                                              \
  }
#include "ulp.def"
#undef ULP

static double alone_pow(double x, double y) {
  return nnrt_pow_f64(x, y);
}

static void compute_pow(Block *block) {
  for (int i = 0; i < BLOCK; ++i) block->got[i] = nnrt_pow_f64(block->x[i], block->y[i]);
  for (int i = 0; i < BLOCK; ++i)
    block->want[i] = pow((long double)block->x[i], (long double)block->y[i]);
}

/* lgamma and digamma have zeros between the poles at negative x, near which only the absolute error is bounded. */
static double least_of(const char *name) {
  return !strcmp(name, "lgamma") ? -0.5 : !strcmp(name, "digamma") ? -0.25 : -(double)INFINITY;
}

static const Function functions[] = {
#define ULP(name, reference, mpfr, bound_f32, bound)                                               \
  {#name, compute_##name, alone_##name, exact_##name, bound},
#include "ulp.def"
#undef ULP
    {"pow", compute_pow, alone_pow, exact_pow, 1.5}};

/* Kind 0: any double; 1: near -30..30; 2: every size from 2^-60 to 2^10. */
static double draw(uint64_t kind, uint64_t *state) {
  uint64_t bits = next_random(state);
  double share = (double)(int64_t)next_random(state) / 9223372036854775808.0;
  if (kind == 0) return nnrt_from_bits_f64(bits);
  return kind == 1 ? 30 * share : ldexp(share, (int)(bits >> 32) % 70 - 60);
}

/* Exponents are drawn so that x^y keeps within or just leaves the range of double. */
static double draw_exponent(double x, uint64_t *state) {
  double share = draw(1, state) / 30, span = 760 / fmax(fabs(log(fabs(x))), 1e-300);
  return next_random(state) >> 63 ? share * span : rint(share * fmin(span, 40.0));
}

static void judge_block(Worst *worst, const Function *function, Block *block) {
  for (int i = 0; i < BLOCK; ++i) block->alone[i] = function->alone(block->x[i], block->y[i]);
  for (int i = 0; i < BLOCK; ++i) {
    double got = block->got[i], alone = block->alone[i];
    worst->unlike += nnrt_bits_f64(got) != nnrt_bits_f64(alone) && (got == got || alone == alone);
    judge(worst, &format, function->exact, block->x[i], block->y[i], got, block->want[i]);
  }
  worst->count += BLOCK;
}

static void measure_random(Worst *worst, const Function *function, Block *block, uint64_t count) {
  uint64_t state = 1;
  int is_pow = function->compute == compute_pow;
  double least = least_of(function->name);
  for (uint64_t k = 0; k < 3 * count;) {
    for (int i = 0; i < BLOCK; ++i, ++k) {
      double x = draw(k % 3, &state);
      block->x[i] = x < least ? -x : x;
      block->y[i] = is_pow ? draw_exponent(x, &state) : 0;
    }
    function->compute(block);
    judge_block(worst, function, block);
  }
}

static void measure_special(Worst *worst, const Function *function, Block *block) {
  int is_pow = function->compute == compute_pow,
      count = SPECIAL_COUNT * (is_pow ? SPECIAL_COUNT : 1);
  double least = least_of(function->name);
  for (int k = 0; k < count; k += BLOCK) {
    for (int i = 0; i < BLOCK; ++i) {
      double x = special_number((k + i) % SPECIAL_COUNT);
      block->x[i] = x < least ? -x : x;
      block->y[i] = is_pow ? special_number((k + i) / SPECIAL_COUNT % SPECIAL_COUNT) : 0;
    }
    function->compute(block);
    judge_block(worst, function, block);
  }
}

static int measure(const Function *function, uint64_t count) {
  static Block block;
  Worst worst = {0, 0, 0, 0, 0, 0, 0};
  measure_special(&worst, function, &block);
  measure_random(&worst, function, &block, count);
  return report(function->name, NNRT_FMA ? "fused" : "plain", &format, &worst, function->bound);
}

int main(int argc, char **argv) {
  uint64_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 3000;
  const char *only = argc > 2 ? argv[2] : NULL;
  int bad = 0;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; ++i)
    if (!only || !strcmp(only, functions[i].name)) bad |= measure(&functions[i], count);
  return bad;
}
