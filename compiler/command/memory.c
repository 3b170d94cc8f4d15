/* What lives in scratch: one row for each buffer of the arena, and what they add up to. */
#include "command/memory.h"

#include "loops/panels.h"

#include <inttypes.h>
#include <string.h>

static const char *shape_as_stored(Arena *arena, const Routine *routine, const Buffer *buffer) {
  Text text;
  text_init(&text, arena);
  for (int level = 0; level < buffer->tensor->rank; level++) {
    int dim = routine_dim_at(routine, buffer->tensor, level);
    int64_t stride;
    bool dropped = extent_is_constant(buffer->strides[dim], &stride) && stride == 0;
    text_add(&text, level == 0 ? "[" : ", ");
    bool is_ring = buffer->ring_steps > 0 && buffer->ring_dim == dim;
    if (dropped) text_add(&text, "*");
    if (dropped) continue;
    if (is_ring) text_add(&text, "%" PRId64 " of ", buffer->ring_steps);
    extent_print(buffer->tensor->axes[dim].extent, &text);
  }
  text_add(&text, buffer->tensor->rank > 0 ? "]" : "number");
  return text.bytes;
}

static const char *line_of(Arena *arena, const Sources *sources, const Tensor *tensor) {
  Place place = place_of(sources, tensor->definition->span.begin);
  if (!place.file) return "";
  const char *slash = strrchr(place.file->path, '/');
  return arena_format(arena, "%s:%d", slash ? slash + 1 : place.file->path, place.line);
}

/* Written before the loss is known and read after. */
static bool is_on_tape(const Routine *routine, const Buffer *buffer) {
  bool trains = routine->kind == ROUTINE_TRAIN || routine->kind == ROUTINE_ACCUMULATE;
  return trains && buffer->first < routine->nests_before_commit &&
         buffer->last >= routine->nests_before_commit;
}

static void print_row(Arena *arena, const Sources *sources, const Routine *routine,
                      const Buffer *buffer) {
  const char *first = routine->nests.items[buffer->first]->name;
  const char *last = routine->nests.items[buffer->last]->name;
  printf("  %-24s %-20s %12" PRId64 "  %-5s %-20s %-20s %s\n", buffer->tensor->name,
         shape_as_stored(arena, routine, buffer), buffer->bytes,
         is_on_tape(routine, buffer) ? "tape" : "", first, last,
         line_of(arena, sources, buffer->tensor));
}

static void print_totals(const Routine *routine) {
  int64_t tape = 0;
  int values = 0;
  for (int i = 0; i < routine->buffers.count; i++) {
    const Buffer *buffer = routine->buffers.values[i];
    if (buffer->place != PLACE_ARENA || !is_on_tape(routine, buffer)) continue;
    tape += buffer->bytes;
    values++;
  }
  if (values > 0)
    printf("  %-45s %12" PRId64 "  in %d value%s that the backward part reads\n", "the tape", tape,
           values, values == 1 ? "" : "s");
  printf("  %-45s %12" PRId64 "  while %s is computed: no plan needs less\n", "alive at once",
         routine->live_bytes, routine->nests.items[routine->fullest_nest]->name);
  printf("  %-45s %12" PRId64 "  %.2f times that\n", "scratch", routine->arena_bytes,
         (double)routine->arena_bytes / (double)routine->live_bytes);
}

static void print_routine(Arena *arena, const Sources *sources, const Routine *routine) {
  printf("\n  %-24s %-20s %12s  %-5s %-20s %-20s %s\n", routine_title(arena, routine), "stored as",
         "bytes", "", "from nest", "to nest", "computed at");
  for (int i = 0; i < routine->buffers.count; i++) {
    const Buffer *buffer = routine->buffers.values[i];
    if (buffer->place == PLACE_ARENA) print_row(arena, sources, routine, buffer);
  }
  print_totals(routine);
}

/* Parameters and what is kept for them, where that does not lie row by row. */
static void print_panels(Arena *arena, const EmitUnit *unit) {
  const Routine *routine = unit->routines[0];
  for (int i = 0; i < routine->panels.count; i++) {
    const Tensor *tensor = routine->panels.keys[i];
    Text shape;
    text_init(&shape, arena);
    panels_print(tensor, routine->panels.values[i], ", ", &shape);
    if (i == 0) printf("\n  %-24s stored as\n", "kept in panels");
    printf("  %-24s [%s]\n", tensor->name, shape.bytes);
  }
}

void memory_print(Arena *arena, const Sources *sources, const EmitUnit *unit) {
  printf("model %s: %" PRId64 " bytes; %s\n", unit->model->name, emit_struct_bytes(unit),
         unit->routines[0]->pressure->title);
  print_panels(arena, unit);
  for (int i = 0; i < unit->count; i++)
    if (unit->routines[i]->arena_bytes > 0) print_routine(arena, sources, unit->routines[i]);
}
