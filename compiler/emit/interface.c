/* The header: the model's struct, and a documented prototype for everything a program may call. */
#include "emit/program.h"
#include "emit/sizes.h"
#include "loops/panels.h"

#include <inttypes.h>
#include <string.h>

enum { HEAD_BYTES = 24, SCRATCH_ALIGNMENT = 64 };

static void line(ProgramWriter *program, const char *text) {
  text_add(program->text, "%s\n", text);
}

/* Where an element lies of what does not lie row by row. */
static void write_panels(ProgramWriter *program, const Tensor *tensor) {
  const Panels *panels = routine_panels(program->unit->routines[0], tensor);
  if (!panels) return;
  int last = tensor->rank - 1;
  text_add(program->text, "  /* ^ element [");
  for (int dim = 0; dim < last; dim++) text_add(program->text, "%c, ", 'a' + dim);
  text_add(program->text, "k] lies at ");
  for (int dim = 0; dim < last; dim++)
    text_add(program->text, "%c * %" PRId64 " + ", 'a' + dim, panels_stride(tensor, panels, dim));
  if (has_panels(tensor, panels))
    text_add(program->text, "k / %" PRId64 " * %" PRId64 " + k %% %" PRId64, panels->width,
             panels_stride(tensor, panels, tensor->rank), panels->width);
  else
    text_add(program->text, "k");
  text_add(program->text, " */\n");
}

static void write_member(ProgramWriter *program, const Tensor *tensor) {
  const Routine *routine = program->unit->routines[0];
  places_add(&program->places, routine, tensor);
  int64_t count = tensor_elements(tensor);
  const char *member =
      arena_format(program->arena, "  %s %s[%" PRId64 "]%s; ", element_type_name(routine, tensor),
                   scope_name(&program->fields, tensor, tensor->name), count,
                   alignment_text(routine, program->arena, member_bytes(routine, tensor), count));
  const char *line = listing_declaration(program->statements.listing, tensor);
  text_add(program->text, "%s", member);
  add_comment(program->text, strlen(member), arena_format(program->arena, "= %s", line));
  write_panels(program, tensor);
}

static int64_t scratch_bytes(const EmitUnit *unit) {
  int64_t most = 0;
  for (int i = 0; i < unit->count; i++) {
    int64_t bytes = unit->routines[i]->arena_bytes;
    if (bytes > most) most = bytes;
  }
  return most > 0 ? most : SCRATCH_ALIGNMENT;
}

static void write_members(ProgramWriter *program, Role role) {
  const TensorList *tensors = &program->unit->model->tensors;
  for (int i = 0; i < tensors->count; i++) {
    if (tensors->items[i]->role == role) write_member(program, tensors->items[i]);
  }
}

static void write_metrics_struct(ProgramWriter *program) {
  const Routine *eval = find_routine(program, ROUTINE_EVAL, NULL);
  if (!eval) return;
  text_add(program->text,
           "/* Sums over samples: set to zero, add any number of calls, divide by samples. */\n"
           "typedef struct %s_metrics {\n  double samples, loss;\n",
           program->prefix);
  const ResultList *metrics = &eval->program->metrics;
  for (int i = 0; i < metrics->count; i++) {
    text_add(program->text, "  double %s;\n",
             scope_name(&program->metrics, &metrics->items[i], metrics->items[i].name));
  }
  text_add(program->text, "} %s_metrics;\n\n", program->prefix);
}

