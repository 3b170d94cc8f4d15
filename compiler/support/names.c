/* Names and maps: two open-addressing hash tables, one over the bytes of a string, one over a
 * pointer. */
#include "support/names.h"

#include <string.h>

#ifdef NNC_HOSTILE
enum { FIRST_SLOTS = 2, FIRST_MAP_SLOTS = 2 };
#else
enum { FIRST_SLOTS = 64, FIRST_MAP_SLOTS = 8 }; /* of maps there are many, mostly small */
#endif

typedef struct Entry {
  const char *text; /* null: free */
  size_t length;
  uint64_t hash;
} Entry;

struct Names {
  Arena *arena;
  Entry *entries;
  size_t count, capacity; /* the capacity is a power of two, at least a quarter is free */
};

/* FNV-1a with a final mix, so that the low bits depend on all bytes. */
static uint64_t hash_bytes(const char *text, size_t length) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < length; i++) {
    hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
  }
  return hash ^ hash >> 32;
}

static Entry *find_entry(const Names *names, const char *text, size_t length, uint64_t hash) {
  for (size_t i = hash & (names->capacity - 1);; i = (i + 1) & (names->capacity - 1)) {
    Entry *entry = &names->entries[i];
    if (!entry->text) return entry;
    if (entry->hash == hash && entry->length == length && !memcmp(entry->text, text, length)) {
      return entry;
    }
  }
}

static void grow_names(Names *names) {
  Entry *old = names->entries;
  size_t old_capacity = names->capacity;
  names->capacity *= 2;
  names->entries = NEW_ARRAY(names->arena, Entry, names->capacity);
  for (size_t i = 0; i < old_capacity; i++) {
    if (old[i].text) *find_entry(names, old[i].text, old[i].length, old[i].hash) = old[i];
  }
}

Names *names_new(Arena *arena) {
  Names *names = NEW(arena, Names);
  names->arena = arena;
  names->capacity = FIRST_SLOTS;
  names->entries = NEW_ARRAY(arena, Entry, names->capacity);
  return names;
}

Name name_of_bytes(Names *names, const char *text, size_t length) {
  uint64_t hash = hash_bytes(text, length);
  Entry *entry = find_entry(names, text, length, hash);
  if (entry->text) return entry->text;
  char *copy = arena_alloc(names->arena, 1, length + 1);
  memcpy(copy, text, length);
  *entry = (Entry){copy, length, hash};
  names->count++;
  if (names->count * 4 > names->capacity * 3) grow_names(names);
  return copy;
}

Name name_of(Names *names, const char *text) {
  return name_of_bytes(names, text, strlen(text));
}

Name name_format(Names *names, const char *text, ...) {
  va_list arguments;
  va_start(arguments, text);
  Name name = name_of(names, arena_format_list(names->arena, text, arguments));
  va_end(arguments);
  return name;
}

static size_t hash_pointer(const void *key) {
  uint64_t bits = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
  return (size_t)(bits >> 24);
}

/* The slot that holds `key`, or the free one where it belongs. */
static int *find_slot(const Map *map, const void *key) {
  size_t mask = (size_t)map->slot_count - 1;
  for (size_t i = hash_pointer(key) & mask;; i = (i + 1) & mask) {
    int *slot = &map->slots[i];
    if (*slot == 0 || map->keys[*slot - 1] == key) return slot;
  }
}

static void grow_slots(Map *map) {
  map->slot_count = map->slot_count > 0 ? 2 * map->slot_count : FIRST_MAP_SLOTS;
  map->slots = NEW_ARRAY(map->arena, int, map->slot_count);
  for (int i = 0; i < map->count; i++) *find_slot(map, map->keys[i]) = i + 1;
}

static void grow_values(Map *map) {
  int capacity = map->capacity;
  map->keys = arena_grow(map->arena, map->keys, &capacity, sizeof *map->keys);
  map->values = arena_grow(map->arena, map->values, &map->capacity, sizeof *map->values);
}

void map_init(Map *map, Arena *arena) {
  *map = (Map){.arena = arena};
}

void *map_get(const Map *map, const void *key) {
  if (map->count == 0) return NULL;
  int slot = *find_slot(map, key);
  return slot ? map->values[slot - 1] : NULL;
}

bool map_has(const Map *map, const void *key) {
  return map->count > 0 && *find_slot(map, key) != 0;
}

void map_put(Map *map, const void *key, void *value) {
  if ((map->count + 1) * 4 > map->slot_count * 3) grow_slots(map);
  int *slot = find_slot(map, key);
  if (*slot == 0) {
    if (map->count == map->capacity) grow_values(map);
    map->keys[map->count++] = key;
    *slot = map->count;
  }
  map->values[*slot - 1] = value;
}
