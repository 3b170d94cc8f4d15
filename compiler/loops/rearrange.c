/* Rearranging: a value that products take in blocks lies in blocks from the start.

     dy[n, k] = ...                          gives   dy[n, (p, j)] = ..., the p-th block in one piece
     dy.panels[p, n, j] = dy[n, 32*p + j]            and no copy

   So does what is computed behind the tiles of such a product, a block of columns at a time, and read element by
   element: each tile then writes, and later reads, one piece of memory.

   The variables that stand for the blocked dim, in the equation that defines the value and in those that
   read it, become two, of which each counts what the one did; the dims of the value lie in memory in the order of
   the copy. Sums keep their order, so bits do not change. Where some reader cannot be put so, the copy stays.

   A copy may take one part of the value, as of q, k and v that one product makes, k.panels[n, a, t, e] = z[n, t, 1, a, e]:
   then the parts lie one after the other. Copies of other parts find them so.

   What a recurrence computes lies step by step, and each step in blocks. A copy may count steps backwards, as sums
   over the gradients of all steps do. */
#include "calculus/variables.h"
#include "equations/affine.h"
#include "loops/blocks.h"
#include "loops/tile.h"

enum { ROW = 8 /* part of what panels must have, that the rows of a value in blocks have, too */ };

typedef struct Rearrangement {
  Routine *routine;
  Arena *scratch;
  const Equation *
      copy; /* in which each variable stands for a dim of the value, or two for one; null: there is none */
  Tensor *value;
  int dim;                       /* the dim in blocks: */
  BlockSubscript blocks;         /* in the copy, or in the equation; block null: none is */
  int order[LIMIT_RANK];         /* of the rearranged dims, as they lie in memory: */
  int fixed;                     /* first those of which the copy takes one value each, */
  const Expr *parts[LIMIT_RANK]; /* these */
  bool is_backwards[LIMIT_RANK]; /* of each variable of the copy: it counts the dim from the end */
} Rearrangement;

/* ---- subscripts ---- */

/* The subscript says which block and which place in it. */
static bool find_blocks(const Rearrangement *r, const Expr *subscript, BlockSubscript *found) {
  return affine_blocks(r->routine->model->exprs, r->scratch, subscript, found);
}

static bool fits_blocks(const Rearrangement *r, const Expr *subscript) {
  BlockSubscript found;
  return find_blocks(r, subscript, &found) && found.width == r->blocks.width;
}

/* A variable that takes all values of the dim in blocks; null: the subscript is another. */
static const Index *whole_index(const Rearrangement *r, const Expr *subscript) {
  const Index *index = lone_index(subscript);
  return index && index->range == r->value->axes[r->dim].extent ? index : NULL;
}

/* The last element of a dim is counted as the first. */
static const Expr *from_the_end(const Rearrangement *r, const Expr *subscript,
                                const Extent *extent) {
  ExprTable *exprs = r->routine->model->exprs;
  const Expr *last = expr_binary(exprs, OP_SUB, expr_extent(exprs, extent), expr_integer(exprs, 1));
  return expr_binary(exprs, OP_SUB, last, subscript);
}

/* A variable that takes all values of the dim from the last to the first; null: the subscript is another. */
static const Index *backward_index(const Rearrangement *r, const Expr *subscript,
                                   const Extent *extent) {
  int64_t shift;
  const Index *index = shifted_index(r->routine->model->exprs, r->scratch,
                                     from_the_end(r, subscript, extent), &shift);
  return index && shift == 0 && index->range == extent ? index : NULL;
}

/* ---- which copies ---- */

static int variable_of(const Equation *copy, const Index *index) {
  for (int k = 0; k < copy->var_count; k++)
    if (copy->vars[k] == index) return k;
  return -1;
}

/* Notes that the variable of the copy stands for a dim of the rearranged value; false: it stands for one already. */
static bool note_dim(Rearrangement *r, const Index *variable, int dim) {
  int k = variable ? variable_of(r->copy, variable) : -1;
  if (k < 0 || r->order[k] >= 0) return false;
  r->order[k] = dim;
  return true;
}

static bool covers(const BlockSubscript *blocks, const Extent *extent) {
  int64_t count, whole;
  return extent_is_constant(blocks->block->range, &count) && extent_is_constant(extent, &whole) &&
         count * blocks->width == whole;
}

/* The dims of which the copy takes one value come first. */
static bool put_fixed_first(Rearrangement *r, const int *fixed, int dims) {
  int count = r->copy->var_count;
  if (dims > LIMIT_RANK || dims != count + r->fixed) return false;
  for (int k = count - 1; k >= 0; k--) r->order[r->fixed + k] = r->order[k];
  for (int level = 0; level < r->fixed; level++) r->order[level] = fixed[level];
  return r->order[dims - 1] == dims - 1;
}

