/* Interleaving: the dim along which vectors are full lies innermost in memory.

     y[n in 64, k in 6, p, q] = ..   gives   y[k in 6, p, q, n in 64] = ..

   Vectors run along the last dim of what an equation defines. Where channels are few, as in the first layers of
   a convolutional network, or windows take every other number, as in pooling, vectors along them are mostly
   empty; those along the samples are full. The dims of one class (classes.h) move together, so that all values
   that have one keep to it; what the caller sees keeps its order, and an argument that products read is copied
   first. One class is chosen, by the work of all equations: the points of each over the share of the lanes that
   they fill.

   A sum over the class takes it innermost, too. So this comes before the order of sums is fixed. The steps of a
   scan are none, since they come one after the other; nor is the class of a scan with checkpoints moved, whose
   gradients add up step by step and could not in lanes. */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/classes.h"
#include "calculus/roots.h"
#include "calculus/steps.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"

/* Work in multiply-adds of one lane. */
#define POINT_COST 4.0     /* a point of an equation that is no contraction */
#define COPY_COST 32.0     /* a number of an argument that is copied */
#define BATCHED_SHARE 0.25 /* of the lanes, in products that share no number between them */
#define EMPTY_SHARE 0.0625 /* in numbers that do not lie beside each other */
#define LEAST_WORK 1e6     /* of a program: smaller ones stay as they are written */
#define WORTHWHILE 0.85    /* of the work as it is */

typedef struct Interleaver {
  Model *model;
  Arena *scratch;
  Program *program;
  Classes *classes;
  const Stepping *stepping;
  TensorSet roots;
  Map moved; /* Tensor * -> Tensor * that has the dim of the class last: itself, or a copy */
  int class; /* that is moved */
} Interleaver;

/* ---- work ---- */

static double range_of(const Index *index) {
  return (double)extent_maximum(index->range);
}

static double points_of(const Equation *equation) {
  double points = 1;
  for (int i = 0; i < equation->var_count; i++) points *= range_of(equation->vars[i]);
  for (int i = 0; i < equation->reduced_count; i++) points *= range_of(equation->reduced[i]);
  return points;
}

static double elements_of(const Tensor *tensor) {
  double elements = 1;
  for (int i = 0; i < tensor->rank; i++) elements *= (double)extent_maximum(tensor->axes[i].extent);
  return elements;
}

/* Of the lanes of vectors that take the values of a variable. */
static double share_of(const Index *index) {
  int64_t range = extent_maximum(index->range), vectors = (range + LANES - 1) / LANES;
  return (double)range / (double)(vectors * LANES);
}

/* As if no value had the class last, beside other dims: so a program that was moved already, as the comments of the C
   state it, is found as it was before. */
static int last_dim(const Interleaver *in, const Tensor *tensor) {
  int last = tensor->rank - 1;
  return last > 0 && class_dim(in->classes, tensor, in->class) == last ? last - 1 : last;
}

static const Index *last_variable(const Interleaver *in, const Index *const *variables, int count) {
  if (count == 0) return NULL;
  bool is_moved = count > 1 && class_along(in->classes, variables[count - 1]) == in->class;
  return variables[count - (is_moved ? 2 : 1)];
}

/* Every read that uses the index steps by one along it. */
static bool lies_along(Interleaver *in, const Equation *equation, const Index *index) {
  ExprList nodes = equation_nodes(in->scratch, equation);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    int64_t shift;
    if (!is_read(e) || !expr_uses_index(in->scratch, e, index)) continue;
    const Expr *last = e->args[last_dim(in, e->tensor)];
    if (shifted_index(in->model->exprs, in->scratch, last, &shift) != index) return false;
  }
  return true;
}

