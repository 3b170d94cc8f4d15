/* Store: what the model keeps from call to call lies as products take it.

     y[n, k] = sum[i](x[n, i]*W[i, k])   gives   y[n, 32*p + j] = sum[i](x[n, i]*W[i, 32*p + j])

   and W in panels [p][i][j], one behind the other. A tile goes through one piece of memory, rows a power of two apart
   do not compete for places of the caches, threads that each take some columns share no line, and no copy is made in
   every call: one that had W in just these panels is taken out.

   A parameter and all that is computed of it element by element, as its gradient, what an optimizer keeps for it and
   new values of both, make a group, over all routines. A group is stored in panels when the tiles of all products that
   take a member as vectors, or define one, are of one width that divides the rows, and no equation takes rows whole, as
   a gather does. Then variables that count columns become two. Sums keep their order: bits do not change. */
#include "calculus/condition.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "loops/blocks.h"
#include "loops/panels.h"
#include "loops/tile.h"

#include <string.h>

/* What is known of a tensor, and of its group at the root. */
typedef struct Member Member;
struct Member {
  Member *parent;        /* null: the root */
  int64_t width;         /* of the panels that products take; 0: none takes any */
  bool is_taken;         /* by tiles, as vectors; in the order of what takes it first: */
  int order[LIMIT_RANK]; /* see Panels */
  bool has_order;
  bool is_refused;
};

typedef struct Store {
  Arena *scratch;
  Routine *routine; /* the one that is looked at */
  Map members;      /* Tensor * -> Member * */
  Map replaced;     /* Tensor * that lives in the memory of a kept one -> itself: new values */
} Store;

/* ---- groups ---- */

static Member *member_of(Store *store, const Tensor *tensor) {
  Member *member = map_get(&store->members, tensor);
  if (!member) {
    member = NEW(store->scratch, Member);
    map_put(&store->members, tensor, member);
  }
  while (member->parent) member = member->parent;
  return member;
}

static void note_width(Member *member, int64_t width) {
  member->is_refused |= member->width > 0 && member->width != width;
  member->width = width;
}

static void put_together(Store *store, const Tensor *one, const Tensor *other) {
  Member *a = member_of(store, one), *b = member_of(store, other);
  if (a == b) return;
  if (b->width > 0) note_width(a, b->width);
  a->is_taken |= b->is_taken;
  if (!a->has_order) memcpy(a->order, b->order, sizeof a->order);
  a->has_order |= b->has_order;
  a->is_refused |= b->is_refused;
  b->parent = a;
}

static bool is_kept(const Tensor *tensor) {
  return tensor->role == ROLE_PARAM || tensor->role == ROLE_STATE || tensor->role == ROLE_SLOT;
}

static bool may_be_member(const Store *store, const Tensor *tensor) {
  int64_t columns;
  return tensor->rank >= 2 && tensor->rank < LIMIT_RANK && tensor->type == TYPE_REAL &&
         (is_kept(tensor) || routine_computes(store->routine, tensor)) &&
         extent_is_constant(tensor->axes[tensor->rank - 1].extent, &columns);
}

/* How it lies is what this pass decides. */
static bool is_stored(const Store *store, const Tensor *tensor) {
  return is_kept(tensor) || map_has(&store->replaced, tensor);
}

static bool reads_same_place(const Expr *read, const Expr *own) {
  bool same = read->tensor->rank == own->tensor->rank && !read_default(read);
  for (int dim = 0; same && dim < own->tensor->rank; dim++)
    same = read->args[dim] == own->args[dim];
  return same;
}

static void group_by_element(Store *store, const Equation *equation, const ExprList *reads) {
  if (equation->reduction != REDUCE_NONE || !may_be_member(store, equation->target)) return;
  const Expr *own = equation_own_read(store->routine->model, equation, equation->target);
  for (int i = 0; i < reads->count; i++)
    if (may_be_member(store, reads->items[i]->tensor) && reads_same_place(reads->items[i], own))
      put_together(store, equation->target, reads->items[i]->tensor);
}

/* ---- what equations ask for ---- */

static const Expr *last_subscript(const Expr *read) {
  return read->args[read->tensor->rank - 1];
}

/* A variable that takes all columns; null: the subscript is another. */
static const Index *whole_column(const Expr *read) {
  const Index *index = lone_index(last_subscript(read));
  const Extent *columns = read->tensor->axes[read->tensor->rank - 1].extent;
  return index && index->range == columns ? index : NULL;
}

/* The columns are counted in blocks, which are all of them. */
static bool has_blocks(Store *store, const Expr *read, BlockSubscript *blocks) {
  int64_t count, columns;
  return affine_blocks(store->routine->model->exprs, store->scratch, last_subscript(read),
                       blocks) &&
         extent_is_constant(blocks->block->range, &count) &&
         extent_is_constant(read->tensor->axes[read->tensor->rank - 1].extent, &columns) &&
         count * blocks->width == columns;
}

