/* Messages: errors with the applications that lead to them, shapes in words, and near names. */
#include "elaborate/scope.h"

#include <string.h>

static bool is_in_library(const Frame *frame, Span span) {
  const SourceFile *file = source_of(frame->e->sources, span.begin);
  return file && strncmp(file->path, "library/", 8) == 0;
}

/* "model.nn:14:9", or "14:9" when the place is in the file of `near`. */
const char *place_text(const Elaborator *e, Span span, Span near) {
  Place place = place_of(e->sources, span.begin), reference = place_of(e->sources, near.begin);
  if (!place.file) return "an unknown place";
  if (place.file == reference.file) {
    return arena_format(e->arena, "%d:%d", place.line, place.column);
  }
  return arena_format(e->arena, "%s:%d:%d", place.file->path, place.line, place.column);
}

/* Out of the pointwise definitions of the library that the place is in, to where they are used. */
static const Frame *leave_pointwise(const Frame *frame, Span *blamed, const char **definition) {
  while (frame->call.end > 0 && is_in_library(frame, *blamed)) {
    *blamed = frame->call;
    *definition = frame->definition->name;
    frame = frame->caller;
  }
  return frame;
}

static void add_applications(Diagnostic *diagnostic, const Frame *frame, Span blamed) {
  for (; frame->call.end > 0; frame = frame->caller)
    diagnostic_note(diagnostic, frame->call, "in '%s', applied here", frame->definition->name);
  for (const Instance *i = frame->instance; i; i = i->caller) {
    if (i->call.begin == blamed.begin && i->call.end == blamed.end) continue;
    diagnostic_note(diagnostic, i->call, "in '%s', applied here as '%s'", i->definition, i->path);
  }
}

Diagnostic *report(const Frame *frame, ErrorCode code, Span span, const char *text, ...) {
  const Elaborator *e = frame->e;
  va_list arguments;
  va_start(arguments, text);
  const char *message = arena_format_list(e->arena, text, arguments);
  va_end(arguments);
  Span blamed = span;
  const char *definition = NULL;
  frame = leave_pointwise(frame, &blamed, &definition);
  const Instance *instance = frame->instance;
  for (; instance && is_in_library(frame, blamed); instance = instance->caller) {
    blamed = instance->call;
    definition = instance->definition;
  }
  if (!definition) {
    Diagnostic *plain = diagnose(e->diagnostics, code, span, "%s", message);
    add_applications(plain, frame, span);
    return plain;
  }
  Diagnostic *diagnostic =
      diagnose(e->diagnostics, code, blamed, "in '%s': %s", definition, message);
  diagnostic_note(diagnostic, span, "%s", error_title(code));
  add_applications(diagnostic, frame, blamed);
  return diagnostic;
}

const char *size_text(Arena *arena, const Extent *extent) {
  Text text;
  text_init(&text, arena);
  extent_print(extent, &text);
  return text.bytes;
}

/* The source of a span, cut to one line. */
const char *source_text(const Elaborator *e, Span span) {
  const SourceFile *file = source_of(e->sources, span.begin);
  if (!file || span.end <= span.begin || span.end > file->base + file->size) return "";
  const char *begin = file->text + (span.begin - file->base);
  size_t size = span.end - span.begin, line = strcspn(begin, "\n");
  if (line < size) size = line;
  return arena_format(e->arena, "%.*s", (int)(size > 60 ? 60 : size), begin);
}

/* "dim P = 784, from 'input x[N, P]' at 3:9" */
const char *axis_text(const Elaborator *e, const Axis *axis, Span near) {
  const char *size = size_text(e->arena, axis->extent);
  const char *what = !axis->letter || strcmp(axis->letter, size) == 0
                         ? arena_format(e->arena, "%s %s", axis->letter ? "dim" : "extent", size)
                         : arena_format(e->arena, "dim %s = %s", axis->letter, size);
  const char *source = source_text(e, axis->origin);
  if (source[0] == '\0') return what;
  return arena_format(e->arena, "%s, from '%s' at %s", what, source,
                      place_text(e, axis->origin, near));
}

const char *shape_text(Arena *arena, const Axis *axes, int rank) {
  Text text;
  text_init(&text, arena);
  text_add(&text, "[");
  for (int i = 0; i < rank; i++) {
    const char *size = size_text(arena, axes[i].extent);
    if (i > 0) text_add(&text, ", ");
    if (axes[i].letter && strcmp(axes[i].letter, size) != 0) {
      text_add(&text, "%s = ", axes[i].letter);
    }
    text_add(&text, "%s", size);
  }
  text_add(&text, "]");
  return text.bytes;
}

static bool same_origin(const Axis *a, const Axis *b) {
  return a->origin.begin == b->origin.begin && a->origin.end == b->origin.end;
}

