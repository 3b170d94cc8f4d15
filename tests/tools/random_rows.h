/* Which outputs treat the samples of a batch one by one.

   {"dim": NAME, "sizes": {NAME: [OUTER, COUNT, INNER], ...}, "outputs": [NAME, ...]}: inputs, targets and outputs that
   have the batch as one dim, and those outputs each row of which is computed from the same rows of others
   alone, whatever their position: nothing reduces the batch, nothing counts with its index, nothing is
   drawn. Reordered inputs give those outputs reordered, with the same bits. */
#ifndef NNC_TESTS_RANDOM_ROWS_H
#define NNC_TESTS_RANDOM_ROWS_H

#include "equations/equation.h"

#include <jansson.h>

typedef struct Rows {
  Arena *scratch;
  const Extent *batch;
} Rows;

/* The one dim that is the batch; -1: none, -2: several. */
static inline int row_dim(const Rows *rows, const Tensor *tensor) {
  int found = -1;
  for (int k = 0; k < tensor->rank; k++)
    if (tensor->axes[k].extent == rows->batch) found = found == -1 ? k : -2;
  return found;
}

static inline bool is_row_index(const Rows *rows, const Expr *e) {
  return e->op == OP_INDEX && e->index->range == rows->batch;
}

/* The index of the row stands only where it reads the same row. */
static inline bool keeps_rows(const Rows *rows, const Expr *e) {
  if (is_read(e) && row_dim(rows, e->tensor) == -2) return false;
  for (int k = 0; k < e->count; k++) {
    bool at_row = is_read(e) && k < read_rank(e) && e->tensor->axes[k].extent == rows->batch;
    if (is_row_index(rows, e->args[k]) != at_row) return false;
  }
  return !is_row_index(rows, e) || e->count == 0;
}

static inline bool is_row_wise(const Rows *rows, const Equation *equation) {
  int64_t range;
  if (row_dim(rows, equation->target) == -2 || is_row_index(rows, equation->body)) return false;
  if (equation->body->op == OP_UNIFORM || equation->body->op == OP_NORMAL) return false;
  for (int k = 0; k < equation->reduced_count; k++)
    if (!extent_is_constant(equation->reduced[k]->range, &range)) return false;
  for (int k = 0; k < equation->var_count; k++)
    if (!extent_is_constant(equation->vars[k]->range, &range) &&
        equation->vars[k]->range != rows->batch)
      return false;
  const Expr *roots[2] = {equation->body, equation->guard};
  ExprList nodes = expr_postorder(rows->scratch, roots, equation->guard ? 2 : 1);
  for (int i = 0; i < nodes.count; i++)
    if (!keeps_rows(rows, nodes.items[i])) return false;
  return true;
}

static inline bool is_computed_by_rows(const Rows *rows, const Model *model, Tensor *output) {
  if (row_dim(rows, output) < 0) return false;
  EquationList needed = program_needed(model, &model->eval, rows->scratch, &output, 1);
  for (int i = 0; i < needed.count; i++)
    if (!is_row_wise(rows, needed.items[i])) return false;
  return true;
}

static inline void add_row_sizes(const Rows *rows, json_t *sizes, const char *name,
                                 const Tensor *tensor, const int64_t *dims) {
  int dim = row_dim(rows, tensor);
  json_int_t counts[3] = {1, 1, 1};
  if (dim < 0) return;
  for (int k = 0; k < tensor->rank; k++)
    counts[k < dim ? 0 : k == dim ? 1 : 2] *= extent_evaluate(tensor->axes[k].extent, dims);
  json_object_set_new(sizes, name, json_pack("[I, I, I]", counts[0], counts[1], counts[2]));
}

/* `dims` are the run-time sizes; null JSON where the model has no batch. */
static inline json_t *rows_of(const Model *model, const int64_t *dims) {
  if (!model->batch) return json_null();
  Rows rows = {.scratch = arena_new(), .batch = extent_dim(model->extents, model->batch)};
  json_t *sizes = json_object(), *outputs = json_array();
  for (int i = 0; i < model->tensors.count; i++) {
    const Tensor *tensor = model->tensors.items[i];
    if (tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET)
      add_row_sizes(&rows, sizes, tensor->name, tensor, dims);
  }
  for (int i = 0; i < model->eval.outputs.count; i++) {
    const Result *output = &model->eval.outputs.items[i];
    add_row_sizes(&rows, sizes, output->name, output->value, dims);
    if (is_computed_by_rows(&rows, model, output->value))
      json_array_append_new(outputs, json_string(output->name));
  }
  arena_free(rows.scratch);
  return json_pack("{s:s, s:o, s:o}", "dim", model->batch->name, "sizes", sizes, "outputs",
                   outputs);
}

#endif
