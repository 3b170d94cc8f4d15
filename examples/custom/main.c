/* Trains custom.nn on 1,200 digits, half of whose labels are drawn at random, once with each loss,
   and tests it on 597 others with the right labels. usage: custom [SEED] */
#include "custom.h"

#include <nnrt_philox.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 1797, TRAINED = 1200, PIXELS = 64, BATCH = 50, EPOCHS = 40 };
typedef float Step(custom *m, int64_t N, const uint8_t *x, const int32_t *t);
static custom model;
static uint8_t images[IMAGES][PIXELS];
static int32_t labels[IMAGES], given[TRAINED]; /* given: as told to the network */

static void read_images(void) {
  FILE *pixels = fopen("../digits/digits-images.idx", "rb");
  FILE *classes = fopen("../digits/digits-labels.idx", "rb");
  if (!pixels || !classes || fseek(pixels, 16, SEEK_SET) || fseek(classes, 8, SEEK_SET) ||
      fread(images, sizeof images, 1, pixels) != 1)
    perror("../digits/digits-*.idx"), exit(1);
  for (int i = 0; i < IMAGES; i++) labels[i] = getc(classes);
}

static void spoil_labels(uint64_t seed) {
  for (int i = 0; i < TRAINED; i++) {
    double drawn = 10 * nnrt_uniform_f64(seed, 0, 1, (uint64_t)i);
    given[i] = nnrt_uniform_f64(seed, 0, 2, (uint64_t)i) < 0.5 ? (int32_t)drawn : labels[i];
  }
}

static double train_epoch(Step *step, uint64_t seed, int epoch) {
  static int order[TRAINED];
  static uint8_t x[BATCH][PIXELS];
  static int32_t t[BATCH];
  double loss = 0;
  for (int i = 0; i < TRAINED; i++) order[i] = i;
  for (int i = 0; i < TRAINED; i++) {
    int j = i + (int)(nnrt_uniform_f64(seed, (uint64_t)epoch, 0, (uint64_t)i) * (TRAINED - i));
    memcpy(x[i % BATCH], images[order[j]], PIXELS);
    t[i % BATCH] = given[order[j]];
    order[j] = order[i];
    if (i % BATCH == BATCH - 1) loss += (double)step(&model, BATCH, x[0], t);
  }
  return loss * BATCH / TRAINED;
}

static double test_accuracy(void) {
  custom_metrics sums = {0};
  for (int i = TRAINED; i < IMAGES; i++) custom_eval_step(&model, 1, images[i], labels + i, &sums);
  return sums.acc / sums.samples;
}

static void train(const char *loss, Step *step, uint64_t seed) {
  double last = 0;
  custom_init(&model, seed);
  for (int epoch = 1; epoch <= EPOCHS; epoch++) last = train_epoch(step, seed, epoch);
  printf("%-27s  loss %.4f  test accuracy %.4f\n", loss, last, test_accuracy());
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  read_images();
  spoil_labels(seed);
  train("cross entropy", custom_plain_step, seed);
  train("generalised cross entropy", custom_robust_step, seed);
  return 0;
}
