/* Padding: a sum of products leaves out the points where a factor is a default of 0, or 0 by its definition.

     sum[r](x[p+r-1 | 0]*w[r]) = sum[r if 0 <= p+r-1 and p+r-1 < P](x[p+r-1]*w[r])
     sum[u](p[t, u]*v[u]) = sum[u if u <= t](p[t, u]*v[u]) with p[t, u] = if u <= t then .. else 0

   so that windows become bounds of loops. FINITE: what is left out is a zero, which changes no sum that begins
   at +0, unless the other factors are infinite or NaN. Any other reduction of a read alone whose default is what
   the reduction begins with is treated likewise, the same bits always. Conditions are on index variables alone. */
#include "calculus/calculus.h"

#include "calculus/arithmetic.h"
#include "calculus/condition.h"
#include "calculus/known.h"
#include "calculus/support.h"

#include <math.h>

typedef struct Unpadding {
  Model *model;
  Arena *scratch;
  ExprList padded; /* reads that lose their default */
} Unpadding;

static bool is_over_indices(Arena *scratch, const Expr *read) {
  for (int dim = 0; dim < read_rank(read); dim++)
    if (expr_reads_tensors(scratch, read->args[dim])) return false;
  return true;
}

static void note_read(Unpadding *u, const Expr *e, double neutral) {
  if (!is_read(e) || !read_default(e) || !is_literal(read_default(e), neutral)) return;
  if (is_over_indices(u->scratch, e)) APPEND(u->scratch, &u->padded, e);
}

/* The stack holds factors still to be taken apart. */
static void note_factors(Unpadding *u, const Expr *product) {
  ExprList stack = {0};
  APPEND(u->scratch, &stack, product);
  while (stack.count > 0) {
    const Expr *e = stack.items[--stack.count];
    if (e->op == OP_MUL) APPEND(u->scratch, &stack, e->args[1]);
    if (e->op == OP_MUL || e->op == OP_DIV || e->op == OP_NEGATE)
      APPEND(u->scratch, &stack, e->args[0]);
    note_read(u, e, 0);
  }
}

static void note_reads(Unpadding *u, const Equation *equation) {
  switch (equation->reduction) {
  case REDUCE_SUM: note_factors(u, equation->body); break;
  case REDUCE_PROD: note_read(u, equation->body, 1); break;
  case REDUCE_MIN: note_read(u, equation->body, INFINITY); break;
  case REDUCE_MAX:
  case REDUCE_LSE: note_read(u, equation->body, -INFINITY); break;
  default: break;
  }
}

static const Expr *drop_default(void *context, const Expr *leaf) {
  const Unpadding *u = context;
  for (int i = 0; i < u->padded.count; i++)
    if (u->padded.items[i] == leaf)
      return expr_read(u->model->exprs, leaf->tensor, leaf->args, NULL);
  return leaf;
}

static bool sums_over(Arena *scratch, const Equation *equation, const Expr *condition) {
  for (int i = 0; i < equation->reduced_count; i++)
    if (expr_uses_index(scratch, condition, equation->reduced[i])) return true;
  return false;
}

/* Inequalities that end the loop of a variable of the sum at that of another; others would only cost a test. */
static void restrict_to_support(Unpadding *u, Equation *equation) {
  if (equation->reduction != REDUCE_SUM) return;
  ExprList links = {0}, support = expr_support(u->model, u->scratch, equation->body);
  for (int i = 0; i < support.count; i++)
    if (links_indices(u->scratch, support.items[i]) &&
        sums_over(u->scratch, equation, support.items[i]))
      APPEND(u->scratch, &links, support.items[i]);
  guard_restrict(u->model, u->scratch, equation, &links);
}

static void unpad_equation(Unpadding *u, Equation *equation) {
  restrict_to_support(u, equation);
  ExprTable *table = u->model->exprs;
  note_reads(u, equation);
  for (int i = 0; i < u->padded.count; i++) {
    const Expr *inside = condition_inside(table, u->scratch, u->padded.items[i]);
    equation->guard = arithmetic_and(table, equation->guard, inside);
  }
  if (u->padded.count > 0)
    equation->body = expr_rewrite(table, u->scratch, equation->body, drop_default, u);
}

void unpad(Model *model, Program *program) {
  for (int i = 0; i < program->equations.count; i++) {
    Unpadding u = {.model = model, .scratch = arena_new()};
    unpad_equation(&u, program->equations.items[i]);
    arena_free(u.scratch);
  }
}
