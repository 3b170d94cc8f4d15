/* Expressions: one pointer for equal expressions, conversions, folding, rewriting and printing. */
#include "equations_fixture.h"
#include "nnrt_math.h"

#include <criterion/criterion.h>
#include <math.h>

static Fixture f;
static Index *i, *j;
static Tensor *x, *flag, *rate; /* x[N, T], flag[N] of truth values, a scalar in double */
static const Expr *read_x;

static Tensor *tensor(const char *name, ValueType type, int rank) {
  Axis axes[2] = {{.extent = extent_dim(f.extents, f.n)}, {.extent = extent_dim(f.extents, f.t)}};
  return tensor_new(f.model, &f.model->tensors, name_of(f.names, name), ROLE_INPUT, type, axes,
                    rank);
}

static void start(void) {
  f = fixture_new();
  i = index_new(f.model, name_of(f.names, "i"), extent_dim(f.extents, f.n));
  j = index_new(f.model, name_of(f.names, "j"), extent_dim(f.extents, f.t));
  x = tensor("x", TYPE_REAL, 2);
  flag = tensor("flag", TYPE_BOOL, 1);
  rate = tensor("rate", TYPE_F64, 0);
  read_x = tensor_read(f.model, x, (const Index *[]){i, j});
}

static void stop(void) {
  arena_free(f.arena);
}

TestSuite(equations_expr, .init = start, .fini = stop);

static const Expr *make(const Expr *a, Op op, const Expr *b) {
  return expr_binary(f.exprs, op, a, b);
}

static const Expr *apply(Op op, const Expr *a) {
  return expr_unary(f.exprs, op, a);
}

static const Expr *real(double value) {
  return expr_number(f.exprs, value);
}

static const Expr *whole(int64_t value) {
  return expr_integer(f.exprs, value);
}

static const Expr *index_of(const Index *index) {
  return expr_index(f.exprs, index);
}

static void prints(const Expr *e, const char *expected) {
  cr_assert_str_eq(printed_expr(f.arena, e), expected);
}

Test(equations_expr, equal_expressions_are_the_same_pointer) {
  const Expr *again = tensor_read(f.model, x, (const Index *[]){i, j});
  cr_assert_eq(read_x, again);
  cr_assert_eq(make(read_x, OP_MUL, real(2)), make(again, OP_MUL, whole(2)));
  cr_assert_neq(make(read_x, OP_ADD, real(1)), make(real(1), OP_ADD, read_x));
  cr_assert_neq(real(0.0), real(-0.0));
}

Test(equations_expr, operands_take_the_widest_type) {
  const Expr *scalar = tensor_read(f.model, rate, NULL), *n = index_of(i);
  cr_assert_eq(make(scalar, OP_MUL, whole(2))->type, TYPE_F64);
  cr_assert_eq(make(scalar, OP_ADD, expr_extent(f.exprs, extent_dim(f.extents, f.n)))->type,
               TYPE_F64);
  cr_assert_eq(make(scalar, OP_MUL, n)->type, TYPE_REAL);
  cr_assert_eq(make(scalar, OP_MUL, read_x)->type, TYPE_REAL);
  cr_assert_eq(make(scalar, OP_MUL, read_x)->args[0]->op, OP_REAL);
  cr_assert_eq(make(n, OP_MUL, real(0.5))->type, TYPE_REAL);
  cr_assert_eq(make(whole(1), OP_DIV, n)->type, TYPE_REAL);
  cr_assert_eq(make(n, OP_ADD, whole(1))->type, TYPE_INT);
  cr_assert_eq(make(n, OP_LT, real(0.5))->type, TYPE_BOOL);
  cr_assert_eq(apply(OP_EXP, scalar)->type, TYPE_F64);
}

Test(equations_expr, constants_fold_as_literals_do) {
  cr_assert_eq(make(whole(1), OP_DIV, whole(4)), real(0.25));
  cr_assert_eq(make(real(0.1), OP_ADD, real(0.2)), real(0.1 + 0.2));
  cr_assert_eq(apply(OP_SQRT, whole(9)), real(3));
  cr_assert_eq(make(whole(2), OP_POW, whole(3)), real(8));
  cr_assert_eq(apply(OP_EXP, real(0)), real(1));
  cr_assert_eq(make(real(1), OP_LT, whole(2)), expr_true(f.exprs));
  cr_assert_eq(make(whole(1), OP_EQ, whole(2)), expr_false(f.exprs));
  cr_assert_eq(apply(OP_INT, real(-2.5)), whole(-2));
  cr_assert_eq(make(real(0), OP_DIV, real(0))->op, OP_DIV); /* not a number: left to run time */
  cr_assert_eq(make(real(1), OP_DIV, real(0)), real(INFINITY));
}

