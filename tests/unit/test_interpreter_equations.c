/* The interpreter on models built by hand: reductions, lazy choice, recurrences, draws and steps. */
#include "equations/interpreter.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct Fixture {
  Arena *arena;
  Model *model;
  ExprTable *table;
} Fixture;

static Fixture fixture_new(void) {
  Fixture f = {.arena = arena_new()};
  Sources *sources = NEW(f.arena, Sources);
  sources_init(sources, f.arena);
  Names *names = names_new(f.arena);
  f.model = model_new(f.arena, names, diagnostics_new(f.arena, sources), name_of(names, "m"));
  f.table = f.model->exprs;
  return f;
}

static Name named(Fixture *f, const char *text) {
  return name_of(f->model->names, text);
}

static const Extent *size(Fixture *f, int64_t value) {
  return extent_constant(f->model->extents, value);
}

static Tensor *tensor(Fixture *f, const char *name, Role role, ValueType type, int64_t extent) {
  bool in_program = role == ROLE_VALUE || role == ROLE_GRADIENT;
  Axis axes[1] = {{.extent = extent ? size(f, extent) : NULL}};
  return tensor_new(f->model, in_program ? &f->model->train.tensors : &f->model->tensors,
                    named(f, name), role, type, axes, extent ? 1 : 0);
}

static Tensor *value(Fixture *f, const char *name, int64_t extent) {
  return tensor(f, name, ROLE_VALUE, TYPE_REAL, extent);
}

static const Index *variable(Fixture *f, const char *name, int64_t range) {
  return index_new(f->model, named(f, name), size(f, range));
}

static const Expr *of(Fixture *f, const Index *index) {
  return expr_index(f->table, index);
}

static const Expr *whole(Fixture *f, int64_t number) {
  return expr_integer(f->table, number);
}

static const Expr *read1(Fixture *f, const Tensor *t, const Expr *subscript) {
  return expr_read(f->table, t, &subscript, NULL);
}

static Equation *equation(Fixture *f, Tensor *target, const Index *const *vars, const Expr *body) {
  return equation_new(f->model, &f->model->train, target, vars, body);
}

/* target = reduction[r in range if guard](body) */
static Tensor *reduction(Fixture *f, Reduction kind, const Index *r, const Expr *guard,
                         const Expr *body) {
  Tensor *target = value(f, "reduced", 0);
  Equation *e = equation(f, target, NULL, body);
  e->reduction = kind;
  e->reduced = arena_copy(f->arena, &r, sizeof r);
  e->reduced_count = 1;
  e->guard = guard;
  return target;
}

static Interpreter *interpreter_started(Fixture *f) {
  Interpreter *interpreter = interpreter_new(f->model, 7);
  cr_assert(interpreter_initialise(interpreter));
  cr_assert(interpreter_start(interpreter, NULL));
  return interpreter;
}

static void set(Interpreter *interpreter, const Tensor *t, const double *values, int count) {
  Dual *elements = interpreter_tensor(interpreter, t);
  cr_assert_eq(interpreter_elements(interpreter, t), count);
  for (int i = 0; i < count; i++) elements[i].value = values[i];
}

/* ---- reductions -------------------------------------------------------------------------------- */

static const double sample[4] = {2, 5, 0, 5};

static Dual reduce_sample(Reduction kind, bool empty) {
  Fixture f = fixture_new();
  Tensor *x = tensor(&f, "x", ROLE_INPUT, TYPE_REAL, 4);
  const Index *r = variable(&f, "r", 4);
  const Expr *guard = empty ? expr_binary(f.table, OP_LT, of(&f, r), whole(&f, 0)) : NULL;
  const Expr *body = read1(&f, x, of(&f, r));
  if (kind == REDUCE_ANY || kind == REDUCE_ALL)
    body = expr_binary(f.table, OP_LT, expr_number(f.table, 1), body);
  Tensor *y = reduction(&f, kind, r, guard, body);
  Interpreter *interpreter = interpreter_started(&f);
  set(interpreter, x, sample, 4);
  for (int i = 0; i < 4; i++) interpreter_tensor(interpreter, x)[i].tangent = 1 << i;
  Dual *result = interpreter_tensor(interpreter, y);
  cr_assert_not_null(result, "%s", interpreter_error(interpreter));
  Dual copy = *result;
  interpreter_free(interpreter);
  arena_free(f.arena);
  return copy;
}

