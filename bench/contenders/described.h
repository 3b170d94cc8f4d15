/* The model that a driver runs, MODEL, by its description (nnrt.h). */
#ifndef NNC_BENCH_DESCRIBED_H
#define NNC_BENCH_DESCRIBED_H

#include "records.h"

#include <nnrt.h>

#define JOIN(name, suffix) name##suffix
#define DESCRIPTION(name) JOIN(name, _model)

extern const nnrt_model DESCRIPTION(MODEL);
static const nnrt_model *const description = &DESCRIPTION(MODEL);

static inline size_t bytes_of(const nnrt_tensor *tensor, const int64_t *shape) {
#define NNRT_ROW(code, bytes, name) bytes,
  static const size_t sizes[] = {NNRT_TYPES(NNRT_ROW)};
#undef NNRT_ROW
  size_t bytes = sizes[tensor->type];
  for (int axis = 0; axis < tensor->rank; axis++) bytes *= (size_t)shape[axis];
  return bytes;
}

static inline const nnrt_entry *find_entry(const char *name) {
  for (int i = 0; i < description->entry_count; i++)
    if (strcmp(description->entries[i].name, name) == 0) return &description->entries[i];
  stop_with("no entry point", name);
  return NULL;
}

/* Run-time dims have what the words say, from the first on, and then their maxima. */
static inline void read_extents(char **words, int64_t *extents) {
  for (int i = 0; i < description->dim_count; i++)
    extents[i] = *words && description->dims[i].is_runtime ? strtol(*words++, NULL, 10)
                                                           : description->dims[i].maximum;
}

/* A record that is kept in the model; another is left out. */
static inline void set_record(void *model, const char *name, const void *data, size_t bytes) {
  const nnrt_tensor *tensor = nnrt_find(description, name);
  if (!tensor) return;
  if (bytes != bytes_of(tensor, tensor->shape)) stop_with("another size in the data", name);
  nnrt_set(tensor, model, data);
}

#endif
