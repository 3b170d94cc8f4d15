/* Comparisons of whole numbers are decided on the interval of the difference of their sides. */
#include "calculus/condition.h"

#include "calculus/arithmetic.h"

static bool is_whole(const Expr *e) {
  return e->type == TYPE_INT;
}

static Truth truth_of(bool always, bool never) {
  return always ? ALWAYS_TRUE : never ? ALWAYS_FALSE : SOMETIMES_TRUE;
}

static Truth negation_of(Truth truth) {
  return truth == SOMETIMES_TRUE ? truth : truth == ALWAYS_TRUE ? ALWAYS_FALSE : ALWAYS_TRUE;
}

static Truth comparison_truth(ExprTable *table, Arena *scratch, const Expr *e) {
  int64_t least, greatest;
  const Expr *difference = expr_binary(table, OP_SUB, e->args[1], e->args[0]);
  affine_interval(table, scratch, difference, NULL, &least, &greatest);
  switch (e->op) {
  case OP_LT: return truth_of(least > 0, greatest <= 0);
  case OP_LE: return truth_of(least >= 0, greatest < 0);
  case OP_EQ: return truth_of(least == 0 && greatest == 0, least > 0 || greatest < 0);
  default: return truth_of(least > 0 || greatest < 0, least == 0 && greatest == 0);
  }
}

Truth condition_truth(ExprTable *table, Arena *scratch, const Expr *e) {
  if (is_true(e)) return ALWAYS_TRUE;
  if (is_false(e)) return ALWAYS_FALSE;
  if (e->op == OP_NOT) return negation_of(condition_truth(table, scratch, e->args[0]));
  if (e->op < OP_EQ || e->op > OP_LE || !is_whole(e->args[0]) || !is_whole(e->args[1]))
    return SOMETIMES_TRUE;
  return comparison_truth(table, scratch, e);
}

const Expr *condition_tightened(ExprTable *table, Arena *scratch, const Expr *e) {
  int64_t least, greatest, only = e->op == OP_LT;
  if ((e->op != OP_LT && e->op != OP_LE) || !is_whole(e->args[0])) return e;
  const Expr *difference = expr_binary(table, OP_SUB, e->args[1], e->args[0]);
  affine_interval(table, scratch, difference, NULL, &least, &greatest);
  if (greatest != only) return e;
  const Expr *other = expr_binary(table, OP_SUB, e->args[1], expr_integer(table, only));
  return expr_binary(table, OP_EQ, e->args[0], other);
}

static const Expr *unless_certain(ExprTable *table, Arena *scratch, const Expr *condition) {
  return condition_truth(table, scratch, condition) == ALWAYS_TRUE ? NULL : condition;
}

RangeCondition condition_of_range(ExprTable *table, Arena *scratch, const Expr *e,
                                  const Extent *extent) {
  const Index *lone = lone_index(e);
  if (lone && lone->range == extent) return (RangeCondition){NULL, NULL};
  if (affine_proves_range(table, scratch, e, extent, NULL, &(Witness){0}))
    return (RangeCondition){NULL, NULL};
  const Expr *low = expr_binary(table, OP_LE, expr_integer(table, 0), e);
  const Expr *high = expr_binary(table, OP_LT, e, expr_extent(table, extent));
  return (RangeCondition){unless_certain(table, scratch, low),
                          unless_certain(table, scratch, high)};
}

const Expr *condition_in_range(ExprTable *table, Arena *scratch, const Expr *e,
                               const Extent *extent) {
  RangeCondition asked = condition_of_range(table, scratch, e, extent);
  return arithmetic_and(table, asked.low, asked.high);
}

const Expr *condition_inside(ExprTable *table, Arena *scratch, const Expr *read) {
  const Expr *inside = NULL;
  for (int k = 0; k < read_rank(read); k++) {
    const Extent *extent = read->tensor->axes[k].extent;
    inside =
        arithmetic_and(table, inside, condition_in_range(table, scratch, read->args[k], extent));
  }
  return inside;
}

bool node_is_total(ExprTable *table, Arena *scratch, const Expr *node) {
  if (is_read(node)) return read_default(node) || !condition_inside(table, scratch, node);
  if (node->op != OP_IDIV && node->op != OP_MOD) return true;
  int64_t least, greatest;
  affine_interval(table, scratch, node->args[1], NULL, &least, &greatest);
  return least > 0 || greatest < 0;
}

bool exprs_are_total(ExprTable *table, Arena *scratch, const Expr *const *roots, int count) {
  ExprList nodes = expr_postorder(scratch, roots, count);
  for (int i = 0; i < nodes.count; i++)
    if (!node_is_total(table, scratch, nodes.items[i])) return false;
  return true;
}