void write_struct(ProgramWriter *program) {
  const Model *model = program->unit->model;
  places_open(&program->places, program->arena);
  const char *p = program->prefix;
  bool is_rearranged = program->unit->routines[0]->panels.count > 0;
  const char *others =
      is_rearranged
          ? arena_format(program->arena,
                         ", but for those in panels, which %s_get and %s_set give and take so", p,
                         p)
          : "";
  add_comment(program->text, 0,
              arena_format(program->arena,
                           "Everything: sizeof(%s) is all the memory the model uses. Arrays are in "
                           "row-major order%s.",
                           p, others));
  text_add(program->text, "typedef struct %s {\n", p);
  line(program, "  uint64_t seed; /* of all random numbers */");
  line(program, "  uint64_t step; /* training steps done */");
  line(program, "  int32_t invalid; /* not 0: no usable values until init or load */");
  line(program, "  int32_t status; /* NNRT_OK, or what was wrong with the last call */");
  for (int i = 0; i < model->tensors.count; i++) {
    const Tensor *tensor = model->tensors.items[i];
    if (tensor->role != ROLE_HYPER) continue;
    places_add(&program->places, program->unit->routines[0], tensor);
    text_add(program->text, "  double %s; /* may be set at any time */\n",
             scope_name(&program->fields, tensor, tensor->name));
    program_state(program, 1, listing_declaration(program->statements.listing, tensor));
  }
  write_members(program, ROLE_PARAM);
  write_members(program, ROLE_STATE);
  write_members(program, ROLE_SLOT);
  text_add(program->text,
           "  unsigned char scratch[%" PRId64 "] __attribute__((aligned(%d)));\n} %s;\n\n",
           scratch_bytes(program->unit), SCRATCH_ALIGNMENT, program->prefix);
  write_metrics_struct(program);
}

static bool add_aligned(int64_t *bytes, int64_t alignment, int64_t more) {
  return checked_add(*bytes, alignment - 1, bytes) &&
         checked_add(*bytes / alignment * alignment, more, bytes);
}

/* The members that write_struct writes. */
int64_t emit_struct_bytes(const EmitUnit *unit) {
  static const Role roles[] = {ROLE_HYPER, ROLE_PARAM, ROLE_STATE, ROLE_SLOT};
  int64_t bytes = HEAD_BYTES;
  for (int r = 0; r < 4; r++) {
    for (int i = 0; i < unit->model->tensors.count; i++) {
      const Tensor *tensor = unit->model->tensors.items[i];
      const Routine *routine = unit->routines[0];
      int64_t size;
      if (tensor->role != roles[r]) continue;
      if (!checked_multiply(member_bytes(routine, tensor), tensor_elements(tensor), &size))
        return INT64_MAX;
      if (!add_aligned(&bytes, member_alignment(routine, tensor), size)) return INT64_MAX;
    }
  }
  if (!add_aligned(&bytes, SCRATCH_ALIGNMENT, scratch_bytes(unit))) return INT64_MAX;
  return add_aligned(&bytes, SCRATCH_ALIGNMENT, 0) ? bytes : INT64_MAX;
}

/* ---- prototypes ---- */

static void describe_array(ProgramWriter *program, const Routine *routine, const Tensor *tensor,
                           Name name, FunctionWriter *writer) {
  text_add(program->text, "\n     %s ", name);
  for (int dim = 0; dim < tensor->rank; dim++) {
    text_add(program->text, "[%s]", extent_text(writer, tensor->axes[dim].extent, LEVEL_ANY));
  }
  if (tensor->rank == 0) text_add(program->text, "a number");
  (void)routine;
  if (tensor->low && tensor->high) {
    text_add(program->text, ", %s <= value < %s", extent_text(writer, tensor->low, LEVEL_SUM),
             extent_text(writer, tensor->high, LEVEL_SUM));
  }
}

/* Conditions that are more than the range of one size. */
static void describe_checks(ProgramWriter *program, const Model *model) {
  for (int i = 0; i < model->checks.count; i++) {
    const Expr *check = model->checks.items[i].condition;
    if (check_is_range(model, check)) continue;
    text_add(program->text, "\n     where ");
    expr_print(check, program->text);
  }
}

