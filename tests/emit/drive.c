/* drive: runs generated models by requests in JSON, as `interpret` runs their equations.

     drive < {MODEL: REQUEST, ...} > {MODEL: RESULT, ...}

   Built with the generated C and a table `const nnrt_model *const models[]` that ends with NULL. Requests
   and results are those of tests/tools/interpret.c; what is asked for are parameters, states, slots and
   outputs. With "program": "eval" the outputs are those of infer after all steps. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nnrt.h"

extern const nnrt_model *const models[];

/* One model at work. `arrays` holds what is passed to calls, by number of the tensor, dense. */
typedef struct Session {
  const nnrt_model *model;
  const json_t *request;
  void *instance;
  void **arrays;
  int64_t *extents;
  json_t *losses;
  const char *error;
} Session;

static void *allocate(size_t size) {
  void *memory = calloc(size ? size : 1, 1);
  if (!memory) exit(3);
  return memory;
}

static size_t type_size(int type) {
#define ROW(code, bytes, name) bytes,
  static const size_t sizes[] = {NNRT_TYPES(ROW)};
#undef ROW
  return sizes[type];
}

/* ---- elements ---------------------------------------------------------------------------------- */

static double number_of(const json_t *json) {
  if (json_is_string(json)) return strtod(json_string_value(json), NULL);
  return json_is_boolean(json) ? json_is_true(json) : json_number_value(json);
}

static json_t *json_of(double number) {
  if (isnan(number)) return json_string("nan");
  return isinf(number) ? json_string(number > 0 ? "inf" : "-inf") : json_real(number);
}

static void put_element(void *array, int type, size_t i, double value) {
  switch (type) {
  case NNRT_F32: ((float *)array)[i] = (float)value; break;
  case NNRT_F64: ((double *)array)[i] = value; break;
  case NNRT_I32: ((int32_t *)array)[i] = (int32_t)value; break;
  case NNRT_U8: ((uint8_t *)array)[i] = (uint8_t)value; break;
  case NNRT_I8: ((int8_t *)array)[i] = (int8_t)value; break;
  default: break;
  }
}

static double element(const void *array, int type, size_t i) {
  switch (type) {
  case NNRT_F32: return (double)((const float *)array)[i];
  case NNRT_F64: return ((const double *)array)[i];
  case NNRT_I32: return ((const int32_t *)array)[i];
  case NNRT_U8: return ((const uint8_t *)array)[i];
  case NNRT_I8: return ((const int8_t *)array)[i];
  default: return NAN;
  }
}

static int is_kept(const nnrt_tensor *tensor) {
  return tensor->kind == NNRT_PARAM || tensor->kind == NNRT_STATE || tensor->kind == NNRT_SLOT;
}

static int64_t extent_of(const Session *s, const nnrt_tensor *tensor, int axis) {
  int dim = tensor->dim[axis];
  return dim > 0 && !is_kept(tensor) ? s->extents[dim - 1] : tensor->shape[axis];
}

static size_t elements(const Session *s, const nnrt_tensor *tensor) {
  size_t count = 1;
  for (int axis = 0; axis < tensor->rank; axis++) count *= (size_t)extent_of(s, tensor, axis);
  return count;
}

/* ---- setting ----------------------------------------------------------------------------------- */

static int find_tensor(const Session *s, const char *name) {
  for (int k = 0; k < s->model->tensor_count; k++)
    if (strcmp(s->model->tensors[k].name, name) == 0) return k;
  return -1;
}

static const nnrt_hyper *find_hyper(const Session *s, const char *name) {
  for (int k = 0; k < s->model->hyper_count; k++)
    if (strcmp(s->model->hypers[k].name, name) == 0) return &s->model->hypers[k];
  return NULL;
}

static void set_tensor(Session *s, int k, const json_t *given) {
  const nnrt_tensor *tensor = &s->model->tensors[k];
  size_t count = elements(s, tensor);
  if (json_is_object(given)) given = json_object_get(given, "data");
  if (json_is_array(given) && json_array_size(given) != count)
    s->error = "wrong number of elements";
  for (size_t i = 0; i < count; i++)
    put_element(s->arrays[k], tensor->type, i,
                number_of(json_is_array(given) ? json_array_get(given, i) : given));
  if (is_kept(tensor)) nnrt_set(tensor, s->instance, s->arrays[k]);
}

static void set_one(Session *s, const char *name, const json_t *given) {
  const json_t *first = json_is_array(given) ? json_array_get(given, 0) : given;
  uint64_t step = (uint64_t)(int64_t)number_of(first);
  double hyper = number_of(first);
  int k = find_tensor(s, name);
  char *bytes = s->instance;
  if (k >= 0)
    set_tensor(s, k, given);
  else if (strcmp(name, "step") == 0)
    memcpy(bytes + s->model->step, &step, sizeof step);
  else if (find_hyper(s, name))
    memcpy(bytes + find_hyper(s, name)->offset, &hyper, sizeof hyper);
  else
    s->error = "nothing to set has this name";
}

static void set_all(Session *s, json_t *members) {
  const char *name;
  json_t *given;
  json_object_foreach(members, name, given) set_one(s, name, given);
  if (s->model->refresh) s->model->refresh(s->instance);
}

