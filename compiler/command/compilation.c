/* The passes one after the other, with dumps, times and verifiers between them. */
#include "command/compilation.h"

#include "calculus/calculus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void report_file(Compilation *compilation, ErrorCode code, const char *path,
                        const char *error) {
  const char *shown = strcmp(path, "-") != 0 ? path : code == NN0901 ? "<stdin>" : "<stdout>";
  diagnose(compilation->diagnostics, code, (Span){0, 0}, "%s: %s", shown, error);
  compilation->file_failed = true;
}

bool compilation_open(Compilation *compilation, Arena *arena, const Options *options) {
  *compilation = (Compilation){.arena = arena, .options = options, .names = names_new(arena)};
  sources_init(&compilation->sources, arena);
  compilation->diagnostics = diagnostics_new(arena, &compilation->sources);
  if (options->warnings) diagnostics_enable_warnings(compilation->diagnostics);
  const char *error;
  size_t size;
  char *text = file_read(arena, options->input, LIMIT_FILE_BYTES, &size, &error);
  const char *shown = strcmp(options->input, "-") == 0 ? "<stdin>" : options->input;
  if (text)
    source_add(&compilation->sources, shown, text, (uint32_t)size);
  else
    report_file(compilation, NN0901, options->input, error);
  return text != NULL;
}

/* ---- the passes ---- */

static void run_parse(Compilation *compilation) {
  compilation->tree = tree_parse(compilation->arena, compilation->names, &compilation->sources,
                                 compilation->diagnostics, compilation->sources.files.items[0]);
}

static void warn_of_unused_overrides(const Compilation *compilation) {
  const ElaborateOptions *options = &compilation->options->elaborate;
  for (int i = 0; i < options->override_count; i++) {
    if (options->overrides[i].used) continue;
    diagnose(compilation->diagnostics, NN0201, (Span){0, 0}, "-D: no model has a dim '%s'",
             options->overrides[i].name);
  }
}

static void run_elaborate(Compilation *compilation) {
  ElaborateOptions options = compilation->options->elaborate;
  compilation->models =
      elaborate(compilation->arena, compilation->names, &compilation->sources,
                compilation->diagnostics, compilation->tree, &options, &compilation->imports);
  if (diagnostics_error_count(compilation->diagnostics) == 0) warn_of_unused_overrides(compilation);
}

static void run_share(Compilation *compilation, Model *model) {
  (void)compilation;
  share(model, &model->init);
  share(model, &model->train);
  share(model, &model->eval);
}

static void run_stabilise(Compilation *compilation, Model *model) {
  (void)compilation;
  simplify(model, &model->train, SIMPLIFY_STABILISE);
  simplify(model, &model->eval, SIMPLIFY_STABILISE);
}

static void run_derive(Compilation *compilation, Model *model) {
  (void)compilation;
  derive(model);
}

static void run_accumulate(Compilation *compilation, Model *model) {
  if (compilation->options->emit_gradients) accumulate(model);
}

static void run_simplify(Compilation *compilation, Model *model) {
  simplify(model, &model->init, SIMPLIFY_ALGEBRA);
  simplify(model, &model->train, SIMPLIFY_ALGEBRA);
  simplify(model, &model->eval, SIMPLIFY_ALGEBRA);
  run_share(compilation, model);
}

static void run_arrange(Compilation *compilation, Model *model) {
  (void)compilation;
  arrange(model, &model->init);
  arrange(model, &model->train);
  arrange(model, &model->eval);
}

static void run_order(Compilation *compilation, Routine *routine) {
  (void)compilation;
  routine_order(routine);
}

static void run_segment(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_segment]) routine_segment(routine);
}

static void run_recompute(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_recompute]) routine_recompute(routine);
}

static void run_inline(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_inline]) routine_inline(routine);
}

/* Whether a pass may that copies values for their layout. */
static bool copies(const Compilation *compilation, const Routine *routine, Pass pass) {
  return !compilation->options->skips[pass] && routine->pressure->copies;
}

static void run_fill(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_fill]) routine_fill(routine);
}

static void run_carry(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_carry]) routine_carry(routine);
}

static void run_pad(Compilation *compilation, Routine *routine) {
  if (copies(compilation, routine, PASS_pad)) routine_pad(routine);
}

