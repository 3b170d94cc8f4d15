/* Entry points: the nests of a routine as functions, and the function that calls them in order. */
#include "emit/routine.h"
#include "emit/sizes.h"
#include "loops/panels.h"

#include <inttypes.h>

/* ---- checks at entry ---- */

static void write_extent_checks(ProgramWriter *program, FunctionWriter *writer, const char *fail) {
  const Model *model = program->unit->model;
  for (int i = 0; i < model->dims.count; i++) {
    const Dim *dim = model->dims.items[i];
    Name name = scope_find(&writer->scope, dim);
    text_add(program->text,
             "  if (%s < %" PRId64 " || %s > %" PRId64 ") return %s(m, NNRT_E_EXTENT);\n", name,
             size_minimum(model, dim), name, dim->maximum, fail);
  }
  for (int i = 0; i < model->checks.count; i++) {
    const Expr *check = model->checks.items[i].condition;
    if (check_is_range(model, check)) continue;
    writer->depth = 1;
    const char *condition = write_expression(writer, check, TYPE_BOOL, LEVEL_UNARY);
    text_add(program->text, "  if (!%s) return %s(m, NNRT_E_EXTENT);\n", condition, fail);
  }
}

static const char *count_text(FunctionWriter *writer, const Tensor *tensor) {
  Text text;
  text_init(&text, writer->arena);
  for (int dim = 0; dim < tensor->rank; dim++) {
    text_add(&text, "%s%s", dim > 0 ? " * " : "",
             extent_text(writer, tensor->axes[dim].extent, LEVEL_UNARY));
  }
  return text.size > 0 ? text.bytes : "1";
}

/* Whether the type in memory already keeps the promise. */
static bool type_promises(const Tensor *tensor) {
  int64_t least = tensor->storage == STORE_U8 ? 0 : tensor->storage == STORE_I8 ? -128 : INT32_MIN;
  int64_t greatest = tensor->storage == STORE_U8   ? 255
                     : tensor->storage == STORE_I8 ? 127
                                                   : INT32_MAX;
  return extent_maximum(tensor->low) <= least && extent_minimum(tensor->high) > greatest;
}

static void write_promise_checks(ProgramWriter *program, FunctionWriter *writer,
                                 const EntryArguments *arguments, const char *fail) {
  for (int i = 0; i < arguments->arrays.count; i++) {
    const Tensor *tensor = arguments->arrays.items[i];
    if (tensor->role == ROLE_VALUE || !tensor->low || !tensor->high) continue;
    if (type_promises(tensor)) continue;
    Name name = scope_find(&writer->scope, tensor);
    Name at = scope_fresh(&writer->scope, "i");
    text_add(program->text,
             "  for (int64_t %s = 0; %s < %s; ++%s) {\n"
             "    if (%s[%s] < %s || %s[%s] >= %s) return %s(m, NNRT_E_INDEX);\n  }\n",
             at, at, count_text(writer, tensor), at, name, at,
             extent_text(writer, tensor->low, LEVEL_SUM), name, at,
             extent_text(writer, tensor->high, LEVEL_SUM), fail);
  }
}

/* ---- the entry function ---- */

static void open_entry(RoutineText *text, FunctionWriter *writer, const EntryArguments *arguments,
                       const char *result, const char *function, const char *last) {
  ProgramWriter *program = text->program;
  ArgumentList items = {0};
  APPEND(program->arena, &items, arena_format(program->arena, "%s *m", program->prefix));
  for (int i = 0; i < arguments->declarations.count; i++) {
    APPEND(program->arena, &items, arguments->declarations.items[i]);
  }
  if (last) APPEND(program->arena, &items, last);
  write_wrapped(writer, arena_format(program->arena, "%s %s(", result, function), items.items,
                items.count, ") {");
}

/* Whether anything depends on the number of the step. */
static bool counts_steps(const RoutineText *text) {
  const Routine *routine = text->routine;
  bool counts = routine->kind == ROUTINE_TRAIN || routine->kind == ROUTINE_APPLY;
  for (int i = 0; !counts && i < routine->families.count; i++) {
    const NestFamily *family = routine->families.items[i];
    const NestInterface *interface = map_get(&text->interfaces, family);
    counts = interface->draws;
    for (int k = 0; k < interface->values.count; k++) {
      const Tensor *value = first_member(family)->tensors.items[interface->values.items[k]];
      counts |= value->role == ROLE_STEP;
    }
  }
  return counts;
}

