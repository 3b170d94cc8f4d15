/* What everything in this room shares: values, frames, and the formula being built.

   A *frame* is one application of a definition (or the model itself): its names, its path, its
   statements. A *formula* is one right side being turned into an equation. Evaluating a node of the
   tree in a *context* (a frame, a formula, the index variables in sight and the conditions known to
   hold) gives a *value*: a number, a size, a string known at compile time; a scalar expression; a
   whole tensor; a layer. An error gives the poisoned value, which silences whatever is built from it:
   one cause, one error.

   A bare tensor is pointwise: where it is used as an operand it becomes its element at the index
   variables of a *field*, one per formula and list of dims, so equal dims meet in the same variables
   and anything else is reported. A value with a field stands for all elements at once. */
#ifndef NNC_ELABORATE_SCOPE_H
#define NNC_ELABORATE_SCOPE_H

#include "elaborate/elaborate.h"
#include "equations/affine.h"

typedef struct Frame Frame;
typedef struct Context Context;
typedef struct Layer Layer;
typedef struct Distribution Distribution;

/* A def, optimizer or const of the library or a file. */
typedef struct Definition {
  Name name;
  const Node *node; /* DEF, OPTIMIZER_DEF or CONST */
  bool in_library;
  bool is_used;
} Definition;

/* Index variables of a formula for bare tensors with these dims. */
typedef struct Field {
  const Axis *axes;
  int rank;
  const Index *indices[LIMIT_RANK];
} Field;

typedef enum {
  VALUE_POISON,
  VALUE_BOOL,   /* truth */
  VALUE_NUMBER, /* number: not whole, or too large for a size */
  VALUE_EXTENT, /* extent: every whole number known at compile time and every run-time size */
  VALUE_STRING, /* text */
  VALUE_EXPR,   /* expr: a scalar, or with a field every element of a tensor */
  VALUE_TENSOR, /* tensor, axes, rank, hidden */
  VALUE_LAYER,  /* layer: something that can be applied */
  VALUE_DISTRIBUTION,
  VALUE_RESULTS /* results: of a definition with several; the first where one is wanted */
} ValueKind;

typedef struct Value Value;
struct Value {
  ValueKind kind;
  union {
    bool truth;
    double number;
    const Extent *extent;
    Name text;
    struct {
      const Expr *expr;
      const Field *field; /* null: a scalar */
    };
    /* `axes` are the dims as declared, where a parameter over a run-time dim has the run-time size;
       the tensor itself has its maximum. The first `hidden` dims of the tensor are the indices of
       the scans it is local to: `axes` and `rank` do not count them. */
    struct {
      Tensor *tensor;
      const Axis *axes;
      int rank, hidden;
    };
    const Layer *layer;
    const Distribution *distribution;
    struct {
      const Value *results;
      int result_count;
    };
  };
  Name letter; /* EXTENT: the dim it was called; null when only a number */
  Span origin; /* EXTENT: where that dim came from */
};

typedef enum {
  DRAW_UNIFORM,
  DRAW_NORMAL,
  DRAW_TRUNCATED_NORMAL, /* what is within two deviations of the mean */
  DRAW_BERNOULLI,
  DRAW_ORTHOGONAL
} DistributionKind;

struct Distribution {
  DistributionKind kind;
  Value a, b; /* bounds; mean and deviation; probability; gain */
};

typedef struct Scan {
  const struct Scan *outer;
  Name name;
  Axis axis;
  Steps *steps;
  int depth; /* 1: outermost */
} Scan;

