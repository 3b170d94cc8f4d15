/* Readers of the formats that the data come in. */
#include "data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static gzFile open_data(const char *name) {
  const char *folder = getenv("LEARN_DATA");
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared/data", name);
  gzFile file = gzopen(path, "rb");
  if (!file) fail("%s cannot be read; LEARN_DATA names another folder", path);
  return file;
}

/* Up to `most` bytes, and a NUL behind them. */
static char *read_bytes(gzFile file, int64_t most, int64_t *size) {
  char *bytes = checked_memory((size_t)most + 1);
  *size = gzread(file, bytes, (unsigned)most);
  if (*size < 0) fail("a file of data is damaged");
  bytes[*size] = 0;
  return bytes;
}

char *read_text(const char *name, int64_t *size) {
  gzFile file = open_data(name);
  char *text = read_bytes(file, INT64_C(1) << 24, size);
  gzclose(file);
  return text;
}

/* ---- images ------------------------------------------------------------------------------------ */

static int64_t big_endian(const unsigned char *bytes) {
  return (int64_t)bytes[0] << 24 | (int64_t)bytes[1] << 16 | (int64_t)bytes[2] << 8 | bytes[3];
}

uint8_t *read_idx(const char *name, int64_t size, int64_t *count) {
  gzFile file = open_data(name);
  unsigned char head[16];
  int64_t dims = 0, got = 0;
  if (gzread(file, head, 4) == 4) dims = head[3];
  if (dims < 1 || dims > 3 || gzread(file, head, (unsigned)(4 * dims)) != 4 * dims)
    fail("%s is not an IDX file of images or labels", name);
  *count = big_endian(head);
  uint8_t *bytes = (uint8_t *)read_bytes(file, *count * size, &got);
  if (got != *count * size) fail("%s ends too early", name);
  gzclose(file);
  return bytes;
}

Samples read_images(const char *part, int64_t size) {
  Samples samples;
  char images[64], labels[64];
  snprintf(images, sizeof images, "%s-images-idx3-ubyte.gz", part);
  snprintf(labels, sizeof labels, "%s-labels-idx1-ubyte.gz", part);
  int64_t count;
  samples.arrays[0] = read_idx(images, size, &samples.count);
  uint8_t *classes = read_idx(labels, 1, &count);
  if (count != samples.count) fail("%s and %s differ in their number", images, labels);
  int32_t *numbers = checked_memory((size_t)count * sizeof *numbers);
  for (int64_t i = 0; i < count; i++) numbers[i] = classes[i];
  free(classes);
  samples.arrays[1] = numbers;
  return samples;
}

/* ---- tables ------------------------------------------------------------------------------------ */

/* The numbers of a row in the wanted columns; the place behind the row. */
static char *read_row(char *at, const int *columns, float *row) {
  for (int column = 0, k = 0; *at && *at != '\n'; column++) {
    if (columns[k] == column) row[k++] = strtof(at, NULL);
    at += strcspn(at, ",\n");
    at += *at == ',';
  }
  return at + (*at == '\n');
}

float *read_columns(const char *name, int skipped, const int *columns, int64_t *count) {
  int64_t size, wanted = 0, most = 0;
  char *text = read_text(name, &size), *at = text;
  while (columns[wanted] >= 0) wanted++;
  for (char *c = text; *c; c++) most += *c == '\n';
  float *rows = checked_memory((size_t)(most + 1) * (size_t)wanted * sizeof *rows);
  for (int i = 0; i < skipped; i++) at += strcspn(at, "\n") + 1;
  for (*count = 0; *at; ++*count) at = read_row(at, columns, rows + *count * wanted);
  free(text);
  return rows;
}

void standardise(float *rows, int64_t count, int64_t columns) {
  for (int64_t column = 0; column < columns; column++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)rows[i * columns + column];
    double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) {
      double difference = (double)rows[i * columns + column] - mean;
      squares += difference * difference;
    }
    double deviation = sqrt(squares / (double)count);
    for (int64_t i = 0; i < count; i++)
      rows[i * columns + column] = (float)(((double)rows[i * columns + column] - mean) / deviation);
  }
}

int32_t *whole_numbers(const float *numbers, int64_t count) {
  int32_t *whole = checked_memory((size_t)count * sizeof *whole);
  for (int64_t i = 0; i < count; i++) whole[i] = (int32_t)numbers[i];
  return whole;
}

/* ---- names ------------------------------------------------------------------------------------- */

Samples read_names(const char *name, int context) {
  int64_t size;
  char *text = read_text(name, &size);
  int32_t *before = checked_memory((size_t)(size + 1) * (size_t)context * sizeof *before);
  int32_t *next = checked_memory((size_t)(size + 1) * sizeof *next);
  int64_t count = 0;
  for (int64_t i = 0, begin = 0; i <= size; i++) {
    bool is_end = text[i] == '\n' || (text[i] == 0 && i > begin);
    if (!is_end && (text[i] < 'a' || text[i] > 'z')) continue;
    for (int k = 0; k < context; k++) {
      int64_t place = i - context + k;
      before[count * context + k] = place < begin ? 0 : text[place] - 'a' + 1;
    }
    next[count++] = is_end ? 0 : text[i] - 'a' + 1;
    if (is_end) begin = i + 1;
  }
  free(text);
  return (Samples){count, {before, next}};
}
