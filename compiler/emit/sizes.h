/* Run-time sizes as the caller may choose them: what the checks at the entry leave of 1..maximum. */
#ifndef NNC_EMIT_SIZES_H
#define NNC_EMIT_SIZES_H

#include "equations/equation.h"

/* The least size of a dim that the checks on it alone accept; more than its maximum: none is. */
int64_t size_minimum(const Model *model, const Dim *dim);
/* Whether the check says no more than the ranges of sizes do, size_minimum to maximum. */
bool check_is_range(const Model *model, const Expr *condition);

#endif
