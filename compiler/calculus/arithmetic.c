/* Folding of literals and of decided choices; products and sums of derivative weights. */
#include "calculus/arithmetic.h"

bool is_literal(const Expr *e, double value) {
  double number;
  return is_number(e, &number) && number == value;
}

/* Whole exponents only, by repeated multiplication: no host library decides a bit of the output. */
static bool raise_to_power(double a, double b, double *result) {
  if (b < 0 || b > 8 || b != (double)(int)b) return false;
  *result = 1;
  for (int i = 0; i < (int)b; i++) *result *= a;
  return true;
}

static bool compute_binary(Op op, double a, double b, double *result) {
  switch (op) {
  case OP_ADD: *result = a + b; return true;
  case OP_SUB: *result = a - b; return true;
  case OP_MUL: *result = a * b; return true;
  case OP_DIV: *result = a / b; return b != 0;
  case OP_POW: return raise_to_power(a, b, result);
  case OP_MIN: *result = b < a ? b : a; return true;
  case OP_MAX: *result = b > a ? b : a; return true;
  default: return false;
  }
}

static bool compare(Op op, double a, double b, bool *result) {
  switch (op) {
  case OP_EQ: *result = a == b; return true;
  case OP_NE: *result = a != b; return true;
  case OP_LT: *result = a < b; return true;
  case OP_LE: *result = a <= b; return true;
  default: return false;
  }
}

/* Null when the operands are not literals or the operation is not one of the above. */
static const Expr *fold_binary(ExprTable *table, Op op, const Expr *const *args) {
  double a, b, number;
  bool truth;
  if (!is_number(args[0], &a) || !is_number(args[1], &b)) return NULL;
  if (args[0]->type == TYPE_BOOL || args[1]->type == TYPE_BOOL) return NULL;
  if (compare(op, a, b, &truth)) return truth ? expr_true(table) : expr_false(table);
  if (args[0]->type == TYPE_INT && args[1]->type == TYPE_INT && op != OP_DIV) return NULL;
  return compute_binary(op, a, b, &number) ? expr_number(table, number) : NULL;
}

static const Expr *fold_logic(ExprTable *table, Op op, const Expr *const *args) {
  const Expr *a = args[0];
  if (op == OP_NOT) {
    if (is_true(a)) return expr_false(table);
    if (is_false(a)) return expr_true(table);
    return a->op == OP_NOT ? a->args[0] : NULL;
  }
  const Expr *b = args[1];
  bool is_and = op == OP_AND;
  if (a == b) return a;
  if (is_true(a)) return is_and ? b : a;
  if (is_false(a)) return is_and ? a : b;
  if (is_true(b)) return is_and ? a : b;
  if (is_false(b)) return is_and ? b : a;
  return NULL;
}

static const Expr *fold(ExprTable *table, Op op, const Expr *const *args, int count) {
  double number;
  switch (op) {
  case OP_SELECT:
    if (is_true(args[0])) return args[1];
    if (is_false(args[0])) return args[2];
    return args[1] == args[2] ? args[1] : NULL;
  case OP_AND:
  case OP_OR:
  case OP_NOT: return fold_logic(table, op, args);
  case OP_NEGATE:
    if (args[0]->op == OP_NEGATE) return args[0]->args[0];
    return args[0]->op == OP_NUMBER && is_number(args[0], &number) ? expr_number(table, -number)
                                                                   : NULL;
  default: return count == 2 ? fold_binary(table, op, args) : NULL;
  }
}

const Expr *arithmetic_make(ExprTable *table, Op op, const Expr *const *args, int count) {
  const Expr *folded = fold(table, op, args, count);
  return folded ? folded : expr_make(table, op, args, count);
}

static const Expr *make_unary(ExprTable *table, Op op, const Expr *a) {
  return arithmetic_make(table, op, (const Expr *const[]){a}, 1);
}

static const Expr *make_binary(ExprTable *table, Op op, const Expr *a, const Expr *b) {
  return arithmetic_make(table, op, (const Expr *const[]){a, b}, 2);
}

static const Expr *make_select(ExprTable *table, const Expr *condition, const Expr *a,
                               const Expr *b) {
  return arithmetic_make(table, OP_SELECT, (const Expr *const[]){condition, a, b}, 3);
}

