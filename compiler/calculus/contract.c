/* Contractions: a sum of a product of more than two factors is split into products of two.

     sum[j, k](A[i,j]*B[j,k]*C[k,l]) = sum[k](T[i,k]*C[k,l]) with T[i,k] = sum[j](A[i,j]*B[j,k])

   Which two are multiplied first is found by trying all orders, with sizes at their maxima: the cost of a
   product is the number of points of the variables in it (Pfeifer, Haegeman & Verstraete, 2014, of whose
   problem ours is the small case). A sum stays whole when no split is cheaper. Guarded sums stay whole. */
#include "calculus/calculus.h"

#include "calculus/variables.h"

enum { MOST_FACTORS = 6 }; /* more are left as they are: 2,700 orders for six */

/* Sets of variables as bits: position in the equation's list of variables. */
typedef struct Factor {
  const Expr *expr;
  uint64_t variables;
} Factor;

typedef struct Contraction {
  Model *model;
  Program *program;
  Arena *scratch;
  Equation *equation;
  IndexList variables; /* of the equation, those of the target first */
  uint64_t kept;       /* the variables of the target */
  double largest; /* elements of the largest tensor of the equation: no product may have more */
  Factor factors[MOST_FACTORS];
  int count;
} Contraction;

typedef struct Order {
  double cost;
  int first[MOST_FACTORS],
      second[MOST_FACTORS]; /* the pair multiplied at each step, first < second */
} Order;

static double points(const Contraction *c, uint64_t variables) {
  double product = 1;
  for (int i = 0; i < c->variables.count; i++)
    if (variables >> i & 1) product *= (double)extent_maximum(c->variables.items[i]->range);
  return product;
}

static uint64_t variables_of(const Contraction *c, const Expr *e) {
  uint64_t set = 0;
  for (int i = 0; i < c->variables.count; i++)
    if (expr_uses_index(c->scratch, e, c->variables.items[i])) set |= UINT64_C(1) << i;
  return set;
}

/* What the product of factors a and b must still be indexed by: what the others or the target use. */
static uint64_t remaining_variables(const Contraction *c, const Factor *factors, int count, int a,
                                    int b) {
  uint64_t needed = c->kept;
  for (int i = 0; i < count; i++)
    if (i != a && i != b) needed |= factors[i].variables;
  return (factors[a].variables | factors[b].variables) & needed;
}

/* The factors after the product of a and b took the place of a. */
static void merge(const Contraction *c, Factor *factors, int count, int a, int b) {
  factors[a].variables = remaining_variables(c, factors, count, a, b);
  for (int i = b; i + 1 < count; i++) factors[i] = factors[i + 1];
}

/* The cheapest order of the products left; `order->cost` bounds what is worth trying. */
static void search_order(const Contraction *c, const Factor *factors, int count, int step,
                         double cost, Order *trial, Order *best) {
  if (cost >= best->cost) return;
  if (count == 1) {
    *best = *trial;
    best->cost = cost;
    return;
  }
  for (int a = 0; a < count; a++)
    for (int b = a + 1; b < count; b++) {
      Factor left[MOST_FACTORS];
      for (int i = 0; i < count; i++) left[i] = factors[i];
      uint64_t kept = remaining_variables(c, factors, count, a, b);
      if (count > 2 && points(c, kept) > c->largest) continue;
      double more = points(c, factors[a].variables | factors[b].variables);
      merge(c, left, count, a, b);
      trial->first[step] = a;
      trial->second[step] = b;
      search_order(c, left, count - 1, step + 1, cost + more, trial, best);
    }
}

/* The factors of a product; false when there are too few or too many to split. */
static bool find_factors(Contraction *c) {
  ExprList stack = {0};
  APPEND(c->scratch, &stack, c->equation->body);
  while (stack.count > 0) {
    const Expr *e = stack.items[--stack.count];
    if (e->op == OP_MUL) {
      APPEND(c->scratch, &stack, e->args[1]);
      APPEND(c->scratch, &stack, e->args[0]);
      continue;
    }
    if (c->count == MOST_FACTORS) return false;
    c->factors[c->count++] = (Factor){e, variables_of(c, e)};
  }
  return c->count > 2;
}