static void assert_dual(Dual dual, double value_expected, double tangent) {
  if (isinf(value_expected))
    cr_assert_eq(dual.value, value_expected);
  else
    cr_assert_float_eq(dual.value, value_expected, 1e-14);
  cr_assert_float_eq(dual.tangent, tangent, 1e-14);
}

Test(interpreter, reductions_have_values_and_tangents) {
  double weights = exp(2) + 2 * exp(5) + 1;
  assert_dual(reduce_sample(REDUCE_SUM, false), 12, 15);
  assert_dual(reduce_sample(REDUCE_PROD, false), 0, 4 * 50);
  assert_dual(reduce_sample(REDUCE_MAX, false), 5, 2);
  assert_dual(reduce_sample(REDUCE_MIN, false), 0, 4);
  assert_dual(reduce_sample(REDUCE_LSE, false), log(weights), (exp(2) + 10 * exp(5) + 4) / weights);
  assert_dual(reduce_sample(REDUCE_ARGMAX, false), 1, 0);
  assert_dual(reduce_sample(REDUCE_ARGMIN, false), 2, 0);
  assert_dual(reduce_sample(REDUCE_ANY, false), 1, 0);
  assert_dual(reduce_sample(REDUCE_ALL, false), 0, 0);
}

Test(interpreter, empty_reductions_have_their_neutral_values) {
  assert_dual(reduce_sample(REDUCE_SUM, true), 0, 0);
  assert_dual(reduce_sample(REDUCE_PROD, true), 1, 0);
  assert_dual(reduce_sample(REDUCE_MAX, true), -INFINITY, 0);
  assert_dual(reduce_sample(REDUCE_MIN, true), INFINITY, 0);
  assert_dual(reduce_sample(REDUCE_LSE, true), -INFINITY, 0);
  assert_dual(reduce_sample(REDUCE_ARGMAX, true), 0, 0);
  assert_dual(reduce_sample(REDUCE_ANY, true), 0, 0);
  assert_dual(reduce_sample(REDUCE_ALL, true), 1, 0);
}

Test(interpreter, lse_of_large_numbers_does_not_overflow) {
  Fixture f = fixture_new();
  const Index *r = variable(&f, "r", 3);
  const Expr *body = expr_binary(f.table, OP_MUL, expr_number(f.table, 1000), of(&f, r));
  Interpreter *interpreter = NULL;
  Tensor *y = reduction(&f, REDUCE_LSE, r, NULL, body);
  interpreter = interpreter_started(&f);
  assert_dual(*interpreter_tensor(interpreter, y), 2000, 0);
  interpreter_free(interpreter);
  arena_free(f.arena);
}

/* ---- laziness ---------------------------------------------------------------------------------- */

Test(interpreter, only_the_chosen_side_is_evaluated) {
  Fixture f = fixture_new();
  Tensor *x = tensor(&f, "x", ROLE_INPUT, TYPE_REAL, 3), *y = value(&f, "y", 5);
  const Index *i = variable(&f, "i", 5);
  const Expr *inside = expr_binary(f.table, OP_LT, of(&f, i), whole(&f, 3));
  const Expr *read = read1(&f, x, of(&f, i));
  const Expr *positive = expr_binary(f.table, OP_LT, expr_number(f.table, 0), read);
  const Expr *condition = expr_binary(f.table, OP_AND, inside, positive);
  equation(&f, y, &i, expr_select(f.table, condition, read, expr_number(f.table, -1)));
  Interpreter *interpreter = interpreter_started(&f);
  set(interpreter, x, (double[]){4, -4, 6}, 3);
  const Dual *result = interpreter_tensor(interpreter, y);
  cr_assert_not_null(result, "%s", interpreter_error(interpreter));
  const double expected[] = {4, -1, 6, -1, -1};
  for (int k = 0; k < 5; k++) cr_assert_eq(result[k].value, expected[k]);
  interpreter_free(interpreter);
  arena_free(f.arena);
}

