/* Definitions loaded. An import names a file below the directory of the file that imports it, or of one
   given by -I; each file counts once, however often it is imported. */
#include "elaborate/library.h"

#include "elaborate/calls.h"
#include "support/library.h"

#include <string.h>

typedef struct Loader {
  Elaborator *e;
  Map loaded;  /* path (a Name) -> anything */
  bool parses; /* all that was imported so far */
} Loader;

static void add_definition(Elaborator *e, const Node *node, bool in_library) {
  if (node->kind != NODE_CONST) formals_check(e, node);
  const Definition *other = map_get(&e->definitions, node->name);
  if (other && other->in_library && !in_library) {
    Diagnostic *d = diagnose(e->diagnostics, NN0951, node->span,
                             "'%s' hides the definition of the library", node->name);
    diagnostic_note(d, other->node->span, "the library's");
  } else if (other) {
    Diagnostic *d =
        diagnose(e->diagnostics, NN0202, node->span, "'%s' is defined twice", node->name);
    diagnostic_note(d, other->node->span, "the first time");
    return;
  }
  Definition *definition = NEW(e->arena, Definition);
  *definition = (Definition){.name = node->name, .node = node, .in_library = in_library};
  map_put(&e->definitions, node->name, definition);
  if (in_library) map_put(&e->library, node->name, definition);
}

static void load_tree(Loader *loader, const Tree *tree, const char *path, bool in_library,
                      int depth);

static const char *read_import(Loader *loader, const char *importer, const char *relative,
                               size_t *size, const char **path, const char **error) {
  const ElaborateOptions *options = loader->e->options;
  Arena *arena = loader->e->arena;
  const char *first_error = NULL, *text;
  for (int i = -1; i < options->import_directory_count; i++) {
    const char *from =
        i < 0 ? importer : arena_format(arena, "%s/.", options->import_directories[i]);
    text = file_read_below(arena, from, relative, LIMIT_FILE_BYTES, size, path, error);
    if (text) return text;
    if (!first_error) first_error = *error;
  }
  *error = first_error;
  return NULL;
}

static void load_import(Loader *loader, const Node *node, const char *importer, int depth) {
  Elaborator *e = loader->e;
  const Node *what = node->parts[0];
  const char *path = NULL, *error = NULL;
  size_t size = 0;
  const char *relative =
      what->kind == NODE_STRING ? what->name : arena_format(e->arena, "%s.nn", what->name);
  if (depth == LIMIT_IMPORT_DEPTH) {
    diagnose(e->diagnostics, NN0903, node->span, "imports within each other more than %d deep",
             LIMIT_IMPORT_DEPTH);
    return;
  }
  const char *text = read_import(loader, importer, relative, &size, &path, &error);
  if (!text) {
    diagnose(e->diagnostics, NN0903, what->span, "cannot import '%s': %s", relative, error);
    return;
  }
  Name key = name_of(e->names, path);
  if (map_has(&loader->loaded, key)) return;
  map_put(&loader->loaded, key, loader);
  if (e->imports) APPEND(e->arena, e->imports, path);
  const SourceFile *file = source_add(e->sources, path, text, (uint32_t)size);
  int errors = diagnostics_error_count(e->diagnostics);
  const Tree *tree = tree_parse(e->arena, e->names, e->sources, e->diagnostics, file);
  if (diagnostics_error_count(e->diagnostics) > errors)
    loader->parses = false;
  else
    load_tree(loader, tree, path, false, depth + 1);
}

static void load_tree(Loader *loader, const Tree *tree, const char *path, bool in_library,
                      int depth) {
  for (int i = 0; i < tree->root->count; i++) {
    const Node *item = tree->root->parts[i];
    switch (item->kind) {
    case NODE_IMPORT: load_import(loader, item, path, depth); break;
    case NODE_DEF:
    case NODE_OPTIMIZER_DEF:
    case NODE_CONST: add_definition(loader->e, item, in_library); break;
    default: break;
    }
  }
}

bool load_definitions(Elaborator *e, const Tree *tree) {
  Loader loader = {.e = e, .parses = true};
  map_init(&loader.loaded, e->arena);
  map_put(&loader.loaded, name_of(e->names, tree->file->path), e);
  for (int i = 0; i < library_file_count; i++) {
    const LibraryFile *embedded = &library_files[i];
    const SourceFile *file =
        source_add(e->sources, embedded->name, embedded->text, (uint32_t)embedded->size);
    const Tree *library = tree_parse(e->arena, e->names, e->sources, e->diagnostics, file);
    load_tree(&loader, library, embedded->name, true, LIMIT_IMPORT_DEPTH);
  }
  load_tree(&loader, tree, tree->file->path, false, 0);
  return loader.parses;
}
