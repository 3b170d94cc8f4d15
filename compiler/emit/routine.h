/* What the parts of the text of one entry point share: its functions, and the loops over copies.

   A stage is a stretch of nests that the entry function runs. Calls that repeat are a loop in which `layer`
   counts the copies; what differs from copy to copy is counted up by a stride, or stands in a table. Long
   sequences are cut into functions of their own. */
#ifndef NNC_EMIT_ROUTINE_H
#define NNC_EMIT_ROUTINE_H

#include "emit/program.h"

/* One repetition of the routine. */
typedef struct CopyLoop {
  const Repetition *repetition;
  Name table;  /* null: none is needed */
  Map columns; /* Name of all values of a column -> Name of its member */
  Scope members;
  Name *parts; /* functions with the body, when it is long */
  int part_count;
} CopyLoop;

typedef struct RoutineText {
  ProgramWriter *program;
  const Routine *routine;
  Scope scope;               /* of the scalars, around every function */
  Name scalars;              /* their type; null: there are none */
  Map places;                /* Tensor * -> MemberPlace * of the scalars */
  Map functions, interfaces; /* NestFamily * -> Name, NestInterface * */
  Name layer;                /* the variable that counts copies */
  CopyLoop *loops;           /* one for each repetition */
  bool has_parts;            /* functions that take all that the entry has */
  bool has_threads;          /* the stage at hand, which begins with this nest: */
  int begin;
} RoutineText;

const char *kind_word(const ProgramWriter *program, const Routine *routine); /* "train" */

/* Scalars and the functions of all nests; the routine's text is then ready for its stages. */
RoutineText routine_open(ProgramWriter *program, const Routine *routine);

typedef struct Stage {
  int begin, end;
  Name *parts;
  int part_count; /* 0: called one by one */
} Stage;

/* Tables and functions that the nests [begin, end) need before the entry function, which then calls them. */
Stage prepare_stage(RoutineText *text, int begin, int end);
void write_stage(RoutineText *text, FunctionWriter *writer, const Stage *stage);

/* copies.c: the tables of a loop, and an argument of a nest's call as C: the tensor at that position of the
   nest, or the key of its draws; `loop` null: of that nest alone. */
void need_address_function(ProgramWriter *program); /* MODEL_at(m, bytes), before its first use */
CopyLoop prepare_loop(RoutineText *text, const Repetition *repetition);
typedef enum { ARGUMENT_TENSOR, ARGUMENT_SITE } ArgumentKind;
const char *argument_text(RoutineText *text, FunctionWriter *writer, const CopyLoop *loop, int nest,
                          int position, ArgumentKind kind);

#endif
