/* A residual network learns Fashion-MNIST, or any images in its format: four files, gzipped IDX as those of
   MNIST. The order of the images in each epoch follows from the seed alone. */
#include "images.h"

#include <nnrt_philox.h>

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { BATCH = 100, SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10 };

static const char usage[] =
    "usage: images [OPTION...]      learns to tell the classes of images apart\n\n"
    "  -d, --data FOLDER    of the four files (/usr/share/datasets/fashion-mnist)\n"
    "  -e, --epochs N       times that all images are learned from (2)\n"
    "  -o, --output FILE    where to save the weights (images.weights)\n"
    "      --seed N         of everything that is random (1)\n"
    "  -h, --help           print this\n\n"
    "Ctrl-C saves the weights and ends.\n";

typedef struct Options {
  const char *data, *output;
  int64_t epochs;
  uint64_t seed;
} Options;

typedef struct Images {
  uint8_t *pixels, *labels;
  int64_t count;
} Images;

static images model;
static volatile sig_atomic_t interrupted;

static void interrupt(int number) {
  interrupted = 1;
  signal(number, SIG_DFL); /* the second one ends at once */
}

static _Noreturn void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("images: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

static void expect_ok(int error, const char *what) {
  if (error) fail("%s: %s", what, nnrt_error_text(error));
}

static void *checked(void *memory) {
  if (!memory) fail("out of memory");
  return memory;
}

/* ---- options --------------------------------------------------------------------------------- */

static int64_t whole_number(const char *text) {
  char *end;
  unsigned long long number = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || number > INT32_MAX)
    fail("'%s' is not a whole number", text);
  return (int64_t)number;
}

static Options read_options(int count, char **arguments) {
  static const struct option names[] = {{"data", 1, NULL, 'd'},   {"epochs", 1, NULL, 'e'},
                                        {"output", 1, NULL, 'o'}, {"seed", 1, NULL, 'S'},
                                        {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0}};
  Options options = {"/usr/share/datasets/fashion-mnist", "images.weights", 2, 1};
  for (int letter; (letter = getopt_long(count, arguments, "d:e:o:h", names, NULL)) != -1;)
    switch (letter) {
    case 'd': options.data = optarg; break;
    case 'e': options.epochs = whole_number(optarg); break;
    case 'o': options.output = optarg; break;
    case 'S': options.seed = (uint64_t)whole_number(optarg); break;
    case 'h': fputs(usage, stdout); exit(0);
    default: fputs(usage, stderr); exit(2);
    }
  if (optind != count) fputs(usage, stderr), exit(2);
  return options;
}

/* ---- files ----------------------------------------------------------------------------------- */

