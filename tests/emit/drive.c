/* drive: runs generated models by requests in JSON, knowing nothing of them but their descriptions.

     drive < requests.json > results.json      linked with the models and a table `drive_models` of them

   The input is an array of requests, the output an array of results. A request is an object; every
   member but "model" may be left out:
     "model":   name
     "seed":    whole number (1)
     "sizes":   {"N": 4, ...}: run-time extents (their maxima)
     "load":    path of a weight file, read after the initial values were drawn
     "set":     {"h1.W": ELEMENTS, "x": ELEMENTS, ...}: kept tensors and inputs, after that; "step": [of
                steps done]
     "entry":   what a step calls ("train_step")
     "batches": [{"x": ELEMENTS, ...}, ...]: one step for each, with these set before it
     "steps":   so many steps more, with what is set
     "save":    path the weight file is written to after the steps
     "differences": ["W", ...]: for each kept tensor, central differences of the result of the entry,
                taken before the steps
     "ask":     ["h1.W", "p", "loss", ...]: kept tensors; outputs, by `infer`; or what another entry
                returns, by its name; "loss" is that of `eval_step`
     "describe": true: the tables of the description, too
   ELEMENTS is a flat list, row-major, or one number for all elements. "nan", "inf" and "-inf" stand for
   what JSON lacks.

   A result is {"losses": [one for each step], "codes": [the error code of each step], "values": {NAME:
   [..]}, "differences": {NAME: [..]}, "hash": of all kept tensors, the step and the seed, "unchanged":
   whether the last step left the model as it was (its status, scratch and padding aside), "selftest":
   a code, "load" and "save": codes, "tensors": [{"name", "kind", "type", "shape"}], "dims": {NAME:
   maximum}, "hypers": [name], "entries": [name]}, or {"error": TEXT}. */
#include "../tools/json_numbers.h"

#include <nnrt.h>

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern const nnrt_model *const drive_models[]; /* null at the end */

enum { MOST_TENSORS = 2048 };

typedef struct Session {
  const nnrt_model *model;
  const json_t *request;
  const nnrt_entry *entry;
  void *instance, *copy;
  int64_t extents[64];
  void *arrays[MOST_TENSORS]; /* of inputs, targets and outputs; null for kept tensors */
  json_t *result, *losses, *codes, *values, *differences;
  bool unchanged;
} Session;

static jmp_buf stopped;
static char reason[256];

static _Noreturn void stop(const char *what, const char *name) {
  snprintf(reason, sizeof reason, "%s '%s'", what, name);
  longjmp(stopped, 1);
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  if (!memory) abort();
  return memory;
}

/* ---- the description --------------------------------------------------------------------------- */

static const nnrt_model *find_model(const char *name) {
  for (int i = 0; drive_models[i]; i++)
    if (name && strcmp(drive_models[i]->name, name) == 0) return drive_models[i];
  stop("no model", name ? name : "");
}

static const nnrt_entry *find_entry(const nnrt_model *model, const char *name) {
  for (int i = 0; i < model->entry_count; i++)
    if (strcmp(model->entries[i].name, name) == 0) return &model->entries[i];
  return NULL;
}

static bool is_kept(const nnrt_tensor *tensor) {
  return tensor->kind == NNRT_PARAM || tensor->kind == NNRT_STATE || tensor->kind == NNRT_SLOT;
}

/* Index of a tensor; outputs are asked for last, since one may be named like a parameter. */
static int find_tensor(const nnrt_model *model, const char *name) {
  int found = -1;
  for (int i = model->tensor_count - 1; i >= 0; i--)
    if (strcmp(model->tensors[i].name, name) == 0) found = i;
  return found;
}

static size_t element_bytes(const nnrt_tensor *tensor) {
#define NNRT_ROW(code, bytes, name) bytes,
  static const size_t sizes[] = {NNRT_TYPES(NNRT_ROW)};
#undef NNRT_ROW
  return sizes[tensor->type];
}

static void shape_of(const Session *s, const nnrt_tensor *tensor, int64_t *shape) {
  nnrt_shape(s->model, (int)(tensor - s->model->tensors), s->extents, shape);
}

static size_t element_count(const Session *s, const nnrt_tensor *tensor) {
  int64_t shape[NNRT_MAX_RANK];
  size_t count = 1;
  shape_of(s, tensor, shape);
  for (int axis = 0; axis < tensor->rank; axis++) count *= (size_t)shape[axis];
  return count;
}

/* ---- elements ---------------------------------------------------------------------------------- */

static double load_element(const nnrt_tensor *tensor, const void *array, size_t i) {
  switch (tensor->type) {
  case NNRT_F32: return (double)((const float *)array)[i];
  case NNRT_F64: return ((const double *)array)[i];
  case NNRT_I32: return ((const int32_t *)array)[i];
  case NNRT_I8: return ((const int8_t *)array)[i];
  default: return ((const uint8_t *)array)[i];
  }
}

