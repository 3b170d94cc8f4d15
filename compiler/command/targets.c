/* Reading target descriptions. */
#include "command/targets.h"

#include "support/files.h"
#include "support/diagnostics.h"
#include "support/library.h"
#include "support/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

/* ---- keys ---- */

typedef enum { KEY_TEXT, KEY_NUMBER, KEY_TRUTH, KEY_MAPPING } KeyKind;

typedef struct Key {
  const char *name;
  KeyKind kind;
  size_t offset;         /* in Target */
  int64_t least, most;   /* of a number */
  const struct Key *all; /* of a mapping; the last has no name */
} Key;

static const Key tile_keys[] = {
    {"rows", KEY_NUMBER, offsetof(Target, tile.rows), 1, 64, NULL},
    {"vectors", KEY_NUMBER, offsetof(Target, tile.vectors), 1, 16, NULL},
    {"least", KEY_NUMBER, offsetof(Target, tile.least), 1, INT64_MAX, NULL},
    {0}};

static const Key copies_keys[] = {
    {"uses", KEY_NUMBER, offsetof(Target, copies.uses), 1, INT64_MAX, NULL},
    {"bytes", KEY_NUMBER, offsetof(Target, copies.bytes), 1, INT64_MAX, NULL},
    {0}};

static const Key caches_keys[] = {
    {"first", KEY_NUMBER, offsetof(Target, caches.first), 1, INT64_MAX, NULL},
    {"second", KEY_NUMBER, offsetof(Target, caches.second), 1, INT64_MAX, NULL},
    {0}};

static const Key threads_keys[] = {
    {"least", KEY_NUMBER, offsetof(Target, threads.least), 1, INT64_MAX, NULL},
    {"row_bytes", KEY_NUMBER, offsetof(Target, threads.row_bytes), 0, 1 << 16, NULL},
    {0}};

static const Key target_keys[] = {
    {"title", KEY_TEXT, offsetof(Target, title), 0, 0, NULL},
    {"flags", KEY_TEXT, offsetof(Target, flags), 0, 0, NULL},
    {"vector_bytes", KEY_NUMBER, offsetof(Target, vector_bytes), 0, 64, NULL},
    {"registers", KEY_NUMBER, offsetof(Target, registers), 0, 1024, NULL},
    {"masks", KEY_TRUTH, offsetof(Target, masks), 0, 0, NULL},
    {"fused", KEY_TRUTH, offsetof(Target, fused), 0, 0, NULL},
    {"tile", KEY_MAPPING, 0, 0, 0, tile_keys},
    {"copies", KEY_MAPPING, 0, 0, 0, copies_keys},
    {"caches", KEY_MAPPING, 0, 0, 0, caches_keys},
    {"threads", KEY_MAPPING, 0, 0, 0, threads_keys},
    {0}};

/* ---- reading ---- */

typedef struct Reader {
  Arena *arena;
  yaml_document_t document;
  const char *file, *text;
  Target *target;
  const char *error; /* the first */
} Reader;

static void fail_saying(Reader *reader, yaml_mark_t mark, const char *what) {
  if (reader->error) return;
  reader->error = arena_format(reader->arena, "%s:%zu:%zu: %s", reader->file, mark.line + 1,
                               mark.column + 1, what);
}

static void fail(Reader *reader, yaml_mark_t mark, const char *what, const char *name) {
  fail_saying(reader, mark, arena_format(reader->arena, "%s '%s'", what, name));
}

