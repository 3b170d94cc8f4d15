/* The command line, from the table options.def. */
#include "command/options.h"
#include "command/arguments.h"
#include "command/explain.h"
#include "command/targets.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum OptionCode {
  CODE_FIRST = 256,
#define OPTION(name, ...) CODE_##name,
#include "command/options.def"
#undef OPTION
};

typedef struct OptionRow {
  const char *name;
  int letter, has_argument;
  const char *argument, *help;
} OptionRow;

static const OptionRow rows[] = {
#define OPTION(code, name, letter, has_argument, argument, help)                                   \
  {name, letter, has_argument, argument, help},
#include "command/options.def"
#undef OPTION
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

typedef struct PassRow {
  const char *name, *title;
  enum { NEEDED, OPTIONAL } need;
} PassRow;

static const PassRow passes[] = {
#define PASS(name, works_on, need, title) {#name, title, need},
#include "passes.def"
#undef PASS
};

const char *pass_name(Pass pass) {
  return passes[pass].name;
}

static _Noreturn void usage_error(const char *what, const char *name) {
  fprintf(stderr, "nnc: %s '%s'\nTry 'nnc --help'.\n", what, name);
  exit(EXIT_USAGE);
}

/* ---- help ---- */

static void print_help(void) {
  printf("usage: nnc [OPTION...] MODEL.nn -o MODEL.c    compile to C (- reads standard input)\n"
         "       nnc check [OPTION...] MODEL.nn         report errors\n"
         "       nnc show [OPTION...] MODEL.nn          print parameters, shapes and memory\n"
         "       nnc fmt [-o FILE] MODEL.nn             print in the one true layout\n"
         "       nnc @FILE ...                          take arguments from FILE\n\n");
  for (int i = 0; i < ROW_COUNT; i++) {
    char left[48], letter[8] = "    ";
    if (rows[i].letter) snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
    snprintf(left, sizeof left, "%s--%s %s", letter, rows[i].name, rows[i].argument);
    printf("  %-26s %s\n", rows[i].letter == 'M' ? rows[i].argument : left, rows[i].help);
  }
  printf("\nPasses, for --dump and --stop-after (*: also for --skip):\n");
  for (int i = 0; i < PASS_COUNT; i++) {
    const char *mark = passes[i].need == OPTIONAL ? " *" : "";
    printf("  %s%-*s %s\n", passes[i].name, 26 - (int)strlen(passes[i].name), mark,
           passes[i].title);
  }
  printf("\nTargets, for --target:\n");
  targets_print();
  printf("\nExit status: 0 done; 1 errors in the program; 2 usage or file; 3 out of memory; 70 a "
         "bug.\n");
}

/* ---- values ---- */

static Pass pass_of(const char *name, size_t length) {
  for (int i = 0; i < PASS_COUNT; i++) {
    if (strlen(passes[i].name) == length && strncmp(passes[i].name, name, length) == 0)
      return (Pass)i;
  }
  usage_error("no pass is called", name);
}

static void read_dumps(Options *options, const char *list) {
  while (*list) {
    size_t length = strcspn(list, ",");
    options->dumps[pass_of(list, length)] = true;
    options->dumps_any = true;
    list += length + (list[length] == ',');
  }
}

static void read_skips(Options *options, const char *list) {
  for (const char *at = list; *at;) {
    size_t length = strcspn(at, ",");
    Pass pass = pass_of(at, length);
    if (passes[pass].need != OPTIONAL) usage_error("--skip takes optional passes, not", list);
    options->skips[pass] = true;
    at += length + (at[length] == ',');
  }
}

static void read_define(Arena *arena, Options *options, const char *text) {
  const char *equals = strchr(text, '=');
  char *end = NULL;
  int64_t value = equals ? strtoll(equals + 1, &end, 10) : 0;
  if (!equals || end == equals + 1 || *end != '\0' || equals == text || value < 0) {
    usage_error("-D takes DIM=SIZE with a whole number, not", text);
  }
  DimOverride *all = NEW_ARRAY(arena, DimOverride, options->elaborate.override_count + 1);
  for (int i = 0; i < options->elaborate.override_count; i++)
    all[i] = options->elaborate.overrides[i];
  all[options->elaborate.override_count].name =
      arena_format(arena, "%.*s", (int)(equals - text), text);
  all[options->elaborate.override_count++].value = value;
  options->elaborate.overrides = all;
}

static void read_include(Arena *arena, Options *options, const char *directory) {
  const char **all = NEW_ARRAY(arena, const char *, options->elaborate.import_directory_count + 1);
  for (int i = 0; i < options->elaborate.import_directory_count; i++) {
    all[i] = options->elaborate.import_directories[i];
  }
  all[options->elaborate.import_directory_count++] = directory;
  options->elaborate.import_directories = all;
}

static void read_emit(Options *options, const char *list) {
  options->emit_train = options->emit_infer = options->emit_gradients = false;
  for (const char *at = list; *at;) {
    size_t length = strcspn(at, ",");
    if (length == 5 && strncmp(at, "train", 5) == 0) {
      options->emit_train = true;
    } else if (length == 5 && strncmp(at, "infer", 5) == 0) {
      options->emit_infer = true;
    } else if (length == 9 && strncmp(at, "gradients", 9) == 0) {
      options->emit_gradients = true;
    } else {
      usage_error("--emit takes train, infer, gradients, not", list);
    }
    at += length + (at[length] == ',');
  }
}

/* "2000", "64K", "64KiB". */
static int64_t read_bytes(const char *option, const char *text) {
  char *end;
  int64_t value = strtoll(text, &end, 10);
  static const char units[] = "KMG";
  const char *unit = *end ? strchr(units, *end) : NULL;
  if (unit && (end[1] == '\0' || strcmp(end + 1, "iB") == 0)) {
    for (int i = 0; i <= unit - units; i++) {
      if (!checked_multiply(value, 1024, &value)) value = -1;
    }
  } else if (*end) {
    value = -1;
  }
  if (value >= 1) return value;
  fprintf(stderr,
          "nnc: %s takes a number of bytes, also with K, M or G, not '%s'\nTry 'nnc --help'.\n",
          option, text);
  exit(EXIT_USAGE);
}

static void read_real(Options *options, const char *text) {
  if (strcmp(text, "double") == 0) {
    options->real_bytes = 8;
  } else if (strcmp(text, "float") != 0) {
    usage_error("--real takes float or double, not", text);
  }
}

/* Of a model: what `show` prints; of a diagnostic: at once, without one. */
static void read_explain(Options *options, const char *what) {
  if (strcmp(what, "memory") == 0)
    options->explanation = EXPLAIN_MEMORY;
  else if (strcmp(what, "fusion") == 0)
    options->explanation = EXPLAIN_FUSION;
  else
    exit(explain_print(what) ? 0 : EXIT_USAGE);
}

static void read_target(Arena *arena, Options *options, const char *name) {
  const char *error;
  options->target = target_read(arena, name, &error);
  if (options->target) return;
  fprintf(stderr, "nnc: %s\nTry 'nnc --help'.\n", error);
  exit(EXIT_USAGE);
}

static void read_depend(Options *options, const char *text, int count, char **arguments) {
  options->depend = true;
  if (strcmp(text, "D") == 0) return;
  if (*text != 'F') usage_error("unknown option", arguments[optind - 1]);
  if (text[1]) {
    options->depend_file = text + 1;
  } else if (optind < count) {
    options->depend_file = arguments[optind++];
  } else {
    usage_error("a file name must follow", "-MF");
  }
}

/* ---- the whole ---- */

static void read_option(Arena *arena, Options *options, int code, int count, char **arguments) {
  switch (code) {
  case CODE_output: options->output = optarg; break;
  case CODE_define: read_define(arena, options, optarg); break;
  case CODE_include: read_include(arena, options, optarg); break;
  case CODE_warnings: options->warnings = true; break;
  case CODE_depend: read_depend(options, optarg, count, arguments); break;
  case CODE_model: options->elaborate.model_name = optarg; break;
  case CODE_emit: read_emit(options, optarg); break;
  case CODE_real: read_real(options, optarg); break;
  case CODE_target: read_target(arena, options, optarg); break;
  case CODE_standalone: options->standalone = true; break;
  case CODE_gradients: options->gradients = true; break;
  case CODE_dump: read_dumps(options, optarg); break;
  case CODE_stop_after: options->stop_after = pass_of(optarg, strlen(optarg)); break;
  case CODE_skip: read_skips(options, optarg); break;
  case CODE_time: options->time = true; break;
  case CODE_max_mem: options->memory_limit = read_bytes("--max-mem", optarg); break;
  case CODE_ram: options->ram = read_bytes("--ram", optarg); break;
  case CODE_json: options->json = true; break;
  case CODE_explain: read_explain(options, optarg); break;
  case CODE_help: print_help(); exit(0);
  case CODE_version: printf("nnc " NNC_VERSION "\n"); exit(0);
  default: fprintf(stderr, "Try 'nnc --help'.\n"); exit(EXIT_USAGE);
  }
}

/* getopt's tables: the code of row i is CODE_FIRST + 1 + i, its letter maps to the same. */
static int next_option(int count, char **arguments) {
  static struct option longs[ROW_COUNT + 1];
  static char shorts[3 * ROW_COUNT + 1];
  if (!shorts[0]) {
    size_t at = 0;
    for (int i = 0; i < ROW_COUNT; i++) {
      longs[i] = (struct option){rows[i].name, rows[i].has_argument, NULL, CODE_FIRST + 1 + i};
      if (!rows[i].letter) continue;
      shorts[at++] = (char)rows[i].letter;
      if (rows[i].has_argument == required_argument) shorts[at++] = ':';
    }
  }
  int code = getopt_long(count, arguments, shorts, longs, NULL);
  for (int i = 0; i < ROW_COUNT; i++) {
    if (code > 0 && code < CODE_FIRST && rows[i].letter == code) return CODE_FIRST + 1 + i;
  }
  return code;
}

static Command command_of(const char *word, bool *is_command) {
  static const char *const words[] = {"", "check", "show", "fmt"};
  for (int i = 1; i < 4; i++) {
    if (strcmp(word, words[i]) == 0) {
      *is_command = true;
      return (Command)i;
    }
  }
  return COMMAND_COMPILE;
}

Options options_read(Arena *arena, int count, char **arguments) {
  Options options = {.emit_train = true,
                     .emit_infer = true,
                     .real_bytes = 4,
                     .stop_after = PASS_emit,
                     .memory_limit = LIMIT_PLANNED_BYTES};
  const char *failed;
  read_target(arena, &options, "generic");
  const char *error = arguments_expand(arena, &count, &arguments, &failed);
  if (error) usage_error(error, failed);
  for (int code; (code = next_option(count, arguments)) != -1;) {
    read_option(arena, &options, code, count, arguments);
  }
  bool is_command = false;
  if (optind < count) options.command = command_of(arguments[optind], &is_command);
  optind += is_command;
  if (optind >= count) usage_error("no input file for", is_command ? arguments[optind - 1] : "nnc");
  options.elaborate.allows_no_model = options.command == COMMAND_CHECK;
  options.input = arguments[optind++];
  if (optind < count) usage_error("one input file at a time; what is", arguments[optind]);
  if (options.explanation != EXPLAIN_NOTHING && options.command != COMMAND_SHOW)
    usage_error("--explain of a model is for nnc show, not", options.input);
  bool writes = options.command == COMMAND_COMPILE && options.stop_after == PASS_emit;
  if (writes && !options.output && !options.dumps_any) {
    usage_error("-o FILE.c is missing for", options.input);
  }
  bool overwrites = writes && options.output && strcmp(options.output, "-") != 0 &&
                    strcmp(options.output, options.input) == 0;
  if (overwrites) usage_error("the C would replace its source", options.input);
  return options;
}