static void run_widen(Compilation *compilation, Routine *routine) {
  if (copies(compilation, routine, PASS_widen)) routine_widen(routine);
}

static void run_turn(Compilation *compilation, Routine *routine) {
  if (copies(compilation, routine, PASS_turn)) routine_turn(routine);
}

static void run_flip(Compilation *compilation, Routine *routine) {
  if (copies(compilation, routine, PASS_flip)) routine_flip(routine);
}

static void run_transpose(Compilation *compilation, Routine *routine) {
  if (copies(compilation, routine, PASS_transpose)) routine_transpose(routine);
}

static void run_panel(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_panel]) routine_panel(routine);
}

static void run_strip(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_strip]) routine_strip(routine);
}

static void run_rearrange(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_rearrange]) routine_rearrange(routine);
}

static void run_store(Compilation *compilation) {
  for (int i = 0; i < compilation->models.count; i++) {
    const EmitUnit *unit = &compilation->units[i];
    if (!compilation->options->skips[PASS_store]) routines_store(unit->routines, unit->count);
  }
}

static void run_join(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_join]) routine_join(routine);
}

static void run_fuse(Compilation *compilation, Routine *routine) {
  routine_fuse(routine, !compilation->options->skips[PASS_fuse]);
}

static void run_split(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_split]) routine_split(routine);
}

static void run_reside(Compilation *compilation, Routine *routine) {
  if (copies(compilation, routine, PASS_reside)) routine_reside(routine);
}

static void run_once(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_once]) routine_compute_once(routine);
}

static void run_threads(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_threads]) routine_divide(routine);
}

static void run_draw(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_draw]) routine_draw(routine);
}

static void run_place(Compilation *compilation, Routine *routine) {
  (void)compilation;
  routine_place(routine);
  routine_describe(routine);
}

static void run_unswitch(Compilation *compilation, Routine *routine) {
  bool skips = compilation->options->skips[PASS_unswitch];
  if (!skips && routine_unswitch(routine)) routine_describe(routine);
}

static void run_stride(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_stride]) routine_stride(routine);
}

static void run_square(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_square]) routine_square(routine);
}

static void run_watch(Compilation *compilation, Routine *routine) {
  if (!compilation->options->skips[PASS_watch]) routine_watch(routine);
}

static void run_meet(Compilation *compilation, Routine *routine) {
  (void)compilation;
  routine_meet(routine);
}

static void run_roll(Compilation *compilation, Routine *routine) {
  bool shares = !compilation->options->skips[PASS_roll];
  routine_group(routine, shares);
  if (shares) routine_roll(routine);
}

static void run_emit(Compilation *compilation) {
  const Options *options = compilation->options;
  const char *output = options->output ? options->output : "model.c";
  const char *name = strrchr(output, '/') ? strrchr(output, '/') + 1 : output;
  size_t length = strlen(name);
  bool ends_in_c = length > 2 && strcmp(name + length - 2, ".c") == 0;
  const char *input =
      strrchr(options->input, '/') ? strrchr(options->input, '/') + 1 : options->input;
  EmitOptions emission = {.header_name = arena_format(compilation->arena, "%.*s.h",
                                                      (int)(ends_in_c ? length - 2 : length), name),
                          .source_name = strcmp(input, "-") == 0 ? "standard input" : input,
                          .sources = &compilation->sources,
                          .real_bytes = options->real_bytes,
                          .target = options->target,
                          .standalone = options->standalone};
  text_init(&compilation->header, compilation->arena);
  text_init(&compilation->source, compilation->arena);
  emit(compilation->arena, compilation->names, &emission, compilation->units,
       compilation->models.count, &compilation->header, &compilation->source);
  if (compilation->source.size + compilation->header.size <= LIMIT_GENERATED_BYTES) return;
  diagnose(compilation->diagnostics, NN0603, (Span){0, 0}, "the generated C is larger than %d MiB",
           LIMIT_GENERATED_BYTES >> 20);
}

/* ---- routines ---- */

static void add_routine(Compilation *compilation, EmitUnit *unit, RoutineKind kind,
                        const Step *step) {
  Routine **grown = NEW_ARRAY(compilation->arena, Routine *, unit->count + 1);
  for (int i = 0; i < unit->count; i++) grown[i] = unit->routines[i];
  Routine *routine = routine_new(unit->model, kind, step);
  routine->bytes_of_real = compilation->options->real_bytes;
  routine->target = compilation->options->target;
  routine->pressure = pressure_at(compilation->pressure);
  grown[unit->count++] = routine;
  unit->routines = grown;
}

