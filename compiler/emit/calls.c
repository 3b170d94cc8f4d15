/* Calls of nests: one after the other, as loops over copies, and in functions of their own where there
   are many. */
#include "emit/parts.h"
#include "emit/routine.h"
#include "loops/threads.h"

#include <inttypes.h>
#include <string.h>

enum { LONGEST_SEQUENCE = 32 }; /* calls in one function */

const char *kind_word(const ProgramWriter *program, const Routine *routine) {
  static const char *const words[] = {"init", "train", "accumulate", "apply", "eval", "infer"};
  const char *word = words[routine->kind];
  if (!routine->step || !routine->step->name) return word;
  return arena_format(program->arena, "%s_%s", routine->step->name, word);
}

/* ---- scalars ---- */

static bool has_scalars(const Routine *routine) {
  for (int i = 0; i < routine->buffers.count; i++) {
    if (((const Buffer *)routine->buffers.values[i])->place == PLACE_SCALAR) return true;
  }
  return false;
}

/* Their members are named in the scope that the functions of the routine see from inside. */
static void write_scalars(RoutineText *text) {
  ProgramWriter *program = text->program;
  const Routine *routine = text->routine;
  MemberPlaces places;
  places_open(&places, program->arena);
  text->places = places.by_tensor;
  if (!has_scalars(routine)) return;
  text->scalars =
      scope_fresh(&program->file, name_format(program->names, "%s.%s.scalars", program->prefix,
                                              kind_word(program, routine)));
  text_add(program->text,
           "/* Numbers that pass from one nest to the next. */\ntypedef struct %s {\n",
           text->scalars);
  for (int i = 0; i < routine->buffers.count; i++) {
    const Buffer *buffer = routine->buffers.values[i];
    if (buffer->place != PLACE_SCALAR) continue;
    places_add(&places, routine, buffer->tensor);
    text_add(program->text, "  %s %s;\n", element_type_name(routine, buffer->tensor),
             scope_name(&text->scope, buffer->tensor, buffer->tensor->name));
  }
  text_add(program->text, "} %s;\n\n", text->scalars);
  text->places = places.by_tensor;
}

/* ---- functions of nests ---- */

static Name family_name(const RoutineText *text, const NestFamily *family) {
  ProgramWriter *program = text->program;
  Name *all = NEW_ARRAY(program->arena, Name, family->members.count);
  for (int i = 0; i < family->members.count; i++) all[i] = family->members.items[i]->name;
  Name common = common_name(program->names, all, family->members.count, "each");
  Name wanted = name_format(program->names, "%s.%s.%s", program->prefix,
                            kind_word(program, text->routine), common);
  return scope_fresh(&program->file, wanted);
}

static void write_families(RoutineText *text) {
  ProgramWriter *program = text->program;
  for (int i = 0; i < text->routine->families.count; i++) {
    const NestFamily *family = text->routine->families.items[i];
    NestInterface *interface = NEW(program->arena, NestInterface);
    *interface = nest_interface(program->arena, text->routine, family);
    Name function = family_name(text, family);
    FunctionWriter writer = function_open(program, text->routine, &text->scope);
    Text own;
    text_init(&own, program->arena);
    writer.text = &own;
    write_family(&writer, family, interface, function, text->scalars);
    write_parts_of(program, &writer, function);
    size_t begin = program->text->size;
    write_origin(program, family);
    text_add_bytes(program->text, own.bytes, own.size);
    map_put(&text->functions, family, (void *)share_function(program, begin, function));
    map_put(&text->interfaces, family, interface);
  }
}

RoutineText routine_open(ProgramWriter *program, const Routine *routine) {
  RoutineText text = {.program = program, .routine = routine};
  scope_open(&text.scope, program->arena, program->names, &program->file);
  map_init(&text.functions, program->arena);
  map_init(&text.interfaces, program->arena);
  write_scalars(&text);
  if (routine->repetitions.count > 0) text.layer = scope_fresh(&text.scope, "layer");
  text.loops = NEW_ARRAY(program->arena, CopyLoop, routine->repetitions.count + 1);
  write_families(&text);
  return text;
}

/* ---- calls ---- */

static void add_arguments(RoutineText *text, FunctionWriter *writer, const CopyLoop *loop, int nest,
                          const Positions *positions, ArgumentKind kind, ArgumentList *items) {
  for (int i = 0; i < positions->count; i++) {
    APPEND(text->program->arena, items,
           argument_text(text, writer, loop, nest, positions->items[i], kind));
  }
}

