/* Trains a generated model and prints its last loss and one hash of all that it keeps: train DATA STEPS
   [EXTENT...]. MODEL is its description. DATA (bench/contenders/records.h) holds parameters and inputs by name;
   where it has several batches of an input, each step takes the next one. Other parameters start as `init` makes
   them. */
#include "described.h"

#include <inttypes.h>

enum { MOST = 16 };

typedef struct Stream {
  char *bytes;
  size_t size, batch; /* batch: of one call */
} Stream;

typedef struct Run {
  void *model;
  const nnrt_entry *entry;
  int64_t extents[MOST];
  Stream streams[MOST];
} Run;

static void expect_ok(int error, const char *what) {
  if (error) stop_with(what, nnrt_error_text(error));
}

static void keep_record(void *context, const char *name, const void *data, size_t bytes) {
  Run *run = context;
  for (int i = 0; i < run->entry->input_count; i++) {
    Stream *stream = &run->streams[i];
    if (strcmp(description->tensors[run->entry->inputs[i]].name, name) != 0) continue;
    if (bytes < stream->batch) stop_with("less than a batch of the input", name);
    stream->size = bytes;
    stream->bytes = allocate(bytes, 64);
    memcpy(stream->bytes, data, bytes);
    return;
  }
  set_record(run->model, name, data, bytes);
}

static void prepare(Run *run, char **extents) {
  run->model = allocate(description->size, description->alignment);
  expect_ok(description->init(run->model, 42), "init");
  expect_ok(description->selftest(), "selftest");
  run->entry = find_entry("train_step");
  read_extents(extents, run->extents);
  for (int i = 0; i < run->entry->input_count; i++) {
    int64_t shape[NNRT_MAX_RANK];
    nnrt_shape(description, run->entry->inputs[i], run->extents, shape);
    run->streams[i].batch = bytes_of(&description->tensors[run->entry->inputs[i]], shape);
  }
}

static double train(Run *run, int64_t steps) {
  double loss = 0;
  for (int64_t step = 0; step < steps; step++) {
    const void *inputs[MOST];
    for (int i = 0; i < run->entry->input_count; i++) {
      const Stream *stream = &run->streams[i];
      size_t batches = stream->batch ? stream->size / stream->batch : 1;
      if (!stream->bytes)
        stop_with("no data for", description->tensors[run->entry->inputs[i]].name);
      inputs[i] = stream->bytes + (size_t)step % batches * stream->batch;
    }
    expect_ok(run->entry->call(run->model, run->extents, inputs, NULL, &loss), "train_step");
  }
  return loss;
}

static uint64_t add_to_hash(uint64_t hash, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
  return hash;
}

/* Of all kept tensors with their names, whatever their order and their places. */
static uint64_t hash_of(const void *model) {
  uint64_t sum = 0;
  for (int i = 0; i < description->tensor_count; i++) {
    const nnrt_tensor *tensor = &description->tensors[i];
    if (tensor->kind > NNRT_SLOT) continue;
    size_t size = bytes_of(tensor, tensor->shape);
    void *dense = allocate(size, 64);
    nnrt_get(tensor, model, dense);
    uint64_t hash = add_to_hash(UINT64_C(0xcbf29ce484222325), tensor->name, strlen(tensor->name));
    sum += add_to_hash(hash, dense, size);
    free(dense);
  }
  return sum;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  static Run run;
  prepare(&run, arguments + 3);
  read_records(arguments[1], keep_record, &run);
  if (description->refresh) description->refresh(run.model);
  double loss = train(&run, strtol(arguments[2], NULL, 10));
  printf("loss %.9g, hash %016" PRIx64 "\n", loss, hash_of(run.model));
  return 0;
}
