/* Equations: builders of models, tensors and equations in normal form. */
#include "equations/equation.h"

#include "equations/affine.h"
#include "equations/name_table.h"

#include <math.h>
#include <string.h>

static Storage storage_of(ValueType type) {
  switch (type) {
  case TYPE_BOOL: return STORE_BOOL;
  case TYPE_INT: return STORE_I32;
  case TYPE_F64: return STORE_F64;
  default: return STORE_REAL;
  }
}

Model *model_new(Arena *arena, Names *names, Diagnostics *diagnostics, Name name) {
  Model *model = NEW(arena, Model);
  model->name = name;
  model->arena = arena;
  model->names = names;
  model->diagnostics = diagnostics;
  model->extents = extent_table_new(arena);
  model->exprs = expr_table_new(arena, model->extents);
  model->taken = name_table_new(arena);
  model->init.taken = name_table_new(arena);
  model->train.taken = name_table_new(arena);
  model->eval.taken = name_table_new(arena);
  model->step_number =
      tensor_new(model, &model->tensors, name_of(names, "step"), ROLE_STEP, TYPE_F64, NULL, 0);
  return model;
}

Tensor *tensor_new(Model *model, TensorList *list, Name name, Role role, ValueType type,
                   const Axis *axes, int rank) {
  Tensor *tensor = NEW(model->arena, Tensor);
  if (rank > LIMIT_RANK) bug("tensor '%s' of rank %d", name, rank);
  tensor->name = name;
  tensor->role = role;
  tensor->type = type;
  tensor->storage = storage_of(type);
  tensor->rank = rank;
  if (rank > 0) memcpy(tensor->axes, axes, (size_t)rank * sizeof *axes);
  tensor->id = model->next_tensor++;
  APPEND(model->arena, list, tensor);
  return tensor;
}

Index *index_new(Model *model, Name name, const Extent *range) {
  Index *index = NEW(model->arena, Index);
  *index = (Index){name, range, model->next_index++, NULL};
  return index;
}

Index *index_like(Model *model, Name name, const Index *like) {
  Index *index = index_new(model, name, like->range);
  index->steps = like->steps;
  return index;
}

/* Numbers take the type of the tensor that holds them. */
static const Expr *convert_body(Model *model, ValueType type, const Expr *body) {
  bool narrow = body->type == TYPE_INT || (body->type == TYPE_F64 && type == TYPE_REAL);
  if (type != TYPE_REAL && type != TYPE_F64) return body;
  return narrow ? expr_unary(model->exprs, OP_REAL, body) : body;
}

Equation *equation_new(Model *model, Program *program, Tensor *target, const Index *const *vars,
                       const Expr *body) {
  Equation *equation = NEW(model->arena, Equation);
  equation->target = target;
  equation->var_count = target->rank;
  if (target->rank > 0) {
    equation->vars = arena_copy(model->arena, vars, (size_t)target->rank * sizeof(Index *));
  }
  for (int i = 0; i < target->rank; i++) equation->place[i] = i;
  equation->body = convert_body(model, target->type, body);
  target->definition = equation;
  APPEND(model->arena, &program->equations, equation);
  return equation;
}

bool tensor_has_tag(const Tensor *tensor, Name tag) {
  for (int i = 0; i < tensor->tag_count; i++) {
    if (tensor->tags[i] == tag) return true;
  }
  return false;
}

bool tensor_is_scalar(const Tensor *tensor) {
  return tensor->rank == 0;
}

bool tensor_is_empty(const Tensor *tensor) {
  for (int dim = 0; dim < tensor->rank; dim++) {
    if (extent_is_zero(tensor->axes[dim].extent)) return true;
  }
  return false;
}

bool equation_reduces_nothing(const Equation *equation) {
  for (int i = 0; i < equation->reduced_count; i++) {
    if (extent_is_zero(equation->reduced[i]->range)) return true;
  }
  return false;
}