/* One file's elaboration, and the model and program at hand. */
typedef struct Elaborator {
  Arena *arena;
  Names *names;
  Sources *sources;
  Diagnostics *diagnostics;
  ElaborateOptions *options;
  PathList *imports;
  Map definitions; /* Name -> Definition *; the user's shadow the library's */
  Map library;     /* the library's alone: what its own definitions see */
  Model *model;
  Program
      *program; /* &model->train or &model->eval; &model->init while an initial value is built */
  bool training;
  Map declared;       /* path -> Declared * of every input, param, state of the model */
  Map constants;      /* Definition * -> Value * of global constants of this model */
  int instance_count; /* against LIMIT_INSTANCES */
  long evaluations; /* against a budget: definitions that double at each level end with an error */
  int depth;        /* of evaluate() and of statements waiting for each other */
  Map hoisted;      /* Expr * of step and hyper-parameters -> the Expr * that reads its tensor */
  const Program *hoisted_in;
  Span total_span;           /* of the last total(..), which saw */
  int total_count;           /* so many tensors of the model; -1: none was evaluated */
  LIST_OF(Value) loss_terms; /* of the model's own loss lines */
  Map dims;                  /* Name -> Dim * of the model's run-time dims */
  Map checked;               /* conditions left to the entry */
  Map results;               /* "output p" -> its Node * in this program */
  Map custom;              /* Tensor * with a grad clause -> int * position in the program's list */
  Map updated;             /* Tensor * with a := in this program -> its Node * */
  struct Trainer *trainer; /* of trainer.h, while optimizers are applied; else null */
} Elaborator;

/* A tensor of the caller's, a parameter or a state: one object for both programs. */
typedef struct Declared {
  Value value;
  const Frame *frame; /* that declared it last; another application of the same path is an error */
  const Node *node;
  const Program *program;
} Declared;

/* A name of a frame: a value, or a statement that will give it one. */
typedef struct Statement Statement;
typedef struct Binding {
  Name name;
  Span span;
  bool known;
  bool used;
  Value value;
  Statement *statement;
  const struct Scan *scan; /* that the name is local to a step of; null: none */
  int position;            /* among the left sides of the statement */
} Binding;

struct Statement {
  Frame *frame;
  const Node *node;
  const Scan *scan;
  enum { STATEMENT_WAITING, STATEMENT_SHAPED, STATEMENT_RUNNING, STATEMENT_DONE } state;
  struct Shape *shape; /* of an indexed equation, from when it is known: see statements.h */
  int mark;            /* of order.c */
};
typedef struct StatementList {
  Statement **items;
  int count, capacity;
} StatementList;

/* What `...` or `...A` stands for in a definition. */
typedef struct Pack {
  Name name; /* null: the unnamed one */
  const Axis *axes;
  int rank;
} Pack;
typedef struct PackList {
  Pack *items;
  int count, capacity;
} PackList;

struct Frame {
  Elaborator *e;
  const Frame *outer; /* whose names are in sight, too; null: only global ones are */
  const Frame *caller;
  const Definition *definition; /* null: the model */
  const Instance *instance;     /* null: in the model itself */
  Span call;                    /* of a pointwise definition, which makes no instance */
  Name path;                    /* "" or "h1" */
  int depth;                    /* of applications */
  Map bindings;                 /* Name -> Binding * */
  PackList packs;
  StatementList statements;
  const Scan *scan;     /* around the application */
  Map memo;             /* Node * -> Value *: whole tensors that are read through subscripts */
  Map declared_results; /* Name -> RESULT, OUTPUT Node * with dims */
  bool is_optimizer;    /* dims of the parameter can be reduced */
  bool failed;          /* a requirement of the definition is not met */
  bool is_shared;       /* applied by a named instance: its paths may come again */
};

/* A right side being built. */
typedef struct Formula {
  Name path;  /* names what is made on the way: "h1.y" */
  bool lone;  /* the right side is one application, whose path is `path` itself */
  Map *kinds; /* Name of a definition -> int * of its applications so far */
  LIST_OF(Field *) fields;
  const Scan *scan;                      /* innermost of the scans around it */
  const Index *scan_indices[LIMIT_RANK]; /* their hidden indices, outermost first */
  int scan_count;
  const Node *root;        /* the tree it is built from */
  Map *mentioned;          /* its names, which generated variables avoid; null until one is made */
  LIST_OF(Name) generated; /* in sight */
} Formula;

