/* Roots and order of a program. */
#include "calculus/roots.h"

#include "calculus/activity.h"

static void add_root(TensorSet *roots, const Tensor *tensor) {
  if (tensor) tensor_set_add(roots, tensor);
}

static void add_results(TensorSet *roots, const ResultList *results) {
  for (int i = 0; i < results->count; i++) add_root(roots, results->items[i].value);
}

static void add_gradients(TensorSet *roots, const GradientList *gradients) {
  for (int i = 0; i < gradients->count; i++) {
    add_root(roots, gradients->items[i].of);
    add_root(roots, gradients->items[i].with_respect_to);
    add_root(roots, gradients->items[i].result);
  }
}

static void add_updates(TensorSet *roots, const UpdateList *updates) {
  for (int i = 0; i < updates->count; i++) add_root(roots, updates->items[i].value);
}

static void add_custom_gradients(TensorSet *roots, const CustomGradientList *customs) {
  for (int i = 0; i < customs->count; i++) {
    const CustomGradient *custom = &customs->items[i];
    add_root(roots, custom->input);
    add_root(roots, custom->adjoint);
    for (int k = 0; k < custom->incoming_count; k++) {
      add_root(roots, custom->incoming[k].result);
      add_root(roots, custom->incoming[k].placeholder);
    }
  }
}

TensorSet program_roots(const Model *model, const Program *program, Arena *arena) {
  TensorSet roots = tensor_set_new(arena, model);
  add_results(&roots, &program->outputs);
  add_results(&roots, &program->metrics);
  add_root(&roots, program->loss);
  add_updates(&roots, &program->updates);
  add_gradients(&roots, &program->gradients);
  add_custom_gradients(&roots, &program->custom_gradients);
  for (int i = 0; program == &model->train && i < model->steps.count; i++) {
    const Step *step = &model->steps.items[i];
    add_root(&roots, step->loss);
    add_gradients(&roots, &step->gradients);
    add_updates(&roots, &step->updates);
    add_updates(&roots, &step->accumulation);
    add_updates(&roots, &step->application);
  }
  for (int i = 0; program == &model->init && i < model->tensors.count; i++)
    add_root(&roots, model->tensors.items[i]);
  return roots;
}

bool is_held(const Program *program, const Tensor *tensor) {
  for (int i = 0; i < program->gradients.count; i++)
    if (program->gradients.items[i].with_respect_to == tensor) return true;
  for (int i = 0; i < program->custom_gradients.count; i++) {
    const CustomGradient *custom = &program->custom_gradients.items[i];
    if (custom->input == tensor) return true;
    for (int k = 0; k < custom->incoming_count; k++)
      if (custom->incoming[k].result == tensor) return true;
  }
  return false;
}

/* A depth-first walk over equations; a frame is an equation and the nodes of it still to look at. */
typedef struct Frame {
  Equation *equation;
  ExprList nodes;
  int next;
} Frame;

typedef struct Walk {
  Arena *arena;
  TensorSet seen, defined;
  LIST_OF(Frame) stack;
  EquationList order;
} Walk;

static void enter(Walk *walk, Equation *equation) {
  if (is_member(&walk->seen, equation->target)) return;
  tensor_set_add(&walk->seen, equation->target);
  ExprList nodes = equation_nodes(walk->arena, equation);
  APPEND(walk->arena, &walk->stack, (Frame){equation, nodes, 0});
}

static void advance(Walk *walk) {
  Frame *frame = &walk->stack.items[walk->stack.count - 1];
  if (frame->next == frame->nodes.count) {
    APPEND(walk->arena, &walk->order, frame->equation);
    walk->stack.count--;
    return;
  }
  const Expr *e = frame->nodes.items[frame->next++];
  if (is_read(e) && is_member(&walk->defined, e->tensor)) enter(walk, e->tensor->definition);
}

EquationList program_in_order(const Model *model, const Program *program, Arena *arena) {
  Walk walk = {.arena = arena,
               .seen = tensor_set_new(arena, model),
               .defined = tensor_set_new(arena, model)};
  for (int i = 0; i < program->equations.count; i++)
    tensor_set_add(&walk.defined, program->equations.items[i]->target);
  for (int i = 0; i < program->equations.count; i++) {
    enter(&walk, program->equations.items[i]);
    while (walk.stack.count > 0) advance(&walk);
  }
  return walk.order;
}
