/* random_models: the oracles of tests/fuzz/models that need the interpreter.

     random_models MODEL.nn...      one model a file; one line of JSON for each
     random_models --shaken=N ...   the same with real values that are off by N*1e-13 of themselves
     random_models --list           every word that "covered" may hold (random_coverage.h)

   Each model is taken twice: as written, with plain derivatives, and after all passes on equations. Both are
   run on the same values, drawn here, of inputs, parameters and states (rounded to float, so that programs
   of either real type can be given the same), with all run-time dims at their maxima and at other sizes.

     {"file": NAME, "problems": [TEXT, ...], "errors": TEXT of the compiler's diagnostics,
      "covered": {WORD: true, ..}, "rows": what random_rows.h finds, at the maxima,
      "runs": [{"sizes": {..}, "set": {NAME: [..]}, "train": {..}, "eval": {..}, "gradients": {..},
                "losses": [..], "kept": {..}}, ...]}

   train and eval hold the loss and the outputs; losses are those of a few training steps and kept the
   parameters, states and slots after them. */
#include "front_end.h"
#include "random_coverage.h"
#include "random_rows.h"

#include <math.h>

enum { STEPS = 2 };

static double shaking; /* by how much of themselves values are off */

typedef struct Variant {
  FrontEnd front;
  Model *model;
  Interpreter *interpreter;
  bool simplified;
} Variant;

typedef struct Session {
  Arena *arena;
  const char *path, *text;
  Variant variants[2]; /* as written; simplified */
  json_t *result, *problems, *covered, *runs;
} Session;

static void add_problem(Session *s, const char *text) {
  json_array_append_new(s->problems, json_string(text));
}

/* ---- compiling --------------------------------------------------------------------------------- */

static void run_last_passes(Model *model) {
  Program *programs[] = {&model->init, &model->train, &model->eval};
  for (int i = 0; i < 3; i++) arrange(model, programs[i]);
}

/* Inversion is covered by the plain derivatives of what was written. */
static bool compile_variant(Session *s, int k) {
  Variant *variant = &s->variants[k];
  ElaborateOptions options = {0};
  covered = k == 0 ? s->covered : NULL;
  variant->simplified = k == 1;
  front_end_init(&variant->front, s->arena);
  variant->model = front_end_model(&variant->front, s->path, s->text, &options,
                                   k == 1 ? PASSES_DEMAND : PASSES_DERIVE);
  if (!variant->model) return false;
  if (k == 1) run_last_passes(variant->model);
  covered = s->covered;
  cover_model(variant->model, k == 1);
  return true;
}

static json_t *errors_of(Session *s, Variant *variant) {
  char *bytes = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&bytes, &size);
  if (!stream) return json_string("no memory");
  diagnostics_print(variant->front.diagnostics, stream, false);
  fclose(stream);
  json_t *text = json_string(arena_format(s->arena, "%s", bytes));
  free(bytes);
  return text;
}

/* ---- values ------------------------------------------------------------------------------------ */

/* Steele, Lea & Flood's splitmix64: in (-1, 1), exact in float. */
static double next_random(uint64_t *state) {
  uint64_t x = *state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  x ^= x >> 31;
  return (double)(int64_t)(x >> 41) * 0x1p-22 - 1 + 0x1p-23;
}

static double value_for(const Tensor *tensor, const int64_t *sizes, uint64_t *random) {
  double number = next_random(random);
  number += shaking * number * number;
  if (tensor->role == ROLE_STATE) return 0.625 + number / 2;
  if (tensor->type == TYPE_REAL) return number;
  int64_t low = tensor->low ? extent_evaluate(tensor->low, sizes) : 0;
  int64_t high = tensor->high ? extent_evaluate(tensor->high, sizes) : 2;
  return (double)low + floor((number + 1) / 2 * (double)(high - low));
}

static bool is_drawn_here(const Tensor *tensor) {
  return tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET || tensor->role == ROLE_PARAM ||
         tensor->role == ROLE_STATE;
}