/* The greatest share along a variable of the target that one factor alone has, but for one variable. */
static double share_of_columns(Interleaver *in, const Equation *equation, const Index *but) {
  double greatest = EMPTY_SHARE;
  for (int i = 0; i < equation->var_count; i++) {
    const Index *index = equation->vars[i];
    if (index == but || !contraction_factor(in->scratch, equation, index)) continue;
    if (share_of(index) > greatest) greatest = share_of(index);
  }
  return greatest;
}

/* As it is; the variable of the class is no column. */
static double share_before(Interleaver *in, const Equation *equation, const Index *index) {
  if (equation_contracts(in->scratch, equation)) return share_of_columns(in, equation, index);
  const Index *last = last_variable(in, equation->vars, equation->var_count);
  if (last && lies_along(in, equation, last)) return share_of(last);
  last = last_variable(in, equation->reduced, equation->reduced_count);
  return last && lies_along(in, equation, last) ? share_of(last) : EMPTY_SHARE;
}

static bool is_reduced(const Equation *equation, const Index *index) {
  for (int i = 0; i < equation->reduced_count; i++)
    if (equation->reduced[i] == index) return true;
  return false;
}

/* With the class last. */
static double share_after(Interleaver *in, const Equation *equation, const Index *index) {
  if (!equation_contracts(in->scratch, equation)) return share_of(index);
  if (is_reduced(equation, index)) {
    if (contraction_is_narrow(in->scratch, equation)) return share_of(index);
    return share_of_columns(in, equation, index);
  }
  bool is_column = contraction_factor(in->scratch, equation, index) != NULL;
  return is_column ? share_of(index) : BATCHED_SHARE * share_of(index);
}

/* ---- which ---- */

static bool is_callers(const Tensor *tensor) {
  return tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
}

static bool counts_steps(const Interleaver *in, const Equation *equation, const Index *variable,
                         int class) {
  if (variable->steps && variable->steps->segment > 0) return true;
  return class_along(in->classes, variable) == class &&
         stepping_counts(in->stepping, equation, variable);
}

/* The class has steps, or stands beside those that checkpoints divide. */
static bool keeps_steps_apart(const Interleaver *in, int class) {
  for (int i = 0; i < in->program->equations.count; i++) {
    const Equation *equation = in->program->equations.items[i];
    if (!class_variable(in->classes, equation, class)) continue;
    for (int k = 0; k < equation->var_count; k++)
      if (counts_steps(in, equation, equation->vars[k], class)) return true;
  }
  return false;
}

/* All its tensors have one dim of it, wide enough for vectors, and are arguments or values. A program that only
   evaluates may be asked about one sample at a time. */
static bool may_be_last(const Interleaver *in, int class) {
  for (int i = 0; i < classes_tensor_count(in->classes); i++) {
    const Tensor *tensor = classes_tensor(in->classes, i);
    int dims = class_dims(in->classes, tensor, class), dim = class_dim(in->classes, tensor, class);
    int64_t size;
    if (dims == 0) continue;
    if (dims > 1 || (!is_callers(tensor) && !equation_of(tensor))) return false;
    const Extent *extent = tensor->axes[dim].extent;
    if (in->program == &in->model->eval && !extent_is_constant(extent, &size)) return false;
    if (extent_maximum(extent) < LANES) return false;
  }
  return true;
}

/* How many points run along each class. */
static double *points_along(Interleaver *in) {
  double *points = NEW_ARRAY(in->scratch, double, classes_count(in->classes) + 1);
  for (int i = 0; i < in->program->equations.count; i++) {
    const Equation *equation = in->program->equations.items[i];
    IndexList variables = equation_variables(in->scratch, equation);
    for (int k = 0; k < variables.count; k++) {
      int class = class_along(in->classes, variables.items[k]);
      if (class >= 0) points[class] += points_of(equation);
    }
  }
  return points;
}

/* The argument is a factor of the contraction. */
static bool is_factor(Interleaver *in, const Equation *equation, const Tensor *argument) {
  if (!equation_contracts(in->scratch, equation)) return false;
  const Expr *a = equation->body->args[0], *b = equation->body->args[1];
  return (is_read(a) && a->tensor == argument) || (is_read(b) && b->tensor == argument);
}

