/* Which tensor elements an equation reads. */
#include "loops/loop.h"

ExprList equation_reads(Arena *arena, const Equation *equation) {
  const Expr *roots[2] = {equation->body, equation->guard};
  Arena *scratch = arena_new();
  ExprList all = expr_postorder(scratch, roots, equation->guard ? 2 : 1);
  ExprList reads = {0};
  for (int i = 0; i < all.count; i++) {
    if (is_read(all.items[i])) APPEND(arena, &reads, all.items[i]);
  }
  arena_free(scratch);
  return reads;
}

bool equation_touches(Arena *scratch, const Equation *equation, const Map *tensors) {
  if (map_has(tensors, equation->target)) return true;
  ExprList reads = equation_reads(scratch, equation);
  for (int i = 0; i < reads.count; i++)
    if (map_has(tensors, reads.items[i]->tensor)) return true;
  return false;
}
