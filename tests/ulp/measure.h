/* A function at a range of arguments, in both profiles: errors, and whether loops in vectors give other bits than one
   number at a time. In f32 these are two visits, for the second takes longer.

   All add to `worst`; the special numbers belong to a range that begins with 0. */
#ifndef ULP_MEASURE_H
#define ULP_MEASURE_H

#include "arguments.h"
#include "judge.h"

void measure_f32(int function, Range range, Worst worst[PROFILE_COUNT]);
void compare_f32(int function, Range range, Worst worst[PROFILE_COUNT]);
void measure_f64(int function, Range range, Worst worst[PROFILE_COUNT]);

#endif
