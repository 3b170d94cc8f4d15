/* Derivatives of small models against dual numbers: for a random direction v of all parameters,
   the tangent of the loss must be the sum of gradient times v. */
#include "calculus/calculus.h"
#include "equations_reader.h"

#include <criterion/criterion.h>
#include <math.h>

static void check_verified(const Model *model) {
  if (diagnostics_error_count(model->diagnostics) > 0)
    diagnostics_print(model->diagnostics, stderr, false);
  cr_assert_eq(diagnostics_error_count(model->diagnostics), 0);
  const char *broken = program_verify(model, &model->train, model->arena);
  cr_assert(!broken, "%s", broken);
}

static double gradient_along(Interpreter *interpreter, const GradientList *gradients) {
  double along = 0;
  for (int i = 0; i < gradients->count; i++) {
    const Gradient *g = &gradients->items[i];
    const Dual *result = interpreter_tensor(interpreter, g->result);
    const Dual *wanted = interpreter_tensor(interpreter, g->with_respect_to);
    cr_assert(result, "%s: %s", g->result->name, interpreter_error(interpreter));
    for (int64_t k = interpreter_elements(interpreter, g->result) - 1; k >= 0; k--)
      along += result[k].value * wanted[k].tangent;
  }
  return along;
}

static void check_direction(Model *model, unsigned seed) {
  const Step *step = &model->steps.items[0];
  int64_t sizes[8];
  for (int i = 0; i < model->dims.count; i++)
    sizes[i] = seed % 2 ? model->dims.items[i]->maximum : 1 + seed % model->dims.items[i]->maximum;
  Interpreter *interpreter = interpreter_new(model, 1);
  cr_assert(interpreter_initialise(interpreter), "%s", interpreter_error(interpreter));
  cr_assert(interpreter_start(interpreter, sizes), "%s", interpreter_error(interpreter));
  fill_tensors(interpreter, model, seed, true);
  interpreter_forget(interpreter);
  const Dual *loss = interpreter_tensor(interpreter, step->loss);
  cr_assert(loss, "%s", interpreter_error(interpreter));
  double tangent = loss->tangent, along = gradient_along(interpreter, &step->gradients);
  double scale = fabs(tangent) + fabs(along) + 1e-3;
  cr_assert(fabs(tangent - along) <= 1e-10 * scale, "dual %.17g, gradient %.17g", tangent, along);
  interpreter_free(interpreter);
}

/* Differentiates `l` by every parameter. */
static Model *derived(const char *text) {
  Model *model = read_model(text);
  for (int i = 0; i < model->tensors.count; i++)
    if (model->tensors.items[i]->role == ROLE_PARAM)
      request_gradient(model, "l", model->tensors.items[i]->name);
  derive(model);
  check_verified(model);
  return model;
}

static void check_gradient(const char *text) {
  Model *model = derived(text);
  for (unsigned seed = 1; seed <= 4; seed++) check_direction(model, seed);
  arena_free(model->arena);
}

static const char *printed(const Model *model, const char *name) {
  Text text;
  text_init(&text, model->arena);
  equation_print(find_tensor(model, name)->definition, &text);
  return text.bytes;
}

Test(derive, dense_layer_has_clean_gradients) {
  Model *model = derived("param x[5, 4] = 0\n param W[4, 3] = 0\n param b[3] = 0\n"
                         "z[n in 5, k in 3] = sum[i in 4](x[n, i]*W[i, k])\n"
                         "y[n in 5, k in 3] = z[n, k] + b[k]\n"
                         "l = sum[n in 5, k in 3](y[n, k]^2)\n loss l");
  cr_expect_str_eq(printed(model, "d.W"), "d.W[i in 4, k in 3] = sum[n in 5](x[n, i]*d.z[n, k])");
  cr_expect_str_eq(printed(model, "d.x"), "d.x[n in 5, i in 4] = sum[k in 3](d.z[n, k]*W[i, k])");
  cr_expect_str_eq(printed(model, "d.b"), "d.b[k in 3] = sum[n in 5](d.y[n, k])");
  for (unsigned seed = 1; seed <= 4; seed++) check_direction(model, seed);
}

