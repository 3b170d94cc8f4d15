/* Text: a string that grows in an arena. */
#include "support/files.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(Text *text, Arena *arena) {
  *text = (Text){.arena = arena};
}

/* Makes room for `size` more bytes and the final NUL. */
static void reserve(Text *text, size_t size) {
  size_t needed = text->size + size + 1;
  if (needed <= text->capacity) return;
  size_t capacity = text->capacity > 0 ? text->capacity : 64;
  while (capacity < needed) capacity *= 2;
  char *bytes = arena_alloc(text->arena, 1, capacity);
  if (text->size > 0) memcpy(bytes, text->bytes, text->size);
  text->bytes = bytes;
  text->capacity = capacity;
}

void text_add(Text *text, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (length > 0) {
    reserve(text, (size_t)length);
    vsnprintf(text->bytes + text->size, (size_t)length + 1, format, arguments);
    text->size += (size_t)length;
  }
  va_end(arguments);
}

void text_add_bytes(Text *text, const char *bytes, size_t size) {
  reserve(text, size);
  if (size > 0) memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
  text->bytes[text->size] = '\0';
}
