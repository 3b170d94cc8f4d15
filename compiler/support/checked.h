/* Checked sizes: the one place where sizes are added and multiplied.

   Every function returns false on overflow (or past the stated limit) and leaves `*result` alone. */
#ifndef NNC_SUPPORT_CHECKED_H
#define NNC_SUPPORT_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool checked_add(int64_t a, int64_t b, int64_t *result) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return false;
  *result = sum;
  return true;
}

static inline bool checked_multiply(int64_t a, int64_t b, int64_t *result) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return false;
  *result = product;
  return true;
}

/* Division and remainder towards minus infinity, as // and % of the language; b must not be 0. */
static inline int64_t floor_divide(int64_t a, int64_t b) {
  int64_t q = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

static inline int64_t floor_modulo(int64_t a, int64_t b) {
  int64_t r = a % b;
  return (r != 0 && (r < 0) != (b < 0)) ? r + b : r;
}

#endif
