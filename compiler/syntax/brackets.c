/* Matching brackets with a stack, in one pass over the text, or two when braces do not balance. */
#include "syntax/brackets.h"

#include <string.h>

typedef struct Matching {
  Arena *arena;
  const SourceFile *file;
  Brackets *brackets;
  LIST_OF(int) open;   /* the open ones, as indices into the brackets */
  int parens, squares; /* how many of the open ones, above the last '{', are '(' and '[' */
  bool ends_at_items;  /* the second pass */
  bool any_unclosed_block;
} Matching;

static Bracket *innermost(Matching *matching) {
  int count = matching->open.count;
  return count > 0 ? &matching->brackets->list.items[matching->open.items[count - 1]] : NULL;
}

static void pop(Matching *matching, uint32_t close, bool closed) {
  Bracket *bracket = innermost(matching);
  bracket->close = close;
  bracket->closed = closed;
  matching->open.count--;
  if (bracket->kind == '(') matching->parens--;
  if (bracket->kind == '[') matching->squares--;
  if (bracket->kind == '{' && !closed) matching->any_unclosed_block = true;
}

/* Gives up the brackets above the innermost '{', or all of them. */
static void give_up(Matching *matching, uint32_t offset, bool blocks_too) {
  for (Bracket *bracket; (bracket = innermost(matching));) {
    if (bracket->kind == '{' && !blocks_too) break;
    pop(matching, offset, false);
  }
}

static void push(Matching *matching, uint32_t offset, char kind) {
  if (kind == '{') give_up(matching, offset, false);
  if (kind == '(') matching->parens++;
  if (kind == '[') matching->squares++;
  APPEND(matching->arena, &matching->open, matching->brackets->list.count);
  Bracket bracket = {.open = offset, .kind = kind};
  APPEND(matching->arena, &matching->brackets->list, bracket);
}

static void close_block(Matching *matching, uint32_t offset) {
  give_up(matching, offset, false);
  if (innermost(matching)) pop(matching, offset, true);
}

static void close_bracket(Matching *matching, uint32_t offset, char kind) {
  if ((kind == '(' ? matching->parens : matching->squares) == 0) return;
  while (innermost(matching)->kind != kind) pop(matching, offset, false);
  pop(matching, offset, true);
}

static void take(Matching *matching, uint32_t offset, char c) {
  switch (c) {
  case '(':
  case '[':
  case '{': push(matching, offset, c); break;
  case ')': close_bracket(matching, offset, '('); break;
  case ']': close_bracket(matching, offset, '['); break;
  case '}': close_block(matching, offset); break;
  default: break;
  }
}

static bool begins_item(const char *line) {
  static const char *const words[] = {"def ", "model ", "import ", "const "};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strncmp(line, words[i], strlen(words[i])) == 0) return true;
  }
  return false;
}

/* The length of the string or comment that `text` begins with, or 0. */
static size_t opaque_length(const char *text) {
  if (*text == '#') return strcspn(text, "\n");
  if (*text != '"') return 0;
  size_t length = 1 + strcspn(text + 1, "\"\n");
  return text[length] == '"' ? length + 1 : length;
}

static void match_all(Matching *matching) {
  const SourceFile *file = matching->file;
  for (uint32_t i = 0; i < file->size;) {
    bool at_line_start = i == 0 || file->text[i - 1] == '\n';
    if (matching->ends_at_items && at_line_start && begins_item(file->text + i)) {
      give_up(matching, file->base + i, true);
    }
    uint32_t skipped = (uint32_t)opaque_length(file->text + i);
    if (skipped == 0) take(matching, file->base + i, file->text[i]);
    i += skipped > 0 ? skipped : 1;
  }
  give_up(matching, file->base + file->size, true);
}

void brackets_match(Brackets *brackets, Arena *arena, const SourceFile *file) {
  Matching first = {.arena = arena, .file = file, .brackets = brackets};
  match_all(&first);
  if (!first.any_unclosed_block) return;
  brackets->list.count = 0;
  Matching second = {.arena = arena, .file = file, .brackets = brackets, .ends_at_items = true};
  match_all(&second);
}
