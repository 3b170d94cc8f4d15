/* Simplification, sharing, splitting and ordering of small models, as printed equations. */
#include "calculus/calculus.h"
#include "equations_reader.h"

#include <criterion/criterion.h>

/* The equation of `name` as printed. */
static const char *printed(const Model *model, const char *name) {
  const Tensor *tensor = find_tensor(model, name);
  if (!tensor) return "none";
  Text text;
  text_init(&text, model->arena);
  equation_print(tensor->definition, &text);
  return text.bytes;
}

static Model *read_with_output(const char *text, const char *output) {
  Model *model = read_model(text);
  Tensor *value = find_tensor(model, output);
  APPEND(model->arena, &model->train.outputs, (Result){.name = value->name, .value = value});
  return model;
}

static void check_verified(const Model *model) {
  const char *broken = program_verify(model, &model->train, model->arena);
  cr_expect(!broken, "%s", broken);
}

/* y must become `expected`. */
static void check_simplified(const char *text, const char *expected) {
  Model *model = read_with_output(text, "y");
  simplify(model, &model->train, SIMPLIFY_ALGEBRA);
  check_verified(model);
  cr_expect_str_eq(printed(model, "y"), expected);
  arena_free(model->arena);
}

Test(simplify, sees_log_sum_exp_through_a_named_sum) {
  Model *model = read_with_output("input z[3, 4]\n"
                                  "e[n in 3, k in 4] = exp(z[n, k])\n"
                                  "s[n in 3] = sum[k in 4](e[n, k])\n"
                                  "y[n in 3] = log(s[n])",
                                  "y");
  simplify(model, &model->train, SIMPLIFY_STABILISE);
  check_verified(model);
  cr_expect_str_eq(printed(model, "y"), "y[n in 3] = y.lse[n]");
  cr_expect_str_eq(printed(model, "y.lse"), "y.lse[n in 3] = lse[k in 4](z[n, k])");
  cr_expect_str_eq(printed(model, "s"), "none");
  arena_free(model->arena);
}

Test(simplify, sees_softmax_and_its_logarithm) {
  Model *model = read_with_output("input z[3, 4]\n"
                                  "p[n in 3, k in 4] = exp(z[n, k])/sum[j in 4](exp(z[n, j]))\n"
                                  "y[n in 3, k in 4] = log(p[n, k])",
                                  "y");
  simplify(model, &model->train, SIMPLIFY_STABILISE);
  check_verified(model);
  cr_expect_str_eq(printed(model, "y"), "y[n in 3, k in 4] = z[n, k] - p.lse[n]");
  arena_free(model->arena);
}

Test(simplify, computes_a_variance_in_two_passes) {
  Model *model = read_with_output("input x[8, 3]\n"
                                  "m[c in 3] = sum[n in 8](x[n, c])/8\n"
                                  "q[c in 3] = sum[n in 8](x[n, c]^2)/8\n"
                                  "y[c in 3] = q[c] - m[c]^2",
                                  "y");
  simplify(model, &model->train, SIMPLIFY_STABILISE);
  check_verified(model);
  cr_expect_str_eq(printed(model, "y"), "y[c in 3] = y.sum2[c]/8");
  cr_expect_str_eq(printed(model, "y.sum2"),
                   "y.sum2[c in 3] = sum[n in 8]((x[n, c] - y.sum[c]/8)^2)");
  arena_free(model->arena);
}

Test(simplify, a_sum_of_deviations_from_the_mean_is_zero) {
  check_simplified("dim N <= 8\n input x[N]\n m = sum[n in N](x[n])/N\n y = sum[n in N](x[n] - m)",
                   "y = 0.0");
  check_simplified("input x[8]\n m = sum[n in 8](x[n])/7\n y = sum[n in 8](x[n] - m)",
                   "y = sum[n in 8](x[n] - m)");
}

Test(simplify, constant_factors_leave_a_sum) {
  check_simplified("input x[8, 3]\n input g[3]\n y[c in 3] = sum[n in 8](2*x[n, c]*g[c])",
                   "y[c in 3] = 2*g[c]*y.sum[c]");
  check_simplified("input x[8]\n y = sum[n in 8](-x[n]/4)", "y = (-0.25)*y.sum");
  check_simplified("input x[8]\n input g\n y = sum[n in 8](g)", "y = 8*g");
  check_simplified("input x[8]\n y = sum[n in 8](1/x[n])", "y = sum[n in 8](1/x[n])");
}

Test(simplify, defaults_that_ranges_decide_vanish) {
  check_simplified("input x[8]\n y[n in 8] = x[n | 3]", "y[n in 8] = x[n]");
  check_simplified("input x[8]\n y[n in 8] = x[n + 8 | 3]", "y[n in 8] = 3.0");
  check_simplified("input x[8]\n y[n in 8] = x[n + 1 | 3]", "y[n in 8] = x[n+1 | 3]");
}

Test(simplify, a_sum_with_one_term_is_the_term) {
  check_simplified("input x[3, 4]\n target t[3] : index(4)\n"
                   "y[n in 3] = sum[k in 4](if t[n] == k then x[n, k] else 0)",
                   "y[n in 3] = x[n, t[n]]");
  check_simplified("input x[9]\n y[n in 3] = sum[k in 9 if k == 2*n + 1](x[k])",
                   "y[n in 3] = x[2*n+1]");
  check_simplified("input x[2] : index(2)\n input d[2, 3]\n"
                   "y[u in 2] = sum[k in 2, r in 3 if x[k] == u and k == r](d[k, r])",
                   "y[u in 2] = sum[r in 3 if r < 2 and x[r] == u](d[r, r])");
  check_simplified("input x[4]\n y[n in 6] = sum[k in 4 if k == n](x[k])",
                   "y[n in 6] = if n < 4 then x[n] else 0");
}

