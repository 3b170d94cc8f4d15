/* The arguments at which functions are measured.

   For f32 and one argument a sample is the bits of a float: 2^32 samples are all there are. For pow and
   f64 samples are random; the k-th is the same, whichever range it is measured in. */
#ifndef ULP_ARGUMENTS_H
#define ULP_ARGUMENTS_H

#include <stdint.h>

/* The samples first, first + stride, ... below last. */
typedef struct Range {
  uint64_t first, last, stride;
} Range;

/* How many samples are left of a range, or the most wanted of them. */
static inline int range_count(Range range, int most) {
  uint64_t left = (range.last - range.first + range.stride - 1) / range.stride;
  return left < (uint64_t)most ? (int)left : most;
}

/* For pow: x is every 43rd float. y is any float, one time of eight, else keeps x^y within the range of float
   or just leaves it. */
void argument_pair_f32(uint64_t k, float *x, float *y);

/* x is any double, or near -30..30, or of any size from 2^-60 to 2^10; y keeps x^y within the range of double or
   just leaves it. */
void argument_pair_f64(uint64_t k, double *x, double *y);

/* All pairs of numbers at which something happens, and some that are whole, odd, or just not so, of both signs. */
int special_pair_count(void);
void special_pair(int i, double *x, double *y);

#endif
