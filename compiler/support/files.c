/* Reading files: whole, limited in size, without NUL bytes; imports stay below the importing file.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "support/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *size_message(Arena *arena, size_t limit) {
  if (limit >= 1 << 20) return arena_format(arena, "larger than %zu MiB", limit >> 20);
  return arena_format(arena, "larger than %zu bytes", limit);
}

/* Reads to the end, or to one byte past the limit; returns null or a message. */
static const char *read_all(Arena *arena, int descriptor, size_t limit, Text *text) {
  char part[16384];
  text_init(text, arena);
  text_add_bytes(text, "", 0);
  while (text->size <= limit) {
    ssize_t got = read(descriptor, part, sizeof part);
    if (got == 0) return NULL;
    if (got > 0) {
      text_add_bytes(text, part, (size_t)got);
    } else if (errno != EINTR) {
      return arena_format(arena, "%s", strerror(errno));
    }
  }
  return size_message(arena, limit);
}

static char *read_descriptor(Arena *arena, int descriptor, size_t limit, size_t *size,
                             const char **error) {
  Text text;
  *error = read_all(arena, descriptor, limit, &text);
  if (*error) return NULL;
  if (memchr(text.bytes, '\0', text.size)) {
    *error = "contains a NUL byte";
    return NULL;
  }
  *size = text.size;
  return text.bytes;
}

static char *read_path(Arena *arena, const char *path, int flags, size_t limit, size_t *size,
                       const char **error) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | flags);
  if (descriptor < 0) {
    *error = arena_format(arena, "%s", strerror(errno));
    return NULL;
  }
  char *bytes = read_descriptor(arena, descriptor, limit, size, error);
  close(descriptor);
  return bytes;
}

char *file_read(Arena *arena, const char *path, size_t limit, size_t *size, const char **error) {
  if (strcmp(path, "-") == 0) return read_descriptor(arena, STDIN_FILENO, limit, size, error);
  return read_path(arena, path, 0, limit, size, error);
}

static bool has_parent_component(const char *path) {
  for (const char *part = path; *part;) {
    size_t length = strcspn(part, "/");
    if (length == 2 && part[0] == '.' && part[1] == '.') return true;
    part += length;
    while (*part == '/') part++;
  }
  return false;
}

static const char *refuse_path(const char *relative) {
  if (relative[0] == '\0') return "the path is empty";
  if (relative[0] == '/') return "the path is absolute";
  if (has_parent_component(relative)) return "the path contains '..'";
  return NULL;
}

static bool is_below(const char *directory, const char *path) {
  size_t length = strlen(directory);
  if (strcmp(directory, "/") == 0) return true;
  return strncmp(directory, path, length) == 0 && path[length] == '/';
}

/* The path of `shown` without symbolic links; null and a message when it leaves `directory`. */
static const char *resolve_below(Arena *arena, const char *directory, const char *shown,
                                 const char **error) {
  char *top = realpath(directory, NULL);
  char *real = top ? realpath(shown, NULL) : NULL;
  const char *result = NULL;
  if (!real) {
    *error = arena_format(arena, "%s", strerror(errno));
  } else if (!is_below(top, real)) {
    *error = "a symbolic link leads out of the importing file's directory";
  } else {
    result = arena_format(arena, "%s", real);
  }
  free(top);
  free(real);
  return result;
}

char *file_read_below(Arena *arena, const char *importer, const char *relative, size_t limit,
                      size_t *size, const char **path, const char **error) {
  const char *slash = strrchr(importer, '/');
  int length = slash ? (int)(slash - importer) + 1 : 0;
  *path = arena_format(arena, "%.*s%s", length, importer, relative);
  *error = refuse_path(relative);
  if (*error) return NULL;
  const char *directory = length > 0 ? arena_format(arena, "%.*s", length, importer) : ".";
  const char *real = resolve_below(arena, directory, *path, error);
  return real ? read_path(arena, real, O_NOFOLLOW, limit, size, error) : NULL;
}