/* ---- calls ------------------------------------------------------------------------------------- */

static double call(Session *s, const char *name) {
  const nnrt_entry *entry = NULL;
  for (int k = 0; k < s->model->entry_count; k++)
    if (strcmp(s->model->entries[k].name, name) == 0) entry = &s->model->entries[k];
  if (!entry) {
    s->error = "the model has no such entry point";
    return NAN;
  }
  const void **inputs = allocate((size_t)entry->input_count * sizeof *inputs);
  void **outputs = allocate((size_t)entry->output_count * sizeof *outputs);
  for (int k = 0; k < entry->input_count; k++) inputs[k] = s->arrays[entry->inputs[k]];
  for (int k = 0; k < entry->output_count; k++) outputs[k] = s->arrays[entry->outputs[k]];
  double result = NAN;
  int status = entry->call(s->instance, s->extents, inputs, outputs, &result);
  if (status != NNRT_OK && status != NNRT_E_NOT_FINITE) s->error = nnrt_error_text(status);
  free(inputs);
  free(outputs);
  return result;
}

static void take_steps(Session *s) {
  const json_t *batches = json_object_get(s->request, "batches");
  size_t batch_count = json_array_size(batches);
  size_t steps = batch_count + (size_t)json_integer_value(json_object_get(s->request, "steps"));
  const json_t *entry = json_object_get(s->request, "entry");
  for (size_t i = 0; i < steps && !s->error; i++) {
    if (i < batch_count) set_all(s, json_array_get(batches, i));
    double loss = call(s, entry ? json_string_value(entry) : "train_step");
    json_array_append_new(s->losses, json_of(loss));
  }
}

static json_t *elements_of(Session *s, int k) {
  const nnrt_tensor *tensor = &s->model->tensors[k];
  if (is_kept(tensor)) nnrt_get(tensor, s->instance, s->arrays[k]);
  json_t *shape = json_array(), *data = json_array();
  for (int axis = 0; axis < tensor->rank; axis++)
    json_array_append_new(shape, json_integer(extent_of(s, tensor, axis)));
  for (size_t i = 0; i < elements(s, tensor); i++)
    json_array_append_new(data, json_of(element(s->arrays[k], tensor->type, i)));
  return json_pack("{s:o, s:o}", "shape", shape, "data", data);
}

static json_t *answers(Session *s) {
  json_t *values = json_object(), *name;
  size_t i;
  json_array_foreach(json_object_get(s->request, "ask"), i, name) {
    int k = find_tensor(s, json_string_value(name));
    if (k < 0)
      s->error = "no parameter, state or output has this name";
    else
      json_object_set_new(values, json_string_value(name), elements_of(s, k));
  }
  return values;
}

/* ---- sessions ---------------------------------------------------------------------------------- */

static void start(Session *s) {
  const nnrt_model *model = s->model;
  const json_t *sizes = json_object_get(s->request, "sizes");
  const json_t *seed = json_object_get(s->request, "seed");
  s->extents = allocate((size_t)model->dim_count * sizeof *s->extents);
  for (int k = 0; k < model->dim_count; k++) {
    const json_t *size = json_object_get(sizes, model->dims[k].name);
    s->extents[k] = size ? json_integer_value(size) : model->dims[k].maximum;
  }
  size_t aligned = (model->size + model->alignment - 1) / model->alignment * model->alignment;
  s->instance = aligned_alloc(model->alignment, aligned);
  s->arrays = allocate((size_t)model->tensor_count * sizeof *s->arrays);
  for (int k = 0; k < model->tensor_count; k++)
    s->arrays[k] = allocate(elements(s, &model->tensors[k]) * type_size(model->tensors[k].type));
  model->init(s->instance, seed ? (uint64_t)json_integer_value(seed) : 1);
  s->losses = json_array();
}

static void finish(Session *s) {
  for (int k = 0; k < s->model->tensor_count; k++) free(s->arrays[k]);
  free(s->arrays);
  free(s->instance);
  free(s->extents);
}

static json_t *run(const nnrt_model *model, const json_t *request) {
  Session s = {.model = model, .request = request};
  start(&s);
  set_all(&s, json_object_get(request, "set"));
  take_steps(&s);
  const char *program = json_string_value(json_object_get(request, "program"));
  if (program && strcmp(program, "eval") == 0 && !s.error) call(&s, "infer");
  json_t *values = answers(&s);
  finish(&s);
  json_t *result = json_pack("{s:o, s:o}", "losses", s.losses, "values", values);
  if (s.error) json_object_set_new(result, "error", json_string(s.error));
  return result;
}

int main(void) {
  json_error_t error;
  json_t *requests = json_loadf(stdin, 0, &error), *results = json_object();
  if (!requests) return 2;
  for (int k = 0; models[k]; k++) {
    const json_t *request = json_object_get(requests, models[k]->name);
    if (request) json_object_set_new(results, models[k]->name, run(models[k], request));
  }
  json_dumpf(results, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_decref(requests);
  json_decref(results);
  return 0;
}