/* An index variable in sight, or the variables of a pack. */
typedef struct Variable {
  const struct Variable *outer;
  const struct Binder *binder;      /* see indices.h */
  const Index *indices[LIMIT_RANK]; /* one, unless a pack */
} Variable;

/* A reduction around the point of evaluation: facts from outside it hold inside only by its guard. */
typedef struct Level {
  struct Level *outer;
  const Facts *facts; /* at its begin */
  bool needs_facts;
} Level;

struct Context {
  Frame *frame;
  Formula *formula;
  const Variable *variables;
  const Facts *facts;
  Level *level;
};

/* scope.c: frames, names, values. */
Frame *frame_new(Elaborator *e, const Frame *caller, const Definition *definition);
/* A frame whose names come before those of `outer`: `w` of total(..). */
Frame *frame_inside(Frame *outer);
Binding *frame_bind(Frame *frame, Name name, Span span, Value value); /* replaces silently */
/* The binding in this frame or those around it; null when there is none. */
Binding *frame_find(const Frame *frame, Name name);
const Pack *frame_pack(const Frame *frame, Name name);
Name path_of(const Frame *frame, Name name); /* "h1.z" */
bool is_named(Name name, const char *text);
const Definition *definition_of(const Elaborator *e, Name name);
/* The same from a place in a frame: the library keeps its meaning whatever a file defines. */
const Definition *definition_seen(const Frame *frame, Name name);

Value value_poison(void);
Value value_bool(bool truth);
Value value_number(double number);
Value value_extent(const Extent *extent);
Value value_integer(const Elaborator *e, int64_t integer);
Value value_string(Name text);
Value value_expr(const Expr *expr, const Field *field);
Value value_tensor(Tensor *tensor); /* with the tensor's own axes */
bool is_poison(Value value);
bool is_static(Value value); /* BOOL, NUMBER, STRING, or an EXTENT that is a constant */
/* The number of a static value, of an extent only when constant; false for anything else. */
bool value_as_number(Value value, double *number);
bool value_as_integer(Value value, int64_t *integer);

/* names.c: what a name means at a place (statements it waits for are run). Poison and NN0201 when
   nothing. */
Value resolve_name(const Context *c, Name name, Span span);
/* An operation with the form of a function, by its spelling; false when there is none. */
bool find_function(Name name, Op *op);
bool find_reduction(Name name, Reduction *reduction); /* "mean" is REDUCE_SUM here */
bool is_lower_case(Name name);

/* static.c: values known at compile time. */
Value evaluate_static(Frame *frame, const Node *node);                /* NN0305 when it is not */
bool evaluate_condition(Frame *frame, const Node *node, bool *truth); /* of a static if */
/* A size, 0 included unless it depends on the call; poisoned after an error, which 0 is for the second. */
const Extent *evaluate_extent(Frame *frame, const Node *node, Axis *axis);
const Extent *evaluate_positive(Frame *frame, const Node *node);

/* expressions.c */
Value evaluate(const Context *c, const Node *node);
/* evaluate, then a scalar or pointwise operand; null when poisoned or not a number or condition. */
const Expr *evaluate_expr(const Context *c, const Node *node, const Field **field);
/* The same as a VALUE_EXPR or poison; sees to the field. */
Value value_of_expr(const Expr *expr, const Field *field);
/* One operation on values: folded when they are known, pointwise when they are tensors. */
Value apply_op(const Context *c, Op op, const Value *operands, int count, Span span);

/* pointwise.c: the value as an operand of this formula: an EXPR (tensors become their element at the
   field's variables) or poison. */
