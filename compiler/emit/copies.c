/* Arguments of calls, and how they differ between the copies that a loop goes through.

   The same in all copies: as in a single call. Counted up by a constant stride: the first and `layer` times
   the stride. Anything else stands in a table with a row for each copy, in which equal columns are one. */
#include "emit/expression.h"
#include "emit/routine.h"

#include <inttypes.h>

/* ---- values of an argument over the copies ---- */

typedef enum { STANDS_STILL, STANDS_AT_STRIDE, STANDS_IN_TABLE } Motion;

/* Where arguments of one kind can be counted in bytes. */
typedef enum { IN_MODEL, IN_SCRATCH, IN_SCALARS, OF_CALLER, OF_STEP, OF_DRAW } Region;

typedef struct Sequence {
  const Tensor **tensors; /* one for each copy */
  int count;
  Region region;
} Sequence;

static Region region_of(const RoutineText *text, const Tensor *memory, ArgumentKind kind) {
  if (kind == ARGUMENT_SITE) return OF_DRAW;
  if (memory->role == ROLE_STEP) return OF_STEP;
  const Buffer *buffer = map_get(&text->routine->buffers, memory);
  switch (buffer ? buffer->place : PLACE_MODEL) {
  case PLACE_SCALAR: return IN_SCALARS;
  case PLACE_ARGUMENT: return OF_CALLER;
  case PLACE_ARENA: return IN_SCRATCH;
  case PLACE_MODEL: return IN_MODEL;
  case PLACE_TABLE:
  case PLACE_DRAW:
  case PLACE_REGISTER: break;
  }
  bug("'%s' is no argument", memory->name);
}

static Sequence sequence_of(RoutineText *text, const CopyLoop *loop, int nest, int position,
                            ArgumentKind kind) {
  const NestList *nests = &text->routine->nests;
  Sequence sequence = {.count = loop ? loop->repetition->copies : 1};
  sequence.tensors = NEW_ARRAY(text->program->arena, const Tensor *, sequence.count);
  for (int i = 0; i < sequence.count; i++) {
    int at = nest + (loop ? i * loop->repetition->period : 0);
    sequence.tensors[i] = nests->items[at]->tensors.items[position];
  }
  sequence.region = region_of(text, sequence.tensors[0], kind);
  return sequence;
}

/* False when its distance from others is not known. */
static bool find_place(const RoutineText *text, Region region, const Tensor *tensor,
                       MemberPlace *place) {
  const MemberPlace *member = NULL;
  switch (region) {
  case IN_SCRATCH:
    *place = (MemberPlace){0, ((const Buffer *)map_get(&text->routine->buffers, tensor))->offset};
    return true;
  case IN_MODEL: member = map_get(&text->program->places.by_tensor, tensor); break;
  case IN_SCALARS: member = map_get(&text->places, tensor); break;
  case OF_CALLER:
  case OF_STEP:
  case OF_DRAW: break;
  }
  if (member) *place = *member;
  return member != NULL;
}

static bool is_same(const Sequence *sequence, int copy) {
  const Tensor *first = sequence->tensors[0], *other = sequence->tensors[copy];
  return sequence->region == OF_DRAW ? first->site == other->site : first == other;
}

static Motion motion_of(const RoutineText *text, const Sequence *sequence, int64_t *stride) {
  int still = 1;
  while (still < sequence->count && is_same(sequence, still)) still++;
  if (still == sequence->count) return STANDS_STILL;
  MemberPlace first, before, place;
  if (!find_place(text, sequence->region, sequence->tensors[0], &first)) return STANDS_IN_TABLE;
  before = first;
  for (int i = 1; i < sequence->count; i++) {
    find_place(text, sequence->region, sequence->tensors[i], &place);
    if (i == 1) *stride = place.offset - first.offset;
    if (place.run != first.run || place.offset - before.offset != *stride) return STANDS_IN_TABLE;
    before = place;
  }
  return *stride == 0 ? STANDS_STILL : STANDS_AT_STRIDE;
}

/* ---- as C ---- */

static Name member_name(const RoutineText *text, Region region, const Tensor *tensor) {
  if (region == IN_SCALARS) return scope_find(&text->scope, tensor);
  return scope_name(&text->program->fields, tensor, tensor->name);
}

