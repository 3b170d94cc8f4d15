/* The limit of the machine: multiply-adds on twelve chains of registers, which nothing else disturbs. A step is
   two million of them; the "loss" is the number of operations of a step. */
#include "measure.h"

#ifdef __AVX512F__
#define LANES 16
#define WHOLE __attribute__((min_vector_width(512))) /* clang prefers halves */
#else
#define LANES 8
#define WHOLE
#endif

typedef float Vector __attribute__((vector_size(4 * LANES)));

enum { CHAINS = 12, TURNS = 200000 };

static Vector chains[CHAINS];

WHOLE static void step(void *context) {
  (void)context;
  Vector a[CHAINS], b = {0}, c = {0};
  b += 1.0000001f;
  c += 1e-9f;
  for (int i = 0; i < CHAINS; i++) a[i] = chains[i];
  for (int turn = 0; turn < TURNS; turn++) {
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) a[i] = a[i] * b + c;
  }
  for (int i = 0; i < CHAINS; i++) chains[i] = a[i];
}

static double operations(void *context) {
  (void)context;
  return 2.0 * LANES * CHAINS * TURNS;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  measure(plan_of(arguments + 1), step, NULL, operations);
}
