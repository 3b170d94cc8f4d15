/* The stack holds expressions that are 0 wherever the one asked about is, with how many definitions they are from it. */
#include "calculus/support.h"

#include "calculus/activity.h"
#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "calculus/known.h"
#include "calculus/variables.h"

enum { MOST_DEFINITIONS = 4 /* that are looked through, one behind the other */ };

typedef struct Part {
  const Expr *e;
  int depth;
} Part;

typedef struct Search {
  Model *model;
  Arena *arena;
  LIST_OF(Part) stack;
  ExprList found;
} Search;

bool links_indices(Arena *scratch, const Expr *condition) {
  IndexList used = {0};
  if (condition->op != OP_LT && condition->op != OP_LE) return false;
  if (condition->args[0]->type != TYPE_INT || expr_reads_tensors(scratch, condition)) return false;
  expr_indices(scratch, condition, &used);
  return used.count > 1;
}

static void find_conditions(Search *search, const Expr *condition) {
  ExprList parts = {0};
  condition_conjuncts(search->arena, condition, &parts);
  for (int i = 0; i < parts.count; i++)
    if (!expr_reads_tensors(search->arena, parts.items[i]))
      conditions_add(search->arena, &search->found, parts.items[i]);
}

static void push(Search *search, const Expr *e, int depth) {
  APPEND(search->arena, &search->stack, (Part){e, depth});
}

/* A sum is 0 where its guard, as far as it is on variables of the target, does not hold. */
static void find_guard(Search *search, const Equation *equation, const Expr *read) {
  ExprList parts = {0};
  condition_conjuncts(search->arena, equation->guard, &parts);
  for (int i = 0; i < parts.count; i++) {
    bool is_fixed = true;
    for (int k = 0; k < equation->reduced_count; k++)
      is_fixed = is_fixed && !expr_uses_index(search->arena, parts.items[i], equation->reduced[k]);
    if (is_fixed)
      find_conditions(
          search, equation_at_read(search->model, search->arena, equation, read, parts.items[i]));
  }
}

static void look_behind(Search *search, const Expr *read, int depth) {
  const Equation *equation = equation_of(read->tensor);
  if (!equation || read_default(read) || depth == MOST_DEFINITIONS) return;
  if (equation->var_count != read->tensor->rank) return;
  if (equation->reduction == REDUCE_SUM) find_guard(search, equation, read);
  if (equation->reduction != REDUCE_NONE) return;
  push(search, equation_at_read(search->model, search->arena, equation, read, equation->body),
       depth + 1);
}

static void look_at(Search *search, Part part) {
  const Expr *e = part.e;
  switch (e->op) {
  case OP_MUL:
    push(search, e->args[1], part.depth);
    push(search, e->args[0], part.depth);
    break;
  case OP_DIV:
  case OP_NEGATE: push(search, e->args[0], part.depth); break;
  case OP_SELECT:
    if (!is_literal(e->args[2], 0)) break;
    find_conditions(search, e->args[0]);
    push(search, e->args[1], part.depth);
    break;
  case OP_READ: look_behind(search, e, part.depth); break;
  default: break;
  }
}

ExprList expr_support(Model *model, Arena *arena, const Expr *e) {
  Search search = {.model = model, .arena = arena};
  push(&search, e, 0);
  while (search.stack.count > 0) look_at(&search, search.stack.items[--search.stack.count]);
  return search.found;
}
