/* The data of a model, as data.c writes them: records of a line "NAME BYTES" and as many bytes. */
#ifndef NNC_BENCH_RECORDS_H
#define NNC_BENCH_RECORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*TakeRecord)(void *context, const char *name, const void *data, size_t bytes);

static inline void stop_with(const char *what, const char *name) {
  fprintf(stderr, "%s: %s\n", what, name);
  exit(2);
}

static inline void *allocate(size_t bytes, size_t alignment) {
  void *memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory) stop_with("out of memory", "");
  return memory;
}

static inline void read_records(const char *path, TakeRecord take, void *context) {
  FILE *file = fopen(path, "rb");
  if (!file) stop_with("cannot open", path);
  char line[256];
  while (fgets(line, sizeof line, file)) {
    char *space = strchr(line, ' ');
    if (!space) stop_with("no size", path);
    *space = '\0';
    size_t bytes = strtoul(space + 1, NULL, 10);
    void *data = allocate(bytes, 64);
    if (fread(data, 1, bytes, file) != bytes) stop_with("too short", path);
    take(context, line, data, bytes);
    free(data);
  }
  fclose(file);
}

#endif
