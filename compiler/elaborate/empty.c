/* Tensors without elements, when a model has been elaborated.

   A dim of size 0 is legal in what a call is given and in what it computes. No element of such a tensor is
   ever read, as every subscript was proved to be in range; a reduction over it is its neutral element; an
   equation for it computes nothing. Here all of that becomes constants, so that later passes meet such
   tensors only as inputs that nobody reads and as results that are filled with nothing. */
#include "elaborate/statements.h"

static const Expr *zero_of(Model *model, ValueType type) {
  return reduction_identity(model, type == TYPE_BOOL ? REDUCE_ANY : REDUCE_SUM, type);
}

/* Outside its range an element is the default; without one the read is in a branch that is not taken. */
static const Expr *replace_read(void *context, const Expr *leaf) {
  if (!is_read(leaf) || !tensor_is_empty(leaf->tensor)) return leaf;
  const Expr *otherwise = read_default(leaf);
  return otherwise ? otherwise : zero_of(context, leaf->type);
}

static const Expr *neutral_value(Model *model, const Equation *equation) {
  bool adds_logarithms = equation->reduction == REDUCE_LSE;
  return reduction_identity(model, adds_logarithms ? REDUCE_MAX : equation->reduction,
                            equation->target->type);
}

static void make_constant(Equation *equation, const Expr *body) {
  equation->reduction = REDUCE_NONE;
  equation->reduced_count = 0;
  equation->guard = NULL;
  equation->body = body;
}

static void drop_reads(Model *model, Equation *equation) {
  Arena *scratch = arena_new();
  ExprTable *table = model->exprs;
  equation->body = expr_rewrite(table, scratch, equation->body, replace_read, model);
  if (equation->guard)
    equation->guard = expr_rewrite(table, scratch, equation->guard, replace_read, model);
  arena_free(scratch);
}

static void settle_equation(Model *model, Equation *equation, bool may_read) {
  if (tensor_is_empty(equation->target))
    make_constant(equation, zero_of(model, equation->target->type));
  else if (equation_reduces_nothing(equation))
    make_constant(equation, neutral_value(model, equation));
  else if (may_read)
    drop_reads(model, equation);
}

static bool any_is_empty(const TensorList *tensors) {
  for (int i = 0; i < tensors->count; i++) {
    if (tensor_is_empty(tensors->items[i])) return true;
  }
  return false;
}

/* A derivative with respect to nothing has no elements either, whatever depends on what. */
static void define_gradient(Model *model, Program *program, const Gradient *gradient) {
  const Index *vars[LIMIT_RANK];
  Name name = name_of(model->names, "i");
  Tensor *result = gradient->result;
  for (int dim = 0; dim < result->rank; dim++)
    vars[dim] = index_new(model, name, result->axes[dim].extent);
  equation_new(model, program, result, vars, zero_of(model, result->type))->span = gradient->span;
}

static void settle_gradients(Model *model, Program *program) {
  GradientList *gradients = &program->gradients;
  int kept = 0;
  for (int i = 0; i < gradients->count; i++) {
    if (tensor_is_empty(gradients->items[i].with_respect_to))
      define_gradient(model, program, &gradients->items[i]);
    else
      gradients->items[kept++] = gradients->items[i];
  }
  gradients->count = kept;
}

static void settle_program(Model *model, Program *program) {
  bool may_read = any_is_empty(&model->tensors) || any_is_empty(&program->tensors);
  for (int i = 0; i < program->equations.count; i++)
    settle_equation(model, program->equations.items[i], may_read);
  settle_gradients(model, program);
}

void settle_empty(Model *model) {
  settle_program(model, &model->init);
  settle_program(model, &model->train);
  settle_program(model, &model->eval);
}