/* What the copy does with the dims of the value. */
static bool find_order(Rearrangement *r) {
  const Expr *read = r->copy->body;
  int rank = read_rank(read), dims = 0, fixed[LIMIT_RANK];
  for (int k = 0; k < LIMIT_RANK; k++) r->order[k] = -1;
  for (int dim = 0; dim < rank; dim++) {
    const Extent *extent = r->value->axes[dim].extent;
    if (read->args[dim]->op == OP_INTEGER) {
      r->parts[r->fixed] = read->args[dim];
      fixed[r->fixed++] = dims++;
      continue;
    }
    const Index *lone = lone_index(read->args[dim]);
    const Index *backward = lone ? NULL : backward_index(r, read->args[dim], extent);
    if (lone && lone->range != extent) return false;
    if ((lone || backward) && !note_dim(r, lone ? lone : backward, dims++)) return false;
    if (backward) r->is_backwards[variable_of(r->copy, backward)] = true;
    if (lone || backward) continue;
    if (r->blocks.block || !find_blocks(r, read->args[dim], &r->blocks)) return false;
    if (!covers(&r->blocks, extent)) return false;
    r->dim = dim;
    if (!note_dim(r, r->blocks.block, dims++) || !note_dim(r, r->blocks.inner, dims++))
      return false;
  }
  return put_fixed_first(r, fixed, dims);
}

/* Nothing outside the routine says how it lies. */
static bool is_own_value(const Routine *routine, const Tensor *tensor) {
  if (tensor->role != ROLE_VALUE || tensor->rank == 0) return false;
  return !map_has(&routine->roots, tensor) && !map_has(&routine->segments, tensor);
}

static bool is_rearrangeable(const Routine *routine, const Tensor *tensor) {
  return is_own_value(routine, tensor) && tensor->type == TYPE_REAL &&
         routine_computes(routine, tensor);
}

bool layout_is_free(const Routine *routine, const Tensor *tensor) {
  return is_rearrangeable(routine, tensor) && !map_has(&routine->orders, tensor);
}

/* ---- which equations ---- */

static bool may_read(const Rearrangement *r, const Equation *equation) {
  ExprList reads = equation_reads(r->scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    const Expr *read = reads.items[i];
    if (read->tensor != r->value) continue;
    if (read_default(read)) return false;
    if (map_has(&r->routine->segments, equation->target)) return false;
    if (!r->blocks.block || fits_blocks(r, read->args[r->dim])) continue;
    const Index *whole = whole_index(r, read->args[r->dim]);
    if (!whole || !blocks_may_split(r->routine, equation, whole)) return false;
  }
  return true;
}

/* It may run behind the tiles of a product that are no such blocks: not of one that the loss needs and it does not. */
static bool follows_other_tiles(const Rearrangement *r, int position) {
  const Routine *routine = r->routine;
  const Equation *equation = routine->equations.items[position];
  ExprList reads = equation_reads(r->scratch, equation);
  for (int i = 0; i < routine->equations.count; i++) {
    const Equation *product = routine->equations.items[i];
    Tiling tiling;
    bool is_read_here = false, is_forward = i < routine->forward_count;
    for (int k = 0; k < reads.count; k++) is_read_here |= reads.items[k]->tensor == product->target;
    if (is_forward != (position < routine->forward_count) || !is_read_here ||
        !tiling_of(routine, product, &tiling))
      continue;
    if (extent_maximum(tiling.column->range) != r->blocks.width) return true;
  }
  return false;
}

static bool may_define(const Rearrangement *r, int position) {
  const Equation *equation = r->routine->equations.items[position];
  if (is_draw(equation->body)) return false;
  if (r->blocks.block && equation->reduction == REDUCE_NONE && follows_other_tiles(r, position))
    return false;
  if (!r->blocks.block) return true;
  const Expr *own = equation_own_read(r->routine->model, equation, equation->target);
  const Index *whole = whole_index(r, own->args[r->dim]);
  return whole ? blocks_may_split(r->routine, equation, whole) : fits_blocks(r, own->args[r->dim]);
}

static bool may_rearrange(Rearrangement *r) {
  const Routine *routine = r->routine;
  if (r->blocks.block && r->value->rank == LIMIT_RANK) return false;
  for (int i = 0; i < routine->equations.count; i++) {
    const Equation *equation = routine->equations.items[i];
    if (equation == r->copy) continue;
    if (equation->target == r->value && !may_define(r, i)) return false;
    if (!may_read(r, equation)) return false;
  }
  return true;
}

/* It lies as it is named, or just so already. */
static bool may_get_order(const Rearrangement *r) {
  const int *order = map_get(&r->routine->orders, r->value);
  if (!order) return true;
  for (int level = 0; level < r->value->rank; level++)
    if (order[level] != r->order[level]) return false;
  return !r->blocks.block;
}

