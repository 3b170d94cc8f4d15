/* Sharing: equal equations become one.

   Equations are equal when they are the same but for the names of their variables: each is rewritten
   over common variables, by position, the operands of sums and products in one order, and as expressions
   are hash-consed the results are compared by pointer. What is read comes before its readers, so equality spreads
   upwards in one pass. A tensor that only copies another, or in a recurrence what it was some steps before, is
   replaced by it, too. Draws are never shared: each has a site of its own. */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/arithmetic.h"
#include "calculus/common.h"
#include "calculus/roots.h"
#include "calculus/steps.h"
#include "calculus/variables.h"
#include "equations/affine.h"

/* An equation over common variables. */
typedef struct Shape {
  const Expr *body, *guard;
  const Index **reduced; /* of the equation: their ranges count also where nothing uses them */
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
  const Program *program;
  Arena *scratch;
  const Stepping *stepping;
  TensorSet roots;
  CommonVariables common;
  Map entries; /* body -> Entry */
  Map equals;  /* tensor -> the equal one that stands for it */
  Map copies;  /* tensors that copy another or a number */
} Sharing;

static const Expr *over_variables(Sharing *s, const Equation *equation, const Expr *e) {
  IndexList variables = equation_variables(s->scratch, equation);
  return over_common(&s->common, e, variables.items, variables.count);
}

static bool is_commutative(const Expr *e) {
  return e->count == 2 && (e->op == OP_ADD || e->op == OP_MUL);
}

/* Operands of sums and products in order of creation: a*b and b*a have the same bits. */
static const Expr *in_one_order(Sharing *s, const Expr *root) {
  Map done;
  map_init(&done, s->scratch);
  ExprList nodes = root ? expr_postorder(s->scratch, &root, 1) : (ExprList){0};
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i], *args[LIMIT_RANK + 1] = {0}, *made = e;
    for (int k = 0; k < e->count; k++) args[k] = map_get(&done, e->args[k]);
    if (is_commutative(e) && args[0]->id > args[1]->id)
      made = expr_binary(s->model->exprs, e->op, args[1], args[0]);
    else if (e->count > 0 && !is_read(e))
      made = expr_make(s->model->exprs, e->op, args, e->count);
    map_put(&done, e, (void *)made);
  }
  return root ? map_get(&done, root) : NULL;
}

static Shape shape_of(Sharing *s, const Equation *equation) {
  Shape shape = {.guard = NULL};
  shape.body = in_one_order(s, over_variables(s, equation, equation->body));
  shape.guard = over_variables(s, equation, equation->guard);
  shape.reduced = equation->reduced;
  shape.reduction = equation->reduction;
  shape.type = equation->target->type;
  shape.var_count = equation->var_count;
  shape.reduced_count = equation->reduced_count;
  shape.rank = equation->target->rank;
  for (int i = 0; i < equation->var_count; i++) shape.place[i] = equation->place[i];
  for (int i = 0; i < shape.rank; i++) shape.extents[i] = equation->target->axes[i].extent;
  return shape;
}

static bool is_same_shape(const Shape *a, const Shape *b) {
  bool same = a->body == b->body && a->guard == b->guard && a->reduction == b->reduction &&
              a->type == b->type && a->var_count == b->var_count && a->rank == b->rank &&
              a->reduced_count == b->reduced_count;
  for (int i = 0; same && i < a->var_count; i++) same = a->place[i] == b->place[i];
  for (int i = 0; same && i < a->reduced_count; i++)
    same = a->reduced[i]->range == b->reduced[i]->range;
  for (int i = 0; same && i < a->rank; i++) same = a->extents[i] == b->extents[i];
  return same;
}

/* The first tensor with an equation of this shape: the one given when there is none yet. */
static const Tensor *find_equal(Sharing *s, const Shape *shape, const Tensor *tensor) {
  Entry *first = map_get(&s->entries, shape->body);
  for (Entry *entry = first; entry; entry = entry->next)
    if (is_same_shape(&entry->shape, shape)) return entry->tensor;
  Entry *entry = NEW(s->scratch, Entry);
  *entry = (Entry){*shape, tensor, first};
  map_put(&s->entries, shape->body, entry);
  return tensor;
}

/* A number, or a whole one of sizes alone. */
static bool is_known_number(Arena *scratch, const Expr *e) {
  if (e->op == OP_NUMBER) return true;
  if (e->type != TYPE_INT) return false;
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) || nodes.items[i]->op == OP_INDEX) return false;
  return true;
}

/* The subscript is a variable that runs over all of the dim, or such a variable some steps away. */
static bool is_whole_dim(Sharing *s, const Expr *read, int dim, bool may_step) {
  int64_t shift = 0;
  const Index *index = shifted_index(s->model->exprs, s->scratch, read->args[dim], &shift);
  return index && index->range == read->tensor->axes[dim].extent && (shift == 0 || may_step);
}