/* Lanes of a sum go through blocks as through rows when blocks are whole rounds of them. */
static bool may_split(const Routine *routine, const Equation *equation, const Index *index,
                      int64_t width) {
  return blocks_may_split(routine, equation, index) ||
         (equation->lanes > 1 && width % equation->lanes == 0 &&
          equation->reduced_count < LIMIT_RANK &&
          equation->reduced[equation->reduced_count - 1] == index);
}

static bool takes_some_rows(Store *store, const Expr *read) {
  for (int dim = 0; dim + 1 < read->tensor->rank; dim++) {
    ExprList nodes = expr_postorder(store->scratch, &read->args[dim], 1);
    for (int i = 0; i < nodes.count; i++)
      if (is_read(nodes.items[i])) return true;
  }
  return false;
}

/* The tiles of the product are so many columns of what is read, or defined, there. */
static void note_tiles(Store *store, const Expr *read, const Tiling *tiling) {
  Member *member = member_of(store, read->tensor);
  int64_t columns = extent_maximum(read->tensor->axes[read->tensor->rank - 1].extent);
  if (whole_column(read) != tiling->column) return;
  bool divides = columns % tiling->columns == 0 && tiling->columns % tiling->lanes == 0;
  if (divides) note_width(member, tiling->columns);
  member->is_refused |= !divides;
}

/* The dims of what is read that these variables stand for, or panels, behind those that are there; returns how many
   there are then. */
static int add_dims(Store *store, const Expr *read, const Index *const *variables, int count,
                    int *order, int dims) {
  int last = read->tensor->rank - 1;
  BlockSubscript blocks = {0};
  if (!has_blocks(store, read, &blocks)) blocks.block = whole_column(read);
  for (int i = 0; i < count && dims <= last; i++)
    for (int dim = 0; dim <= last && dims <= last; dim++) {
      const Index *index = dim < last ? lone_index(read->args[dim]) : blocks.block;
      if (index == variables[i]) order[dims++] = dim < last ? dim : last + 1;
    }
  return dims;
}

/* The order in which the equation goes through what it reads, sums last; false: some subscript is no variable. */
static bool find_order(Store *store, const Equation *equation, const Expr *read, int *order) {
  int rank = read->tensor->rank;
  int dims = add_dims(store, read, equation->vars, equation->var_count, order, 0);
  dims = add_dims(store, read, equation->reduced, equation->reduced_count, order, dims);
  order[rank] = rank - 1;
  return dims == rank;
}

static void note_taken(Store *store, const Equation *equation, const Expr *read) {
  Member *member = member_of(store, read->tensor);
  int order[LIMIT_RANK] = {0};
  member->is_taken = true;
  if (member->has_order || !find_order(store, equation, read, order)) return;
  memcpy(member->order, order, sizeof order);
  member->has_order = true;
}

static void note_blocks(Store *store, const Equation *equation, const Expr *read) {
  Member *member = member_of(store, read->tensor);
  BlockSubscript blocks;
  if (has_blocks(store, read, &blocks))
    note_width(member, blocks.width);
  else
    member->is_refused |= !whole_column(read);
  member->is_refused |= read_default(read) != NULL || takes_some_rows(store, read) ||
                        map_has(&store->routine->segments, equation->target);
}

static void look_at_product(Store *store, const Equation *equation, const Tiling *tiling) {
  const Expr *own = equation_own_read(store->routine->model, equation, equation->target);
  const Expr *across = tiling->across, *along = tiling->along;
  if (may_be_member(store, equation->target)) note_tiles(store, own, tiling);
  if (is_stored(store, across->tensor) && may_be_member(store, across->tensor)) {
    note_tiles(store, across, tiling);
    note_taken(store, equation, across);
  }
  if (along && is_read(along) && may_be_member(store, along->tensor) &&
      is_stored(store, along->tensor))
    member_of(store, along->tensor)->is_refused = true;
}

/* A copy of what is kept, panel by panel: each variable is a dim, or counts panels, and the last counts columns. */
static bool is_copy_in_panels(Store *store, const Equation *equation) {
  if (!is_made_copy(store->routine, equation)) return false;
  const Expr *read = equation->body;
  const Index *last = equation->vars[equation->var_count - 1];
  int order[LIMIT_RANK];
  BlockSubscript blocks;
  if (!is_stored(store, read->tensor) || !may_be_member(store, read->tensor)) return false;
  bool has = has_blocks(store, read, &blocks);
  if (equation->var_count != read->tensor->rank + has) return false;
  return last == (has ? blocks.inner : whole_column(read)) &&
         find_order(store, equation, read, order);
}

