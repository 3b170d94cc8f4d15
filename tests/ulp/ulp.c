/* Measures a function at a range of arguments, and prints a line for each profile.

   usage: ulp f32|f32-alone|f64 FUNCTION FIRST LAST STRIDE     see arguments.h
   prints: error x y count missed unlike                       see judge.h */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static const char *const names[] = {
#define ULP(name, ...) #name,
#include "ulp.def"
};

static int function_of(const char *name) {
  int function = 0;
  while (function < FUNCTION_COUNT && strcmp(names[function], name) != 0) ++function;
  return function;
}

int main(int argc, char **argv) {
  static Worst worst[PROFILE_COUNT];
  int function = argc == 6 ? function_of(argv[2]) : FUNCTION_COUNT;
  if (function == FUNCTION_COUNT) return 2;
  Range range = {strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
                 strtoull(argv[5], NULL, 10)};
  if (!range.stride) return 2;
  if (!strcmp(argv[1], "f32"))
    measure_f32(function, range, worst);
  else if (!strcmp(argv[1], "f32-alone"))
    compare_f32(function, range, worst);
  else
    measure_f64(function, range, worst);
  for (int profile = 0; profile < PROFILE_COUNT; ++profile) {
    const Worst *of = &worst[profile];
    printf("%.17g %.17g %.17g %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", of->error, of->x, of->y,
           of->count, of->missed, of->unlike);
  }
  return 0;
}
