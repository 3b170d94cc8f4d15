/* Optima that are known exactly: how near training comes to each. */
#include "optima.h"

#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 5, SHAKESPEARE = 1003854, CHARACTERS = 65 };

/* ---- data -------------------------------------------------------------------------------------- */

/* A table whose last column of `columns` is the class, and the others are standardised unless they are pixels. */
static Samples classified(const char *name, int skipped, int features, bool is_pixels) {
  int columns[128], last[] = {features, -1};
  Samples samples;
  for (int i = 0; i < features; i++) columns[i] = i;
  columns[features] = -1;
  float *x = read_columns(name, skipped, columns, &samples.count);
  float *t = read_columns(name, skipped, last, &samples.count);
  if (!is_pixels) standardise(x, samples.count, features);
  samples.arrays[0] = x;
  samples.arrays[1] = whole_numbers(t, samples.count);
  free(t);
  return samples;
}

static Samples read_iris(void) {
  return classified("iris/iris.csv", 1, 4, false);
}
static Samples read_wine(void) {
  return classified("wine/wine_data.csv", 1, 13, false);
}
static Samples read_breast_cancer(void) {
  return classified("breast-cancer/breast_cancer.csv", 1, 30, false);
}

/* The first 1200. */
static Samples read_digits(void) {
  Samples samples = classified("digits8x8/digits.csv", 0, 64, true);
  samples.count = 1200;
  return samples;
}

/* Standardised, which does not move the least squared error. */
static Samples read_auto_mpg(void) {
  static const int numbers[] = {0, 1, 2, 3, 4, 5, 6, -1}, miles[] = {8, -1};
  Samples samples;
  float *x = read_columns("auto-mpg/autompg.csv", 0, numbers, &samples.count);
  standardise(x, samples.count, 7);
  samples.arrays[0] = x;
  samples.arrays[1] = read_columns("auto-mpg/autompg.csv", 0, miles, &samples.count);
  return samples;
}

static Samples read_letters_of_names(void) {
  return read_names("makemore-names/names.txt", 1);
}

/* The number of each character among those of the text, in the order of their codes. */
static void number_characters(const unsigned char *text, int64_t size, int32_t *numbers) {
  int codes[256] = {0}, count = 0;
  for (int64_t i = 0; i < size; i++) codes[text[i]] = 1;
  for (int code = 0; code < 256; code++) codes[code] = codes[code] ? count++ : 0;
  if (count != CHARACTERS) fail("the text has %d different characters", count);
  for (int64_t i = 0; i < size; i++) numbers[i] = codes[text[i]];
}

/* Each of the first characters after its `before` predecessors, which are one number. */
static Samples read_shakespeare(int before) {
  int64_t size;
  char *text = read_text("tinyshakespeare/input.txt", &size);
  int32_t *numbers = checked_memory((size_t)size * sizeof *numbers);
  int32_t *contexts = checked_memory((size_t)size * sizeof *contexts);
  number_characters((const unsigned char *)text, size, numbers);
  free(text);
  for (int64_t i = before; i < SHAKESPEARE; i++) {
    contexts[i] = 0;
    for (int k = before; k > 0; k--) contexts[i] = contexts[i] * CHARACTERS + numbers[i - k];
  }
  return (Samples){SHAKESPEARE - before, {contexts + before, numbers + before}};
}

static Samples read_shakespeare1(void) {
  return read_shakespeare(0);
}
static Samples read_shakespeare2(void) {
  return read_shakespeare(1);
}
static Samples read_shakespeare3(void) {
  return read_shakespeare(2);
}
static Samples read_shakespeare4(void) {
  return read_shakespeare(3);
}

/* ---- the table --------------------------------------------------------------------------------- */

typedef struct Optimum {
  const nnrt_model *model;
  Samples (*read)(void);
  int64_t steps;
  double minimum;
  const char *what;
} Optimum;

static const Optimum optima[] = {
    {&auto_mpg_model, read_auto_mpg, 3000, 10.847480945000449, "auto-mpg, least squares"},
    {&iris_model, read_iris, 2000, 0.24367722664938252, "iris, softmax regression"},
    {&wine_model, read_wine, 2000, 0.09181973052350349, "wine, softmax regression"},
    {&breast_cancer_model, read_breast_cancer, 2000, 0.0834129595705442,
     "breast-cancer, softmax regression"},
    {&digits_model, read_digits, 2000, 0.23073777164597586, "digits8x8, softmax regression"},
    {&letters_of_names_model, read_letters_of_names, 600, 2.454014489154874, "names, bigrams"},
    {&shakespeare1_model, read_shakespeare1, 600, 3.3090842752741234, "tinyshakespeare, unigrams"},
    {&shakespeare2_model, read_shakespeare2, 600, 2.451913423627224, "tinyshakespeare, bigrams"},
    {&shakespeare3_model, read_shakespeare3, 600, 1.9031779110464386, "tinyshakespeare, trigrams"},
    {&shakespeare4_model, read_shakespeare4, 600, 1.49062472180122, "tinyshakespeare, 4-grams"},
};

static void approach(const Optimum *optimum, uint64_t seed, int *missed) {
  Samples samples = optimum->read();
  int64_t most = optimum->model->dims[0].maximum;
  Learner learner = learner_start(optimum->model, seed);
  for (int part = 1; part <= PARTS; part++) {
    double loss = learner_train(&learner, &samples, samples.count < most ? samples.count : most,
                                optimum->steps / PARTS);
    learner_show(&learner, part * (optimum->steps / PARTS), "loss", loss, NULL, 0);
  }
  Published published = {optimum->what, optimum->minimum, "proven minimum",
                         0.9999 * optimum->minimum, 1.01 * optimum->minimum};
  learner_report(&learner, &published, learner_measure(&learner, "eval_step", &samples), missed);
  learner_end(&learner);
}

/* usage: optima [SEED [TEXT]]: only those whose title contains the text */
int main(int count, char **arguments) {
  int missed = 0;
  for (size_t i = 0; i < sizeof optima / sizeof *optima; i++)
    if (count < 3 || strstr(optima[i].what, arguments[2]))
      approach(&optima[i], seed_given(count, arguments), &missed);
  return missed;
}
