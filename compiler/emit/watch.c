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

static void declare_kind(FunctionWriter *writer, int kind) {
  Names *names = writer->scope.names;
  if (writer->unsound[kind]) return;
  Name wanted = kind == 0 ? name_of(names, "unsound") : name_format(names, "unsound.%d", 1 << kind);
  writer->unsound[kind] = scope_fresh(&writer->scope, wanted);
  write_line(writer, "%s %s = %s;", bits_type(writer, kind), writer->unsound[kind],
             kind > 0 ? "{0}" : "0");
}

static void open_body(FunctionWriter *writer, const LoopBody *body, int64_t lanes) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    if (node->marks & MARK_WATCH) declare_kind(writer, kind_of_lanes(lanes));
    open_body(writer, &node->body, node->lanes);
  }
}

void open_watch(FunctionWriter *writer, const Nest *nest) {
  open_body(writer, &nest->body, 0);
}

const char *watched_text(FunctionWriter *writer, const char *value, int64_t lanes) {
  Arena *arena = writer->arena;
  int kind = kind_of_lanes(lanes);
  const char *length = kind > 0 ? arena_format(arena, "x%d", 1 << kind) : "";
  return arena_format(arena, "nnrt_watch_%s%s(%s, &%s)", real_suffix(writer->routine), length,
                      value, writer->unsound[kind]);
}

void close_watch(FunctionWriter *writer, const Nest *nest) {
  Text found;
  text_init(&found, writer->arena);
  for (int kind = 0; kind < WATCH_KINDS; kind++) {
    Name name = writer->unsound[kind];
    if (!name) continue;
    const char *before = found.size > 0 ? " | " : "";
    if (kind == 0)
      text_add(&found, "%s%s", before, name);
    else
      text_add(&found, "%snnrt_found_%sx%d(%s)", before, real_suffix(writer->routine), 1 << kind,
               name);
  }
  if (found.size == 0) return;
  write_line(writer, "if (%s) {", found.bytes);
  writer->depth++;
  if (body_has_marks(&nest->body, MARK_PARALLEL)) write_line(writer, "NNRT_ATOMIC");
  write_line(writer, "*invalid = 1;");
  writer->depth--;
  write_line(writer, "}");
}
