/* Calls: definitions and what else can be applied.

   A pointwise definition is inlined: its body is evaluated in the caller's formula, with the arguments
   as they are. Every other application is an instance: a frame with a path of its own, whose block is
   elaborated and whose results are whole tensors. A call that lacks a required tensor is a layer: the
   definition with the arguments it has, to be applied later. */
#ifndef NNC_ELABORATE_CALLS_H
#define NNC_ELABORATE_CALLS_H

#include "elaborate/scope.h"

typedef struct Argument {
  Name name; /* null: by position */
  Value value;
  Span span;
  const Context *context; /* whose formula the value belongs to */
  const Node *node;       /* as written; null when piped through a repetition */
} Argument;
typedef struct ArgumentList {
  Argument *items;
  int count, capacity;
} ArgumentList;

struct Layer {
  enum { LAYER_DEFINITION, LAYER_FUNCTION, LAYER_REPEAT } kind;
  const Definition *definition;
  Op op;
  int64_t times;
  Value repeated;
  ArgumentList arguments; /* it has already */
  const Frame *frame;     /* where it was named: recursion is found along its callers */
  Name path;              /* of a named instance, whose applications share parameters; or null */
  Span span;
};

Value layer_of_definition(const Frame *frame, const Definition *definition, Span span);
Value layer_of_function(Elaborator *e, Op op, Span span);
Value layer_named(Elaborator *e, Value layer, Name path); /* `use NAME = layer` */
bool is_pointwise(const Definition *definition);          /* `def f(x) = ..` */
/* The name of what is applied at the root of an expression, "relu"; null when nothing is. */
Name applied_name(const Node *node);

/* calls.c */
Value evaluate_call(const Context *c, const Node *node, const Node *piped);
Value evaluate_pipe(const Context *c, const Node *node);
/* Whether the right side `root` is one application of a layer: its path is then the name bound. */
bool is_lone_application(const Frame *frame, const Node *root);

/* arguments.c: the frame of an application, arguments and defaults bound; null after an error. */
Frame *bind_list(const Context *c, const Definition *definition, const ArgumentList *arguments,
                 Span span, bool *is_complete);

/* formals.c: NN0209 for types that a formal or a result of the definition cannot have. */
void formals_check(Elaborator *e, const Node *definition);
/* What the type of the formal wants where the value is something else, "a size"; else null. */
const char *formal_wants(const Node *formal, Value value);
/* The same of the elements of a tensor, "whole numbers"; these are numbers, too. */
const char *formal_holds(const Node *formal, ValueType elements);

/* layers.c */
Value apply_layer(const Context *c, const Layer *layer, const ArgumentList *arguments, Span span);
bool is_inlined(const Layer *layer);

/* built_in.c: repeat, gradient, distributions and reductions of whole tensors. */
bool is_built_in(Name name);
Value apply_built_in(const Context *c, Name name, const Node *call, const Node *piped, Span span);

#endif
