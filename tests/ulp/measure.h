/* Errors of a function at a range of arguments, in both profiles, in loops of vectors and one number at a time. */
#ifndef ULP_MEASURE_H
#define ULP_MEASURE_H

#include "arguments.h"
#include "judge.h"

/* Adds to `worst`; the special numbers belong to a range that begins with 0. */
void measure_f32(int function, Range range, Worst worst[PROFILE_COUNT]);
void measure_f64(int function, Range range, Worst worst[PROFILE_COUNT]);

#endif
