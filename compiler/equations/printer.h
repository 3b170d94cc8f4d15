/* The parts of the printer of equations: what names are printed as, and the levels of operators. */
#ifndef NNC_EQUATIONS_PRINTER_H
#define NNC_EQUATIONS_PRINTER_H

#include "equations/equation.h"

typedef struct Printer {
  Text *text;
  Arena *arena;
  Map indices; /* from Index to the name it has in the equation being printed */
  Map tensors; /* from Tensor to its name, where that is not tensor->name */
  int left; /* nodes that may still be printed; a shared DAG can be exponentially large as text */
} Printer;

void printer_start(Printer *printer, Text *text);
const char *printer_tensor(const Printer *printer, const Tensor *tensor);
bool is_reserved(const char *word);

/* An expression where any operator may stand. `real`: a whole literal may be written without a point,
   for the context makes it real. */
void print_expr(Printer *printer, const Expr *e, bool real);
void print_double(Text *text, double value, bool real);

/* Chooses names for the variables of the equation, which need not have a right side yet. */
void name_indices(Printer *printer, const Equation *equation);
/* "z[n in N, k in 128]", naming the variables of the equation first. */
void print_left_side(Printer *printer, const Equation *equation);
/* "sum[i in 784](x[n, i]*W[i, k])" or "uniform(0, 1)", after the left side. */
void print_right_side(Printer *printer, const Equation *equation);

/* The distribution that the body stands for, when it reads the draw of its target in the form that `~`
   has: a + d*draw, d*draw, draw, where that may be a truncated one, or 1 if draw < p else 0. */
typedef enum {
  NO_DISTRIBUTION,
  UNIFORM_DISTRIBUTION,
  NORMAL_DISTRIBUTION,
  BERNOULLI_DISTRIBUTION,
  TRUNCATED_NORMAL_DISTRIBUTION
} Distribution;
typedef struct Drawn {
  Distribution distribution;
  const Expr *parameters[2];
  const Tensor *draw;
} Drawn;
Drawn drawn_by(const Model *model, const Equation *equation);
/* The initial value of a PARAM, STATE or SLOT, with the sign before it: " ~ uniform(-1, 1)", " = 0". */
void print_initial(Printer *printer, const Model *model, const Tensor *tensor);
/* Whether that value depends on where the element is, so that the declaration must name indices. */
bool has_indexed_initial(Printer *printer, const Model *model, const Tensor *tensor);
void print_distribution(Printer *printer, const Drawn *drawn);

#endif
