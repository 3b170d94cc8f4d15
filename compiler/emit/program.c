/* Names, arguments and small facts that the header and the C file of a program agree on. */
#include "emit/program.h"

#include <string.h>

/* Names that the fixed parts of the text use, so that no model is called so. */
static const char *const literal[] = {"m",       "s",      "seed",    "step_number", "scalars",
                                      "metrics", "name",   "values",  "write",       "read",
                                      "model",   "loss",   "result",  "tensor",      "context",
                                      "extents", "inputs", "outputs", "status",      "samples"};

/* What every model has behind its name. */
static const char *const fixed[] = {
    "metrics",        "model",      "init",      "eval_step", "infer",
    "status",         "save",       "load",      "get",       "set",
    "selftest",       "refuse",     "fail",      "at",        "call_init",
    "tensors",        "dims",       "hypers",    "entries",   "nnrt_get",
    "nnrt_set",       "nnrt_save",  "nnrt_load", "nnrt_find", "nnrt_get_named",
    "nnrt_set_named", "nnrt_shape", "shape"};
enum { FIXED_COUNT = sizeof fixed / sizeof *fixed };

static Name fixed_name(const ProgramWriter *program, Name prefix, int i) {
  return name_format(program->names, "%s_%s", prefix, fixed[i]);
}

static bool is_free(const ProgramWriter *program, const Scope *shared, Name prefix) {
  for (int i = 0; i < FIXED_COUNT; i++) {
    if (scope_has(shared, fixed_name(program, prefix, i))) return false;
  }
  return true;
}

static Name choose_prefix(const ProgramWriter *program, Scope *shared) {
  Scope chooser;
  scope_open(&chooser, program->arena, program->names, shared);
  for (size_t i = 0; i < sizeof literal / sizeof *literal; i++) scope_take(&chooser, literal[i]);
  Name prefix;
  do {
    prefix = scope_fresh(&chooser, program->unit->model->name);
  } while (!is_free(program, shared, prefix));
  scope_take(shared, prefix);
  for (int i = 0; i < FIXED_COUNT; i++) scope_take(shared, fixed_name(program, prefix, i));
  return prefix;
}

/* "digits_train_step", or with the block's name. */
static void name_step(const ProgramWriter *program, Scope *shared, const Routine *routine) {
  const Step *step = routine->step;
  const char *block = step && step->name ? arena_format(program->arena, "%s_", step->name) : "";
  const char *verb = routine->kind == ROUTINE_ACCUMULATE ? "accumulate"
                     : routine->kind == ROUTINE_APPLY    ? "apply"
                     : *block                            ? "step"
                                                         : "train_step";
  scope_name(shared, routine, name_format(program->names, "%s_%s%s", program->prefix, block, verb));
}

static bool is_step(const Routine *routine) {
  return routine->kind == ROUTINE_TRAIN || routine->kind == ROUTINE_ACCUMULATE ||
         routine->kind == ROUTINE_APPLY;
}

void program_writer_open(ProgramWriter *program, Arena *arena, Names *names,
                         const EmitOptions *options, const EmitUnit *unit, Scope *shared) {
  *program = (ProgramWriter){.arena = arena, .names = names, .options = options, .unit = unit};
  program->prefix = choose_prefix(program, shared);
  for (int i = 0; i < unit->count; i++) {
    if (is_step(unit->routines[i])) name_step(program, shared, unit->routines[i]);
  }
  scope_open(&program->file, arena, names, shared);
  scope_open(&program->fields, arena, names, NULL);
  scope_open(&program->metrics, arena, names, NULL);
  static const char *const own[] = {"seed", "step", "invalid", "status", "scratch"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) scope_take(&program->fields, own[i]);
  map_init(&program->statements.stated, arena);
  map_init(&program->functions, arena);
  scope_take(&program->metrics, "samples");
  scope_take(&program->metrics, "loss");
}