static const char *text_of(const yaml_node_t *node) {
  return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

static void read_number(Reader *reader, const Key *key, const yaml_node_t *node) {
  const char *text = text_of(node);
  char *end;
  errno = 0;
  int64_t value = strtoll(text, &end, 10);
  bool is_wrong = *text == '\0' || *end || errno || value < key->least || value > key->most;
  if (is_wrong)
    fail(reader, node->start_mark,
         arena_format(reader->arena, "%s is a number from %" PRId64 " to %" PRId64 ", not",
                      key->name, key->least, key->most),
         text);
  memcpy((char *)reader->target + key->offset, &value, sizeof value);
}

static void read_truth(Reader *reader, const Key *key, const yaml_node_t *node) {
  bool value = strcmp(text_of(node), "yes") == 0;
  if (!value && strcmp(text_of(node), "no") != 0)
    fail(reader, node->start_mark, arena_format(reader->arena, "%s is yes or no, not", key->name),
         text_of(node));
  memcpy((char *)reader->target + key->offset, &value, sizeof value);
}

static void read_text(Reader *reader, const Key *key, const yaml_node_t *node) {
  if (node->type != YAML_SCALAR_NODE)
    fail(reader, node->start_mark, "a text must follow", key->name);
  const char *text = arena_format(reader->arena, "%s", text_of(node));
  memcpy((char *)reader->target + key->offset, &text, sizeof text);
}

static void read_mapping(Reader *reader, const Key *keys, const yaml_node_t *node,
                         const char *name);

static void read_value(Reader *reader, const Key *key, const yaml_node_t *node) {
  switch (key->kind) {
  case KEY_TEXT: read_text(reader, key, node); break;
  case KEY_NUMBER: read_number(reader, key, node); break;
  case KEY_TRUTH: read_truth(reader, key, node); break;
  case KEY_MAPPING: read_mapping(reader, key->all, node, key->name); break;
  }
}

static int key_of(const Key *keys, const char *name) {
  int i = 0;
  while (keys[i].name && strcmp(keys[i].name, name) != 0) i++;
  return i;
}

enum { MOST_KEYS = 12 };

/* Every key once. Two levels: `name` is that of the mapping, for messages. */
static void read_mapping(Reader *reader, const Key *keys, const yaml_node_t *node,
                         const char *name) {
  bool given[MOST_KEYS] = {false};
  if (node->type != YAML_MAPPING_NODE) {
    fail_saying(reader, node->start_mark,
                arena_format(reader->arena, "%s must be keys with their values", name));
    return;
  }
  const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
  for (; pair < node->data.mapping.pairs.top; pair++) {
    const yaml_node_t *word = yaml_document_get_node(&reader->document, pair->key);
    int i = key_of(keys, text_of(word));
    if (!keys[i].name || given[i]) {
      const char *unknown = arena_format(reader->arena, "no key of %s is called", name);
      fail(reader, word->start_mark, keys[i].name ? "given before:" : unknown, text_of(word));
      return;
    }
    given[i] = true;
    read_value(reader, &keys[i], yaml_document_get_node(&reader->document, pair->value));
  }
  for (int i = 0; keys[i].name; i++)
    if (!given[i] && keys[i].kind != KEY_MAPPING)
      fail(reader, node->start_mark, arena_format(reader->arena, "%s must have the key", name),
           keys[i].name);
}

static yaml_mark_t mark_of_value(Reader *reader, const yaml_node_t *mapping, const char *key) {
  const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
  while (strcmp(text_of(yaml_document_get_node(&reader->document, pair->key)), key) != 0) pair++;
  return yaml_document_get_node(&reader->document, pair->value)->start_mark;
}

static void check_target(Reader *reader, const yaml_node_t *root) {
  const Target *target = reader->target;
  int64_t bytes = target->vector_bytes;
  yaml_mark_t mark = mark_of_value(reader, root, "vector_bytes");
  if (bytes != 0 && bytes != 16 && bytes != 32 && bytes != 64)
    fail(reader, mark, "vector_bytes is 0, 16, 32 or 64, not",
         arena_format(reader->arena, "%" PRId64, bytes));
  if ((bytes > 0) != (target->tile.rows > 0))
    fail(reader, mark, "with vectors, and only then, there is a", "tile");
}

/* Of bytes that are no text the parser tells the offset alone. */
static yaml_mark_t mark_of_problem(const Reader *reader, const yaml_parser_t *parser) {
  if (parser->error != YAML_READER_ERROR) return parser->problem_mark;
  yaml_mark_t mark = {0};
  for (const char *at = reader->text; at < reader->text + parser->problem_offset; at++) {
    mark.column = *at == '\n' ? 0 : mark.column + ((*at & 0xC0) != 0x80);
    mark.line += *at == '\n';
  }
  return mark;
}

/* The next one, which is empty behind the last. */
static bool load_document(Reader *reader, yaml_parser_t *parser) {
  if (yaml_parser_load(parser, &reader->document)) return true;
  fail_saying(reader, mark_of_problem(reader, parser),
              parser->problem ? parser->problem : "no YAML");
  return false;
}

static void read_document(Reader *reader, yaml_parser_t *parser) {
  if (!load_document(reader, parser)) return;
  const yaml_node_t *root = yaml_document_get_root_node(&reader->document);
  if (root) read_mapping(reader, target_keys, root, "a target");
  if (root && !reader->error) check_target(reader, root);
  if (!root) fail(reader, (yaml_mark_t){0}, "nothing is in", reader->file);
  yaml_document_delete(&reader->document);
}

static void refuse_document(Reader *reader, yaml_parser_t *parser) {
  if (!load_document(reader, parser)) return;
  if (yaml_document_get_root_node(&reader->document))
    fail_saying(reader, reader->document.start_mark,
                "a target is one document, and here a second begins");
  yaml_document_delete(&reader->document);
}

static Target *read_text_of_target(Arena *arena, const char *name, const char *file,
                                   const char *text, size_t size, const char **error) {
  Reader reader = {.arena = arena, .file = file, .text = text, .target = NEW(arena, Target)};
  reader.target->name = name;
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser)) {
    *error = "out of memory";
    return NULL;
  }
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
  read_document(&reader, &parser);
  if (!reader.error) refuse_document(&reader, &parser);
  yaml_parser_delete(&parser);
  *error = reader.error;
  return reader.error ? NULL : reader.target;
}