/* A choice one side of which is 0. */
static bool is_restriction(const Expr *e) {
  return e->op == OP_SELECT && (is_literal(e->args[1], 0) || is_literal(e->args[2], 0));
}

const Expr *arithmetic_negate(ExprTable *table, const Expr *a) {
  if (is_literal(a, 0)) return a;
  if (!is_restriction(a)) return make_unary(table, OP_NEGATE, a);
  return make_select(table, a->args[0], arithmetic_negate(table, a->args[1]),
                     arithmetic_negate(table, a->args[2]));
}

const Expr *arithmetic_add(ExprTable *table, const Expr *a, const Expr *b) {
  if (is_literal(a, 0)) return b;
  if (is_literal(b, 0)) return a;
  if (b->op == OP_NEGATE) return make_binary(table, OP_SUB, a, b->args[0]);
  if (a->op == OP_NEGATE) return make_binary(table, OP_SUB, b, a->args[0]);
  return make_binary(table, OP_ADD, a, b);
}

/* A sum with a restricted term: it is multiplied term by term, or the restriction would be lost. */
static bool is_restricted_sum(const Expr *e) {
  if (e->op != OP_ADD && e->op != OP_SUB) return false;
  for (int i = 0; i < 2; i++)
    if (is_restriction(e->args[i]) || is_restricted_sum(e->args[i])) return true;
  return false;
}

static const Expr *multiply_sum(ExprTable *table, const Expr *a, const Expr *b) {
  const Expr *sum = is_restricted_sum(a) ? a : b;
  const Expr *terms[2];
  for (int i = 0; i < 2; i++) {
    const Expr *term = sum->args[i];
    terms[i] = sum == a ? arithmetic_multiply(table, term, b) : arithmetic_multiply(table, a, term);
  }
  if (sum->op == OP_SUB) terms[1] = arithmetic_negate(table, terms[1]);
  return arithmetic_add(table, terms[0], terms[1]);
}

static const Expr *multiply_choice(ExprTable *table, const Expr *a, const Expr *b) {
  const Expr *choice = is_restriction(a) ? a : b;
  const Expr *sides[2];
  for (int i = 0; i < 2; i++) {
    const Expr *side = choice->args[i + 1];
    sides[i] =
        choice == a ? arithmetic_multiply(table, side, b) : arithmetic_multiply(table, a, side);
  }
  return make_select(table, choice->args[0], sides[0], sides[1]);
}

const Expr *arithmetic_multiply(ExprTable *table, const Expr *a, const Expr *b) {
  if (is_literal(a, 0) || is_literal(b, 0)) return expr_number(table, 0);
  if (is_literal(a, 1)) return b;
  if (is_literal(b, 1)) return a;
  if (is_literal(a, -1)) return arithmetic_negate(table, b);
  if (is_literal(b, -1)) return arithmetic_negate(table, a);
  if (is_restriction(a) || is_restriction(b)) return multiply_choice(table, a, b);
  if (is_restricted_sum(a) || is_restricted_sum(b)) return multiply_sum(table, a, b);
  if (a->op == OP_NEGATE)
    return arithmetic_negate(table, arithmetic_multiply(table, a->args[0], b));
  if (b->op == OP_NEGATE)
    return arithmetic_negate(table, arithmetic_multiply(table, a, b->args[0]));
  if (b->op == OP_DIV && is_literal(b->args[0], 1))
    return make_binary(table, OP_DIV, a, b->args[1]);
  if (a->op == OP_DIV && is_literal(a->args[0], 1))
    return make_binary(table, OP_DIV, b, a->args[1]);
  return make_binary(table, OP_MUL, a, b);
}

const Expr *arithmetic_restrict(ExprTable *table, const Expr *condition, const Expr *a) {
  if (!condition || is_literal(a, 0)) return a;
  return make_select(table, condition, a, expr_number(table, 0));
}

const Expr *arithmetic_and(ExprTable *table, const Expr *a, const Expr *b) {
  if (!a) return b;
  return b ? make_binary(table, OP_AND, a, b) : a;
}
