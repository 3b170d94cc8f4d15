/* The table of names, shapes and entry points, and the functions that every program has alike. */
#include "emit/program.h"
#include "loops/panels.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- tensors ---- */

typedef struct Described {
  const Tensor *tensor;
  Name name;
  bool is_output;
} Described;
typedef struct DescribedList {
  Described *items;
  int count, capacity;
} DescribedList;

static DescribedList described_tensors(const ProgramWriter *program) {
  DescribedList list = {0};
  const TensorList *tensors = &program->unit->model->tensors;
  for (int i = 0; i < tensors->count; i++) {
    const Tensor *tensor = tensors->items[i];
    bool callers = tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
    if (is_kept(tensor) || callers) {
      APPEND(program->arena, &list, (Described){tensor, tensor->name, false});
    }
  }
  const ResultList *outputs = &program->unit->model->eval.outputs;
  for (int i = 0; i < outputs->count; i++) {
    APPEND(program->arena, &list,
           (Described){outputs->items[i].value, outputs->items[i].name, true});
  }
  return list;
}

static const char *kind_code(const Described *described) {
  if (described->is_output) return "NNRT_OUTPUT";
  switch (described->tensor->role) {
  case ROLE_PARAM: return "NNRT_PARAM";
  case ROLE_SLOT: return "NNRT_SLOT";
  case ROLE_INPUT: return "NNRT_INPUT";
  case ROLE_TARGET: return "NNRT_TARGET";
  default: return "NNRT_STATE";
  }
}

static const char *type_code(const ProgramWriter *program, const Tensor *tensor) {
  const char *type = element_type_name(program->unit->routines[0], tensor);
  if (strcmp(type, "float") == 0) return "NNRT_F32";
  if (strcmp(type, "double") == 0) return "NNRT_F64";
  if (strcmp(type, "int32_t") == 0) return "NNRT_I32";
  return strcmp(type, "int8_t") == 0 ? "NNRT_I8" : "NNRT_U8";
}

static void add_shape(const Tensor *tensor, const Panels *panels, Text *row) {
  int64_t stride = tensor_elements(tensor);
  Text strides;
  text_init(&strides, row->arena);
  text_add(row, "{");
  for (int dim = 0; dim < tensor->rank; dim++) {
    int64_t size = extent_maximum(tensor->axes[dim].extent);
    if (size > 0) stride /= size;
    text_add(row, "%s%" PRId64, dim > 0 ? ", " : "", size);
    text_add(&strides, "%s%" PRId64, dim > 0 ? ", " : "",
             panels ? panels_stride(tensor, panels, dim) : stride);
  }
  text_add(row, "%s}, {%s}", tensor->rank == 0 ? "0" : "", tensor->rank == 0 ? "0" : strides.bytes);
}

/* block and block_stride: of the last axis of what lies in panels. */
static void add_panels(const Tensor *tensor, const Panels *panels, Text *row) {
  bool is_cut = panels && has_panels(tensor, panels);
  int64_t numbers[2] = {is_cut ? panels->width : 0,
                        is_cut ? panels_stride(tensor, panels, tensor->rank) : 0};
  for (int i = 0; i < 2; i++) {
    text_add(row, ", {");
    for (int dim = 0; is_cut && dim + 1 < tensor->rank; dim++) text_add(row, "0, ");
    text_add(row, "%" PRId64 "}", numbers[i]);
  }
}

static void write_tensor_row(ProgramWriter *program, const Described *described) {
  const Tensor *tensor = described->tensor;
  Text row;
  text_init(&row, program->arena);
  text_add(&row, "{\"%s\", %s, %s, %d, ", described->name, kind_code(described),
           type_code(program, tensor), tensor->rank);
  const Panels *panels = routine_panels(program->unit->routines[0], tensor);
  add_shape(tensor, panels, &row);
  if (is_kept(tensor)) {
    text_add(&row, ", offsetof(%s, %s)", program->prefix,
             scope_name(&program->fields, tensor, tensor->name));
  } else {
    text_add(&row, ", 0");
  }
  text_add(&row, ", NULL");
  add_panels(tensor, panels, &row);
  text_add(&row, "},");
  add_line(program->text, 4, row.bytes, row.size);
}

/* ---- shapes of calls ---- */

static bool varies(const Extent *extent) {
  int64_t size;
  return !extent_is_constant(extent, &size);
}