/* ---- finding ---- */

/* The name of a file without its directories and ".yaml". */
static const char *stem_of(Arena *arena, const char *file) {
  const char *slash = strrchr(file, '/');
  const char *name = slash ? slash + 1 : file, *dot = strrchr(name, '.');
  return dot ? arena_format(arena, "%.*s", (int)(dot - name), name) : name;
}

/* The best of those built in whose programs run here. */
static const char *native_name(void) {
#if defined __x86_64__
  __builtin_cpu_init();
  bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return has_v4 ? "x86-64-v4" : has_v3 ? "x86-64-v3" : "x86-64";
#elif defined __aarch64__
  return "aarch64";
#else
  return "generic";
#endif
}

/* Those of this machine, where the system tells. */
static void measure_caches(Target *target) {
#if defined _SC_LEVEL1_DCACHE_SIZE && defined _SC_LEVEL2_CACHE_SIZE
  long first = sysconf(_SC_LEVEL1_DCACHE_SIZE), second = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (first > 0) target->caches.first = first;
  if (second > 0) target->caches.second = second;
#else
  (void)target;
#endif
}

static Target *read_built_in(Arena *arena, const LibraryFile *file, const char **error) {
  return read_text_of_target(arena, stem_of(arena, file->name), file->name, file->text, file->size,
                             error);
}

const Target *target_read(Arena *arena, const char *name, const char **error) {
  if (strchr(name, '/') || strcmp(stem_of(arena, name), name) != 0) {
    size_t size;
    char *text = file_read(arena, name, LIMIT_FILE_BYTES, &size, error);
    if (text) return read_text_of_target(arena, stem_of(arena, name), name, text, size, error);
    *error = arena_format(arena, "%s: %s", name, *error);
    return NULL;
  }
  bool is_native = strcmp(name, "native") == 0;
  if (is_native) name = native_name();
  for (int i = 0; i < target_file_count; i++) {
    if (strcmp(stem_of(arena, target_files[i].name), name) != 0) continue;
    Target *target = read_built_in(arena, &target_files[i], error);
    if (is_native && target) measure_caches(target);
    return target;
  }
  *error = arena_format(arena, "no target is called '%s'", name);
  return NULL;
}

void targets_print(void) {
  Arena *arena = arena_new();
  for (int i = 0; i < target_file_count; i++) {
    const char *error;
    const Target *target = read_built_in(arena, &target_files[i], &error);
    if (!target) bug("%s", error);
    printf("  %-26s %s\n", target->name, target->title);
  }
  printf("  %-26s %s\n", "native", "what this machine has");
  arena_free(arena);
}
