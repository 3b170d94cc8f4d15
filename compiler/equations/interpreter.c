/* The calls: sizes, initial values, reading tensors, and steps, whose updates are committed together. */
#include "equations/interpreter_code.h"

#include <string.h>

Interpreter *interpreter_new(Model *model, uint64_t seed) {
  Arena *arena = arena_new();
  Interpreter *interpreter = NEW(arena, Interpreter);
  interpreter->arena = arena;
  interpreter->call = arena_new();
  interpreter->model = model;
  interpreter->seed = seed;
  interpreter->sizes = NEW_ARRAY(arena, int64_t, model->dims.count + 1);
  interpreter->maxima = NEW_ARRAY(arena, int64_t, model->dims.count + 1);
  for (int i = 0; i < model->dims.count; i++)
    interpreter->sizes[i] = interpreter->maxima[i] = model->dims.items[i]->maximum;
  for (int i = 0; i < model->checks.count; i++)
    APPEND(arena, &interpreter->checks,
           code_of_condition(interpreter, model->checks.items[i].condition));
  return interpreter;
}

void interpreter_free(Interpreter *interpreter) {
  arena_free(interpreter->call);
  arena_free(interpreter->arena);
}

void interpreter_use_f32_draws(Interpreter *interpreter, bool f32) {
  interpreter->f32_draws = f32;
}

int64_t interpreter_operations(const Interpreter *interpreter) {
  return interpreter->operations;
}

const char *interpreter_error(const Interpreter *interpreter) {
  return interpreter->error;
}

/* ---- sizes and memory -------------------------------------------------------------------------- */

void interpreter_forget(Interpreter *interpreter) {
  interpreter->error = NULL;
  for (int i = 0; i < interpreter->cells.count; i++) {
    Cell *cell = interpreter->cells.items[i];
    if (!cell) continue;
    cell->checked = false;
    if (cell->tensor->role == ROLE_VALUE || cell->tensor->role == ROLE_GRADIENT) cell_forget(cell);
  }
}

static void release_call(Interpreter *interpreter) {
  interpreter->error = NULL;
  for (int i = 0; i < interpreter->cells.count; i++) {
    Cell *cell = interpreter->cells.items[i];
    if (cell && !cell_persists(cell)) cell_release(cell);
  }
  arena_free(interpreter->call);
  interpreter->call = arena_new();
}

static bool check_sizes(Interpreter *interpreter) {
  const Model *model = interpreter->model;
  for (int i = 0; i < model->dims.count; i++) {
    int64_t size = interpreter->sizes[i];
    if (size < 1 || size > model->dims.items[i]->maximum)
      return interpreter_fail(interpreter, "dim %s is %lld, outside 1 .. %lld",
                              model->dims.items[i]->name, (long long)size,
                              (long long)model->dims.items[i]->maximum);
  }
  return true;
}

static bool check_conditions(Interpreter *interpreter) {
  for (int i = 0; i < interpreter->checks.count; i++) {
    Code *check = interpreter->checks.items[i];
    Dual holds;
    Element missing;
    code_bind(check, interpreter->sizes);
    code_evaluate(interpreter, check, 0, &holds, &missing);
    if (holds.value == 0)
      return interpreter_fail(interpreter, "%s", interpreter->model->checks.items[i].text);
  }
  return true;
}

bool interpreter_start(Interpreter *interpreter, const int64_t *sizes) {
  release_call(interpreter);
  if (interpreter->model->dims.count > 0)
    memcpy(interpreter->sizes, sizes,
           (size_t)interpreter->model->dims.count * sizeof *interpreter->sizes);
  return check_sizes(interpreter) && check_conditions(interpreter);
}

/* ---- tensors ----------------------------------------------------------------------------------- */

Dual *interpreter_tensor(Interpreter *interpreter, const Tensor *tensor) {
  Cell *cell = cell_of(interpreter, tensor);
  if (interpreter->error) return NULL;
  if (!cell->complete && !cell_evaluate(interpreter, cell)) return NULL;
  cell->checked = false; /* the caller may write */
  return cell->values;
}

