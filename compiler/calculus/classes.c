/* Classes of dims: sets that are united as equations are read (Galler & Fischer 1964). */
#include "calculus/classes.h"

#include "calculus/activity.h"
#include "calculus/variables.h"
#include "equations/affine.h"

/* The dims of a tensor have numbers that follow each other; a variable has that of a dim it addresses. */
typedef struct Numbered {
  int first;
} Numbered;

struct Classes {
  Arena *arena;
  Map numbered; /* Tensor * -> Numbered * */
  LIST_OF(int) parents;
  Map variables; /* Index * -> Numbered * */
};

static const Numbered *number_of(Classes *c, const Tensor *tensor) {
  Numbered *numbered = map_get(&c->numbered, tensor);
  if (numbered) return numbered;
  numbered = NEW(c->arena, Numbered);
  numbered->first = c->parents.count;
  for (int dim = 0; dim < tensor->rank; dim++) APPEND(c->arena, &c->parents, numbered->first + dim);
  map_put(&c->numbered, tensor, numbered);
  return numbered;
}

static int find(const Classes *c, int number) {
  while (c->parents.items[number] != number) {
    c->parents.items[number] = c->parents.items[c->parents.items[number]];
    number = c->parents.items[number];
  }
  return number;
}

/* The variable alone addresses this dim. */
static void note(Classes *c, const Index *variable, const Tensor *tensor, int dim) {
  int number = number_of(c, tensor)->first + dim;
  const Numbered *known = map_get(&c->variables, variable);
  if (known) {
    c->parents.items[find(c, number)] = find(c, known->first);
    return;
  }
  Numbered *first = NEW(c->arena, Numbered);
  first->first = number;
  map_put(&c->variables, variable, first);
}

static void note_equation(Classes *c, const Equation *equation) {
  number_of(c, equation->target);
  for (int i = 0; i < equation->var_count; i++) {
    int dim = equation_dim_of(equation, equation->vars[i]);
    if (dim >= 0) note(c, equation->vars[i], equation->target, dim);
  }
  ExprList nodes = equation_nodes(c->arena, equation);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *read = nodes.items[i];
    if (!is_read(read)) continue;
    number_of(c, read->tensor);
    for (int dim = 0; dim < read->tensor->rank; dim++) {
      const Index *variable = lone_index(read->args[dim]);
      if (variable) note(c, variable, read->tensor, dim);
    }
  }
}

Classes *classes_of(Arena *arena, const EquationList *equations) {
  Classes *c = NEW(arena, Classes);
  c->arena = arena;
  map_init(&c->numbered, arena);
  map_init(&c->variables, arena);
  for (int i = 0; i < equations->count; i++) note_equation(c, equations->items[i]);
  return c;
}

int classes_count(const Classes *classes) {
  return classes->parents.count;
}

/* How many dims are of the class, the last of them in `*found`. */
static int find_dims(const Classes *c, const Tensor *tensor, int class, int *found) {
  const Numbered *numbered = map_get(&c->numbered, tensor);
  int count = 0;
  for (int dim = 0; numbered && dim < tensor->rank; dim++)
    if (find(c, numbered->first + dim) == class) {
      *found = dim;
      count++;
    }
  return count;
}

int class_dims(const Classes *classes, const Tensor *tensor, int class) {
  int ignored;
  return find_dims(classes, tensor, class, &ignored);
}

int class_dim(const Classes *classes, const Tensor *tensor, int class) {
  int dim = -1;
  return find_dims(classes, tensor, class, &dim) == 1 ? dim : -1;
}

int class_along(const Classes *classes, const Index *variable) {
  const Numbered *known = map_get(&classes->variables, variable);
  return known ? find(classes, known->first) : -1;
}

const Index *class_variable(const Classes *classes, const Equation *equation, int class) {
  for (int i = 0; i < equation->var_count; i++)
    if (class_along(classes, equation->vars[i]) == class) return equation->vars[i];
  for (int i = 0; i < equation->reduced_count; i++)
    if (class_along(classes, equation->reduced[i]) == class) return equation->reduced[i];
  return NULL;
}

int classes_tensor_count(const Classes *classes) {
  return classes->numbered.count;
}

const Tensor *classes_tensor(const Classes *classes, int position) {
  return classes->numbered.keys[position];
}
