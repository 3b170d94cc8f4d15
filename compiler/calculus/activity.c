/* Reachability over the differentiable reads: down from the scalar, then up from the tensors wanted. */
#include "calculus/activity.h"

bool reduction_is_differentiable(Reduction reduction) {
  return reduction < REDUCE_ARGMAX;
}

ExprList equation_nodes(Arena *arena, const Equation *equation) {
  const Expr *roots[2] = {equation->body, equation->guard};
  return expr_postorder(arena, roots, equation->guard ? 2 : 1);
}

/* One vertex for each tensor, by its id. */
typedef struct Vertex {
  LIST_OF(const Tensor *) reads, readers;
  int next; /* reads visited so far by the walk */
  bool seen;
} Vertex;

typedef struct Graph {
  Arena *arena;
  Vertex *vertices;
  LIST_OF(const Tensor *) postorder;
} Graph;

static Vertex *vertex(Graph *g, const Tensor *tensor) {
  return &g->vertices[tensor->id];
}

static void add_edge(Graph *g, const Tensor *from, const Tensor *to) {
  Vertex *v = vertex(g, from);
  for (int i = 0; i < v->reads.count; i++)
    if (v->reads.items[i] == to) return;
  APPEND(g->arena, &v->reads, to);
  APPEND(g->arena, &vertex(g, to)->readers, from);
}

/* A `grad` clause is a path from each result whose adjoint it reads to its input. */
static void add_custom_edges(Graph *g, const Program *program, const Tensor *tensor) {
  for (int i = 0; i < program->custom_gradients.count; i++) {
    const CustomGradient *custom = &program->custom_gradients.items[i];
    for (int k = 0; k < custom->incoming_count; k++)
      if (custom->incoming[k].result == tensor) add_edge(g, tensor, custom->input);
  }
}

static void add_edges(Graph *g, const Program *program, const Derivatives *derivatives,
                      const Tensor *tensor) {
  const Equation *equation = equation_of(tensor);
  add_custom_edges(g, program, tensor);
  if (!equation || !reduction_is_differentiable(equation->reduction)) return;
  ReadList reads = differentiable_reads(g->arena, derivatives, equation->body);
  for (int i = 0; i < reads.count; i++) add_edge(g, tensor, reads.items[i]->tensor);
}

/* Depth first from the scalar; the postorder has what is read before its readers. */
static void walk_down(Graph *g, const Program *program, const Derivatives *derivatives,
                      const Tensor *root) {
  LIST_OF(const Tensor *) stack = {0};
  APPEND(g->arena, &stack, root);
  vertex(g, root)->seen = true;
  add_edges(g, program, derivatives, root);
  while (stack.count > 0) {
    const Tensor *tensor = stack.items[stack.count - 1];
    Vertex *v = vertex(g, tensor);
    if (v->next == v->reads.count) {
      APPEND(g->arena, &g->postorder, tensor);
      stack.count--;
      continue;
    }
    const Tensor *next = v->reads.items[v->next++];
    if (vertex(g, next)->seen) continue;
    vertex(g, next)->seen = true;
    add_edges(g, program, derivatives, next);
    APPEND(g->arena, &stack, next);
  }
}

static void walk_up(Graph *g, const Tensor *from, TensorSet *reached) {
  LIST_OF(const Tensor *) stack = {0};
  if (!vertex(g, from)->seen || is_member(reached, from)) return;
  APPEND(g->arena, &stack, from);
  tensor_set_add(reached, from);
  while (stack.count > 0) {
    const Vertex *v = vertex(g, stack.items[--stack.count]);
    for (int i = 0; i < v->readers.count; i++) {
      if (is_member(reached, v->readers.items[i])) continue;
      tensor_set_add(reached, v->readers.items[i]);
      APPEND(g->arena, &stack, v->readers.items[i]);
    }
  }
}

/* Tensors with a reader that is not before them in the order: those on a recurrence. */
static void mark_cyclic(Graph *g, Activity *activity) {
  TensorSet passed = {NEW_ARRAY(g->arena, unsigned char, activity->active.size),
                      activity->active.size};
  for (int i = 0; i < activity->order.count; i++) {
    const Tensor *tensor = activity->order.items[i];
    const Vertex *v = vertex(g, tensor);
    for (int k = 0; k < v->readers.count; k++) {
      const Tensor *reader = v->readers.items[k];
      if (is_member(&activity->active, reader) && !is_member(&passed, reader))
        tensor_set_add(&activity->cyclic, tensor);
    }
    tensor_set_add(&passed, tensor);
  }
}

