/* Description: what the emitter must know of each nest: a name, the tensors it touches outside its own
   local variables, the run-time sizes it needs, and which inlined equations it is the first to compute. */
#include "loops/loop.h"
#include "loops/regions.h"

#include <stdlib.h>

typedef struct Describer {
  Routine *routine;
  Arena *scratch;
  Nest *nest;
  Map read, written; /* of the nest: Tensor * -> itself */
  Map uncertain;     /* reads of the expression at hand: Expr * -> itself */
  Map names;         /* taken nest names */
  DimList dims;
} Describer;

static bool is_outside(const Describer *describer, const Tensor *tensor) {
  return routine_buffer(describer->routine, tensor)->place != PLACE_REGISTER;
}

/* Arrays in the caller's layout are addressed through their actual extents, and so are draws, whose samples
   an accumulating call counts on from those before. */
static void note_position(Describer *describer, const Tensor *tensor,
                          const Expr *const *subscripts) {
  const Routine *routine = describer->routine;
  const Buffer *buffer = routine_buffer(routine, tensor);
  bool counts_on = buffer->place == PLACE_DRAW && routine->kind == ROUTINE_ACCUMULATE;
  for (int dim = 0; dim < tensor->rank; dim++) {
    double number;
    bool is_first = is_number(subscripts[dim], &number) && number == 0;
    if (counts_on || !is_first)
      extent_dims(describer->scratch, buffer->strides[dim], &describer->dims);
  }
}

RangeCondition read_range(const Routine *routine, Arena *scratch, const Expr *read, int dim) {
  return condition_of_range(routine->model->exprs, scratch, read->args[dim],
                            read->tensor->axes[dim].extent);
}

/* What is asked of a subscript: of a read with a default, and of one that may be computed where the equation
   would not. */
static RangeCondition guard_of(const Describer *describer, const Expr *read, int dim) {
  if (!read_default(read) && !map_has(&describer->uncertain, read))
    return (RangeCondition){NULL, NULL};
  return read_range(describer->routine, describer->scratch, read, dim);
}

static bool is_guarded(const Describer *describer, const Expr *read, int dim) {
  RangeCondition asked = guard_of(describer, read, dim);
  return asked.low || asked.high;
}

/* Draws are no memory. */
static void find_uncertain(Describer *describer, const Expr *root) {
  Regions regions = regions_of(describer->scratch, root, NULL, NULL);
  map_init(&describer->uncertain, describer->scratch);
  for (int i = 0; i < regions.nodes.count; i++) {
    const Expr *node = regions.nodes.items[i];
    if (!is_read(node) || computation_is_certain(&regions.computations[i])) continue;
    if (routine_buffer(describer->routine, node->tensor)->place != PLACE_DRAW)
      map_put(&describer->uncertain, node, (void *)node);
  }
}

static void note_guard(Describer *describer, const Expr *read) {
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    if (guard_of(describer, read, dim).high)
      extent_dims(describer->scratch, read->tensor->axes[dim].extent, &describer->dims);
  }
}

/* The subscript of a dim that shrank away stands nowhere in the C. */
static bool is_written(const Describer *describer, const Expr *e, int argument) {
  int64_t stride;
  if (!is_read(e) || argument >= read_rank(e) || is_guarded(describer, e, argument)) return true;
  const Buffer *buffer = routine_buffer(describer->routine, e->tensor);
  return !extent_is_constant(buffer->strides[argument], &stride) || stride != 0;
}

/* The nodes below that are written, each once, users before arguments. */
static ExprList written_nodes(const Describer *describer, const Expr *root) {
  ExprList nodes = expr_postorder(describer->scratch, &root, 1), written = {0};
  Map used;
  map_init(&used, describer->scratch);
  map_put(&used, root, (void *)root);
  for (int i = nodes.count - 1; i >= 0; i--) {
    const Expr *e = nodes.items[i];
    if (!map_has(&used, e)) continue;
    APPEND(describer->scratch, &written, e);
    for (int k = 0; k < e->count; k++)
      if (is_written(describer, e, k)) map_put(&used, e->args[k], (void *)e->args[k]);
  }
  return written;
}

