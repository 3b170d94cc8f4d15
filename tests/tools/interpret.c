/* interpret: runs a model in the reference interpreter, by requests in JSON.

     interpret MODEL.nn [-D N=4]... [--model NAME] [--no-derive | --simplify] < request.json > result.json

   Gradients are those derived from what was written; --simplify runs all passes on equations.
   The request is an object; every member may be left out:
     "seed":    whole number, of all random draws (1)
     "f32":     true: draws of 24 bits, as programs with 32-bit reals make them
     "sizes":   {"N": 4, ...}: run-time dims (their maxima)
     "set":     {"h1.W": ELEMENTS, "x": ELEMENTS, ...}: parameters, states, slots, hyper-parameters, inputs
                and targets, after the initial values were drawn
     "batches": [{"x": ELEMENTS, ...}, ...]: one training step for each, with these set before it
     "steps":   so many training steps more, with what is set
     "block":   number of the train block (0)
     "program": "train" (default) or "eval": where the tensors asked for are looked up
     "ask":     ["h1.z", "d.h1.W", "loss", ...]: tensors of any kind, outputs and metrics by name
   ELEMENTS is a flat list, row-major, or {"data": that list} with anything else beside it, or one number
   for all elements. "nan", "inf" and "-inf" stand for what JSON lacks.

   The result is {"losses": [one for each step], "values": {NAME: {"shape": [..], "data": [..]}}, "operations":
   how many on reals it took}. Values
   of the training program are those of the last step, before its updates; without any step, those the
   first one would have. Parameters and states are as the steps left them. An error is {"error": TEXT} and
   status 1. */
#include "front_end.h"
#include "json_numbers.h"

typedef struct Session {
  FrontEnd front;
  Model *model;
  Interpreter *interpreter;
  json_t *request, *losses, *values;
  int block;
  bool training; /* the tensors asked for are those of a training step */
} Session;