static void store_element(const nnrt_tensor *tensor, void *array, size_t i, double value) {
  switch (tensor->type) {
  case NNRT_F32: ((float *)array)[i] = (float)value; break;
  case NNRT_F64: ((double *)array)[i] = value; break;
  case NNRT_I32: ((int32_t *)array)[i] = (int32_t)value; break;
  case NNRT_I8: ((int8_t *)array)[i] = (int8_t)value; break;
  default: ((uint8_t *)array)[i] = (uint8_t)value; break;
  }
}

/* A kept tensor as a dense array of its own, which the caller frees. */
static void *get_dense(const Session *s, const nnrt_tensor *tensor) {
  void *dense = allocate(element_count(s, tensor), element_bytes(tensor));
  nnrt_get(tensor, s->instance, dense);
  return dense;
}

static void *array_of(Session *s, int index) {
  const nnrt_tensor *tensor = &s->model->tensors[index];
  if (!s->arrays[index])
    s->arrays[index] = allocate(element_count(s, tensor), element_bytes(tensor));
  return s->arrays[index];
}

static void fill(const Session *s, const nnrt_tensor *tensor, void *array, const json_t *elements) {
  size_t count = element_count(s, tensor);
  bool is_list = json_is_array(elements);
  if (is_list && json_array_size(elements) != count) stop("wrong number of elements", tensor->name);
  for (size_t i = 0; i < count; i++)
    store_element(tensor, array, i, number_of(is_list ? json_array_get(elements, i) : elements));
}

static bool set_hyper(Session *s, const char *name, double value) {
  for (int i = 0; i < s->model->hyper_count; i++) {
    if (strcmp(s->model->hypers[i].name, name) != 0) continue;
    memcpy((char *)s->instance + s->model->hypers[i].offset, &value, sizeof value);
    return true;
  }
  return false;
}

static bool set_step(Session *s, const char *name, const json_t *elements) {
  if (strcmp(name, "step") != 0) return false;
  uint64_t step = (uint64_t)(int64_t)number_of(json_array_get(elements, 0));
  memcpy((char *)s->instance + s->model->step, &step, sizeof step);
  return true;
}

static void set_elements(Session *s, const char *name, const json_t *elements) {
  if (set_step(s, name, elements) || set_hyper(s, name, number_of(elements))) return;
  int index = find_tensor(s->model, name);
  if (index < 0) stop("no tensor", name);
  const nnrt_tensor *tensor = &s->model->tensors[index];
  if (!is_kept(tensor)) {
    fill(s, tensor, array_of(s, index), elements);
    return;
  }
  void *dense = allocate(element_count(s, tensor), element_bytes(tensor));
  fill(s, tensor, dense, elements);
  nnrt_set(tensor, s->instance, dense);
  free(dense);
}

static void set_all(Session *s, json_t *members) {
  const char *name;
  json_t *elements;
  json_object_foreach(members, name, elements) set_elements(s, name, elements);
}

static json_t *elements_of(const Session *s, const nnrt_tensor *tensor, const void *array) {
  json_t *list = json_array();
  for (size_t i = 0, count = element_count(s, tensor); i < count; i++)
    json_array_append_new(list, json_of(load_element(tensor, array, i)));
  return list;
}

/* ---- calls ------------------------------------------------------------------------------------- */

static int call(Session *s, const nnrt_entry *entry, double *result) {
  const void *inputs[MOST_TENSORS] = {0};
  void *outputs[MOST_TENSORS] = {0};
  for (int i = 0; i < entry->input_count; i++) inputs[i] = array_of(s, entry->inputs[i]);
  for (int i = 0; i < entry->output_count; i++) outputs[i] = array_of(s, entry->outputs[i]);
  return entry->call(s->instance, s->extents, inputs, outputs, result);
}

