/* From the root down: an expression with several users knows what all of them do. */
#include "calculus/known.h"

#include "calculus/arithmetic.h"
#include "calculus/condition.h"

void conditions_add(Arena *arena, ExprList *conditions, const Expr *condition) {
  for (int i = 0; i < conditions->count; i++)
    if (conditions->items[i] == condition) return;
  APPEND(arena, conditions, condition);
}

ExprList conditions_common(Arena *arena, const ExprList *a, const ExprList *b) {
  ExprList all = {0};
  for (int i = 0; i < a->count; i++)
    for (int k = 0; k < b->count; k++)
      if (a->items[i] == b->items[k]) conditions_add(arena, &all, a->items[i]);
  return all;
}

ExprList conditions_with(Arena *arena, const ExprList *conditions, const Expr *condition) {
  ExprList all = {0}, parts = {0};
  condition_conjuncts(arena, condition, &parts);
  for (int i = 0; i < conditions->count; i++) APPEND(arena, &all, conditions->items[i]);
  for (int i = 0; i < parts.count; i++) conditions_add(arena, &all, parts.items[i]);
  return all;
}

void guard_restrict(Model *model, Arena *scratch, Equation *equation, const ExprList *conditions) {
  ExprList parts = {0};
  condition_conjuncts(scratch, equation->guard, &parts);
  for (int i = 0; i < conditions->count; i++) {
    int before = parts.count;
    conditions_add(scratch, &parts, conditions->items[i]);
    if (parts.count > before)
      equation->guard = arithmetic_and(model->exprs, equation->guard, conditions->items[i]);
  }
}

static ExprList at_argument(Model *model, Arena *arena, const KnownExpr *user, int k) {
  const Expr *e = user->e;
  if (e->op != OP_SELECT || k == 0) return user->known;
  const Expr *holds = k == 1 ? e->args[0] : condition_not(model->exprs, e->args[0]);
  return conditions_with(arena, &user->known, holds);
}

KnownExprList known_below(Model *model, Arena *arena, const Expr *root, ExprList at_root) {
  KnownExprList list = {0};
  Map places; /* expression -> its item */
  ExprList nodes = expr_postorder(arena, &root, 1);
  KnownExpr *items = NEW_ARRAY(arena, KnownExpr, nodes.count);
  map_init(&places, arena);
  for (int i = 0; i < nodes.count; i++) {
    items[i].e = nodes.items[nodes.count - 1 - i];
    map_put(&places, items[i].e, &items[i]);
  }
  bool *reached = NEW_ARRAY(arena, bool, nodes.count);
  items[0].known = at_root;
  for (int i = 0; i < nodes.count; i++) {
    for (int k = 0; k < items[i].e->count; k++) {
      KnownExpr *below = map_get(&places, items[i].e->args[k]);
      ExprList known = at_argument(model, arena, &items[i], k);
      bool *before = &reached[below - items];
      below->known = *before ? conditions_common(arena, &below->known, &known) : known;
      *before = true;
    }
    APPEND(arena, &list, items[i]);
  }
  return list;
}
