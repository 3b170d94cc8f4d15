/* The elementary functions of the runtime, in loops over blocks of arguments.

   functions.c is compiled four times: in both profiles, each with loops in vectors and one number at
   a time. So one program has all of them, and asks for each true value once. */
#ifndef ULP_FUNCTIONS_H
#define ULP_FUNCTIONS_H

enum { BLOCK = 1024 };

enum {
#define ULP(name, ...) FUNCTION_##name,
#include "ulp.def"
  FUNCTION_COUNT
};

typedef enum Profile { PROFILE_PLAIN, PROFILE_FUSED, PROFILE_COUNT } Profile;

/* Each writes BLOCK results at x, for pow at x and y. */
typedef struct Loops {
  void (*f32)(const float *x, const float *y, float *result);
  void (*f64)(const double *x, const double *y, double *result);
} Loops;

extern const Loops functions_plain_vectors[FUNCTION_COUNT], functions_plain_single[FUNCTION_COUNT],
    functions_fused_vectors[FUNCTION_COUNT], functions_fused_single[FUNCTION_COUNT];
static const Loops *const functions_vectors[PROFILE_COUNT] = {functions_plain_vectors,
                                                              functions_fused_vectors},
                          *const functions_single[PROFILE_COUNT] = {functions_plain_single,
                                                                    functions_fused_single};

/* Whether the two ways to compile a function may differ. */
static inline int function_has_vectors(int function) {
  static const int has[] = {
#define ULP(...) 1,
#define ULP_ALONE(...) 0,
#include "ulp.def"
  };
  return has[function];
}

#endif
