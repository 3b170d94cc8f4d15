/* What the parts of a generated program share: identifiers of the model's struct and entry points. */
#ifndef NNC_EMIT_PROGRAM_H
#define NNC_EMIT_PROGRAM_H

#include "emit/emit.h"
#include "emit/writer.h"

/* places.c: distances between the members of a struct, in the order they were added. */
typedef struct MemberPlace {
  int run; /* between members of different runs the distance is the C compiler's */
  int64_t offset;
} MemberPlace;
typedef struct MemberPlaces {
  Arena *arena;
  Map by_tensor; /* Tensor * -> MemberPlace * */
  int run;
  int64_t offset, last_bytes, alignment; /* of the run */
} MemberPlaces;
int64_t member_bytes(const Routine *routine, const Tensor *tensor); /* of an element */
int64_t member_alignment(const Routine *routine, const Tensor *tensor);
void places_open(MemberPlaces *places, Arena *arena);
void places_add(MemberPlaces *places, const Routine *routine, const Tensor *tensor);

typedef struct ProgramWriter {
  Arena *arena;
  Names *names;
  const EmitOptions *options;
  const EmitUnit *unit;
  Text *text;
  Name prefix;               /* identifier of the model: type and prefix of functions */
  Scope file;                /* static functions and tables of the C file */
  Scope fields;              /* members of the model's struct */
  Scope metrics;             /* members of the metrics struct */
  MemberPlaces places;       /* of the model's struct */
  bool has_address_function; /* MODEL_at */
  Statements statements;
  Map functions; /* Name of what one does -> Name of the function that does it */
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

/* finite.c: what a step tests before it changes anything, and after. */
typedef struct SpanTable {
  Name name; /* of a static table of nnrt_span */
  int count; /* 0: there is no table */
} SpanTable;
SpanTable write_gradient_spans(ProgramWriter *program, const Routine *routine);
SpanTable write_parameter_spans(ProgramWriter *program, const Routine *routine);
/* `loss`: what a training step returns; null in apply, which drops the gradients it refuses. */
void write_gradient_check(ProgramWriter *program, const Routine *routine, const SpanTable *table,
                          const char *loss);
void write_parameter_check(ProgramWriter *program, const Routine *routine, const SpanTable *table);

/* origin.c: the lines of the source that the nests of a function come from, as a comment, and which nests
   these are when there are several. */
void write_origin(ProgramWriter *program, const NestFamily *family);

/* Text from outside as it may stand in a comment or a quoted file name. */
const char *harmless_text(Arena *arena, const char *text);

/* interface.c */
void write_struct(ProgramWriter *program);
void write_prototypes(ProgramWriter *program);
/* entry.c */
void write_routine(ProgramWriter *program, const Routine *routine);
/* describe.c */
void write_description(ProgramWriter *program);

#endif