static void add_step_routines(Compilation *compilation, EmitUnit *unit, int block) {
  const Step *step = &unit->model->steps.items[block];
  if (compilation->options->emit_train) add_routine(compilation, unit, ROUTINE_TRAIN, step);
  if (!compilation->options->emit_gradients) return;
  add_routine(compilation, unit, ROUTINE_ACCUMULATE, step);
  add_routine(compilation, unit, ROUTINE_APPLY, step);
}

static void make_routines(Compilation *compilation) {
  const Options *options = compilation->options;
  compilation->units = NEW_ARRAY(compilation->arena, EmitUnit, compilation->models.count + 1);
  for (int i = 0; i < compilation->models.count; i++) {
    EmitUnit *unit = &compilation->units[i];
    Model *model = unit->model = compilation->models.items[i];
    add_routine(compilation, unit, ROUTINE_INIT, NULL);
    for (int k = 0; k < model->steps.count; k++) add_step_routines(compilation, unit, k);
    bool has_own_updates = model->steps.count == 0 && model->train.updates.count > 0;
    if (options->emit_train && has_own_updates) add_routine(compilation, unit, ROUTINE_TRAIN, NULL);
    bool evaluates = model->eval.loss || model->eval.metrics.count > 0;
    if (options->emit_train && evaluates) add_routine(compilation, unit, ROUTINE_EVAL, NULL);
    if (options->emit_infer && model->eval.outputs.count > 0) {
      add_routine(compilation, unit, ROUTINE_INFER, NULL);
    }
  }
}

/* ---- memory ---- */

static void report_memory(Compilation *compilation, ErrorCode code, Span span, int64_t bytes,
                          int64_t limit, const char *help) {
  Diagnostic *d = diagnose(compilation->diagnostics, code, span,
                           "the model needs %lld bytes of memory, more than the %lld allowed",
                           (long long)bytes, (long long)limit);
  diagnostic_help(d, "%s", help);
}

/* The bytes of the largest model, and where it stands. */
static int64_t most_bytes(const Compilation *compilation, Span *span) {
  int64_t most = 0;
  for (int i = 0; i < compilation->models.count; i++) {
    int64_t bytes = emit_struct_bytes(&compilation->units[i]);
    if (bytes <= most) continue;
    most = bytes;
    *span = compilation->models.items[i]->span;
  }
  return most;
}

/* Whether plans have to be made again under more pressure: --ram asks for it, and there is more. */
static bool raises_pressure(Compilation *compilation) {
  Span span = {0, 0};
  int64_t bytes = most_bytes(compilation, &span), ram = compilation->options->ram;
  if (ram > 0 && bytes > ram) {
    if (compilation->least == 0 || bytes < compilation->least) compilation->least = bytes;
    if (++compilation->pressure < PRESSURE_COUNT) return true;
    report_memory(compilation, NN0604, span, compilation->least, ram,
                  "that is the least that was found: make a dim smaller, or allow more with --ram");
  } else if (bytes > compilation->options->memory_limit) {
    report_memory(compilation, NN0602, span, bytes, compilation->options->memory_limit,
                  "make a dim smaller, or allow more with --max-mem");
  }
  return false;
}

/* ---- dumps and verifiers ---- */

static void dump(Compilation *compilation, Pass pass) {
  Text text;
  text_init(&text, compilation->arena);
  if (pass == PASS_parse) {
    tree_print(compilation->tree, &compilation->sources, &text);
  } else if (pass < PASS_order) {
    for (int i = 0; i < compilation->models.count; i++)
      model_print(compilation->models.items[i], &text);
  } else if (pass < PASS_emit) {
    for (int i = 0; i < compilation->models.count; i++) {
      for (int k = 0; k < compilation->units[i].count; k++) {
        routine_print(compilation->units[i].routines[k], &text);
      }
    }
  } else {
    text_add_bytes(&text, compilation->source.bytes, compilation->source.size);
  }
  if (text.size > 0) fwrite(text.bytes, 1, text.size, stdout);
}

