/* Train blocks: what a step holds, and the numbers that the library's optimizers make, against the
   textbook formulas written once more in C. */
#include "../tools/front_end.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>

typedef struct Fixture {
  Arena *arena;
  FrontEnd front;
  ElaborateOptions options;
  Model *model;
} Fixture;

static Fixture fixture_of(const char *text, bool derive_it) {
  Fixture f = {.arena = arena_new()};
  front_end_init(&f.front, f.arena);
  f.model = front_end_model(&f.front, "test.nn", text, &f.options, derive_it);
  if (!f.model) diagnostics_print(f.front.diagnostics, stderr, false);
  cr_assert(f.model, "%s", text);
  return f;
}

static Tensor *find(const Model *model, const char *name) {
  for (int i = 0; i < model->tensors.count; i++)
    if (strcmp(model->tensors.items[i]->name, name) == 0) return model->tensors.items[i];
  return NULL;
}

static int count_role(const Model *model, Role role) {
  int count = 0;
  for (int i = 0; i < model->tensors.count; i++) count += model->tensors.items[i]->role == role;
  return count;
}

#define TWO_PARAMETERS                                                                             \
  "model m { param a[3] = 1 @one\n param b = 2 @two\n loss sum[i](a[i]^2) + b^2\n"

Test(train, a_step_updates_slots_and_parameters) {
  Fixture f = fixture_of(TWO_PARAMETERS "train { optimizer adam(0.1) } }", false);
  cr_assert_eq(f.model->steps.count, 1);
  const Step *step = &f.model->steps.items[0];
  cr_expect_null(step->name);
  cr_expect_not_null(step->loss);
  cr_expect_eq(step->gradients.count, 2);
  cr_expect_eq(step->updates.count, 6);
  Tensor *slot = find(f.model, "a.v");
  cr_assert(slot && slot->role == ROLE_SLOT);
  cr_expect_eq(slot->parameter, find(f.model, "a"));
  cr_expect_eq(slot->rank, 1);
  arena_free(f.arena);
}

Test(train, frozen_parameters_have_no_gradient) {
  Fixture f = fixture_of(TWO_PARAMETERS "train { optimizer adam(0.1); freeze @one } }", false);
  cr_expect_eq(f.model->steps.items[0].gradients.count, 1);
  cr_expect_null(find(f.model, "a.m"));
  cr_expect_not_null(find(f.model, "b.m"));
  arena_free(f.arena);
}

Test(train, a_group_decides_what_a_parameter_keeps) {
  Fixture f = fixture_of(TWO_PARAMETERS
                         "train { optimizer sgd(0.1, momentum = 0.9); group a { momentum = 0 } } }",
                         false);
  cr_expect_null(find(f.model, "a.v"));
  cr_expect_not_null(find(f.model, "b.v"));
  arena_free(f.arena);
}

Test(train, states_of_one_name_in_a_chain_are_numbered) {
  Fixture f = fixture_of(
      TWO_PARAMETERS "train { optimizer sgd(0.1, momentum = 0.9) |> sgd(0.1, momentum = 0.5) } }",
      false);
  cr_expect_not_null(find(f.model, "a.v"));
  cr_expect_not_null(find(f.model, "a.v2"));
  arena_free(f.arena);
}

Test(train, named_blocks_have_states_of_their_own) {
  Fixture f = fixture_of(TWO_PARAMETERS "train one { optimizer adam(0.1) }\n"
                                        "train two { optimizer adam(0.1) } }",
                         false);
  cr_assert_eq(f.model->steps.count, 2);
  cr_expect_str_eq(f.model->steps.items[1].name, "two");
  cr_expect_not_null(find(f.model, "a.one.m"));
  cr_expect_not_null(find(f.model, "a.two.m"));
  arena_free(f.arena);
}

Test(train, a_slot_that_stands_for_its_parameter_is_tagged) {
  Fixture f = fixture_of("optimizer o() { state avg = w @eval\n avg := 0.9*avg + 0.1*w }\n"
                         "model m { param a = 1\n loss a^2\n train { optimizer sgd(0.1) |> o() } }",
                         false);
  Tensor *slot = find(f.model, "a.avg");
  cr_assert_not_null(slot);
  cr_expect(tensor_has_tag(slot, name_of(f.front.names, "eval")));
  arena_free(f.arena);
}

/* ---- work ---- */

static int equations_of_layers(int layers) {
  char text[512];
  snprintf(text, sizeof text,
           "model m { dim N <= 2\n input x[N, 4]\n target y[N, 4]\n"
           "h = x |> repeat(%d, dense(4))\n loss mse(h, y) + l2(0.1)\n"
           "train { optimizer clip_norm(1) |> adam(lr = linear_decay(0.1, 0.01, 9)) } }",
           layers);
  Fixture f = fixture_of(text, false);
  cr_expect_eq(count_role(f.model, ROLE_PARAM), 2 * layers);
  int count = f.model->train.equations.count;
  arena_free(f.arena);
  return count;
}

Test(train, equations_grow_with_the_number_of_parameters) {
  int hundred = equations_of_layers(100), two_hundred = equations_of_layers(200);
  cr_expect_leq(two_hundred, 2 * hundred);
}

/* ---- numbers ---- */

/* One parameter, a, with the loss (a - 3)^2/2 and so the gradient a - 3; s, m, v start at 0. */
typedef struct State {
  double a, m, v, s;
} State;

typedef enum {
  SGD,
  DECAYED,
  MOMENTUM,
  NESTEROV,
  ADAGRAD,
  RMSPROP,
  ADAM,
  AMSGRAD,
  ADAMW,
  CLIP_VALUE,
  CLIP_NORM,
  SCHEDULE,
  PERIODIC
} Rule;