Test(equations_expr, literals_in_place_of_a_value_have_its_width) {
  const Expr *as_read = expr_select(f.exprs, expr_false(f.exprs), read_x, real(0.3));
  cr_assert_eq(as_read->type, TYPE_REAL);
  cr_assert_eq(apply(OP_EXP, as_read)->op, OP_EXP,
               "rounds otherwise in the other width or profile");
  cr_assert_eq(make(as_read, OP_MUL, real(0.1))->op, OP_MUL, "0.3f*0.1f is not 0.03f");
  cr_assert_eq(make(as_read, OP_LT, real(0.3 + 1e-9))->op, OP_LT, "equal as floats");
  cr_assert_eq(make(as_read, OP_LT, real(0.4)), expr_true(f.exprs));
  const Expr *none = apply(OP_REAL, whole(0)), *one = apply(OP_EXP, none);
  cr_assert_eq(one->number, 1);
  cr_assert_eq(one->type, TYPE_REAL);
  cr_assert_eq(make(as_read, OP_MUL, one)->number, 0.3);
}

Test(equations_expr, functions_of_numbers_are_those_of_the_runtime) {
  static const struct {
    Op op;
    double (*function)(double);
  } functions[] = {
      {OP_ABS, nnrt_abs_f64},     {OP_SIGN, nnrt_sign_f64},       {OP_FLOOR, nnrt_floor_f64},
      {OP_CEIL, nnrt_ceil_f64},   {OP_ROUND, nnrt_round_f64},     {OP_EXP, nnrt_exp_f64},
      {OP_EXPM1, nnrt_expm1_f64}, {OP_LOG, nnrt_log_f64},         {OP_LOG1P, nnrt_log1p_f64},
      {OP_SQRT, nnrt_sqrt_f64},   {OP_RSQRT, nnrt_rsqrt_f64},     {OP_SIN, nnrt_sin_f64},
      {OP_COS, nnrt_cos_f64},     {OP_TAN, nnrt_tan_f64},         {OP_ATAN, nnrt_atan_f64},
      {OP_TANH, nnrt_tanh_f64},   {OP_SIGMOID, nnrt_sigmoid_f64}, {OP_SOFTPLUS, nnrt_softplus_f64},
      {OP_ERF, nnrt_erf_f64},     {OP_LGAMMA, nnrt_lgamma_f64},   {OP_DIGAMMA, nnrt_digamma_f64},
  };
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
    cr_assert_eq(apply(functions[k].op, real(0.75)), real(functions[k].function(0.75)));
  cr_assert_eq(apply(OP_LOG, real(-1))->op, OP_LOG, "not a number: left to run time");
  cr_assert_eq(make(real(2.5), OP_POW, real(0.5)), real(nnrt_pow_f64(2.5, 0.5)));
  cr_assert_eq(make(real(2.5), OP_MIN, real(0.5)), real(0.5));
  cr_assert_eq(make(real(2.5), OP_MAX, real(0.5)), real(2.5));
}

Test(equations_expr, functions_of_whole_numbers_are_whole) {
  cr_assert_eq(make(whole(2), OP_MIN, whole(-3)), whole(-3));
  cr_assert_eq(make(whole(2), OP_MAX, whole(-3)), whole(2));
  cr_assert_eq(apply(OP_ABS, whole(-3)), whole(3));
  cr_assert_eq(apply(OP_SIGN, whole(-3)), whole(-1));
  cr_assert_eq(apply(OP_ABS, whole(INT64_MIN))->op, OP_ABS, "does not fit");
  cr_assert_eq(make(index_of(i), OP_MIN, index_of(i)), index_of(i));
  cr_assert_eq(apply(OP_INT, real(-2.75)), whole(-2));
  cr_assert_eq(apply(OP_INT, whole(5)), whole(5));
  cr_assert_eq(apply(OP_STOP, real(1.5)), real(1.5));
}

Test(equations_expr, known_conditions_choose) {
  const Expr *condition = make(read_x, OP_LT, real(0)), *yes = expr_true(f.exprs);
  cr_assert_eq(expr_select(f.exprs, yes, read_x, real(0)), read_x);
  cr_assert_eq(expr_select(f.exprs, condition, read_x, read_x), read_x);
  cr_assert_eq(make(condition, OP_AND, yes), condition);
  cr_assert_eq(make(condition, OP_OR, yes), yes);
  cr_assert_eq(make(yes, OP_AND, condition), condition);
  cr_assert_eq(apply(OP_NOT, apply(OP_NOT, condition)), condition);
  const Expr *size = expr_extent(f.exprs, extent_dim(f.extents, f.n));
  cr_assert_eq(make(whole(1), OP_LE, size), yes);
  cr_assert_eq(make(size, OP_LT, whole(1)), expr_false(f.exprs));
}

Test(equations_expr, a_walk_gives_each_node_once_operands_first) {
  const Expr *e = read_x;
  for (int k = 0; k < 100; k++) e = make(e, OP_MUL, e);
  ExprList list = expr_postorder(f.arena, &e, 1);
  cr_assert_eq(list.count, 103);
  for (int k = 1; k < list.count; k++) cr_assert_lt(list.items[k - 1]->id, list.items[k]->id);
  cr_assert(expr_uses_index(f.arena, e, j));
}