/* The axes of a caller's tensor that depend on the extents of the call. */
static const char *shape_case(ProgramWriter *program, FunctionWriter *writer,
                              const Described *described) {
  const Tensor *tensor = described->tensor;
  Text sizes;
  text_init(&sizes, program->arena);
  for (int dim = 0; !is_kept(tensor) && dim < tensor->rank; dim++) {
    const Extent *extent = tensor->axes[dim].extent;
    if (varies(extent))
      text_add(&sizes, " shape[%d] = %s;", dim, extent_text(writer, extent, LEVEL_ANY));
  }
  return sizes.size > 0 ? sizes.bytes : NULL;
}

static void write_dim_names(ProgramWriter *program, FunctionWriter *writer) {
  const Model *model = program->unit->model;
  Text unused;
  text_init(&unused, program->arena);
  for (int i = 0; i < model->dims.count; i++) {
    Name name = scope_name(&writer->scope, model->dims.items[i], model->dims.items[i]->name);
    text_add(program->text, "  const int64_t %s = extents[%d];\n", name, i);
    text_add(&unused, "%s(void)%s", i > 0 ? ", " : "", name);
  }
  text_add(program->text, "  %s;\n  switch (tensor) {\n", unused.bytes);
}

/* The function's name; NULL: every shape is as declared. */
static const char *write_shapes(ProgramWriter *program, const DescribedList *list) {
  FunctionWriter writer = function_open(program, program->unit->routines[0], &program->file);
  static const char *const parameters[] = {"int tensor", "const int64_t *extents",
                                           "int64_t *shape"};
  static const char *const own[] = {"tensor", "extents", "shape"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) scope_take(&writer.scope, own[i]);
  const char *name = NULL;
  for (int i = 0; i < list->count; i++) {
    const char *sizes = shape_case(program, &writer, &list->items[i]);
    if (!sizes) continue;
    if (!name) {
      name = arena_format(program->arena, "%s_shape", program->prefix);
      write_wrapped(&writer, arena_format(program->arena, "static void %s(", name), parameters,
                    sizeof parameters / sizeof *parameters, ") {");
      write_dim_names(program, &writer);
    }
    const char *line = arena_format(program->arena, "case %d:%s break;", i, sizes);
    add_line(program->text, 2, line, strlen(line));
  }
  if (name) text_add(program->text, "  default: break;\n  }\n}\n\n");
  return name ? name : "NULL";
}

/* ---- entries ---- */

static int position_of(const DescribedList *list, const Tensor *tensor, Name name) {
  for (int i = 0; i < list->count; i++) {
    if (list->items[i].tensor == tensor && list->items[i].name == name) return i;
  }
  bug("'%s' is not described", name);
}

static const char *entry_name(const ProgramWriter *program, const Routine *routine) {
  switch (routine->kind) {
  case ROUTINE_TRAIN:
  case ROUTINE_ACCUMULATE:
  case ROUTINE_APPLY: {
    const char *function = step_function(program, routine);
    return function + strlen(program->prefix) + 1;
  }
  case ROUTINE_EVAL: return "eval_step";
  case ROUTINE_INFER: return "infer";
  default: return NULL;
  }
}

typedef struct EntryRow {
  const char *name, *result;
  Name call, lists;
  int input_count, output_count;
} EntryRow;
typedef struct EntryRows {
  EntryRow *items;
  int count, capacity;
} EntryRows;

static void write_call_arguments(ProgramWriter *program, const Routine *routine,
                                 const EntryArguments *arguments) {
  const Model *model = program->unit->model;
  int inputs = 0, outputs = 0;
  for (int i = 0; routine->kind != ROUTINE_APPLY && i < model->dims.count; i++)
    text_add(program->text, ", extents[%d]", i);
  for (int i = 0; i < arguments->arrays.count; i++) {
    bool is_output = arguments->arrays.items[i]->role == ROLE_VALUE;
    text_add(program->text, is_output ? ", outputs[%d]" : ", inputs[%d]",
             is_output ? outputs++ : inputs++);
  }
}

static void write_call_body(ProgramWriter *program, const Routine *routine,
                            const EntryArguments *arguments, const char *metric) {
  const char *p = program->prefix;
  text_add(program->text,
           "  %s *m = model;\n  (void)extents, (void)inputs, (void)outputs, (void)result;\n", p);
  bool trains = routine->kind == ROUTINE_TRAIN || routine->kind == ROUTINE_ACCUMULATE;
  if (trains) {
    text_add(program->text, "  double loss = (double)%s(m", step_function(program, routine));
    write_call_arguments(program, routine, arguments);
    text_add(program->text, ");\n  if (result) *result = loss;\n  return m->status;\n");
  } else if (routine->kind == ROUTINE_EVAL) {
    text_add(program->text, "  %s_metrics metrics = {0};\n  int status = %s_eval_step(m", p, p);
    write_call_arguments(program, routine, arguments);
    text_add(
        program->text,
        ", &metrics);\n  if (result && status == NNRT_OK) *result = metrics.%s / metrics.samples;\n"
        "  return status;\n",
        metric);
  } else {
    bool applies = routine->kind == ROUTINE_APPLY;
    text_add(program->text, "  return %s(m",
             applies ? step_function(program, routine)
                     : arena_format(program->arena, "%s_infer", p));
    write_call_arguments(program, routine, arguments);
    text_add(program->text, ");\n");
  }
}

