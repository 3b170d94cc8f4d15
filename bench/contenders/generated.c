/* A generated model as a contender: generated DATA WARMUPS STEPS [ENTRY [EXTENT...]]. MODEL is its description.
   DATA holds parameters and inputs by name, of which a smaller batch takes the first samples; other
   parameters start as `init` makes them. */
#include "described.h"
#include "measure.h"

enum { MOST_ARRAYS = 16 };

typedef struct Run {
  void *model;
  const nnrt_entry *entry;
  int64_t extents[MOST_ARRAYS];
  void *inputs[MOST_ARRAYS], *outputs[MOST_ARRAYS];
  double loss;
} Run;

static void keep(void *context, const char *name, const void *data, size_t bytes) {
  Run *run = context;
  for (int i = 0; i < run->entry->input_count; i++) {
    const nnrt_tensor *input = &description->tensors[run->entry->inputs[i]];
    if (strcmp(input->name, name) != 0) continue;
    size_t wanted = bytes_of(input, input->shape);
    if (bytes < wanted) stop_with("another size in the data", name);
    memcpy(run->inputs[i], data, wanted);
    return;
  }
  set_record(run->model, name, data, bytes);
}

static void *dense_array(int tensor) {
  return allocate(bytes_of(&description->tensors[tensor], description->tensors[tensor].shape), 64);
}

static void prepare(Run *run, const char *entry, char **extents) {
  run->model = allocate(description->size, description->alignment);
  description->init(run->model, 1);
  run->entry = find_entry(entry);
  read_extents(extents, run->extents);
  for (int i = 0; i < run->entry->input_count; i++)
    run->inputs[i] = dense_array(run->entry->inputs[i]);
  for (int i = 0; i < run->entry->output_count; i++)
    run->outputs[i] = dense_array(run->entry->outputs[i]);
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
