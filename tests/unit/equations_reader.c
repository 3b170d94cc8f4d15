/* The reader: the syntax tree of a small model, straight to equations. */
#include "equations_reader.h"

#include "calculus/formula.h"
#include "syntax/tree.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct Reader {
  Model *model;
  IndexList scope; /* variables of the equation being read */
} Reader;

static const Expr *read_expr(Reader *r, const Node *node);

Tensor *find_tensor(const Model *model, const char *name) {
  const TensorList *lists[] = {&model->tensors, &model->train.tensors};
  for (int l = 0; l < 2; l++)
    for (int i = 0; i < lists[l]->count; i++)
      if (strcmp(lists[l]->items[i]->name, name) == 0) return lists[l]->items[i];
  return NULL;
}

static const Dim *find_dim(const Reader *r, Name name) {
  for (int i = 0; i < r->model->dims.count; i++)
    if (r->model->dims.items[i]->name == name) return r->model->dims.items[i];
  return NULL;
}

static const Extent *read_extent(Reader *r, const Node *node) {
  ExtentTable *extents = r->model->extents;
  if (node->kind == NODE_NUMBER) return extent_constant(extents, (int64_t)node->number);
  const Dim *dim = node->kind == NODE_IDENT ? find_dim(r, node->name) : NULL;
  if (dim) return extent_dim(extents, dim);
  const Extent *a = read_extent(r, node->parts[0]), *b = read_extent(r, node->parts[1]);
  switch (node->kind) {
  case NODE_ADD: return extent_add(extents, a, b);
  case NODE_SUB: return extent_subtract(extents, a, b);
  case NODE_MUL: return extent_multiply(extents, a, b);
  case NODE_IDIV: return extent_floor_divide(extents, a, b);
  default: cr_assert_fail("extent"); return NULL;
  }
}

static const Index *bind(Reader *r, const Node *node) {
  cr_assert(node->kind == NODE_IN, "every range must be written: %s", node->name);
  const Index *index = index_new(r->model, node->name, read_extent(r, node->parts[0]));
  APPEND(r->model->arena, &r->scope, index);
  return index;
}

static const Index *find_index(const Reader *r, Name name) {
  for (int i = r->scope.count - 1; i >= 0; i--)
    if (r->scope.items[i]->name == name) return r->scope.items[i];
  return NULL;
}

static const Expr *read_composite(Reader *r, const Node *tuple) {
  const Expr *value = expr_integer(r->model->exprs, 0);
  for (int i = 0; i < tuple->count; i++) {
    const Index *index = find_index(r, tuple->parts[i]->name);
    value = expr_binary(r->model->exprs, OP_MUL, value, expr_extent(r->model->exprs, index->range));
    value = expr_binary(r->model->exprs, OP_ADD, value, expr_index(r->model->exprs, index));
  }
  return value;
}

static const Expr *read_tensor(Reader *r, const Node *node) {
  const Expr *subscripts[LIMIT_RANK];
  bool plain = node->kind == NODE_IDENT;
  Name name = plain ? node->name : node->parts[0]->name;
  Tensor *tensor = find_tensor(r->model, name);
  cr_assert(tensor, "unknown name %s", name);
  const Node *subs = plain ? NULL : node->parts[1];
  cr_assert_eq(subs ? subs->count : 0, tensor->rank, "rank of %s", name);
  for (int i = 0; i < tensor->rank; i++) {
    const Node *sub = subs->parts[i];
    subscripts[i] = sub->kind == NODE_TUPLE ? read_composite(r, sub) : read_expr(r, sub);
  }
  const Node *otherwise = !plain && node->count > 2 ? node->parts[2] : NULL;
  return expr_read(r->model->exprs, tensor, subscripts, otherwise ? read_expr(r, otherwise) : NULL);
}

static Reduction reduction_of(const Node *node) {
  for (int k = REDUCE_SUM; k <= REDUCE_ALL; k++)
    if (strcmp(reduction_name((Reduction)k), node->name) == 0) return (Reduction)k;
  cr_assert_fail("reduction %s", node->name);
  return REDUCE_NONE;
}

static const Expr *read_hoisted(Reader *r, const Node *node) {
  int outer = r->scope.count;
  const Node *subs = node->parts[0];
  for (int i = 0; i < subs->count; i++) (void)bind(r, subs->parts[i]);
  const Expr *guard = node->parts[1] ? read_expr(r, node->parts[1]) : NULL;
  const Expr *body = read_expr(r, node->parts[2]);
  const Expr *read =
      equation_hoist(r->model, &r->model->train, name_of(r->model->names, "t"), reduction_of(node),
                     r->scope.items + outer, subs->count, guard, body, NULL, node->span);
  r->scope.count = outer;
  return read;
}

