/* Equations: the one node kind in which all mathematics happens.

     Y[i..] = reduce[r.. if guard] e(i, r)

   with `reduce` one of none, sum, prod, max, min, lse, argmax, argmin, any, all, and `e` a scalar
   expression over reads, constants, index values and arithmetic. There is no matmul, convolution,
   softmax, transpose, reshape, pad, concat, broadcast, scan or dropout node. Normal form, kept by every
   pass and checked by the verifier: one reduction per equation, at its root; every tensor indexed only by
   the variables it uses; a draw is the whole right side of its equation.

   A model holds its tensors and three programs: `init` (initial values of parameters and states), `train`
   (training = 1; the derivative adds the backward equations and the optimizer its updates) and `eval`
   (training = 0; outputs, loss and metrics). A program is a set of equations, not a sequence: which run in
   order is found by loops/order.c. What an entry point computes is what its roots need. */
#ifndef NNC_EQUATIONS_EQUATION_H
#define NNC_EQUATIONS_EQUATION_H

#include "equations/expr.h"
#include "support/diagnostics.h"
#include "support/limits.h"

typedef enum {
  ROLE_INPUT,   /* the caller's, at each call */
  ROLE_TARGET,  /* the same; not available to infer */
  ROLE_PARAM,   /* trained */
  ROLE_STATE,   /* kept between calls: batch-norm statistics, recurrent state */
  ROLE_SLOT,    /* state of an optimizer, in the shape of its parameter */
  ROLE_CONST,   /* a table of numbers from the source */
  ROLE_HYPER,   /* a @runtime hyper-parameter: rank 0, F64 */
  ROLE_STEP,    /* the number of the training step, 1, 2, ...: rank 0, F64 */
  ROLE_VALUE,   /* defined by an equation of its program */
  ROLE_GRADIENT /* to be defined by differentiation: see Gradient; a VALUE in every other respect */
} Role;

/* How an element is stored where the caller sees it; inside, values are REAL, F64, INT or BOOL. */
typedef enum { STORE_REAL, STORE_F64, STORE_I32, STORE_I8, STORE_U8, STORE_BOOL } Storage;

typedef struct Equation Equation;

/* One dim of a tensor: its size, and what it was called and where, for messages and comments. */
typedef struct Axis {
  const Extent *extent;
  Name letter; /* "N", "K"; null when it was a bare number */
  Span origin;
} Axis;

struct Tensor {
  /* The path, "h1.W"; unique in its model among parameters, states and slots, and in its program. */
  Name name;
  Role role;
  ValueType type;
  Storage storage;
  int rank;
  Axis axes[LIMIT_RANK];
  Equation *definition; /* VALUE and defined GRADIENT; PARAM and STATE have theirs in model->init */
  const Extent *low, *high; /* whole-number tensors with a promise low <= value < high; else null */
  Name *tags;               /* "weight", "bias", "live", "eval", ... */
  int tag_count;
  /* SLOT: the parameter it belongs to; a slot tagged "eval" stands for it in eval. */
  const Tensor *parameter;
  const double *values;   /* CONST: the numbers, row-major */
  double initial;         /* HYPER: the value at init */
  double orthogonal_gain; /* PARAM, STATE: not 0 when the drawn initial value is made orthogonal */
  bool truncates;         /* VALUE: a standard normal draw within two deviations of 0 */
  uint32_t site;          /* of a drawn VALUE: hash of the path, the key of its random numbers */
  Span origin;
  int id; /* order of creation in the model */
};

/* The call of a definition that an equation came from: the call stack of messages and the path of names. */
typedef struct Instance Instance;
struct Instance {
  const Instance *caller; /* null: in the model itself */
  Name definition;        /* "dense" */
  Name path;              /* "h1" */
  Span call;
  bool in_library; /* the definition is */
};

typedef enum {
  REDUCE_NONE,
  REDUCE_SUM,
  REDUCE_PROD,
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_LSE,
  REDUCE_ARGMAX,
  REDUCE_ARGMIN,
  REDUCE_ANY,
  REDUCE_ALL
} Reduction;

enum { LANES = 16 }; /* of a sum that is not in sequence */