Test(derive, windows_of_any_stride_and_padding) {
  check_gradient("param x[2, 9] = 0\n param w[3] = 0\n"
                 "y[n in 2, p in 9] = sum[r in 3](x[n, p + r - 1 | 0]*w[r])\n"
                 "l = sum[n in 2, p in 9](y[n, p]^3)\n loss l");
  check_gradient("param x[2, 9] = 0\n param w[3] = 0\n"
                 "y[n in 2, p in 5] = sum[r in 3](x[n, 2*p + r - 1 | 0]*w[r])\n"
                 "l = sum[n in 2, p in 5](y[n, p]^3)\n loss l");
  check_gradient("param x[2, 9] = 0\n param w[2] = 0\n"
                 "y[n in 2, p in 3] = sum[r in 2](x[n, 3*p + r + 1]*w[r])\n"
                 "l = sum[n in 2, p in 3](y[n, p]^3)\n loss l");
  check_gradient("param x[2, 9] = 0\n param w[3] = 0\n"
                 "y[n in 2, p in 3] = sum[r in 3](x[n, p + 3*r | 0.5]*w[r])\n"
                 "l = sum[n in 2, p in 3](y[n, p]^3)\n loss l");
  check_gradient("param x[9] = 0\n y[p in 4] = x[2*p + 1]\n"
                 "l = sum[p in 4](y[p]^3)\n loss l");
  check_gradient("param x[9] = 0\n y[p in 4] = x[8 - 2*p]\n"
                 "l = sum[p in 4](y[p]^3)\n loss l");
  check_gradient("param x[9] = 0\n y[p in 3, q in 2] = x[4*p - 2*q | 0]\n"
                 "l = sum[p in 3, q in 2](y[p, q]^3)\n loss l");
}

Test(derive, composites_and_quotients) {
  check_gradient("param x[4, 6] = 0\n y[n in 4, a in 2, e in 3] = x[n, (a, e)]\n"
                 "l = sum[n in 4, a in 2, e in 3](y[n, a, e]^3*(a + 2*e + 1))\n loss l");
  check_gradient("param x[4, 2, 3] = 0\n y[n in 4, (a in 2, e in 3)] = x[n, a, e]\n"
                 "l = sum[n in 4, u in 6](y[n, u]^3*(u + 1))\n loss l");
  check_gradient("param x[2, 3] = 0\n y[u in 6] = x[u//3, u % 3]\n"
                 "l = sum[u in 6](y[u]^3*(u + 1))\n loss l");
  check_gradient("param x[3] = 0\n y[u in 8] = x[u//3]\n"
                 "l = sum[u in 8](y[u]^3*(u + 1))\n loss l");
  check_gradient("param x[3] = 0\n y[u in 8] = x[(u + 1) % 3]\n"
                 "l = sum[u in 8](y[u]^3*(u + 1))\n loss l");
  check_gradient("dim N <= 5\n param x[N, 3] = 0\n y[u in 3*N] = x[u//3, u % 3]\n"
                 "l = sum[u in 3*N](y[u]^3*(u + 1))\n loss l");
  check_gradient("dim N <= 5\n param x[3*N] = 0\n y[a in 3, n in N] = x[(a, n)]\n"
                 "l = sum[a in 3, n in N](y[a, n]^3*(a + 2*n))\n loss l");
}

