/* Simplification: the rules, from the leaves up, until nothing changes.

   A pass goes over all equations of the program in their order, those made on the way included; each
   expression is looked at once in a pass, whichever equations share it. A pass follows for what the last
   one opened. The work is bounded by a budget in proportion to the program: when it is used up the
   program is left as it is, which is right at every moment. */
#include "calculus/calculus.h"

#include "calculus/activity.h"
#include "calculus/condition.h"
#include "calculus/sums.h"
#include "calculus/variables.h"

#include <math.h>

enum {
  MOST_PASSES = 12,
  MOST_ROUNDS = 4,
  REWRITES_FOR_EACH_NODE = 8, /* the budget */
  LARGEST_CONDITION = 16      /* nodes of one that is asked where it is read */
};

typedef struct Simplifier {
  Site site;
  const Rules *rules;
  SimplifyPhase phase;
  Map done; /* expression -> its simplified form, in this pass */
  int64_t budget;
  bool changed;
} Simplifier;

static bool spend(Simplifier *s) {
  s->changed = true;
  return --s->budget >= 0;
}

/* A read that always falls inside needs no default; one that never does is its default. */
static const Expr *decide_read(Simplifier *s, const Expr *e) {
  ExprTable *table = s->site.model->exprs;
  if (!read_default(e)) return e;
  Truth inside = condition_inside_truth(table, s->site.scratch, e);
  if (inside == SOMETIMES_TRUE) return e;
  s->changed = true;
  return inside == ALWAYS_TRUE ? expr_read(table, e->tensor, e->args, NULL) : read_default(e);
}

/* A condition that takes no reduction is asked where its value is read: there it may bound a loop. */
static const Expr *ask_condition(Simplifier *s, const Expr *e) {
  bool is_condition = is_read(e) && e->type == TYPE_BOOL && !read_default(e);
  if (s->phase != SIMPLIFY_ALGEBRA || !is_condition) return e;
  const Equation *equation = equation_of(e->tensor);
  if (!equation || equation->reduction != REDUCE_NONE) return e;
  if (equation->var_count != read_rank(e)) return e;
  if (expr_postorder(s->site.scratch, &equation->body, 1).count > LARGEST_CONDITION) return e;
  s->changed = true;
  return equation_at_read(s->site.model, s->site.scratch, equation, e, equation->body);
}

/* A comparison of whole numbers that its ranges decide, or the opposite of one. */
static const Expr *decide(Simplifier *s, const Expr *e) {
  ExprTable *table = s->site.model->exprs;
  if (is_read(e)) return ask_condition(s, decide_read(s, e));
  if (e->op == OP_NOT) return condition_not(table, e->args[0]);
  if (e->op < OP_EQ || e->op > OP_LE) return e;
  Truth truth = condition_truth(table, s->site.scratch, e);
  if (truth == SOMETIMES_TRUE) return condition_tightened(table, s->site.scratch, e);
  s->changed = true;
  return truth == ALWAYS_TRUE ? expr_true(table) : expr_false(table);
}

/* The first rule that matches, again and again. */
static const Expr *rewrite(Simplifier *s, const Expr *e) {
  const Expr *next = decide(s, e);
  while (next && s->budget > 0) {
    e = next;
    next = NULL;
    const RuleList *rules = &s->rules->by_op[e->op];
    for (int i = 0; i < rules->count && !next; i++)
      next = rule_apply(&s->site, &rules->items[i], e);
    if (next == e) next = NULL;
    if (next && !spend(s)) break;
  }
  return e;
}

/* `e` over the simplified forms of its arguments. */
static const Expr *rebuild(Simplifier *s, const Expr *e) {
  ExprTable *table = s->site.model->exprs;
  const Expr *args[LIMIT_RANK + 1];
  for (int i = 0; i < e->count; i++) args[i] = map_get(&s->done, e->args[i]);
  return expr_over(table, e, args);
}

static const Expr *simplify_expr(Simplifier *s, const Expr *root) {
  if (!root) return NULL;
  ExprList nodes = expr_postorder(s->site.scratch, &root, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    if (map_has(&s->done, e)) continue;
    map_put(&s->done, e, (void *)rewrite(s, rebuild(s, e)));
  }
  return map_get(&s->done, root);
}

