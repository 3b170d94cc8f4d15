/* Filling: rows of a length known at run time are filled up to whole rounds of lanes.

     z[k, n in N] = sum[i](a[i, n]*W[i, k])   gives   z[k, n in 16*((N + 15)//16)] = the same sum

   Where samples lie side by side, vectors run along them, and a batch of run time would leave a rest to each loop.
   So all values that have such a dim, which is the last of each, have some elements more, up to the next multiple of
   16, and compute these, too, from zeros where what the caller gives ends. Sums over the samples leave them out, so
   no bit of any result changes; they cost no more than the vectors that the last samples need. */
#include "calculus/classes.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"
#include "loops/layout.h"

typedef struct Filler {
  Routine *routine;
  Arena *scratch;
  const Classes *classes;
  bool *tried;                 /* of each class */
  int class;                   /* of the dims to fill, */
  const Extent *range, *whole; /* of so many elements, and then */
  Map members;                 /* Tensor * -> Tensor * with filled rows */
} Filler;

const Extent *extent_filled(Model *model, const Extent *range) {
  const Extent *more = extent_constant(model->extents, LANES - 1);
  return whole_multiple(model, extent_add(model->extents, range, more), LANES);
}

/* ---- which values ---- */

static bool is_member(const Filler *f, const Tensor *tensor) {
  return map_has(&f->members, tensor);
}

/* Computed here, for no one else. */
static bool is_own_value(const Filler *f, const Tensor *tensor) {
  return tensor->role == ROLE_VALUE && tensor->definition && !is_draw(tensor->definition->body) &&
         !map_has(&f->routine->roots, tensor);
}

static bool is_stepped(const Routine *routine, const Tensor *tensor) {
  return map_has(&routine->recurrences, tensor) || map_has(&routine->segments, tensor);
}

/* The only dim of the class is the last, and of the length. */
static bool has_rows(const Filler *f, const Tensor *tensor) {
  return class_dim(f->classes, tensor, f->class) == tensor->rank - 1 &&
         tensor->axes[tensor->rank - 1].extent == f->range;
}

/* What keeps its order for the caller, as outputs do, is read as his arguments are. */
static bool may_stay(const Filler *f, const Tensor *tensor) {
  int dim = class_dim(f->classes, tensor, f->class);
  return dim >= 0 && dim < tensor->rank - 1 && tensor->definition->reduction == REDUCE_NONE;
}

/* All values of the class are members, or stay as they are; false: some can be neither. */
static bool find_members(Filler *f) {
  map_init(&f->members, f->scratch);
  for (int i = 0; i < classes_tensor_count(f->classes); i++) {
    const Tensor *tensor = classes_tensor(f->classes, i);
    if (class_dims(f->classes, tensor, f->class) == 0 || !is_own_value(f, tensor)) continue;
    if (is_stepped(f->routine, tensor)) return false;
    if (has_rows(f, tensor))
      map_put(&f->members, tensor, (void *)tensor);
    else if (!may_stay(f, tensor))
      return false;
  }
  return true;
}

/* Values at which something is read: those of the caller become 0, a place of an extreme is one of its reduction. What
   else is computed where the column goes on may be no place. */
static bool gives_places(const Filler *f, const Expr *subscript) {
  if (!is_read(subscript) || !is_member(f, subscript->tensor)) return is_read(subscript);
  Reduction reduction = subscript->tensor->definition->reduction;
  return reduction == REDUCE_ARGMAX || reduction == REDUCE_ARGMIN;
}

/* A value is read along its rows. Else what is read lies along the column or at what was read there: any other
   subscript may be outside where the column goes on. */
static bool admits_read(const Filler *f, const Expr *read, const Index *column) {
  int rank = read_rank(read), others = rank;
  if (is_member(f, read->tensor)) {
    const Index *last = lone_index(read->args[--others]);
    if (!last || last->range != f->range) return false;
  }
  for (int dim = 0; column && dim < others; dim++) {
    const Expr *subscript = read->args[dim];
    bool is_plain = gives_places(f, subscript) || lone_index(subscript) == column;
    if (!is_plain && expr_uses_index(f->scratch, subscript, column)) return false;
  }
  return true;
}

/* The last variable of a member, which alone addresses its rows; null: there is none. */
static const Index *column_of(const Equation *equation) {
  const Index *column = equation->vars[equation->var_count - 1];
  return equation_dim_of(equation, column) >= 0 ? column : NULL;
}

/* Factors of products are contiguous rows. */
static bool admits_factors(const Filler *f, const Equation *equation, const Index *column) {
  if (!equation_contracts(f->scratch, equation)) return true;
  for (int i = 0; i < 2; i++) {
    const Expr *factor = equation->body->args[i];
    if (!expr_uses_index(f->scratch, factor, column)) continue;
    if (!is_read(factor) || !is_member(f, factor->tensor)) return false;
  }
  return true;
}

static bool admits_equation(const Filler *f, const Equation *equation) {
  const Index *column = NULL;
  if (is_member(f, equation->target)) {
    column = column_of(equation);
    if (!column || !admits_factors(f, equation, column)) return false;
  }
  ExprList reads = equation_reads(f->scratch, equation);
  for (int i = 0; i < reads.count; i++)
    if (!admits_read(f, reads.items[i], column)) return false;
  return true;
}

