/* An LSTM learns nine tenths of a text, byte by byte, is measured on the last tenth, and then
   writes a text of its own. Both parts are cut into ROWS pieces, which the model reads side by
   side; its state goes on from call to call, while gradients go LENGTH bytes back. */
#include "characters.h"

#include <nnrt_philox.h>

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 16, LENGTH = 64, BYTES = 256 };

static const char usage[] =
    "usage: characters [OPTION...] TEXT      learns to write like a text\n\n"
    "  -s, --steps N        training steps, counted from the very first (4000)\n"
    "  -e, --every N        steps between two measurements (500)\n"
    "  -r, --resume FILE    go on from these weights\n"
    "  -o, --output FILE    where to save the weights (characters.weights)\n"
    "  -n, --sample N       bytes to write at the end (500)\n"
    "  -t, --temperature X  of what is written: less is safer, more is wilder (0.8)\n"
    "      --seed N         of everything that is random (1)\n"
    "  -h, --help           print this\n\n"
    "Ctrl-C saves the weights and ends.\n";

typedef struct Options {
  const char *text, *resume, *output;
  uint64_t steps, every, seed, sample;
  double temperature;
} Options;

typedef struct Part {
  const int32_t *symbols;
  int64_t share; /* of each of the ROWS pieces */
} Part;

static characters model;
static characters reader; /* a copy, to read and write with while training stands still */
enum { MOST = sizeof model.alphabet / sizeof *model.alphabet }; /* V of characters.nn */
static unsigned char alphabet[MOST];
static int letters;
static int32_t symbol_of[BYTES]; /* -1: not in the alphabet */
static int32_t here[ROWS * LENGTH], next[ROWS * LENGTH];
static volatile sig_atomic_t interrupted;

static void interrupt(int number) {
  interrupted = 1;
  signal(number, SIG_DFL); /* the second one ends at once */
}

static _Noreturn void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("characters: ", stderr);
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

static uint64_t whole_number(const char *text, uint64_t least) {
  char *end;
  unsigned long long number = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || number < least || number > INT64_MAX)
    fail("'%s' is not a whole number of at least %d", text, (int)least);
  return number;
}

static double positive_number(const char *text) {
  char *end;
  double number = strtod(text, &end);
  if (end == text || *end || !(number > 0) || isinf(number))
    fail("'%s' is not a number above 0", text);
  return number;
}

static Options read_options(int count, char **arguments) {
  static const struct option names[] = {
      {"steps", 1, NULL, 's'},  {"every", 1, NULL, 'e'},  {"resume", 1, NULL, 'r'},
      {"output", 1, NULL, 'o'}, {"sample", 1, NULL, 'n'}, {"temperature", 1, NULL, 't'},
      {"seed", 1, NULL, 'S'},   {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0}};
  Options options = {NULL, NULL, "characters.weights", 4000, 500, 1, 500, 0.8};
  for (int letter; (letter = getopt_long(count, arguments, "s:e:r:o:n:t:h", names, NULL)) != -1;)
    switch (letter) {
    case 's': options.steps = whole_number(optarg, 0); break;
    case 'e': options.every = whole_number(optarg, 1); break;
    case 'r': options.resume = optarg; break;
    case 'o': options.output = optarg; break;
    case 'n': options.sample = whole_number(optarg, 0); break;
    case 't': options.temperature = positive_number(optarg); break;
    case 'S': options.seed = whole_number(optarg, 0); break;
    case 'h': fputs(usage, stdout); exit(0);
    default: fputs(usage, stderr); exit(2);
    }
  if (optind != count - 1) fputs(usage, stderr), exit(2);
  options.text = arguments[optind];
  return options;
}

/* ---- files ----------------------------------------------------------------------------------- */

static FILE *open_file(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  if (!file) perror(path), exit(1);
  return file;
}