void note_shape(Diagnostic *diagnostic, const Frame *frame, const Axis *axes, int rank) {
  Arena *arena = frame->e->arena;
  const char *shape = shape_text(arena, axes, rank);
  for (int first = 0, end; first < rank; first = end) {
    end = first + 1;
    while (end < rank && same_origin(&axes[end], &axes[first])) end++;
    if (axes[first].origin.end == 0) continue;
    const char *part = end - first == rank ? "" : shape_text(arena, axes + first, end - first);
    diagnostic_note(diagnostic, axes[first].origin, "%s%s%s comes from here", part,
                    part[0] ? " of " : "", shape);
  }
}

const char *kind_text(ValueKind kind) {
  static const char *const texts[] = {
      [VALUE_POISON] = "a wrong value",    [VALUE_BOOL] = "a truth value",
      [VALUE_NUMBER] = "a number",         [VALUE_EXTENT] = "a whole number",
      [VALUE_STRING] = "a string",         [VALUE_EXPR] = "an expression",
      [VALUE_TENSOR] = "a tensor",         [VALUE_LAYER] = "a layer",
      [VALUE_RESULTS] = "several results", [VALUE_DISTRIBUTION] = "a distribution"};
  return texts[kind];
}

const char *value_text(Arena *arena, Value value) {
  switch (value.kind) {
  case VALUE_BOOL: return value.truth ? "true" : "false";
  case VALUE_NUMBER: return arena_format(arena, "%.9g", value.number);
  case VALUE_EXTENT: return size_text(arena, value.extent);
  case VALUE_STRING: return arena_format(arena, "\"%s\"", value.text);
  case VALUE_TENSOR:
    return value.rank == 0
               ? "a scalar"
               : arena_format(arena, "a tensor %s", shape_text(arena, value.axes, value.rank));
  case VALUE_EXPR:
    return !value.field ? "a scalar"
                        : arena_format(arena, "a tensor %s",
                                       shape_text(arena, value.field->axes, value.field->rank));
  default: return kind_text(value.kind);
  }
}

enum { DISTANCE_NAME = 32 };

/* Single letters added, lost or changed, and neighbours swapped, between names up to DISTANCE_NAME bytes. */
static int edit_distance(const char *a, const char *b) {
  int a_size = (int)strlen(a), b_size = (int)strlen(b), rows[3][DISTANCE_NAME + 1];
  if (a_size > DISTANCE_NAME || b_size > DISTANCE_NAME) return DISTANCE_NAME;
  for (int j = 0; j <= b_size; j++) rows[0][j] = j;
  for (int i = 1; i <= a_size; i++) {
    int *now = rows[i % 3];
    const int *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= b_size; j++) {
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      now[j] = before[j - 1] + (a[i - 1] != b[j - 1]);
      if (before[j] + 1 < now[j]) now[j] = before[j] + 1;
      if (now[j - 1] + 1 < now[j]) now[j] = now[j - 1] + 1;
      if (swapped && earlier[j - 2] + 1 < now[j]) now[j] = earlier[j - 2] + 1;
    }
  }
  return rows[a_size % 3][b_size];
}

typedef struct Nearest {
  Name wanted, best;
  int least; /* distances from here on are no slip of the fingers */
} Nearest;

static void consider(Nearest *nearest, Name name) {
  int distance = edit_distance(name, nearest->wanted);
  if (distance >= nearest->least || distance == 0) return;
  nearest->least = distance;
  nearest->best = name;
}

/* A name that is being given its value can be meant only by a step that reads an earlier one. */
static bool can_be_meant(const Binding *binding) {
  const Statement *statement = binding->statement;
  return !statement || statement->state != STATEMENT_RUNNING || statement->scan;
}

Name nearest_name(const Frame *frame, Name wanted) {
  size_t size = strlen(wanted);
  if (size < 2) return NULL;
  Nearest nearest = {.wanted = wanted, .least = size < 6 ? 2 : size < 10 ? 3 : 4};
  const Elaborator *e = frame->e;
  const Definition *here = frame->definition;
  for (; frame; frame = frame->outer) {
    for (int i = 0; i < frame->bindings.count; i++) {
      if (can_be_meant(frame->bindings.values[i])) consider(&nearest, frame->bindings.keys[i]);
    }
  }
  for (int i = 0; i < e->definitions.count; i++) {
    if (e->definitions.values[i] != here) consider(&nearest, e->definitions.keys[i]);
  }
  return nearest.best;
}

/* Functions of other languages, and how they are said here. */
static const char *other_spelling(Name wanted) {
  static const struct {
    const char *name, *text;
  } rows[] = {
#define SPELLING(name, text) {name, text},
#include "elaborate/spellings.def"
#undef SPELLING
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (is_named(wanted, rows[i].name)) return rows[i].text;
  }
  return NULL;
}

void suggest_name(Diagnostic *diagnostic, const Frame *frame, Name wanted) {
  if (diagnostics_error_count(frame->e->diagnostics) > 5 * LIMIT_ERRORS_PRINTED) return;
  const char *other = other_spelling(wanted);
  Name near = other ? NULL : nearest_name(frame, wanted);
  if (other) diagnostic_help(diagnostic, "%s", other);
  if (near) diagnostic_help(diagnostic, "did you mean '%s'?", near);
}