static void look_at(Store *store, const Equation *equation) {
  ExprList reads = equation_reads(store->scratch, equation);
  Tiling tiling;
  group_by_element(store, equation, &reads);
  if (tiling_of(store->routine, equation, &tiling)) look_at_product(store, equation, &tiling);
  for (int i = 0; i < reads.count; i++) {
    const Expr *read = reads.items[i];
    if (!may_be_member(store, read->tensor) || !is_stored(store, read->tensor)) continue;
    note_blocks(store, equation, read);
  }
  if (is_copy_in_panels(store, equation)) note_taken(store, equation, equation->body);
  if (equation_scatters_any(equation) && may_be_member(store, equation->target))
    member_of(store, equation->target)->is_refused = true;
}

static void look_at_routine(Store *store) {
  const Routine *routine = store->routine;
  for (int i = 0; i < routine->updates.count; i++) {
    const Update *update = &routine->updates.items[i];
    map_put(&store->replaced, update->value, update->value);
    if (may_be_member(store, update->target)) put_together(store, update->target, update->value);
  }
  for (int i = 0; i < routine->equations.count; i++) look_at(store, routine->equations.items[i]);
}

/* What starts orthogonal has at most one dim that counts matrices. */
static void refuse_orthogonal(Store *store, const Model *model) {
  for (int i = 0; i < model->tensors.count; i++) {
    const Tensor *tensor = model->tensors.items[i];
    if (tensor->orthogonal_gain != 0 && tensor->rank > 3)
      member_of(store, tensor)->is_refused = true;
  }
}

/* ---- in panels ---- */

/* How the tensor's group is stored; null: row by row. */
static const Member *stored_as(Store *store, const Tensor *tensor) {
  if (!map_has(&store->members, tensor)) return NULL;
  const Member *member = member_of(store, tensor);
  bool is_in_panels = member->is_taken && member->has_order && member->width > 0;
  return is_in_panels && !member->is_refused ? member : NULL;
}

/* Columns of its panels; 0: all are in one, or it is stored in rows. */
static int64_t width_of(Store *store, const Tensor *tensor) {
  const Member *member = stored_as(store, tensor);
  if (!member) return 0;
  return member->width < extent_maximum(tensor->axes[tensor->rank - 1].extent) ? member->width : 0;
}

/* Once the widths are known: what is read whole has to be split. */
static void refuse_unsplit(Store *store) {
  const Routine *routine = store->routine;
  for (int i = 0; i < routine->equations.count; i++) {
    const Equation *equation = routine->equations.items[i];
    ExprList reads = equation_reads(store->scratch, equation);
    for (int k = 0; k < reads.count; k++) {
      const Expr *read = reads.items[k];
      int64_t width = is_stored(store, read->tensor) ? width_of(store, read->tensor) : 0;
      const Index *whole = width > 0 ? whole_column(read) : NULL;
      if (whole && !may_split(routine, equation, whole, width))
        member_of(store, read->tensor)->is_refused = true;
    }
  }
}

static const Index *column_to_split(Store *store, const Equation *equation, int64_t *width) {
  ExprList reads = equation_reads(store->scratch, equation);
  const Tensor *target = equation->target;
  const Index *whole = NULL;
  if ((*width = width_of(store, target)) > 0)
    whole = whole_column(equation_own_read(store->routine->model, equation, target));
  for (int i = 0; i < reads.count && !whole; i++) {
    const Tensor *tensor = reads.items[i]->tensor;
    *width = is_stored(store, tensor) ? width_of(store, tensor) : 0;
    if (*width > 0) whole = whole_column(reads.items[i]);
  }
  return whole && may_split(store->routine, equation, whole, *width) ? whole : NULL;
}

/* For the variable that counts panels: no other of the equation has it. */
static Name name_of_panels(Names *names, const Equation *equation) {
  bool is_taken = false;
  Name name = name_of(names, "p");
  for (int i = 0; i < equation->var_count; i++) is_taken |= equation->vars[i]->name == name;
  for (int i = 0; i < equation->reduced_count; i++) is_taken |= equation->reduced[i]->name == name;
  return is_taken ? name_of(names, "p2") : name;
}

/* A kept tensor that is drawn: a random number knows its coordinates by how the tensor it is of is declared, so that is
   another, which lies nowhere, and read. */