static void hash_bytes(uint64_t *hash, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    *hash = (*hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static uint64_t hash_of(const Session *s) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (int i = 0; i < s->model->tensor_count; i++) {
    const nnrt_tensor *tensor = &s->model->tensors[i];
    if (!is_kept(tensor)) continue;
    void *dense = get_dense(s, tensor);
    hash_bytes(&hash, dense, element_count(s, tensor) * element_bytes(tensor));
    free(dense);
  }
  hash_bytes(&hash, (const char *)s->instance + s->model->step, sizeof(uint64_t));
  hash_bytes(&hash, (const char *)s->instance + s->model->seed, sizeof(uint64_t));
  hash_bytes(&hash, (const char *)s->instance + s->model->invalid, sizeof(int32_t));
  return hash;
}

static void run_step(Session *s, json_t *batch) {
  double loss = 0;
  set_all(s, batch);
  uint64_t before = hash_of(s);
  int code = call(s, s->entry, &loss);
  s->unchanged = hash_of(s) == before;
  json_array_append_new(s->losses, json_of(loss));
  json_array_append_new(s->codes, json_integer(code));
}

static double result_of(Session *s, const nnrt_entry *entry, const char *name) {
  double result = NAN;
  memcpy(s->copy, s->instance, s->model->size);
  int code = call(s, entry, &result);
  memcpy(s->instance, s->copy, s->model->size);
  if (code != NNRT_OK) stop(nnrt_error_text(code), name);
  return result;
}

static json_t *answer_of(Session *s, const char *name) {
  int index = find_tensor(s->model, name);
  const nnrt_tensor *tensor = index < 0 ? NULL : &s->model->tensors[index];
  const nnrt_entry *entry = find_entry(s->model, strcmp(name, "loss") == 0 ? "eval_step" : name);
  if (tensor && is_kept(tensor)) {
    void *dense = get_dense(s, tensor);
    json_t *elements = elements_of(s, tensor, dense);
    free(dense);
    return elements;
  }
  if (tensor && tensor->kind == NNRT_OUTPUT) {
    result_of(s, find_entry(s->model, "infer"), name);
    return elements_of(s, tensor, array_of(s, index));
  }
  if (!entry) stop("nothing to ask for is called", name);
  return json_pack("[o]", json_of(result_of(s, entry, name)));
}

static void answer_all(Session *s) {
  size_t i;
  json_t *name;
  json_array_foreach(json_object_get(s->request, "ask"), i, name) json_object_set_new(
      s->values, json_string_value(name), answer_of(s, json_string_value(name)));
}

/* ---- differences ------------------------------------------------------------------------------- */

static double result_with(Session *s, const nnrt_tensor *tensor, void *dense, size_t i,
                          double value) {
  double before = load_element(tensor, dense, i);
  store_element(tensor, dense, i, value);
  nnrt_set(tensor, s->instance, dense);
  double result = result_of(s, s->entry, tensor->name);
  store_element(tensor, dense, i, before);
  nnrt_set(tensor, s->instance, dense);
  return result;
}

static json_t *differences_of(Session *s, const char *name) {
  json_t *list = json_array();
  const nnrt_tensor *tensor = nnrt_find(s->model, name);
  if (!tensor) stop("no kept tensor", name);
  void *dense = get_dense(s, tensor);
  for (size_t i = 0, count = element_count(s, tensor); i < count; i++) {
    double x = load_element(tensor, dense, i), h = 6e-6 * fmax(1, fabs(x));
    double above = result_with(s, tensor, dense, i, x + h);
    double below = result_with(s, tensor, dense, i, x - h);
    json_array_append_new(list, json_of((above - below) / (2 * h)));
  }
  free(dense);
  return list;
}

static void difference_all(Session *s) {
  size_t i;
  json_t *name;
  json_array_foreach(json_object_get(s->request, "differences"), i, name) json_object_set_new(
      s->differences, json_string_value(name), differences_of(s, json_string_value(name)));
}

/* ---- describing -------------------------------------------------------------------------------- */

static const char *kind_word(int kind) {
  static const char *const words[] = {"param",  "state",  "slot", "input",
                                      "target", "output", "value"};
  return words[kind];
}

static void describe_tensors(Session *s) {
  json_t *list = json_array();
  for (int i = 0; i < s->model->tensor_count; i++) {
    const nnrt_tensor *tensor = &s->model->tensors[i];
    int64_t sizes[NNRT_MAX_RANK];
    json_t *shape = json_array();
    shape_of(s, tensor, sizes);
    for (int axis = 0; axis < tensor->rank; axis++)
      json_array_append_new(shape, json_integer(sizes[axis]));
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:i, s:o}", "name", tensor->name, "kind",
                                    kind_word(tensor->kind), "type", tensor->type, "shape", shape));
  }
  json_object_set_new(s->result, "tensors", list);
}

static void describe(Session *s) {
  json_t *dims = json_object(), *hypers = json_array(), *entries = json_array();
  describe_tensors(s);
  for (int i = 0; i < s->model->dim_count; i++)
    json_object_set_new(dims, s->model->dims[i].name, json_integer(s->model->dims[i].maximum));
  for (int i = 0; i < s->model->hyper_count; i++)
    json_array_append_new(hypers, json_string(s->model->hypers[i].name));
  for (int i = 0; i < s->model->entry_count; i++)
    json_array_append_new(entries, json_string(s->model->entries[i].name));
  json_object_set_new(s->result, "dims", dims);
  json_object_set_new(s->result, "hypers", hypers);
  json_object_set_new(s->result, "entries", entries);
}