static void declare_scalars(RoutineText *text, const char *step_number) {
  bool counts = counts_steps(text);
  if (counts || text->has_parts) {
    text_add(text->program->text, "  const uint64_t step_number = %s;\n%s", step_number,
             counts ? "" : "  (void)step_number;\n");
  }
  if (text->routine->kind == ROUTINE_ACCUMULATE) {
    const Tensor *samples = text->routine->step->samples;
    text_add(text->program->text,
             "  const int64_t first_sample = (int64_t)m->%s[0];\n  (void)first_sample;\n",
             scope_name(&text->program->fields, samples, samples->name));
  }
  if (!text->scalars) return;
  text_add(text->program->text, "  %s scalars, *s = &scalars;\n", text->scalars);
}

static const char *loss_text(RoutineText *text) {
  const Tensor *loss = routine_loss(text->routine);
  if (!loss) return text->routine->bytes_of_real == 8 ? "0.0" : "0.0f";
  const Buffer *buffer = routine_buffer(text->routine, loss);
  if (buffer->place != PLACE_SCALAR) bug("the loss '%s' is no scalar of its routine", loss->name);
  return arena_format(text->program->arena, "s->%s", scope_find(&text->scope, loss));
}

/* As a training step returns it: a loss with a derivative of its own may be a whole number. */
static const char *real_loss_text(RoutineText *text) {
  const Tensor *loss = routine_loss(text->routine);
  if (!loss || loss->type == TYPE_REAL) return loss_text(text);
  return arena_format(text->program->arena, "(%s)%s", real_name(text->program), loss_text(text));
}

static void write_finite_check(RoutineText *text, const char *loss) {
  if (!routine_loss(text->routine)) return;
  text_add(
      text->program->text,
      "  if (!nnrt_is_finite_%s(%s)) {\n    m->status = NNRT_E_NOT_FINITE;\n    return %s;\n  }\n",
      real_suffix(text->routine), loss, loss);
}

static void state_loss(RoutineText *text, FunctionWriter *writer) {
  Listing *listing = text->program->statements.listing;
  const Tensor *loss = routine_loss(text->routine);
  writer->depth = 1;
  if (listing && loss) write_statement(writer, listing_loss(listing, loss));
}

static void write_train(RoutineText *text) {
  ProgramWriter *program = text->program;
  const Routine *routine = text->routine;
  const char *fail = arena_format(program->arena, "%s_fail", program->prefix);
  Stage forward = prepare_stage(text, 0, routine->nests_before_commit);
  int split = routine_updates_begin(routine);
  Stage backward = prepare_stage(text, routine->nests_before_commit, split);
  Stage updates = prepare_stage(text, split, routine->nests.count);
  SpanTable gradients = write_gradient_spans(program, routine);
  SpanTable parameters = write_parameter_spans(program, routine);
  FunctionWriter writer = function_open(program, routine, &text->scope);
  EntryArguments arguments = entry_arguments(program, &writer, routine);
  open_entry(text, &writer, &arguments, real_name(program), step_function(program, routine), NULL);
  text_add(program->text, "  if (m->invalid) return %s(m, NNRT_E_INVALID);\n", fail);
  write_extent_checks(program, &writer, fail);
  write_promise_checks(program, &writer, &arguments, fail);
  declare_scalars(text, "m->step + 1");
  text_add(program->text, "  m->status = NNRT_OK;\n");
  const char *loss = real_loss_text(text);
  write_stage(text, &writer, &forward);
  write_finite_check(text, loss);
  write_stage(text, &writer, &backward);
  write_gradient_check(program, routine, &gradients, loss);
  write_stage(text, &writer, &updates);
  if (routine->kind == ROUTINE_TRAIN) text_add(program->text, "  m->step = step_number;\n");
  write_parameter_check(program, routine, &parameters);
  state_loss(text, &writer);
  text_add(program->text, "  return %s;\n}\n\n", loss);
}

static bool needs_dim(const Routine *routine, const Dim *dim) {
  for (int i = 0; i < routine->nests.count; i++) {
    const Nest *nest = routine->nests.items[i];
    for (int k = 0; k < nest->dims.count; k++) {
      if (nest->dims.items[k] == dim) return true;
    }
  }
  return false;
}

/* Parameters, states and updates alone are made for the greatest run-time sizes. */
static void write_maximal_sizes(RoutineText *text, FunctionWriter *writer) {
  ProgramWriter *program = text->program;
  const Model *model = program->unit->model;
  for (int i = 0; i < model->dims.count; i++) {
    const Dim *dim = model->dims.items[i];
    bool needed = needs_dim(writer->routine, dim);
    if (!needed && !text->has_parts) continue;
    Name name = scope_name(&writer->scope, dim, dim->name);
    text_add(program->text, "  const int64_t %s = %" PRId64 ";\n", name, dim->maximum);
    if (!needed) text_add(program->text, "  (void)%s;\n", name);
  }
}

