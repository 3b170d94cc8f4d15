/* Writes what every contender starts from, one file per model: data DIRECTORY. The draws are those of the kernels
   of ../shared/design/prototype/kernels, brought from their layouts into the order of the language; of the models
   without a kernel they are of the same kind. */
#define _XOPEN_SOURCE 700
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1 << 20 };

static const size_t PIXELS = 50176, FIRST = 100352, LAST = 1280; /* 64 x 784, 784 x 128, 128 x 10 */

static float values[MOST];
static int32_t labels[MOST];
static FILE *file;

static void begin(const char *directory, const char *model, long seed) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, model);
  if (file) fclose(file);
  file = fopen(path, "wb");
  if (!file) exit(2);
  srand48(seed);
}

static void put(const char *name, const void *data, size_t count) {
  fprintf(file, "%s %zu\n", name, 4 * count);
  fwrite(data, 4, count, file);
}

static void put_values(const char *name, size_t count) {
  put(name, values, count);
}

static float draw(double shift, double factor) {
  return (float)((drand48() - shift) * factor);
}

/* rows x columns in the order of the draws. */
static void put_drawn(const char *name, size_t count, double shift, double factor) {
  for (size_t i = 0; i < count; i++) values[i] = draw(shift, factor);
  put_values(name, count);
}

/* [rows][columns], drawn column by column. */
static void put_turned(const char *name, size_t rows, size_t columns, double factor) {
  for (size_t c = 0; c < columns; c++)
    for (size_t r = 0; r < rows; r++) values[r * columns + c] = draw(0.5, factor);
  put_values(name, rows * columns);
}

static void draw_labels(size_t count, long classes) {
  for (size_t i = 0; i < count; i++) labels[i] = (int32_t)(lrand48() % classes);
  put("t", labels, count);
}

static void write_mlp(void) {
  put_drawn("x", PIXELS, 0.5, 1);
  for (size_t panel = 0; panel < 4; panel++)
    for (size_t k = 0; k < 784; k++)
      for (size_t j = 0; j < 32; j++) values[k * 128 + panel * 32 + j] = draw(0.5, 0.07f);
  put_values("z.dense.W", FIRST);
  put_drawn("z.dense2.W", LAST, 0.5, 0.17f);
  draw_labels(64, 10);
}

/* [outputs][inputs][5][5], drawn with the outputs innermost. */
static void put_windows(const char *name, size_t inputs, size_t outputs, double factor) {
  for (size_t c = 0; c < inputs; c++)
    for (size_t r = 0; r < 25; r++)
      for (size_t k = 0; k < outputs; k++) values[(k * inputs + c) * 25 + r] = draw(0.5, factor);
  put_values(name, inputs * outputs * 25);
}

static void write_cnn(void) {
  put_drawn("x", PIXELS, 0.3, 1);
  put_windows("h.conv2d.w", 1, 6, 0.4);
  put_windows("h.conv2d2.w", 6, 16, 0.16);
  put_turned("z.dense.W", 400, 120, 0.1);
  put_turned("z.dense2.W", 120, 84, 0.18);
  put_turned("z.dense3.W", 84, 10, 0.2);
  draw_labels(64, 10);
}

static const size_t BATCH = 32, TIME = 32, FEATURES = 32, UNITS = 128;

static void put_sequences(void) {
  for (size_t t = 0; t < TIME; t++)
    for (size_t n = 0; n < BATCH; n++)
      for (size_t i = 0; i < FEATURES; i++)
        values[(n * TIME + t) * FEATURES + i] = (float)(drand48() * 2 - 1);
  put_values("x", BATCH * TIME * FEATURES);
}

static void draw_labels_of_sequences(void) {
  for (size_t t = 0; t < TIME; t++)
    for (size_t n = 0; n < BATCH; n++) labels[n * TIME + t] = (int32_t)(lrand48() % 10);
  put("t", labels, BATCH * TIME);
}

/* [rows][gates][units], drawn for 16 units at a time: [units/16][rows][gates][16]. */
static void draw_gates(float *weights, size_t rows, size_t gates, double factor) {
  for (size_t block = 0; block < UNITS; block += 16)
    for (size_t k = 0; k < rows; k++)
      for (size_t g = 0; g < gates; g++)
        for (size_t u = 0; u < 16; u++)
          weights[(k * gates + g) * UNITS + block + u] = draw(0.5, factor);
}

