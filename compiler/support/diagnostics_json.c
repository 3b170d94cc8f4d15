/* Diagnostics as one JSON object:

     {"errors": 1, "diagnostics": [{"code": "NN0207", "severity": "error", "message": "...",
       "file": "model.nn", "line": 14, "column": 9, "end_line": 14, "end_column": 10,
       "notes": [{"message": "...", "file": ..., ...}], "help": "..."}]}

   A message without a place has no file, line or column; lines and columns count from 1, columns in
   bytes. Bytes that are not UTF-8 appear as U+FFFD. */
#include "support/diagnostics_list.h"
#include "support/files.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *own(json_t *value) {
  if (!value) {
    fputs("nnc: out of memory\n", stderr);
    exit(EXIT_MEMORY);
  }
  return value;
}

static void set(json_t *object, const char *key, json_t *value) {
  if (json_object_set_new(object, key, own(value)) != 0) own(NULL);
}

static json_t *string_of(Arena *arena, const char *bytes) {
  Text text;
  text_init(&text, arena);
  size_t size = strlen(bytes);
  for (size_t i = 0; i < size;) {
    int character = character_size(bytes + i, size - i);
    if (character > 0 || (unsigned char)bytes[i] < 0x80) {
      text_add_bytes(&text, bytes + i, character > 0 ? (size_t)character : 1);
    } else {
      text_add_bytes(&text, "\xEF\xBF\xBD", 3);
    }
    i += character > 0 ? (size_t)character : 1;
  }
  return json_stringn(size > 0 ? text.bytes : "", text.size);
}

static void set_place(const Diagnostics *diagnostics, json_t *object, Span span) {
  Place begin = place_of(diagnostics->sources, span.begin);
  if (!begin.file) return;
  Place end = place_of(diagnostics->sources, span.end > span.begin ? span.end : span.begin);
  set(object, "file", string_of(diagnostics->arena, begin.file->path));
  set(object, "line", json_integer(begin.line));
  set(object, "column", json_integer(begin.column));
  set(object, "end_line", json_integer(end.line));
  set(object, "end_column", json_integer(end.column));
}

static json_t *notes_of(const Diagnostics *diagnostics, const Diagnostic *diagnostic) {
  json_t *notes = own(json_array());
  for (int i = 0; i < diagnostic->notes.count; i++) {
    const Note *note = &diagnostic->notes.items[i];
    json_t *object = own(json_object());
    set(object, "message", string_of(diagnostics->arena, note->text));
    set_place(diagnostics, object, note->span);
    json_array_append_new(notes, object);
  }
  return notes;
}

static json_t *object_of(const Diagnostics *diagnostics, const Diagnostic *diagnostic) {
  json_t *object = own(json_object());
  bool is_error = error_severity(diagnostic->code) == SEVERITY_ERROR;
  set(object, "code", json_string(error_name(diagnostic->code)));
  set(object, "severity", json_string(is_error ? "error" : "warning"));
  set(object, "message", string_of(diagnostics->arena, diagnostic->text));
  set_place(diagnostics, object, diagnostic->span);
  set(object, "notes", notes_of(diagnostics, diagnostic));
  if (diagnostic->help) set(object, "help", string_of(diagnostics->arena, diagnostic->help));
  return object;
}

void diagnostics_print_json(const Diagnostics *diagnostics, FILE *stream) {
  int count, left;
  Diagnostic **chosen = diagnostics_select(diagnostics, &count, &left);
  json_t *root = own(json_object());
  json_t *list = own(json_array());
  set(root, "errors", json_integer(diagnostics->error_count));
  for (int i = 0; i < count; i++) json_array_append_new(list, object_of(diagnostics, chosen[i]));
  set(root, "diagnostics", list);
  json_dumpf(root, stream, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
  fputc('\n', stream);
  json_decref(root);
}