int64_t interpreter_elements(Interpreter *interpreter, const Tensor *tensor) {
  Cell *cell = cell_of(interpreter, tensor);
  return cell_prepare(interpreter, cell) ? cell->count : 0;
}

int64_t interpreter_extent(Interpreter *interpreter, const Tensor *tensor, int axis) {
  Cell *cell = cell_of(interpreter, tensor);
  return cell_prepare(interpreter, cell) ? cell->extents[axis] : 0;
}

/* A model built by hand may lack the tensor. */
static Dual *step_number(Interpreter *interpreter) {
  Tensor *tensor = interpreter->model->step_number;
  if (!tensor) return &interpreter->step;
  Cell *cell = cell_of(interpreter, tensor);
  cell_prepare(interpreter, cell);
  return cell->values;
}

uint64_t interpreter_step(Interpreter *interpreter) {
  return (uint64_t)(int64_t)step_number(interpreter)->value;
}

static void evaluate_initial_values(Interpreter *interpreter) {
  const TensorList *tensors = &interpreter->model->tensors;
  for (int i = 0; i < tensors->count; i++) {
    Cell *cell = cell_of(interpreter, tensors->items[i]);
    if (!cell_persists(cell)) continue;
    if (cell->capacity > 0) memset(cell->values, 0, (size_t)cell->capacity * sizeof(Dual));
    cell_forget(cell);
  }
  for (int i = 0; i < tensors->count; i++)
    if (cell_persists(cell_of(interpreter, tensors->items[i])))
      interpreter_tensor(interpreter, tensors->items[i]);
}

bool interpreter_initialise(Interpreter *interpreter) {
  release_call(interpreter);
  interpreter->initialising = true;
  interpreter->step = (Dual){0, 0};
  evaluate_initial_values(interpreter);
  interpreter->initialising = false;
  const char *error = interpreter->error;
  release_call(interpreter);
  interpreter->error = error;
  return !error;
}

/* ---- steps ------------------------------------------------------------------------------------- */

static bool evaluate_updates(Interpreter *interpreter, const UpdateList *updates, bool live_only) {
  for (int i = 0; i < updates->count; i++) {
    if (live_only && !updates->items[i].live) continue;
    if (!interpreter_tensor(interpreter, updates->items[i].value)) return false;
  }
  return true;
}

/* The actual extents of a state may be less than what it holds: the rest stays as it is. */
static void commit(Interpreter *interpreter, const Update *update) {
  const Cell *value = cell_of(interpreter, update->value);
  Cell *target = cell_of(interpreter, update->target);
  interpreter_tensor(interpreter, update->target);
  for (int64_t i = 0; i < value->count; i++) {
    int64_t address = 0;
    for (int k = 0; k < update->target->rank; k++)
      address += i / value->strides[k] % value->extents[k] * target->strides[k];
    target->values[address].value = value->values[i].value;
  }
}

static void commit_updates(Interpreter *interpreter, const UpdateList *updates, bool live_only) {
  for (int i = 0; i < updates->count; i++)
    if (updates->items[i].live || !live_only) commit(interpreter, &updates->items[i]);
}

void interpreter_begin_step(Interpreter *interpreter) {
  interpreter_forget(interpreter);
  step_number(interpreter)->value += 1;
}

bool interpreter_finish_step(Interpreter *interpreter, int step_block, double *loss) {
  const UpdateList *of_model = &interpreter->model->train.updates;
  const Step *step = &interpreter->model->steps.items[step_block];
  const Dual *value = interpreter_tensor(interpreter, step->loss);
  if (!value || !evaluate_updates(interpreter, of_model, false) ||
      !evaluate_updates(interpreter, &step->updates, false))
    return false;
  *loss = value->value;
  commit_updates(interpreter, of_model, false);
  commit_updates(interpreter, &step->updates, false);
  return true;
}

bool interpreter_finish_inference(Interpreter *interpreter) {
  const UpdateList *updates = &interpreter->model->eval.updates;
  if (!evaluate_updates(interpreter, updates, true)) return false;
  commit_updates(interpreter, updates, true);
  return true;
}
