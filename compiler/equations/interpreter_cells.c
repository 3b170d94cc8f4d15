/* Cells: the memory of tensors, their extents at the sizes in force, and what is checked when all of
   their elements are known. */
#include "equations/interpreter_code.h"

#include <math.h>
#include <string.h>

bool interpreter_fail(Interpreter *interpreter, const char *text, ...) {
  if (interpreter->error) return false;
  va_list arguments;
  va_start(arguments, text);
  interpreter->error = arena_format_list(interpreter->arena, text, arguments);
  va_end(arguments);
  return false;
}

const char *element_name(Interpreter *interpreter, Element element) {
  Text text;
  text_init(&text, interpreter->arena);
  text_add(&text, "%s", element.cell->tensor->name);
  for (int k = 0; k < element.cell->tensor->rank; k++) {
    int64_t subscript = element.address / element.cell->strides[k] % element.cell->extents[k];
    text_add(&text, "%s%lld", k ? ", " : "[", (long long)subscript);
  }
  if (element.cell->tensor->rank) text_add(&text, "]");
  return text.bytes;
}

/* ---- memory ------------------------------------------------------------------------------------ */

bool cell_persists(const Cell *cell) {
  switch (cell->tensor->role) {
  case ROLE_PARAM:
  case ROLE_STATE:
  case ROLE_SLOT:
  case ROLE_CONST:
  case ROLE_HYPER:
  case ROLE_STEP: return true;
  case ROLE_INPUT:
  case ROLE_TARGET:
  case ROLE_VALUE:
  case ROLE_GRADIENT: break;
  }
  return false;
}

Cell *cell_of(Interpreter *interpreter, const Tensor *tensor) {
  while (interpreter->cells.count <= tensor->id)
    APPEND(interpreter->arena, &interpreter->cells, NULL);
  Cell **cell = &interpreter->cells.items[tensor->id];
  if (!*cell) {
    *cell = NEW(interpreter->arena, Cell);
    (*cell)->tensor = tensor;
  }
  return *cell;
}

static bool is_defined(const Interpreter *interpreter, const Tensor *tensor) {
  if (tensor->role == ROLE_VALUE || tensor->role == ROLE_GRADIENT) return true;
  return interpreter->initialising && tensor->definition;
}

static const int64_t *sizes_of(const Interpreter *interpreter, const Cell *cell) {
  bool largest = interpreter->initialising || cell_persists(cell);
  return largest ? interpreter->maxima : interpreter->sizes;
}

static void take_extents(const Interpreter *interpreter, Cell *cell) {
  cell->count = 1;
  for (int k = cell->tensor->rank - 1; k >= 0; k--) {
    cell->extents[k] = extent_evaluate(cell->tensor->axes[k].extent, sizes_of(interpreter, cell));
    cell->strides[k] = cell->count;
    cell->count *= cell->extents[k];
  }
}

static void take_memory(Interpreter *interpreter, Cell *cell) {
  if (cell->values && cell->count <= cell->capacity) return;
  Arena *arena = cell_persists(cell) ? interpreter->arena : interpreter->call;
  cell->values = NEW_ARRAY(arena, Dual, cell->count);
  cell->states = NEW_ARRAY(arena, unsigned char, cell->count);
  cell->capacity = cell->count;
}

/* Tensors without an equation are known from the start: given numbers, or 0 until they are set. */
static void set_given_values(Cell *cell) {
  const Tensor *tensor = cell->tensor;
  cell->complete = true;
  if (tensor->role == ROLE_HYPER) cell->values[0].value = tensor->initial;
  if (tensor->role == ROLE_CONST)
    for (int64_t i = 0; i < cell->count; i++) cell->values[i].value = tensor->values[i];
}

static bool prepare_code(Interpreter *interpreter, Cell *cell) {
  const Tensor *tensor = cell->tensor;
  if (!tensor->definition) return interpreter_fail(interpreter, "%s has no equation", tensor->name);
  if (!cell->code) cell->code = code_of_equation(interpreter, tensor->definition);
  code_bind(cell->code, sizes_of(interpreter, cell));
  return true;
}

