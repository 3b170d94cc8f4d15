/* ONNX Runtime's C interface as a contender: onnxruntime LIBRARY MODEL DATA WARMUPS STEPS EXTENT...,
   one sample x of these extents on one thread.
   LIBRARY is the shared library of the Python package, which comes without a header: its table of functions only
   ever grows, so the places below are those of onnxruntime_c_api.h of any version. The model's inputs are x and,
   of a recurrent step, h and c of 128 each; its outputs are y and the next h and c, which are copied back. */
#define _POSIX_C_SOURCE 200809L
#include "measure.h"
#include "records.h"

#include <dlfcn.h>
#include <stdint.h>

typedef struct Status Status;
typedef void (*Function)(void);

typedef struct Base {
  const Function *(*get_api)(uint32_t version);
  const char *(*get_version)(void);
} Base;

enum { /* places in the table */
       MESSAGE = 2,
       CREATE_ENVIRONMENT = 3,
       CREATE_SESSION = 7,
       RUN = 9,
       CREATE_OPTIONS = 10,
       SET_THREADS = 24,
       CREATE_TENSOR = 49,
       TENSOR_DATA = 51,
       CREATE_MEMORY = 69
};

enum { UNITS = 128, MOST = 1024, FLOATS = 1, WARNINGS = 2 };

typedef struct Run {
  const Function *table;
  void *session;
  void *inputs[3], *outputs[3];
  float x[MOST], states[2][UNITS], result;
  int64_t shape[4];
  size_t rank, count; /* of x; inputs */
} Run;

static void check(const Run *run, Status *status) {
  if (!status) return;
  const char *(*message)(const Status *) = (const char *(*)(const Status *))run->table[MESSAGE];
  stop_with("ONNX Runtime", message(status));
}

static void open_session(Run *run, const char *model) {
  void *environment, *options;
  check(run, ((Status * (*)(int, const char *, void **))
                  run->table[CREATE_ENVIRONMENT])(WARNINGS, "bench", &environment));
  check(run, ((Status * (*)(void **)) run->table[CREATE_OPTIONS])(&options));
  check(run, ((Status * (*)(void *, int)) run->table[SET_THREADS])(options, 1));
  check(run, ((Status * (*)(void *, const char *, void *, void **))
                  run->table[CREATE_SESSION])(environment, model, options, &run->session));
}

static void *tensor_over(const Run *run, float *data, size_t count, const int64_t *shape,
                         size_t rank) {
  void *memory, *tensor;
  check(run, ((Status * (*)(int, int, void **)) run->table[CREATE_MEMORY])(1, 0, &memory));
  check(run, ((Status * (*)(void *, void *, size_t, const int64_t *, size_t, int, void **))
                  run->table[CREATE_TENSOR])(memory, data, count * sizeof *data, shape, rank,
                                             FLOATS, &tensor));
  return tensor;
}

static void make_inputs(Run *run) {
  static const int64_t state[] = {1, 1, UNITS};
  size_t count = 1;
  for (size_t i = 0; i < run->rank; i++) count *= (size_t)run->shape[i];
  run->inputs[0] = tensor_over(run, run->x, count, run->shape, run->rank);
  for (size_t i = 1; i < run->count; i++)
    run->inputs[i] = tensor_over(run, run->states[i - 1], UNITS, state, 3);
}

static float *data_of(const Run *run, void *tensor) {
  void *data;
  check(run, ((Status * (*)(void *, void **)) run->table[TENSOR_DATA])(tensor, &data));
  return data;
}

static void step(void *context) {
  static const char *const inputs[] = {"x", "h", "c"}, *const outputs[] = {"y", "h1", "c1"};
  Run *run = context;
  check(run, ((Status * (*)(void *, void *, const char *const *, void *const *, size_t,
                            const char *const *, size_t, void **))
                  run->table[RUN])(run->session, NULL, inputs, run->inputs, run->count, outputs,
                                   run->count, run->outputs));
  run->result = data_of(run, run->outputs[0])[0];
  for (size_t i = 1; i < run->count; i++)
    memcpy(run->states[i - 1], data_of(run, run->outputs[i]), sizeof run->states[0]);
}

static double result_of(void *context) {
  const Run *run = context;
  return (double)run->result;
}

static void take(void *context, const char *name, const void *data, size_t bytes) {
  Run *run = context;
  if (strcmp(name, "x") == 0) memcpy(run->x, data, bytes < sizeof run->x ? bytes : sizeof run->x);
}

int main(int count, char **arguments) {
  static Run run;
  if (count < 8 || count > 10) return 2;
  void *library = dlopen(arguments[1], RTLD_NOW);
  if (!library) stop_with("cannot open", arguments[1]);
  const Base *(*base)(void);
  *(void **)&base = dlsym(library, "OrtGetApiBase");
  run.table = base ? base()->get_api(1) : NULL;
  if (!run.table) stop_with("no interface", arguments[1]);
  for (int i = 6; i < count; i++) run.shape[run.rank++] = strtol(arguments[i], NULL, 10);
  run.count = run.rank == 3 ? 3 : 1;
  read_records(arguments[3], take, &run);
  open_session(&run, arguments[2]);
  make_inputs(&run);
  measure(plan_of(arguments + 4), step, &run, result_of);
  fflush(stdout);
  _Exit(0);
}
