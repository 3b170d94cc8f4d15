/* Trains digits.nn on 1,200 images, tests it on the other 597. usage: digits [SEED [validate]] */
#include <nnrt_philox.h>
#include "digits.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 1797, PIXELS = 64, BATCH = 40, EPOCHS = 60 };
static digits model;
static uint8_t images[IMAGES][PIXELS], x[BATCH][PIXELS];
static int32_t labels[IMAGES], t[BATCH], order[IMAGES];

static void read_images(void) {
  FILE *pixels = fopen("digits-images.idx", "rb"), *classes = fopen("digits-labels.idx", "rb");
  if (!pixels || !classes || fseek(pixels, 16, SEEK_SET) || fseek(classes, 8, SEEK_SET) ||
      fread(images, sizeof images, 1, pixels) != 1)
    perror("digits-*.idx"), exit(1);
  for (int i = 0; i < IMAGES; i++) labels[i] = getc(classes);
}

static double train_epoch(uint64_t seed, int epoch, int count) {
  double loss = 0;
  for (int i = 0; i < count; i++) order[i] = i; /* shuffled by seed and epoch alone: */
  for (int i = 0; i < count; i++) {
    int j = i + (int)(nnrt_uniform_f64(seed, (uint64_t)epoch, 0, (uint64_t)i) * (count - i));
    memcpy(x[i % BATCH], images[order[j]], PIXELS);
    t[i % BATCH] = labels[order[j]];
    order[j] = order[i];
    if (i % BATCH == BATCH - 1) loss += (double)digits_train_step(&model, BATCH, x[0], t);
  }
  return loss * BATCH / count;
}

static double test_accuracy(int first, int end) {
  digits_metrics sums = {0};
  for (int i = first; i < end; i++) digits_eval_step(&model, 1, images[i], labels + i, &sums);
  return sums.acc / sums.samples;
}

static int write_bytes(void *file, const void *bytes, size_t size) {
  return fwrite(bytes, 1, size, file) != size;
}
static int read_bytes(void *file, void *bytes, size_t size) {
  return fread(bytes, 1, size, file) != size;
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  int trained = count > 2 ? 1000 : 1200, end = count > 2 ? 1200 : IMAGES;
  FILE *file = tmpfile();
  read_images();
  digits_init(&model, seed);
  for (int epoch = 1; epoch <= EPOCHS; epoch++)
    printf("epoch %2d  loss %.4f\n", epoch, train_epoch(seed, epoch, trained));
  printf("test accuracy %.4f\n", test_accuracy(trained, end));
  if (!file || digits_save(&model, write_bytes, file) || fseek(file, 0, SEEK_SET) ||
      digits_init(&model, 0) || digits_load(&model, read_bytes, file))
    return fputs("digits: cannot save and load\n", stderr), 1;
  return printf("test accuracy %.4f, saved and loaded\n", test_accuracy(trained, end)) < 0;
}