Truth condition_inside_truth(ExprTable *table, Arena *scratch, const Expr *read) {
  ExprList parts = {0};
  const Expr *inside = condition_inside(table, scratch, read);
  condition_conjuncts(scratch, inside, &parts);
  for (int i = 0; i < parts.count; i++)
    if (condition_truth(table, scratch, parts.items[i]) == ALWAYS_FALSE) return ALWAYS_FALSE;
  return inside ? SOMETIMES_TRUE : ALWAYS_TRUE;
}

const Expr *condition_choice(ExprTable *table, Arena *scratch, const Expr *read) {
  const Expr *inside = condition_inside(table, scratch, read);
  const Expr *element = expr_read(table, read->tensor, read->args, NULL);
  return inside ? expr_select(table, inside, element, read_default(read)) : element;
}

typedef struct Decision {
  ExprTable *table;
  Arena *scratch;
} Decision;

static const Expr *decide_read(void *context, const Expr *leaf) {
  const Decision *decision = context;
  if (!is_read(leaf) || !read_default(leaf)) return leaf;
  switch (condition_inside_truth(decision->table, decision->scratch, leaf)) {
  case ALWAYS_TRUE: return expr_read(decision->table, leaf->tensor, leaf->args, NULL);
  case ALWAYS_FALSE: return read_default(leaf);
  default: return leaf;
  }
}

const Expr *condition_decide_reads(ExprTable *table, Arena *scratch, const Expr *e) {
  Decision decision = {table, scratch};
  return expr_rewrite(table, scratch, e, decide_read, &decision);
}

const Expr *condition_decide(ExprTable *table, Arena *scratch, const Expr *e) {
  Map decided;
  map_init(&decided, scratch);
  e = condition_decide_reads(table, scratch, e);
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    Truth truth = condition_truth(table, scratch, nodes.items[i]);
    const Expr *answer = truth == ALWAYS_TRUE ? expr_true(table) : expr_false(table);
    if (truth != SOMETIMES_TRUE) map_put(&decided, nodes.items[i], (void *)answer);
  }
  return decided.count > 0 ? expr_replace(table, scratch, e, &decided) : e;
}

static bool gives_index(Arena *scratch, const Expr *e, const Index *index) {
  if (e->op != OP_EQ || !is_whole(e->args[0])) return false;
  int side = lone_index(e->args[0]) == index ? 0 : 1;
  if (lone_index(e->args[side]) != index) return false;
  const Expr *value = e->args[1 - side];
  return expr_reads_tensors(scratch, value) && !expr_uses_index(scratch, value, index);
}

static const Expr *ask_read(void *context, const Expr *leaf) {
  const Decision *decision = context;
  if (!is_read(leaf) || !read_default(leaf)) return leaf;
  return condition_choice(decision->table, decision->scratch, leaf);
}

const Expr *condition_ask_reads(ExprTable *table, Arena *scratch, const Expr *e) {
  Decision decision = {table, scratch};
  return expr_rewrite(table, scratch, e, ask_read, &decision);
}

bool equation_scatters(const Equation *equation, const Index *index) {
  Arena *scratch = arena_new();
  ExprList conjuncts = {0};
  bool found = false;
  condition_conjuncts(scratch, equation->guard, &conjuncts);
  for (int i = 0; i < conjuncts.count; i++)
    found |= gives_index(scratch, conjuncts.items[i], index);
  arena_free(scratch);
  return found;
}

const Expr *condition_not(ExprTable *table, const Expr *e) {
  if (e->op < OP_EQ || e->op > OP_LE || !is_whole(e->args[0])) return expr_unary(table, OP_NOT, e);
  switch (e->op) {
  case OP_EQ: return expr_binary(table, OP_NE, e->args[0], e->args[1]);
  case OP_NE: return expr_binary(table, OP_EQ, e->args[0], e->args[1]);
  case OP_LT: return expr_binary(table, OP_LE, e->args[1], e->args[0]);
  default: return expr_binary(table, OP_LT, e->args[1], e->args[0]);
  }
}

/* The stack holds what is still to be taken apart, leftmost on top. */
void condition_conjuncts(Arena *arena, const Expr *condition, ExprList *parts) {
  if (!condition) return;
  ExprList stack = {0};
  APPEND(arena, &stack, condition);
  while (stack.count > 0) {
    const Expr *e = stack.items[--stack.count];
    if (e->op == OP_AND) {
      APPEND(arena, &stack, e->args[1]);
      APPEND(arena, &stack, e->args[0]);
    } else if (!is_true(e)) {
      APPEND(arena, parts, e);
    }
  }
}

bool equation_scatters_any(const Equation *equation) {
  for (int i = 0; i < equation->var_count; i++)
    if (equation_scatters(equation, equation->vars[i])) return true;
  return false;
}