static const char *single_text(RoutineText *text, FunctionWriter *writer,
                               const Sequence *sequence) {
  Arena *arena = text->program->arena;
  const Tensor *tensor = sequence->tensors[0];
  switch (sequence->region) {
  case OF_CALLER: return scope_name(&writer->scope, tensor, tensor->name);
  case OF_STEP: return "(double)step_number";
  case OF_DRAW: return site_text(arena, tensor);
  case IN_MODEL: return arena_format(arena, "m->%s", member_name(text, IN_MODEL, tensor));
  case IN_SCALARS: return arena_format(arena, "&s->%s", member_name(text, IN_SCALARS, tensor));
  case IN_SCRATCH: break;
  }
  return arena_format(arena, "(%s *)(void *)(m->scratch + %" PRId64 ")",
                      element_type_name(text->routine, tensor),
                      routine_buffer(text->routine, tensor)->offset);
}

/* An address, or the value there. */
static const char *place_text(RoutineText *text, const Sequence *sequence, const char *offset) {
  Arena *arena = text->program->arena;
  const char *p = text->program->prefix;
  if (sequence->region == IN_SCRATCH)
    return arena_format(arena, "(void *)(m->scratch + %s)", offset);
  if (sequence->region == IN_SCALARS) {
    return arena_format(arena, "(void *)((unsigned char *)s + %s)", offset);
  }
  const char *address = arena_format(arena, "%s_at(m, %s)", p, offset);
  if (sequence->tensors[0]->role != ROLE_HYPER) return address;
  return arena_format(arena, "*(double *)%s", address);
}

/* "offsetof(digits, h1_W)", or the number of bytes in scratch memory. */
static const char *offset_text(const RoutineText *text, Region region, const Tensor *tensor) {
  Arena *arena = text->program->arena;
  if (region == IN_SCRATCH) {
    return arena_format(arena, "%" PRId64, routine_buffer(text->routine, tensor)->offset);
  }
  const char *type = region == IN_SCALARS ? text->scalars : text->program->prefix;
  return arena_format(arena, "offsetof(%s, %s)", type, member_name(text, region, tensor));
}

static const char *strided_text(RoutineText *text, const Sequence *sequence, int64_t stride) {
  const char *first = offset_text(text, sequence->region, sequence->tensors[0]);
  return arena_format(text->program->arena, "%s %c %s * %" PRId64, first, stride < 0 ? '-' : '+',
                      text->layer, stride < 0 ? -stride : stride);
}

/* The values of a sequence as one name. */
static Name column_key(RoutineText *text, const Sequence *sequence) {
  Text key;
  text_init(&key, text->program->arena);
  text_add(&key, "%d", (int)sequence->region);
  for (int i = 0; i < sequence->count; i++) {
    const Tensor *tensor = sequence->tensors[i];
    bool drawn = sequence->region == OF_DRAW;
    text_add(&key, " %lu", drawn ? (unsigned long)tensor->site : (unsigned long)tensor->id);
  }
  return name_of(text->program->names, key.bytes);
}

const char *argument_text(RoutineText *text, FunctionWriter *writer, const CopyLoop *loop, int nest,
                          int position, ArgumentKind kind) {
  Sequence sequence = sequence_of(text, loop, nest, position, kind);
  int64_t stride;
  switch (motion_of(text, &sequence, &stride)) {
  case STANDS_STILL: return single_text(text, writer, &sequence);
  case STANDS_AT_STRIDE: return place_text(text, &sequence, strided_text(text, &sequence, stride));
  case STANDS_IN_TABLE: break;
  }
  Name column = map_get(&loop->columns, column_key(text, &sequence));
  const char *value =
      arena_format(text->program->arena, "%s[%s].%s", loop->table, text->layer, column);
  return kind == ARGUMENT_SITE ? value : place_text(text, &sequence, value);
}

/* ---- tables ---- */

typedef struct Column {
  Name name;
  Sequence sequence;
} Column;
typedef struct ColumnList {
  Column *items;
  int count, capacity;
} ColumnList;

