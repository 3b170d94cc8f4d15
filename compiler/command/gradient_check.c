/* Gradients of a train block against two oracles that know nothing of how they were derived.

   Dual numbers: along a direction u of the parameters, the interpreter's tangent of the loss is J u by rules
   of its own; it must be <g, u> to 1e-10. Central differences of the loss: to 1e-6, with
   h = cbrt(eps) max(1, |x|). Both are relative to the sum of |g u|; a loss that is large beside that sum
   leaves its own rounding. Every parameter has a direction of its own and all have one together. */
#include "command/gradient_check.h"

#include "equations/interpreter.h"

#include <math.h>

typedef struct GradientCheck {
  Arena *arena;
  Interpreter *interpreter;
  const Model *model;
  const Step *step;
  int64_t *sizes;            /* of the run-time dims, by their number */
  double *const *gradients;  /* of the step, copied */
  double *const *directions; /* likewise, 0 where a parameter stands still */
  bool stops;                /* the model says stop(..) somewhere: differences do not stop there */
  const char *detail;        /* the first failure; null: none */
} GradientCheck;

/* Steele, Lea & Flood's splitmix64: in (-1, 1). */
static double next_random(uint64_t *state) {
  uint64_t x = *state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  x ^= x >> 31;
  return (double)(int64_t)(x >> 11) * 0x1p-52 - 1 + 0x1p-53;
}

/* ---- values ------------------------------------------------------------------------------------ */

static void set_whole_numbers(const GradientCheck *check, const Tensor *tensor, uint64_t *random) {
  int64_t low = tensor->low ? extent_evaluate(tensor->low, check->sizes) : 0;
  int64_t high = tensor->low ? extent_evaluate(tensor->high, check->sizes) : 2;
  Dual *values = interpreter_tensor(check->interpreter, tensor);
  for (int64_t i = 0; i < interpreter_elements(check->interpreter, tensor); i++) {
    double share = (next_random(random) + 1) / 2;
    values[i].value = (double)low + floor(share * (double)(high - low));
  }
}

static void add_noise(const GradientCheck *check, const Tensor *tensor, double size,
                      uint64_t *random) {
  Dual *values = interpreter_tensor(check->interpreter, tensor);
  for (int64_t i = 0; i < interpreter_elements(check->interpreter, tensor); i++)
    values[i].value += size * next_random(random);
}

/* Inputs anywhere in (-1, 1); parameters and states off the round numbers they start at. */
static void set_values(const GradientCheck *check, uint64_t *random) {
  for (int i = 0; i < check->model->tensors.count; i++) {
    const Tensor *tensor = check->model->tensors.items[i];
    bool given = tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
    if (given && tensor->type != TYPE_REAL)
      set_whole_numbers(check, tensor, random);
    else if (given)
      add_noise(check, tensor, 1, random);
    else if ((tensor->role == ROLE_PARAM || tensor->role == ROLE_STATE) &&
             tensor->type == TYPE_REAL)
      add_noise(check, tensor, 0.05, random);
  }
}

/* ---- one direction ----------------------------------------------------------------------------- */

static int64_t parameter_size(const GradientCheck *check, int k) {
  return interpreter_elements(check->interpreter, check->step->gradients.items[k].with_respect_to);
}

static Dual *parameter_values(const GradientCheck *check, int k) {
  return interpreter_tensor(check->interpreter, check->step->gradients.items[k].with_respect_to);
}

static void move_parameters(const GradientCheck *check, double distance, double tangent) {
  for (int k = 0; k < check->step->gradients.count; k++) {
    Dual *values = parameter_values(check, k);
    for (int64_t i = 0; i < parameter_size(check, k); i++) {
      values[i].value += distance * check->directions[k][i];
      values[i].tangent = tangent * check->directions[k][i];
    }
  }
}

/* The loss with every parameter moved by `distance` along its direction, and its tangent there. */
static Dual loss_along(const GradientCheck *check, double distance) {
  move_parameters(check, distance, 1);
  interpreter_forget(check->interpreter);
  const Dual *loss = interpreter_tensor(check->interpreter, check->step->loss);
  Dual result = loss ? *loss : (Dual){NAN, NAN};
  move_parameters(check, -distance, 0);
  return result;
}

