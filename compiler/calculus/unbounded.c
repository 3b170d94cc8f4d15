/* A walk down the operands that can make a value infinite. */
#include "calculus/unbounded.h"

#include "calculus/activity.h"

#include <math.h>

typedef struct Search {
  Arena *scratch;
  Map seen;
  LIST_OF(const Expr *) pending;
} Search;

static void follow(Search *search, const Expr *e) {
  if (map_has(&search->seen, e)) return;
  map_put(&search->seen, e, search);
  APPEND(search->scratch, &search->pending, e);
}

static bool has_infinite_element(const Tensor *table) {
  int64_t count = 1;
  for (int dim = 0; dim < table->rank; dim++) count *= extent_maximum(table->axes[dim].extent);
  for (int64_t i = 0; i < count; i++)
    if (isinf(table->values[i])) return true;
  return false;
}

static bool may_be_empty(const Equation *equation) {
  bool extreme = equation->reduction == REDUCE_MAX || equation->reduction == REDUCE_MIN;
  return equation->guard && (extreme || equation->reduction == REDUCE_LSE);
}

/* The same for all elements. */
static bool is_scalar(Arena *scratch, const Expr *e) {
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && read_rank(nodes.items[i]) > 0) return false;
  return true;
}

static bool is_source(Arena *scratch, const Expr *e) {
  if (e->op == OP_NUMBER) return isinf(e->number);
  if (e->op == OP_LOG || e->op == OP_LOG1P) return !is_scalar(scratch, e);
  if (!is_read(e) || e->type != TYPE_REAL) return false;
  const Tensor *tensor = e->tensor;
  const Equation *equation = equation_of(tensor);
  if (equation) return may_be_empty(equation);
  if (tensor->role == ROLE_CONST) return has_infinite_element(tensor);
  return tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET || tensor->role == ROLE_STATE;
}

static void follow_scaled(Search *search, const Expr *e, const Expr *scale) {
  if (is_scalar(search->scratch, scale)) follow(search, e);
}

static void follow_read(Search *search, const Expr *read) {
  const Equation *equation = equation_of(read->tensor);
  if (read_default(read)) follow(search, read_default(read));
  if (equation && equation->reduction != REDUCE_PROD) follow(search, equation->body);
}

static void follow_operands(Search *search, const Expr *e) {
  switch (e->op) {
  case OP_READ: follow_read(search, e); break;
  case OP_SELECT:
    follow(search, e->args[1]);
    follow(search, e->args[2]);
    break;
  case OP_ADD:
  case OP_SUB:
  case OP_MIN:
  case OP_MAX:
    follow(search, e->args[0]);
    follow(search, e->args[1]);
    break;
  case OP_NEGATE:
  case OP_REAL:
  case OP_STOP: follow(search, e->args[0]); break;
  case OP_MUL:
    follow_scaled(search, e->args[0], e->args[1]);
    follow_scaled(search, e->args[1], e->args[0]);
    break;
  case OP_DIV: follow_scaled(search, e->args[0], e->args[1]); break;
  default: break;
  }
}

bool may_be_infinite(Arena *scratch, const Expr *e) {
  Search search = {.scratch = scratch};
  map_init(&search.seen, scratch);
  follow(&search, e);
  while (search.pending.count > 0) {
    const Expr *next = search.pending.items[--search.pending.count];
    if (is_source(scratch, next)) return true;
    follow_operands(&search, next);
  }
  return false;
}
