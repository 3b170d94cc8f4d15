/* Which tensor elements an equation reads, and where what it reads is defined. */
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

Map equation_places(Arena *arena, const EquationList *equations) {
  Map places;
  map_init(&places, arena);
  for (int i = 0; i < equations->count; i++)
    map_put(&places, equations->items[i]->target, &equations->items[i]);
  return places;
}

static void note_reader(Arena *arena, Map *readers, const Tensor *tensor, int position) {
  PositionList *positions = map_get(readers, tensor);
  if (!positions) {
    positions = NEW(arena, PositionList);
    map_put(readers, tensor, positions);
  }
  if (positions->count == 0 || positions->items[positions->count - 1] != position)
    APPEND(arena, positions, position);
}

Map equation_readers(Arena *arena, const EquationList *equations) {
  Map readers;
  map_init(&readers, arena);
  for (int i = 0; i < equations->count; i++) {
    ExprList reads = equation_reads(arena, equations->items[i]);
    for (int k = 0; k < reads.count; k++) note_reader(arena, &readers, reads.items[k]->tensor, i);
  }
  return readers;
}

int equation_position(const EquationList *equations, const Map *places, const Tensor *tensor) {
  Equation *const *place = map_get(places, tensor);
  return place ? (int)(place - equations->items) : -1;
}
