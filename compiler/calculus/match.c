/* Patterns are small trees; matching is plain recursion over them. */
#include "calculus/match.h"

#include "calculus/activity.h"
#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "calculus/roots.h"
#include "calculus/variables.h"

#include <math.h>
#include <string.h>

/* Definitions of definitions that a pattern sees through. */
enum { SIGHT = 4 };

typedef struct Matcher {
  const Site *site;
  bool sees_through; /* reads stand for the definitions of what they read */
  Match match;
} Matcher;

static bool match_node(Matcher *m, const Node *pattern, const Expr *e);

/* A literal, or for `n` also a size known at run time. */
static bool is_number_like(const Expr *e, char letter) {
  if (e->op == OP_NUMBER) return true;
  return letter == 'n' && e->op == OP_REAL && e->args[0]->op == OP_EXTENT;
}

static bool match_letter(Matcher *m, char letter, const Expr *e) {
  bool wants_number = letter == 'j' || letter == 'k' || letter == 'n';
  const Expr **value = &m->match.values[letter - 'a'];
  if (wants_number && !is_number_like(e, letter)) return false;
  if (*value) return *value == e;
  *value = e;
  return true;
}

/* `e` of the definition of the tensor read, over the variables at the read. */
static const Expr *at_read(Matcher *m, const Expr *read, const Expr *e) {
  return equation_at_read(m->site->model, m->site->scratch, read->tensor->definition, read, e);
}

/* A plain read of a tensor that an equation with one variable for each dim defines. */
static const Equation *visible_definition(const Matcher *m, const Expr *e) {
  if (!m->sees_through || !is_read(e) || read_default(e)) return NULL;
  const Equation *definition = equation_of(e->tensor);
  if (!definition || definition->var_count != e->tensor->rank) return NULL;
  return is_held(m->site->program, e->tensor) ? NULL : definition;
}

/* The same variables must be meant wherever r stands: those of a second reduction are renamed. */
static bool match_reduced(Matcher *m, const Equation *equation, const Expr **body,
                          const Expr **guard) {
  Match *match = &m->match;
  if (!match->has_reduced) {
    match->has_reduced = true;
    match->reduced = equation->reduced;
    match->reduced_count = equation->reduced_count;
    match->guard = *guard;
    return true;
  }
  if (match->reduced_count != equation->reduced_count) return false;
  const Expr **values = NEW_ARRAY(m->site->scratch, const Expr *, match->reduced_count);
  for (int i = 0; i < match->reduced_count; i++) {
    if (match->reduced[i]->range != equation->reduced[i]->range) return false;
    values[i] = expr_index(m->site->model->exprs, match->reduced[i]);
  }
  const Expr **exprs[] = {body, guard};
  for (int i = 0; i < 2; i++)
    if (*exprs[i])
      *exprs[i] = expr_substitute(m->site->model->exprs, m->site->scratch, *exprs[i],
                                  equation->reduced, values, match->reduced_count);
  return *guard == match->guard;
}

static Reduction reduction_of_name(Name name) {
  Reduction reduction = REDUCE_NONE;
  while (strcmp(reduction_name(reduction), name) != 0) reduction++;
  return reduction;
}

static bool is_reduction_named(const Equation *equation, Name name) {
  return strcmp(reduction_name(equation->reduction), name) == 0;
}

static bool match_reduction(Matcher *m, const Node *pattern, const Expr *e) {
  const Equation *definition = visible_definition(m, e);
  if (!definition || !is_reduction_named(definition, pattern->name)) return false;
  const Expr *body = at_read(m, e, definition->body);
  const Expr *guard = definition->guard ? at_read(m, e, definition->guard) : NULL;
  return match_reduced(m, definition, &body, &guard) && match_node(m, pattern->parts[2], body);
}

static bool match_pair(Matcher *m, const Node *const *patterns, const Expr *a, const Expr *b) {
  return match_node(m, patterns[0], a) && match_node(m, patterns[1], b);
}

static const Node *const *operand_patterns(const Node *pattern, int *count) {
  int first = pattern->kind == NODE_CALL ? 1 : 0;
  *count = pattern->count - first;
  return (const Node *const *)pattern->parts + first;
}

static bool is_commutative(Op op) {
  return op == OP_ADD || op == OP_MUL || op == OP_MIN || op == OP_MAX;
}

/* `e` has the operation of the pattern; its operands are tried in both orders where that is the same. */
static bool match_operands(Matcher *m, const Node *pattern, const Expr *e) {
  int count;
  const Node *const *patterns = operand_patterns(pattern, &count);
  if (count == 2) {
    Match before = m->match;
    if (match_pair(m, patterns, e->args[0], e->args[1])) return true;
    m->match = before;
    return is_commutative(e->op) && match_pair(m, patterns, e->args[1], e->args[0]);
  }
  for (int i = 0; i < count; i++)
    if (!match_node(m, patterns[i], e->args[i])) return false;
  return true;
}

/* Its reciprocal is exact, too. */
static bool is_power_of_two(const Expr *e) {
  double number;
  int exponent;
  return is_number(e, &number) && fabs(frexp(number, &exponent)) == 0.5 && exponent > -120 &&
         exponent < 120;
}

/* A quotient by n, when that is a power of two, is written as a product, too. */
static const Expr *undo_reciprocal(Matcher *m, const Node *pattern, const Expr *e) {
  double reciprocal;
  bool divides_by_n = pattern->kind == NODE_DIV && pattern->parts[1]->kind == NODE_IDENT &&
                      pattern->parts[1]->name[0] == 'n';
  if (!divides_by_n || e->op != OP_MUL || !is_power_of_two(e->args[0])) return e;
  is_number(e->args[0], &reciprocal);
  ExprTable *exprs = m->site->model->exprs;
  return expr_binary(exprs, OP_DIV, e->args[1], expr_number(exprs, 1 / reciprocal));
}

