/* Folding of constants, in double, as literals are; the elementary functions are those of the runtime, so that a
   program computes the same whether a constant is folded or not. A literal that came in place of a REAL has its width,
   which may be a float's: then only what comes out the same in both is folded. A result that is not a number is left
   to run time. */
#include "equations/expr_table.h"

#include "nnrt_selftest.h"

#include <math.h>
#include <string.h>

/* A value in either width. */
typedef struct Widths {
  double wide;
  float narrow;
} Widths;

static Widths call_function(const char *name, const Widths *v) {
#define FUNCTION(of, type)                                                                         \
  if (strcmp(name, #of) == 0) return (Widths){nnrt_##of##_f64(v->wide), nnrt_##of##_f32(v->narrow)};
  NNRT_FUNCTIONS(FUNCTION, )
#undef FUNCTION
  return (Widths){NAN, NAN};
}

static bool fold_real(Op op, ValueType type, const Widths *v, double *result) {
  Widths of;
  switch (op) {
#define FOLD(OP, wider, narrower)                                                                  \
  case OP_##OP:                                                                                    \
    of = (Widths){wider, narrower};                                                                \
    break
#define FOLD_INFIX(OP, sign) FOLD(OP, v[0].wide sign v[1].wide, v[0].narrow sign v[1].narrow)
#define FOLD_PAIR(OP, name)                                                                        \
  FOLD(OP, nnrt_##name##_f64(v[0].wide, v[1].wide), nnrt_##name##_f32(v[0].narrow, v[1].narrow))
    FOLD_INFIX(ADD, +);
    FOLD_INFIX(SUB, -);
    FOLD_INFIX(MUL, *);
    FOLD_INFIX(DIV, /);
    FOLD(NEGATE, -v[0].wide, -v[0].narrow);
    FOLD_PAIR(MIN, min);
    FOLD_PAIR(MAX, max);
    FOLD_PAIR(POW, pow);
#undef FOLD_PAIR
#undef FOLD_INFIX
#undef FOLD
  default: of = call_function(op_spelling(op), v); break;
  }
  *result = of.wide;
  if (type != TYPE_REAL) return !isnan(of.wide);
  bool differs_by_profile = op_form(op) == FORM_CALL || op == OP_POW;
  return differs_by_profile ? of.wide == (double)of.narrow : (float)of.wide == of.narrow;
}

static bool compare(Op op, double a, double b) {
  switch (op) {
  case OP_EQ: return a == b;
  case OP_NE: return a != b;
  case OP_LT: return a < b;
  default: return a <= b;
  }
}

static const Expr *fold_whole(ExprTable *table, Op op, const Expr *const *args) {
  if (op != OP_MIN && op != OP_MAX && op != OP_ABS && op != OP_SIGN) return NULL;
  if (op_arity(op) == 2 && args[0] == args[1]) return args[0];
  if (args[0]->op != OP_INTEGER || args[op_arity(op) - 1]->op != OP_INTEGER) return NULL;
  int64_t a = args[0]->integer, b = args[op_arity(op) - 1]->integer;
  if (op == OP_MIN) return args[b < a];
  if (op == OP_MAX) return args[b > a];
  if (op == OP_SIGN) return expr_integer(table, (a > 0) - (a < 0));
  return a == INT64_MIN ? NULL : expr_integer(table, a < 0 ? -a : a);
}

static const Expr *fold_conversion(ExprTable *table, Op op, const Expr *a) {
  if (op == OP_STOP) return a->op == OP_NUMBER || a->type <= TYPE_INT ? a : NULL;
  if (op == OP_REAL) {
    if (a->type == TYPE_REAL || a->type == TYPE_NUMBER) return a;
    return a->op == OP_INTEGER ? expr_number(table, (double)a->integer) : NULL;
  }
  if (a->type == TYPE_INT) return a;
  if (a->op == OP_INTEGER) return expr_integer(table, a->integer);
  if (a->op == OP_NUMBER && fabs(a->number) < 0x1p62)
    return expr_integer(table, (int64_t)a->number);
  return NULL;
}

static const Expr *fold_logic(ExprTable *table, Op op, const Expr *const *args) {
  const Expr *a = args[0], *b = args[op_arity(op) - 1];
  if (op == OP_NOT) {
    if (is_true(a) || is_false(a)) return expr_boolean(table, is_false(a));
    return a->op == OP_NOT ? a->args[0] : NULL;
  }
  if (a == b) return a;
  if (op == OP_AND) return is_true(a) || is_false(b) ? b : is_true(b) || is_false(a) ? a : NULL;
  return is_false(a) || is_true(b) ? b : is_false(b) || is_true(a) ? a : NULL;
}

static const Expr *fold_comparison(ExprTable *table, Op op, const Expr *a, const Expr *b) {
  double x, y;
  if (a->type == TYPE_INT) return affine_compare(table, op, a, b);
  if (!is_number(a, &x) || !is_number(b, &y)) return NULL;
  bool is_wide = a->type != TYPE_REAL && b->type != TYPE_REAL, truth = compare(op, x, y);
  return is_wide || compare(op, (float)x, (float)y) == truth ? expr_boolean(table, truth) : NULL;
}

const Expr *expr_fold(ExprTable *table, Op op, ValueType type, const Expr *const *args) {
  Widths values[3] = {0};
  double result = 0;
  switch (op) {
  case OP_SELECT:
    if (args[1] == args[2]) return args[1];
    return is_true(args[0]) ? args[1] : is_false(args[0]) ? args[2] : NULL;
  case OP_AND:
  case OP_OR:
  case OP_NOT: return fold_logic(table, op, args);
  case OP_EQ:
  case OP_NE:
  case OP_LT:
  case OP_LE: return fold_comparison(table, op, args[0], args[1]);
  case OP_STOP:
  case OP_REAL:
  case OP_INT: return fold_conversion(table, op, args[0]);
  default: break;
  }
  if (type == TYPE_INT) return fold_whole(table, op, args);
  for (int i = 0; i < op_arity(op); i++) {
    if (args[i]->op != OP_NUMBER) return NULL;
    values[i] = (Widths){args[i]->number, (float)args[i]->number};
  }
  return fold_real(op, type, values, &result) ? expr_number(table, result) : NULL;
}
