/* The printer of initial values: the equations of model->init put back into one expression. */
#include "equations/printer.h"

enum { MOST_INLINED = 64 };

typedef struct Inline {
  const Model *model;
  Arena *arena;
  bool changed;
} Inline;

static bool is_pointwise(const Equation *equation) {
  if (!equation || equation->reduction != REDUCE_NONE) return false;
  if (is_draw(equation->body)) return false;
  return equation->var_count == equation->target->rank;
}

/* Reads of values of the init program become their right sides. */
static const Expr *inline_read(void *context, const Expr *leaf) {
  Inline *inlined = context;
  if (leaf->op != OP_READ || leaf->tensor->role != ROLE_VALUE || read_default(leaf)) return leaf;
  if (leaf->tensor->truncates) return leaf;
  const Equation *equation = leaf->tensor->definition;
  if (!is_pointwise(equation)) return leaf;
  inlined->changed = true;
  return expr_substitute(inlined->model->exprs, inlined->arena, equation->body, equation->vars,
                         leaf->args, equation->var_count);
}

/* The definition with everything inlined that can be. */
static Equation whole_definition(Printer *printer, const Model *model, const Tensor *tensor) {
  Equation whole = *tensor->definition;
  Inline inlined = {model, printer->arena, true};
  for (int i = 0; inlined.changed && i < MOST_INLINED; i++) {
    inlined.changed = false;
    whole.body = expr_rewrite(model->exprs, printer->arena, whole.body, inline_read, &inlined);
  }
  return whole;
}

bool has_indexed_initial(Printer *printer, const Model *model, const Tensor *tensor) {
  if (!tensor->definition || tensor->orthogonal_gain != 0) return false;
  Equation whole = whole_definition(printer, model, tensor);
  if (drawn_by(model, &whole).distribution != NO_DISTRIBUTION) return false;
  if (whole.reduction != REDUCE_NONE) return true;
  IndexList indices = {0};
  expr_indices(printer->arena, whole.body, &indices);
  return indices.count > 0;
}

void print_initial(Printer *printer, const Model *model, const Tensor *tensor) {
  if (tensor->orthogonal_gain != 0) {
    text_add(printer->text, " ~ orthogonal(");
    print_double(printer->text, tensor->orthogonal_gain, true);
    text_add(printer->text, ")");
    return;
  }
  if (!tensor->definition) {
    text_add(printer->text, " = 0");
    return;
  }
  Equation whole = whole_definition(printer, model, tensor);
  Drawn drawn = drawn_by(model, &whole);
  bool draws = drawn.distribution != NO_DISTRIBUTION || is_draw(whole.body);
  text_add(printer->text, draws ? " ~ " : " = ");
  if (drawn.distribution != NO_DISTRIBUTION) {
    print_distribution(printer, &drawn);
  } else if (whole.body->op == OP_NUMBER) {
    print_double(printer->text, whole.body->number, true);
  } else {
    print_right_side(printer, &whole);
  }
}
