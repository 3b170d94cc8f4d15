/* Which bracket closes which, found before a file is parsed.

   Knowing the partner of every bracket beforehand lets the scanner report one that is never closed
   where it was opened, and keeps such a bracket from swallowing the rest of the file: newlines end
   statements again right after it. */
#ifndef NNC_SYNTAX_BRACKETS_H
#define NNC_SYNTAX_BRACKETS_H

#include "support/source.h"

#include <stdbool.h>

typedef struct Bracket {
  uint32_t open;  /* offset of the opening bracket */
  uint32_t close; /* of its partner; of what shows that there is none when it is not closed */
  char kind;      /* '(', '[' or '{' */
  bool closed;
} Bracket;

typedef struct Brackets {
  LIST_OF(Bracket) list; /* in order of `open` */
} Brackets;

/* Strings and comments are passed over. A '(' or '[' does not reach past a brace; when braces do not
   balance, no '{' reaches past a line that begins with a word which only begins items. */
void brackets_match(Brackets *brackets, Arena *arena, const SourceFile *file);

#endif