static void write_apply(RoutineText *text) {
  ProgramWriter *program = text->program;
  const Routine *routine = text->routine;
  const char *fail = arena_format(program->arena, "%s_refuse", program->prefix);
  Stage all = prepare_stage(text, 0, routine->nests.count);
  SpanTable sums = write_gradient_spans(program, routine);
  SpanTable parameters = write_parameter_spans(program, routine);
  FunctionWriter writer = function_open(program, routine, &text->scope);
  EntryArguments none = {0};
  open_entry(text, &writer, &none, "int", step_function(program, routine), NULL);
  text_add(program->text, "  if (m->invalid) return %s(m, NNRT_E_INVALID);\n", fail);
  Name samples = scope_name(&program->fields, routine->step->samples, routine->step->samples->name);
  text_add(program->text, "  if (!(m->%s[0] > 0)) return %s(m, NNRT_E_VALUE);\n", samples, fail);
  write_gradient_check(program, routine, &sums, NULL);
  write_maximal_sizes(text, &writer);
  declare_scalars(text, "m->step + 1");
  text_add(program->text, "  m->status = NNRT_OK;\n");
  write_stage(text, &writer, &all);
  text_add(program->text, "  m->step = step_number;\n");
  write_parameter_check(program, routine, &parameters);
  text_add(program->text, "  return m->status;\n}\n\n");
}

static void state_outputs(RoutineText *text, FunctionWriter *writer) {
  Listing *listing = text->program->statements.listing;
  const ResultList *outputs = &text->routine->program->outputs;
  writer->depth = 1;
  for (int i = 0; i < outputs->count; i++) {
    write_statement(writer, listing_result(listing, "output", &outputs->items[i]));
  }
}

static void write_metrics(RoutineText *text, FunctionWriter *writer) {
  ProgramWriter *program = text->program;
  const Dim *batch = program->unit->model->batch;
  Name samples = batch ? scope_find(&writer->scope, batch) : NULL;
  text_add(program->text, "  const double samples = (double)%s;\n  metrics->samples += samples;\n",
           samples ? samples : "1");
  state_loss(text, writer);
  text_add(program->text, "  metrics->loss += samples * (double)%s;\n", loss_text(text));
  const ResultList *metrics = &text->routine->program->metrics;
  for (int i = 0; i < metrics->count; i++) {
    const Result *metric = &metrics->items[i];
    write_statement(writer, listing_result(program->statements.listing, "metric", metric));
    text_add(program->text, "  metrics->%s += samples * (double)s->%s;\n",
             scope_name(&program->metrics, metric, metric->name),
             scope_find(&text->scope, metric->value));
  }
}

static void write_eval(RoutineText *text) {
  ProgramWriter *program = text->program;
  const Routine *routine = text->routine;
  const char *fail = arena_format(program->arena, "%s_refuse", program->prefix);
  Stage all = prepare_stage(text, 0, routine->nests.count);
  FunctionWriter writer = function_open(program, routine, &text->scope);
  scope_take(&writer.scope, "metrics");
  EntryArguments arguments = entry_arguments(program, &writer, routine);
  bool evaluates = routine->kind == ROUTINE_EVAL;
  open_entry(
      text, &writer, &arguments, "int",
      arena_format(program->arena, "%s_%s", program->prefix, evaluates ? "eval_step" : "infer"),
      evaluates ? arena_format(program->arena, "%s_metrics *metrics", program->prefix) : NULL);
  text_add(program->text, "  if (m->invalid) return %s(m, NNRT_E_INVALID);\n", fail);
  write_extent_checks(program, &writer, fail);
  write_promise_checks(program, &writer, &arguments, fail);
  declare_scalars(text, "m->step");
  write_stage(text, &writer, &all);
  if (evaluates) {
    write_metrics(text, &writer);
  } else {
    state_outputs(text, &writer);
  }
  text_add(program->text, "  return m->status = NNRT_OK;\n}\n\n");
}

/* ---- initial values ---- */

static void write_initial_members(ProgramWriter *program) {
  const TensorList *tensors = &program->unit->model->tensors;
  for (int i = 0; i < tensors->count; i++) {
    const Tensor *tensor = tensors->items[i];
    if (tensor->role != ROLE_HYPER) continue;
    text_add(program->text, "  m->%s = %.17g;\n",
             scope_name(&program->fields, tensor, tensor->name), tensor->initial);
  }
}