static void write_call(RoutineText *text, FunctionWriter *writer, const CopyLoop *loop, int index) {
  const Nest *nest = text->routine->nests.items[index];
  const NestInterface *interface = map_get(&text->interfaces, nest->family);
  ArgumentList items = {0};
  Arena *arena = text->program->arena;
  for (int i = 0; i < nest->dims.count; i++) {
    const Dim *dim = nest->dims.items[i];
    APPEND(arena, &items, scope_name(&writer->scope, dim, dim->name));
  }
  if (interface->counts_samples) APPEND(arena, &items, "first_sample");
  if (interface->draws) {
    APPEND(arena, &items, "m->seed");
    APPEND(arena, &items, "step_number");
  }
  add_arguments(text, writer, loop, index, &interface->sites, ARGUMENT_SITE, &items);
  if (interface->scalars) APPEND(arena, &items, "s");
  if (interface->watches) APPEND(arena, &items, "&m->invalid");
  add_arguments(text, writer, loop, index, &interface->values, ARGUMENT_TENSOR, &items);
  add_arguments(text, writer, loop, index, &interface->arrays, ARGUMENT_TENSOR, &items);
  const char *function = map_get(&text->functions, nest->family);
  bool waits = text->has_threads && (loop || index != text->begin);
  if (waits && nest->marks & MARK_WAIT) write_line(writer, "NNRT_WAIT");
  if (text->has_threads && nest->marks & MARK_FIRST) write_line(writer, "NNRT_FIRST");
  write_wrapped(writer, arena_format(arena, "%*s%s(", 2 * writer->depth, "", function), items.items,
                items.count, ");");
}

/* ---- sequences ---- */

