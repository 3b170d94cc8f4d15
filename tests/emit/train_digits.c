/* Trains a model `digits` for 100 steps on the images of examples/digits, in their order, and prints the
   last loss and one hash of all parameters, states
   and slots. usage: train_digits DIRECTORY */
#include "digits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1200, PIXELS = 64, BATCH = 40, STEPS = 100 };

static unsigned char images[SAMPLES * PIXELS], classes[SAMPLES];
static int32_t labels[SAMPLES];

static void read_file(const char *directory, const char *name, long skip, unsigned char *bytes,
                      size_t size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, skip, SEEK_SET) || fread(bytes, 1, size, file) != size) {
    perror(path);
    exit(2);
  }
  fclose(file);
}

static uint64_t add_to_hash(uint64_t hash, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
  return hash;
}

/* Of all kept tensors with their names, whatever their order. */
static uint64_t hash_of(const digits *model) {
  uint64_t sum = 0;
  for (int i = 0; i < digits_model.tensor_count; i++) {
    const nnrt_tensor *tensor = &digits_model.tensors[i];
    if (tensor->kind > NNRT_SLOT) continue;
    size_t size = sizeof(float);
    for (int axis = 0; axis < tensor->rank; axis++) size *= (size_t)tensor->shape[axis];
    uint64_t hash = add_to_hash(UINT64_C(0xcbf29ce484222325), tensor->name, strlen(tensor->name));
    sum += add_to_hash(hash, (const char *)model + tensor->offset, size);
  }
  return sum;
}

int main(int count, char **arguments) {
  static digits model;
  double loss = 0;
  const char *directory = count > 1 ? arguments[1] : ".";
  read_file(directory, "digits-images.idx", 16, images, sizeof images);
  read_file(directory, "digits-labels.idx", 8, classes, sizeof classes);
  for (int i = 0; i < SAMPLES; i++) labels[i] = classes[i];
  if (digits_init(&model, 42) || digits_selftest()) return 1;
  for (int step = 0; step < STEPS; step++) {
    int first = step * BATCH % SAMPLES;
    loss = digits_train_step(&model, BATCH, images + first * PIXELS, labels + first);
    if (digits_status(&model)) return 1;
  }
  printf("loss %.9g, hash %016llx\n", loss, (unsigned long long)hash_of(&model));
  return 0;
}