static json_t *numbers_of(Session *s, Variant *variant, const Tensor *tensor) {
  json_t *list = json_array();
  const Dual *values = interpreter_tensor(variant->interpreter, tensor);
  if (!values) {
    add_problem(s, arena_format(s->arena, "interpreter: %s: %s", tensor->name,
                                interpreter_error(variant->interpreter)));
    return list;
  }
  int64_t count = interpreter_elements(variant->interpreter, tensor);
  for (int64_t i = 0; i < count; i++) {
    double value = values[i].value;
    json_array_append_new(list, isfinite(value) ? json_real(value)
                                                : json_string(isnan(value) ? "nan"
                                                              : value > 0  ? "inf"
                                                                           : "-inf"));
  }
  return list;
}

/* Starts a run: the same values for both variants. */
static bool start_variant(Session *s, Variant *variant, const int64_t *sizes, uint64_t random,
                          json_t *set) {
  variant->interpreter = interpreter_new(variant->model, 1);
  if (!interpreter_initialise(variant->interpreter) ||
      !interpreter_start(variant->interpreter, sizes)) {
    add_problem(s,
                arena_format(s->arena, "interpreter: %s", interpreter_error(variant->interpreter)));
    return false;
  }
  for (int i = 0; i < variant->model->tensors.count; i++) {
    const Tensor *tensor = variant->model->tensors.items[i];
    if (!is_drawn_here(tensor)) continue;
    Dual *values = interpreter_tensor(variant->interpreter, tensor);
    int64_t count = interpreter_elements(variant->interpreter, tensor);
    for (int64_t k = 0; k < count; k++) values[k].value = value_for(tensor, sizes, &random);
    if (set) json_object_set_new(set, tensor->name, numbers_of(s, variant, tensor));
  }
  return true;
}

static json_t *results_of(Session *s, Variant *variant, const Program *program,
                          const Tensor *loss) {
  json_t *object = json_object();
  if (loss) json_object_set_new(object, "loss", numbers_of(s, variant, loss));
  for (int i = 0; i < program->outputs.count; i++)
    json_object_set_new(object, program->outputs.items[i].name,
                        numbers_of(s, variant, program->outputs.items[i].value));
  return object;
}

static json_t *gradients_of(Session *s, Variant *variant) {
  json_t *object = json_object();
  const Step *step = &variant->model->steps.items[0];
  for (int i = 0; i < step->gradients.count; i++)
    json_object_set_new(object, step->gradients.items[i].with_respect_to->name,
                        numbers_of(s, variant, step->gradients.items[i].result));
  return object;
}

static json_t *kept_of(Session *s, Variant *variant) {
  json_t *object = json_object();
  for (int i = 0; i < variant->model->tensors.count; i++) {
    const Tensor *tensor = variant->model->tensors.items[i];
    if (tensor->role == ROLE_PARAM || tensor->role == ROLE_STATE || tensor->role == ROLE_SLOT)
      json_object_set_new(object, tensor->name, numbers_of(s, variant, tensor));
  }
  return object;
}

/* ---- dual numbers ------------------------------------------------------------------------------ */

static double dot_and_point(Variant *variant, json_t *gradients, uint64_t *random, double *size) {
  const Step *step = &variant->model->steps.items[0];
  double product = 0;
  for (int i = 0; i < step->gradients.count; i++) {
    const Tensor *tensor = step->gradients.items[i].with_respect_to;
    const json_t *list = json_object_get(gradients, tensor->name);
    Dual *values = interpreter_tensor(variant->interpreter, tensor);
    for (size_t k = 0; k < json_array_size(list); k++) {
      values[k].tangent = next_random(random);
      double term = values[k].tangent * json_number_value(json_array_get(list, k));
      product += term;
      *size += fabs(term);
    }
  }
  return product;
}

/* <gradient, u> against the interpreter's own tangent of the loss along u. */
static void check_duals(Session *s, Variant *variant, json_t *gradients, uint64_t random) {
  if (interpreter_error(variant->interpreter)) return;
  double size = 0, product = dot_and_point(variant, gradients, &random, &size);
  interpreter_forget(variant->interpreter);
  const Dual *loss = interpreter_tensor(variant->interpreter, variant->model->steps.items[0].loss);
  double scale = loss ? size + 1e-2 * fabs(loss->value) + 1e-2 : 0;
  if (!loss || !(fabs(product - loss->tangent) <= 1e-10 * scale))
    add_problem(s, arena_format(s->arena, "duals, %s: <gradient, u> is %.12g, the tangent %.12g",
                                variant->simplified ? "simplified" : "as written", product,
                                loss ? loss->tangent : NAN));
}