/* A reduction of nothing is a constant, but for the place of an extreme. */
static void decide_guard(Equation *equation, Model *model) {
  if (equation->guard && is_true(equation->guard)) equation->guard = NULL;
  bool is_place = equation->reduction == REDUCE_ARGMAX || equation->reduction == REDUCE_ARGMIN;
  if (!equation->guard || !is_false(equation->guard) || is_place) return;
  equation->body = equation->reduction == REDUCE_LSE
                       ? expr_number(model->exprs, -INFINITY)
                       : reduction_identity(model, equation->reduction, equation->target->type);
  equation->guard = NULL;
  equation->reduction = REDUCE_NONE;
  equation->reduced_count = 0;
}

/* The first variable with one value that counts through a dim together with others; -1: none. */
static int single_part(const Equation *equation) {
  int64_t range;
  for (int v = 0; v < equation->var_count; v++) {
    if (!extent_is_constant(equation->vars[v]->range, &range) || range != 1) continue;
    for (int w = 0; w < equation->var_count; w++)
      if (w != v && equation->place[w] == equation->place[v]) return v;
  }
  return -1;
}

/* `y[n, (g in 1, k in K)]` is `y[n, k in K]`. */
static bool drop_single_part(const Site *site, Equation *equation) {
  int part = single_part(equation);
  if (part < 0) return false;
  ExprTable *table = site->model->exprs;
  const Index *index = equation->vars[part];
  const Expr *zero = expr_integer(table, 0);
  equation->body = expr_substitute(table, site->scratch, equation->body, &index, &zero, 1);
  if (equation->guard)
    equation->guard = expr_substitute(table, site->scratch, equation->guard, &index, &zero, 1);
  const Index **kept = NEW_ARRAY(site->model->arena, const Index *, equation->var_count);
  int count = 0;
  for (int v = 0; v < equation->var_count; v++) {
    if (v == part) continue;
    equation->place[count] = equation->place[v];
    kept[count++] = equation->vars[v];
  }
  equation->vars = kept;
  equation->var_count = count;
  return true;
}

/* Rules on the equation as a whole. */
static bool apply_whole(Simplifier *s, Equation *equation) {
  for (int i = 0; i < s->rules->whole.count; i++)
    if (rule_apply_whole(&s->site, &s->rules->whole.items[i], equation)) return true;
  if (drop_single_part(&s->site, equation)) return true;
  if (s->phase != SIMPLIFY_ALGEBRA) return false;
  return sum_collapse(&s->site, equation) || sum_factor(&s->site, equation);
}

static void simplify_equation(Simplifier *s, Equation *equation) {
  s->site.equation = equation;
  equation->body = simplify_expr(s, equation->body);
  equation->guard = simplify_expr(s, equation->guard);
  decide_guard(equation, s->site.model);
  while (s->budget > 0 && apply_whole(s, equation)) spend(s);
}

static int64_t count_nodes(const Program *program, Arena *scratch) {
  int64_t count = 0;
  for (int i = 0; i < program->equations.count; i++)
    count += equation_nodes(scratch, program->equations.items[i]).count;
  return count;
}

static void run_passes(Simplifier *s) {
  s->changed = true;
  for (int pass = 0; pass < MOST_PASSES && s->changed && s->budget > 0; pass++) {
    s->changed = false;
    s->site.scratch = arena_new();
    map_init(&s->done, s->site.scratch);
    for (int i = 0; i < s->site.program->equations.count; i++)
      simplify_equation(s, s->site.program->equations.items[i]);
    arena_free(s->site.scratch);
  }
  program_prune(s->site.model, s->site.program);
}

/* Equations that algebra has made equal become one, which may open more algebra. */
void simplify(Model *model, Program *program, SimplifyPhase phase) {
  Arena *kept = arena_new();
  Simplifier s = {.site = {.model = model, .program = program}, .phase = phase};
  s.rules = rules_new(model, kept, phase);
  s.budget = 1000 + REWRITES_FOR_EACH_NODE * count_nodes(program, kept);
  run_passes(&s);
  for (int round = 0; round < MOST_ROUNDS && phase == SIMPLIFY_ALGEBRA; round++) {
    int before = program->equations.count;
    share(model, program);
    if (program->equations.count == before) break;
    run_passes(&s);
  }
  arena_free(kept);
}
