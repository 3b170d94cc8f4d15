/* What the parts of a generated program share: identifiers of the model's struct and entry points. */
#ifndef NNC_EMIT_PROGRAM_H
#define NNC_EMIT_PROGRAM_H

#include "emit/emit.h"
#include "emit/writer.h"

typedef struct ProgramWriter {
  Arena *arena;
  Names *names;
  const EmitOptions *options;
  const EmitUnit *unit;
  Text *text;
  Name prefix;   /* identifier of the model: type and prefix of functions */
  Scope file;    /* static functions and tables of the C file */
  Scope fields;  /* members of the model's struct */
  Scope metrics; /* members of the metrics struct */
  Statements statements;
} ProgramWriter;

/* Chooses the public names of a model in `shared`, where those of all models stand; the file's own are
   apart from them and from those of the program written before, program->file.outer. */
void program_writer_open(ProgramWriter *program, Arena *arena, Names *names,
                         const EmitOptions *options, const EmitUnit *unit, Scope *shared);

/* A writer of one function whose outermost names are those of `outer`. */
FunctionWriter function_open(ProgramWriter *program, const Routine *routine, const Scope *outer);
/* "= LINE" as a comment of its own; see Statements. */
void program_state(ProgramWriter *program, int depth, const char *line);

const Routine *find_routine(const ProgramWriter *program, RoutineKind kind, const Step *step);
const char *step_function(const ProgramWriter *program,
                          const Routine *routine);   /* "digits_train_step" */
const char *real_name(const ProgramWriter *program); /* "float" */
bool is_kept(const Tensor *tensor);            /* a member of the struct: parameter, state, slot */
int64_t tensor_elements(const Tensor *tensor); /* at the maxima */

/* Parameters that every entry point takes behind the model: run-time sizes, then the arrays it needs. */
typedef struct ArgumentList {
  const char **items;
  int count, capacity;
} ArgumentList;
typedef struct EntryArguments {
  TensorList arrays;         /* inputs and targets, then outputs */
  ArgumentList declarations; /* "int64_t N", "const uint8_t *x" */
  ArgumentList values;       /* "N", "x" */
} EntryArguments;
EntryArguments entry_arguments(ProgramWriter *program, FunctionWriter *writer,
                               const Routine *routine);

/* interface.c */
void write_struct(ProgramWriter *program);
void write_prototypes(ProgramWriter *program);
/* entry.c */
void write_routine(ProgramWriter *program, const Routine *routine);
/* describe.c */
void write_description(ProgramWriter *program);

#endif
