/* Which epilogues run on the vectors of a tile, where its sums are: those whose members are arithmetic of values that
   lie along the columns. The others go through an array of the tile's elements. */
#include "calculus/variables.h"
#include "loops/epilogue.h"
#include "loops/tile.h"

static bool is_arithmetic(Op op) {
  return op == OP_ADD || op == OP_SUB || op == OP_MUL || op == OP_DIV || op == OP_NEGATE ||
         op == OP_SQRT;
}

/* Vectors may be loaded from and stored to where the read is. */
static bool lies_along(const Routine *routine, const Expr *read, const Index *column) {
  return is_stored_as_real(read->tensor) && is_contiguous(routine->model->exprs, read, column);
}

bool is_of_vectors(const Routine *routine, Arena *scratch, const Expr *value, const Index *column) {
  ExprList nodes = expr_postorder(scratch, &value, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (!expr_uses_index(scratch, node, column) || node->type == TYPE_INT) continue;
    bool fits = is_read(node) ? lies_along(routine, node, column) : is_arithmetic(node->op);
    if (node->type != TYPE_REAL || !fits) return false;
  }
  return expr_uses_index(scratch, value, column);
}

static bool member_is_of_vectors(const Routine *routine, Arena *scratch, const Equation *member,
                                 const Index *column) {
  const Expr *own = equation_own_read(routine->model, member, member->target);
  return lies_along(routine, own, column) && is_of_vectors(routine, scratch, member->body, column);
}

/* Processors do not hand part of a vector from a store to a load; an element that was in a tile before would be
   changed twice. */
static bool is_of_whole_vectors(const Block *block) {
  return block->lanes > 1 && block->columns % block->lanes == 0 && block->new_column == 0;
}

bool epilogue_is_of_vectors(const Routine *routine, const Equation *product, const Tiling *tiling,
                            const Block *block) {
  const Epilogue *epilogue = epilogue_of(routine, product);
  if (!epilogue || guard_cuts_tiles(product, tiling) || !is_of_whole_vectors(block)) return false;
  if (!map_has(&epilogue->locals, product->target)) return false;
  Arena *scratch = arena_new();
  bool found = true;
  for (int i = 0; i < epilogue->members.count && found; i++) {
    const Equation *member = epilogue->members.items[i];
    found = !map_has(&epilogue->locals, member->target) &&
            member_is_of_vectors(routine, scratch, member, tiling->column);
  }
  arena_free(scratch);
  return found;
}