/* x[i - 1] is wanted in both sides and in a default: one block, called from three places. */
Test(interpreter, a_shared_read_of_two_branches_runs_where_it_is_wanted) {
  Fixture f = fixture_new();
  Tensor *x = tensor(&f, "x", ROLE_INPUT, TYPE_REAL, 4), *y = value(&f, "y", 4);
  const Index *i = variable(&f, "i", 4);
  const Expr *before = expr_binary(f.table, OP_SUB, of(&f, i), whole(&f, 1));
  const Expr *shared = expr_unary(f.table, OP_EXP, read1(&f, x, before));
  const Expr *first = expr_binary(f.table, OP_EQ, of(&f, i), whole(&f, 0));
  const Expr *second = expr_binary(f.table, OP_EQ, of(&f, i), whole(&f, 1));
  const Expr *after = expr_binary(f.table, OP_ADD, of(&f, i), whole(&f, 1));
  const Expr *guarded = expr_read(f.table, x, &after, shared);
  const Expr *sum = expr_binary(f.table, OP_ADD, shared, guarded);
  const Expr *later = expr_select(f.table, second, shared, sum);
  equation(&f, y, &i, expr_select(f.table, first, expr_number(f.table, 9), later));
  Interpreter *interpreter = interpreter_started(&f);
  set(interpreter, x, (double[]){0, 1, 2, 3}, 4);
  const Dual *result = interpreter_tensor(interpreter, y);
  cr_assert_not_null(result, "%s", interpreter_error(interpreter));
  const double expected[] = {9, 1, exp(1) + 3, 2 * exp(2)};
  for (int k = 0; k < 4; k++) cr_assert_float_eq(result[k].value, expected[k], 1e-15);
  interpreter_free(interpreter);
  arena_free(f.arena);
}

Test(interpreter, a_read_out_of_range_is_an_error_that_names_it) {
  Fixture f = fixture_new();
  Tensor *x = tensor(&f, "x", ROLE_INPUT, TYPE_REAL, 3), *y = value(&f, "y", 3);
  const Index *i = variable(&f, "i", 3);
  equation(&f, y, &i, read1(&f, x, expr_binary(f.table, OP_ADD, of(&f, i), whole(&f, 1))));
  Interpreter *interpreter = interpreter_started(&f);
  cr_assert_null(interpreter_tensor(interpreter, y));
  cr_assert_str_eq(interpreter_error(interpreter), "y[2] reads x[3], which is out of range");
  interpreter_free(interpreter);
  arena_free(f.arena);
}

Test(interpreter, a_broken_promise_is_an_error) {
  Fixture f = fixture_new();
  Tensor *t = tensor(&f, "t", ROLE_TARGET, TYPE_INT, 2), *y = value(&f, "y", 2);
  t->low = size(&f, 0);
  t->high = size(&f, 3);
  const Index *i = variable(&f, "i", 2);
  equation(&f, y, &i, expr_unary(f.table, OP_REAL, read1(&f, t, of(&f, i))));
  Interpreter *interpreter = interpreter_started(&f);
  set(interpreter, t, (double[]){2, 3}, 2);
  cr_assert_null(interpreter_tensor(interpreter, y));
  cr_assert_str_eq(interpreter_error(interpreter), "t[1] is 3, outside its promise 0 .. 2");
  interpreter_forget(interpreter);
  set(interpreter, t, (double[]){2, 0}, 2);
  cr_assert_not_null(interpreter_tensor(interpreter, y));
  interpreter_free(interpreter);
  arena_free(f.arena);
}

/* ---- order ------------------------------------------------------------------------------------- */

/* y[t] = y[t + direction | x[t]] + 1 */
static double last_of_recurrence(int direction, int64_t length, int64_t at) {
  Fixture f = fixture_new();
  Tensor *y = value(&f, "y", length);
  const Index *t = variable(&f, "t", length);
  const Expr *other = expr_binary(f.table, OP_ADD, of(&f, t), whole(&f, direction));
  const Expr *read = expr_read(f.table, y, &other, expr_number(f.table, 0));
  equation(&f, y, &t, expr_binary(f.table, OP_ADD, read, expr_number(f.table, 1)));
  Interpreter *interpreter = interpreter_started(&f);
  double result = interpreter_tensor(interpreter, y)[at].value;
  interpreter_free(interpreter);
  arena_free(f.arena);
  return result;
}

Test(interpreter, recurrences_run_in_either_direction) {
  cr_assert_eq(last_of_recurrence(-1, 100000, 99999), 100000);
  cr_assert_eq(last_of_recurrence(1, 100000, 0), 100000);
}

Test(interpreter, a_cycle_is_an_error_that_names_the_tensors) {
  Fixture f = fixture_new();
  Tensor *a = value(&f, "a", 2), *b = value(&f, "b", 2);
  const Index *i = variable(&f, "i", 2), *j = variable(&f, "j", 2);
  equation(&f, a, &i, read1(&f, b, of(&f, i)));
  equation(&f, b, &j, read1(&f, a, of(&f, j)));
  Interpreter *interpreter = interpreter_started(&f);
  cr_assert_null(interpreter_tensor(interpreter, a));
  const char *error = interpreter_error(interpreter);
  cr_assert(strstr(error, "circular equations: ") == error && strstr(error, "a[0] needs b[0]"),
            "%s", error);
  interpreter_free(interpreter);
  arena_free(f.arena);
}