const Expr *tensor_read(Model *model, const Tensor *tensor, const Index *const *vars) {
  const Expr *subscripts[LIMIT_RANK];
  for (int i = 0; i < tensor->rank; i++) subscripts[i] = expr_index(model->exprs, vars[i]);
  return expr_read(model->exprs, tensor, subscripts, NULL);
}

uint32_t site_of(const char *path) {
  uint32_t hash = 2166136261u;
  for (const char *c = path; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
  return hash;
}

const char *reduction_name(Reduction reduction) {
  static const char *const names[] = {"none", "sum",    "prod",   "max", "min",
                                      "lse",  "argmax", "argmin", "any", "all"};
  return names[reduction];
}

/* Type of `reduce(body)`. */
static ValueType reduced_type(Reduction reduction, ValueType body) {
  switch (reduction) {
  case REDUCE_ARGMAX:
  case REDUCE_ARGMIN: return TYPE_INT;
  case REDUCE_ANY:
  case REDUCE_ALL: return TYPE_BOOL;
  case REDUCE_LSE: return body == TYPE_F64 ? TYPE_F64 : TYPE_REAL;
  default: return body == TYPE_NUMBER ? TYPE_REAL : body;
  }
}

const Expr *reduction_identity(Model *model, Reduction reduction, ValueType type) {
  ExprTable *exprs = model->exprs;
  bool whole = type == TYPE_INT;
  switch (reduction) {
  case REDUCE_PROD: return whole ? expr_integer(exprs, 1) : expr_number(exprs, 1);
  case REDUCE_MAX: return whole ? expr_integer(exprs, INT32_MIN) : expr_number(exprs, -INFINITY);
  case REDUCE_MIN: return whole ? expr_integer(exprs, INT32_MAX) : expr_number(exprs, INFINITY);
  case REDUCE_ANY: return expr_false(exprs);
  case REDUCE_ALL: return expr_true(exprs);
  default: return whole ? expr_integer(exprs, 0) : expr_number(exprs, 0);
  }
}

static bool is_among(const Index *index, const Index *const *list, int count) {
  for (int i = 0; i < count; i++) {
    if (list[i] == index) return true;
  }
  return false;
}

/* The variables of a hoisted equation: `from` of the old one, `to` of the new. */
typedef struct Hoist {
  const Index *const *reduced;
  int reduced_count;
  IndexList free;           /* used by body and guard but not reduced */
  const Index **from, **to; /* the free ones, then the reduced */
  int count;
} Hoist;

static void rename_index(Model *model, Hoist *hoist, const Index *index) {
  hoist->from[hoist->count] = index;
  hoist->to[hoist->count++] = index_like(model, index->name, index);
}

static Hoist rename_indices(Model *model, Arena *scratch, const Index *const *reduced,
                            int reduced_count, const Expr *guard, const Expr *body) {
  Hoist hoist = {.reduced = reduced, .reduced_count = reduced_count};
  IndexList used = {0};
  expr_indices(scratch, body, &used);
  if (guard) expr_indices(scratch, guard, &used);
  for (int i = 0; i < used.count; i++) {
    if (!is_among(used.items[i], reduced, reduced_count)) {
      APPEND(scratch, &hoist.free, used.items[i]);
    }
  }
  int count = hoist.free.count + reduced_count;
  hoist.from = NEW_ARRAY(model->arena, const Index *, count + 1);
  hoist.to = NEW_ARRAY(model->arena, const Index *, count + 1);
  for (int i = 0; i < hoist.free.count; i++) rename_index(model, &hoist, hoist.free.items[i]);
  for (int i = 0; i < reduced_count; i++) rename_index(model, &hoist, reduced[i]);
  return hoist;
}

static const Expr *rename_expr(Model *model, Arena *scratch, const Hoist *hoist, const Expr *e) {
  const Expr **values = NEW_ARRAY(scratch, const Expr *, hoist->count + 1);
  for (int i = 0; i < hoist->count; i++) values[i] = expr_index(model->exprs, hoist->to[i]);
  return expr_substitute(model->exprs, scratch, e, hoist->from, values, hoist->count);
}

void equation_bound_values(Model *model, const Equation *equation) {
  Tensor *tensor = equation->target;
  const Extent *one = extent_constant(model->extents, 1);
  if (tensor->type != TYPE_INT) return;
  if (equation->reduction == REDUCE_ARGMAX || equation->reduction == REDUCE_ARGMIN) {
    const Extent *size = one;
    for (int i = 0; i < equation->reduced_count; i++) {
      size = extent_multiply(model->extents, size, equation->reduced[i]->range);
    }
    tensor->low = extent_constant(model->extents, 0);
    tensor->high = size;
    return;
  }
  bool kept = equation->reduction == REDUCE_NONE || equation->reduction == REDUCE_MAX ||
              equation->reduction == REDUCE_MIN;
  if (!kept || equation->guard || equation_reduces_nothing(equation)) return;
  Affine affine = affine_of(model->exprs, model->arena, equation->body);
  Bounds bounds = affine_bounds(model->exprs, model->arena, &affine);
  if (!bounds.low || !bounds.high) return;
  tensor->low = bounds.low;
  tensor->high = extent_add(model->extents, bounds.high, one);
}

static Tensor *hoisted_tensor(Model *model, Program *program, Name name, const Hoist *hoist,
                              ValueType type, Span span) {
  Axis axes[LIMIT_RANK];
  for (int i = 0; i < hoist->free.count; i++) {
    axes[i] = (Axis){.extent = hoist->free.items[i]->range, .origin = span};
  }
  Name unique = program_unique_name(model, program, name);
  Tensor *tensor =
      tensor_new(model, &program->tensors, unique, ROLE_VALUE, type, axes, hoist->free.count);
  tensor->origin = span;
  return tensor;
}

static const Expr *hoist_into(Model *model, Program *program, Arena *scratch, Tensor *tensor,
                              const Hoist *hoist, const Equation *wanted) {
  const Expr *body = rename_expr(model, scratch, hoist, wanted->body);
  Equation *equation = equation_new(model, program, tensor, hoist->to, body);
  equation->reduction = wanted->reduction;
  equation->reduced = hoist->to + hoist->free.count;
  equation->reduced_count = hoist->reduced_count;
  equation->guard = wanted->guard ? rename_expr(model, scratch, hoist, wanted->guard) : NULL;
  equation->instance = wanted->instance;
  equation->span = wanted->span;
  equation_bound_values(model, equation);
  return tensor_read(model, tensor, hoist->from);
}

const Expr *equation_hoist(Model *model, Program *program, Name name, Reduction reduction,
                           const Index *const *reduced, int reduced_count, const Expr *guard,
                           const Expr *body, const Instance *instance, Span span) {
  Arena *scratch = arena_new();
  const Expr *result;
  ValueType type = reduced_type(reduction, body->type);
  Hoist hoist = rename_indices(model, scratch, reduced, reduced_count, guard, body);
  if (reduction == REDUCE_LSE && type == TYPE_REAL) body = convert_body(model, type, body);
  if (hoist.free.count > LIMIT_RANK) {
    diagnose(model->diagnostics, NN0212, span, "'%s' would have %d dims; the limit is %d",
             reduction_name(reduction), hoist.free.count, LIMIT_RANK);
    result = type == TYPE_BOOL ? expr_false(model->exprs) : expr_integer(model->exprs, 0);
  } else {
    Equation wanted = {
        .reduction = reduction, .guard = guard, .body = body, .instance = instance, .span = span};
    Tensor *tensor = hoisted_tensor(model, program, name, &hoist, type, span);
    result = hoist_into(model, program, scratch, tensor, &hoist, &wanted);
  }
  arena_free(scratch);
  return result;
}
