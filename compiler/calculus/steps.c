/* Steps: components of equations that read each other, then labels that spread along reads at the same step. */
#include "calculus/steps.h"

#include "calculus/activity.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/components.h"

/* An equation, and what is known of its target: the dim that steps. */
typedef struct Vertex {
  const Equation *equation;
  ExprList reads;
  int position;       /* among the nodes */
  int cycle;          /* the equations of one have the same; 0: none */
  int depth;          /* of the chain of equations below: cycles count as one */
  int dim;            /* -1: none */
  int direction, age; /* of the recurrence, and its depth */
} Vertex;

typedef LIST_OF(Vertex *) VertexList;

struct Stepping {
  Model *model;
  Arena *scratch;
  Map nodes;          /* target Tensor * -> Vertex *, in the order of the program */
  VertexList ordered; /* by components, those that are read first */
  int cycles;
};

static Vertex *node_of(const Stepping *s, const Tensor *tensor) {
  return map_get(&s->nodes, tensor);
}

static void add_node(Stepping *s, const Equation *equation) {
  Vertex *node = NEW(s->scratch, Vertex);
  *node = (Vertex){.equation = equation, .position = s->nodes.count, .dim = -1};
  ExprList all = equation_nodes(s->scratch, equation);
  for (int i = 0; i < all.count; i++)
    if (is_read(all.items[i])) APPEND(s->scratch, &node->reads, all.items[i]);
  map_put(&s->nodes, equation->target, node);
}

static bool reads_itself(const Vertex *node) {
  for (int i = 0; i < node->reads.count; i++)
    if (node->reads.items[i]->tensor == node->equation->target) return true;
  return false;
}

/* ---- cycles ---- */

static int depth_below(const Stepping *s, const Vertex *node) {
  int depth = 0;
  for (int i = 0; i < node->reads.count; i++) {
    const Vertex *read = node_of(s, node->reads.items[i]->tensor);
    if (read && read->depth > depth) depth = read->depth;
  }
  return depth;
}

static int read_vertex(void *context, int node, int i) {
  const Stepping *s = context;
  const Vertex *vertex = s->nodes.values[node];
  if (i == vertex->reads.count) return EDGE_END;
  const Vertex *read = node_of(s, vertex->reads.items[i]->tensor);
  return read ? read->position : EDGE_NOWHERE;
}

static void take_component(void *context, const int *members, int count) {
  Stepping *s = context;
  int depth = 0;
  bool is_cycle = count > 1 || reads_itself(s->nodes.values[members[0]]);
  s->cycles += is_cycle;
  for (int i = 0; i < count; i++) {
    int below = depth_below(s, s->nodes.values[members[i]]);
    if (below > depth) depth = below;
  }
  for (int i = 0; i < count; i++) {
    Vertex *node = s->nodes.values[members[i]];
    node->cycle = is_cycle ? s->cycles : 0;
    node->depth = depth + 1;
    APPEND(s->scratch, &s->ordered, node);
  }
}

static void find_cycles(Stepping *s) {
  ComponentGraph graph = {s, s->nodes.count, read_vertex, take_component};
  ComponentWalk *walk = components_new(s->scratch, &graph);
  for (int i = 0; i < s->nodes.count; i++) components_visit(walk, i);
}

/* ---- labels ---- */

static bool set_label(Vertex *node, int dim, int direction, int age) {
  if (dim < 0 || node->dim >= 0) return false;
  node->dim = dim;
  node->direction = direction;
  node->age = age;
  return true;
}

/* A read of the cycle at another step. */
static void label_shift(Stepping *s, Vertex *node, const Expr *read) {
  const Vertex *other = node_of(s, read->tensor);
  if (!other || node->cycle == 0 || other->cycle != node->cycle) return;
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    int64_t shift;
    const Index *index = shifted_index(s->model->exprs, s->scratch, read->args[dim], &shift);
    if (index && shift != 0)
      set_label(node, equation_dim_of(node->equation, index), shift < 0 ? 1 : -1, node->depth);
  }
}

/* What reads a value at its step steps along; in a cycle, only with the cycle. */
static bool label_along(Stepping *s, Vertex *node, const Expr *read) {
  const Vertex *other = node_of(s, read->tensor);
  if (!other || other->dim < 0 || (node->cycle && node->cycle != other->cycle)) return false;
  return set_label(node, equation_dim_of(node->equation, lone_index(read->args[other->dim])),
                   other->direction, other->age);
}

/* The label of the deepest recurrence that it reads. */
static void label_outside(Stepping *s, Vertex *node) {
  for (int i = 0; i < node->reads.count; i++) {
    const Expr *read = node->reads.items[i];
    const Vertex *other = node_of(s, read->tensor);
    if (!other || other->dim < 0 || (node->dim >= 0 && other->age <= node->age)) continue;
    int dim = equation_dim_of(node->equation, lone_index(read->args[other->dim]));
    if (dim < 0) continue;
    node->dim = -1;
    set_label(node, dim, other->direction, other->age);
  }
}

static void label_cycle(Stepping *s, int first, int end) {
  for (int i = first; i < end; i++)
    for (int r = 0; r < s->ordered.items[i]->reads.count; r++)
      label_shift(s, s->ordered.items[i], s->ordered.items[i]->reads.items[r]);
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = first; i < end; i++)
      for (int r = 0; r < s->ordered.items[i]->reads.count; r++)
        changed |= label_along(s, s->ordered.items[i], s->ordered.items[i]->reads.items[r]);
  }
}

static void label_all(Stepping *s) {
  for (int i = 0, end; i < s->ordered.count; i = end) {
    int cycle = s->ordered.items[i]->cycle;
    end = i + 1;
    while (cycle && end < s->ordered.count && s->ordered.items[end]->cycle == cycle) end++;
    if (cycle)
      label_cycle(s, i, end);
    else
      label_outside(s, s->ordered.items[i]);
  }
}

Stepping *stepping_new(Model *model, Arena *scratch, const Program *program) {
  Stepping *s = NEW(scratch, Stepping);
  s->model = model;
  s->scratch = scratch;
  map_init(&s->nodes, scratch);
  for (int i = 0; i < program->equations.count; i++) add_node(s, program->equations.items[i]);
  find_cycles(s);
  if (s->cycles > 0) label_all(s);
  return s;
}

static bool is_reduced(const Equation *equation, const Index *index) {
  for (int i = 0; i < equation->reduced_count; i++)
    if (equation->reduced[i] == index) return true;
  return false;
}

const Index *stepping_sum(const Stepping *s, const Equation *equation, int *direction) {
  const Vertex *node = node_of(s, equation->target);
  const Index *found = NULL;
  int age = 0;
  for (int i = 0; i < node->reads.count; i++) {
    const Expr *read = node->reads.items[i];
    const Vertex *other = node_of(s, read->tensor);
    if (!other || other->dim < 0 || other->age < age) continue;
    const Index *index = lone_index(read->args[other->dim]);
    if (!index || !is_reduced(equation, index)) continue;
    bool disagrees =
        found && other->age == age && (index != found || other->direction != *direction);
    if (disagrees) return NULL;
    found = index;
    age = other->age;
    *direction = other->direction;
  }
  return found;
}

bool stepping_counts(const Stepping *s, const Equation *equation, const Index *variable) {
  int dim = equation_dim_of(equation, variable);
  return dim >= 0 && dim == node_of(s, equation->target)->dim;
}

bool stepping_joins(const Stepping *s, const Tensor *a, const Tensor *b) {
  const Vertex *first = node_of(s, a), *second = node_of(s, b);
  return first && second && first->cycle && first->cycle == second->cycle;
}
