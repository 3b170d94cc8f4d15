/* Tests of a training step: stored gradients before any of them is applied, and after, new parameters that were not
   tested where they were stored (loops/watch.c).

   Both go through a table of spans of the model's memory, so that their code does not grow with the
   number of parameters. */
#include "emit/program.h"

#include <inttypes.h>

typedef struct Spans {
  ProgramWriter *program;
  const char *title;
  const char *what;
  SpanTable table;
} Spans;

static void open_table(Spans *spans, const Routine *routine) {
  ProgramWriter *program = spans->program;
  const char *function = step_function(program, routine);
  spans->table.name =
      scope_fresh(&program->file, name_format(program->names, "%s.%s", function, spans->what));
  text_add(program->text, "/* %s */\nstatic const nnrt_span %s[] = {\n", spans->title,
           spans->table.name);
}

/* A field of the struct, or a place in its scratch memory when `field` is null. */
static void add_span(Spans *spans, const Routine *routine, Name field, int64_t offset,
                     int64_t count) {
  ProgramWriter *program = spans->program;
  if (spans->table.count++ == 0) open_table(spans, routine);
  text_add(program->text, "    {offsetof(%s, %s)", program->prefix, field ? field : "scratch");
  if (!field) text_add(program->text, " + %" PRId64, offset);
  text_add(program->text, ", %" PRId64 "},\n", count);
}

static SpanTable close_table(Spans *spans) {
  if (spans->table.count > 0) text_add(spans->program->text, "};\n\n");
  return spans->table;
}

static void add_kept(Spans *spans, const Routine *routine, const Tensor *tensor) {
  if (tensor->type != TYPE_REAL) return;
  Name field = scope_name(&spans->program->fields, tensor, tensor->name);
  add_span(spans, routine, field, 0, tensor_elements(tensor));
}

static void add_stored_gradients(Spans *spans, const Routine *routine) {
  const GradientList *gradients = &routine->step->gradients;
  for (int i = 0; routine->nests_before_updates > 0 && i < gradients->count; i++) {
    const Tensor *result = gradients->items[i].result;
    const Buffer *buffer = map_get(&routine->buffers, result);
    if (!buffer || buffer->place != PLACE_ARENA) continue;
    add_span(spans, routine, NULL, buffer->offset, tensor_elements(result));
  }
}

static void add_sums(Spans *spans, const Routine *routine) {
  const UpdateList *updates = &routine->step->accumulation;
  for (int i = 0; i < updates->count; i++) {
    const Tensor *target = updates->items[i].target;
    if (target->role == ROLE_STATE) add_kept(spans, routine, target);
  }
}

SpanTable write_gradient_spans(ProgramWriter *program, const Routine *routine) {
  Spans spans = {program, "Gradients, all known before the first is applied.", "gradients", {0}};
  if (routine->kind == ROUTINE_TRAIN && routine->step) add_stored_gradients(&spans, routine);
  if (routine->kind == ROUTINE_APPLY) add_sums(&spans, routine);
  return close_table(&spans);
}

SpanTable write_parameter_spans(ProgramWriter *program, const Routine *routine) {
  Spans spans = {
      program, "Parameters that the step changes, to be tested after.", "parameters", {0}};
  for (int i = 0; i < routine->updates.count; i++) {
    const Tensor *target = routine->updates.items[i].target;
    if (target->role == ROLE_PARAM && !map_has(&routine->watched, target))
      add_kept(&spans, routine, target);
  }
  return close_table(&spans);
}

/* The sums start anew; otherwise the next call would meet the same gradients again. */
static void write_reset(ProgramWriter *program, const Routine *routine, const SpanTable *table) {
  const Tensor *samples = routine->step->samples;
  text_add(program->text, "    nnrt_spans_clear_%s(m, %s, %d);\n    m->%s[0] = 0.0;\n",
           real_suffix(routine), table->name, table->count,
           scope_name(&program->fields, samples, samples->name));
}

void write_gradient_check(ProgramWriter *program, const Routine *routine, const SpanTable *table,
                          const char *loss) {
  if (table->count == 0) return;
  text_add(program->text, "  if (!nnrt_spans_finite_%s(m, %s, %d)) {\n", real_suffix(routine),
           table->name, table->count);
  if (!loss) write_reset(program, routine, table);
  text_add(program->text, "    m->status = NNRT_E_NOT_FINITE;\n    return %s;\n  }\n",
           loss ? loss : "m->status");
}

void write_parameter_check(ProgramWriter *program, const Routine *routine, const SpanTable *table) {
  if (table->count > 0)
    text_add(program->text, "  if (!nnrt_spans_finite_%s(m, %s, %d)) m->invalid = 1;\n",
             real_suffix(routine), table->name, table->count);
  if (table->count > 0 || routine->watched.count > 0)
    text_add(program->text, "  if (m->invalid) m->status = NNRT_E_NOT_FINITE;\n");
}
