/* What an entry point computes: the roots of each kind of routine and the equations they need. */
#include "loops/loop.h"

#include <math.h>

static bool keeps_update(const Routine *routine, const Update *update) {
  switch (routine->kind) {
  case ROUTINE_TRAIN:
  case ROUTINE_ACCUMULATE: return true;
  case ROUTINE_INFER: return update->live;
  case ROUTINE_INIT:
  case ROUTINE_APPLY:
  case ROUTINE_EVAL: return false;
  }
  return false;
}

static void append_updates(Routine *routine, const UpdateList *updates) {
  for (int i = 0; i < updates->count; i++) {
    APPEND(routine->model->arena, &routine->updates, updates->items[i]);
  }
}

static void collect_updates(Routine *routine) {
  Arena *arena = routine->model->arena;
  const UpdateList *own = &routine->program->updates;
  for (int i = 0; i < own->count; i++) {
    if (keeps_update(routine, &own->items[i])) APPEND(arena, &routine->updates, own->items[i]);
  }
  if (!routine->step) return;
  switch (routine->kind) {
  case ROUTINE_TRAIN: append_updates(routine, &routine->step->updates); break;
  case ROUTINE_ACCUMULATE: append_updates(routine, &routine->step->accumulation); break;
  case ROUTINE_APPLY: append_updates(routine, &routine->step->application); break;
  default: break;
  }
}

static double count_changed(const Routine *routine) {
  double numbers = 0;
  for (int i = 0; i < routine->updates.count; i++)
    numbers += tensor_volume(routine->updates.items[i].target);
  return numbers;
}

static void add_results(Map *roots, const ResultList *results) {
  for (int i = 0; i < results->count; i++)
    map_put(roots, results->items[i].value, results->items[i].value);
}

Tensor *routine_loss(const Routine *routine) {
  if (routine->kind == ROUTINE_EVAL) return routine->program->loss;
  bool trains = routine->kind == ROUTINE_TRAIN || routine->kind == ROUTINE_ACCUMULATE;
  if (!trains) return NULL;
  return routine->step ? routine->step->loss : routine->program->loss;
}

/* Init starts from memory that is all zero. */
static bool is_zero(const Equation *equation) {
  double value;
  return is_number(equation->body, &value) && value == 0 && !signbit(value);
}

static void add_initial(Map *roots, const EquationList *equations) {
  for (int i = 0; i < equations->count; i++) {
    Tensor *target = equations->items[i]->target;
    bool kept = target->role != ROLE_VALUE;
    if (kept && !is_zero(equations->items[i])) map_put(roots, target, target);
  }
}

static void collect_roots(Routine *routine) {
  Tensor *loss = routine_loss(routine);
  if (loss) map_put(&routine->roots, loss, loss);
  if (routine->kind == ROUTINE_EVAL) add_results(&routine->roots, &routine->program->metrics);
  if (routine->kind == ROUTINE_INFER) add_results(&routine->roots, &routine->program->outputs);
  if (routine->kind == ROUTINE_INIT) add_initial(&routine->roots, &routine->program->equations);
  for (int i = 0; i < routine->updates.count; i++) {
    Tensor *value = routine->updates.items[i].value;
    map_put(&routine->roots, value, value);
  }
}

Routine *routine_new(Model *model, RoutineKind kind, const Step *step) {
  Routine *routine = NEW(model->arena, Routine);
  routine->kind = kind;
  routine->model = model;
  routine->step = step;
  routine->program = kind == ROUTINE_INIT                            ? &model->init
                     : kind == ROUTINE_EVAL || kind == ROUTINE_INFER ? &model->eval
                                                                     : &model->train;
  map_init(&routine->roots, model->arena);
  map_init(&routine->buffers, model->arena);
  map_init(&routine->recurrences, model->arena);
  map_init(&routine->carried, model->arena);
  map_init(&routine->segments, model->arena);
  map_init(&routine->made, model->arena);
  map_init(&routine->orders, model->arena);
  map_init(&routine->epilogues, model->arena);
  map_init(&routine->sources, model->arena);
  map_init(&routine->panels, model->arena);
  map_init(&routine->watched, model->arena);
  collect_updates(routine);
  collect_roots(routine);
  routine->changed_numbers = count_changed(routine);
  return routine;
}

bool routine_computes(const Routine *routine, const Tensor *tensor) {
  if (routine->kind == ROUTINE_INIT) return tensor->definition != NULL;
  bool computed = tensor->role == ROLE_VALUE || tensor->role == ROLE_GRADIENT;
  return computed && tensor->definition != NULL;
}

int routine_updates_begin(const Routine *routine) {
  return routine->nests_before_updates > routine->nests_before_commit
             ? routine->nests_before_updates
             : routine->nests_before_commit;
}

const Buffer *routine_buffer(const Routine *routine, const Tensor *tensor) {
  const Buffer *buffer = map_get(&routine->buffers, tensor);
  if (!buffer) bug("no place for '%s'", tensor->name);
  return buffer;
}

Equation *equation_source(const Routine *routine, Equation *equation) {
  for (Equation *source = equation; source; source = map_get(&routine->sources, source))
    equation = source;
  return equation;
}

static double volume_of(const Index *const *indices, int count) {
  double volume = 1;
  for (int i = 0; i < count; i++) volume *= (double)extent_maximum(indices[i]->range);
  return volume;
}

double equation_volume(const Equation *equation) {
  return volume_of(equation->vars, equation->var_count) *
         volume_of(equation->reduced, equation->reduced_count);
}

double tensor_volume(const Tensor *tensor) {
  double volume = 1;
  for (int dim = 0; dim < tensor->rank; dim++)
    volume *= (double)extent_maximum(tensor->axes[dim].extent);
  return volume;
}
