/* What the files of the interpreter share: cells, which hold the elements of a tensor, and code, an
   equation compiled for repeated evaluation.

   Code is a list of instructions over slots, one slot for each expression of the equation. Choice is
   lazy, so instructions fall into blocks: a block holds the expressions that are needed whenever its
   first one is. The block of a branch, of a default, or of an expression shared by several of these is
   called where it is wanted and runs at most once for each point of the iteration: its stamp tells. */
#ifndef NNC_EQUATIONS_INTERPRETER_CODE_H
#define NNC_EQUATIONS_INTERPRETER_CODE_H

#include "equations/interpreter.h"

typedef struct Code Code;

typedef enum { ELEMENT_UNKNOWN, ELEMENT_KNOWN, ELEMENT_IN_PROGRESS } ElementState;

/* The elements of one tensor. A parameter or state over a run-time dim has the dim's maximum. */
typedef struct Cell {
  const Tensor *tensor;
  Code *code; /* of its equation, compiled when first needed */
  Dual *values;
  unsigned char *states; /* an ElementState each */
  int64_t extents[LIMIT_RANK], strides[LIMIT_RANK];
  int64_t count, capacity;
  bool complete;       /* every element is known */
  bool checked;        /* and found to keep the tensor's promise */
  int entered, lowest; /* while tensors are ordered: Tarjan's numbers */
  bool waiting;        /* and whether it is on his stack */
} Cell;

/* A read: the cell and the slot of each subscript. */
typedef struct Access {
  Cell *cell;
  int rank;
  int subscripts[LIMIT_RANK];
} Access;

typedef enum {
  DO_APPLY,  /* to = op(args) */
  DO_READ,   /* to = access, or args[0] outside its range; calls blocks[0] first */
  DO_DRAW,   /* to = the random number of the element that is evaluated */
  DO_CHOOSE, /* to = args[0] ? args[1] : args[2]; calls the block of the one it takes first */
  DO_CALL,   /* blocks[0], unless it has run at this point */
  DO_RETURN  /* from blocks[0] */
} InstructionKind;

typedef struct Instruction {
  InstructionKind kind;
  Op op;
  int to, args[3];
  int blocks[3]; /* of args that are evaluated only when taken; -1: there already */
  Access *access;
} Instruction;

/* An index variable of the equation. */
typedef struct Variable {
  const Index *index;
  int64_t range, value;
  int slot; /* -1: nothing reads it */
} Variable;

struct Code {
  const Equation *equation; /* null: a condition on run-time dims */
  LIST_OF(Instruction) instructions;
  LIST_OF(Cell *) reads;
  Dual *slots;          /* numbers are there from the start */
  const Expr **sources; /* of each slot */
  int slot_count;
  int *starts;      /* of each block */
  uint64_t *stamps; /* the point at which each block ran last */
  int *calls; /* where to go on after the calls in progress: each block is there at most once */
  int block_count;
  uint64_t now;    /* number of the point being evaluated */
  int64_t address; /* of the element being evaluated */
  int guard, body; /* slots; guard -1: none */
  int guard_block, body_block;
  Variable *variables; /* of the target, then reduced */
  int target_count, variable_count;
};

struct Interpreter {
  Arena *arena; /* for the whole life */
  Arena *call;  /* values of inputs and equations, until the next start */
  Model *model;
  uint64_t seed;
  bool f32_draws;
  int64_t *sizes, *maxima; /* by dim */
  bool initialising;       /* by model->init, at the maxima */
  LIST_OF(Cell *) cells;   /* by tensor id; null: not used yet */
  LIST_OF(Code *) checks;  /* of model->checks */
  Dual step;               /* of a model without a step number */
  int64_t operations;      /* on reals, so far */
  const char *error;
};

/* interpreter.c */
uint64_t interpreter_step(Interpreter *interpreter);

/* interpreter_cells.c */
Cell *cell_of(Interpreter *interpreter, const Tensor *tensor);
bool cell_persists(const Cell *cell); /* not forgotten between calls */
/* Takes extents, ranges and memory at the sizes in force; given values are known then. */
bool cell_prepare(Interpreter *interpreter, Cell *cell);
void cell_forget(Cell *cell);  /* its values; the memory stays */
void cell_release(Cell *cell); /* its memory, which was taken from interpreter->call */
bool cell_check(Interpreter *interpreter, Cell *cell); /* that every element keeps its promise */
/* What is left to do when every element is known: orthogonal initial values, promises. */
bool cell_finish(Interpreter *interpreter, Cell *cell);
/* Records the first error; false, to be returned. */
bool interpreter_fail(Interpreter *interpreter, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

/* interpreter_compile.c */
Code *code_of_equation(Interpreter *interpreter, const Equation *equation);
Code *code_of_condition(Interpreter *interpreter, const Expr *condition);
void code_bind(Code *code, const int64_t *sizes);

/* interpreter_run.c */
typedef enum { OUTCOME_DONE, OUTCOME_MISSING, OUTCOME_FAILED } Outcome;
typedef struct Element {
  Cell *cell;
  int64_t address;
} Element;
/* One element by its equation. MISSING: `*missing` must be known first. */
Outcome code_evaluate(Interpreter *interpreter, Code *code, int64_t address, Dual *result,
                      Element *missing);
const char *element_name(Interpreter *interpreter, Element element); /* "h1.z[3, 0]" */

/* interpreter_draw.c: the random number of the element being evaluated, as generated programs have it. */
double interpreter_draw(Interpreter *interpreter, Op op, const Code *code);

/* interpreter_order.c */
/* Evaluates the whole tensor and all that it needs. */
bool cell_evaluate(Interpreter *interpreter, Cell *cell);

#endif