#ifdef NNC_VERIFY
static void verify(const Compilation *compilation, Pass pass) {
  for (int i = 0; i < compilation->models.count; i++) {
    Model *model = compilation->models.items[i];
    const Program *programs[] = {&model->init, &model->train, &model->eval};
    for (int k = 0; k < 3 && pass < PASS_order; k++) {
      const char *fault = program_verify(model, programs[k], compilation->arena);
      if (fault) bug("after %s: %s", pass_name(pass), fault);
    }
    for (int k = 0; pass == PASS_place && k < compilation->units[i].count; k++) {
      const char *fault = routine_verify(compilation->units[i].routines[k], compilation->arena);
      if (fault) bug("after %s: %s", pass_name(pass), fault);
    }
  }
}
#endif

/* ---- the sequence ---- */

typedef void (*ModelPass)(Compilation *, Model *);
typedef void (*ProgramPass)(Model *model, Program *program);
typedef void (*RoutinePass)(Compilation *, Routine *);

static void run_model_pass(Compilation *compilation, ModelPass pass) {
  for (int i = 0; i < compilation->models.count; i++)
    pass(compilation, compilation->models.items[i]);
}

/* What is computed again and again; init runs once. */
static void run_program_pass(Compilation *compilation, ProgramPass pass) {
  for (int i = 0; i < compilation->models.count; i++) {
    Model *model = compilation->models.items[i];
    pass(model, &model->train);
    pass(model, &model->eval);
  }
}

static void run_routine_pass(Compilation *compilation, RoutinePass pass) {
  for (int i = 0; i < compilation->models.count; i++) {
    for (int k = 0; k < compilation->units[i].count; k++) {
      pass(compilation, compilation->units[i].routines[k]);
    }
  }
}

