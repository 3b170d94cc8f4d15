/* Names: interned strings.

   Two names are equal exactly when their pointers are, so every table in the compiler may compare and
   hash them cheaply; order by `strcmp` wherever an order shows in the output. */
#ifndef NNC_SUPPORT_NAMES_H
#define NNC_SUPPORT_NAMES_H

#include "support/arena.h"

#include <stdbool.h>

typedef const char *Name;
typedef struct Names Names;

Names *names_new(Arena *arena);
Name name_of(Names *names, const char *text);
Name name_of_bytes(Names *names, const char *text, size_t length);
Name name_format(Names *names, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* Map from names (or any pointers that are unique by identity) to pointers; insertion order is kept, so
   walking `keys`/`values` from 0 to count-1 is deterministic. */
typedef struct Map {
  Arena *arena;
  const void **keys;
  void **values;
  int count, capacity;
  int *slots; /* open addressing; index + 1 into keys, 0 = free */
  int slot_count;
} Map;

void map_init(Map *map, Arena *arena);
void *map_get(const Map *map, const void *key); /* null when absent */
bool map_has(const Map *map, const void *key);
void map_put(Map *map, const void *key, void *value); /* replaces */

#endif