FunctionWriter function_open(ProgramWriter *program, const Routine *routine, const Scope *outer) {
  FunctionWriter writer = {.routine = routine,
                           .arena = program->arena,
                           .text = program->text,
                           .statements = &program->statements,
                           .stretch = -1};
  map_init(&writer.by_address, program->arena);
  map_init(&writer.sites, program->arena);
  scope_open(&writer.scope, program->arena, program->names, outer);
  static const char *const own[] = {"m",      "s", "seed", "step_number", "scalars", "first_sample",
                                    "invalid"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) scope_take(&writer.scope, own[i]);
  return writer;
}

void program_state(ProgramWriter *program, int depth, const char *line) {
  text_add(program->text, "%*s", 2 * depth, "");
  add_comment(program->text, 2 * (size_t)depth, arena_format(program->arena, "= %s", line));
}

const Routine *find_routine(const ProgramWriter *program, RoutineKind kind, const Step *step) {
  for (int i = 0; i < program->unit->count; i++) {
    const Routine *routine = program->unit->routines[i];
    if (routine->kind == kind && routine->step == step) return routine;
  }
  return NULL;
}

const char *step_function(const ProgramWriter *program, const Routine *routine) {
  return scope_find(&program->file, routine);
}

const char *real_name(const ProgramWriter *program) {
  return program->options->real_bytes == 8 ? "double" : "float";
}

bool is_kept(const Tensor *tensor) {
  return tensor->role == ROLE_PARAM || tensor->role == ROLE_STATE || tensor->role == ROLE_SLOT;
}

int64_t tensor_elements(const Tensor *tensor) {
  int64_t elements = 1;
  for (int dim = 0; dim < tensor->rank; dim++) {
    elements *= extent_maximum(tensor->axes[dim].extent);
  }
  return elements;
}

static bool takes(const Routine *routine, const Tensor *tensor) {
  return map_has(&routine->buffers, tensor);
}

static void add_argument(ProgramWriter *program, FunctionWriter *writer, EntryArguments *arguments,
                         Tensor *tensor, Name wanted, bool is_written) {
  Name name = scope_name(&writer->scope, tensor, wanted);
  const char *type = element_type_name(writer->routine, tensor);
  APPEND(program->arena, &arguments->arrays, tensor);
  APPEND(program->arena, &arguments->declarations,
         arena_format(program->arena, "%s%s *%s", is_written ? "" : "const ", type, name));
  APPEND(program->arena, &arguments->values, name);
}

EntryArguments entry_arguments(ProgramWriter *program, FunctionWriter *writer,
                               const Routine *routine) {
  const Model *model = program->unit->model;
  EntryArguments arguments = {0};
  for (int i = 0; i < model->dims.count; i++) {
    Name name = scope_name(&writer->scope, model->dims.items[i], model->dims.items[i]->name);
    APPEND(program->arena, &arguments.declarations,
           arena_format(program->arena, "int64_t %s", name));
    APPEND(program->arena, &arguments.values, name);
  }
  for (int i = 0; i < model->tensors.count; i++) {
    Tensor *tensor = model->tensors.items[i];
    bool callers = tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
    if (callers && takes(routine, tensor)) {
      add_argument(program, writer, &arguments, tensor, tensor->name, false);
    }
  }
  if (routine->kind != ROUTINE_INFER) return arguments;
  const ResultList *outputs = &routine->program->outputs;
  for (int i = 0; i < outputs->count; i++) {
    add_argument(program, writer, &arguments, outputs->items[i].value, outputs->items[i].name,
                 true);
  }
  return arguments;
}

const char *harmless_text(Arena *arena, const char *text) {
  char *copy = arena_copy(arena, text, strlen(text) + 1);
  for (char *c = copy; *c; c++) {
    bool plain = *c >= ' ' && *c <= '~' && *c != '"';
    bool ends_comment = *c == '/' && c > copy && c[-1] == '*';
    if (!plain || ends_comment || (*c == '\\' && c[1] == '\0')) *c = '_';
  }
  return copy;
}
