/* A kernel of ../shared/design/prototype/kernels as a contender: KERNEL THREADS WARMUPS STEPS. It is compiled with
   this header before it, its `main` renamed, and `measure_kernel` where it times itself; of the kernels of one
   file the one whose title contains WANTED is measured. */
#define _GNU_SOURCE
#include "measure.h"

#include <string.h>

static void (*kernel_step)(void);
static const float *kernel_losses;
static Plan kernel_plan;

static void step_kernel(void *context) {
  (void)context;
  kernel_step();
}

/* One part for each thread. */
static double loss_of_kernel(void *context) {
  (void)context;
  return (double)kernel_losses[0] + (double)kernel_losses[1];
}

static void measure_wanted(const char *title, void (*step)(void), const float *losses) {
  if (!strstr(title, WANTED)) return;
  kernel_step = step;
  kernel_losses = losses;
  measure(kernel_plan, step_kernel, NULL, loss_of_kernel);
  fflush(stdout);
  _Exit(0);
}
#define measure_kernel(title, step, unit, name) measure_wanted(title, step, loss_)

int kernel_main(int count, char **arguments);

int main(int count, char **arguments) {
  if (count < 4) return 2;
  kernel_plan = plan_of(arguments + 2);
  return kernel_main(2, arguments);
}
#define main kernel_main
