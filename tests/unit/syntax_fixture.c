/* The fixture keeps one arena; diagnostics are made afresh whenever they were asked for. */
#include "syntax_fixture.h"

#include <stdlib.h>
#include <string.h>

static Arena *arena;
static Names *names;
static Sources sources;
static Diagnostics *diagnostics;

void syntax_begin(void) {
  arena = arena_new();
  names = names_new(arena);
  sources_init(&sources, arena);
  diagnostics = diagnostics_new(arena, &sources);
}

void syntax_end(void) {
  arena_free(arena);
}

Tree *parse_file(const char *text) {
  const char *copy = arena_format(arena, "%s", text);
  const SourceFile *file = source_add(&sources, "test.nn", copy, (uint32_t)strlen(copy));
  return tree_parse(arena, names, &sources, diagnostics, file);
}

Tree *parse_body(const char *text) {
  return parse_file(arena_format(arena, "model m {\n%s\n}\n", text));
}

Node *parse_value(const char *text) {
  const Node *model = parse_body(arena_format(arena, "y = %s", text))->root->parts[0];
  return model->parts[0]->parts[0]->parts[1];
}

const char *print_tree(const Tree *tree) {
  Text text;
  text_init(&text, arena);
  text_add_bytes(&text, "", 0);
  tree_print(tree, &sources, &text);
  return text.bytes;
}

const char *print_body(const char *body) {
  const char *printed = print_tree(parse_body(body));
  Text text;
  text_init(&text, arena);
  text_add_bytes(&text, "", 0);
  const char *line = strchr(printed, '\n') + 1;
  for (const char *end; strcmp(line, "}\n") != 0; line = end) {
    end = strchr(line, '\n') + 1;
    if (strncmp(line, "  ", 2) == 0) line += 2;
    text_add_bytes(&text, line, (size_t)(end - line));
  }
  return text.bytes;
}

static char *print_diagnostics(void) {
  char *bytes;
  size_t size;
  FILE *stream = open_memstream(&bytes, &size);
  diagnostics_print(diagnostics, stream, false);
  fclose(stream);
  diagnostics = diagnostics_new(arena, &sources);
  char *copy = arena_format(arena, "%s", bytes);
  free(bytes);
  return copy;
}

const char *messages(void) {
  return print_diagnostics();
}

const char *reported(void) {
  Text text;
  text_init(&text, arena);
  text_add_bytes(&text, "", 0);
  for (const char *line = print_diagnostics(), *end; *line; line = end + 1) {
    end = strchr(line, '\n');
    const char *place = line + strlen("test.nn:"), *error = strstr(line, ": error: ");
    if (!error || error > end) continue;
    text_add(&text, "%s%.6s %.*s", text.size > 0 ? ", " : "", end - strlen("NN0101]"),
             (int)(error - place), place);
  }
  return text.bytes;
}
