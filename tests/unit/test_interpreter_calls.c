/* What a call of the interpreter keeps, forgets and refuses. */
#include "equations/interpreter.h"

#include "equations_fixture.h"
#include "nnrt_philox.h"

#include <criterion/criterion.h>

static Tensor *scalar(Fixture *f, TensorList *list, const char *name, Role role) {
  return tensor_new(f->model, list, name_of(f->names, name), role, TYPE_REAL, NULL, 0);
}

static const Expr *read_scalar(Fixture *f, const Tensor *tensor) {
  return expr_read(f->exprs, tensor, NULL, NULL);
}

static Interpreter *interpreter_started(Fixture *f, uint64_t seed, const int64_t *sizes) {
  Interpreter *interpreter = interpreter_new(f->model, seed);
  cr_assert(interpreter_initialise(interpreter));
  cr_assert(interpreter_start(interpreter, sizes));
  return interpreter;
}

static void end(Fixture *f, Interpreter *interpreter) {
  interpreter_free(interpreter);
  arena_free(f->arena);
}

Test(interpreter_calls, constants_and_hyper_parameters_have_their_numbers) {
  Fixture f = fixture_new();
  static const double numbers[] = {1, 2, 5};
  Axis axis = {.extent = extent_constant(f.extents, 3)};
  Tensor *table = tensor_new(f.model, &f.model->tensors, name_of(f.names, "w"), ROLE_CONST,
                             TYPE_REAL, &axis, 1);
  table->values = numbers;
  Tensor *rate = scalar(&f, &f.model->tensors, "rate", ROLE_HYPER);
  rate->initial = 0.25;
  Interpreter *interpreter = interpreter_started(&f, 1, (int64_t[]){5, 7});
  cr_assert_eq(interpreter_tensor(interpreter, table)[2].value, 5);
  cr_assert_eq(interpreter_tensor(interpreter, rate)->value, 0.25);
  end(&f, interpreter);
}

/* s := s + 1, live; u := u + 1, not. */
Test(interpreter_calls, inference_keeps_live_states_only) {
  Fixture f = fixture_new();
  Tensor *states[2];
  for (int k = 0; k < 2; k++) {
    states[k] = scalar(&f, &f.model->tensors, k ? "u" : "s", ROLE_STATE);
    Tensor *next = scalar(&f, &f.model->eval.tensors, k ? "u2" : "s2", ROLE_VALUE);
    const Expr *more =
        expr_binary(f.exprs, OP_ADD, read_scalar(&f, states[k]), expr_number(f.exprs, 1));
    equation_new(f.model, &f.model->eval, next, NULL, more);
    APPEND(f.arena, &f.model->eval.updates,
           (Update){.target = states[k], .value = next, .live = k == 0});
  }
  Interpreter *interpreter = interpreter_started(&f, 1, (int64_t[]){1, 1});
  cr_assert(interpreter_finish_inference(interpreter));
  cr_assert_eq(interpreter_tensor(interpreter, states[0])->value, 1);
  cr_assert_eq(interpreter_tensor(interpreter, states[1])->value, 0);
  end(&f, interpreter);
}

/* A value over N of a draw: the numbers of the runtime, by element of the actual extents. */
Test(interpreter_calls, draws_are_those_of_the_runtime) {
  Fixture f = fixture_new();
  Axis axes[] = {{.extent = extent_dim(f.extents, f.n)}, {.extent = extent_dim(f.extents, f.t)}};
  Tensor *u = tensor_new(f.model, &f.model->train.tensors, name_of(f.names, "u"), ROLE_VALUE,
                         TYPE_REAL, axes, 2);
  u->site = site_of("u");
  const Index *vars[] = {index_new(f.model, name_of(f.names, "n"), axes[0].extent),
                         index_new(f.model, name_of(f.names, "t"), axes[1].extent)};
  equation_new(f.model, &f.model->train, u, vars, expr_draw(f.exprs, OP_UNIFORM));
  Interpreter *interpreter = interpreter_started(&f, 42, (int64_t[]){3, 4});
  for (uint64_t step = 1; step <= 2; step++) {
    interpreter_begin_step(interpreter);
    interpreter_use_f32_draws(interpreter, step == 2);
    const Dual *values = interpreter_tensor(interpreter, u);
    for (uint64_t i = 0; i < 12; i++) {
      uint64_t number = i / 4 * (uint64_t)f.t->maximum + i % 4; /* of [i/4, i%4], whatever T is */
      double f64 = nnrt_uniform_f64(42, step, u->site, number);
      double f32 = (double)nnrt_uniform_f32(42, step, u->site, number);
      cr_assert_eq(values[i].value, step == 2 ? f32 : f64);
    }
  }
  end(&f, interpreter);
}

Test(interpreter_calls, initial_values_come_back) {
  Fixture f = fixture_new();
  Tensor *w = scalar(&f, &f.model->tensors, "w", ROLE_PARAM);
  Tensor *slot = scalar(&f, &f.model->tensors, "w.m", ROLE_SLOT);
  equation_new(f.model, &f.model->init, w, NULL, expr_number(f.exprs, 3));
  equation_new(f.model, &f.model->init, slot, NULL, read_scalar(&f, w));
  Interpreter *interpreter = interpreter_started(&f, 1, (int64_t[]){1, 1});
  cr_assert_eq(interpreter_tensor(interpreter, slot)->value, 3);
  interpreter_tensor(interpreter, w)->value = 8;
  interpreter_tensor(interpreter, slot)->value = 9;
  cr_assert(interpreter_initialise(interpreter));
  cr_assert_eq(interpreter_tensor(interpreter, w)->value, 3);
  cr_assert_eq(interpreter_tensor(interpreter, slot)->value, 3);
  end(&f, interpreter);
}

Test(interpreter_calls, a_condition_on_sizes_is_checked_at_the_start) {
  Fixture f = fixture_new();
  const Expr *n = expr_extent(f.exprs, extent_dim(f.extents, f.n));
  const Expr *t = expr_extent(f.exprs, extent_dim(f.extents, f.t));
  f.model->checks.items = arena_alloc(f.arena, 1, sizeof *f.model->checks.items);
  f.model->checks.items[0].condition = expr_binary(f.exprs, OP_LT, n, t);
  f.model->checks.items[0].text = "N must be below T";
  f.model->checks.count = f.model->checks.capacity = 1;
  Interpreter *interpreter = interpreter_new(f.model, 1);
  cr_assert(interpreter_initialise(interpreter));
  cr_assert(interpreter_start(interpreter, (int64_t[]){3, 4}));
  cr_assert(!interpreter_start(interpreter, (int64_t[]){4, 4}));
  cr_assert_str_eq(interpreter_error(interpreter), "N must be below T");
  end(&f, interpreter);
}

Test(interpreter_calls, a_tensor_without_equation_is_an_error) {
  Fixture f = fixture_new();
  Tensor *g = scalar(&f, &f.model->train.tensors, "d.w", ROLE_GRADIENT);
  Interpreter *interpreter = interpreter_started(&f, 1, (int64_t[]){1, 1});
  cr_assert_null(interpreter_tensor(interpreter, g));
  cr_assert_str_eq(interpreter_error(interpreter), "d.w has no equation");
  end(&f, interpreter);
}