static bool match_operation(Matcher *m, const Node *pattern, const Expr *e) {
  bool swapped;
  Op op = formula_op(pattern, &swapped);
  e = undo_reciprocal(m, pattern, e);
  for (int i = 0; i < SIGHT && e->op != op; i++) {
    const Equation *definition = visible_definition(m, e);
    if (!definition || definition->reduction != REDUCE_NONE) return false;
    e = at_read(m, e, definition->body);
    e = undo_reciprocal(m, pattern, e);
  }
  return e->op == op && match_operands(m, pattern, e);
}

static bool match_node(Matcher *m, const Node *pattern, const Expr *e) {
  switch (pattern->kind) {
  case NODE_NUMBER: return is_literal(e, pattern->number);
  case NODE_IDENT: return match_letter(m, pattern->name[0], e);
  case NODE_REDUCE: return match_reduction(m, pattern, e);
  case NODE_NEGATE:
    if (pattern->parts[0]->kind == NODE_NUMBER) return is_literal(e, -pattern->parts[0]->number);
    return match_operation(m, pattern, e);
  default: return match_operation(m, pattern, e);
  }
}

/* ---- conditions ---- */

static bool counts_reduced(const Site *site, const Match *match, const Expr *number) {
  const Expr *count = indices_count(site->model, match->reduced, match->reduced_count);
  double known;
  if (match->guard) return false;
  return is_number(count, &known) ? is_literal(number, known)
                                  : number == expr_unary(site->model->exprs, OP_REAL, count);
}

static bool condition_holds(const Site *site, const Rule *rule, const Match *match) {
  if (rule->condition == ALWAYS) return true;
  const Expr *subject = match->values[rule->subject - 'a'];
  if (rule->condition == COUNTS_REDUCED) return counts_reduced(site, match, subject);
  if (rule->condition == POWER_OF_TWO) return is_power_of_two(subject);
  return !expr_reads_tensors(site->scratch, subject);
}

/* ---- replacements ---- */

static const Expr *build(const Site *site, const Match *match, const Node *node);

static bool is_reduced(const Match *match, const Index *index) {
  for (int i = 0; i < match->reduced_count; i++)
    if (match->reduced[i] == index) return true;
  return false;
}

/* A reduction in a replacement is an equation of its own, over new variables. */
static const Expr *build_reduction(const Site *site, const Match *match, const Node *node) {
  Model *model = site->model;
  const Expr *body = build(site, match, node->parts[2]);
  IndexList used = {0}, taken = {0};
  expr_indices(site->scratch, body, &used);
  for (int i = 0; i < used.count; i++)
    if (!is_reduced(match, used.items[i])) APPEND(site->scratch, &taken, used.items[i]);
  Renaming renaming =
      renaming_new(model, site->scratch, match->reduced, match->reduced_count, &taken);
  Reduction reduction = reduction_of_name(node->name);
  Name name = name_format(model->names, "%s.%s", site->equation->target->name, node->name);
  return equation_hoist(model, site->program, name, reduction, renaming.to, renaming.count,
                        renaming_apply(model, site->scratch, &renaming, match->guard),
                        renaming_apply(model, site->scratch, &renaming, body),
                        site->equation->instance, site->equation->span);
}

static const Expr *build(const Site *site, const Match *match, const Node *node) {
  ExprTable *table = site->model->exprs;
  bool swapped;
  int count;
  const Expr *args[3];
  switch (node->kind) {
  case NODE_NUMBER: return expr_number(table, node->number);
  case NODE_IDENT: return match->values[node->name[0] - 'a'];
  case NODE_REDUCE: return build_reduction(site, match, node);
  default: break;
  }
  const Node *const *operands = operand_patterns(node, &count);
  for (int i = 0; i < count; i++) args[i] = build(site, match, operands[i]);
  return expr_make(table, formula_op(node, &swapped), args, count);
}

const Expr *rule_apply(const Site *site, const Rule *rule, const Expr *e) {
  Matcher m = {.site = site, .sees_through = rule->text->phase == RULE_STABILISE};
  if (!match_operands(&m, rule->pattern, e) || !condition_holds(site, rule, &m.match)) return NULL;
  return build(site, &m.match, rule->replacement);
}

bool rule_apply_whole(const Site *site, const Rule *rule, Equation *equation) {
  Matcher m = {.site = site, .sees_through = rule->text->phase == RULE_STABILISE};
  if (!is_reduction_named(equation, rule->pattern->name)) return false;
  m.match.has_reduced = true;
  m.match.reduced = equation->reduced;
  m.match.reduced_count = equation->reduced_count;
  m.match.guard = equation->guard;
  if (!match_node(&m, rule->pattern->parts[2], equation->body)) return false;
  if (!condition_holds(site, rule, &m.match)) return false;
  const Node *replacement = rule->replacement;
  if (replacement->kind != NODE_REDUCE) {
    equation->body = build(site, &m.match, replacement);
    equation->reduction = REDUCE_NONE;
    equation->reduced_count = 0;
    equation->guard = NULL;
    return true;
  }
  const Expr *guard = replacement->parts[1] ? build(site, &m.match, replacement->parts[1]) : NULL;
  equation->guard = arithmetic_and(site->model->exprs, equation->guard, guard);
  equation->body = build(site, &m.match, replacement->parts[2]);
  equation->reduction = reduction_of_name(replacement->name);
  return true;
}
