/* Folding of constants: exact by IEEE 754 in double, as literals are; the elementary functions are
   those of the runtime, so that a program computes the same whether a constant is folded or not.
   A result that is not a number is left to run time. */
#include "equations/expr_table.h"

#include "nnrt_math.h"

#include <math.h>

static bool fold_real(Op op, const double *v, double *result) {
  switch (op) {
  case OP_ADD: *result = v[0] + v[1]; break;
  case OP_SUB: *result = v[0] - v[1]; break;
  case OP_MUL: *result = v[0] * v[1]; break;
  case OP_DIV: *result = v[0] / v[1]; break;
  case OP_NEGATE: *result = -v[0]; break;
#define FOLD1(OP, name)                                                                            \
  case OP_##OP:                                                                                    \
    *result = nnrt_##name##_f64(v[0]);                                                             \
    break
#define FOLD2(OP, name)                                                                            \
  case OP_##OP: *result = nnrt_##name##_f64(v[0], v[1]); break
    FOLD2(POW, pow);
    FOLD2(MIN, min);
    FOLD2(MAX, max);
    FOLD1(ABS, abs);
    FOLD1(SIGN, sign);
    FOLD1(FLOOR, floor);
    FOLD1(CEIL, ceil);
    FOLD1(ROUND, round);
    FOLD1(EXP, exp);
    FOLD1(EXPM1, expm1);
    FOLD1(LOG, log);
    FOLD1(LOG1P, log1p);
    FOLD1(SQRT, sqrt);
    FOLD1(RSQRT, rsqrt);
    FOLD1(SIN, sin);
    FOLD1(COS, cos);
    FOLD1(TAN, tan);
    FOLD1(ATAN, atan);
    FOLD1(TANH, tanh);
    FOLD1(SIGMOID, sigmoid);
    FOLD1(SOFTPLUS, softplus);
    FOLD1(ERF, erf);
    FOLD1(LGAMMA, lgamma);
    FOLD1(DIGAMMA, digamma);
#undef FOLD1
#undef FOLD2
  default: return false;
  }
  return !isnan(*result);
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
  return expr_boolean(table, compare(op, x, y));
}

const Expr *expr_fold(ExprTable *table, Op op, ValueType type, const Expr *const *args) {
  double values[3] = {0}, result = 0;
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
    values[i] = args[i]->number;
  }
  return fold_real(op, values, &result) ? expr_number(table, result) : NULL;
}
