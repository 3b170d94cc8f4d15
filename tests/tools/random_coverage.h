/* What random models have covered, as the compiler sees it: a set of words for each model.

     operation NAME          of ops.def, in an equation of some program, as written or simplified
     reduction NAME          likewise
     inversion WAY, GUARD, DEFAULT, REST
                             one subscript of a read that derivatives pass to: how it was solved
                             (inversions.def; demands are constant, diagonal or gathered), whether the equation
                             has a guard and the read a default, and what is left to sum (nothing; a sum; a
                             long one, which lanes may take)
     pair PRODUCER>CONSUMER  kinds of the definition of a tensor and of an equation that reads it, as loops get them

   `coverage_list` prints all words there are: the denominators. The linker sends calls of invert here
   (--wrap=invert). */
#ifndef NNC_TESTS_RANDOM_COVERAGE_H
#define NNC_TESTS_RANDOM_COVERAGE_H

#include "calculus/condition.h"
#include "calculus/invert.h"

#include <jansson.h>

static json_t *covered; /* an object: its keys are the words of the model at hand */

static inline void cover(const char *format, ...) {
  char word[160];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(word, sizeof word, format, arguments);
  va_end(arguments);
  if (covered) json_object_set_new(covered, word, json_true());
}

/* ---- inversion --------------------------------------------------------------------------------- */

enum { LONG_SUM = 16, WAY_CONSTANT = INVERSION_demand, WAY_DIAGONAL, WAY_GATHERED, WAY_COUNT };

static const char *const way_names[] = {
#define INVERSION(name, title) #name,
#include "calculus/inversions.def"
#undef INVERSION
    "constant", "diagonal", "gathered"};
static const char *const guard_names[] = {"no guard", "guard"};
static const char *const default_names[] = {"no default", "default"};
static const char *const rest_names[] = {"no sum", "sum", "long sum"};

static inline int way_of(Arena *scratch, const Inverse *inverse, const Expr *subscript, int k) {
  if (inverse->ways[k] != INVERSION_demand) return (int)inverse->ways[k];
  if (expr_reads_tensors(scratch, subscript)) return WAY_GATHERED;
  IndexList used = {0};
  expr_indices(scratch, subscript, &used);
  return used.count == 0 ? WAY_CONSTANT : WAY_DIAGONAL;
}

static inline int rest_of(const Inverse *inverse) {
  if (inverse->reduced.count == 0) return 0;
  const Index *last = inverse->reduced.items[inverse->reduced.count - 1];
  return extent_maximum(last->range) >= LONG_SUM ? 2 : 1;
}

static inline void cover_inversion(int way, bool guard, bool otherwise, int rest) {
  cover("inversion %s, %s, %s, %s", way_names[way], guard_names[guard], default_names[otherwise],
        rest_names[rest]);
}

Inverse __real_invert(Model *model, Arena *scratch, const Index *const *targets, const Expr *read,
                      const IndexList *iteration, const Expr *guard, const Expr *weight);
Inverse __wrap_invert(Model *model, Arena *scratch, const Index *const *targets, const Expr *read,
                      const IndexList *iteration, const Expr *guard, const Expr *weight);

Inverse __wrap_invert(Model *model, Arena *scratch, const Index *const *targets, const Expr *read,
                      const IndexList *iteration, const Expr *guard, const Expr *weight) {
  Inverse inverse = __real_invert(model, scratch, targets, read, iteration, guard, weight);
  for (int k = 0; k < read_rank(read); k++)
    cover_inversion(way_of(scratch, &inverse, read->args[k], k), guard != NULL,
                    read_default(read) != NULL, rest_of(&inverse));
  return inverse;
}

/* ---- kinds of definitions ---------------------------------------------------------------------- */

typedef enum {
  KIND_INPUT,
  KIND_TARGET,
  KIND_PARAM,
  KIND_STATE,
  KIND_TABLE,
  KIND_DRAW, /* the first that is an equation; consumers come behind it */
  KIND_COPY,
  KIND_ARITHMETIC,
  KIND_COMPARISON,
  KIND_LOGIC,
  KIND_CHOICE,
  KIND_FUNCTION,
  KIND_CONVERSION,
  KIND_RECURRENCE,
  KIND_REDUCTION, /* and the reductions behind it */
  KIND_COUNT = KIND_REDUCTION + REDUCE_ALL
} Kind;

static inline const char *kind_name(int kind) {
  static const char *const names[] = {"input",  "target",   "param",      "state",      "table",
                                      "draw",   "copy",     "arithmetic", "comparison", "logic",
                                      "choice", "function", "conversion", "recurrence"};
  return kind < KIND_REDUCTION ? names[kind]
                               : reduction_name((Reduction)(kind - KIND_REDUCTION + REDUCE_SUM));
}

