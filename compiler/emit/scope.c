/* Scopes of C: mangling and uniqueness of identifiers. */
#include "emit/scope.h"

#include <string.h>

static bool is_reserved(const char *text) {
  static const char *const reserved[] = {
#define RESERVED(name) #name,
#include "emit/reserved.def"
#undef RESERVED
  };
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
    if (strcmp(reserved[i], text) == 0) return true;
  }
  return strncmp(text, "nnrt_", 5) == 0 || strncmp(text, "NNRT_", 5) == 0 ||
         strncmp(text, "NNC_", 4) == 0;
}

static bool is_taken(const Scope *scope, Name name) {
  for (; scope; scope = scope->outer) {
    if (map_has(&scope->taken, name)) return true;
  }
  return false;
}

/* Dots to underscores; of several there is one, and none at the end, so that what is put behind a name can be told
   from it and C++ does not reserve it. A leading underscore or digit gets a letter before it. */
static Name mangle(Names *names, const char *text) {
  char mangled[256];
  size_t length = 0;
  if (*text == '_' || (*text >= '0' && *text <= '9')) mangled[length++] = 'v';
  for (; *text && length + 1 < sizeof mangled; text++) {
    bool allowed = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                   (*text >= '0' && *text <= '9');
    bool doubled = !allowed && length > 0 && mangled[length - 1] == '_';
    if (doubled) continue;
    mangled[length] = '_';
    if (allowed) mangled[length] = *text;
    length++;
  }
  if (length > 1 && mangled[length - 1] == '_') length--;
  return name_of_bytes(names, mangled, length);
}

void scope_open(Scope *scope, Arena *arena, Names *names, const Scope *outer) {
  scope->outer = outer;
  scope->names = names;
  map_init(&scope->taken, arena);
  map_init(&scope->chosen, arena);
  map_init(&scope->counts, arena);
}

Name scope_fresh(Scope *scope, Name wanted) {
  Name base = mangle(scope->names, wanted), name = base;
  int *count = map_get(&scope->counts, base);
  bool asked = count != NULL;
  if (!asked) map_put(&scope->counts, base, count = NEW(scope->taken.arena, int));
  if (asked || is_reserved(name)) name = name_format(scope->names, "%s_%d", base, ++*count);
  while (is_taken(scope, name)) name = name_format(scope->names, "%s_%d", base, ++*count);
  if (*count == 0) *count = 1;
  map_put(&scope->taken, name, (void *)name);
  return name;
}

Name scope_name(Scope *scope, const void *object, Name wanted) {
  Name name = scope_find(scope, object);
  return name ? name : scope_rename(scope, object, wanted);
}

Name scope_rename(Scope *scope, const void *object, Name wanted) {
  Name name = scope_fresh(scope, wanted);
  map_put(&scope->chosen, object, (void *)name);
  return name;
}

Name scope_find(const Scope *scope, const void *object) {
  for (; scope; scope = scope->outer) {
    Name name = map_get(&scope->chosen, object);
    if (name) return name;
  }
  return NULL;
}

bool scope_has(const Scope *scope, const char *identifier) {
  return is_taken(scope, name_of(scope->names, identifier));
}

void scope_take(Scope *scope, const char *identifier) {
  Name name = name_of(scope->names, identifier);
  map_put(&scope->taken, name, (void *)name);
}

void scope_take_all(Scope *scope, const Scope *other) {
  for (int i = 0; i < other->taken.count; i++) {
    map_put(&scope->taken, other->taken.keys[i], other->taken.values[i]);
  }
}