static Equation *read_drawn(Store *store, Equation *equation) {
  Model *model = store->routine->model;
  Tensor *drawn = arena_copy(model->arena, equation->target, sizeof *drawn);
  Equation *draws = arena_copy(model->arena, equation, sizeof *draws);
  Equation *reads = arena_copy(model->arena, equation, sizeof *reads);
  drawn->id = model->next_tensor++;
  drawn->name = name_format(model->names, "%s.draw", drawn->name);
  drawn->role = ROLE_VALUE;
  drawn->definition = draws;
  draws->target = drawn;
  reads->body = equation_own_read(model, draws, drawn);
  return reads;
}

static Equation *over_panels(Store *store, Equation *equation) {
  Routine *routine = store->routine;
  bool is_drawn = is_draw(equation->body) && routine_panels(routine, equation->target);
  Equation split = is_drawn ? *read_drawn(store, equation) : *equation;
  const Index *whole;
  int64_t width;
  while ((whole = column_to_split(store, &split, &width)))
    blocks_split(routine->model, store->scratch, &split, whole,
                 name_of_panels(routine->model->names, &split), width);
  if (split.body == equation->body && split.var_count == equation->var_count) return equation;
  Equation *result = arena_copy(routine->model->arena, &split, sizeof split);
  map_put(&routine->sources, result, equation_source(routine, equation));
  return result;
}

/* The copy has the elements just as they are stored. */
static bool is_as_stored(Store *store, const Equation *copy) {
  if (!is_copy_in_panels(store, copy)) return false;
  const Tensor *tensor = copy->body->tensor;
  const Member *member = stored_as(store, tensor);
  BlockSubscript blocks;
  int order[LIMIT_RANK];
  int64_t width = has_blocks(store, copy->body, &blocks)
                      ? blocks.width
                      : extent_maximum(tensor->axes[tensor->rank - 1].extent);
  find_order(store, copy, copy->body, order);
  return member && member->width == width &&
         memcmp(member->order, order, sizeof *order * (size_t)(tensor->rank + 1)) == 0;
}

/* What reads a copy that is taken out reads in its place. */
static const Expr *read_stored(void *context, const Expr *leaf) {
  Store *store = context;
  const Equation *copy = is_read(leaf) ? leaf->tensor->definition : NULL;
  if (!copy || !is_as_stored(store, copy)) return leaf;
  return expr_substitute(store->routine->model->exprs, store->scratch, copy->body, copy->vars,
                         leaf->args, copy->var_count);
}

static Equation *without_copies(Store *store, Equation *equation) {
  Routine *routine = store->routine;
  const Expr *body =
      expr_rewrite(routine->model->exprs, store->scratch, equation->body, read_stored, store);
  if (body == equation->body) return equation;
  Equation *result = arena_copy(routine->model->arena, equation, sizeof *equation);
  result->body = body;
  map_put(&routine->sources, result, equation_source(routine, equation));
  return result;
}

static void store_routine(Store *store) {
  Routine *routine = store->routine;
  EquationList equations = {0};
  int forward = routine->forward_count;
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (is_as_stored(store, equation))
      routine->forward_count -= i < forward;
    else
      APPEND(routine->model->arena, &equations,
             over_panels(store, without_copies(store, equation)));
  }
  routine->equations = equations;
}

/* Row by row, as it is anyhow. */
static bool is_in_rows(const Tensor *tensor, const Panels *panels) {
  int before = -1;
  for (int level = 0; level < tensor->rank; level++) {
    int dim = panels->order[level];
    if (dim == tensor->rank) continue;
    if (dim < before) return false;
    before = dim;
  }
  return !has_panels(tensor, panels);
}

static void note_panels(Store *store, Routine *routine) {
  const TensorList *tensors = &routine->model->tensors;
  for (int i = 0; i < tensors->count; i++) {
    const Tensor *tensor = tensors->items[i];
    const Member *member = is_kept(tensor) ? stored_as(store, tensor) : NULL;
    if (!member) continue;
    Panels *panels = NEW(routine->model->arena, Panels);
    panels->width = member->width;
    memcpy(panels->order, member->order, sizeof panels->order);
    if (!is_in_rows(tensor, panels)) map_put(&routine->panels, tensor, panels);
  }
}

void routines_store(Routine *const *routines, int count) {
  if (count == 0 || routines[0]->target->vector_bytes == 0) return;
  Store store = {.scratch = arena_new()};
  map_init(&store.members, store.scratch);
  map_init(&store.replaced, store.scratch);
  refuse_orthogonal(&store, routines[0]->model);
  for (int i = 0; i < count; i++) {
    store.routine = routines[i];
    look_at_routine(&store);
  }
  for (int i = 0; i < count; i++) {
    store.routine = routines[i];
    refuse_unsplit(&store);
  }
  for (int i = 0; i < count; i++) {
    store.routine = routines[i];
    note_panels(&store, routines[i]);
    store_routine(&store);
  }
  arena_free(store.scratch);
}
