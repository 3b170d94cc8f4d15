/* Emission: routines as one C file and its header. Decides nothing: what runs, where it lives and in
   what order comes from loops/. */
#ifndef NNC_EMIT_EMIT_H
#define NNC_EMIT_EMIT_H

#include "loops/loop.h"
#include "support/source.h"

/* One model and the routines made for it. */
typedef struct EmitUnit {
  Model *model;
  Routine **routines;
  int count;
} EmitUnit;

typedef struct EmitOptions {
  const char *header_name; /* "digits.h", for the #include */
  const char *source_name; /* "digits.nn", for the comments; any text: it is made harmless */
  const Sources *sources;
  int64_t real_bytes; /* 4, or 8 by --real=double */
  const Target *target;
  bool standalone; /* the runtime is written into the file */
} EmitOptions;

/* What sizeof says of the model's struct; INT64_MAX: more than can be counted. */
int64_t emit_struct_bytes(const EmitUnit *unit);

/* Texts of the .h and the .c; the same bytes for the same input, always. */
void emit(Arena *arena, Names *names, const EmitOptions *options, const EmitUnit *units, int count,
          Text *header, Text *source);

#endif