static void write_entry(ProgramWriter *program, const Routine *routine, const char *comment,
                        const char *result, const char *function, const char *last) {
  FunctionWriter writer = function_open(program, routine, &program->file);
  EntryArguments arguments = entry_arguments(program, &writer, routine);
  const Model *model = program->unit->model;
  int dims = routine->kind == ROUTINE_APPLY ? 0 : model->dims.count;
  text_add(program->text, "/* %s", comment);
  for (int i = 0; i < dims; i++) {
    const Dim *dim = model->dims.items[i];
    text_add(program->text, "\n     %s %" PRId64 "..%" PRId64, arguments.values.items[i],
             size_minimum(model, dim), dim->maximum);
  }
  if (dims > 0) describe_checks(program, model);
  for (int i = 0; i < arguments.arrays.count; i++) {
    describe_array(program, routine, arguments.arrays.items[i],
                   arguments.values.items[model->dims.count + i], &writer);
  }
  text_add(program->text, " */\n");
  ArgumentList items = {0};
  APPEND(program->arena, &items, arena_format(program->arena, "%s *m", program->prefix));
  for (int i = model->dims.count - dims; i < arguments.declarations.count; i++) {
    APPEND(program->arena, &items, arguments.declarations.items[i]);
  }
  if (last) APPEND(program->arena, &items, last);
  const char *head = arena_format(program->arena, "%s %s(", result, function);
  write_wrapped(&writer, head, items.items, items.count, ");\n");
}

static void write_entries(ProgramWriter *program) {
  const char *real = real_name(program), *prefix = program->prefix;
  Arena *arena = program->arena;
  for (int i = 0; i < program->unit->count; i++) {
    const Routine *routine = program->unit->routines[i];
    switch (routine->kind) {
    case ROUTINE_TRAIN:
      write_entry(
          program, routine,
          "One training step. Returns the loss before the update, penalties included; on an error\n"
          "   NaN or the loss that is not finite, with the reason in status, and nothing changed.\n"
          "   Finite with NNRT_E_NOT_FINITE: a gradient was not; the model waits for init or load.",
          real, step_function(program, routine), NULL);
      break;
    case ROUTINE_EVAL:
      write_entry(
          program, routine,
          "Adds loss and metrics of these samples, without training, to *metrics. Returns status.",
          "int", arena_format(arena, "%s_eval_step", prefix),
          arena_format(arena, "%s_metrics *metrics", prefix));
      break;
    case ROUTINE_INFER:
      write_entry(program, routine, "The outputs. Returns status.", "int",
                  arena_format(arena, "%s_infer", prefix), NULL);
      break;
    case ROUTINE_ACCUMULATE:
      write_entry(program, routine,
                  "Adds the gradients of these samples to those of earlier calls. Returns as a "
                  "training step.",
                  real, step_function(program, routine), NULL);
      break;
    case ROUTINE_APPLY:
      write_entry(program, routine,
                  "The update of a training step with the mean of all accumulated gradients. "
                  "Returns status:\n"
                  "   NNRT_E_VALUE when there are none.",
                  "int", step_function(program, routine), NULL);
      break;
    case ROUTINE_INIT: break;
    }
  }
}

void write_prototypes(ProgramWriter *program) {
  const char *p = program->prefix;
  text_add(program->text,
           "/* Initial values for everything. Returns NNRT_OK. */\n"
           "int %s_init(%s *m, uint64_t seed);\n\n",
           p, p);
  write_entries(program);
  text_add(program->text,
           "/* NNRT_OK, or what was wrong with the last call: see nnrt_error_text. */\n"
           "int %s_status(const %s *m);\n\n"
           "/* Weights, optimizer state, step and seed through the caller's callbacks, in the "
           "layout of\n"
           "   safetensors. Training goes on from a loaded file exactly as it would have. */\n"
           "int %s_save(const %s *m, nnrt_write write, void *context);\n"
           "int %s_load(%s *m, nnrt_read read, void *context);\n\n"
           "/* Copies a parameter or state by its name in the source, dense and row-major, or a\n"
           "   @runtime hyper-parameter, which is a double. NNRT_OK or NNRT_E_NAME. */\n"
           "int %s_get(const %s *m, const char *name, void *values);\n"
           "int %s_set(%s *m, const char *name, const void *values);\n\n"
           "/* Whether this compiler and these flags kept the arithmetic: NNRT_OK or "
           "NNRT_E_SELFTEST. */\n"
           "int %s_selftest(void);\n\n"
           "/* Names, shapes and entry points, for tools. */\n"
           "extern const nnrt_model %s_model;\n\n",
           p, p, p, p, p, p, p, p, p, p, p, p);
}