static void run_pass(Compilation *compilation, Pass pass) {
  switch (pass) {
  case PASS_parse: run_parse(compilation); break;
  case PASS_elaborate: run_elaborate(compilation); break;
  case PASS_share: run_model_pass(compilation, run_share); break;
  case PASS_stabilise: run_model_pass(compilation, run_stabilise); break;
  case PASS_derive: run_model_pass(compilation, run_derive); break;
  case PASS_accumulate: run_model_pass(compilation, run_accumulate); break;
  case PASS_simplify: run_model_pass(compilation, run_simplify); break;
  case PASS_hoist: run_program_pass(compilation, hoist); break;
  case PASS_reuse: run_program_pass(compilation, reuse); break;
  case PASS_contract: run_program_pass(compilation, contract); break;
  case PASS_unpad: run_program_pass(compilation, unpad); break;
  case PASS_demand: run_program_pass(compilation, demand); break;
  case PASS_interleave: run_program_pass(compilation, interleave); break;
  case PASS_arrange: run_model_pass(compilation, run_arrange); break;
  case PASS_order:
    make_routines(compilation);
    run_routine_pass(compilation, run_order);
    break;
  case PASS_segment: run_routine_pass(compilation, run_segment); break;
  case PASS_recompute: run_routine_pass(compilation, run_recompute); break;
  case PASS_inline: run_routine_pass(compilation, run_inline); break;
  case PASS_fill: run_routine_pass(compilation, run_fill); break;
  case PASS_carry: run_routine_pass(compilation, run_carry); break;
  case PASS_pad: run_routine_pass(compilation, run_pad); break;
  case PASS_widen: run_routine_pass(compilation, run_widen); break;
  case PASS_turn: run_routine_pass(compilation, run_turn); break;
  case PASS_flip: run_routine_pass(compilation, run_flip); break;
  case PASS_transpose: run_routine_pass(compilation, run_transpose); break;
  case PASS_panel: run_routine_pass(compilation, run_panel); break;
  case PASS_strip: run_routine_pass(compilation, run_strip); break;
  case PASS_rearrange: run_routine_pass(compilation, run_rearrange); break;
  case PASS_store: run_store(compilation); break;
  case PASS_join: run_routine_pass(compilation, run_join); break;
  case PASS_fuse: run_routine_pass(compilation, run_fuse); break;
  case PASS_split: run_routine_pass(compilation, run_split); break;
  case PASS_reside: run_routine_pass(compilation, run_reside); break;
  case PASS_once: run_routine_pass(compilation, run_once); break;
  case PASS_threads: run_routine_pass(compilation, run_threads); break;
  case PASS_draw: run_routine_pass(compilation, run_draw); break;
  case PASS_place: run_routine_pass(compilation, run_place); break;
  case PASS_unswitch: run_routine_pass(compilation, run_unswitch); break;
  case PASS_meet: run_routine_pass(compilation, run_meet); break;
  case PASS_square: run_routine_pass(compilation, run_square); break;
  case PASS_stride: run_routine_pass(compilation, run_stride); break;
  case PASS_watch: run_routine_pass(compilation, run_watch); break;
  case PASS_roll: run_routine_pass(compilation, run_roll); break;
  case PASS_emit: run_emit(compilation); break;
  case PASS_COUNT: break;
  }
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool compilation_run(Compilation *compilation, Pass last) {
  for (Pass pass = PASS_parse; pass <= last; pass++) {
    double start = seconds_now();
    run_pass(compilation, pass);
    if (compilation->options->time) {
      fprintf(stderr, "%-10s %8.2f ms %10zu bytes\n", pass_name(pass),
              1e3 * (seconds_now() - start), arena_used(compilation->arena));
    }
    bool repeats = pass == PASS_place && raises_pressure(compilation);
    if (diagnostics_error_count(compilation->diagnostics) > 0) return false;
#ifdef NNC_VERIFY
    verify(compilation, pass);
#endif
    if (compilation->options->dumps[pass]) dump(compilation, pass);
    if (repeats) pass = PASS_order - 1;
  }
  return true;
}

int compilation_report(const Compilation *compilation) {
  if (compilation->options->json) {
    diagnostics_print_json(compilation->diagnostics, stdout);
  } else {
    const char *no_color = getenv("NO_COLOR");
    bool color = isatty(STDERR_FILENO) && !(no_color && *no_color);
    diagnostics_print(compilation->diagnostics, stderr, color);
  }
  if (compilation->file_failed) return EXIT_USAGE;
  return diagnostics_error_count(compilation->diagnostics) > 0 ? EXIT_PROGRAM : 0;
}

/* ---- files ---- */

static const char *with_ending(Arena *arena, const char *path, const char *ending) {
  size_t length = strlen(path);
  bool ends_in_c = length > 2 && strcmp(path + length - 2, ".c") == 0;
  return arena_format(arena, "%.*s%s", (int)(ends_in_c ? length - 2 : length), path, ending);
}

/* Spaces, dollars and number signs as make reads them. */
static void add_path(Text *text, const char *path) {
  for (; *path; path++) {
    if (*path == '$') text_add(text, "$");
    if (*path == ' ' || *path == '#') text_add(text, "\\");
    text_add(text, "%c", *path);
  }
}

static void add_rule(const Compilation *compilation, Text *rule, const char *header) {
  add_path(rule, compilation->options->output);
  text_add(rule, " ");
  add_path(rule, header);
  text_add(rule, ":");
  for (int i = 0; i <= compilation->imports.count; i++) {
    text_add(rule, " ");
    add_path(rule, i == 0 ? compilation->options->input : compilation->imports.items[i - 1]);
  }
  text_add(rule, "\n");
}

void compilation_put(Compilation *compilation, const OutputFile *files, int count) {
  const char *failed = NULL;
  const char *error = files_write(files, count, &failed);
  if (error) report_file(compilation, NN0902, failed ? failed : files[0].path, error);
}

void compilation_write(Compilation *compilation) {
  const Options *options = compilation->options;
  if (!options->output) return;
  Text rule;
  text_init(&rule, compilation->arena);
  const char *header = with_ending(compilation->arena, options->output, ".h");
  bool to_stdout = strcmp(options->output, "-") == 0;
  OutputFile files[3] = {{options->output, compilation->source.bytes, compilation->source.size},
                         {header, compilation->header.bytes, compilation->header.size}};
  int count = to_stdout ? 1 : 2;
  if (options->depend && !to_stdout) {
    add_rule(compilation, &rule, header);
    const char *path = options->depend_file
                           ? options->depend_file
                           : with_ending(compilation->arena, options->output, ".d");
    files[count++] = (OutputFile){path, rule.bytes, rule.size};
  }
  compilation_put(compilation, files, count);
}