/* As a copy of it lies that products take. */
static bool lies_as_copy(Rearrangement *r, const Equation *copy) {
  if (!is_made_copy(r->routine, copy)) return false;
  r->copy = copy;
  r->value = (Tensor *)copy->body->tensor;
  return is_rearrangeable(r->routine, r->value) && find_order(r) && may_get_order(r) &&
         may_rearrange(r);
}

/* Each reader takes one element for each of its own, and keeps it in scratch. */
static bool is_read_by_element(const Rearrangement *r) {
  const Routine *routine = r->routine;
  for (int i = 0; i < routine->equations.count; i++) {
    const Equation *equation = routine->equations.items[i];
    ExprList reads = equation_reads(r->scratch, equation);
    for (int k = 0; k < reads.count; k++) {
      if (reads.items[k]->tensor != r->value) continue;
      if (equation->reduction != REDUCE_NONE) return false;
      if (map_has(&routine->roots, equation->target)) return false;
    }
  }
  return true;
}

/* As the tiles of a product with long rows take it. */
static bool lies_in_blocks(Rearrangement *r, const Equation *equation) {
  const Target *target = r->routine->target;
  Tensor *value = equation->target;
  int rank = value->rank, last = rank - 1;
  int64_t length;
  if (map_has(&r->routine->recurrences, value)) return false;
  if (rank < 2 || equation->var_count != rank + 1 || equation->place[last] != last) return false;
  if (!extent_is_constant(value->axes[last].extent, &length)) return false;
  if (length * r->routine->bytes_of_real < target->copies.bytes / ROW) return false;
  const Expr *own = equation_own_read(r->routine->model, equation, value);
  r->value = value;
  r->dim = last;
  r->order[0] = last;
  for (int level = 1; level < rank; level++) r->order[level] = level - 1;
  r->order[rank] = rank;
  return layout_is_free(r->routine, value) && find_blocks(r, own->args[last], &r->blocks) &&
         is_read_by_element(r) && may_rearrange(r);
}

/* ---- the value in its new shape ---- */

static Tensor *tensor_in_blocks(const Rearrangement *r) {
  Model *model = r->routine->model;
  Tensor *tensor = arena_copy(model->arena, r->value, sizeof *r->value);
  tensor->id = model->next_tensor++;
  tensor->rank = r->value->rank + 1;
  for (int dim = r->value->rank; dim > r->dim; dim--) tensor->axes[dim] = r->value->axes[dim - 1];
  tensor->axes[r->dim] = (Axis){.extent = r->blocks.block->range};
  tensor->axes[r->dim + 1] = (Axis){.extent = r->blocks.inner->range};
  return tensor;
}

typedef struct Replacing {
  const Rearrangement *rearrangement;
  const Tensor *rearranged;
} Replacing;

static const Expr *read_of_copy(const Replacing *replacing, const Expr *read) {
  const Rearrangement *r = replacing->rearrangement;
  const Expr *subscripts[LIMIT_RANK];
  for (int level = 0; level < r->fixed; level++) subscripts[r->order[level]] = r->parts[level];
  for (int k = 0; k < r->copy->var_count; k++)
    subscripts[r->order[r->fixed + k]] =
        r->is_backwards[k] ? from_the_end(r, read->args[k], r->copy->vars[k]->range)
                           : read->args[k];
  return expr_read(r->routine->model->exprs, replacing->rearranged, subscripts, read_default(read));
}

static const Expr *read_of_value(const Replacing *replacing, const Expr *read) {
  const Rearrangement *r = replacing->rearrangement;
  ExprTable *exprs = r->routine->model->exprs;
  BlockSubscript blocks;
  const Expr *subscripts[LIMIT_RANK];
  if (!r->blocks.block || !find_blocks(r, read->args[r->dim], &blocks)) return read;
  for (int dim = 0, k = 0; dim < r->value->rank; dim++) {
    if (dim != r->dim) {
      subscripts[k++] = read->args[dim];
      continue;
    }
    subscripts[k++] = expr_index(exprs, blocks.block);
    subscripts[k++] = expr_index(exprs, blocks.inner);
  }
  return expr_read(exprs, replacing->rearranged, subscripts, NULL);
}

static const Expr *replace_reads(void *context, const Expr *leaf) {
  const Replacing *replacing = context;
  const Rearrangement *r = replacing->rearrangement;
  if (!is_read(leaf)) return leaf;
  if (r->copy && leaf->tensor == r->copy->target) return read_of_copy(replacing, leaf);
  return leaf->tensor == r->value ? read_of_value(replacing, leaf) : leaf;
}

/* ---- the equations ---- */