static unsigned char *read_file(const char *path, int64_t *count) {
  FILE *file = open_file(path, "rb");
  size_t size = 0, room = 1 << 20, got;
  unsigned char *bytes = checked(malloc(room));
  while ((got = fread(bytes + size, 1, room - size, file)) > 0)
    if ((size += got) == room) bytes = checked(realloc(bytes, room *= 2));
  if (ferror(file)) perror(path), exit(1);
  fclose(file);
  *count = (int64_t)size;
  return bytes;
}

static int write_bytes(void *file, const void *bytes, size_t size) {
  return fwrite(bytes, 1, size, file) != size;
}
static int read_bytes(void *file, void *bytes, size_t size) {
  return fread(bytes, 1, size, file) != size;
}

/* Under its name there is a whole file or the one before. */
static void save_weights(const char *path) {
  char *unfinished = checked(malloc(strlen(path) + sizeof ".new"));
  sprintf(unfinished, "%s.new", path);
  FILE *file = open_file(unfinished, "wb");
  int error = characters_save(&model, write_bytes, file);
  if (fclose(file) || error || rename(unfinished, path)) perror(path), exit(1);
  free(unfinished);
  printf("%s: the weights after %llu steps\n", path, (unsigned long long)model.step);
}

static void load_weights(const char *path) {
  FILE *file = open_file(path, "rb");
  expect_ok(characters_load(&model, read_bytes, file), path);
  fclose(file);
}

/* ---- the alphabet ---------------------------------------------------------------------------- */

/* model.alphabet: the bytes that the text has, in their order, and -1 for the rest. */
static void choose_alphabet(const char *path, const unsigned char *bytes, int64_t count) {
  int different = 0, occurs[BYTES] = {0};
  for (int64_t i = 0; i < count; i++) occurs[bytes[i]] = 1;
  for (int byte = 0; byte < BYTES; byte++) {
    if (occurs[byte] && different < MOST) model.alphabet[different] = (float)byte;
    different += occurs[byte];
  }
  if (different > MOST)
    fail("%s has %d different bytes; build the model with nnc -D V=%d or more", path, different,
         different);
}

static bool in_alphabet(int symbol) {
  return symbol < MOST && model.alphabet[symbol] >= 0 && model.alphabet[symbol] < BYTES;
}

static void read_alphabet(void) {
  for (int byte = 0; byte < BYTES; byte++) symbol_of[byte] = -1;
  for (letters = 0; in_alphabet(letters); letters++) {
    alphabet[letters] = (unsigned char)model.alphabet[letters];
    symbol_of[alphabet[letters]] = letters;
  }
}

static int32_t *symbols_of(const char *path, const unsigned char *bytes, int64_t count) {
  int32_t *symbols = checked(malloc((size_t)count * sizeof *symbols));
  for (int64_t i = 0; i < count; i++)
    if ((symbols[i] = symbol_of[bytes[i]]) < 0)
      fail("%s has a byte %d, which was not in the text of the weights", path, bytes[i]);
  return symbols;
}

/* ---- reading and writing --------------------------------------------------------------------- */

/* The bytes from `at` on of each piece and those that follow them; returns how many of each. */
static int64_t read_pieces(Part part, int64_t at) {
  int64_t length = part.share - 1 - at < LENGTH ? part.share - 1 - at : LENGTH;
  for (int64_t n = 0; n < ROWS; n++)
    for (int64_t t = 0; t < length; t++) {
      here[n * length + t] = part.symbols[n * part.share + at + t];
      next[n * length + t] = part.symbols[n * part.share + at + t + 1];
    }
  return length;
}

static void forget(characters *m) {
  memset(m->h0, 0, sizeof m->h0);
  memset(m->c0, 0, sizeof m->c0);
}

/* One step; its place in the text follows from its number, so that it is known after --resume. */
static double learn(Part part) {
  int64_t windows = (part.share - 1) / LENGTH, window = (int64_t)(model.step % (uint64_t)windows);
  if (window == 0) forget(&model);
  int64_t length = read_pieces(part, window * LENGTH);
  double loss = (double)characters_train_step(&model, ROWS, length, here, next);
  expect_ok(characters_status(&model), "training");
  return loss;
}