static bool has_to_be_copied(Interleaver *in, const Tensor *tensor) {
  if (!is_callers(tensor) || tensor->type != TYPE_REAL) return false;
  int dim = class_dim(in->classes, tensor, in->class);
  if (dim < 0 || dim == tensor->rank - 1) return false;
  for (int i = 0; i < in->program->equations.count; i++)
    if (is_factor(in, in->program->equations.items[i], tensor)) return true;
  return false;
}

typedef struct Work {
  double before, after;
} Work;

static Work work_of(Interleaver *in) {
  Work work = {0};
  for (int i = 0; i < in->program->equations.count; i++) {
    const Equation *equation = in->program->equations.items[i];
    const Index *index = class_variable(in->classes, equation, in->class);
    bool contracts = equation_contracts(in->scratch, equation);
    double points = points_of(equation) * (contracts ? 1 : POINT_COST);
    double share = share_before(in, equation, index);
    work.before += points / share;
    work.after += points / (index ? share_after(in, equation, index) : share);
  }
  for (int i = 0; i < classes_tensor_count(in->classes); i++) {
    const Tensor *tensor = classes_tensor(in->classes, i);
    if (has_to_be_copied(in, tensor)) work.after += COPY_COST * elements_of(tensor);
  }
  return work;
}

/* The class with the least work of those that many points run along, which are few; -1: as it is. */
static int choose_class(Interleaver *in) {
  const double *points = points_along(in);
  double most = 0, least = 0;
  int chosen = -1;
  for (int class = 0; class < classes_count(in->classes); class ++)
    if (points[class] > most) most = points[class];
  for (int class = 0; class < classes_count(in->classes); class ++) {
    if (points[class] == 0 || points[class] < most / 2) continue;
    if (!may_be_last(in, class) || keeps_steps_apart(in, class)) continue;
    in->class = class;
    Work work = work_of(in);
    if (work.before < LEAST_WORK || work.after > WORTHWHILE * work.before) continue;
    if (chosen >= 0 && work.after >= least) continue;
    chosen = class;
    least = work.after;
  }
  return chosen;
}

/* ---- moving ---- */

/* Where the one that comes to `position` of `count` was, when `last` goes to the end. */
static int position_before(int position, int last, int count) {
  if (position == count - 1) return last;
  return position < last ? position : position + 1;
}

/* Another dim of it is last now. */
static int dim_to_move(const Interleaver *in, const Tensor *tensor) {
  const Equation *equation = equation_of(tensor);
  if (!equation || is_draw(equation->body) || is_member(&in->roots, tensor)) return -1;
  int dim = class_dim(in->classes, tensor, in->class);
  return dim == tensor->rank - 1 ? -1 : dim;
}

static void move_axes(Tensor *tensor, int dim) {
  Axis axes[LIMIT_RANK];
  for (int i = 0; i < tensor->rank; i++)
    axes[i] = tensor->axes[position_before(i, dim, tensor->rank)];
  for (int i = 0; i < tensor->rank; i++) tensor->axes[i] = axes[i];
}

/* The variables of the target follow its dims. */
static void move_variables(Interleaver *in, Equation *equation, int dim) {
  int rank = equation->target->rank, count = 0;
  int place[LIMIT_RANK];
  const Index **vars = NEW_ARRAY(in->model->arena, const Index *, equation->var_count);
  for (int to = 0; to < rank; to++)
    for (int k = 0; k < equation->var_count; k++) {
      if (equation->place[k] != position_before(to, dim, rank)) continue;
      vars[count] = equation->vars[k];
      place[count++] = to;
    }
  for (int k = 0; k < count; k++) equation->place[k] = place[k];
  equation->vars = vars;
}

