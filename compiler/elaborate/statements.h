/* Statements: what a block says, in any order.

   A block is collected first: every name it binds is known before anything is evaluated, static ifs are
   decided, scans are opened. Statements then run in source order, except that one waits for those whose
   names it uses (order.c). Equations that read each other, as recurrences do, are possible because the
   shape of an indexed equation is known before its right side. */
#ifndef NNC_ELABORATE_STATEMENTS_H
#define NNC_ELABORATE_STATEMENTS_H

#include "elaborate/indices.h"

/* Statements that wait for each other nest like expressions do: what one adds to e->depth, and where
   no more may be added. */
enum { COST_OF_WAITING = 10, LIMIT_WAITING = 1000 };

/* The left side of an indexed equation. */
typedef struct Shape {
  Context context; /* the variables in sight of the right side */
  BinderList binders;
  const Index *vars[2 * LIMIT_BINDERS]; /* hidden indices of scans, then those of the left side */
  int place[2 * LIMIT_BINDERS];
  int var_count;
  Axis axes[2 * LIMIT_RANK];
  int rank, hidden;
  Name path;
  Tensor *tensor; /* null until it is read or its right side is known */
} Shape;

/* statements.c */
void collect_statements(Frame *frame, const Node *block, const Scan *scan);
void run_statements(Frame *frame); /* all that were collected */
void run_statement(Statement *statement);
/* Runs the statement that gives `binding` its value, as far as needed; false when it has none (reported). */
bool run_for(const Context *c, Binding *binding, Span span);
Context statement_context(const Statement *statement, Name path, const Node *root);

/* order.c: the statements of a frame, each after those it depends on where that is possible. */
StatementList order_statements(const Frame *frame);

/* shapes.c: the shape of a left side with subscripts (or none). `declared` are the dims it must have;
   null: none are. False after an error. */
bool find_shape(Shape *shape, const Statement *statement, const Node *left, const Node *right,
                const Axis *declared, int declared_rank);
/* The scan with this index around a statement, in its own frame; null when there is none. */
const Scan *scan_called(const Statement *statement, Name name);
/* The tensor of a shape: a VALUE of this program. */
Tensor *make_target(Shape *shape, ValueType type, Span span);
Value shape_value(const Shape *shape);
/* Dims declared for a result of the definition: false when there are none. */
bool declared_dims(Frame *frame, Name name, Axis *axes, int *rank);

/* equations.c */
void run_equation(Statement *statement);
void run_draw(Statement *statement);
void run_update(Statement *statement);
/* A new tensor `path` in the dims of `like`, defined by a left side and its right side; null after an
   error. */
Tensor *define_side(Statement *statement, const Node *left, const Node *right, Value like,
                    Name path);
/* Finds the shape of a waiting indexed equation, so that it can be read before it runs. */
void shape_early(Statement *statement);
/* `name[subs] = right` with the name and place of `named`. */
Node *equation_node(Arena *arena, const Node *named, Node *subs, Node *right);
bool is_indexed(const Node *left, const Node *right);

/* draws.c: elements of `target` drawn from `distribution`; `vars` are the variables of its dims. */
void define_draw(const Context *c, const Distribution *distribution, Tensor *target,
                 const Index *const *vars, Span span);

/* declarations.c */
void run_param(Statement *statement); /* PARAM, STATE */
void run_input(Statement *statement); /* INPUT, TARGET */
void run_dim(Statement *statement);
Value constant_value(Elaborator *e, const Definition *definition);
/* The dims written in a declaration, each with where it came from; false after an error. */
bool evaluate_dims(Frame *frame, const Node *declaration, const Node *subs, Axis *axes, int *rank);

/* results.c */
void run_output(Statement *statement);
void run_metric(Statement *statement);
void run_loss(Statement *statement);
void finish_loss(Frame *frame); /* adds the loss lines up */

/* gradients.c */
void prepare_gradients(Frame *frame); /* inputs with a `grad` clause get an equation of their own */
void run_grad(Statement *statement);

/* empty.c: tensors without elements leave the equations, once all are there. */
void settle_empty(Model *model);

/* instances.c: the block or expression of a definition in its frame, and its results. */
Value elaborate_instance(Frame *frame, const Node *definition);

#endif
