/* The loops of one profile and one way to compile them: FORM is the name of the table, the Makefile
   gives NNRT_FMA and the flags. */
#include "functions.h"
#include "nnrt_math.h"

#define LOOP(name, Real, suffix, call)                                                             \
  static void name##_##suffix(const Real *restrict x, const Real *restrict y,                      \
                              Real *restrict result) {                                             \
    (void)y;                                                                                       \
    for (int i = 0; i < BLOCK; ++i) result[i] = call;                                              \
  }
#define ULP(name, ...)                                                                             \
  LOOP(name, float, f32, nnrt_##name##_f32(x[i]))                                                  \
  LOOP(name, double, f64, nnrt_##name##_f64(x[i]))
#define ULP_PAIRS(name, ...)                                                                       \
  LOOP(name, float, f32, nnrt_##name##_f32(x[i], y[i]))                                            \
  LOOP(name, double, f64, nnrt_##name##_f64(x[i], y[i]))
#include "ulp.def"

const Loops FORM[FUNCTION_COUNT] = {
#define ULP(name, ...) {name##_f32, name##_f64},
#include "ulp.def"
};