static void compare(GradientCheck *check, const char *oracle, const char *which, double found,
                    double expected, double allowed) {
  if (!(fabs(found - expected) <= allowed) && !check->detail)
    check->detail = arena_format(check->arena, "%s: along a random direction %.9g, by %s %.9g",
                                 which, found, oracle, expected);
}

static void check_direction(GradientCheck *check, const char *which) {
  double product = 0, size = 0, h = 6.0554544523933429e-6; /* cbrt(2^-52) */
  for (int k = 0; k < check->step->gradients.count; k++) {
    for (int64_t i = 0; i < parameter_size(check, k); i++) {
      double term = check->gradients[k][i] * check->directions[k][i];
      product += term;
      size += fabs(term);
    }
  }
  Dual loss = loss_along(check, 0);
  double rounding = isinf(loss.value) ? 1 : fmax(fabs(loss.value), 1);
  compare(check, "dual numbers", which, product, loss.tangent, 1e-10 * (size + 1e-4 * rounding));
  if (check->stops || isinf(loss.value)) return; /* no differences */
  double above = loss_along(check, h).value, below = loss_along(check, -h).value;
  compare(check, "central differences", which, product, (above - below) / (2 * h),
          1e-6 * size + 1e-9 * rounding);
}

/* ---- all directions ---------------------------------------------------------------------------- */

static void set_direction(const GradientCheck *check, int k, bool moves, uint64_t *random) {
  const Dual *values = parameter_values(check, k);
  for (int64_t i = 0; i < parameter_size(check, k); i++)
    check->directions[k][i] = moves ? next_random(random) * fmax(1, fabs(values[i].value)) : 0;
}

static bool copy_gradients(GradientCheck *check) {
  int count = check->step->gradients.count;
  double **gradients = NEW_ARRAY(check->arena, double *, count + 1);
  double **directions = NEW_ARRAY(check->arena, double *, count + 1);
  for (int k = 0; k < count; k++) {
    const Tensor *result = check->step->gradients.items[k].result;
    const Dual *values = interpreter_tensor(check->interpreter, result);
    if (!values) return false;
    gradients[k] = NEW_ARRAY(check->arena, double, parameter_size(check, k));
    directions[k] = NEW_ARRAY(check->arena, double, parameter_size(check, k));
    for (int64_t i = 0; i < parameter_size(check, k); i++) gradients[k][i] = values[i].value;
  }
  check->gradients = gradients;
  check->directions = directions;
  return true;
}

static void check_all_directions(GradientCheck *check, uint64_t *random) {
  int count = check->step->gradients.count;
  for (int moving = 0; moving <= count; moving++) {
    for (int k = 0; k < count; k++) set_direction(check, k, moving == count || moving == k, random);
    check_direction(check, moving == count
                               ? "all parameters"
                               : check->step->gradients.items[moving].with_respect_to->name);
  }
}

static bool uses_stop(Arena *arena, const Program *program) {
  for (int i = 0; i < program->equations.count; i++) {
    ExprList list = expr_postorder(arena, &program->equations.items[i]->body, 1);
    for (int k = 0; k < list.count; k++)
      if (list.items[k]->op == OP_STOP) return true;
  }
  return false;
}

const char *gradient_check(Arena *arena, Model *model, int block, uint64_t seed) {
  uint64_t random = seed;
  GradientCheck check = {.arena = arena, .model = model, .step = &model->steps.items[block]};
  check.stops = uses_stop(arena, &model->train);
  check.interpreter = interpreter_new(model, seed);
  check.sizes = NEW_ARRAY(arena, int64_t, model->dims.count);
  for (int i = 0; i < model->dims.count; i++)
    check.sizes[i] = model->dims.items[i]->maximum < 3 ? model->dims.items[i]->maximum : 3;
  if (interpreter_initialise(check.interpreter) &&
      interpreter_start(check.interpreter, check.sizes)) {
    set_values(&check, &random);
    interpreter_begin_step(check.interpreter);
    if (copy_gradients(&check)) check_all_directions(&check, &random);
  }
  if (!check.detail && interpreter_error(check.interpreter))
    check.detail = arena_format(arena, "%s", interpreter_error(check.interpreter));
  interpreter_free(check.interpreter);
  return check.detail;
}