static Name write_index_list(ProgramWriter *program, const DescribedList *list,
                             const Routine *routine, const EntryArguments *arguments,
                             EntryRow *row) {
  Name name = scope_fresh(&program->file,
                          name_format(program->names, "%s.%s.arrays", program->prefix, row->name));
  text_add(program->text, "static const int %s[] = {", name);
  int written = 0;
  for (int i = 0; i < arguments->arrays.count; i++) {
    const Tensor *tensor = arguments->arrays.items[i];
    bool is_output = tensor->role == ROLE_VALUE;
    Name shown = is_output ? routine->program->outputs.items[row->output_count].name : tensor->name;
    text_add(program->text, "%s%d", written++ > 0 ? ", " : "", position_of(list, tensor, shown));
    if (is_output) {
      row->output_count++;
    } else {
      row->input_count++;
    }
  }
  text_add(program->text, "%s};\n", written == 0 ? "0" : "");
  return name;
}

static void write_uniform_call(ProgramWriter *program, EntryRows *rows, const DescribedList *list,
                               const Routine *routine, const char *name, const char *metric,
                               const char *result) {
  EntryRow row = {.name = name, .result = result};
  row.call =
      scope_fresh(&program->file, name_format(program->names, "%s.call.%s", program->prefix, name));
  FunctionWriter writer = function_open(program, routine, &program->file);
  EntryArguments arguments = entry_arguments(program, &writer, routine);
  static const char *const parameters[] = {"void *model", "const int64_t *extents",
                                           "const void *const *inputs", "void *const *outputs",
                                           "double *result"};
  write_wrapped(&writer, arena_format(program->arena, "static int %s(", row.call), parameters,
                sizeof parameters / sizeof *parameters, ") {");
  write_call_body(program, routine, &arguments, metric);
  text_add(program->text, "}\n");
  row.lists = write_index_list(program, list, routine, &arguments, &row);
  text_add(program->text, "\n");
  APPEND(program->arena, rows, row);
}

static EntryRows write_calls(ProgramWriter *program, const DescribedList *list) {
  EntryRows rows = {0};
  for (int i = 0; i < program->unit->count; i++) {
    const Routine *routine = program->unit->routines[i];
    const char *name = entry_name(program, routine);
    if (!name) continue;
    bool infers = routine->kind == ROUTINE_INFER || routine->kind == ROUTINE_APPLY;
    write_uniform_call(program, &rows, list, routine, name, "loss", infers ? NULL : "loss");
    if (routine->kind != ROUTINE_EVAL) continue;
    const ResultList *metrics = &routine->program->metrics;
    for (int k = 0; k < metrics->count; k++) {
      write_uniform_call(program, &rows, list, routine, metrics->items[k].name,
                         scope_name(&program->metrics, &metrics->items[k], metrics->items[k].name),
                         metrics->items[k].name);
    }
  }
  return rows;
}

/* ---- the table ---- */

static uint64_t add_hash(uint64_t hash, const char *text) {
  for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return hash;
}

/* Of what decides the meaning of a weight file: names, types and shapes of all that is saved. */
static uint64_t layout_hash(const ProgramWriter *program, const DescribedList *list) {
  uint64_t hash = add_hash(UINT64_C(0xcbf29ce484222325), program->unit->model->name);
  for (int i = 0; i < list->count; i++) {
    const Tensor *tensor = list->items[i].tensor;
    if (!is_kept(tensor)) continue;
    hash = add_hash(add_hash(hash, tensor->name), type_code(program, tensor));
    for (int dim = 0; dim < tensor->rank; dim++) {
      char size[32];
      snprintf(size, sizeof size, ",%" PRId64, extent_maximum(tensor->axes[dim].extent));
      hash = add_hash(hash, size);
    }
  }
  return hash;
}