static void note_expression(Describer *describer, const Expr *e) {
  if (!e) return;
  find_uncertain(describer, e);
  ExprList nodes = written_nodes(describer, e);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (node->op == OP_EXTENT) extent_dims(describer->scratch, node->extent, &describer->dims);
    if (is_read(node)) note_guard(describer, node);
    if (is_read(node) && is_outside(describer, node->tensor)) {
      map_put(&describer->read, node->tensor, (void *)node->tensor);
      note_position(describer, node->tensor, node->args);
    }
  }
}

static void note_body(Describer *describer, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    note_expression(describer, node->begin);
    note_expression(describer, node->end);
    note_expression(describer, node->condition);
    note_expression(describer, node->value);
    if (node->kind == LOOP_STORE) {
      for (int dim = 0; dim < node->target->rank; dim++) {
        note_expression(describer, node->subscripts[dim]);
      }
      if (is_outside(describer, node->target)) {
        map_put(&describer->written, node->target, (void *)node->target);
        note_position(describer, node->target, node->subscripts);
      }
    }
    note_body(describer, &node->body);
  }
}

static int compare_tensors(const void *a, const void *b) {
  const Tensor *const *x = a, *const *y = b;
  return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

static TensorList sorted(Arena *arena, const Map *tensors) {
  TensorList list = {0};
  for (int i = 0; i < tensors->count; i++) APPEND(arena, &list, (Tensor *)tensors->values[i]);
  if (list.count > 1) qsort(list.items, (size_t)list.count, sizeof *list.items, compare_tensors);
  return list;
}

static Name name_nest(Describer *describer, const Nest *nest) {
  Names *names = describer->routine->model->names;
  Name wanted = nest->name ? nest->name : nest->equations.items[0]->target->name;
  Name name = wanted;
  for (int i = 2; map_has(&describer->names, name); i++) {
    name = name_format(names, "%s.%d", wanted, i);
  }
  map_put(&describer->names, name, (void *)name);
  return name;
}

static void describe_nest(Describer *describer, Nest *nest) {
  Arena *arena = describer->routine->model->arena;
  describer->nest = nest;
  map_init(&describer->read, describer->scratch);
  map_init(&describer->written, describer->scratch);
  describer->dims = (DimList){0};
  note_body(describer, &nest->body);
  nest->name = name_nest(describer, nest);
  nest->reads = sorted(arena, &describer->read);
  nest->writes = sorted(arena, &describer->written);
  nest->dims = (DimList){0};
  for (int i = 0; i < describer->dims.count; i++) {
    APPEND(arena, &nest->dims, describer->dims.items[i]);
  }
}

/* An equation without loops belongs to the first nest that is stated to compute something from it. */
static void note_first_nest(Describer *describer, Map *first, const Equation *equation,
                            Nest *nest) {
  ExprList reads = equation_reads(describer->scratch, equation);
  for (int i = 0; i < reads.count; i++) map_put(first, reads.items[i]->tensor, nest);
}

static void assign_inlined(Describer *describer) {
  Routine *routine = describer->routine;
  Map first;
  map_init(&first, describer->scratch);
  for (int i = routine->nests.count - 1; i >= 0; i--) {
    Nest *nest = routine->nests.items[i];
    nest->inlined = (EquationList){0};
    for (int k = 0; k < nest->equations.count; k++) {
      note_first_nest(describer, &first, equation_source(routine, nest->equations.items[k]), nest);
    }
  }
  for (int i = routine->inlined.count - 1; i >= 0; i--) {
    Equation *source = equation_source(routine, routine->inlined.items[i]);
    Nest *nest = map_get(&first, source->target);
    if (nest) note_first_nest(describer, &first, source, nest);
  }
  for (int i = 0; i < routine->inlined.count; i++) {
    Equation *source = equation_source(routine, routine->inlined.items[i]);
    Nest *nest = map_get(&first, source->target);
    if (nest) APPEND(routine->model->arena, &nest->inlined, source);
  }
}

void routine_describe(Routine *routine) {
  Describer describer = {.routine = routine, .scratch = arena_new()};
  map_init(&describer.names, describer.scratch);
  for (int i = 0; i < routine->nests.count; i++) describe_nest(&describer, routine->nests.items[i]);
  assign_inlined(&describer);
  arena_free(describer.scratch);
}