Activity activity_find(Model *model, const Program *program, Arena *arena,
                       const Derivatives *derivatives, const GradientList *gradients) {
  Activity activity = {.active = tensor_set_new(arena, model),
                       .useful = tensor_set_new(arena, model),
                       .cyclic = tensor_set_new(arena, model)};
  Graph g = {.arena = arena, .vertices = NEW_ARRAY(arena, Vertex, model->next_tensor + 1)};
  walk_down(&g, program, derivatives, gradients->items[0].of);
  for (int i = 0; i < gradients->count; i++)
    walk_up(&g, gradients->items[i].with_respect_to, &activity.active);
  for (int i = g.postorder.count - 1; i >= 0; i--) {
    const Tensor *tensor = g.postorder.items[i];
    tensor_set_add(&activity.useful, tensor);
    if (is_member(&activity.active, tensor)) APPEND(arena, &activity.order, tensor);
  }
  mark_cyclic(&g, &activity);
  return activity;
}

/* Tensors of the program that depend on `source` in any way, `source` included. */
static TensorSet find_dependents(const Model *model, const Program *program, Arena *arena,
                                 const Tensor *source) {
  TensorSet dependents = tensor_set_new(arena, model);
  Graph g = {.arena = arena, .vertices = NEW_ARRAY(arena, Vertex, model->next_tensor + 1)};
  for (int i = 0; i < program->equations.count; i++) {
    const Equation *equation = program->equations.items[i];
    ExprList nodes = equation_nodes(arena, equation);
    for (int k = 0; k < nodes.count; k++)
      if (is_read(nodes.items[k])) add_edge(&g, equation->target, nodes.items[k]->tensor);
  }
  vertex(&g, source)->seen = true;
  walk_up(&g, source, &dependents);
  return dependents;
}

/* The tensor of `tensors` that is read below `e`; null: none. */
static const Tensor *member_below(Arena *arena, const Expr *e, const TensorSet *tensors) {
  ExprList nodes = expr_postorder(arena, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && is_member(tensors, nodes.items[i]->tensor))
      return nodes.items[i]->tensor;
  return NULL;
}

/* A whole number carries no derivative; where it came from may say why. */
static const char *find_whole_obstacle(Arena *arena, const Tensor *tensor,
                                       const TensorSet *dependents, const Tensor **through) {
  const Equation *equation = equation_of(tensor);
  *through = tensor;
  if (!equation || reduction_is_differentiable(equation->reduction)) return "a whole number";
  const Tensor *below = member_below(arena, equation->body, dependents);
  if (below) *through = below;
  return reduction_name(equation->reduction);
}

/* What in the equation lets no derivative through to a tensor of `dependents`; null: nothing does. */
static const char *find_obstacle(Arena *arena, const Derivatives *derivatives,
                                 const Equation *equation, const TensorSet *dependents,
                                 const Tensor **through) {
  *through = member_below(arena, equation->body, dependents);
  if (*through && !reduction_is_differentiable(equation->reduction))
    return reduction_name(equation->reduction);
  ExprList nodes = expr_postorder(arena, &equation->body, 1);
  for (int i = nodes.count - 1; i >= 0; i--) {
    const Expr *e = nodes.items[i];
    for (int k = 0; k < e->count; k++) {
      if (is_differentiable(derivatives, e, k)) continue;
      *through = member_below(arena, e->args[k], dependents);
      if (*through) return e->op == OP_READ ? "a subscript" : op_spelling(e->op);
    }
    if (is_read(e) && e->type != TYPE_REAL && is_member(dependents, e->tensor))
      return find_whole_obstacle(arena, e->tensor, dependents, through);
  }
  return NULL;
}

/* Where the path is lost; equal ones are one cause. */
typedef struct Break {
  const Equation *at; /* the first from the scalar down behind which it is lost; null: none */
  const char *obstacle;
  const Tensor *through;
  const Update *update; /* the only use, where `at` is null; null: none */
  Diagnostic *diagnostic;
  const Gradient *other; /* the first with the same break */
  int others;
} Break;
typedef struct BreakList {
  Break *items;
  int count, capacity;
} BreakList;

static Break find_break(const Program *program, Arena *arena, const Derivatives *derivatives,
                        const Activity *activity, const TensorSet *dependents) {
  Break found = {0};
  for (int i = program->equations.count - 1; i >= 0; i--) {
    const Equation *equation = program->equations.items[i];
    if (!is_member(&activity->useful, equation->target)) continue;
    found.obstacle = find_obstacle(arena, derivatives, equation, dependents, &found.through);
    if (!found.obstacle) continue;
    found.at = equation;
    return found;
  }
  for (int i = 0; i < program->updates.count && !found.update; i++)
    if (is_member(dependents, program->updates.items[i].value))
      found.update = &program->updates.items[i];
  return found;
}