Test(simplify, conditions_that_ranges_decide_vanish) {
  check_simplified("input x[8]\n y[n in 8] = if n < 8 then x[n] else 0", "y[n in 8] = x[n]");
  check_simplified("input x[8]\n y = sum[n in 8 if 0 <= n and n < 5](x[n])",
                   "y = sum[n in 8 if n < 5](x[n])");
}

Test(simplify, conditions_on_indices_bound_the_sum) {
  check_simplified("input x[8, 8]\n y[t in 8] = sum[u in 8](if u <= t then x[t, u] else 0)",
                   "y[t in 8] = sum[u in 8 if u <= t](x[t, u])");
}

Test(simplify, what_is_simple_stays) {
  Model *model = read_with_output("input x[8, 3]\n input w[3, 5]\n"
                                  "y[n in 8, k in 5] = sum[i in 3](x[n, i]*w[i, k])",
                                  "y");
  const Expr *before = find_tensor(model, "y")->definition->body;
  simplify(model, &model->train, SIMPLIFY_ALGEBRA);
  cr_expect_eq(find_tensor(model, "y")->definition->body, before);
  arena_free(model->arena);
}

Test(share, equal_equations_and_copies_become_one) {
  Model *model = read_with_output("input x[8, 3]\n"
                                  "a[c in 3] = sum[n in 8](x[n, c])\n"
                                  "b[k in 3] = sum[m in 8](x[m, k])\n"
                                  "d[i in 3] = b[i]\n"
                                  "y[c in 3] = a[c]*d[c]",
                                  "y");
  share(model, &model->train);
  check_verified(model);
  cr_expect_str_eq(printed(model, "y"), "y[c in 3] = a[c]*a[c]");
  cr_expect_eq(model->train.equations.count, 2);
  arena_free(model->arena);
}

Test(contract, three_factors_are_split_by_least_work) {
  Model *model =
      read_with_output("input a[4, 50]\n input b[50, 60]\n input d[60, 3]\n"
                       "y[i in 4, l in 3] = sum[j in 50, k in 60](a[i, j]*b[j, k]*d[k, l])",
                       "y");
  contract(model, &model->train);
  check_verified(model);
  cr_expect_str_eq(printed(model, "y"),
                   "y[i in 4, l in 3] = sum[j in 50](a[i, j]*y.product[j, l])");
  cr_expect_str_eq(printed(model, "y.product"),
                   "y.product[j in 50, l in 3] = sum[k in 60](b[j, k]*d[k, l])");
  arena_free(model->arena);
}

Test(contract, two_factors_stay) {
  Model *model = read_with_output("input a[4, 5]\n y[i in 4] = sum[j in 5](a[i, j]*a[i, j])", "y");
  contract(model, &model->train);
  cr_expect_eq(model->train.equations.count, 1);
  arena_free(model->arena);
}

static int lanes(const char *text) {
  Model *model = read_with_output(text, "y");
  arrange(model, &model->train);
  int result = find_tensor(model, "y")->definition->lanes;
  arena_free(model->arena);
  return result;
}

Test(arrange, reductions_along_memory_have_lanes) {
  cr_expect_eq(lanes("input x[64]\n y = sum[i in 64](x[i])"), 16);
  cr_expect_eq(lanes("input x[8, 64]\n input m[8]\n y[n in 8] = sum[i in 64]((x[n, i] - m[n])^2)"),
               16);
  cr_expect_eq(lanes("input x[8, 64]\n y[n in 8] = lse[i in 64](x[n, i])"), 16);
  cr_expect_eq(lanes("input x[8, 64]\n input w[64]\n y[n in 8] = sum[i in 64](x[n, i]*w[i])"), 16);
}

Test(arrange, others_are_in_sequence) {
  cr_expect_eq(lanes("input x[8, 64]\n y[n in 64] = sum[i in 8](x[i, n])"), 1);
  cr_expect_eq(lanes("input x[8, 64]\n y[n in 8] = max[i in 64](x[n, i])"), 1);
  cr_expect_eq(lanes("input x[8, 15]\n y[n in 8] = sum[i in 15](x[n, i])"), 1);
  cr_expect_eq(lanes("input x[8, 64]\n input w[32, 64]\n"
                     "y[n in 8, k in 32] = sum[i in 64](x[n, i]*w[k, i])"),
               1);
  cr_expect_eq(lanes("input x[64]\n y[n in 32] = x[n]"), 0);
}

Test(simplify, reductions_of_nothing_are_constants) {
  check_simplified("input x[3]\n y = prod[i in 3 if 1 < 0](x[i])", "y = 1.0");
  check_simplified("input x[3]\n y = sum[i in 3 if 1 < 0](x[i])", "y = 0.0");
  check_simplified("input x[3]\n y = max[i in 3 if 1 < 0](x[i])", "y = -inf");
  check_simplified("input x[3]\n y = lse[i in 3 if 1 < 0](x[i])", "y = -inf");
}