void need_address_function(ProgramWriter *program) {
  if (program->has_address_function) return;
  program->has_address_function = true;
  text_add(program->text,
           "/* What lies so many bytes behind the begin of the model. */\n"
           "static void *%s_at(%s *m, size_t bytes) {\n"
           "  return (unsigned char *)m + bytes;\n}\n\n",
           program->prefix, program->prefix);
}

static void note_argument(RoutineText *text, CopyLoop *loop, ColumnList *columns, int nest,
                          int position, ArgumentKind kind) {
  Sequence sequence = sequence_of(text, loop, nest, position, kind);
  int64_t stride = 0;
  Motion motion = motion_of(text, &sequence, &stride);
  if (motion == STANDS_STILL) return;
  if (sequence.region == IN_MODEL) need_address_function(text->program);
  if (motion == STANDS_AT_STRIDE) return;
  Name key = column_key(text, &sequence);
  if (map_has(&loop->columns, key)) return;
  Names *names = text->program->names;
  Name *all = NEW_ARRAY(text->program->arena, Name, sequence.count);
  for (int i = 0; i < sequence.count; i++) all[i] = sequence.tensors[i]->name;
  Name wanted = common_name(names, all, sequence.count, "value");
  if (kind == ARGUMENT_SITE) wanted = name_format(names, "%s.site", wanted);
  Column column = {scope_fresh(&loop->members, wanted), sequence};
  map_put(&loop->columns, key, (void *)column.name);
  APPEND(text->program->arena, columns, column);
}

static void note_call(RoutineText *text, CopyLoop *loop, ColumnList *columns, int nest) {
  const NestFamily *family = text->routine->nests.items[nest]->family;
  const NestInterface *interface = map_get(&text->interfaces, family);
  for (int i = 0; i < interface->sites.count; i++)
    note_argument(text, loop, columns, nest, interface->sites.items[i], ARGUMENT_SITE);
  for (int i = 0; i < interface->values.count; i++)
    note_argument(text, loop, columns, nest, interface->values.items[i], ARGUMENT_TENSOR);
  for (int i = 0; i < interface->arrays.count; i++)
    note_argument(text, loop, columns, nest, interface->arrays.items[i], ARGUMENT_TENSOR);
}

static void write_row(RoutineText *text, const ColumnList *columns, int copy) {
  Text row;
  text_init(&row, text->program->arena);
  text_add(&row, "{");
  for (int i = 0; i < columns->count; i++) {
    const Sequence *sequence = &columns->items[i].sequence;
    const Tensor *tensor = sequence->tensors[copy];
    text_add(&row, "%s%s", i > 0 ? ", " : "",
             sequence->region == OF_DRAW ? site_text(text->program->arena, tensor)
                                         : offset_text(text, sequence->region, tensor));
  }
  text_add(&row, "},");
  add_line(text->program->text, 4, row.bytes, row.size);
}

static void write_table(RoutineText *text, CopyLoop *loop, const ColumnList *columns) {
  ProgramWriter *program = text->program;
  loop->table =
      scope_fresh(&program->file, name_format(program->names, "%s.%s.copies", program->prefix,
                                              kind_word(program, text->routine)));
  text_add(
      program->text,
      "/* What is different in each copy of a layer: bytes into memory, keys of random numbers. "
      "*/\nstatic const struct {\n");
  for (int i = 0; i < columns->count; i++) {
    const Column *column = &columns->items[i];
    text_add(program->text, "  %s %s;\n",
             column->sequence.region == OF_DRAW ? "uint32_t" : "size_t", column->name);
  }
  text_add(program->text, "} %s[%d] = {\n", loop->table, loop->repetition->copies);
  for (int i = 0; i < loop->repetition->copies; i++) write_row(text, columns, i);
  text_add(program->text, "};\n\n");
}

CopyLoop prepare_loop(RoutineText *text, const Repetition *repetition) {
  CopyLoop loop = {.repetition = repetition};
  ColumnList columns = {0};
  map_init(&loop.columns, text->program->arena);
  scope_open(&loop.members, text->program->arena, text->program->names, NULL);
  for (int i = 0; i < repetition->period; i++)
    note_call(text, &loop, &columns, repetition->begin + i);
  if (columns.count > 0) write_table(text, &loop, &columns);
  return loop;
}