/* ---- with filled rows ---- */

static Tensor *tensor_filled(const Filler *f, const Tensor *tensor) {
  Tensor *filled = arena_copy(f->routine->model->arena, tensor, sizeof *tensor);
  filled->id = f->routine->model->next_tensor++;
  filled->axes[tensor->rank - 1].extent = f->whole;
  return filled;
}

static const Expr *read_filled(void *context, const Expr *leaf) {
  const Filler *f = context;
  const Tensor *filled = is_read(leaf) ? map_get(&f->members, leaf->tensor) : NULL;
  if (!filled) return leaf;
  return expr_read(f->routine->model->exprs, filled, leaf->args, read_default(leaf));
}

/* An expression along the column that becomes one of the filled row. */
typedef struct Fill {
  Model *model;
  const Index *column;
  const Extent *whole;
} Fill;

static const Expr *read_bounded(void *context, const Expr *leaf) {
  const Fill *fill = context;
  if (!is_read(leaf) || read_default(leaf)) return leaf;
  ValueType type = leaf->tensor->type;
  for (int dim = 0; dim < leaf->tensor->rank; dim++) {
    if (lone_index(leaf->args[dim]) != fill->column) continue;
    if (leaf->tensor->axes[dim].extent == fill->whole) continue;
    Reduction reduction = type == TYPE_BOOL ? REDUCE_ANY : REDUCE_SUM;
    return expr_read(fill->model->exprs, leaf->tensor, leaf->args,
                     reduction_identity(fill->model, reduction, type));
  }
  return leaf;
}

static const Expr *along_filled(const Filler *f, Fill *fill, const Expr *e, const Index *column) {
  ExprTable *exprs = fill->model->exprs;
  if (!e) return NULL;
  e = expr_rewrite(exprs, f->scratch, e, read_filled, (void *)f);
  if (!column) return e;
  const Expr *value = expr_index(exprs, fill->column);
  e = expr_substitute(exprs, f->scratch, e, &column, &value, 1);
  return expr_rewrite(exprs, f->scratch, e, read_bounded, fill);
}

static Equation *equation_filled(const Filler *f, Equation *equation) {
  Model *model = f->routine->model;
  if (!equation_touches(f->scratch, equation, &f->members)) return equation;
  Equation *filled = arena_copy(model->arena, equation, sizeof *equation);
  const Index *column = NULL;
  Fill fill = {.model = model, .whole = f->whole};
  if (is_member(f, equation->target)) {
    int count = equation->var_count;
    column = equation->vars[count - 1];
    fill.column = index_new(model, column->name, f->whole);
    filled->vars = arena_copy(model->arena, equation->vars, (size_t)count * sizeof *filled->vars);
    filled->vars[count - 1] = fill.column;
    filled->target = map_get(&f->members, equation->target);
    filled->target->definition = filled;
  }
  filled->body = along_filled(f, &fill, equation->body, column);
  filled->guard = along_filled(f, &fill, equation->guard, column);
  map_put(&f->routine->sources, filled, equation_source(f->routine, equation));
  return filled;
}

static void fill_members(Filler *f) {
  Routine *routine = f->routine;
  for (int i = 0; i < f->members.count; i++)
    f->members.values[i] = tensor_filled(f, f->members.keys[i]);
  EquationList equations = {0};
  for (int i = 0; i < routine->equations.count; i++)
    APPEND(routine->model->arena, &equations, equation_filled(f, routine->equations.items[i]));
  routine->equations = equations;
}

/* ---- where to begin ---- */

/* A product whose vectors run along a dim of run time that is long enough for them. */
static bool finds_rows(Filler *f, const Equation *equation) {
  int64_t constant;
  if (equation->var_count == 0 || !equation_contracts(f->scratch, equation)) return false;
  const Index *column = equation->vars[equation->var_count - 1];
  f->range = column->range;
  f->class = class_along(f->classes, column);
  if (extent_is_constant(f->range, &constant) || extent_maximum(f->range) < LANES) return false;
  if (f->class < 0 || f->tried[f->class]) return false;
  f->whole = extent_filled(f->routine->model, f->range);
  return f->whole != f->range;
}

static bool may_fill(Filler *f) {
  if (!find_members(f) || f->members.count == 0) return false;
  for (int i = 0; i < f->routine->equations.count; i++)
    if (!admits_equation(f, f->routine->equations.items[i])) return false;
  return true;
}

void routine_fill(Routine *routine) {
  if (routine->target->vector_bytes == 0) return;
  Filler filler = {.routine = routine, .scratch = arena_new()};
  filler.classes = classes_of(filler.scratch, &routine->equations);
  filler.tried = NEW_ARRAY(filler.scratch, bool, classes_count(filler.classes) + 1);
  for (int i = 0; i < routine->equations.count; i++) {
    if (!finds_rows(&filler, routine->equations.items[i])) continue;
    filler.tried[filler.class] = true;
    if (may_fill(&filler)) fill_members(&filler);
  }
  arena_free(filler.scratch);
}