/* ---- one run ----------------------------------------------------------------------------------- */

static json_t *steps_of(Session *s, Variant *variant) {
  json_t *losses = json_array();
  for (int i = 0; i < STEPS; i++) {
    double loss = NAN;
    interpreter_begin_step(variant->interpreter);
    if (!interpreter_finish_step(variant->interpreter, 0, &loss))
      add_problem(
          s, arena_format(s->arena, "interpreter: %s", interpreter_error(variant->interpreter)));
    json_array_append_new(losses, isfinite(loss) ? json_real(loss) : json_string("nan"));
  }
  return losses;
}

/* What one variant computes; the step number of values in training is 1. */
static json_t *run_variant(Session *s, Variant *variant, const int64_t *sizes, uint64_t random) {
  json_t *run = json_object(), *set = json_object();
  json_object_set_new(run, "set", set);
  if (start_variant(s, variant, sizes, random, set)) {
    json_object_set_new(run, "eval",
                        results_of(s, variant, &variant->model->eval, variant->model->eval.loss));
    interpreter_begin_step(variant->interpreter);
    json_object_set_new(
        run, "train",
        results_of(s, variant, &variant->model->train, variant->model->steps.items[0].loss));
    json_t *gradients = gradients_of(s, variant);
    json_object_set_new(run, "gradients", gradients);
    check_duals(s, variant, gradients, random + 1);
    interpreter_free(variant->interpreter);
    if (start_variant(s, variant, sizes, random, NULL)) {
      json_object_set_new(run, "losses", steps_of(s, variant));
      json_object_set_new(run, "kept", kept_of(s, variant));
    }
  }
  interpreter_free(variant->interpreter);
  return run;
}

static void run_at(Session *s, const int64_t *sizes, uint64_t random) {
  const Model *model = s->variants[0].model;
  json_t *run = run_variant(s, &s->variants[0], sizes, random), *named = json_object();
  for (int i = 0; i < model->dims.count; i++)
    json_object_set_new(named, model->dims.items[i]->name, json_integer(sizes[i]));
  json_object_set_new(run, "sizes", named);
  json_object_set_new(run, "simplified", run_variant(s, &s->variants[1], sizes, random));
  json_array_append_new(s->runs, run);
}

static void run_all(Session *s) {
  int64_t sizes[64] = {0};
  const Model *model = s->variants[0].model;
  if (model->steps.count == 0 || model->dims.count > 64) return;
  for (int i = 0; i < model->dims.count; i++) sizes[i] = model->dims.items[i]->maximum;
  run_at(s, sizes, 7);
  json_object_set_new(s->result, "rows", rows_of(model, sizes));
  if (model->dims.count == 0) return;
  uint64_t random = (uint64_t)strlen(s->text);
  for (int i = 0; i < model->dims.count; i++)
    sizes[i] = 1 + (int64_t)((next_random(&random) + 1) / 2 * (double)(sizes[i] - 1));
  run_at(s, sizes, 8);
}

static void check_file(const char *path) {
  Session s = {.arena = arena_new(), .path = path};
  const char *error;
  size_t size;
  s.problems = json_array();
  s.runs = json_array();
  s.covered = json_object();
  s.result = json_pack("{s:s, s:o, s:o, s:o}", "file", path, "problems", s.problems, "covered",
                       s.covered, "runs", s.runs);
  s.text = file_read(s.arena, path, LIMIT_FILE_BYTES, &size, &error);
  bool fine = s.text != NULL;
  for (int k = 0; k < 2 && fine; k++) {
    fine = compile_variant(&s, k);
    if (!fine) json_object_set_new(s.result, "errors", errors_of(&s, &s.variants[k]));
  }
  if (fine) run_all(&s);
  json_dumpf(s.result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
  putchar('\n');
  fflush(stdout);
  json_decref(s.result);
  arena_free(s.arena);
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "--list") == 0) {
    coverage_list();
    return 0;
  }
  static const char shaken_by[] = "--shaken=";
  size_t length = sizeof shaken_by - 1;
  bool shaken = count > 1 && strncmp(arguments[1], shaken_by, length) == 0;
  if (shaken) shaking = strtod(arguments[1] + length, NULL);
  shaking *= 1e-13;
  for (int i = shaken ? 2 : 1; i < count; i++) check_file(arguments[i]);
  return 0;
}