static void write_recurrent(size_t gates) {
  put_sequences();
  draw_gates(values, FEATURES + UNITS, gates, 0.3);
  size_t inputs = FEATURES * gates * UNITS;
  put("h.Wx", values, inputs);
  put("h.Wh", values + inputs, UNITS * gates * UNITS);
  draw_gates(values, 1, gates, 0.1);
  put_values("h.b", gates * UNITS);
  if (gates == 3) put_drawn("h.bn", UNITS, 0.5, 0.1);
  put_drawn("z.W", UNITS * 10, 0.5, 0.2);
  draw_labels_of_sequences();
}

enum { SYMBOLS = 512 };

static const size_t LAYERS = 4, WIDTH = 128;

static float small(void) {
  return (float)(drand48() * 2 - 1) * 0.035f;
}

/* [rows][columns], drawn in panels of 32 columns. */
static void put_panels(const char *name, size_t rows, size_t columns) {
  for (size_t panel = 0; panel < columns; panel += 32)
    for (size_t k = 0; k < rows; k++)
      for (size_t j = 0; j < 32; j++) values[k * columns + panel + j] = small();
  put_values(name, rows * columns);
}

static void put_layers(const char *name, size_t rows, size_t columns) {
  for (size_t layer = 0; layer < LAYERS; layer++) {
    char path[64];
    snprintf(path, sizeof path, "h.%zu.%s", layer, name);
    put_panels(path, rows, columns);
  }
}

static void write_symbols(size_t count) {
  static int32_t symbols[MOST];
  for (size_t i = 0; i < count; i++) {
    symbols[i] = (int32_t)(lrand48() % 65);
    labels[i] = (int32_t)(lrand48() % 65);
  }
  put("x", symbols, count);
  put("t", labels, count);
}

/* The factors of a product: [rows][columns] as models/product.nn has them, in any order of the dims. */
static void write_product(const char *directory, const char *name, size_t a, size_t b) {
  begin(directory, name, 7);
  put_drawn("a", a, 0.5, 1);
  put_drawn("b", b, 0.5, 1);
}

static void write_gpt(void) {
  put_layers("r.attention_with_biases.W", WIDTH, 3 * WIDTH);
  put_layers("r.attention_with_biases.y.W", WIDTH, WIDTH);
  put_layers("f.feed_forward.h.W", WIDTH, 4 * WIDTH);
  put_layers("f.feed_forward.y.W", 4 * WIDTH, WIDTH);
  put_panels("E", 65, WIDTH);
  put_panels("P", 64, WIDTH);
  write_symbols(SYMBOLS);
}

static void write_large_mlp(void) {
  put_drawn("x", 131072, 0.5, 1);
  draw_labels(32, 10);
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  begin(arguments[1], "mlp", 1);
  write_mlp();
  begin(arguments[1], "large_mlp", 6);
  write_large_mlp();
  begin(arguments[1], "growth", 8);
  put_drawn("x", 524288, 0.5, 1);
  draw_labels(16384, 10);
  begin(arguments[1], "large_gpt", 5);
  write_symbols(SYMBOLS);
  begin(arguments[1], "cnn", 3);
  write_cnn();
  begin(arguments[1], "lstm", 2);
  write_recurrent(4);
  begin(arguments[1], "gru", 2);
  write_recurrent(3);
  begin(arguments[1], "gpt", 5);
  write_gpt();
  write_product(arguments[1], "ab_64x784x128", PIXELS, FIRST);
  write_product(arguments[1], "ab_32x256x1024", 8192, 262144);
  write_product(arguments[1], "ab_256x512x2048", 131072, 1048576);
  write_product(arguments[1], "atb_784x64x128", PIXELS, 8192);
  write_product(arguments[1], "abt_32x1024x256", 32768, 262144);
  begin(arguments[1], "conv_64x64x32", 9);
  put_drawn("x", 65536, 0.5, 1);
  put_drawn("w", 36864, 0.5, 1);
  return fclose(file);
}
