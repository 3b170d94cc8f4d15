/* A model for each row of ops.def, y[i] = c[i]*(a[i] + b[i] + ... + op(a[i], b[i], ...)), and the rows made
   wrong: its check must notice. The plain sum gives every operand a path to the loss. */
#ifndef NNC_TESTS_GRADIENT_ROWS_H
#define NNC_TESTS_GRADIENT_ROWS_H

#include "command/gradient_check.h"
#include "front_end.h"

enum { ROW_ELEMENTS = 9 };

typedef struct RowModel {
  FrontEnd front;
  Model *model;
  const Index *i;
  const Expr *operands[3];
  double low; /* of their elements */
} RowModel;

static inline const Axis *row_axis(const RowModel *row) {
  Axis axis = {.extent = extent_constant(row->model->extents, ROW_ELEMENTS)};
  return arena_copy(row->front.arena, &axis, sizeof axis);
}

static inline Tensor *row_tensor(RowModel *row, TensorList *list, const char *name, Role role,
                                 int rank) {
  return tensor_new(row->model, list, name_of(row->front.names, name), role, TYPE_REAL,
                    row_axis(row), rank);
}

/* Elements from low to low + 0.6, in an order that goes up and down. */
static inline void define_operand(RowModel *row, int k) {
  const char *names[] = {"a", "b", "c"};
  Model *model = row->model;
  ExprTable *table = model->exprs;
  Tensor *tensor = row_tensor(row, &model->tensors, names[k], ROLE_PARAM, 1);
  const Index *i = index_new(model, name_of(row->front.names, "i"), tensor->axes[0].extent);
  const Expr *steps =
      expr_binary(table, OP_MUL, expr_integer(table, 4 + 3 * k), expr_index(table, i));
  const Expr *number = expr_binary(table, OP_MOD, steps, expr_integer(table, ROW_ELEMENTS));
  const Expr *part = expr_binary(table, OP_MUL, expr_number(table, 0.6 / ROW_ELEMENTS), number);
  equation_new(model, &model->init, tensor, &i,
               expr_binary(table, OP_ADD, expr_number(table, row->low), part));
  row->operands[k] = tensor_read(model, tensor, &row->i);
}

/* The operand as the operation wants it. */
static inline const Expr *typed_operand(const RowModel *row, Op op, int k) {
  ExprTable *table = row->model->exprs;
  const Expr *operand = row->operands[k];
  const Expr *tens = expr_binary(table, OP_MUL, expr_number(table, 10), operand);
  bool whole = op == OP_IDIV || op == OP_MOD;
  bool truth = op == OP_AND || op == OP_OR || op == OP_NOT || op == OP_REAL;
  if (whole) return expr_unary(table, OP_INT, tens);
  if (truth || (op == OP_SELECT && k == 0))
    return expr_binary(table, OP_LT, operand, expr_number(table, row->low + 0.3));
  return operand;
}

static inline void define_loss(RowModel *row, const Expr *body) {
  Model *model = row->model;
  Tensor *y = row_tensor(row, &model->train.tensors, "y", ROLE_VALUE, 1);
  equation_new(model, &model->train, y, &row->i, body);
  Tensor *loss = row_tensor(row, &model->train.tensors, "loss", ROLE_VALUE, 0);
  const Index *r = index_new(model, name_of(row->front.names, "r"), y->axes[0].extent);
  const Expr *read = tensor_read(model, y, &r);
  const Expr *factor = expr_binary(model->exprs, OP_ADD, expr_index(model->exprs, r),
                                   expr_number(model->exprs, 0.5));
  Equation *sum = equation_new(model, &model->train, loss, NULL,
                               expr_binary(model->exprs, OP_MUL, factor, read));
  sum->reduction = REDUCE_SUM;
  sum->reduced = arena_copy(row->front.arena, &r, sizeof r);
  sum->reduced_count = 1;
  APPEND(row->front.arena, &model->steps, (Step){.loss = loss});
}

static inline void request_gradients(RowModel *row) {
  Model *model = row->model;
  Step *step = &model->steps.items[0];
  for (int k = 0; k < model->tensors.count; k++) {
    Tensor *parameter = model->tensors.items[k];
    if (parameter->role != ROLE_PARAM) continue;
    const char *name = arena_format(row->front.arena, "d.%s", parameter->name);
    Tensor *result = row_tensor(row, &model->train.tensors, name, ROLE_GRADIENT, 1);
    APPEND(row->front.arena, &step->gradients,
           (Gradient){.of = step->loss, .with_respect_to = parameter, .result = result});
  }
}

static inline Model *row_model(RowModel *row, Arena *arena, Op op, double low) {
  front_end_init(&row->front, arena);
  row->low = low;
  row->model =
      model_new(arena, row->front.names, row->front.diagnostics, name_of(row->front.names, "m"));
  ExprTable *table = row->model->exprs;
  row->i = index_new(row->model, name_of(row->front.names, "i"),
                     extent_constant(row->model->extents, ROW_ELEMENTS));
  const Expr *operands[3], *sum = NULL;
  for (int k = 0; k < op_arity(op) && k < 3; k++) {
    define_operand(row, k);
    operands[k] = typed_operand(row, op, k);
    sum = sum ? expr_binary(table, OP_ADD, sum, row->operands[k]) : row->operands[k];
  }
  const Expr *value = expr_make(table, op, operands, op_arity(op));
  if (value->type == TYPE_BOOL) value = expr_unary(table, OP_REAL, value);
  define_loss(row, expr_binary(table, OP_ADD, sum, value));
  request_gradients(row);
  return row->model;
}

static const char *const derivative_refused = "the derivative was refused";

/* Null, or what is wrong with the gradients of this row. */
static inline const char *check_row(Arena *arena, Op op, double low) {
  RowModel row = {0};
  Model *model = row_model(&row, arena, op, low);
  derive(model);
  if (diagnostics_error_count(model->diagnostics) > 0) return derivative_refused;
  return gradient_check(arena, model, 0, (uint64_t)op + 1);
}

/* ---- wrong rows -------------------------------------------------------------------------------- */

typedef struct Mutants {
  const char *texts[8];
  int count;
} Mutants;

/* Where a term ends: the next " + " or " - " outside parentheses. */
static inline const char *term_end(const char *text) {
  int depth = 0;
  for (const char *at = text; *at; at++) {
    depth += (*at == '(') - (*at == ')');
    bool sign = at > text && at[-1] == ' ' && (*at == '+' || *at == '-') && at[1] == ' ';
    if (sign && depth == 0) return at - 1;
  }
  return NULL;
}

/* The sign flipped; each term of a sum dropped; the whole dropped, unless there was nothing. */
static inline Mutants row_mutants(Arena *arena, const char *text) {
  Mutants mutants = {.count = 0};
  if (strcmp(text, "0") == 0) {
    mutants.texts[mutants.count++] = "1";
    return mutants;
  }
  mutants.texts[mutants.count++] = arena_format(arena, "-(%s)", text);
  mutants.texts[mutants.count++] = "0";
  const char *end = strncmp(text, "if ", 3) == 0 ? NULL : term_end(text);
  if (!end) return mutants;
  mutants.texts[mutants.count++] = arena_format(arena, "%.*s", (int)(end - text), text);
  mutants.texts[mutants.count++] = arena_format(arena, "0%s", end);
  return mutants;
}

#endif