static inline Kind kind_of_map(Op op) {
  if (op == OP_UNIFORM || op == OP_NORMAL) return KIND_DRAW;
  if (op < OP_ADD) return KIND_COPY;
  if (op <= OP_MAX) return KIND_ARITHMETIC;
  if (op <= OP_LE) return KIND_COMPARISON;
  if (op <= OP_NOT) return KIND_LOGIC;
  if (op == OP_SELECT) return KIND_CHOICE;
  return op <= OP_STOP ? KIND_FUNCTION : KIND_CONVERSION;
}

/* The tensors that an equation reads, each as often as an expression does. */
static inline TensorList tensors_read(Arena *scratch, const Equation *equation) {
  TensorList read = {0};
  const Expr *roots[2] = {equation->body, equation->guard};
  ExprList nodes = expr_postorder(scratch, roots, equation->guard ? 2 : 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i])) APPEND(scratch, &read, (Tensor *)nodes.items[i]->tensor);
  return read;
}

static inline bool is_recurrent(Arena *scratch, const Equation *equation) {
  Map seen;
  TensorList waiting = tensors_read(scratch, equation);
  map_init(&seen, scratch);
  while (waiting.count > 0) {
    const Tensor *tensor = waiting.items[--waiting.count];
    if (tensor == equation->target) return true;
    if (map_has(&seen, tensor) || tensor->role != ROLE_VALUE || !tensor->definition) continue;
    map_put(&seen, tensor, (void *)tensor);
    TensorList more = tensors_read(scratch, tensor->definition);
    for (int i = 0; i < more.count; i++) APPEND(scratch, &waiting, more.items[i]);
  }
  return false;
}

static inline Kind kind_of_equation(Arena *scratch, const Equation *equation) {
  if (is_recurrent(scratch, equation)) return KIND_RECURRENCE;
  if (equation->reduction == REDUCE_NONE) return kind_of_map(equation->body->op);
  return (Kind)(KIND_REDUCTION + (equation->reduction - REDUCE_SUM));
}

/* -1: none of these, such as the number of the step. */
static inline int kind_of_tensor(Arena *scratch, const Tensor *tensor) {
  switch (tensor->role) {
  case ROLE_INPUT: return KIND_INPUT;
  case ROLE_TARGET: return KIND_TARGET;
  case ROLE_PARAM: return KIND_PARAM;
  case ROLE_STATE: return KIND_STATE;
  case ROLE_CONST: return KIND_TABLE;
  case ROLE_VALUE:
  case ROLE_GRADIENT:
    return tensor->definition ? (int)kind_of_equation(scratch, tensor->definition) : -1;
  default: return -1;
  }
}

/* ---- programs ---------------------------------------------------------------------------------- */

static inline void cover_pair(int producer, int consumer) {
  cover("pair %s>%s", kind_name(producer), kind_name(consumer));
}

static inline void cover_pairs(Arena *scratch, const Equation *equation) {
  Kind consumer = kind_of_equation(scratch, equation);
  TensorList read = tensors_read(scratch, equation);
  for (int i = 0; i < read.count; i++) {
    int producer = kind_of_tensor(scratch, read.items[i]);
    if (producer >= 0) cover_pair(producer, (int)consumer);
  }
}

static const char *const op_names[] = {
#define OP(name, ...) #name,
#include "equations/ops.def"
#undef OP
};

static inline void cover_program(Arena *scratch, const Program *program, bool pairs) {
  for (int i = 0; i < program->equations.count; i++) {
    const Equation *equation = program->equations.items[i];
    const Expr *roots[2] = {equation->body, equation->guard};
    ExprList nodes = expr_postorder(scratch, roots, equation->guard ? 2 : 1);
    for (int k = 0; k < nodes.count; k++) cover("operation %s", op_names[nodes.items[k]->op]);
    if (equation->reduction != REDUCE_NONE)
      cover("reduction %s", reduction_name(equation->reduction));
    if (pairs) cover_pairs(scratch, equation);
  }
}

static inline void cover_model(const Model *model, bool pairs) {
  Arena *scratch = arena_new();
  const Program *programs[] = {&model->init, &model->eval, &model->train};
  for (int i = 0; i < 3; i++) cover_program(scratch, programs[i], pairs && i > 0);
  arena_free(scratch);
}

/* ---- everything there is ----------------------------------------------------------------------- */

static inline void cover_everything(void) {
  for (int op = 0; op < OP_COUNT; op++) cover("operation %s", op_names[op]);
  for (int r = REDUCE_SUM; r <= REDUCE_ALL; r++)
    cover("reduction %s", reduction_name((Reduction)r));
  for (int way = 0; way < WAY_COUNT; way++)
    for (int i = 0; i < 12; i++) cover_inversion(way, i & 1, (i & 2) != 0, i / 4);
  for (int producer = 0; producer < KIND_COUNT; producer++)
    for (int consumer = KIND_COPY; consumer < KIND_COUNT; consumer++)
      cover_pair(producer, consumer);
}

static inline void coverage_list(void) {
  covered = json_object();
  cover_everything();
  const char *word;
  json_t *value;
  json_object_foreach(covered, word, value) puts(word);
  json_decref(covered);
}

#endif
