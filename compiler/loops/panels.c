/* Panels in memory: subscripts of what is kept in panels become places. */
#include "loops/panels.h"

#include "loops/rewrite.h"

const Panels *routine_panels(const Routine *routine, const Tensor *tensor) {
  return map_get(&routine->panels, tensor);
}

int64_t panels_size(const Tensor *tensor, const Panels *panels, int dim) {
  int last = tensor->rank - 1;
  if (dim == last) return panels->width;
  if (dim == tensor->rank) return extent_maximum(tensor->axes[last].extent) / panels->width;
  return extent_maximum(tensor->axes[dim].extent);
}

int64_t panels_stride(const Tensor *tensor, const Panels *panels, int dim) {
  int64_t stride = 1;
  for (int level = tensor->rank; panels->order[level] != dim; level--)
    stride *= panels_size(tensor, panels, panels->order[level]);
  return stride;
}

bool has_panels(const Tensor *tensor, const Panels *panels) {
  return panels_size(tensor, panels, tensor->rank) > 1;
}

void panels_print(const Tensor *tensor, const Panels *panels, const char *between, Text *text) {
  bool is_first = true;
  for (int level = 0; level <= tensor->rank; level++) {
    int dim = panels->order[level];
    if (dim == tensor->rank && !has_panels(tensor, panels)) continue;
    text_add(text, "%s%lld", is_first ? "" : between, (long long)panels_size(tensor, panels, dim));
    is_first = false;
  }
}

int64_t panel_width(const Routine *routine, const Tensor *tensor) {
  const Panels *panels = routine_panels(routine, tensor);
  return panels && has_panels(tensor, panels) ? panels->width : 0;
}

typedef struct Entering {
  Routine *routine;
  Arena *scratch;
} Entering;

static const Expr *const *enter(const Entering *entering, const Tensor *tensor,
                                const Expr *const *subscripts) {
  Model *model = entering->routine->model;
  ExprTable *exprs = model->exprs;
  const Tensor *memory = memory_of(entering->routine, tensor);
  int64_t width = panel_width(entering->routine, memory);
  int last = tensor->rank - 1;
  if (width == 0) return subscripts;
  const Expr **entered =
      arena_copy(model->arena, subscripts, sizeof *subscripts * (size_t)(last + 1));
  const Expr *whole = expr_integer(exprs, width);
  const Expr *begin = expr_binary(
      exprs, OP_MUL, expr_binary(exprs, OP_IDIV, subscripts[last], whole),
      expr_integer(exprs,
                   panels_stride(memory, routine_panels(entering->routine, memory), memory->rank)));
  entered[last] =
      expr_binary(exprs, OP_ADD, begin, expr_binary(exprs, OP_MOD, subscripts[last], whole));
  return entered;
}

static const Expr *enter_read(void *context, const Expr *leaf) {
  const Entering *entering = context;
  if (!is_read(leaf) || leaf->tensor->rank == 0) return leaf;
  const Expr *const *subscripts = enter(entering, leaf->tensor, leaf->args);
  return subscripts == leaf->args ? leaf
                                  : expr_read(entering->routine->model->exprs, leaf->tensor,
                                              subscripts, read_default(leaf));
}

static void enter_body(Entering *entering, LoopBody *body) {
  ExprTable *exprs = entering->routine->model->exprs;
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    if (node->value)
      node->value = expr_rewrite(exprs, entering->scratch, node->value, enter_read, entering);
    if (node->condition)
      node->condition =
          expr_rewrite(exprs, entering->scratch, node->condition, enter_read, entering);
    if (node->kind == LOOP_STORE && node->target->rank > 0)
      node->subscripts = enter(entering, node->target, node->subscripts);
    enter_body(entering, &node->body);
  }
}

void routine_enter_panels(Routine *routine) {
  if (routine->panels.count == 0) return;
  Entering entering = {routine, arena_new()};
  for (int i = 0; i < routine->nests.count; i++)
    enter_body(&entering, &routine->nests.items[i]->body);
  arena_free(entering.scratch);
}