Test(equations_expr, a_chain_of_a_million_nodes_needs_no_stack) {
  const Expr *e = read_x;
  for (int k = 0; k < 300000; k++) e = make(e, OP_ADD, read_x);
  const Expr *moved =
      expr_substitute(f.exprs, f.arena, e, (const Index *[]){i}, (const Expr *[]){whole(0)}, 1);
  cr_assert_not(expr_uses_index(f.arena, moved, i));
  cr_assert(expr_uses_index(f.arena, moved, j));
}

Test(equations_expr, indices_are_replaced_all_at_once) {
  const Expr *e = make(make(index_of(i), OP_MUL, whole(2)), OP_ADD, index_of(j));
  const Index *indices[] = {i, j};
  const Expr *values[] = {index_of(j), index_of(i)};
  const Expr *swapped = expr_substitute(f.exprs, f.arena, e, indices, values, 2);
  cr_assert_eq(swapped, make(index_of(i), OP_ADD, make(whole(2), OP_MUL, index_of(j))));
  IndexList used = {0};
  expr_indices(f.arena, swapped, &used);
  cr_assert_eq(used.count, 2);
  cr_assert_eq(used.items[0], i);
}

Test(equations_expr, parentheses_are_as_few_as_the_grammar_allows) {
  const Expr *a = read_x, *b = apply(OP_EXP, read_x);
  prints(make(make(a, OP_ADD, b), OP_MUL, a), "(x[i, j] + exp(x[i, j]))*x[i, j]");
  prints(make(a, OP_SUB, make(b, OP_SUB, a)), "x[i, j] - (exp(x[i, j]) - x[i, j])");
  prints(make(make(a, OP_SUB, b), OP_SUB, a), "x[i, j] - exp(x[i, j]) - x[i, j]");
  prints(apply(OP_NEGATE, make(a, OP_POW, whole(2))), "-x[i, j]^2");
  prints(make(apply(OP_NEGATE, a), OP_POW, whole(-2)), "(-x[i, j])^(-2)");
  prints(make(a, OP_POW, make(a, OP_POW, real(0.5))), "x[i, j]^x[i, j]^0.5");
  const Expr *negative = make(a, OP_LT, real(0)), *large = make(whole(1), OP_LE, a);
  prints(apply(OP_NOT, make(negative, OP_OR, large)), "not (x[i, j] < 0 or 1 <= x[i, j])");
  prints(make(negative, OP_AND, apply(OP_NOT, large)), "x[i, j] < 0 and not 1 <= x[i, j]");
  const Expr *choice = expr_select(f.exprs, negative, real(0), a);
  prints(choice, "if x[i, j] < 0 then 0 else x[i, j]");
  prints(make(choice, OP_ADD, real(1)), "(if x[i, j] < 0 then 0 else x[i, j]) + 1");
}

Test(equations_expr, numbers_print_so_that_they_read_back) {
  prints(real(0.1), "0.1");
  prints(real(1.0 / 3), "0.3333333333333333");
  prints(real(1e-10), "1e-10");
  prints(real(2), "2.0");
  prints(real(-0.0), "-0.0");
  prints(real(INFINITY), "inf");
  prints(whole(2), "2");
  prints(make(read_x, OP_MUL, real(2)), "x[i, j]*2");
  prints(make(read_x, OP_ADD, real(-2)), "x[i, j] + (-2)");
  const Expr *positive = make(real(0), OP_LT, read_x);
  prints(expr_select(f.exprs, positive, real(1), real(0)), "if 0 < x[i, j] then 1.0 else 0.0");
}

Test(equations_expr, conversions_are_printed_where_reading_would_not_insert_them) {
  const Expr *n = apply(OP_REAL, index_of(i)),
             *size = expr_extent(f.exprs, extent_dim(f.extents, f.n));
  prints(make(whole(1), OP_DIV, size), "1/N");
  prints(make(n, OP_MUL, real(0.5)), "i*0.5");
  prints(make(n, OP_MUL, real(2)), "float(i)*2.0");
  prints(make(n, OP_ADD, n), "float(i) + float(i)");
  prints(make(n, OP_ADD, read_x), "i + x[i, j]");
  prints(apply(OP_EXP, n), "exp(i)");
  prints(n, "float(i)");
  const Expr *scalar = tensor_read(f.model, rate, NULL);
  prints(make(scalar, OP_MUL, read_x), "rate*x[i, j]");
  prints(apply(OP_EXP, apply(OP_REAL, scalar)), "exp(float(rate))");
  const Expr *truth = tensor_read(f.model, flag, (const Index *[]){i});
  prints(make(apply(OP_REAL, truth), OP_MUL, read_x), "float(flag[i])*x[i, j]");
}

Test(equations_expr, reads_print_with_their_default) {
  const Expr *subscripts[] = {index_of(i), make(index_of(j), OP_SUB, whole(1))};
  prints(expr_read(f.exprs, x, subscripts, whole(0)), "x[i, j-1 | 0]");
  subscripts[1] =
      make(make(index_of(j), OP_IDIV, whole(2)), OP_ADD, make(index_of(j), OP_MOD, whole(2)));
  prints(expr_read(f.exprs, x, subscripts, NULL), "x[i, j//2+j%2]");
  prints(expr_true(f.exprs), "0 == 0");
}