static const Expr *read_expr(Reader *r, const Node *node) {
  ExprTable *table = r->model->exprs;
  if (node->kind == NODE_NUMBER) {
    bool whole = node->number == (double)(int64_t)node->number && !strchr(node->name, '.');
    return whole ? expr_integer(table, (int64_t)node->number) : expr_number(table, node->number);
  }
  if (node->kind == NODE_IDENT && find_index(r, node->name))
    return expr_index(table, find_index(r, node->name));
  if (node->kind == NODE_IDENT && find_dim(r, node->name))
    return expr_extent(table, read_extent(r, node));
  if (node->kind == NODE_IDENT || node->kind == NODE_READ) return read_tensor(r, node);
  if (node->kind == NODE_REDUCE) return read_hoisted(r, node);
  bool swapped;
  Op op = node->kind == NODE_IDIV  ? OP_IDIV
          : node->kind == NODE_MOD ? OP_MOD
                                   : formula_op(node, &swapped);
  if (node->kind == NODE_IDIV || node->kind == NODE_MOD) swapped = false;
  int first = node->kind == NODE_CALL ? 1 : 0, arity = node->count - first;
  const Expr *args[3];
  for (int i = 0; i < arity; i++)
    args[swapped ? arity - 1 - i : i] = read_expr(r, node->parts[first + i]);
  return expr_make(table, op, args, arity);
}

static Tensor *declare(Reader *r, const Node *node, Role role) {
  const Node *subs = node->parts[0], *type = node->count > 1 ? node->parts[1] : NULL;
  Axis axes[LIMIT_RANK];
  int rank = subs ? subs->count : 0;
  for (int i = 0; i < rank; i++) axes[i] = (Axis){.extent = read_extent(r, subs->parts[i])};
  bool whole = type && type->name && strcmp(type->name, "index") == 0;
  Tensor *tensor = tensor_new(r->model, &r->model->tensors, node->name, role,
                              whole ? TYPE_INT : TYPE_REAL, axes, rank);
  tensor->storage = whole ? STORE_I32 : STORE_REAL;
  tensor->origin = node->span;
  if (whole) {
    tensor->low = extent_constant(r->model->extents, 0);
    tensor->high = read_extent(r, type->parts[0]);
  }
  return tensor;
}

/* The target of an equation with its variables, before any right side is read. */
static Equation *declare_equation(Reader *r, const Node *node) {
  const Node *lhs = node->parts[0]->parts[0], *subs = lhs->count > 0 ? lhs->parts[0] : NULL;
  Axis axes[LIMIT_RANK];
  int place[LIMIT_RANK], rank = subs ? subs->count : 0;
  r->scope.count = 0;
  for (int k = 0; k < rank; k++) {
    const Node *sub = subs->parts[k];
    axes[k] = (Axis){.extent = extent_constant(r->model->extents, 1)};
    for (int i = 0; i < (sub->kind == NODE_TUPLE ? sub->count : 1); i++) {
      const Index *index = bind(r, sub->kind == NODE_TUPLE ? sub->parts[i] : sub);
      place[r->scope.count - 1] = k;
      axes[k].extent = extent_multiply(r->model->extents, axes[k].extent, index->range);
    }
  }
  const Node *right = node->parts[1];
  bool is_arg = right->kind == NODE_REDUCE && strncmp(right->name, "arg", 3) == 0;
  Tensor *target = tensor_new(r->model, &r->model->train.tensors, lhs->name, ROLE_VALUE,
                              is_arg ? TYPE_INT : TYPE_REAL, axes, rank);
  Equation *equation = NEW(r->model->arena, Equation);
  *equation = (Equation){.target = target, .var_count = r->scope.count, .span = node->span};
  equation->vars =
      arena_copy(r->model->arena, r->scope.items, (size_t)r->scope.count * sizeof *r->scope.items);
  memcpy(equation->place, place, sizeof place);
  target->definition = equation;
  return equation;
}

static void read_right_side(Reader *r, Equation *equation, const Node *right) {
  r->scope.count = 0;
  for (int i = 0; i < equation->var_count; i++)
    APPEND(r->model->arena, &r->scope, equation->vars[i]);
  if (right->kind == NODE_REDUCE) {
    for (int i = 0; i < right->parts[0]->count; i++) (void)bind(r, right->parts[0]->parts[i]);
    equation->reduction = reduction_of(right);
    equation->reduced_count = right->parts[0]->count;
    equation->reduced = arena_copy(r->model->arena, r->scope.items + equation->var_count,
                                   (size_t)equation->reduced_count * sizeof *r->scope.items);
    if (right->parts[1]) equation->guard = read_expr(r, right->parts[1]);
    right = right->parts[2];
  }
  equation->body = read_expr(r, right);
  if (equation->target->type == TYPE_REAL && equation->body->type != TYPE_REAL)
    equation->body = expr_unary(r->model->exprs, OP_REAL, equation->body);
  APPEND(r->model->arena, &r->model->train.equations, equation);
}

