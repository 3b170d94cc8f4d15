/* Parsing and instantiation of the formulas in the tables. */
#include "calculus/formula.h"

#include <string.h>

FormulaList formulas_parse(Model *model, Arena *arena, const char *title, const Text *text) {
  FormulaList formulas = {0};
  if (text->size == 0) return formulas;
  Sources sources;
  sources_init(&sources, arena);
  Diagnostics *diagnostics = diagnostics_new(arena, &sources);
  SourceFile *file = source_add(&sources, title, text->bytes, (uint32_t)text->size);
  Tree *tree = tree_parse(arena, model->names, &sources, diagnostics, file);
  if (diagnostics_error_count(diagnostics) > 0) {
    diagnostics_print(diagnostics, stderr, false);
    bug("a formula of %s does not parse", title);
  }
  for (int i = 0; i < tree->root->count; i++) {
    const Node *definition = tree->root->parts[i];
    APPEND(arena, &formulas, definition->parts[definition->count - 1]);
  }
  return formulas;
}

static Op op_of_kind(NodeKind kind) {
  switch (kind) {
  case NODE_IF: return OP_SELECT;
  case NODE_OR: return OP_OR;
  case NODE_AND: return OP_AND;
  case NODE_NOT: return OP_NOT;
  case NODE_EQ: return OP_EQ;
  case NODE_NE: return OP_NE;
  case NODE_LT:
  case NODE_GT: return OP_LT;
  case NODE_LE:
  case NODE_GE: return OP_LE;
  case NODE_ADD: return OP_ADD;
  case NODE_SUB: return OP_SUB;
  case NODE_MUL: return OP_MUL;
  case NODE_DIV: return OP_DIV;
  case NODE_NEGATE: return OP_NEGATE;
  case NODE_POW: return OP_POW;
  default: return OP_COUNT;
  }
}

Op formula_op(const Node *node, bool *swapped) {
  *swapped = node->kind == NODE_GT || node->kind == NODE_GE;
  if (node->kind != NODE_CALL) return op_of_kind(node->kind);
  for (int op = OP_ABS; op < OP_COUNT; op++)
    if (strcmp(op_spelling((Op)op), node->parts[0]->name) == 0) return (Op)op;
  if (strcmp(node->parts[0]->name, op_spelling(OP_MIN)) == 0) return OP_MIN;
  return strcmp(node->parts[0]->name, op_spelling(OP_MAX)) == 0 ? OP_MAX : OP_COUNT;
}

static const Expr *instantiate_name(const Node *node, const Binding *bindings, int count) {
  for (int i = 0; i < count; i++)
    if (bindings[i].name == node->name) return bindings[i].value;
  bug("a formula uses '%s', which is not bound", node->name);
}

const Expr *formula_instantiate(Model *model, const Node *formula, const Binding *bindings,
                                int count) {
  if (formula->kind == NODE_NUMBER) return expr_number(model->exprs, formula->number);
  if (formula->kind == NODE_IDENT) return instantiate_name(formula, bindings, count);
  bool swapped;
  Op op = formula_op(formula, &swapped);
  if (op == OP_COUNT) bug("a formula uses %s", node_title(formula->kind));
  const Expr *args[3];
  int first = formula->kind == NODE_CALL ? 1 : 0, arity = formula->count - first;
  for (int i = 0; i < arity; i++) {
    const Node *part = formula->parts[first + (swapped ? arity - 1 - i : i)];
    args[i] = formula_instantiate(model, part, bindings, count);
  }
  return expr_make(model->exprs, op, args, arity);
}

/* Visits the cells of the derivative columns that hold a formula. */
static bool has_formula(Op op, int argument, bool *undefined) {
  const char *text = op_derivative(op, argument);
  *undefined = !text;
  return text && strcmp(text, "0") != 0;
}

Derivatives *derivatives_new(Model *model, Arena *arena) {
  Derivatives *derivatives = NEW(arena, Derivatives);
  Text text;
  text_init(&text, arena);
  for (int op = 0; op < OP_COUNT; op++)
    for (int k = 0; k < 3; k++)
      if (has_formula((Op)op, k, &derivatives->undefined[op][k]))
        text_add(&text, "def d%d(a, b, c, y) = %s\n", op, op_derivative((Op)op, k));
  FormulaList formulas = formulas_parse(model, arena, "ops.def", &text);
  int next = 0;
  bool undefined;
  for (int op = 0; op < OP_COUNT; op++)
    for (int k = 0; k < 3; k++)
      if (has_formula((Op)op, k, &undefined)) derivatives->formulas[op][k] = formulas.items[next++];
  return derivatives;
}
