/* Parses and prints mutants of programs: mutate_syntax COUNT FILE...

   Nothing may crash, hang or leak, whatever the text; every node lies within its file; and a mutant
   that is still a program prints as one that parses to the same tree and prints the same again. */
#include "../fuzz/mutator.h"
#include "syntax/tree.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 16, SECONDS_EACH = 10 };

typedef struct Trial {
  Arena *arena;
  Sources sources;
  Names *names;
  Diagnostics *diagnostics;
} Trial;

static char current[FILE_LIMIT + 1];
static size_t current_size;

static void fail(const char *file, unsigned long seed, const char *reason) {
  printf("FAIL syntax mutants: %s, mutant %lu of %s\n", reason, seed, file);
  fwrite(current, 1, current_size, stdout);
  fflush(stdout);
  exit(1);
}

static Tree *parse(Trial *trial, const char *text, size_t size) {
  const SourceFile *file = source_add(&trial->sources, "mutant.nn", text, (uint32_t)size);
  return tree_parse(trial->arena, trial->names, &trial->sources, trial->diagnostics, file);
}

static Text print(Trial *trial, const Tree *tree) {
  Text text;
  text_init(&text, trial->arena);
  text_add_bytes(&text, "", 0);
  tree_print(tree, &trial->sources, &text);
  return text;
}

static const char *check_spans(const SourceFile *file, const Node *node) {
  if (!node) return NULL;
  bool is_inside = node->span.begin >= file->base && node->span.begin <= node->span.end &&
                   node->span.end <= file->base + file->size;
  const char *problem = is_inside ? NULL : "a node outside its file";
  for (int i = 0; i < node->count && !problem; i++) problem = check_spans(file, node->parts[i]);
  return problem;
}

static const char *check_round_trip(Trial *trial, const Tree *tree, Text printed) {
  Tree *again = parse(trial, printed.bytes, printed.size);
  if (diagnostics_error_count(trial->diagnostics) > 0) return "the print does not parse";
  if (!node_equal(tree->root, again->root)) return "the print parses to another tree";
  if (tree->comments.count != again->comments.count) return "a comment was lost";
  Text twice = print(trial, again);
  return strcmp(printed.bytes, twice.bytes) == 0 ? NULL : "printing twice differs";
}

static const char *try_text(Trial *trial, const char *text, size_t size) {
  const Tree *tree = parse(trial, text, size);
  const char *problem = check_spans(tree->file, tree->root);
  Text printed = print(trial, tree), line;
  text_init(&line, trial->arena);
  node_print(tree->root, &line);
  if (problem) return problem;
  bool has_errors = diagnostics_error_count(trial->diagnostics) > 0;
  if (!has_errors) return check_round_trip(trial, tree, printed);
  FILE *sink = fopen("/dev/null", "w");
  diagnostics_print(trial->diagnostics, sink, true);
  diagnostics_print_json(trial->diagnostics, sink);
  fclose(sink);
  return NULL;
}

static bool try_mutant(const char *file, unsigned long seed, const char *source, size_t size) {
  Trial trial = {.arena = arena_new()};
  sources_init(&trial.sources, trial.arena);
  trial.names = names_new(trial.arena);
  trial.diagnostics = diagnostics_new(trial.arena, &trial.sources);
  current_size = mutate(seed, source, size, current, FILE_LIMIT);
  current[current_size] = '\0';
  alarm(SECONDS_EACH);
  const char *problem = try_text(&trial, current, current_size);
  if (problem) fail(file, seed, problem);
  bool is_program = diagnostics_error_count(trial.diagnostics) == 0;
  arena_free(trial.arena);
  return is_program;
}

typedef struct Program {
  const char *file, *text;
  size_t size;
} Program;

static Program *read_programs(Arena *arena, int count, char **files) {
  Program *programs = NEW_ARRAY(arena, Program, count);
  for (int i = 0; i < count; i++) {
    const char *error;
    programs[i].file = files[i];
    programs[i].text = file_read(arena, files[i], FILE_LIMIT, &programs[i].size, &error);
    if (!programs[i].text) {
      printf("FAIL syntax mutants: %s: %s\n", files[i], error);
      exit(1);
    }
  }
  return programs;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  unsigned long mutants = strtoul(arguments[1], NULL, 10), legal = 0;
  unsigned long files = (unsigned long)(count - 2);
  Arena *arena = arena_new();
  const Program *programs = read_programs(arena, count - 2, arguments + 2);
  for (unsigned long seed = 0; seed < mutants; seed++) {
    const Program *program = &programs[seed % files];
    legal += try_mutant(program->file, seed, program->text, program->size);
  }
  arena_free(arena);
  printf("ok syntax mutants: %lu tried, %lu of them programs\n", mutants, legal);
  return 0;
}