static void read_dim(Reader *r, const Node *statement) {
  for (int i = 0; i < statement->count; i++) {
    Dim *dim = NEW(r->model->arena, Dim);
    *dim = (Dim){.name = statement->parts[i]->name,
                 .maximum = (int64_t)statement->parts[i]->parts[0]->number,
                 .id = r->model->dims.count};
    APPEND(r->model->arena, &r->model->dims, dim);
  }
}

static void read_declaration(Reader *r, const Node *statement, Equation **equation) {
  switch (statement->kind) {
  case NODE_DIMS: read_dim(r, statement); break;
  case NODE_INPUT: declare(r, statement, ROLE_INPUT); break;
  case NODE_TARGET: declare(r, statement, ROLE_TARGET); break;
  case NODE_PARAM: declare(r, statement, ROLE_PARAM); break;
  case NODE_EQUATION: *equation = declare_equation(r, statement); break;
  default: break;
  }
}

Model *read_model(const char *text) {
  Arena *arena = arena_new();
  Names *names = names_new(arena);
  Sources *sources = NEW(arena, Sources);
  sources_init(sources, arena);
  Diagnostics *diagnostics = diagnostics_new(arena, sources);
  char *whole = arena_format(arena, "model m {\n%s\n}\n", text);
  Tree *tree = tree_parse(arena, names, sources, diagnostics,
                          source_add(sources, "test.nn", whole, (uint32_t)strlen(whole)));
  if (diagnostics_error_count(diagnostics) > 0) diagnostics_print(diagnostics, stderr, false);
  cr_assert_eq(diagnostics_error_count(diagnostics), 0);
  Reader r = {.model = model_new(arena, names, diagnostics, name_of(names, "m"))};
  const Node *block = tree->root->parts[0]->parts[0];
  Equation **equations = NEW_ARRAY(arena, Equation *, block->count);
  for (int i = 0; i < block->count; i++) read_declaration(&r, block->parts[i], &equations[i]);
  for (int i = 0; i < block->count; i++) {
    const Node *statement = block->parts[i];
    if (equations[i]) read_right_side(&r, equations[i], statement->parts[1]);
    if (statement->kind != NODE_LOSS) continue;
    Tensor *loss = find_tensor(r.model, statement->parts[0]->name);
    APPEND(arena, &r.model->steps, (Step){.loss = loss, .span = statement->span});
  }
  return r.model;
}

Tensor *request_gradient(Model *model, const char *of, const char *name) {
  Tensor *wanted = find_tensor(model, name);
  cr_assert(wanted, "unknown name %s", name);
  Tensor *result = tensor_new(model, &model->train.tensors, name_format(model->names, "d.%s", name),
                              ROLE_GRADIENT, TYPE_REAL, wanted->axes, wanted->rank);
  Gradient gradient = {.of = find_tensor(model, of), .with_respect_to = wanted, .result = result};
  cr_assert(gradient.of, "unknown name %s", of);
  if (model->steps.count == 0)
    APPEND(model->arena, &model->train.gradients, gradient);
  else
    APPEND(model->arena, &model->steps.items[0].gradients, gradient);
  return result;
}

static unsigned advance(unsigned *state) {
  *state = *state * 1664525u + 1013904223u; /* Numerical Recipes, section 7.1 */
  return *state >> 8;
}

void fill_tensors(Interpreter *interpreter, const Model *model, unsigned seed, bool tangents) {
  unsigned state = seed;
  for (int i = 0; i < model->tensors.count; i++) {
    const Tensor *tensor = model->tensors.items[i];
    if (tensor->role == ROLE_STEP) continue;
    Dual *values = interpreter_tensor(interpreter, tensor);
    int64_t count = interpreter_elements(interpreter, tensor);
    int64_t high = tensor->high ? extent_minimum(tensor->high) : 1;
    for (int64_t k = 0; k < count; k++) {
      double real = (double)advance(&state) / 8388608.0 - 1;
      bool moves = tangents && tensor->role == ROLE_PARAM;
      values[k].value =
          tensor->type == TYPE_INT ? (double)(advance(&state) % (unsigned)high) : real;
      values[k].tangent = moves ? (double)advance(&state) / 8388608.0 - 1 : 0;
    }
  }
}