static void note_break(const Break *found, const Gradient *gradient, Span span) {
  Diagnostic *d = found->diagnostic;
  if (found->at) {
    diagnostic_note(d, found->at->span,
                    "'%s' reaches '%s' only through %s, which passes no derivative",
                    found->through->name, found->at->target->name, found->obstacle);
  } else if (found->update) {
    const Equation *equation = equation_of(found->update->value);
    diagnostic_note(d, equation ? equation->span : found->update->target->origin,
                    "only the update of '%s' uses it; updates carry no derivative",
                    found->update->target->name);
  } else {
    diagnostic_note(d, span, "'%s' is computed without it", gradient->of->name);
  }
}

static Span gradient_origin(const Gradient *gradient) {
  const Tensor *wanted = gradient->with_respect_to;
  return wanted->role == ROLE_PARAM && wanted->origin.end ? wanted->origin : gradient->span;
}

/* The application that made a parameter; null: none, or it was made by no equation. */
static const Instance *instance_of(const Model *model, const Tensor *parameter) {
  for (int i = 0; i < model->init.equations.count; i++) {
    const Equation *equation = model->init.equations.items[i];
    if (equation->target == parameter) return equation->instance;
  }
  return NULL;
}

/* Out of the definitions of the library to the line that applied them. */
static Span leave_library(Span span, const Instance **instance) {
  for (; *instance && (*instance)->in_library; *instance = (*instance)->caller)
    span = (*instance)->call;
  return span;
}

static void note_origin(Diagnostic *d, Span blamed, Span origin, const Instance *instance) {
  if (blamed.begin != origin.begin) diagnostic_note(d, origin, "declared here");
  for (; instance; instance = instance->caller)
    diagnostic_note(d, instance->call, "in '%s', applied here as '%s'", instance->definition,
                    instance->path);
}

/* Where a lost gradient is reported: at its parameter, or where the library's definition was applied. */
static Span blamed_for(const Model *model, const Gradient *gradient, const Instance **instance) {
  const Tensor *wanted = gradient->with_respect_to;
  *instance = wanted->role == ROLE_PARAM ? instance_of(model, wanted) : NULL;
  return leave_library(gradient_origin(gradient), instance);
}

static void report_break(Model *model, Break *found, const Gradient *gradient) {
  const Tensor *wanted = gradient->with_respect_to;
  const Instance *instance;
  Span request = gradient->span; /* of the optimizer's: where the parameter is declared */
  Span origin = gradient_origin(gradient), blamed = blamed_for(model, gradient, &instance);
  found->diagnostic =
      diagnose(model->diagnostics, NN0501, blamed, "'%s' has no differentiable path to '%s'",
               wanted->name, gradient->of->name);
  note_break(found, gradient, request.begin == origin.begin ? blamed : request);
  note_origin(found->diagnostic, blamed, origin, instance);
  if (wanted->role == ROLE_PARAM) diagnostic_help(found->diagnostic, "remove it, or `freeze` it");
}

static Break *find_same(const BreakList *breaks, const Break *found) {
  for (int i = 0; i < breaks->count; i++) {
    Break *known = &breaks->items[i];
    if (known->at == found->at && known->obstacle == found->obstacle &&
        known->update == found->update)
      return known;
  }
  return NULL;
}

static void note_others(const Model *model, const Break *found) {
  const Instance *instance;
  if (found->others == 0) return;
  Span span = blamed_for(model, found->other, &instance);
  Name name = found->other->with_respect_to->name;
  if (found->others == 1)
    diagnostic_note(found->diagnostic, span, "the same holds for '%s'", name);
  else
    diagnostic_note(found->diagnostic, span, "the same holds for '%s' and %d more", name,
                    found->others - 1);
}

void report_breaks(Model *model, const Program *program, Arena *arena,
                   const Derivatives *derivatives, const Activity *activity,
                   const GradientList *missing) {
  BreakList breaks = {0};
  for (int i = 0; i < missing->count; i++) {
    const Gradient *gradient = &missing->items[i];
    TensorSet dependents = find_dependents(model, program, arena, gradient->with_respect_to);
    Break found = find_break(program, arena, derivatives, activity, &dependents);
    Break *known = find_same(&breaks, &found);
    if (!known) {
      report_break(model, &found, gradient);
      APPEND(arena, &breaks, found);
    } else if (known->others++ == 0) {
      known->other = gradient;
    }
  }
  for (int i = 0; i < breaks.count; i++) note_others(model, &breaks.items[i]);
}