static void step_adaptive(State *x, Rule rule, double g, double t) {
  double d = rule == ADAMW ? g : g + 0.01 * x->a;
  x->m = 0.9 * x->m + (1 - 0.9) * d;
  x->v = 0.999 * x->v + (1 - 0.999) * d * d;
  x->s = rule == AMSGRAD ? fmax(x->s, x->v) : x->v;
  double unit = x->m / (1 - pow(0.9, t)) / (sqrt(x->s / (1 - pow(0.999, t))) + 1e-8);
  x->a -= 0.1 * (rule == ADAMW ? unit + 0.01 * x->a : unit);
}

static void step_by_hand(State *x, Rule rule, double t) {
  double g = x->a - 3;
  switch (rule) {
  case SGD: x->a -= 0.1 * g; break;
  case DECAYED: x->a -= 0.1 * (g + 0.5 * x->a); break;
  case MOMENTUM: x->a -= 0.1 * (x->v = 0.9 * x->v + g); break;
  case NESTEROV:
    x->v = 0.9 * x->v + g;
    x->a -= 0.1 * (g + 0.9 * x->v);
    break;
  case ADAGRAD:
    x->s += g * g;
    x->a -= 0.1 / (1 + 0.5 * (t - 1)) * g / (sqrt(x->s) + 1e-10);
    break;
  case RMSPROP:
    x->s = 0.9 * x->s + 0.1 * g * g;
    x->m = 0.9 * x->m + 0.1 * g;
    x->v = 0.5 * x->v + g / (sqrt(x->s - x->m * x->m) + 1e-8);
    x->a -= 0.1 * x->v;
    break;
  case ADAM:
  case AMSGRAD:
  case ADAMW: step_adaptive(x, rule, g, t); break;
  case CLIP_VALUE: x->a -= 0.1 * fmin(fmax(g, -0.5), 0.5); break;
  case CLIP_NORM: x->a -= 0.1 * g * fmin(1, 0.5 / (fabs(g) + 1e-6)); break;
  case SCHEDULE: x->a -= (t < 5 ? (1 - t / 5) * 0.2 + t / 5 * 0.1 : 0.1) * g; break;
  case PERIODIC: x->a -= fmod(t, 3) == 0 ? 0.2 * g : 0.1 * g; break;
  }
}

typedef struct Case {
  Rule rule;
  char optimizer[80];
} Case;

ParameterizedTestParameters(train, numbers_are_those_of_the_formula) {
  static Case cases[] = {
      {SGD, "sgd(0.1)"},
      {DECAYED, "sgd(0.1, wd = 0.5)"},
      {MOMENTUM, "sgd(0.1, momentum = 0.9)"},
      {MOMENTUM, "sgd(0.1, momentum = 0.9 + 0*step)"},
      {SGD, "sgd(0.1, momentum = 0*step)"},
      {NESTEROV, "sgd(0.1, momentum = 0.9, nesterov = true)"},
      {ADAGRAD, "adagrad(0.1, decay = 0.5)"},
      {RMSPROP, "rmsprop(0.1, decay = 0.9, momentum = 0.5, centered = true)"},
      {ADAM, "adam(0.1, wd = 0.01)"},
      {AMSGRAD, "adam(0.1, wd = 0.01, amsgrad = true)"},
      {ADAMW, "adamw(0.1, wd = 0.01)"},
      {CLIP_VALUE, "clip_value(0.5) |> sgd(0.1)"},
      {CLIP_NORM, "clip_norm(0.5) |> sgd(0.1)"},
      {CLIP_NORM, "clip_norm_each(0.5) |> sgd(0.1)"},
      {SCHEDULE, "sgd(lr = linear_decay(0.2, 0.1, 5))"},
      {PERIODIC, "twice_each_third(0.1)"},
  };
  return cr_make_param_array(Case, cases, sizeof cases / sizeof cases[0]);
}

static void take_step(Interpreter *interpreter, double *loss) {
  interpreter_begin_step(interpreter);
  bool done = interpreter_finish_step(interpreter, 0, loss);
  cr_assert(done, "%s", interpreter_error(interpreter));
}

ParameterizedTest(Case *c, train, numbers_are_those_of_the_formula) {
  char text[400];
  snprintf(text, sizeof text,
           "optimizer twice_each_third(lr) {\n w := w - lr*g\n"
           " if step == 3*floor(step/3) { w := w - lr*g } }\n"
           "model m { param a = 1\n loss 0.5*(a - 3)^2\n train { optimizer %s } }",
           c->optimizer);
  Fixture f = fixture_of(text, true);
  Interpreter *interpreter = interpreter_new(f.model, 1);
  cr_assert(interpreter_start(interpreter, NULL));
  cr_assert(interpreter_initialise(interpreter));
  State state = {.a = 1};
  for (int t = 1; t <= 12; t++) {
    double loss, expected_loss = 0.5 * (state.a - 3) * (state.a - 3);
    take_step(interpreter, &loss);
    step_by_hand(&state, c->rule, t);
    double a = interpreter_tensor(interpreter, find(f.model, "a"))->value;
    cr_expect_float_eq(loss, expected_loss, 1e-9, "%s: loss of step %d", c->optimizer, t);
    cr_expect_float_eq(a, state.a, 1e-9, "%s: %g, not %g after step %d", c->optimizer, a, state.a,
                       t);
  }
  interpreter_free(interpreter);
  arena_free(f.arena);
}