/* A number that is known, or a read of another tensor at lone variables, each once at most: it can stand
   where the target is read. So can a state of a step before, which is 0 before the first. */
static bool is_copy(Sharing *s, const Equation *equation) {
  const Expr *e = equation->body;
  if (equation->reduction != REDUCE_NONE || equation->var_count != equation->target->rank)
    return false;
  if (is_known_number(s->scratch, e)) return true;
  if (!is_read(e) || e->type != equation->target->type) return false;
  if (read_default(e) && !is_literal(read_default(e), 0)) return false;
  bool may_step = read_default(e) && stepping_joins(s->stepping, equation->target, e->tensor);
  for (int i = 0; i < read_rank(e); i++) {
    if (!is_whole_dim(s, e, i, may_step)) return false;
    for (int k = 0; k < i; k++)
      if (e->args[k] == e->args[i]) return false;
  }
  return e->tensor != equation->target;
}

/* What it copies ends where it ends: all its dims are those of the other, in some order. */
static bool ends_alike(const Equation *copy) {
  const Expr *e = copy->body;
  return is_read(e) && !read_default(e) && read_rank(e) == copy->var_count;
}

/* What readers of a tensor read instead: the same element of an equal tensor, or what it copies. */
static const Expr *replace_read(void *context, const Expr *leaf) {
  Sharing *s = context;
  if (!is_read(leaf)) return leaf;
  const Tensor *equal = map_get(&s->equals, leaf->tensor);
  if (equal) return expr_read(s->model->exprs, equal, leaf->args, read_default(leaf));
  if (!map_has(&s->copies, leaf->tensor)) return leaf;
  const Equation *copy = leaf->tensor->definition;
  const Expr *otherwise = read_default(leaf);
  if (otherwise && !ends_alike(copy)) return leaf;
  const Expr *copied = equation_at_read(s->model, s->scratch, copy, leaf, copy->body);
  return otherwise ? expr_read(s->model->exprs, copied->tensor, copied->args, otherwise) : copied;
}

static const Expr *with_replacements(Sharing *s, const Expr *e) {
  return e ? expr_rewrite(s->model->exprs, s->scratch, e, replace_read, s) : NULL;
}

/* A root whose sum another tensor has becomes a copy of it. */
static void make_copy(Sharing *s, Equation *equation, const Tensor *equal) {
  equation->body = equation_own_read(s->model, equation, equal);
  equation->reduction = REDUCE_NONE;
  equation->reduced_count = 0;
  equation->guard = NULL;
}

/* 1*x is x, as where a state is to be kept whole. */
static const Expr *without_one(const Expr *e) {
  for (int k = 0; k < 2 && e->op == OP_MUL; k++)
    if (is_literal(e->args[k], 1) && is_read(e->args[1 - k])) return e->args[1 - k];
  return e;
}

static void share_equation(Sharing *s, Equation *equation) {
  const Tensor *target = equation->target;
  equation->body = without_one(with_replacements(s, equation->body));
  equation->guard = with_replacements(s, equation->guard);
  if (is_draw(equation->body) || is_held(s->program, target)) return;
  if (is_copy(s, equation)) {
    if (!is_member(&s->roots, target)) map_put(&s->copies, target, NULL);
    return;
  }
  Shape shape = shape_of(s, equation);
  const Tensor *equal = find_equal(s, &shape, target);
  if (equal == target) return;
  if (!is_member(&s->roots, target))
    map_put(&s->equals, target, (void *)equal);
  else if (equation->reduction != REDUCE_NONE)
    make_copy(s, equation, equal);
}

/* Readers on a recurrence may have come before what they read. */
static void replace_everywhere(Sharing *s, Program *program) {
  for (int i = 0; i < program->equations.count; i++) {
    Equation *equation = program->equations.items[i];
    if (map_has(&s->equals, equation->target) || map_has(&s->copies, equation->target)) continue;
    equation->body = with_replacements(s, equation->body);
    equation->guard = with_replacements(s, equation->guard);
  }
}

void share(Model *model, Program *program) {
  Sharing s = {.model = model, .program = program, .scratch = arena_new()};
  s.stepping = stepping_new(model, s.scratch, program);
  s.roots = program_roots(model, program, s.scratch);
  common_open(&s.common, model, s.scratch);
  map_init(&s.entries, s.scratch);
  map_init(&s.equals, s.scratch);
  map_init(&s.copies, s.scratch);
  EquationList order = program_in_order(model, program, s.scratch);
  for (int i = 0; i < order.count; i++) share_equation(&s, order.items[i]);
  if (s.equals.count + s.copies.count > 0) replace_everywhere(&s, program);
  arena_free(s.scratch);
  program_prune(model, program);
}
