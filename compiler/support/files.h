/* Files: the one module that opens them.

   Input is read whole with a size limit; output is gathered in memory and appears by rename from a
   temporary file beside it, so a reader sees the old file or the new one and never half of either. */
#ifndef NNC_SUPPORT_FILES_H
#define NNC_SUPPORT_FILES_H

#include "support/arena.h"

#include <stdbool.h>

/* Text being written; grows by doubling. */
typedef struct Text {
  Arena *arena;
  char *bytes; /* always NUL-terminated once something was added */
  size_t size, capacity;
} Text;

void text_init(Text *text, Arena *arena);
void text_add(Text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
void text_add_bytes(Text *text, const char *bytes, size_t size);

/* Reads a file ("-": standard input) of at most `limit` bytes. On failure returns null and points
   `*error` at a message ("No such file or directory", "larger than 1 MiB", "contains a NUL byte"). */
char *file_read(Arena *arena, const char *path, size_t limit, size_t *size, const char **error);

/* Reads `relative` below the directory of `importer`; refuses "..", absolute paths and symbolic links
   that lead out of that directory. `*path` gets the path to show. */
char *file_read_below(Arena *arena, const char *importer, const char *relative, size_t limit,
                      size_t *size, const char **path, const char **error);

/* Replaces `path` ("-": standard output) by rename; returns null or a message. */
const char *file_write(const char *path, const char *bytes, size_t size);

/* Like file_write for several files: all are written beside their places first and then renamed. */
typedef struct OutputFile {
  const char *path;
  const char *bytes;
  size_t size;
} OutputFile;
const char *files_write(const OutputFile *files, int count, const char **failed_path);

#endif
