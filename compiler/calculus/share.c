/* Sharing: equal equations become one.

   Equations are equal when they are the same but for the names of their variables: each is rewritten
   over common variables, by position, and as expressions are hash-consed the results are compared by
   pointer. What is read comes before its readers, so equality spreads upwards in one pass. A tensor that
   only copies another is replaced by it, too. Draws are never shared: each has a site of its own. */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/roots.h"
#include "calculus/variables.h"
#include "equations/affine.h"

#include <string.h>

/* An equation over common variables. */
typedef struct Shape {
  const Expr *body, *guard;
  Reduction reduction;
  ValueType type;
  int var_count, reduced_count, rank;
  int place[LIMIT_RANK];
  const Extent *extents[LIMIT_RANK];
} Shape;

typedef struct Entry Entry;
struct Entry {
  Shape shape;
  const Tensor *tensor;
  Entry *next; /* another shape with the same body */
};

typedef struct Sharing {
  Model *model;
  Arena *scratch;
  TensorSet roots;
  Map common;       /* range -> its CommonIndices */
  Map entries;      /* body -> Entry */
  Map replacements; /* tensor -> Entry.tensor or what it copies, for readers still to come */
} Sharing;

typedef struct IndexPool {
  const Index **items;
  int count, capacity;
} IndexPool;

/* The common variable of this range for the variable at `position`. */
static const Index *common_index(Sharing *s, const Extent *range, int position) {
  IndexPool *pool = map_get(&s->common, range);
  if (!pool) {
    pool = NEW(s->scratch, IndexPool);
    map_put(&s->common, range, pool);
  }
  while (pool->count <= position) {
    Name name = name_format(s->model->names, "i%d", pool->count);
    APPEND(s->scratch, pool, index_new(s->model, name, range));
  }
  return pool->items[position];
}

static const Expr *over_common(Sharing *s, const Equation *equation, const Expr *e) {
  int count = equation->var_count + equation->reduced_count;
  const Index **from = NEW_ARRAY(s->scratch, const Index *, count);
  const Expr **to = NEW_ARRAY(s->scratch, const Expr *, count);
  for (int i = 0; i < count; i++) {
    from[i] =
        i < equation->var_count ? equation->vars[i] : equation->reduced[i - equation->var_count];
    to[i] = expr_index(s->model->exprs, common_index(s, from[i]->range, i));
  }
  return e ? expr_substitute(s->model->exprs, s->scratch, e, from, to, count) : NULL;
}

static Shape shape_of(Sharing *s, const Equation *equation) {
  Shape shape;
  memset(&shape, 0, sizeof shape);
  shape.body = over_common(s, equation, equation->body);
  shape.guard = over_common(s, equation, equation->guard);
  shape.reduction = equation->reduction;
  shape.type = equation->target->type;
  shape.var_count = equation->var_count;
  shape.reduced_count = equation->reduced_count;
  shape.rank = equation->target->rank;
  for (int i = 0; i < equation->var_count; i++) shape.place[i] = equation->place[i];
  for (int i = 0; i < shape.rank; i++) shape.extents[i] = equation->target->axes[i].extent;
  return shape;
}

/* The first tensor with an equation of this shape: the one given when there is none yet. */
static const Tensor *find_equal(Sharing *s, const Shape *shape, const Tensor *tensor) {
  Entry *first = map_get(&s->entries, shape->body);
  for (Entry *entry = first; entry; entry = entry->next)
    if (memcmp(&entry->shape, shape, sizeof *shape) == 0) return entry->tensor;
  Entry *entry = NEW(s->scratch, Entry);
  *entry = (Entry){*shape, tensor, first};
  map_put(&s->entries, shape->body, entry);
  return tensor;
}

/* A read of another tensor at lone variables, each of the target's once at most: what a copy is. */
static bool is_copy(const Equation *equation) {
  const Expr *e = equation->body;
  if (equation->reduction != REDUCE_NONE || !is_read(e) || read_default(e)) return false;
  if (e->type != equation->target->type || equation->var_count != equation->target->rank)
    return false;
  for (int i = 0; i < e->count; i++) {
    const Index *index = lone_index(e->args[i]);
    if (!index || index->range != e->tensor->axes[i].extent) return false;
    for (int k = 0; k < i; k++)
      if (e->args[k] == e->args[i]) return false;
  }
  return e->tensor != equation->target;
}

/* What readers of a tensor read instead: another tensor, the same element or that of a copy. */
static const Expr *replace_read(void *context, const Expr *leaf) {
  Sharing *s = context;
  const Tensor *other = is_read(leaf) ? map_get(&s->replacements, leaf->tensor) : NULL;
  if (!other) return leaf;
  const Equation *copy = leaf->tensor->definition;
  if (!is_copy(copy) || copy->body->tensor != other)
    return expr_read(s->model->exprs, other, leaf->args, read_default(leaf));
  if (read_default(leaf)) return leaf;
  return expr_substitute(s->model->exprs, s->scratch, copy->body, copy->vars, leaf->args,
                         copy->var_count);
}

static const Expr *with_replacements(Sharing *s, const Expr *e) {
  return e ? expr_rewrite(s->model->exprs, s->scratch, e, replace_read, s) : NULL;
}

static bool is_drawn(const Equation *equation) {
  return equation->body->op == OP_UNIFORM || equation->body->op == OP_NORMAL;
}

/* A root that equals another tensor becomes a copy of it. */
static void make_copy(Sharing *s, Equation *equation, const Tensor *equal) {
  equation->body = equation_own_read(s->model, equation, equal);
  equation->reduction = REDUCE_NONE;
  equation->reduced_count = 0;
  equation->guard = NULL;
}

static void share_equation(Sharing *s, Equation *equation) {
  const Tensor *target = equation->target;
  equation->body = with_replacements(s, equation->body);
  equation->guard = with_replacements(s, equation->guard);
  if (is_drawn(equation)) return;
  if (is_copy(equation)) {
    if (!is_member(&s->roots, target))
      map_put(&s->replacements, target, (void *)(uintptr_t)equation->body->tensor);
    return;
  }
  Shape shape = shape_of(s, equation);
  const Tensor *equal = find_equal(s, &shape, target);
  if (equal == target) return;
  if (is_member(&s->roots, target))
    make_copy(s, equation, equal);
  else
    map_put(&s->replacements, target, (void *)(uintptr_t)equal);
}

/* Readers on a recurrence may have come before what they read. */
static void replace_everywhere(Sharing *s, Program *program) {
  for (int i = 0; i < program->equations.count; i++) {
    Equation *equation = program->equations.items[i];
    if (map_has(&s->replacements, equation->target)) continue;
    equation->body = with_replacements(s, equation->body);
    equation->guard = with_replacements(s, equation->guard);
  }
}

void share(Model *model, Program *program) {
  Sharing s = {.model = model, .scratch = arena_new()};
  s.roots = program_roots(model, program, s.scratch);
  map_init(&s.common, s.scratch);
  map_init(&s.entries, s.scratch);
  map_init(&s.replacements, s.scratch);
  EquationList order = program_in_order(model, program, s.scratch);
  for (int i = 0; i < order.count; i++) share_equation(&s, order.items[i]);
  if (s.replacements.count > 0) replace_everywhere(&s, program);
  arena_free(s.scratch);
  program_prune(model, program);
}