Test(interpreter, tensors_that_alternate_are_no_cycle) {
  Fixture f = fixture_new();
  Tensor *a = value(&f, "a", 6), *b = value(&f, "b", 6);
  const Index *i = variable(&f, "i", 6), *j = variable(&f, "j", 6);
  const Expr *before = expr_binary(f.table, OP_SUB, of(&f, i), whole(&f, 1));
  equation(&f, a, &i, expr_read(f.table, b, &before, expr_number(f.table, 1)));
  const Expr *doubled =
      expr_binary(f.table, OP_MUL, expr_number(f.table, 2), read1(&f, a, of(&f, j)));
  equation(&f, b, &j, doubled);
  Interpreter *interpreter = interpreter_started(&f);
  cr_assert_eq(interpreter_tensor(interpreter, b)[5].value, 64);
  interpreter_free(interpreter);
  arena_free(f.arena);
}

Test(interpreter, five_thousand_layers_do_not_recurse) {
  Fixture f = fixture_new();
  Tensor *before = tensor(&f, "x", ROLE_INPUT, TYPE_REAL, 2);
  for (int layer = 0; layer < 5000; layer++) {
    Tensor *after = value(&f, "h", 2);
    const Index *i = variable(&f, "i", 2);
    const Expr *read = read1(&f, before, of(&f, i));
    equation(&f, after, &i, expr_binary(f.table, OP_ADD, read, expr_number(f.table, 1)));
    before = after;
  }
  Interpreter *interpreter = interpreter_started(&f);
  cr_assert_eq(interpreter_tensor(interpreter, before)[1].value, 5000);
  interpreter_free(interpreter);
  arena_free(f.arena);
}

/* ---- steps ------------------------------------------------------------------------------------- */

/* loss = (w - 3)^2 and the update w := w - 0.1*2*(w - 3); a state counts the steps. */
Test(interpreter, updates_are_committed_together) {
  Fixture f = fixture_new();
  Tensor *w = tensor(&f, "w", ROLE_PARAM, TYPE_REAL, 0),
         *n = tensor(&f, "n", ROLE_STATE, TYPE_REAL, 0);
  Tensor *loss = value(&f, "loss", 0), *next = value(&f, "next", 0), *more = value(&f, "more", 0);
  const Expr *error =
      expr_binary(f.table, OP_SUB, expr_read(f.table, w, NULL, NULL), expr_number(f.table, 3));
  equation(&f, loss, NULL, expr_binary(f.table, OP_MUL, error, error));
  const Expr *change = expr_binary(f.table, OP_MUL, expr_number(f.table, 0.2), error);
  equation(&f, next, NULL, expr_binary(f.table, OP_SUB, expr_read(f.table, w, NULL, NULL), change));
  equation(&f, more, NULL,
           expr_binary(f.table, OP_ADD, expr_read(f.table, n, NULL, NULL),
                       expr_read(f.table, w, NULL, NULL)));
  Step step = {.loss = loss};
  APPEND(f.arena, &step.updates, (Update){.target = w, .value = next});
  APPEND(f.arena, &f.model->steps, step);
  APPEND(f.arena, &f.model->train.updates, (Update){.target = n, .value = more});
  Interpreter *interpreter = interpreter_started(&f);
  double values[2];
  for (int k = 0; k < 2; k++) {
    interpreter_begin_step(interpreter);
    cr_assert(interpreter_finish_step(interpreter, 0, &values[k]));
  }
  cr_assert_eq(values[0], 9);
  cr_assert_float_eq(values[1], 2.4 * 2.4, 1e-14);
  cr_assert_float_eq(interpreter_tensor(interpreter, w)->value, 3 - 0.64 * 3, 1e-14);
  cr_assert_float_eq(interpreter_tensor(interpreter, n)->value, 0.6, 1e-14);
  interpreter_free(interpreter);
  arena_free(f.arena);
}

/* ---- initial values ---------------------------------------------------------------------------- */

static Tensor *drawn_parameter(Fixture *f, Op draw, int64_t rows, int64_t columns) {
  Axis axes[2] = {{.extent = size(f, rows)}, {.extent = size(f, columns)}};
  Tensor *w =
      tensor_new(f->model, &f->model->tensors, named(f, "w"), ROLE_PARAM, TYPE_REAL, axes, 2);
  const Index *vars[] = {variable(f, "i", rows), variable(f, "j", columns)};
  w->site = 17;
  equation_new(f->model, &f->model->init, w, vars, expr_draw(f->table, draw));
  return w;
}