bool cell_prepare(Interpreter *interpreter, Cell *cell) {
  if (cell->complete) return true;
  take_extents(interpreter, cell);
  take_memory(interpreter, cell);
  if (is_defined(interpreter, cell->tensor)) return prepare_code(interpreter, cell);
  set_given_values(cell);
  return true;
}

void cell_forget(Cell *cell) {
  cell->complete = cell->checked = false;
  if (cell->states) memset(cell->states, ELEMENT_UNKNOWN, (size_t)cell->capacity);
}

void cell_release(Cell *cell) {
  cell->complete = cell->checked = false;
  cell->values = NULL;
  cell->states = NULL;
  cell->capacity = 0;
}

/* ---- when all elements are known --------------------------------------------------------------- */

static bool fail_promise(Interpreter *interpreter, Cell *cell, int64_t address, double low,
                         double high) {
  return interpreter_fail(interpreter, "%s is %.17g, outside its promise %.17g .. %.17g",
                          element_name(interpreter, (Element){cell, address}),
                          cell->values[address].value, low, high - 1);
}

bool cell_check(Interpreter *interpreter, Cell *cell) {
  const Tensor *tensor = cell->tensor;
  if (!tensor->low || cell->checked) return true;
  double low = (double)extent_evaluate(tensor->low, sizes_of(interpreter, cell));
  double high = (double)extent_evaluate(tensor->high, sizes_of(interpreter, cell));
  for (int64_t i = 0; i < cell->count; i++) {
    double value = cell->values[i].value;
    bool kept = value >= low && value < high && value == floor(value);
    if (!kept) return fail_promise(interpreter, cell, i, low, high);
  }
  cell->checked = true;
  return true;
}

/* `count` vectors of `length` elements; element k of vector v is at base[v*between + k*within]. */
typedef struct Vectors {
  Dual *base;
  int64_t count, length, between, within;
} Vectors;

static double inner_product(const Vectors *vectors, int64_t a, int64_t b) {
  double sum = 0;
  for (int64_t k = 0; k < vectors->length; k++)
    sum += vectors->base[a * vectors->between + k * vectors->within].value *
           vectors->base[b * vectors->between + k * vectors->within].value;
  return sum;
}

static void subtract_multiple(const Vectors *vectors, int64_t a, double factor, int64_t b) {
  for (int64_t k = 0; k < vectors->length; k++)
    vectors->base[a * vectors->between + k * vectors->within].value -=
        factor * vectors->base[b * vectors->between + k * vectors->within].value;
}

static void scale_vector(const Vectors *vectors, int64_t a, double factor) {
  for (int64_t k = 0; k < vectors->length; k++)
    vectors->base[a * vectors->between + k * vectors->within].value *= factor;
}

/* Modified Gram-Schmidt, each vector against the ones before it, twice (Giraud et al., 2005). */
static void orthonormalise(const Vectors *vectors, double gain) {
  for (int64_t v = 0; v < vectors->count; v++) {
    for (int64_t u = 0; u < 2 * v; u++)
      subtract_multiple(vectors, v, inner_product(vectors, v, u % v), u % v);
    scale_vector(vectors, v, 1 / sqrt(inner_product(vectors, v, v)));
  }
  for (int64_t v = 0; v < vectors->count; v++) scale_vector(vectors, v, gain);
}

/* One matrix over the first and the last axis for each point of the axes between them; its rows or its
   columns become orthonormal, whichever are fewer. */
static void orthogonalise(Cell *cell) {
  int last = cell->tensor->rank - 1;
  if (last < 1) return;
  int64_t rows = cell->extents[0], columns = cell->extents[last];
  for (int64_t middle = 0; middle < cell->strides[0] / columns; middle++) {
    Vectors by_row = {cell->values + middle * columns, rows, columns, cell->strides[0], 1};
    Vectors by_column = {by_row.base, columns, rows, 1, cell->strides[0]};
    orthonormalise(rows <= columns ? &by_row : &by_column, cell->tensor->orthogonal_gain);
  }
}

bool cell_finish(Interpreter *interpreter, Cell *cell) {
  if (interpreter->initialising && cell->tensor->orthogonal_gain != 0) orthogonalise(cell);
  return cell_check(interpreter, cell);
}
