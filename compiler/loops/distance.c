#include "loops/distance.h"

#include "equations/affine.h"
#include "loops/build.h"

int64_t element_distance(const Routine *routine, Arena *scratch, const Tensor *tensor,
                         const Expr *const *subscripts, const Index *index) {
  const Buffer *buffer = map_get(&routine->buffers, tensor);
  int64_t total = 0;
  if (!buffer || buffer->ring_steps > 0 || buffer->lanes > 0 || buffer->place == PLACE_DRAW)
    return -1;
  for (int dim = 0; dim < tensor->rank; dim++) {
    Affine affine = affine_of(routine->model->exprs, scratch, subscripts[dim]);
    const Extent *coefficient = affine_coefficient(&affine, index);
    int64_t factor, stride;
    if (!affine_is_linear_in(scratch, &affine, index)) return -1;
    if (!coefficient) continue;
    if (!extent_is_constant(coefficient, &factor) ||
        !extent_is_constant(buffer->strides[dim], &stride))
      return -1;
    total += factor * stride;
  }
  return total;
}

bool loop_is_plain(ExprTable *exprs, const LoopNode *loop, int64_t *count) {
  return loop->kind == LOOP_FOR && loop->lanes == 0 && loop->segment == 0 &&
         !(loop->marks & (MARK_DOWN | MARK_UNROLL)) &&
         loop_is_whole(exprs, loop, loop->index->range) &&
         extent_is_constant(loop->index->range, count);
}
