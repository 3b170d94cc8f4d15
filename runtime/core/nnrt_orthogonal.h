/* Orthogonal initial values: nnrt_orthogonal_f32 and nnrt_orthogonal_f64. */
#ifndef NNRT_ORTHOGONAL_H
#define NNRT_ORTHOGONAL_H

#include "nnrt_math.h"

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
