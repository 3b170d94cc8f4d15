/* Orthogonal initial values: nnrt_orthogonal_f32 and nnrt_orthogonal_f64. */
#ifndef NNRT_ORTHOGONAL_H
#define NNRT_ORTHOGONAL_H

#include "nnrt_math.h"

/* Matrices of one size, whose rows lie in panels of so many columns. */
typedef struct nnrt_matrices {
  int64_t rows, matrices, columns, width;
  int64_t row, matrix, panel; /* elements from one to the next */
} nnrt_matrices;

#define nnrt(op) NNRT_PASTE(nnrt_##op##_, Suffix)

#define Suffix f32
#define Real float
#include "nnrt_orthogonal_real.h"
#undef Suffix
#undef Real

#define Suffix f64
#define Real double
#include "nnrt_orthogonal_real.h"
#undef Suffix
#undef Real

#undef nnrt

#endif