/* A variable that stands for the dim in blocks, in a read or in the target; null: none is left. */
static const Index *variable_to_split(const Rearrangement *r, const Equation *equation) {
  if (!r->blocks.block) return NULL;
  ExprList reads = equation_reads(r->scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    bool is_of_value = reads.items[i]->tensor == r->value;
    const Index *whole = is_of_value ? whole_index(r, reads.items[i]->args[r->dim]) : NULL;
    if (whole) return whole;
  }
  if (equation->target != r->value) return NULL;
  const Expr *own = equation_own_read(r->routine->model, equation, equation->target);
  return whole_index(r, own->args[r->dim]);
}

static void define_rearranged(const Rearrangement *r, Equation *equation, Tensor *rearranged) {
  int first = 0;
  while (equation->place[first] != r->dim) first++;
  for (int k = 0; r->blocks.block && k < equation->var_count; k++)
    equation->place[k] += k > first || equation->place[k] > r->dim;
  equation->target = rearranged;
  rearranged->definition = equation;
}

static Equation *equation_rearranged(const Rearrangement *r, Equation *equation,
                                     Tensor *rearranged) {
  Routine *routine = r->routine;
  Replacing replacing = {r, rearranged};
  ExprTable *exprs = routine->model->exprs;
  Equation changed = *equation;
  const Index *whole;
  while ((whole = variable_to_split(r, &changed)))
    blocks_split(routine->model, r->scratch, &changed, whole, r->blocks.block->name,
                 r->blocks.width);
  changed.body = expr_rewrite(exprs, r->scratch, changed.body, replace_reads, &replacing);
  if (changed.guard)
    changed.guard = expr_rewrite(exprs, r->scratch, changed.guard, replace_reads, &replacing);
  bool defines = equation->target == r->value && rearranged != r->value;
  if (changed.body == equation->body && changed.guard == equation->guard && !defines)
    return equation;
  Equation *result = arena_copy(routine->model->arena, &changed, sizeof changed);
  if (defines) define_rearranged(r, result, rearranged);
  map_put(&routine->sources, result, equation_source(routine, equation));
  return result;
}

/* That dim outermost, the others as before. */
static void put_first(int *order, int rank, int dim) {
  int level = 0;
  while (level < rank && order[level] != dim) level++;
  if (level == rank) return;
  for (; level > 0; level--) order[level] = order[level - 1];
  order[0] = dim;
}

static void note_order(const Rearrangement *r, const Tensor *rearranged) {
  Arena *arena = r->routine->model->arena;
  const RecurrentEquation *recurrent = map_get(&r->routine->recurrences, r->value);
  int *order = arena_copy(arena, r->order, sizeof r->order);
  if (recurrent) {
    RecurrentEquation *entry = arena_copy(arena, recurrent, sizeof *recurrent);
    entry->time_dim += r->blocks.block && entry->time_dim > r->dim;
    map_put(&r->routine->recurrences, rearranged, entry);
    put_first(order, rearranged->rank, entry->time_dim);
  }
  map_put(&r->routine->orders, rearranged, order);
}

static void rearrange(const Rearrangement *r) {
  Routine *routine = r->routine;
  Arena *arena = routine->model->arena;
  Tensor *rearranged = r->blocks.block ? tensor_in_blocks(r) : r->value;
  note_order(r, rearranged);
  EquationList equations = {0};
  int forward = routine->forward_count;
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (equation != r->copy)
      APPEND(arena, &equations, equation_rearranged(r, equation, rearranged));
    else if (i < forward)
      routine->forward_count--;
  }
  routine->equations = equations;
}

/* What a recurrence computes lies step by step, so that a step finds what it needs side by side. */
static void order_by_steps(Routine *routine) {
  for (int i = 0; i < routine->recurrences.count; i++) {
    const Tensor *tensor = routine->recurrences.keys[i];
    const RecurrentEquation *recurrent = routine->recurrences.values[i];
    int time = recurrent->time_dim;
    if (map_has(&routine->orders, tensor)) continue;
    if (time == tensor->rank - 1 || !is_own_value(routine, tensor)) continue;
    int *order = NEW_ARRAY(routine->model->arena, int, LIMIT_RANK);
    for (int level = 0; level < LIMIT_RANK; level++) order[level] = level;
    put_first(order, tensor->rank, time);
    map_put(&routine->orders, tensor, order);
  }
}

void routine_rearrange(Routine *routine) {
  Arena *scratch = arena_new();
  for (int i = 0; i < routine->equations.count; i++) {
    const Equation *equation = routine->equations.items[i];
    Rearrangement as_copy = {.routine = routine, .scratch = scratch}, in_blocks = as_copy;
    if (lies_as_copy(&as_copy, equation)) {
      rearrange(&as_copy);
      i--;
    } else if (lies_in_blocks(&in_blocks, equation)) {
      rearrange(&in_blocks);
    }
  }
  order_by_steps(routine);
  arena_free(scratch);
}
