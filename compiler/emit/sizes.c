/* Bounds on one size, `constant <= expression of it`, tried size by size from 1. */
#include "emit/sizes.h"

#include "equations/affine.h"

enum { MOST_TRIES = 4096 };

/* room >= least, which is about one dim. */
typedef struct Bound {
  const Extent *room;
  int64_t least;
  const Dim *dim;
} Bound;

static bool read_bound(const Model *model, Arena *scratch, const Expr *condition, Bound *bound) {
  if (condition->op != OP_LE && condition->op != OP_LT) return false;
  if (condition->args[0]->type != TYPE_INT || condition->args[1]->type != TYPE_INT) return false;
  Affine less = affine_of(model->exprs, scratch, condition->args[0]);
  Affine more = affine_of(model->exprs, scratch, condition->args[1]);
  if (less.count > 0 || more.count > 0) return false;
  DimList dims = {0};
  bound->room = extent_subtract(model->extents, more.constant, less.constant);
  bound->least = condition->op == OP_LT;
  extent_dims(scratch, bound->room, &dims);
  bound->dim = dims.count == 1 ? dims.items[0] : NULL;
  return bound->dim != NULL;
}

typedef struct BoundList {
  Bound *items;
  int count, capacity;
} BoundList;

static BoundList bounds_on(const Model *model, Arena *scratch, const Dim *dim) {
  BoundList list = {0};
  for (int i = 0; i < model->checks.count; i++) {
    Bound bound;
    if (!read_bound(model, scratch, model->checks.items[i].condition, &bound)) continue;
    if (bound.dim == dim) APPEND(scratch, &list, bound);
  }
  return list;
}

static bool all_hold(const BoundList *list, const int64_t *sizes) {
  for (int i = 0; i < list->count; i++)
    if (extent_evaluate(list->items[i].room, sizes) < list->items[i].least) return false;
  return true;
}

int64_t size_minimum(const Model *model, const Dim *dim) {
  Arena *scratch = arena_new();
  BoundList list = bounds_on(model, scratch, dim);
  int64_t *sizes = NEW_ARRAY(scratch, int64_t, model->dims.count);
  int64_t size = 1;
  for (; size <= dim->maximum && size <= MOST_TRIES; size++) {
    sizes[dim->id] = size;
    if (all_hold(&list, sizes)) break;
  }
  arena_free(scratch);
  return size <= dim->maximum && size > MOST_TRIES ? 1 : size;
}

/* Whether it grows with every size in it, by its form: a sum of sizes and of their quotients. */
static bool is_increasing(const Extent *extent) {
  for (int i = 0; i < extent_term_count(extent); i++) {
    const ExtentTerm *term = extent_term(extent, i);
    if (term->atom_count == 0) continue;
    if (term->coefficient < 0) return false;
    for (int k = 0; k < term->atom_count; k++) {
      const ExtentAtom *atom = term->atoms[k];
      int64_t divisor;
      if (atom->dim) continue;
      if (!extent_is_constant(atom->denominator, &divisor) || divisor < 1) return false;
      if (extent_term_count(atom->numerator) != 1) return false;
      const ExtentTerm *divided = extent_term(atom->numerator, 0);
      if (divided->coefficient < 0 || divided->atom_count != 1 || !divided->atoms[0]->dim)
        return false;
    }
  }
  return true;
}

bool check_is_range(const Model *model, const Expr *condition) {
  Arena *scratch = arena_new();
  Bound bound;
  bool is_bound = read_bound(model, scratch, condition, &bound);
  arena_free(scratch);
  if (!is_bound || !is_increasing(bound.room)) return false;
  int64_t *sizes = NEW_ARRAY(model->arena, int64_t, model->dims.count);
  sizes[bound.dim->id] = size_minimum(model, bound.dim);
  return extent_evaluate(bound.room, sizes) >= bound.least;
}