static void assert_orthonormal(int64_t rows, int64_t columns) {
  Fixture f = fixture_new();
  Tensor *w = drawn_parameter(&f, OP_NORMAL, rows, columns);
  w->orthogonal_gain = 2;
  Interpreter *interpreter = interpreter_started(&f);
  const Dual *m = interpreter_tensor(interpreter, w);
  bool by_row = rows <= columns;
  int64_t count = by_row ? rows : columns, length = by_row ? columns : rows;
  for (int64_t a = 0; a < count; a++) {
    for (int64_t b = 0; b < count; b++) {
      double sum = 0;
      for (int64_t k = 0; k < length; k++)
        sum += by_row ? m[a * columns + k].value * m[b * columns + k].value
                      : m[k * columns + a].value * m[k * columns + b].value;
      cr_assert_float_eq(sum, a == b ? 4 : 0, 1e-13);
    }
  }
  interpreter_free(interpreter);
  arena_free(f.arena);
}

Test(interpreter, orthogonal_values_are_orthonormal_times_gain) {
  assert_orthonormal(3, 5);
  assert_orthonormal(5, 3);
  assert_orthonormal(4, 4);
}

Test(interpreter, draws_have_the_moments_of_their_distribution) {
  const struct {
    Op draw;
    double mean, variance;
  } cases[] = {{OP_UNIFORM, 0.5, 1. / 12}, {OP_NORMAL, 0, 1}};
  for (int c = 0; c < 2; c++) {
    Fixture f = fixture_new();
    Tensor *w = drawn_parameter(&f, cases[c].draw, 100, 200);
    Interpreter *interpreter = interpreter_started(&f);
    const Dual *m = interpreter_tensor(interpreter, w);
    double sum = 0, squares = 0;
    for (int i = 0; i < 20000; i++) sum += m[i].value, squares += m[i].value * m[i].value;
    double mean = sum / 20000;
    cr_assert_float_eq(mean, cases[c].mean, 0.03);
    cr_assert_float_eq(squares / 20000 - mean * mean, cases[c].variance, 0.04);
    interpreter_free(interpreter);
    arena_free(f.arena);
  }
}

/* ---- run-time sizes ---------------------------------------------------------------------------- */

Test(interpreter, a_state_keeps_what_a_smaller_batch_does_not_reach) {
  Fixture f = fixture_new();
  Dim *dim = NEW(f.arena, Dim);
  *dim = (Dim){.name = named(&f, "N"), .maximum = 3};
  APPEND(f.arena, &f.model->dims, dim);
  Axis axis = {.extent = extent_dim(f.model->extents, dim)};
  Tensor *s =
      tensor_new(f.model, &f.model->tensors, named(&f, "s"), ROLE_STATE, TYPE_REAL, &axis, 1);
  Tensor *next = tensor_new(f.model, &f.model->train.tensors, named(&f, "next"), ROLE_VALUE,
                            TYPE_REAL, &axis, 1);
  const Index *n = index_new(f.model, named(&f, "n"), axis.extent);
  const Expr *sum =
      expr_binary(f.table, OP_ADD, read1(&f, s, of(&f, n)), expr_extent(f.table, axis.extent));
  equation(&f, next, &n, sum);
  Tensor *loss = value(&f, "loss", 0);
  equation(&f, loss, NULL, expr_number(f.table, 0));
  APPEND(f.arena, &f.model->steps, (Step){.loss = loss});
  APPEND(f.arena, &f.model->train.updates, (Update){.target = s, .value = next});
  Interpreter *interpreter = interpreter_new(f.model, 1);
  cr_assert(interpreter_initialise(interpreter));
  for (int64_t size_now = 3; size_now >= 2; size_now--) {
    double ignored;
    cr_assert(interpreter_start(interpreter, &size_now));
    interpreter_begin_step(interpreter);
    cr_assert(interpreter_finish_step(interpreter, 0, &ignored));
    cr_assert_eq(interpreter_elements(interpreter, next), size_now);
  }
  const Dual *state = interpreter_tensor(interpreter, s);
  cr_assert_eq(state[0].value, 5);
  cr_assert_eq(state[2].value, 3);
  cr_assert(!interpreter_start(interpreter, (int64_t[]){4}));
  cr_assert_str_eq(interpreter_error(interpreter), "dim N is 4, outside 1 .. 3");
  interpreter_free(interpreter);
  arena_free(f.arena);
}
