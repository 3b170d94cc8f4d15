/* Scopes of C: which identifier stands for what.

   Names of the source become C identifiers by one rule: dots turn into underscores, anything reserved or
   taken gets a number behind it. Only letters, digits and underscores of the source's own identifiers pass,
   so no name can put a token of its own into the C. */
#ifndef NNC_EMIT_SCOPE_H
#define NNC_EMIT_SCOPE_H

#include "support/names.h"

typedef struct Scope {
  const struct Scope *outer; /* names there are taken, too; null: none */
  Names *names;
  Map taken;  /* Name -> itself */
  Map chosen; /* object -> Name */
  Map counts; /* Name -> how often it was asked for, so that numbering stays linear */
} Scope;

void scope_open(Scope *scope, Arena *arena, Names *names, const Scope *outer);

/* The identifier of `object`, chosen at the first call from its name in the source. */
Name scope_name(Scope *scope, const void *object, Name wanted);

/* The same, but chosen anew in this scope, whatever it is outside. */
Name scope_rename(Scope *scope, const void *object, Name wanted);

/* The identifier chosen before, here or in an outer scope; null when there is none. */
Name scope_find(const Scope *scope, const void *object);

/* A new identifier for nothing but itself. */
Name scope_fresh(Scope *scope, Name wanted);

/* Whether an identifier is taken, here or in an outer scope. */
bool scope_has(const Scope *scope, const char *identifier);

/* Marks an identifier as taken: names that the emitted text uses literally. */
void scope_take(Scope *scope, const char *identifier);

/* Marks all that is taken in another scope. */
void scope_take_all(Scope *scope, const Scope *other);

#endif
