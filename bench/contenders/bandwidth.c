/* What memory behind the caches gives: bandwidth WARMUPS STEPS. A step reads 512 MB and writes 256 as an update of
   weights does; the "loss" is the number of bytes of a step. */
#include "measure.h"
#include "records.h"

static const size_t COUNT = (size_t)64 << 20; /* floats in each of two arrays */
static float *weights, *gradients;

static void step(void *context) {
  (void)context;
  for (size_t i = 0; i < COUNT; i++) weights[i] -= 0.01f * gradients[i];
}

static double bytes(void *context) {
  (void)context;
  return 3.0 * sizeof(float) * (double)COUNT;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  weights = allocate(COUNT * sizeof(float), 64);
  gradients = allocate(COUNT * sizeof(float), 64);
  for (size_t i = 0; i < COUNT; i++) weights[i] = gradients[i] = 1.0f;
  measure(plan_of(arguments + 1), step, NULL, bytes);
}
