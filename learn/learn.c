/* Training by a descriptor, and the report. */
#include "learn.h"

#include <nnrt_philox.h>

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("learn: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

void *checked_memory(size_t size) {
  void *memory = malloc(size);
  if (!memory) fail("out of memory");
  return memory;
}

uint64_t seed_given(int count, char **arguments) {
  return count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const nnrt_entry *find_entry(const nnrt_model *model, const char *name) {
  for (int i = 0; i < model->entry_count; i++)
    if (strcmp(model->entries[i].name, name) == 0) return &model->entries[i];
  fail("%s has no entry '%s'", model->name, name);
}

/* The bytes of one sample of an entry's input. */
static size_t sample_size(const nnrt_model *model, const nnrt_entry *entry, int input) {
#define NNRT_ROW(code, bytes, name) bytes,
  static const size_t sizes[] = {NNRT_TYPES(NNRT_ROW)};
#undef NNRT_ROW
  const nnrt_tensor *tensor = &model->tensors[entry->inputs[input]];
  size_t size = sizes[tensor->type];
  for (int axis = 1; axis < tensor->rank; axis++) size *= (size_t)tensor->shape[axis];
  return size;
}

Learner learner_start(const nnrt_model *model, uint64_t seed) {
  const nnrt_entry *entry = find_entry(model, "train_step");
  if (entry->input_count > LEARN_ARRAYS) fail("%s has too many inputs", model->name);
  Learner learner = {.model = model, .seed = seed, .started = seconds_now()};
  size_t size = (model->size + model->alignment - 1) / model->alignment * model->alignment;
  learner.instance = aligned_alloc(model->alignment, size);
  if (!learner.instance) fail("out of memory");
  model->init(learner.instance, seed);
  for (int k = 0; k < entry->input_count; k++)
    learner.batch[k] =
        checked_memory((size_t)model->dims[0].maximum * sample_size(model, entry, k));
  return learner;
}

void learner_end(Learner *learner) {
  for (int k = 0; k < LEARN_ARRAYS; k++) free(learner->batch[k]);
  free(learner->order);
  free(learner->instance);
}

/* ---- calls ------------------------------------------------------------------------------------- */

static double call(const Learner *learner, const nnrt_entry *entry, int64_t samples,
                   const void *const *inputs) {
  double result = 0;
  int error = entry->call(learner->instance, &samples, inputs, NULL, &result);
  if (error) fail("%s, %s: %s", learner->model->name, entry->name, nnrt_error_text(error));
  return result;
}

/* All samples in an order that seed and round decide. */
static void shuffle(Learner *learner, int64_t count, uint64_t round) {
  if (learner->order_count != count) {
    free(learner->order);
    learner->order = checked_memory((size_t)count * sizeof *learner->order);
    learner->order_count = count;
  }
  for (int64_t i = 0; i < count; i++) learner->order[i] = i;
  for (int64_t i = 0; i < count; i++) {
    double draw = nnrt_uniform_f64(learner->seed, round, 0, (uint64_t)i);
    int64_t j = i + (int64_t)(draw * (double)(count - i)), kept = learner->order[i];
    learner->order[i] = learner->order[j];
    learner->order[j] = kept;
  }
}

static int64_t next_sample(Learner *learner, int64_t count) {
  uint64_t place = learner->taken % (uint64_t)count;
  if (place == 0 || learner->order_count != count)
    shuffle(learner, count, learner->taken / (uint64_t)count);
  learner->taken++;
  return learner->order[place];
}

static void fill_batch(Learner *learner, const nnrt_entry *entry, const Samples *samples,
                       int64_t batch) {
  for (int64_t i = 0; i < batch; i++) {
    int64_t from = next_sample(learner, samples->count);
    for (int k = 0; k < entry->input_count; k++) {
      size_t size = sample_size(learner->model, entry, k);
      memcpy((char *)learner->batch[k] + (size_t)i * size,
             (const char *)samples->arrays[k] + (size_t)from * size, size);
    }
  }
}

double learner_train(Learner *learner, const Samples *samples, int64_t batch, int64_t steps) {
  const nnrt_entry *entry = find_entry(learner->model, "train_step");
  double sum = 0;
  for (int64_t i = 0; i < steps; i++) {
    fill_batch(learner, entry, samples, batch);
    sum += call(learner, entry, batch, (const void *const *)learner->batch);
  }
  return sum / (double)steps;
}

double learner_measure(Learner *learner, const char *name, const Samples *samples) {
  const nnrt_entry *entry = find_entry(learner->model, name);
  int64_t most = learner->model->dims[0].maximum;
  double sum = 0;
  for (int64_t from = 0, count; from < samples->count; from += count) {
    count = samples->count - from < most ? samples->count - from : most;
    const void *inputs[LEARN_ARRAYS];
    for (int k = 0; k < entry->input_count; k++)
      inputs[k] =
          (const char *)samples->arrays[k] + (size_t)from * sample_size(learner->model, entry, k);
    sum += (double)count * call(learner, entry, count, inputs);
  }
  return sum / (double)samples->count;
}

/* ---- what is printed --------------------------------------------------------------------------- */

void learner_show(const Learner *learner, int64_t done, const char *first, double a,
                  const char *second, double b) {
  printf("  %s %3lld  %s %.4f", learner->model->name, (long long)done, first, a);
  if (second) printf("  %s %.4f", second, b);
  printf("  %.0f s\n", seconds_now() - learner->started);
  fflush(stdout);
}

void learner_report(const Learner *learner, const Published *published, double found, int *missed) {
  bool is_within = found >= published->low && found <= published->high;
  *missed += !is_within;
  printf("%s: %.6g; published %.6g (%s); bar", published->what, found, published->figure,
         published->source);
  if (published->low > -DBL_MAX) printf(" from %.6g", published->low);
  if (published->high < DBL_MAX) printf(" to %.6g", published->high);
  printf(": %s; %.0f s, seed %llu\n", is_within ? "reached" : "MISSED",
         seconds_now() - learner->started, (unsigned long long)learner->seed);
  fflush(stdout);
}

void learner_classify(Learner *learner, const Samples *train, const Samples *test, int64_t batch,
                      int64_t epochs) {
  for (int64_t epoch = 1; epoch <= epochs; epoch++) {
    int64_t steps = epoch * train->count / batch - (epoch - 1) * train->count / batch;
    double loss = learner_train(learner, train, batch, steps);
    learner_show(learner, epoch, "loss", loss, "test accuracy",
                 learner_measure(learner, "acc", test));
  }
}