/* Variables of the set, reduced ones before those of the target: the layout a kernel reads along. */
static IndexList in_layout_order(const Contraction *c, uint64_t variables) {
  IndexList list = {0};
  int target = c->equation->var_count;
  for (int i = target; i < c->variables.count; i++)
    if (variables >> i & 1) APPEND(c->scratch, &list, c->variables.items[i]);
  for (int i = 0; i < target; i++)
    if (variables >> i & 1) APPEND(c->scratch, &list, c->variables.items[i]);
  return list;
}

/* The product of a and b, summed over what nothing else uses, as a tensor of its own. */
static const Expr *hoist_product(Contraction *c, const Expr *body, uint64_t left, uint64_t summed) {
  IndexList free = in_layout_order(c, left), reduced = in_layout_order(c, summed);
  Name name = name_format(c->model->names, "%s.product", c->equation->target->name);
  return equation_hoist_over(c->model, c->program, name, &free, &reduced, body, c->equation);
}

static void keep_reduced(Contraction *c, uint64_t variables) {
  Equation *equation = c->equation;
  const Index **kept = NEW_ARRAY(c->model->arena, const Index *, equation->reduced_count);
  int count = 0;
  for (int i = 0; i < equation->reduced_count; i++)
    if (variables >> (equation->var_count + i) & 1) kept[count++] = equation->reduced[i];
  equation->reduced = kept;
  equation->reduced_count = count;
  if (count == 0) equation->reduction = REDUCE_NONE;
}

static void follow_order(Contraction *c, const Order *order) {
  for (int step = 0, count = c->count; count > 1; step++, count--) {
    int a = order->first[step], b = order->second[step];
    Factor *x = &c->factors[a], *y = &c->factors[b];
    uint64_t all = x->variables | y->variables;
    uint64_t left = remaining_variables(c, c->factors, count, a, b);
    const Expr *product = expr_binary(c->model->exprs, OP_MUL, x->expr, y->expr);
    if (count == 2) {
      c->equation->body = product;
      keep_reduced(c, all);
      return;
    }
    merge(c, c->factors, count, a, b);
    c->factors[a].expr = hoist_product(c, product, left, all & ~left);
  }
}

/* Every reduced variable occurs in some factor: the others count how often, which a split would lose. */
static bool covers_reduced(const Contraction *c) {
  uint64_t used = 0;
  for (int i = 0; i < c->count; i++) used |= c->factors[i].variables;
  for (int i = c->equation->var_count; i < c->variables.count; i++)
    if (!(used >> i & 1)) return false;
  return true;
}

static void split(Contraction *c) {
  c->variables = equation_variables(c->scratch, c->equation);
  c->kept = (UINT64_C(1) << c->equation->var_count) - 1;
  c->largest = equation_largest_tensor(c->scratch, c->equation);
  if (c->variables.count >= 64 || !find_factors(c) || !covers_reduced(c)) return;
  uint64_t all = 0;
  for (int i = 0; i < c->count; i++) all |= c->factors[i].variables;
  Order trial = {0}, best = {.cost = points(c, all) * (c->count - 1)};
  double whole = best.cost;
  search_order(c, c->factors, c->count, 0, 0, &trial, &best);
  if (best.cost < whole) follow_order(c, &best);
}

void contract(Model *model, Program *program) {
  Arena *scratch = arena_new();
  for (int i = 0; i < program->equations.count; i++) {
    Equation *equation = program->equations.items[i];
    if (equation->reduction != REDUCE_SUM || equation->guard) continue;
    Contraction c = {.model = model, .program = program, .scratch = scratch, .equation = equation};
    split(&c);
  }
  arena_free(scratch);
}
