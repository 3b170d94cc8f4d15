/* Trains pendulum.nn on moments drawn anew for each step and compares it with a numeric solution,
   by the method of Runge and Kutta of order 4. usage: pendulum [SEED] */
#include "pendulum.h"

#include <nnrt_philox.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 128, STEPS = 6000, MOMENTS = 100 };
static const double duration = 2, stiffness = 9.81, start = 2; /* as in pendulum.nn */
static pendulum model;

static float learn(uint64_t seed, int step) {
  float moments[BATCH];
  for (int n = 0; n < BATCH; n++) {
    double place =
        n + nnrt_uniform_f64(seed, (uint64_t)step, 0, (uint64_t)n); /* one in each part */
    moments[n] = (float)(duration * place / BATCH);
  }
  return pendulum_train_step(&model, BATCH, moments);
}

static void advance(double *angle, double *speed, double h) {
  double v1 = *speed, a1 = -stiffness * sin(*angle);
  double v2 = *speed + h / 2 * a1, a2 = -stiffness * sin(*angle + h / 2 * v1);
  double v3 = *speed + h / 2 * a2, a3 = -stiffness * sin(*angle + h / 2 * v2);
  double v4 = *speed + h * a3, a4 = -stiffness * sin(*angle + h * v3);
  *angle += h / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
  *speed += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4);
}

static double greatest_error(void) {
  double angle = start, speed = 0, greatest = 0;
  for (int i = 0; i <= MOMENTS; i++) {
    float t = (float)(duration * i / MOMENTS), learnt;
    pendulum_infer(&model, 1, &t, &learnt);
    if (i % 10 == 0)
      printf("%5.2f s  learnt %7.4f  computed %7.4f\n", (double)t, (double)learnt, angle);
    greatest = fmax(greatest, fabs((double)learnt - angle));
    for (int part = 0; part < 10; part++) advance(&angle, &speed, duration / MOMENTS / 10);
  }
  return greatest;
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  pendulum_init(&model, seed);
  for (int step = 1; step <= STEPS; step++) {
    float loss = learn(seed, step);
    if (step % 1000 == 0) printf("step %5d  loss %.6f\n", step, (double)loss);
  }
  return printf("greatest error %.4f rad\n", greatest_error()) < 0;
}
