/* Which reductions in lanes have rows that lie side by side. */
#include "loops/beside.h"

int64_t beside_width(const Routine *routine, const Extent *range) {
  int64_t width = routine->target->vector_bytes / routine->bytes_of_real, count;
  bool fits = width > 1 && extent_is_constant(range, &count) && count > 0 && count % width == 0;
  return fits ? width : 0;
}

/* What is read of the column lies along it, and something is. */
static bool lies_along(const Routine *routine, Arena *scratch, const Equation *equation,
                       const Index *column) {
  bool found = false;
  ExprList reads = equation_reads(scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    if (!expr_uses_index(scratch, reads.items[i], column)) continue;
    if (expr_movement(routine->model->exprs, reads.items[i], column) != ALONG_ROW) return false;
    found = true;
  }
  return found;
}

bool beside_of(const Routine *routine, const Equation *equation, Beside *beside) {
  bool suits = equation->reduction == REDUCE_SUM || equation->reduction == REDUCE_LSE;
  if (!suits || equation->lanes != LANES || equation->var_count == 0) return false;
  if (equation->target->type != TYPE_REAL) return false;
  if (map_has(&routine->recurrences, equation->target)) return false;
  if (map_has(&routine->segments, equation->target)) return false;
  beside->column = equation->vars[equation->var_count - 1];
  beside->width = beside_width(routine, beside->column->range);
  if (beside->width == 0) return false;
  Arena *scratch = arena_new();
  bool found = lies_along(routine, scratch, equation, beside->column);
  arena_free(scratch);
  return found;
}
