/* Factoring of sums, and sums of one term. */
#include "calculus/sums.h"

#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "calculus/variables.h"

static bool varies(const Site *site, const Equation *equation, const Expr *e) {
  for (int i = 0; i < equation->reduced_count; i++)
    if (expr_uses_index(site->scratch, e, equation->reduced[i])) return true;
  return false;
}

/* ---- factoring ---- */

/* A product sign * f1 * f2 * .. / g1 / g2 .., its factors inside or outside of the sum. */
typedef struct Product {
  ExprList outside, outside_divisors, inside, inside_divisors;
  bool negative;
} Product;

static void add_factor(const Site *site, const Equation *equation, Product *product, const Expr *e,
                       bool divides) {
  if (varies(site, equation, e))
    APPEND(site->scratch, divides ? &product->inside_divisors : &product->inside, e);
  else
    APPEND(site->scratch, divides ? &product->outside_divisors : &product->outside, e);
}

/* The stack holds factors still to be taken apart, leftmost on top. */
static Product split_product(const Site *site, const Equation *equation) {
  Product product = {0};
  ExprList stack = {0};
  APPEND(site->scratch, &stack, equation->body);
  while (stack.count > 0) {
    const Expr *e = stack.items[--stack.count];
    if (e->op == OP_NEGATE) {
      product.negative = !product.negative;
      APPEND(site->scratch, &stack, e->args[0]);
    } else if (e->op == OP_MUL && varies(site, equation, e)) {
      APPEND(site->scratch, &stack, e->args[1]);
      APPEND(site->scratch, &stack, e->args[0]);
    } else if (e->op == OP_DIV && varies(site, equation, e)) {
      add_factor(site, equation, &product, e->args[1], true);
      APPEND(site->scratch, &stack, e->args[0]);
    } else {
      add_factor(site, equation, &product, e, false);
    }
  }
  return product;
}

static const Expr *join(const Site *site, const Expr *start, const ExprList *factors, Op op) {
  const Expr *joined = start;
  for (int i = 0; i < factors->count; i++)
    joined =
        joined ? expr_binary(site->model->exprs, op, joined, factors->items[i]) : factors->items[i];
  return joined;
}

static bool are_total(const Site *site, const ExprList *factors) {
  return exprs_are_total(site->model->exprs, site->scratch, factors->items, factors->count);
}

/* The part of the sum that stays one; null when nothing varies and the points cannot be counted. */
static const Expr *inner_sum(const Site *site, const Equation *equation, const Product *product) {
  ExprTable *table = site->model->exprs;
  if (product->inside.count + product->inside_divisors.count == 0) {
    const Expr *count = indices_count(site->model, equation->reduced, equation->reduced_count);
    bool whole = equation->target->type == TYPE_INT;
    return equation->guard ? NULL : whole ? count : expr_unary(table, OP_REAL, count);
  }
  const Expr *body = join(site, NULL, &product->inside, OP_MUL);
  body = join(site, body ? body : expr_number(table, 1), &product->inside_divisors, OP_DIV);
  Name name = name_format(site->model->names, "%s.sum", equation->target->name);
  return equation_hoist(site->model, site->program, name, REDUCE_SUM, equation->reduced,
                        equation->reduced_count, equation->guard, body, equation->instance,
                        equation->span);
}

static void make_plain(Equation *equation, const Expr *body) {
  equation->body = body;
  equation->reduction = REDUCE_NONE;
  equation->reduced_count = 0;
  equation->guard = NULL;
}

/* Something but the 1 of a reciprocal, which the sum within would have again. */
static bool leaves(const Product *product) {
  bool is_constant = product->inside.count + product->inside_divisors.count == 0;
  if (product->negative || product->outside_divisors.count > 0) return true;
  for (int i = 0; i < product->outside.count; i++)
    if (is_constant || !is_literal(product->outside.items[i], 1)) return true;
  return false;
}

