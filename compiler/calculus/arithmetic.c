/* Products and sums of derivative weights. */
#include "calculus/arithmetic.h"

enum { MOST_TERMS = 16 }; /* of a restricted sum that is multiplied term by term */

bool is_literal(const Expr *e, double value) {
  double number;
  return is_number(e, &number) && number == value;
}

/* A choice one side of which is 0. */
static bool is_restriction(const Expr *e) {
  return e->op == OP_SELECT && (is_literal(e->args[1], 0) || is_literal(e->args[2], 0));
}

const Expr *arithmetic_negate(ExprTable *table, const Expr *a) {
  if (is_literal(a, 0)) return a;
  if (a->op == OP_NEGATE) return a->args[0];
  if (!is_restriction(a)) return expr_unary(table, OP_NEGATE, a);
  return expr_select(table, a->args[0], arithmetic_negate(table, a->args[1]),
                     arithmetic_negate(table, a->args[2]));
}

const Expr *arithmetic_add(ExprTable *table, const Expr *a, const Expr *b) {
  if (is_literal(a, 0)) return b;
  if (is_literal(b, 0)) return a;
  if (b->op == OP_NEGATE) return expr_binary(table, OP_SUB, a, b->args[0]);
  if (a->op == OP_NEGATE) return expr_binary(table, OP_SUB, b, a->args[0]);
  return expr_binary(table, OP_ADD, a, b);
}

/* The terms of a sum, also of one inside a restriction; no more than one beyond MOST_TERMS are seen. */
typedef struct Terms {
  int count;
  bool restricted; /* one of them, at least */
} Terms;

static void count_terms(const Expr *e, Terms *terms) {
  if (terms->count > MOST_TERMS) return;
  while (is_restriction(e)) {
    terms->restricted = true;
    e = e->args[is_literal(e->args[1], 0) ? 2 : 1];
  }
  if (e->op == OP_ADD || e->op == OP_SUB) {
    count_terms(e->args[0], terms);
    count_terms(e->args[1], terms);
  } else {
    terms->count++;
  }
}

static Terms terms_of(const Expr *e) {
  Terms terms = {0};
  if (e->op == OP_ADD || e->op == OP_SUB) count_terms(e, &terms);
  return terms;
}

/* A sum with a restricted term: it is multiplied term by term, or the restriction would be lost. */
static bool is_restricted_sum(const Expr *e) {
  return terms_of(e).restricted;
}

/* Terms double with each choice inside a choice. A long sum is multiplied whole, where it is not 0. */
static bool is_long(const Expr *sum) {
  return terms_of(sum).count > MOST_TERMS;
}

static const Expr *multiply_sum(ExprTable *table, const Expr *a, const Expr *b) {
  const Expr *sum = is_restricted_sum(a) ? a : b;
  const Expr *terms[2], *zero = expr_number(table, 0);
  if (is_long(sum)) {
    const Expr *is_zero = expr_binary(table, OP_EQ, sum, zero);
    return expr_select(table, is_zero, zero, expr_binary(table, OP_MUL, a, b));
  }
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
  return expr_select(table, choice->args[0], sides[0], sides[1]);
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
    return expr_binary(table, OP_DIV, a, b->args[1]);
  if (a->op == OP_DIV && is_literal(a->args[0], 1))
    return expr_binary(table, OP_DIV, b, a->args[1]);
  return expr_binary(table, OP_MUL, a, b);
}

const Expr *arithmetic_weigh(ExprTable *table, const Expr *adjoint, const Expr *partial,
                             bool partial_first) {
  const Expr *parts[2], *zero = expr_number(table, 0);
  const Expr *a = partial_first ? partial : adjoint, *b = partial_first ? adjoint : partial;
  bool is_choice = is_restriction(adjoint);
  if (is_literal(a, 0) || is_literal(b, 0)) return zero;
  if (!is_choice && !is_restricted_sum(adjoint)) return arithmetic_multiply(table, a, b);
  if (!is_choice && is_long(adjoint)) {
    const Expr *is_zero = expr_binary(table, OP_EQ, adjoint, zero);
    return expr_select(table, is_zero, zero, expr_binary(table, OP_MUL, a, b));
  }
  for (int i = 0; i < 2; i++)
    parts[i] = arithmetic_weigh(table, adjoint->args[i + is_choice], partial, partial_first);
  if (is_choice) return expr_select(table, adjoint->args[0], parts[0], parts[1]);
  if (adjoint->op == OP_SUB) parts[1] = arithmetic_negate(table, parts[1]);
  return arithmetic_add(table, parts[0], parts[1]);
}

const Expr *arithmetic_restrict(ExprTable *table, const Expr *condition, const Expr *a) {
  if (!condition || is_literal(a, 0)) return a;
  return expr_select(table, condition, a, expr_number(table, 0));
}

const Expr *arithmetic_and(ExprTable *table, const Expr *a, const Expr *b) {
  if (!a) return b;
  return b ? expr_binary(table, OP_AND, a, b) : a;
}
