/* The whole compiler on mutants of programs: mutate_programs COUNT DIRECTORY FILE...

   Each mutant goes through every pass to C. None may crash, hang, leak, find a bug of the compiler or
   need much memory; what compiles must satisfy c_oracle.h. Some of it is left in DIRECTORY for a C
   compiler, and so is each mutant that failed. Mutants run in child processes, a batch in each; the next
   child goes on behind a mutant that ended one. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "../fuzz/c_oracle.h"
#include "../fuzz/mutator.h"
#include "../fuzz/token_mutator.h"
#include "command/compilation.h"
#include "command/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 16, BATCH = 200, WORKERS = 2, C_FILES = 60, MOST_FAILURES = 10 };
static const size_t MEMORY_LIMIT = (size_t)256 << 20;

#ifdef __SANITIZE_ADDRESS__
enum { SECONDS_EACH = 40 };
#else
enum { SECONDS_EACH = 4 };
#endif

typedef struct Source {
  const char *file, *text;
  size_t size;
} Source;

/* What a child and its parent share. */
typedef struct Progress {
  unsigned long next, compiled;
  char reason[128];
} Progress;

static const Source *sources;
static unsigned long source_count, mutant_count, mutants_of_each_c_file = 1;
static const char *directory;
static char mutant[FILE_LIMIT + 1];

static size_t make_mutant(unsigned long seed) {
  const Source *source = &sources[seed % source_count];
  const Source *other = &sources[seed / source_count % source_count];
  size_t size = seed % 4 == 0 ? mutate(seed, source->text, source->size, mutant, FILE_LIMIT)
                              : mutate_tokens(seed, source->text, source->size, other->text,
                                              other->size, mutant, FILE_LIMIT);
  mutant[size] = '\0';
  return strlen(mutant);
}

static void write_file(const char *name, unsigned long seed, const char *ending, const char *text,
                       size_t size) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s%lu%s", directory, name, seed, ending);
  const char *error = file_write(path, text, size);
  if (!error) return;
  printf("FAIL mutants: %s: %s\n", path, error);
  exit(EXIT_USAGE);
}

/* ---- in a child ---- */

static _Noreturn void give_up(Progress *progress, const char *reason) {
  snprintf(progress->reason, sizeof progress->reason, "%s", reason);
  _exit(1);
}

static void print_diagnostics(const Compilation *compilation) {
  FILE *sink = fopen("/dev/null", "w");
  if (!sink) return;
  diagnostics_print(compilation->diagnostics, sink, true);
  diagnostics_print_json(compilation->diagnostics, sink);
  fclose(sink);
}

static void check_c(Progress *progress, const Compilation *compilation, unsigned long seed) {
  const Text *texts[] = {&compilation->source, &compilation->header};
  for (int i = 0; i < 2 && !compilation->options->standalone;
       i++) { /* the runtime is our own text */
    size_t where;
    const char *fault = find_c_fault(texts[i]->bytes, texts[i]->size, &where);
    if (!fault) continue;
    char reason[128];
    const char *line = texts[i]->bytes + where;
    snprintf(reason, sizeof reason, "generated C has %s: %.*s", fault,
             (int)strcspn(line, "\n") % 60, line);
    give_up(progress, reason);
  }
  progress->compiled++;
  if (seed % mutants_of_each_c_file != 0) return;
  write_file("m", seed, ".h", compilation->header.bytes, compilation->header.size);
  write_file("m", seed, ".c", compilation->source.bytes, compilation->source.size);
}

static void try_mutant(Progress *progress, unsigned long seed) {
  Arena *arena = arena_new();
  char output[32];
  snprintf(output, sizeof output, "m%lu.c", seed);
  static const char *const targets[] = {"generic", "x86-64", "x86-64-v3", "x86-64-v4", "aarch64"};
  const char *error;
  Options options = {.input = "mutant.nn",
                     .output = output,
                     .stop_after = PASS_emit,
                     .emit_train = true,
                     .emit_infer = true,
                     .emit_gradients = seed % 3 == 0,
                     .standalone = seed % 64 == 0,
                     .warnings = true,
                     .real_bytes = seed % 5 == 0 ? 8 : 4,
                     .target = target_read(arena, targets[seed / 5 % 5], &error),
                     .memory_limit = LIMIT_PLANNED_BYTES};
  Compilation compilation = {.arena = arena, .options = &options, .names = names_new(arena)};
  sources_init(&compilation.sources, arena);
  compilation.diagnostics = diagnostics_new(arena, &compilation.sources);
  diagnostics_enable_warnings(compilation.diagnostics);
  source_add(&compilation.sources, options.input, mutant, (uint32_t)make_mutant(seed));
  struct itimerval timer = {.it_value = {.tv_sec = SECONDS_EACH}};
  setitimer(ITIMER_VIRTUAL, &timer, NULL);
  bool good = compilation_run(&compilation, PASS_emit);
  print_diagnostics(&compilation);
  if (good) check_c(progress, &compilation, seed);
  if (arena_used(arena) > MEMORY_LIMIT) give_up(progress, "needed more than 256 MiB");
  arena_free(arena);
}