bool sum_factor(const Site *site, Equation *equation) {
  if (equation->reduction != REDUCE_SUM) return false;
  Product product = split_product(site, equation);
  if (!leaves(&product)) return false;
  if (equation->guard &&
      !(are_total(site, &product.outside) && are_total(site, &product.outside_divisors)))
    return false;
  const Expr *sum = inner_sum(site, equation, &product);
  if (!sum) return false;
  const Expr *body = join(site, NULL, &product.outside, OP_MUL);
  if (body)
    body = sum->op == OP_NUMBER ? expr_binary(site->model->exprs, OP_MUL, sum, body)
                                : expr_binary(site->model->exprs, OP_MUL, body, sum);
  if (!body) body = sum;
  body = join(site, body, &product.outside_divisors, OP_DIV);
  if (product.negative) body = expr_unary(site->model->exprs, OP_NEGATE, body);
  make_plain(equation, body);
  return true;
}

/* ---- sums of one term ---- */

/* A variable of the sum and the only value it can have. */
typedef struct Solution {
  int variable; /* position among the reduced; -1: none */
  const Expr *value;
} Solution;

static Solution solve(const Site *site, const Equation *equation, const Expr *condition) {
  ExprTable *table = site->model->exprs;
  Solution solution = {.variable = -1};
  if (condition->op != OP_EQ || condition->args[0]->type != TYPE_INT) return solution;
  const Expr *gap = expr_binary(table, OP_SUB, condition->args[0], condition->args[1]);
  Affine affine = affine_of(table, site->scratch, gap);
  for (int i = 0; i < equation->reduced_count; i++) {
    const Index *index = equation->reduced[i];
    const Extent *coefficient = affine_coefficient(&affine, index);
    int64_t unit;
    if (!coefficient || !extent_is_constant(coefficient, &unit) || (unit != 1 && unit != -1))
      continue;
    if (!affine_is_linear_in(site->scratch, &affine, index)) continue;
    solution.variable = i;
    solution.value = expr_binary(table, unit == 1 ? OP_SUB : OP_ADD, expr_index(table, index), gap);
    return solution;
  }
  return solution;
}

static void remove_reduced(const Site *site, Equation *equation, int position) {
  const Index **kept = NEW_ARRAY(site->model->arena, const Index *, equation->reduced_count);
  int count = 0;
  for (int i = 0; i < equation->reduced_count; i++)
    if (i != position) kept[count++] = equation->reduced[i];
  equation->reduced = kept;
  equation->reduced_count = count;
}

/* Puts the value in place of the variable; condition `which` becomes that the value is in range, which comes
   before what the others read there. */
static void substitute_solution(const Site *site, Equation *equation, const Solution *solution,
                                const ExprList *conditions, int which, const Expr *term) {
  ExprTable *table = site->model->exprs;
  const Index *index = equation->reduced[solution->variable];
  const Expr *all = condition_in_range(table, site->scratch, solution->value, index->range);
  for (int i = 0; i < conditions->count; i++) {
    if (i == which) continue;
    const Expr *condition =
        expr_substitute(table, site->scratch, conditions->items[i], &index, &solution->value, 1);
    all = arithmetic_and(table, all, condition);
  }
  term = expr_substitute(table, site->scratch, term, &index, &solution->value, 1);
  remove_reduced(site, equation, solution->variable);
  equation->guard = all;
  equation->body = term;
  if (equation->reduced_count == 0) make_plain(equation, arithmetic_restrict(table, all, term));
}

bool sum_collapse(const Site *site, Equation *equation) {
  if (equation->reduction != REDUCE_SUM) return false;
  ExprList conditions = {0};
  const Expr *term = equation->body;
  condition_conjuncts(site->scratch, equation->guard, &conditions);
  if (term->op == OP_SELECT && is_literal(term->args[2], 0)) {
    condition_conjuncts(site->scratch, term->args[0], &conditions);
    term = term->args[1];
  }
  for (int i = 0; i < conditions.count; i++) {
    Solution solution = solve(site, equation, conditions.items[i]);
    if (solution.variable < 0 || (i > 0 && expr_reads_tensors(site->scratch, solution.value)))
      continue;
    substitute_solution(site, equation, &solution, &conditions, i, term);
    return true;
  }
  return false;
}
