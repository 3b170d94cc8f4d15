/* Words of argument files put in the place of @FILE. */
#include "command/arguments.h"

#include "support/files.h"
#include "support/limits.h"

#include <string.h>

typedef LIST_OF(char *) Words;

static void add_words(Arena *arena, Words *words, char *text) {
  char *rest = NULL;
  for (char *word = strtok_r(text, " \t\r\n", &rest); word;
       word = strtok_r(NULL, " \t\r\n", &rest)) {
    APPEND(arena, words, word);
  }
}

const char *arguments_expand(Arena *arena, int *count, char ***arguments, const char **failed) {
  Words words = {0};
  for (int i = 0; i < *count; i++) {
    char *word = (*arguments)[i];
    if (i == 0 || word[0] != '@') {
      APPEND(arena, &words, word);
      continue;
    }
    size_t size;
    const char *error;
    char *text = file_read(arena, word + 1, LIMIT_FILE_BYTES, &size, &error);
    *failed = word;
    if (!text) return error;
    add_words(arena, &words, text);
  }
  *count = words.count;
  APPEND(arena, &words, NULL);
  *arguments = words.items;
  return NULL;
}
