/* What every contender in C does: some steps that are not timed, then those that are, and one line of output:
   seconds of processor time and of the clock for each step, and the last loss. A process measures once, so
   that every round starts from the same state, at another place in memory. */
#ifndef NNC_BENCH_MEASURE_H
#define NNC_BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Plan {
  int warmups, steps;
} Plan;

static inline Plan plan_of(char **arguments) {
  return (Plan){(int)strtol(arguments[0], NULL, 10), (int)strtol(arguments[1], NULL, 10)};
}

static inline double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline void measure(Plan plan, void (*step)(void *), void *context, double (*loss)(void *)) {
  for (int i = 0; i < plan.warmups; i++) step(context);
  double processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID), clock = seconds_of(CLOCK_MONOTONIC);
  for (int i = 0; i < plan.steps; i++) step(context);
  processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - processor;
  clock = seconds_of(CLOCK_MONOTONIC) - clock;
  printf("%.9g %.9g %.7g\n", processor / plan.steps, clock / plan.steps, loss(context));
}

#endif