/* Nats per byte of a part of the text that the model reads without learning. */
static double surprise(Part part) {
  static float p[ROWS * LENGTH * MOST];
  double sum = 0;
  reader = model;
  forget(&reader);
  for (int64_t at = 0, length; at < part.share - 1; at += length) {
    length = read_pieces(part, at);
    expect_ok(characters_infer(&reader, ROWS, length, here, p), "reading");
    for (int64_t i = 0; i < ROWS * length; i++) sum -= log((double)p[i * MOST + next[i]]);
  }
  return sum / (double)(ROWS * (part.share - 1));
}

/* A symbol by its chance to the power of 1/temperature, chosen by u of [0, 1). */
static int32_t choose(const float *p, double temperature, double u) {
  double sum = 0;
  int32_t symbol = 0;
  for (int i = 0; i < letters; i++) sum += pow((double)p[i], 1 / temperature);
  for (u *= sum; symbol < letters - 1; symbol++)
    if ((u -= pow((double)p[symbol], 1 / temperature)) < 0) break;
  return symbol;
}

/* The state of the model holds what it has written so far: one byte a call. */
static void write_text(const Options *options) {
  float p[MOST];
  int32_t symbol = symbol_of['\n'] < 0 ? 0 : symbol_of['\n'];
  reader = model;
  forget(&reader);
  for (uint64_t i = 0; i < options->sample; i++) {
    expect_ok(characters_infer(&reader, 1, 1, &symbol, p), "writing");
    symbol = choose(p, options->temperature, nnrt_uniform_f64(options->seed, model.step, 1, i));
    putchar(alphabet[symbol]);
  }
  if (options->sample) putchar('\n');
}

/* ---- training -------------------------------------------------------------------------------- */

static void show_progress(const Options *options, double loss, uint64_t first, double seconds) {
  double done = (double)(model.step - first), left = (double)(options->steps - model.step);
  fprintf(stderr, "\rstep %llu of %llu  %.3f  %.0f bytes/s  %.0f s left \033[K",
          (unsigned long long)model.step, (unsigned long long)options->steps, loss,
          done * ROWS * LENGTH / seconds, left * seconds / done);
}

static void train(const Options *options, Part training, Part validation) {
  bool on_terminal = isatty(STDERR_FILENO);
  uint64_t first = model.step;
  clock_t start = clock();
  double sum = 0;
  int64_t summed = 0;
  while (model.step < options->steps && !interrupted) {
    double loss = learn(training);
    sum += loss, summed++;
    if (on_terminal)
      show_progress(options, loss, first, (double)(clock() - start) / CLOCKS_PER_SEC);
    if (model.step % options->every && model.step < options->steps && !interrupted) continue;
    if (on_terminal) fputs("\r\033[K", stderr);
    printf("step %5llu  training %.4f  validation %.4f nats per byte\n",
           (unsigned long long)model.step, sum / (double)summed, surprise(validation));
    fflush(stdout);
    sum = 0, summed = 0;
  }
}

int main(int count, char **arguments) {
  Options options = read_options(count, arguments);
  int64_t size;
  unsigned char *bytes = read_file(options.text, &size);
  int64_t learned = size - size / 10, least = (int64_t)10 * ROWS * (LENGTH + 1);
  if (size < least)
    fail("%s has %lld bytes; at least %lld are wanted", options.text, (long long)size,
         (long long)least);
  characters_init(&model, options.seed);
  if (options.resume)
    load_weights(options.resume);
  else
    choose_alphabet(options.text, bytes, size);
  model.last = (double)options.steps;
  read_alphabet();
  int32_t *symbols = symbols_of(options.text, bytes, size);
  free(bytes);
  Part training = {symbols, learned / ROWS},
       validation = {symbols + learned, (size - learned) / ROWS};
  signal(SIGINT, interrupt);
  train(&options, training, validation);
  free(symbols);
  save_weights(options.output);
  write_text(&options);
  return 0;
}