static _Noreturn void run_batch(Progress *progress, unsigned long end, unsigned long stride) {
  if (!freopen("/dev/null", "w", stdout)) _exit(EXIT_USAGE);
  for (; progress->next < end; progress->next += stride) try_mutant(progress, progress->next);
  exit(0);
}

/* ---- in the parent ---- */

static void describe(Progress *progress, int status) {
  if (progress->reason[0]) return;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM)
    snprintf(progress->reason, sizeof progress->reason, "ran longer than %d s", SECONDS_EACH);
  else if (WIFSIGNALED(status))
    snprintf(progress->reason, sizeof progress->reason, "signal %d", WTERMSIG(status));
  else
    snprintf(progress->reason, sizeof progress->reason, "exit status %d", WEXITSTATUS(status));
}

static void report(Progress *progress, int status, unsigned long end) {
  describe(progress, status);
  unsigned long seed = progress->next;
  if (seed >= end) {
    printf("FAIL mutants: %s behind mutant %lu\n", progress->reason, seed);
    return;
  }
  write_file("failed", seed, ".nn", mutant, make_mutant(seed));
  printf("FAIL mutants: %s: mutant %lu of %s: see %s/failed%lu.nn\n", progress->reason, seed,
         sources[seed % source_count].file, directory, seed);
}

static int run_child(Progress *progress, unsigned long end, unsigned long stride) {
  progress->reason[0] = '\0';
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) run_batch(progress, end, stride);
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 ? status : -1;
}

/* Every `stride`th mutant from `first` on; the number that failed. */
static int run_worker(Progress *progress, unsigned long first, unsigned long stride) {
  int failures = 0;
  for (progress->next = first; progress->next < mutant_count && failures < MOST_FAILURES;) {
    unsigned long end = progress->next + BATCH * stride;
    if (end > mutant_count) end = mutant_count;
    int status = run_child(progress, end, stride);
    if (status == 0) continue;
    failures++;
    report(progress, status, end);
    if (progress->next < end) progress->next += stride;
  }
  return failures;
}

static void read_sources(Arena *arena, int count, char **files) {
  Source *all = NEW_ARRAY(arena, Source, count);
  for (int i = 0; i < count; i++) {
    const char *error;
    all[i].file = files[i];
    all[i].text = file_read(arena, files[i], FILE_LIMIT / 2, &all[i].size, &error);
    if (all[i].text) continue;
    printf("FAIL mutants: %s: %s\n", files[i], error);
    exit(EXIT_USAGE);
  }
  sources = all;
  source_count = (unsigned long)count;
}

int main(int count, char **arguments) {
  if (count < 4) return EXIT_USAGE;
  mutant_count = strtoul(arguments[1], NULL, 10);
  mutants_of_each_c_file = mutant_count / C_FILES / 10 + 1;
  directory = arguments[2];
  Arena *arena = arena_new();
  read_sources(arena, count - 3, arguments + 3);
  Progress *progress = mmap(NULL, WORKERS * sizeof *progress, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (progress == MAP_FAILED) return EXIT_MEMORY;
  for (unsigned long worker = 1; worker < WORKERS; worker++)
    if (fork() == 0) exit(run_worker(&progress[worker], worker, WORKERS) > 0);
  int failures = run_worker(&progress[0], 0, WORKERS), status;
  unsigned long compiled = progress[0].compiled;
  for (int worker = 1; worker < WORKERS; worker++) {
    wait(&status);
    failures += status != 0;
    compiled += progress[worker].compiled;
  }
  if (failures == 0)
    printf("ok mutants: %lu tried, %lu of them compiled\n", mutant_count, compiled);
  arena_free(arena);
  return failures != 0;
}