Test(derive, constants_diagonals_and_missing_variables) {
  check_gradient("param x[4, 4] = 0\n y[i in 4] = x[i, i] + x[1, i]\n"
                 "l = sum[i in 4](y[i]^3)\n loss l");
  check_gradient(
      "param b = 0\n param x[3] = 0\n l = sum[n in 5, k in 3](b*x[k] + x[2]^2)\n loss l");
  check_gradient("dim N <= 7\n param b = 0\n l = sum[n in N](sin(b))\n loss l");
  check_gradient(
      "param z[2, 4] = 0\n y[n in 2] = tanh(z[n, 0])*sigmoid(z[n, 1]) + z[n, 2]/exp(z[n, 3])\n"
      "l = sum[n in 2](y[n]^2)\n loss l");
  check_gradient("param x[6] = 0\n y[i in 4] = x[i]*x[i + 2]\n"
                 "l = sum[i in 4 if i < 3](y[i]^2)\n loss l");
}

Test(derive, cases_outside_the_range_of_their_index) {
  check_gradient("param p[1] = 0\n param q[2] = 0\n"
                 "x[i in 1] = if i == 1 then sin(p[i]) else 0.5\n"
                 "y[i in 2] = if i == 1 then sin(q[i]) else 0.5\n"
                 "z[i in 2] = if i == 2 then exp(q[i]) else 0.5\n"
                 "l = sum[i in 1](x[i] + p[i]) + sum[i in 2](y[i]*z[i])\n loss l");
}

Test(derive, gathered_reads) {
  check_gradient("target t[5] : index(3)\n param z[5, 3] = 0\n y[n in 5] = z[n, t[n]]\n"
                 "l = sum[n in 5](y[n]^3)\n loss l");
  check_gradient("input t[2, 5] : index(4)\n param E[4, 3] = 0\n"
                 "y[n in 2, s in 5, d in 3] = E[t[n, s], d]\n"
                 "l = sum[n in 2, s in 5, d in 3](y[n, s, d]^3)\n loss l");
  check_gradient("input t[5] : index(9)\n param E[4] = 0\n param d[5] = 0\n"
                 "y[n in 5] = E[t[n] - 2 | d[n]]\n l = sum[n in 5](y[n]^3)\n loss l");
}

Test(derive, defaults_receive_what_falls_outside) {
  check_gradient("param x[5, 2] = 0\n param h0[2] = 0\n y[t in 5, k in 2] = x[t - 1, k | h0[k]]\n"
                 "l = sum[t in 5, k in 2](y[t, k]^3)\n loss l");
}

Test(derive, recurrences) {
  check_gradient("dim T <= 5\n param x[T, 2] = 0\n param W[2, 2] = 0\n param h0[2] = 0\n"
                 "z[t in T, k in 2] = sum[j in 2](h[t - 1, j | h0[j]]*W[j, k])\n"
                 "h[t in T, k in 2] = tanh(z[t, k] + x[t, k])\n"
                 "l = sum[t in T, k in 2](h[t, k]^2)\n loss l");
  check_gradient(
      "param x[6] = 0\n param a = 0\n h[t in 6] = x[t] + a*h[t + 1 | 0] + h[t + 2 | x[t]]*x[t]\n"
      "l = sum[t in 6](h[t]^2)\n loss l");
}

Test(derive, reductions) {
  check_gradient(
      "param x[4, 5] = 0\n m[n in 4] = max[k in 5](x[n, k]^2)\n l = sum[n in 4](m[n]^2)\n loss l");
  check_gradient("param x[4, 5] = 0\n m[n in 4] = min[k in 5 if k > 1](x[n, k])\n l = sum[n in "
                 "4](m[n]^2)\n loss l");
  check_gradient("param x[4, 5] = 0\n m[n in 4] = lse[k in 5 if k <= n](x[n, k])\n l = sum[n in "
                 "4](m[n]^2)\n loss l");
  check_gradient("param x[4, 2, 3] = 0\n m[n in 4] = prod[k in 2, j in 3](x[n, k, j])\n l = sum[n "
                 "in 4](m[n]^2)\n loss l");
  check_gradient(
      "param x[4] = 0\n m = prod[k in 4](x[k] - x[0])\n l = m + sum[k in 4](x[k])\n loss l");
}
