/* The adding problem with T = 100 by an LSTM and by a simple recurrent network: 4,000 steps of 50 sequences. */
#include "adding.h"

#include "learn.h"

#include <nnrt_philox.h>

#include <float.h>
#include <stdlib.h>

enum { T = 100, TRAINED = 50000, TESTED = 2000, BATCH = 50, STEPS = 4000, PARTS = 10 };

#define SOURCE "the error of a solved sequence in Hochreiter & Schmidhuber (1997)"
static const Published lstm = {"adding by an LSTM, mean squared error", 0.04, SOURCE, 0, 0.04};
static const Published rnn = {"adding by a simple rnn, which must not learn it", 0.167,
                              "the variance of the sum", 0.04, DBL_MAX};

static double draw(uint64_t set, int64_t index) {
  return nnrt_uniform_f64(20, set, 0, (uint64_t)index);
}

/* Numbers with a second number beside each, 1 where it is marked: one in either half. */
static Samples sequences(uint64_t set, int64_t count) {
  float(*x)[T][2] = checked_memory((size_t)count * sizeof *x);
  float *t = checked_memory((size_t)count * sizeof *t);
  for (int64_t n = 0; n < count; n++) {
    for (int i = 0; i < T; i++) {
      x[n][i][0] = (float)draw(set, n * (T + 2) + i);
      x[n][i][1] = 0;
    }
    int first = (int)(draw(set, n * (T + 2) + T) * (T / 2));
    int second = T / 2 + (int)(draw(set, n * (T + 2) + T + 1) * (T / 2));
    x[n][first][1] = x[n][second][1] = 1;
    t[n] = x[n][first][0] + x[n][second][0];
  }
  return (Samples){count, {x, t}};
}

static void learn_to_add(const nnrt_model *model, uint64_t seed, const Published *published,
                         int *missed) {
  Samples train = sequences(0, TRAINED), test = sequences(1, TESTED);
  Learner learner = learner_start(model, seed);
  for (int part = 1; part <= PARTS; part++) {
    double loss = learner_train(&learner, &train, BATCH, STEPS / PARTS);
    learner_show(&learner, part * (STEPS / PARTS), "loss", loss, "test error",
                 learner_measure(&learner, "eval_step", &test));
  }
  learner_report(&learner, published, learner_measure(&learner, "eval_step", &test), missed);
  learner_end(&learner);
}

int main(int count, char **arguments) {
  uint64_t seed = seed_given(count, arguments);
  int missed = 0;
  learn_to_add(&lstm_adds_model, seed, &lstm, &missed);
  learn_to_add(&rnn_adds_model, seed, &rnn, &missed);
  return missed;
}
