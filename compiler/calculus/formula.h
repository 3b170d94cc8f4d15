/* Formulas: texts of the tables (the derivative columns of ops.def, the rules of rules.def) in the
   language itself.

   A table is parsed once for each pass that reads it, as one source of definitions `def NAME(..) = TEXT`,
   and its formulas are instantiated to expressions by binding their names. */
#ifndef NNC_CALCULUS_FORMULA_H
#define NNC_CALCULUS_FORMULA_H

#include "equations/equation.h"
#include "syntax/tree.h"

/* The right sides of the definitions in `text`, in order. A text that does not parse is a bug. */
typedef struct FormulaList {
  const Node **items;
  int count, capacity;
} FormulaList;
FormulaList formulas_parse(Model *model, Arena *arena, const char *title, const Text *text);

/* The operation that a node of an expression stands for, by its kind or by the name it applies;
   OP_COUNT when there is none. GT and GE are LT and LE with their operands `swapped`. */
Op formula_op(const Node *node, bool *swapped);

typedef struct Binding {
  Name name;
  const Expr *value;
} Binding;
/* The expression: names stand for their values. */
const Expr *formula_instantiate(Model *model, const Node *formula, const Binding *bindings,
                                int count);

/* The derivative columns. */
typedef struct Derivatives {
  const Node *formulas[OP_COUNT][3]; /* null: the derivative is 0, or undefined */
  bool undefined[OP_COUNT][3];
} Derivatives;
Derivatives *derivatives_new(Model *model, Arena *arena);

#endif