/* The loop that begins with a nest; null: none does. */
static CopyLoop *loop_at(const RoutineText *text, int nest) {
  int low = 0, high = text->routine->repetitions.count;
  while (low < high) {
    int middle = (low + high) / 2;
    if (text->routine->repetitions.items[middle].begin < nest) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  bool found =
      low < text->routine->repetitions.count && text->routine->repetitions.items[low].begin == nest;
  return found ? &text->loops[low] : NULL;
}

static void write_part_calls(RoutineText *text, FunctionWriter *writer, const Name *parts,
                             int count, const char *last);

static void write_loop(RoutineText *text, FunctionWriter *writer, const CopyLoop *loop) {
  const Repetition *repetition = loop->repetition;
  Arena *arena = text->program->arena;
  LineList names = {0};
  for (int i = 0; i < repetition->copies; i++) {
    APPEND(arena, &names,
           text->routine->nests.items[repetition->begin + i * repetition->period]->name);
  }
  LineList ranges = ranges_of(arena, &names);
  write_comment(writer, arena_format(arena, "From %s on.", ranges.items[0]));
  write_line(writer, "for (size_t %s = 0; %s < %d; ++%s) {", text->layer, text->layer,
             repetition->copies, text->layer);
  writer->depth++;
  write_part_calls(text, writer, loop->parts, loop->part_count, text->layer);
  for (int i = 0; loop->part_count == 0 && i < repetition->period; i++) {
    write_call(text, writer, loop, repetition->begin + i);
  }
  writer->depth--;
  write_line(writer, "}");
}

static int items_end(const RoutineText *text, int nest) {
  const CopyLoop *loop = loop_at(text, nest);
  return nest + (loop ? loop->repetition->copies * loop->repetition->period : 1);
}

static int calls_of_item(const RoutineText *text, int nest) {
  const CopyLoop *loop = loop_at(text, nest);
  if (!loop) return 1;
  return loop->part_count > 0 ? loop->part_count : loop->repetition->period;
}

/* Calls of the nests [begin, end); of one copy when there is a loop around them. */
static void write_sequence(RoutineText *text, FunctionWriter *writer, const CopyLoop *around,
                           int begin, int end) {
  for (int i = begin; i < end; i = around ? i + 1 : items_end(text, i)) {
    const CopyLoop *loop = around ? NULL : loop_at(text, i);
    if (loop) {
      write_loop(text, writer, loop);
    } else {
      write_call(text, writer, around, i);
    }
  }
}

/* ---- parts ---- */

static void write_part(RoutineText *text, Name function, const CopyLoop *around, int begin,
                       int end) {
  ProgramWriter *program = text->program;
  Arena *arena = program->arena;
  FunctionWriter writer = function_open(program, text->routine, &text->scope);
  EntryArguments arguments = entry_arguments(program, &writer, text->routine);
  ArgumentList items = {0};
  APPEND(arena, &items, arena_format(arena, "%s *m", program->prefix));
  APPEND(arena, &items, "uint64_t step_number");
  bool continues = text->routine->kind == ROUTINE_ACCUMULATE;
  if (continues) APPEND(arena, &items, "int64_t first_sample");
  if (text->scalars) APPEND(arena, &items, arena_format(arena, "%s *s", text->scalars));
  for (int i = 0; i < arguments.declarations.count; i++) {
    APPEND(arena, &items, arguments.declarations.items[i]);
  }
  if (around) APPEND(arena, &items, arena_format(arena, "size_t %s", text->layer));
  write_wrapped(&writer, arena_format(arena, "static void %s(", function), items.items, items.count,
                ") {");
  text_add(program->text, "  (void)m, (void)step_number;\n%s%s",
           continues ? "  (void)first_sample;\n" : "", text->scalars ? "  (void)s;\n" : "");
  for (int i = 0; i < arguments.values.count; i++) {
    text_add(program->text, "  (void)%s;\n", arguments.values.items[i]);
  }
  if (around) text_add(program->text, "  (void)%s;\n", text->layer);
  writer.depth = 1;
  write_sequence(text, &writer, around, begin, end);
  text_add(program->text, "}\n\n");
}

/* Functions for the nests [begin, end), each with as many calls as may be. */
static Name *write_parts(RoutineText *text, const CopyLoop *around, int begin, int end,
                         int *count) {
  Names *names = text->program->names;
  LIST_OF(Name) parts = {0};
  text->has_parts = true;
  for (int from = begin, to; from < end; from = to) {
    int calls = 0;
    to = from;
    while (to < end &&
           (to == from || calls + (around ? 1 : calls_of_item(text, to)) <= LONGEST_SEQUENCE)) {
      calls += around ? 1 : calls_of_item(text, to);
      to = around ? to + 1 : items_end(text, to);
    }
    Name name =
        scope_fresh(&text->program->file, name_format(names, "%s.%s.part", text->program->prefix,
                                                      kind_word(text->program, text->routine)));
    write_part(text, name, around, from, to);
    APPEND(text->program->arena, &parts, name);
  }
  *count = parts.count;
  return parts.items;
}

static void write_part_calls(RoutineText *text, FunctionWriter *writer, const Name *parts,
                             int count, const char *last) {
  EntryArguments arguments = entry_arguments(text->program, writer, text->routine);
  for (int i = 0; i < count; i++) {
    text_add(writer->text, "%*s%s(m, step_number%s%s", 2 * writer->depth, "", parts[i],
             text->routine->kind == ROUTINE_ACCUMULATE ? ", first_sample" : "",
             text->scalars ? ", s" : "");
    for (int k = 0; k < arguments.values.count; k++) {
      text_add(writer->text, ", %s", arguments.values.items[k]);
    }
    text_add(writer->text, "%s%s);\n", last ? ", " : "", last ? last : "");
  }
}

/* ---- stages ---- */

static void prepare_loops(RoutineText *text, int begin, int end) {
  for (int i = 0; i < text->routine->repetitions.count; i++) {
    const Repetition *repetition = &text->routine->repetitions.items[i];
    if (repetition->begin < begin || repetition->begin >= end) continue;
    text->loops[i] = prepare_loop(text, repetition);
    CopyLoop *loop = &text->loops[i];
    if (repetition->period <= LONGEST_SEQUENCE) continue;
    loop->parts = write_parts(text, loop, repetition->begin, repetition->begin + repetition->period,
                              &loop->part_count);
  }
}

static void enter_stage(RoutineText *text, int begin, int end) {
  text->has_threads = false;
  text->begin = begin;
  for (int i = begin; i < end; i++)
    text->has_threads |= body_has_marks(&text->routine->nests.items[i]->body, MARK_PARALLEL);
}

Stage prepare_stage(RoutineText *text, int begin, int end) {
  Stage stage = {begin, end, NULL, 0};
  int calls = 0;
  enter_stage(text, begin, end);
  prepare_loops(text, begin, end);
  for (int i = begin; i < end; i = items_end(text, i)) calls += calls_of_item(text, i);
  if (calls > LONGEST_SEQUENCE)
    stage.parts = write_parts(text, NULL, begin, end, &stage.part_count);
  return stage;
}

/* "N >= 4": the samples that are worth more than one thread. */
static const char *threads_condition(const RoutineText *text, const FunctionWriter *writer) {
  const Routine *routine = text->routine;
  const Dim *batch = routine->model->batch;
  Name samples = batch ? scope_find(&writer->scope, batch) : NULL;
  if (!samples || routine->least_batch <= 1) return "1";
  return arena_format(writer->arena, "%s >= %" PRId64, samples, routine->least_batch);
}

void write_stage(RoutineText *text, FunctionWriter *writer, const Stage *stage) {
  enter_stage(text, stage->begin, stage->end);
  writer->depth = 1;
  if (text->has_threads) {
    write_line(writer, "NNRT_THREADS(%s)", threads_condition(text, writer));
    write_line(writer, "{");
    writer->depth++;
  }
  if (stage->part_count > 0) {
    write_part_calls(text, writer, stage->parts, stage->part_count, NULL);
  } else {
    write_sequence(text, writer, NULL, stage->begin, stage->end);
  }
  writer->depth = 1;
  if (text->has_threads) write_line(writer, "}");
}
