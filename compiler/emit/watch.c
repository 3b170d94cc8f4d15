/* Numbers that are tested where they are stored: what their stores find is kept in variables of the function, one for
   single numbers and one for vectors of each length, and makes the model invalid at its end. */
#include "emit/expression.h"
#include "loops/threads.h"

/* 0: a number; k: vectors of 2^k lanes. */
static int kind_of_lanes(int64_t lanes) {
  int kind = 0;
  while ((int64_t)1 << kind < lanes) kind++;
  return kind;
}

static const char *bits_type(const FunctionWriter *writer, int kind) {
  const Routine *routine = writer->routine;
  if (kind > 0)
    return arena_format(writer->arena, "nnrt_bits_%sx%d", real_suffix(routine), 1 << kind);
  return routine->bytes_of_real == 8 ? "uint64_t" : "uint32_t";
}

static void note_kinds(const LoopBody *body, int64_t lanes, bool *kinds) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    if (node->marks & MARK_WATCH) kinds[kind_of_lanes(lanes)] = true;
    note_kinds(&node->body, node->lanes, kinds);
  }
}

void open_watch(FunctionWriter *writer, const LoopBody *body) {
  Names *names = writer->scope.names;
  bool kinds[WATCH_KINDS] = {false};
  note_kinds(body, 0, kinds);
  for (int kind = 0; kind < WATCH_KINDS; kind++) {
    if (!kinds[kind]) continue;
    Name wanted =
        kind == 0 ? name_of(names, "unsound") : name_format(names, "unsound.%d", 1 << kind);
    if (!writer->unsound[kind]) writer->unsound[kind] = scope_fresh(&writer->scope, wanted);
    write_line(writer, "%s %s = %s;", bits_type(writer, kind), writer->unsound[kind],
               kind > 0 ? "{0}" : "0");
  }
}

const char *watched_text(FunctionWriter *writer, const char *value, int64_t lanes) {
  Arena *arena = writer->arena;
  int kind = kind_of_lanes(lanes);
  const char *length = kind > 0 ? arena_format(arena, "x%d", 1 << kind) : "";
  return arena_format(arena, "nnrt_watch_%s%s(%s, &%s)", real_suffix(writer->routine), length,
                      value, writer->unsound[kind]);
}

static const char *found_text(const FunctionWriter *writer, int kind) {
  if (kind == 0) return writer->unsound[0];
  return arena_format(writer->arena, "nnrt_found_%sx%d(%s)", real_suffix(writer->routine),
                      1 << kind, writer->unsound[kind]);
}

void close_watch(FunctionWriter *writer, const LoopBody *body) {
  bool kinds[WATCH_KINDS] = {false};
  Text found;
  text_init(&found, writer->arena);
  note_kinds(body, 0, kinds);
  for (int kind = 0; kind < WATCH_KINDS; kind++)
    if (kinds[kind])
      text_add(&found, "%s%s", found.size > 0 ? " | " : "", found_text(writer, kind));
  if (found.size == 0) return;
  write_line(writer, "if (%s) {", found.bytes);
  writer->depth++;
  if (body_has_marks(&first_member(writer->family)->body, MARK_PARALLEL))
    write_line(writer, "NNRT_ATOMIC");
  write_line(writer, "*invalid = 1;");
  writer->depth--;
  write_line(writer, "}");
}