/* copy[rest.., n] = argument[.., n, ..] */
static Equation *equation_copying(Interleaver *in, const Tensor *argument, int dim) {
  Model *model = in->model;
  int rank = argument->rank;
  Axis axes[LIMIT_RANK] = {{0}};
  const Index *vars[LIMIT_RANK], *own[LIMIT_RANK];
  for (int i = 0; i < rank; i++) {
    own[i] = index_new(model, name_format(model->names, "i%d", i), argument->axes[i].extent);
  }
  for (int i = 0; i < rank; i++) {
    int from = position_before(i, dim, rank);
    vars[i] = own[from];
    axes[i].extent = argument->axes[from].extent;
  }
  Name wanted = name_format(model->names, "%s.interleaved", argument->name);
  Tensor *copy =
      tensor_new(model, &in->program->tensors, program_unique_name(model, in->program, wanted),
                 ROLE_VALUE, TYPE_REAL, axes, rank);
  return equation_new(model, in->program, copy, vars, tensor_read(model, argument, own));
}

static void move_values(Interleaver *in) {
  for (int i = 0; i < classes_tensor_count(in->classes); i++) {
    const Tensor *tensor = classes_tensor(in->classes, i);
    int dim = dim_to_move(in, tensor);
    if (dim < 0) continue;
    Tensor *value = tensor->definition->target;
    move_axes(value, dim);
    move_variables(in, value->definition, dim);
    map_put(&in->moved, value, value);
  }
}

static const Expr *read_moved(void *context, const Expr *leaf) {
  Interleaver *in = context;
  const Tensor *moved = is_read(leaf) ? map_get(&in->moved, leaf->tensor) : NULL;
  if (!moved) return leaf;
  const Expr *subscripts[LIMIT_RANK];
  int dim = class_dim(in->classes, leaf->tensor, in->class);
  for (int i = 0; i < moved->rank; i++)
    subscripts[i] = leaf->args[position_before(i, dim, moved->rank)];
  return expr_read(in->model->exprs, moved, subscripts, read_default(leaf));
}

/* A sum takes the class innermost. */
static void move_reduced(Interleaver *in, Equation *equation) {
  const Index *index = class_variable(in->classes, equation, in->class);
  if (equation->reduction != REDUCE_SUM || !index || !is_reduced(equation, index)) return;
  const Index **reduced = NEW_ARRAY(in->model->arena, const Index *, equation->reduced_count);
  int count = 0;
  for (int i = 0; i < equation->reduced_count; i++)
    if (equation->reduced[i] != index) reduced[count++] = equation->reduced[i];
  reduced[count] = index;
  equation->reduced = reduced;
}

static void move_reads(Interleaver *in, Equation *equation) {
  ExprTable *exprs = in->model->exprs;
  equation->body = expr_rewrite(exprs, in->scratch, equation->body, read_moved, in);
  if (equation->guard)
    equation->guard = expr_rewrite(exprs, in->scratch, equation->guard, read_moved, in);
}

static void move_class(Interleaver *in) {
  int count = in->program->equations.count;
  for (int i = 0; i < classes_tensor_count(in->classes); i++) {
    const Tensor *tensor = classes_tensor(in->classes, i);
    if (!has_to_be_copied(in, tensor)) continue;
    int dim = class_dim(in->classes, tensor, in->class);
    map_put(&in->moved, tensor, equation_copying(in, tensor, dim)->target);
  }
  move_values(in);
  for (int i = 0; i < count; i++) {
    move_reduced(in, in->program->equations.items[i]);
    move_reads(in, in->program->equations.items[i]);
  }
}

void interleave(Model *model, Program *program) {
  Interleaver in = {.model = model, .scratch = arena_new(), .program = program};
  in.classes = classes_of(in.scratch, &program->equations);
  in.stepping = stepping_new(model, in.scratch, program);
  in.roots = program_roots(model, program, in.scratch);
  map_init(&in.moved, in.scratch);
  in.class = choose_class(&in);
  if (in.class >= 0) move_class(&in);
  arena_free(in.scratch);
}
