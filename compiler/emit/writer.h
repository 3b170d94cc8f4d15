/* Writing C: the text of one function and what expressions in it need to know. */
#ifndef NNC_EMIT_WRITER_H
#define NNC_EMIT_WRITER_H

#include "emit/scope.h"
#include "equations/listing.h"
#include "loops/loop.h"

/* Lines of the model as source, in comments that begin with "= ": the declarations in the header, the
   equations above what computes them; together they are a model that compiles to the same program. Each is
   stated once; what is said again, and what belongs to another entry point, is a comment without the sign. */
typedef struct Statements {
  Listing *listing; /* of the program whose lines are stated now; null: of none */
  Map stated;       /* Equation * */
} Statements;

enum { WATCH_KINDS = 5 };

/* A node in the text of a function, see parts.h. */
typedef struct Stretch {
  const LoopNode *node;
  size_t begin, end; /* in the text */
  int depth;         /* of indentation */
  int outer;         /* the stretch around it; -1: none */
  Name name;         /* of the variable that it declares; null: none */
} Stretch;

/* What a function takes, and how it is declared. */
typedef struct Parameter {
  const char *type; /* "const float *restrict " */
  Name name;
  const char *shape; /* " /_* [64][128] *_/" */
} Parameter;
typedef struct ParameterList {
  Parameter *items;
  int count, capacity;
} ParameterList;

typedef struct FunctionWriter {
  const Routine *routine;
  const NestFamily *family;  /* whose function is being written */
  Name scalars_type;         /* of the struct of scalars; null: there is none */
  Name unsound[WATCH_KINDS]; /* what stores of watched numbers and vectors found, see watch.c */
  int begun;                 /* equations of its nests that stand in the function already */
  Map by_address; /* Tensor *: scalars of the routine that the function gets the address of */
  Map sites;      /* Tensor * -> Name: of the parameter that is the key of its draws */
  Arena *arena;
  Text *text;
  Statements *statements;
  int depth;                /* of indentation */
  ParameterList parameters; /* and what the function knows throughout */
  LIST_OF(Stretch) stretches;
  int stretch; /* the one being written; -1: none */
  Scope scope; /* identifiers of this function */
} FunctionWriter;

/* "f32" or "f64": the suffix of runtime functions for REAL, and the C type of each value type. */
const char *real_suffix(const Routine *routine);
const char *value_type_name(const Routine *routine, ValueType type); /* of a local variable */
const char *element_type_name(const Routine *routine, const Tensor *tensor); /* in memory */
/* Of an array of so many elements of so many bytes: that of vectors, which lie in two lines of the cache when they
   begin elsewhere. */
int64_t array_alignment(const Routine *routine, int64_t bytes, int64_t count);
/* " __attribute__((aligned(64)))"; "" where it is that of an element. */
const char *alignment_text(const Routine *routine, Arena *arena, int64_t bytes, int64_t count);

/* Every line is broken where it would pass the margin: behind an operator or comma inside as few brackets
   as possible, and goes on four columns further in. */
void add_line(Text *text, size_t indent, const char *line, size_t length);
/* One line at the current depth; the text is printf's. */
void write_line(FunctionWriter *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* `head`, the items separated by commas and wrapped at the margin, `tail`. */
void write_wrapped(FunctionWriter *writer, const char *head, const char *const *items, int count,
                   const char *tail);

/* A comment of its own: words wrapped at the margin. */
void write_comment(FunctionWriter *writer, const char *words);
/* The same behind what stands in the line already, and with the end of the line. */
void add_comment(Text *text, size_t column, const char *words);
/* One line of the model, "= LINE"; nothing when no program is being stated or the line is null. */
void write_statement(FunctionWriter *writer, const char *line);

/* expression.c: the C text of an expression of type `as`; what it shares or what must run only under a
   condition is written first, as statements. The text binds at least as tightly as C's `level`. */
enum {
  LEVEL_ANY = 0,
  LEVEL_TERNARY = 2,
  LEVEL_OR = 3,
  LEVEL_AND = 4,
  LEVEL_EQUAL = 8,
  LEVEL_RELATION = 9,
  LEVEL_SUM = 11,
  LEVEL_PRODUCT = 12,
  LEVEL_UNARY = 14,
  LEVEL_PRIMARY = 15
};
const char *write_expression(FunctionWriter *writer, const Expr *e, ValueType as, int level);

/* The place of an element in its tensor's memory, "n * 128 + k", from the texts of its subscripts; and
   the element, "h1_z[n * 128 + k]", "s->loss", or the name of a local variable. */
const char *position_text(FunctionWriter *writer, const Tensor *tensor,
                          const char *const *subscripts, const int *levels);
const char *element_text(FunctionWriter *writer, const Tensor *tensor,
                         const char *const *subscripts, const int *levels);
const char *extent_text(FunctionWriter *writer, const Extent *extent, int level);
const char *number_text(FunctionWriter *writer, double value, ValueType as);

/* Whether a draw is over the samples of a step that several calls make: they are counted through all. */
bool counts_samples(const Routine *routine, const Tensor *draw);

/* Lines that differ in numbers counting up or down together as one, "f.{0..9}.W" (ranges.c). */
typedef struct LineList {
  const char **items;
  int count, capacity;
} LineList;
LineList ranges_of(Arena *arena, const LineList *lines);

/* What the function of a family takes, in order: run-time sizes, what its draws depend on (first sample, seed,
   step, keys where nests differ in them), the scalars of the routine, the flag of an invalid model, rank-0 doubles
   of the model by value, and the arrays it touches. Numbers are positions in nest->tensors. */
typedef struct Positions {
  int *items;
  int count, capacity;
} Positions;
typedef struct NestInterface {
  bool draws, counts_samples, scalars, watches;
  Positions sites;
  Positions values; /* ROLE_HYPER and ROLE_STEP */
  Positions arrays; /* memory tensors, and scalars in which the nests differ, each once */
} NestInterface;
NestInterface nest_interface(Arena *arena, const Routine *routine, const NestFamily *family);
const Nest *first_member(const NestFamily *family);

/* What names have in common: "f.h.W" of "f.0.h.W" and "f.1.h.W"; `word` where they end differently. */
Name common_name(Names *names, const Name *all, int count, const char *word);
/* Names for what the nests of a family touch, before anything else in the function is named. */
void name_common(FunctionWriter *writer, const NestFamily *family, const NestInterface *interface);

/* parts.c: one more thing that a function takes, or knows throughout; family.c: all of that. */
void note_parameter(FunctionWriter *writer, const char *type, Name name, const char *shape);
void note_parameters(FunctionWriter *writer, const NestInterface *interface);

/* nest.c: one static function for a family. `scalars_type`: the struct of the routine's scalars. */
void write_family(FunctionWriter *writer, const NestFamily *family, const NestInterface *interface,
                  Name function, Name scalars_type);

#endif