static void write_orthogonal_row(ProgramWriter *program, const Tensor *tensor) {
  const Panels *panels = routine_panels(program->unit->routines[0], tensor);
  int last = tensor->rank - 1;
  int64_t rows = extent_maximum(tensor->axes[0].extent);
  int64_t columns = extent_maximum(tensor->axes[last].extent);
  int64_t all = tensor_elements(tensor), width = panels ? panels->width : columns;
  int64_t row = panels ? panels_stride(tensor, panels, 0) : all / rows;
  int64_t matrix = panels && last > 1 ? panels_stride(tensor, panels, 1) : columns;
  int64_t panel = panels ? panels_stride(tensor, panels, last + 1) : 0;
  text_add(program->text,
           "    {offsetof(%s, %s), %.17g, {%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
           ", %" PRId64 ", %" PRId64 ", %" PRId64 "}},\n",
           program->prefix, scope_name(&program->fields, tensor, tensor->name),
           tensor->orthogonal_gain, rows, all / (rows * columns), columns, width, row, matrix,
           panel);
}

/* One matrix over the first and last axis for each index between. A table, so that the code does not grow
   with the number of parameters; null: there is none to make. */
static Name write_orthogonal_table(ProgramWriter *program) {
  const TensorList *tensors = &program->unit->model->tensors;
  Name table = NULL;
  for (int i = 0; i < tensors->count; i++) {
    const Tensor *tensor = tensors->items[i];
    if (tensor->orthogonal_gain == 0) continue;
    if (!table) {
      table = scope_fresh(&program->file,
                          name_format(program->names, "%s.orthogonal", program->prefix));
      text_add(program->text,
               "/* What starts orthogonal: matrices between the first and the last axis. */\n"
               "static const struct {\n  size_t offset;\n  double gain;\n"
               "  nnrt_matrices matrices;\n} %s[] = {\n",
               table);
    }
    write_orthogonal_row(program, tensor);
  }
  if (table) text_add(program->text, "};\n\n");
  return table;
}

static void write_orthogonal(RoutineText *text, FunctionWriter *writer, Name table) {
  if (!table) return;
  Arena *arena = text->program->arena;
  Name at = scope_fresh(&writer->scope, "i");
  const char *row = arena_format(arena, "%s[%s]", table, at);
  const char *items[] = {arena_format(arena, "%s_at(m, %s.offset)", text->program->prefix, row),
                         arena_format(arena, "&%s.matrices", row),
                         arena_format(arena, "%s.gain", row)};
  writer->depth = 1;
  write_line(writer, "for (size_t %s = 0; %s < sizeof %s / sizeof *%s; ++%s) {", at, at, table,
             table, at);
  write_wrapped(writer, arena_format(arena, "    nnrt_orthogonal_%s(", real_suffix(text->routine)),
                items, sizeof items / sizeof *items, ");");
  write_line(writer, "}");
}

static void write_init(RoutineText *text) {
  ProgramWriter *program = text->program;
  const Routine *routine = text->routine;
  Stage matrices = prepare_stage(text, 0, routine->nests_before_commit);
  Stage rest = prepare_stage(text, routine->nests_before_commit, routine->nests.count);
  Name orthogonal = write_orthogonal_table(program);
  if (orthogonal) need_address_function(program);
  FunctionWriter writer = function_open(program, routine, &text->scope);
  EntryArguments seed_only = {0};
  APPEND(program->arena, &seed_only.declarations, "uint64_t seed");
  open_entry(text, &writer, &seed_only, "int",
             arena_format(program->arena, "%s_init", program->prefix), NULL);
  text_add(program->text, "  memset(m, 0, sizeof *m);\n  m->seed = seed;\n");
  write_initial_members(program);
  write_maximal_sizes(text, &writer);
  declare_scalars(text, "0");
  write_stage(text, &writer, &matrices);
  write_orthogonal(text, &writer, orthogonal);
  write_stage(text, &writer, &rest);
  text_add(program->text, "  return NNRT_OK;\n}\n\n");
}

void write_routine(ProgramWriter *program, const Routine *routine) {
  RoutineText text = routine_open(program, routine);
  switch (routine->kind) {
  case ROUTINE_INIT: write_init(&text); break;
  case ROUTINE_TRAIN:
  case ROUTINE_ACCUMULATE: write_train(&text); break;
  case ROUTINE_APPLY: write_apply(&text); break;
  case ROUTINE_EVAL:
  case ROUTINE_INFER: write_eval(&text); break;
  }
}