Value as_operand(const Context *c, Value value, Span span);
/* A scalar as every element of a tensor with these dims; a value that has them already. */
Value spread_value(const Context *c, Value value, const Axis *axes, int rank, Span span);
bool same_dims(const Axis *a, int a_rank, const Axis *b, int b_rank);
/* dims.c: reduces every dim of a value with a field, `sum(h)`, `mean(h)`. */
Value reduce_all(const Context *c, Name reduction, Value value, Span span);

/* formulas.c: from values to tensors. A new formula for the right side of `path`. */
Context formula_begin(Frame *frame, const Scan *scan, Name path, const Node *root);
/* A formula of its own for a part of another: new fields, no facts, the same names and scans. */
Context formula_inside(const Context *c);
/* Whether an equation may have these dims: rank, sizes (NN0212, NN0211). */
bool check_size(const Frame *frame, Name name, const Axis *axes, int rank, Span span);
/* An equation for `target`, its scalars of step hoisted, its whole numbers with their bounds. */
Equation *define_equation(const Context *c, Tensor *target, const Index *const *vars,
                          const Expr *body, Span span);
/* The value as a whole tensor called `name` (as it is when it already is one): an equation of the
   program, one variable per element. A TENSOR value or poison. */
Value define_tensor(const Context *c, Name name, Value value, Span span);
/* Whether it is a tensor that an equation computes: no parameter, input, state or derivative, and no random numbers. */
bool is_own_value(Value value);
/* Such a TENSOR value of a scalar: NN0209 when it has dims. For losses, metrics, gradient(s, x). */
Value define_scalar(const Context *c, Name name, Value value, Span span);
/* Scalars of step and hyper-parameters inside `e` become tensors of their own, in double. */
const Expr *hoist_scalars(const Context *c, const Expr *e, Span span);

/* calls.c */
/* Binds the arguments of `call` (a CALL, or null) and `first` (by `|>`; null: none) to the formals of a
   definition in a new frame, defaults included. Null after an error. `*is_complete` is false when a
   required tensor lacks. Positions: tensors first, then hyper-parameters; a number goes to the
   hyper-parameters while these have room. */
Frame *bind_arguments(const Context *c, const Definition *definition, const Node *call,
                      const Value *first, bool *is_complete);

/* declarations.c: the type of the values of tensors declared `: name`; false when there is none. */
bool type_named(Name name, ValueType *type);
/* `state name[axes] = value` made by other means than a statement (slots of optimizers). */
Tensor *declare_tensor(Elaborator *e, TensorList *list, Name path, Role role, ValueType type,
                       const Axis *axes, int rank, Span span);

/* messages.c: an error with the applications that lead to it. When the place is in the library, the
   user's line that applied it is blamed. */
Diagnostic *report(const Frame *frame, ErrorCode code, Span span, const char *text, ...)
    __attribute__((format(printf, 4, 5)));
const char *shape_text(Arena *arena, const Axis *axes, int rank); /* "[N, 784]" */
/* Notes that show where the dims of a shape come from: one for each place. */
void note_shape(Diagnostic *diagnostic, const Frame *frame, const Axis *axes, int rank);
const char *value_text(Arena *arena, Value value); /* "784", "N", "x[N, 784]" */
const char *kind_text(ValueKind kind);             /* "a number", "a layer" */
const char *size_text(Arena *arena, const Extent *extent);
const char *axis_text(const Elaborator *e, const Axis *axis,
                      Span near); /* "dim P = 784, from ..." */
const char *place_text(const Elaborator *e, Span span, Span near);
const char *source_text(const Elaborator *e, Span span);
void suggest_name(Diagnostic *diagnostic, const Frame *frame, Name wanted);
/* The name in reach nearest to `wanted` by edit distance, or null. */
Name nearest_name(const Frame *frame, Name wanted);

/* train.c (with optimizers.c): train blocks, and total(..) in a loss. Called once per model after both
   programs are built, with the frame of the training program. */
void elaborate_train(Frame *model_frame, const Node *block);
Value evaluate_total(const Context *c, const Node *node);

#endif
