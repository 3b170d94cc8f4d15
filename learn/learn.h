/* What the tasks of this folder share. A task trains a model by its descriptor (nnrt.h), so nothing here knows
   any of them: samples are dense arrays, one for each input and target as the model declares them; they go
   through train_step in an order that follows from the seed alone; and what was reached is printed beside what
   was published. A task that cannot go on prints why and exits with 1. */
#ifndef LEARN_H
#define LEARN_H

#include <nnrt.h>

#include <stdbool.h>

enum { LEARN_ARRAYS = 2 };

/* arrays[k]: the k-th input or target of train_step, one sample after another. */
typedef struct Samples {
  int64_t count;
  const void *arrays[LEARN_ARRAYS];
} Samples;

/* An instance of a model in training, with its buffers. */
typedef struct Learner {
  const nnrt_model *model;
  void *instance;
  uint64_t seed, taken; /* samples so far */
  int64_t *order;       /* of the samples, in the present round through them */
  int64_t order_count;
  void *batch[LEARN_ARRAYS];
  double started; /* in seconds */
} Learner;

/* The models' first dim must be the samples of a call. */
Learner learner_start(const nnrt_model *model, uint64_t seed);
void learner_end(Learner *learner);

/* Training steps of `batch` samples each; all samples are taken once, in a new order, before one is taken again.
   Returns the mean of the losses. */
double learner_train(Learner *learner, const Samples *samples, int64_t batch, int64_t steps);

/* The mean over samples of what an entry gives: "eval_step" the loss, or the name of a metric. */
double learner_measure(Learner *learner, const char *entry, const Samples *samples);

/* A published figure, and within what bounds ours is as good. */
typedef struct Published {
  const char *what;
  double figure;
  const char *source;
  double low, high;
} Published;

/* Prints the figure, the bounds, what was found, seconds and seed, and adds 1 to *missed when it lies outside. */
void learner_report(const Learner *learner, const Published *published, double found, int *missed);

/* One line of the curve: how far it is, and two numbers by name; a null name: one number. */
void learner_show(const Learner *learner, int64_t done, const char *first, double a,
                  const char *second, double b);

/* The seed that the command line gives, 1 when none. */
uint64_t seed_given(int count, char **arguments);

/* malloc that fails aloud; prints a message and exits with 1. */
void *checked_memory(size_t size);
_Noreturn void fail(const char *format, ...);

/* Epochs of a classifier, each shown with its loss and the entry "acc" over the test samples. */
void learner_classify(Learner *learner, const Samples *train, const Samples *test, int64_t batch,
                      int64_t epochs);

#endif