static _Noreturn void fail(const char *text) {
  json_t *result = json_pack("{s:s}", "error", text);
  json_dumpf(result, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(result);
  exit(EXIT_PROGRAM);
}

static void must(Session *s, bool fine) {
  if (fine) return;
  const char *error = interpreter_error(s->interpreter);
  fail(error ? error : "the interpreter gave no reason");
}

static json_int_t whole_member(const json_t *object, const char *key, json_int_t otherwise) {
  const json_t *member = json_object_get(object, key);
  return member ? json_integer_value(member) : otherwise;
}

/* ---- tensors by name --------------------------------------------------------------------------- */

static Tensor *find_in(const TensorList *list, const char *name) {
  for (int i = 0; i < list->count; i++)
    if (strcmp(list->items[i]->name, name) == 0) return list->items[i];
  return NULL;
}

static Tensor *find_result(const ResultList *list, const char *name) {
  for (int i = 0; i < list->count; i++)
    if (strcmp(list->items[i].name, name) == 0) return list->items[i].value;
  return NULL;
}

static Tensor *loss_of(const Session *s) {
  if (!s->training || s->model->steps.count == 0)
    return s->training ? s->model->train.loss : s->model->eval.loss;
  return s->model->steps.items[s->block].loss;
}

static Tensor *find_tensor(const Session *s, const char *name) {
  const Program *program = s->training ? &s->model->train : &s->model->eval;
  Tensor *tensor = find_in(&s->model->tensors, name);
  if (!tensor) tensor = find_result(&program->outputs, name);
  if (!tensor) tensor = find_result(&program->metrics, name);
  if (!tensor && strcmp(name, "loss") == 0) tensor = loss_of(s);
  if (!tensor) tensor = find_in(&program->tensors, name);
  if (!tensor) fail(arena_format(s->front.arena, "no tensor is called '%s'", name));
  return tensor;
}

/* ---- numbers ----------------------------------------------------------------------------------- */

static void set_elements(Session *s, const char *name, const json_t *elements) {
  const Tensor *tensor = find_tensor(s, name);
  if (json_is_object(elements)) elements = json_object_get(elements, "data");
  Dual *values = interpreter_tensor(s->interpreter, tensor);
  must(s, values != NULL);
  int64_t count = interpreter_elements(s->interpreter, tensor);
  bool is_list = json_is_array(elements);
  if (is_list && (int64_t)json_array_size(elements) != count)
    fail(arena_format(s->front.arena, "'%s' has %lld elements, not %zu", name, (long long)count,
                      json_array_size(elements)));
  for (int64_t i = 0; i < count; i++)
    values[i].value = number_of(is_list ? json_array_get(elements, (size_t)i) : elements);
}

static void set_all(Session *s, json_t *members) {
  const char *name;
  json_t *elements;
  json_object_foreach(members, name, elements) set_elements(s, name, elements);
}

static json_t *elements_of(Session *s, const Tensor *tensor) {
  const Dual *values = interpreter_tensor(s->interpreter, tensor);
  must(s, values != NULL);
  json_t *shape = json_array(), *data = json_array();
  for (int k = 0; k < tensor->rank; k++)
    json_array_append_new(shape, json_integer(interpreter_extent(s->interpreter, tensor, k)));
  for (int64_t i = 0; i < interpreter_elements(s->interpreter, tensor); i++)
    json_array_append_new(data, json_of(values[i].value));
  return json_pack("{s:o, s:o}", "shape", shape, "data", data);
}

/* ---- the run ----------------------------------------------------------------------------------- */

static void start(Session *s) {
  Model *model = s->model;
  int64_t *sizes = NEW_ARRAY(s->front.arena, int64_t, model->dims.count + 1);
  const json_t *given = json_object_get(s->request, "sizes");
  for (int i = 0; i < model->dims.count; i++)
    sizes[i] = whole_member(given, model->dims.items[i]->name, model->dims.items[i]->maximum);
  uint64_t seed = (uint64_t)whole_member(s->request, "seed", 1);
  s->interpreter = interpreter_new(model, seed);
  interpreter_use_f32_draws(s->interpreter, json_is_true(json_object_get(s->request, "f32")));
  must(s, interpreter_initialise(s->interpreter));
  must(s, interpreter_start(s->interpreter, sizes));
}

static bool is_value(const Tensor *tensor) {
  return tensor->role == ROLE_VALUE || tensor->role == ROLE_GRADIENT;
}

/* The values of equations, or else all the others: what a step changes is read after it. */
static void answer(Session *s, bool of_equations) {
  size_t i;
  json_t *name;
  json_array_foreach(json_object_get(s->request, "ask"), i, name) {
    const Tensor *tensor = find_tensor(s, json_string_value(name));
    if (is_value(tensor) == of_equations)
      json_object_set_new(s->values, json_string_value(name), elements_of(s, tensor));
  }
}

static void run_step(Session *s, json_t *batch, bool last) {
  set_all(s, batch);
  interpreter_begin_step(s->interpreter);
  if (last && s->training) answer(s, true);
  double loss = 0;
  must(s, interpreter_finish_step(s->interpreter, s->block, &loss));
  json_array_append_new(s->losses, json_of(loss));
}

static void run(Session *s) {
  json_t *batches = json_object_get(s->request, "batches");
  size_t batch_count = json_array_size(batches);
  size_t steps = batch_count + (size_t)whole_member(s->request, "steps", 0);
  if (steps > 0 && s->block >= s->model->steps.count) fail("the model has no such train block");
  start(s);
  set_all(s, json_object_get(s->request, "set"));
  for (size_t i = 0; i < steps; i++)
    run_step(s, i < batch_count ? json_array_get(batches, i) : NULL, i + 1 == steps);
  if (steps == 0 && s->training) interpreter_begin_step(s->interpreter);
  if (!s->training) interpreter_forget(s->interpreter);
  if (steps == 0 || !s->training) answer(s, true);
  answer(s, false);
}

static void read_request(Session *s) {
  json_error_t error;
  s->request = json_loadf(stdin, 0, &error);
  if (!s->request) fail(arena_format(s->front.arena, "request: %s", error.text));
  const char *program = json_string_value(json_object_get(s->request, "program"));
  s->training = !program || strcmp(program, "eval") != 0;
  s->block = (int)whole_member(s->request, "block", 0);
  s->losses = json_array();
  s->values = json_object();
}

static void load_model(Session *s, int count, char **arguments) {
  ElaborateOptions options = {0};
  const char *path = NULL, *error = NULL;
  FrontEndPasses passes = PASSES_DERIVE;
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "-D") == 0 && i + 1 < count)
      front_end_override(&s->front, &options, arguments[++i]);
    else if (strcmp(arguments[i], "--model") == 0 && i + 1 < count)
      options.model_name = arguments[++i];
    else if (strcmp(arguments[i], "--no-derive") == 0)
      passes = PASSES_ELABORATE;
    else if (strcmp(arguments[i], "--simplify") == 0)
      passes = PASSES_DEMAND;
    else
      path = arguments[i];
  }
  size_t size;
  const char *text = path ? file_read(s->front.arena, path, LIMIT_FILE_BYTES, &size, &error) : NULL;
  if (!text) fail(path ? error : "usage: interpret MODEL.nn [-D N=4]... < request.json");
  s->model = front_end_model(&s->front, path, text, &options, passes);
  if (s->model) return;
  diagnostics_print(s->front.diagnostics, stderr, false);
  fail("the model has errors");
}

int main(int count, char **arguments) {
  Session session = {0};
  Arena *arena = arena_new();
  front_end_init(&session.front, arena);
  load_model(&session, count, arguments);
  read_request(&session);
  run(&session);
  json_t *result = json_pack("{s:o, s:o, s:I}", "losses", session.losses, "values", session.values,
                             "operations", (json_int_t)interpreter_operations(session.interpreter));
  json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
  putchar('\n');
  json_decref(result);
  json_decref(session.request);
  interpreter_free(session.interpreter);
  arena_free(arena);
  return 0;
}