struct Equation {
  Tensor *target;
  const Index **vars; /* iteration variables of the left side, outermost first */
  int var_count;
  /* dim of the target that vars[k] addresses; not decreasing. Several variables on one dim are a
     mixed-radix composite, y[n, (c, h)]: the address is c*H + h and the ranges multiply to the extent. */
  int place[LIMIT_RANK];
  Reduction reduction;
  const Index **reduced;
  int reduced_count;
  const Expr *guard; /* of the reduction; null when all points count */
  const Expr *body;
  /* Order of a floating-point reduction, fixed by calculus/arrange.c for every later stage: a point whose
     last reduced variable is r goes to lane r % lanes; each lane takes its points in row-major sequence;
     the lanes are then combined in a balanced tree, neighbours at half the width apart first
     (l with l + lanes/2, and so on). 1 = all points in sequence. 0 = not fixed yet. */
  int lanes;
  const Instance *instance;
  Span span; /* of the statement it came from */
};

typedef struct TensorList {
  Tensor **items;
  int count, capacity;
} TensorList;
typedef struct EquationList {
  Equation **items;
  int count, capacity;
} EquationList;

/* `state := value`, committed with all others at the end of the call. */
typedef struct Update {
  Tensor *target; /* STATE, SLOT or PARAM */
  Tensor *value;
  bool live; /* kept in inference, too */
} Update;
typedef struct UpdateList {
  Update *items;
  int count, capacity;
} UpdateList;

/* A request: `result` becomes the derivative of the scalar `of` with respect to `with_respect_to`. */
typedef struct Gradient {
  Tensor *of, *with_respect_to, *result;
  Span span;
} Gradient;
typedef struct GradientList {
  Gradient *items;
  int count, capacity;
} GradientList;

/* A `grad x = expr` clause: in the instance, x is read through `input` (an identity equation); the adjoint
   of `input` is `adjoint`, whose equation reads the adjoints of the definition's results through `incoming`. */
typedef struct CustomGradient {
  Tensor *input;
  Tensor *adjoint;
  struct {
    Tensor *result, *placeholder;
  } * incoming; /* adj.y: placeholder has role GRADIENT */
  int incoming_count;
} CustomGradient;
typedef struct CustomGradientList {
  CustomGradient *items;
  int count, capacity;
} CustomGradientList;

/* A named scalar result: a metric or an output. */
typedef struct Result {
  Name name;
  Tensor *value;
  Span span;
} Result;
typedef struct ResultList {
  Result *items;
  int count, capacity;
} ResultList;

typedef struct Program {
  TensorList tensors;     /* VALUE and GRADIENT tensors, in order of creation */
  EquationList equations; /* in source order; derived ones after */
  UpdateList updates;     /* of states by the model's own `:=` */
  GradientList gradients; /* wanted by `gradient(s, x)` in the model: defined before the steps' */
  CustomGradientList custom_gradients;
  ResultList outputs, metrics;
  struct NameTable *taken; /* names of `tensors` by program_unique_name; set by model_new */
  Tensor *loss; /* sum of the `loss` lines outside `train NAME` blocks; null when there is none */
} Program;

/* One `train` block: what MODEL_train_step (or MODEL_NAME_step) does beyond the model's own updates. */
typedef struct Step {
  Name name; /* null for the plain `train` */
  Tensor *loss;
  GradientList gradients; /* one per trained parameter that is not frozen */
  UpdateList updates;     /* of parameters and slots, reading the gradients */
  /* The same in two calls, made by calculus/accumulate.c when asked for: gradients are added up, weighted
     by their samples, and the updates read their mean. `samples`: how many there are so far. */
  UpdateList accumulation, application;
  Tensor *samples;
  Span span;
} Step;
typedef struct StepList {
  Step *items;
  int count, capacity;
} StepList;

/* A condition on run-time dims, and what is said when it does not hold. */
typedef struct EntryCheck {
  const Expr *condition;
  const char *text;
  Span span;
} EntryCheck;
typedef struct CheckList {
  EntryCheck *items;
  int count, capacity;
} CheckList;

