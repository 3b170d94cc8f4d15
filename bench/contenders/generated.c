/* A generated model as a contender: generated DATA WARMUPS STEPS [ENTRY [EXTENT...]]. MODEL is its description.
   DATA holds parameters and inputs by name, of which a smaller batch takes the first samples; other
   parameters start as `init` makes them. */
#include "measure.h"
#include "records.h"

#include <nnrt.h>

#define JOIN(name, suffix) name##suffix
#define DESCRIPTION(name) JOIN(name, _model)

extern const nnrt_model DESCRIPTION(MODEL);
static const nnrt_model *const description = &DESCRIPTION(MODEL);

enum { MOST_ARRAYS = 16 };

typedef struct Run {
  void *model;
  const nnrt_entry *entry;
  int64_t extents[MOST_ARRAYS];
  void *inputs[MOST_ARRAYS], *outputs[MOST_ARRAYS];
  double loss;
} Run;

static size_t bytes_of(const nnrt_tensor *tensor) {
#define NNRT_ROW(code, bytes, name) bytes,
  static const size_t sizes[] = {NNRT_TYPES(NNRT_ROW)};
#undef NNRT_ROW
  size_t bytes = sizes[tensor->type];
  for (int axis = 0; axis < tensor->rank; axis++) bytes *= (size_t)tensor->shape[axis];
  return bytes;
}

static void keep(void *context, const char *name, const void *data, size_t bytes) {
  Run *run = context;
  for (int i = 0; i < run->entry->input_count; i++) {
    const nnrt_tensor *input = &description->tensors[run->entry->inputs[i]];
    if (strcmp(input->name, name) != 0) continue;
    if (bytes < bytes_of(input)) stop_with("another size in the data", name);
    memcpy(run->inputs[i], data, bytes_of(input));
    return;
  }
  const nnrt_tensor *tensor = nnrt_find(description, name);
  if (!tensor) return;
  if (bytes != bytes_of(tensor)) stop_with("another size in the data", name);
  nnrt_set(tensor, run->model, data);
}

static const nnrt_entry *find_entry(const char *name) {
  for (int i = 0; i < description->entry_count; i++)
    if (strcmp(description->entries[i].name, name) == 0) return &description->entries[i];
  stop_with("no entry point", name);
  return NULL;
}

static void prepare(Run *run, const char *entry, char **extents) {
  run->model = allocate(description->size, description->alignment);
  description->init(run->model, 1);
  run->entry = find_entry(entry);
  for (int i = 0; i < description->dim_count; i++)
    run->extents[i] = *extents && description->dims[i].is_runtime ? strtol(*extents++, NULL, 10)
                                                                  : description->dims[i].maximum;
  for (int i = 0; i < run->entry->input_count; i++)
    run->inputs[i] = allocate(bytes_of(&description->tensors[run->entry->inputs[i]]), 64);
  for (int i = 0; i < run->entry->output_count; i++)
    run->outputs[i] = allocate(bytes_of(&description->tensors[run->entry->outputs[i]]), 64);
}

static void step(void *context) {
  Run *run = context;
  int error = run->entry->call(run->model, run->extents, (const void *const *)run->inputs,
                               run->outputs, &run->loss);
  if (error) stop_with(run->entry->name, nnrt_error_text(error));
}

static double loss_of(void *context) {
  const Run *run = context;
  return run->entry->output_count ? *(const float *)run->outputs[0] : run->loss;
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  static Run run;
  prepare(&run, count > 4 ? arguments[4] : "train_step",
          count > 4 ? arguments + 5 : arguments + count);
  read_records(arguments[1], keep, &run);
  if (description->refresh) description->refresh(run.model);
  measure(plan_of(arguments + 2), step, &run, loss_of);
}