static uint32_t read_number(gzFile file, const char *path) {
  unsigned char bytes[4];
  if (gzread(file, bytes, sizeof bytes) != sizeof bytes) fail("%s is not an IDX file", path);
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* All bytes of an IDX file with `dims` dims, the first of which is *count and whose product is at most 2^31. */
static uint8_t *read_idx(const char *folder, const char *name, uint32_t dims, int64_t *count) {
  char *path = checked(malloc(strlen(folder) + strlen(name) + 2));
  sprintf(path, "%s/%s", folder, name);
  gzFile file = gzopen(path, "rb");
  if (!file) {
    perror(path);
    fail("the data are in the Debian package dataset-fashion-mnist; --data names another folder");
  }
  if (read_number(file, path) != (0x0800 | dims)) fail("%s is not an IDX file of bytes", path);
  *count = read_number(file, path);
  for (uint32_t dim = 1; dim < dims; dim++)
    if (read_number(file, path) != SIDE) fail("%s: images of other sizes than %d", path, SIDE);
  int64_t size = *count * (dims > 1 ? PIXELS : 1);
  if (size == 0 || size > INT32_MAX) fail("%s holds %lld images", path, (long long)*count);
  uint8_t *bytes = checked(malloc((size_t)size));
  if (gzread(file, bytes, (unsigned)size) != size) fail("%s ends too early", path);
  gzclose(file);
  free(path);
  return bytes;
}

static Images read_images(const char *folder, const char *pixels, const char *labels) {
  Images set;
  int64_t count;
  set.pixels = read_idx(folder, pixels, 3, &set.count);
  set.labels = read_idx(folder, labels, 1, &count);
  if (count != set.count)
    fail("%lld images with %lld labels", (long long)set.count, (long long)count);
  for (int64_t i = 0; i < count; i++)
    if (set.labels[i] >= CLASSES) fail("%s has a label %d", labels, set.labels[i]);
  return set;
}

static int write_bytes(void *file, const void *bytes, size_t size) {
  return fwrite(bytes, 1, size, file) != size;
}

/* Under its name there is a whole file or the one before. */
static void save_weights(const char *path) {
  char *unfinished = checked(malloc(strlen(path) + sizeof ".new"));
  sprintf(unfinished, "%s.new", path);
  FILE *file = fopen(unfinished, "wb");
  if (!file) perror(unfinished), exit(1);
  int error = images_save(&model, write_bytes, file);
  if (fclose(file) || error || rename(unfinished, path)) perror(path), exit(1);
  free(unfinished);
}

/* ---- training -------------------------------------------------------------------------------- */

static void take(const Images *set, int64_t from, uint8_t *x, int32_t *t) {
  memcpy(x, set->pixels + from * PIXELS, PIXELS);
  *t = set->labels[from];
}

static void show_progress(int64_t done, int64_t all, double loss, double seconds) {
  if (!isatty(STDERR_FILENO)) return;
  fprintf(stderr, "\r%lld of %lld  loss %.3f  %.0f images/s  %.0f s left \033[K", (long long)done,
          (long long)all, loss, (double)done / seconds,
          (double)(all - done) * seconds / (double)done);
  if (done == all || interrupted) fputs("\r\033[K", stderr);
}

/* All images once, in a new order; what is left over from the last batch is not used. Returns the mean loss. */
static double learn(const Images *set, uint64_t seed, uint64_t epoch, int64_t *order) {
  static uint8_t x[BATCH][PIXELS];
  static int32_t t[BATCH];
  clock_t start = clock();
  double sum = 0;
  int64_t done = 0;
  for (int64_t i = 0; i < set->count; i++) order[i] = i;
  for (int64_t i = 0; i < set->count && !interrupted; i++) {
    double left = (double)(set->count - i);
    int64_t j = i + (int64_t)(nnrt_uniform_f64(seed, epoch, 1, (uint64_t)i) * left);
    take(set, order[j], x[i % BATCH], &t[i % BATCH]);
    order[j] = order[i];
    if (i % BATCH != BATCH - 1) continue;
    sum += (double)images_train_step(&model, BATCH, x[0], t);
    expect_ok(images_status(&model), "training");
    done += BATCH;
    show_progress(done, set->count / BATCH * BATCH, sum * BATCH / (double)done,
                  (double)(clock() - start) / CLOCKS_PER_SEC);
  }
  return sum * BATCH / (double)done;
}

static double accuracy(const Images *set) {
  images_metrics sums = {0};
  int32_t t[BATCH];
  for (int64_t from = 0, count; from < set->count; from += count) {
    count = set->count - from < BATCH ? set->count - from : BATCH;
    for (int64_t i = 0; i < count; i++) t[i] = set->labels[from + i];
    expect_ok(images_eval_step(&model, count, set->pixels + from * PIXELS, t, &sums), "testing");
  }
  return sums.acc / sums.samples;
}

int main(int count, char **arguments) {
  Options options = read_options(count, arguments);
  Images training =
      read_images(options.data, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
  Images test = read_images(options.data, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");
  if (training.count < BATCH)
    fail("%lld images are too few to learn from", (long long)training.count);
  int64_t *order = checked(malloc((size_t)training.count * sizeof *order));
  images_init(&model, options.seed);
  model.last = (double)(options.epochs * (training.count / BATCH));
  signal(SIGINT, interrupt);
  for (int64_t epoch = 1; epoch <= options.epochs && !interrupted; epoch++) {
    clock_t start = clock();
    double loss = learn(&training, options.seed, (uint64_t)epoch, order);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("epoch %2lld  ", (long long)epoch);
    if (interrupted)
      puts("interrupted");
    else
      printf("loss %.4f  %.0f s\n", loss, seconds);
    fflush(stdout);
  }
  save_weights(options.output);
  printf("test accuracy %.4f\n", accuracy(&test));
  free(order);
  free(training.pixels), free(training.labels);
  free(test.pixels), free(test.labels);
  return 0;
}