typedef struct Model {
  Name name;
  Arena *arena;
  Names *names;
  ExtentTable *extents;
  ExprTable *exprs;
  Diagnostics *diagnostics;
  LIST_OF(const Dim *) dims; /* run-time dims; id = position */
  /* The run-time dim that counts samples: leading dim of the first input; null: none. */
  const Dim *batch;
  TensorList tensors; /* every role but VALUE and GRADIENT, in order of declaration */
  Tensor *step_number;
  Program init, train, eval;
  StepList steps;
  /* conditions on run-time dims that proofs and `require` left to the entry of each call */
  CheckList checks;
  SpanList remat; /* blocks whose values the backward part computes again; see loops/remat.h */
  struct NameTable *taken; /* names of `tensors` */
  int next_tensor, next_index;
  Span span;
} Model;

/* Builders. A new model has its step number already, the tensor "step". */
Model *model_new(Arena *arena, Names *names, Diagnostics *diagnostics, Name name);
/* A tensor with everything but its name, role, type, axes and storage (that of the type) zero; added to
   `list` and given an id. */
Tensor *tensor_new(Model *model, TensorList *list, Name name, Role role, ValueType type,
                   const Axis *axes, int rank);
Index *index_new(Model *model, Name name, const Extent *range);
/* Another variable that counts the same. */
Index *index_like(Model *model, Name name, const Index *like);
/* A plain equation (no reduction) for `target` with one variable per dim; added to the program. The body
   is converted to the target's type where that is possible. */
Equation *equation_new(Model *model, Program *program, Tensor *target, const Index *const *vars,
                       const Expr *body);
/* The tensor that holds `reduce[reduced if guard](body)`, defined by a new equation over just the index
   variables used, and the read of it that stands for the reduction: normal form by construction.
   `name` is made unique in the program, and the new equation has index variables of its own. */
const Expr *equation_hoist(Model *model, Program *program, Name name, Reduction reduction,
                           const Index *const *reduced, int reduced_count, const Expr *guard,
                           const Expr *body, const Instance *instance, Span span);
/* Promises on the values of the whole-number tensor it defines, from its right side. */
void equation_bound_values(Model *model, const Equation *equation);
bool tensor_has_tag(const Tensor *tensor, Name tag);
bool tensor_is_scalar(const Tensor *tensor);
/* Whether a dim has size 0, and whether the reduction is over such a range. Run-time sizes are 1 or more. */
bool tensor_is_empty(const Tensor *tensor);
bool equation_reduces_nothing(const Equation *equation);
/* The plain read of each element. */
const Expr *tensor_read(Model *model, const Tensor *tensor, const Index *const *vars);
/* The name, or the name with a number, that no tensor of the program or of the model has yet. */
Name program_unique_name(Model *model, const Program *program, Name wanted);
/* FNV-1a of a path: the site of its random numbers. */
uint32_t site_of(const char *path);
/* The number of an element among the random numbers of its site is the sum of subscript*stride. Strides are by
   the maxima of run-time dims, so that the sizes of a call do not enter, and samples are outermost, so that
   any number of calls can count on through one step. */
void draw_strides(const Model *model, const Tensor *tensor, int64_t *strides);
int draw_sample_dim(const Model *model, const Tensor *tensor); /* -1: none */

/* Equations that the roots need (through definitions), in their order in the program. */
EquationList program_needed(const Model *model, const Program *program, Arena *arena,
                            Tensor *const *roots, int root_count);
/* Drops equations and tensors that no root of the program (outputs, metrics, loss, updates, gradients,
   steps) needs. */
void program_prune(Model *model, Program *program);

const char *reduction_name(Reduction reduction);
/* What the combination of values begins with, of the type of the target: the value of an empty reduction
   except for argmax and argmin, which then have none, and lse, which is -inf. */
const Expr *reduction_identity(Model *model, Reduction reduction, ValueType type);

/* The printer: legal .nn. A program prints as the body of a model, declarations first; every left-side
   variable and binder with its range. Reads well, re-parses to equal equations. */
void equation_print(const Equation *equation, Text *text);
void expr_print(const Expr *e, Text *text);
/* The model after derivation: dims, tensors, train program with updates. */
void model_print(const Model *model, Text *text);
void program_print(const Model *model, const Program *program, Text *text);

/* The verifier: a description of the first broken invariant, in `arena`, or null. */
const char *program_verify(const Model *model, const Program *program, Arena *arena);

#endif