/* ---- weight files ------------------------------------------------------------------------------ */

static int write_bytes(void *file, const void *bytes, size_t size) {
  return fwrite(bytes, 1, size, file) != size;
}

static int read_bytes(void *file, void *bytes, size_t size) {
  return fread(bytes, 1, size, file) != size;
}

static void pass_file(Session *s, const char *member, const char *mode) {
  const char *path = json_string_value(json_object_get(s->request, member));
  if (!path) return;
  FILE *file = fopen(path, mode);
  if (!file) stop("cannot open", path);
  int code = *mode == 'w' ? nnrt_save(s->model, s->instance, write_bytes, file)
                          : nnrt_load(s->model, s->instance, read_bytes, file);
  if (fclose(file) != 0) stop("cannot close", path);
  json_object_set_new(s->result, member, json_integer(code));
}

/* ---- one request ------------------------------------------------------------------------------- */

static json_int_t whole_member(const json_t *object, const char *key, json_int_t otherwise) {
  const json_t *member = json_object_get(object, key);
  return member ? json_integer_value(member) : otherwise;
}

/* Of bits that are no numbers: what is read before it is written is seen. */
static void *instance_new(const nnrt_model *model) {
  size_t size = (model->size + model->alignment - 1) / model->alignment * model->alignment;
  void *instance = aligned_alloc(model->alignment, size);
  if (!instance) abort();
  return memset(instance, 0xFF, size);
}

static void start(Session *s) {
  s->model = find_model(json_string_value(json_object_get(s->request, "model")));
  if (s->model->tensor_count > MOST_TENSORS || s->model->dim_count > 64)
    stop("too many tensors or dims", s->model->name);
  const json_t *sizes = json_object_get(s->request, "sizes");
  for (int i = 0; i < s->model->dim_count; i++)
    s->extents[i] = whole_member(sizes, s->model->dims[i].name, s->model->dims[i].maximum);
  const char *entry = json_string_value(json_object_get(s->request, "entry"));
  s->entry = find_entry(s->model, entry ? entry : "train_step");
  s->instance = instance_new(s->model);
  s->copy = instance_new(s->model);
  if (s->model->init(s->instance, (uint64_t)whole_member(s->request, "seed", 1)) != NNRT_OK)
    stop("init failed", s->model->name);
}

static void run(Session *s) {
  json_t *batches = json_object_get(s->request, "batches");
  size_t count = json_array_size(batches);
  size_t steps = count + (size_t)whole_member(s->request, "steps", 0);
  if (json_is_true(json_object_get(s->request, "describe"))) describe(s);
  pass_file(s, "load", "rb");
  set_all(s, json_object_get(s->request, "set"));
  if (!s->entry && (steps > 0 || json_object_get(s->request, "differences")))
    stop("no such entry of", s->model->name);
  difference_all(s);
  for (size_t i = 0; i < steps; i++) run_step(s, i < count ? json_array_get(batches, i) : NULL);
  pass_file(s, "save", "wb");
  answer_all(s);
}

static void free_session(Session *s) {
  for (int i = 0; i < MOST_TENSORS; i++) free(s->arrays[i]);
  free(s->instance);
  free(s->copy);
}

static json_t *result_of_request(const json_t *request) {
  static Session s;
  s = (Session){.request = request, .result = json_object(), .losses = json_array()};
  s.codes = json_array();
  s.values = json_object();
  s.differences = json_object();
  if (setjmp(stopped) == 0) {
    start(&s);
    run(&s);
    char hash[32];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hash_of(&s));
    json_object_set_new(s.result, "hash", json_string(hash));
    json_object_set_new(s.result, "unchanged", json_boolean(s.unchanged));
    json_object_set_new(s.result, "selftest", json_integer(s.model->selftest()));
  } else {
    json_object_set_new(s.result, "error", json_string(reason));
  }
  json_object_set_new(s.result, "losses", s.losses);
  json_object_set_new(s.result, "codes", s.codes);
  json_object_set_new(s.result, "values", s.values);
  json_object_set_new(s.result, "differences", s.differences);
  free_session(&s);
  return s.result;
}

int main(void) {
  json_error_t error;
  json_t *requests = json_loadf(stdin, 0, &error), *results = json_array();
  if (!json_is_array(requests)) {
    fprintf(stderr, "drive: requests: %s\n", error.text);
    return 2;
  }
  size_t i;
  json_t *request;
  json_array_foreach(requests, i, request)
      json_array_append_new(results, result_of_request(request));
  json_dumpf(results, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
  putchar('\n');
  json_decref(requests);
  json_decref(results);
  return 0;
}