static int write_hypers(ProgramWriter *program) {
  const TensorList *tensors = &program->unit->model->tensors;
  int count = 0;
  for (int i = 0; i < tensors->count; i++) {
    const Tensor *tensor = tensors->items[i];
    if (tensor->role != ROLE_HYPER) continue;
    if (count++ == 0) {
      text_add(program->text, "static const nnrt_hyper %s_hypers[] = {\n", program->prefix);
    }
    text_add(program->text, "    {\"%s\", offsetof(%s, %s), %.17g},\n", tensor->name,
             program->prefix, scope_name(&program->fields, tensor, tensor->name), tensor->initial);
  }
  if (count > 0) text_add(program->text, "};\n");
  return count;
}

static void write_dims(ProgramWriter *program) {
  const Model *model = program->unit->model;
  if (model->dims.count == 0) return;
  text_add(program->text, "static const nnrt_dim %s_dims[] = {\n", program->prefix);
  for (int i = 0; i < model->dims.count; i++) {
    text_add(program->text, "    {\"%s\", %" PRId64 ", 1},\n", model->dims.items[i]->name,
             model->dims.items[i]->maximum);
  }
  text_add(program->text, "};\n");
}

static void write_entry_table(ProgramWriter *program, const EntryRows *rows) {
  if (rows->count == 0) return;
  text_add(program->text, "static const nnrt_entry %s_entries[] = {\n", program->prefix);
  for (int i = 0; i < rows->count; i++) {
    const EntryRow *row = &rows->items[i];
    const char *result = row->result ? arena_format(program->arena, "\"%s\"", row->result) : "NULL";
    const char *line =
        arena_format(program->arena, "{\"%s\", %s, %s, %d, %d, %s, %s + %d},", row->name, row->call,
                     result, row->input_count, row->output_count, row->lists, row->lists,
                     row->output_count > 0 ? row->input_count : 0);
    add_line(program->text, 4, line, strlen(line));
  }
  text_add(program->text, "};\n");
}

static void write_common_functions(ProgramWriter *program) {
  const char *p = program->prefix;
  text_add(program->text,
           "int %s_status(const %s *m) {\n  return m->status;\n}\n\n"
           "int %s_save(const %s *m, nnrt_write write, void *context) {\n"
           "  return nnrt_save(&%s_model, m, write, context);\n}\n\n"
           "int %s_load(%s *m, nnrt_read read, void *context) {\n"
           "  return nnrt_load(&%s_model, m, read, context);\n}\n\n"
           "int %s_get(const %s *m, const char *name, void *values) {\n"
           "  return nnrt_get_named(&%s_model, m, name, values);\n}\n\n"
           "int %s_set(%s *m, const char *name, const void *values) {\n"
           "  return nnrt_set_named(&%s_model, m, name, values);\n}\n\n",
           p, p, p, p, p, p, p, p, p, p, p, p, p, p);
  text_add(program->text, "int %s_selftest(void) {\n  return nnrt_selftest_%s();\n}\n", p,
           program->options->real_bytes == 8 ? "f64" : "f32");
}

static const char *table_or_null(ProgramWriter *program, int count, const char *table) {
  return count > 0 ? arena_format(program->arena, "%s_%s", program->prefix, table) : "NULL";
}

void write_description(ProgramWriter *program) {
  const char *p = program->prefix;
  DescribedList list = described_tensors(program);
  text_add(program->text,
           "static int %s_call_init(void *model, uint64_t seed) {\n  return %s_init(model, "
           "seed);\n}\n\n",
           p, p);
  EntryRows rows = write_calls(program, &list);
  const char *shapes = write_shapes(program, &list);
  if (list.count > 0) text_add(program->text, "static const nnrt_tensor %s_tensors[] = {\n", p);
  for (int i = 0; i < list.count; i++) write_tensor_row(program, &list.items[i]);
  if (list.count > 0) text_add(program->text, "};\n");
  int hypers = write_hypers(program);
  write_dims(program);
  write_entry_table(program, &rows);
  text_add(program->text,
           "const nnrt_model %s_model = {\n"
           "    \"%s\", \"%016" PRIx64 "\", sizeof(%s), 64,\n"
           "    offsetof(%s, step), offsetof(%s, seed), offsetof(%s, invalid),\n"
           "    %d, %d, %d, %d,\n    %s, %s,\n    %s, %s,\n"
           "    %s, %s_call_init, NULL, %s_selftest};\n\n",
           p, program->unit->model->name, layout_hash(program, &list), p, p, p, p, list.count,
           program->unit->model->dims.count, hypers, rows.count,
           table_or_null(program, list.count, "tensors"),
           table_or_null(program, program->unit->model->dims.count, "dims"),
           table_or_null(program, hypers, "hypers"), table_or_null(program, rows.count, "entries"),
           shapes, p, p);
  write_common_functions(program);
}
