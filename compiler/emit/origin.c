/* Where in the source a nest comes from: the user's own lines, and those of definitions they applied. */
#include "emit/program.h"

#include <string.h>

enum { MOST_LINES = 8 };

typedef struct Origins {
  ProgramWriter *program;
  Text text;
  Place places[MOST_LINES];
  int count;
} Origins;

static bool is_noted(const Origins *origins, Place place) {
  for (int i = 0; i < origins->count; i++) {
    if (origins->places[i].file == place.file && origins->places[i].line == place.line) return true;
  }
  return false;
}

static void note_line(Origins *origins, Span span) {
  Place place = place_of(origins->program->options->sources, span.begin);
  if (!place.file || origins->count == MOST_LINES || is_noted(origins, place)) return;
  const SourceFile *last = origins->count > 0 ? origins->places[origins->count - 1].file : NULL;
  const char *slash = strrchr(place.file->path, '/');
  const char *name = slash ? slash + 1 : place.file->path;
  if (place.file == last) {
    text_add(&origins->text, ", %d", place.line);
  } else {
    text_add(&origins->text, "%s%s:%d", last ? ", " : "",
             harmless_text(origins->program->arena, name), place.line);
  }
  origins->places[origins->count++] = place;
}

/* The line in the model that led to an equation: of the outermost application, or its own. */
static Span line_in_model(const Equation *equation) {
  const Instance *instance = equation->instance;
  if (!instance) return equation->span;
  while (instance->caller) instance = instance->caller;
  return instance->call;
}

static void add_members(ProgramWriter *program, const NestFamily *family, Text *text) {
  LineList names = {0};
  for (int i = 0; i < family->members.count; i++) {
    APPEND(program->arena, &names, family->members.items[i]->name);
  }
  LineList ranges = ranges_of(program->arena, &names);
  for (int i = 0; i < ranges.count; i++) {
    text_add(text, "%s%s", i > 0 ? ", " : "", ranges.items[i]);
  }
}

void write_origin(ProgramWriter *program, const NestFamily *family) {
  const Nest *nest = first_member(family);
  Origins origins = {.program = program};
  text_init(&origins.text, program->arena);
  for (int i = 0; i < nest->equations.count; i++)
    note_line(&origins, line_in_model(nest->equations.items[i]));
  for (int i = 0; i < nest->equations.count; i++)
    note_line(&origins, nest->equations.items[i]->span);
  if (family->members.count > 1) {
    text_add(&origins.text, "%s", origins.text.size > 0 ? ": " : "");
    add_members(program, family, &origins.text);
  }
  if (origins.text.size > 0) add_comment(program->text, 0, origins.text.bytes);
}
