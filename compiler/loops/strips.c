/* Strips: the factor that a product takes numbers of lies in memory as its tiles go over it.

     dw[i, k] = sum[n](x[n, i]*dy[n, k])   gives   x.strips[q, n, r] = x[n, q*8 + r]
                                                   dw[q*8 + r, k] = sum[n](x.strips[q, n, r]*dy[n, k])

   A tile of a few rows takes as many numbers of each row of such a factor, and the next of them lie far apart:
   each is another line of a cache whose sets are chosen by the same bits of the address. In a strip they follow
   each other. The copy of one strip shares the loop over strips with the product, so that it lies in the first
   cache; it is made where rows are long and each element is used often. Sums keep their order, so bits do not
   change. */
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/contraction.h"
#include "loops/layout.h"
#include "loops/tile.h"

enum {
  LEAST_USES = 64,        /* of each element of the copy */
  LEAST_ROW_BYTES = 1024, /* from one number to the next */
  LEAST_TERMS = 64        /* of the sum */
};

/* A product that is to have strips. */
typedef struct Stripped {
  Equation *product;
  const Expr *factor;
  const Index *row, *strip, *inner; /* row = strip*width + inner */
  const Expr *value;                /* of the row */
  IndexList variables;              /* of the copy */
} Stripped;

static bool is_worth_strips(Layout *t, const Equation *product, const Tiling *tiling) {
  const RecurrentEquation *recurrent = map_get(&t->routine->recurrences, product->target);
  const Expr *factor = tiling->along;
  int64_t rows, length;
  if (!tiling->row || !is_read(factor) || factor->tensor->rank < 2 || recurrent) return false;
  if (!extent_is_constant(tiling->row->range, &rows) || rows % tiling->rows != 0) return false;
  if (rows == tiling->rows || product->var_count == LIMIT_RANK || product->guard) return false;
  int last = factor->tensor->rank - 1;
  if (read_default(factor) || lone_index(factor->args[last]) != tiling->row) return false;
  if (!extent_is_constant(factor->tensor->axes[last].extent, &length)) return false;
  return length * t->routine->bytes_of_real >= LEAST_ROW_BYTES &&
         contraction_terms(product) >= LEAST_TERMS &&
         contraction_uses(t->scratch, product, factor) >= LEAST_USES &&
         layout_may_read_ahead(t, factor, recurrent);
}

static void append_used(Layout *t, Stripped *s, const Index *const *indices, int count) {
  for (int i = 0; i < count; i++)
    if (indices[i] != s->row && expr_uses_index(t->scratch, s->factor, indices[i]))
      APPEND(t->routine->model->arena, &s->variables, indices[i]);
}

static Stripped stripped(Layout *t, Equation *product, const Tiling *tiling) {
  Model *model = t->routine->model;
  ExprTable *exprs = model->exprs;
  int64_t rows = extent_maximum(tiling->row->range), width = tiling->rows;
  Stripped s = {.product = product, .factor = tiling->along, .row = tiling->row};
  s.strip =
      index_new(model, name_of(model->names, "q"), extent_constant(model->extents, rows / width));
  s.inner = index_new(model, tiling->row->name, extent_constant(model->extents, width));
  s.value = expr_binary(
      exprs, OP_ADD,
      expr_binary(exprs, OP_MUL, expr_index(exprs, s.strip), expr_integer(exprs, width)),
      expr_index(exprs, s.inner));
  APPEND(model->arena, &s.variables, s.strip);
  append_used(t, &s, product->vars, product->var_count);
  append_used(t, &s, product->reduced, product->reduced_count);
  APPEND(model->arena, &s.variables, s.inner);
  return s;
}

static Equation *equation_strips(Layout *t, const Stripped *s) {
  Model *model = t->routine->model;
  const Expr *element = expr_substitute(model->exprs, t->scratch, s->factor, &s->row, &s->value, 1);
  Name name = name_format(model->names, "%s.strips", s->factor->tensor->name);
  return layout_copy(t, s->product, name, &s->variables, element);
}

/* The product over the strips, the outermost first: tiles of one take all columns. */
static Equation *over_strips(Layout *t, const Stripped *s, const Expr *read) {
  Model *model = t->routine->model;
  Equation *product = layout_reading(t, s->product, s->factor, read);
  const Index **vars = NEW_ARRAY(model->arena, const Index *, product->var_count + 1);
  int count = 0;
  for (int i = 0; i < s->product->var_count; i++) {
    if (s->product->vars[i] == s->row) {
      product->place[count] = s->product->place[i];
      vars[count++] = s->strip;
    }
    product->place[count] = s->product->place[i];
    vars[count++] = s->product->vars[i] == s->row ? s->inner : s->product->vars[i];
  }
  product->vars = vars;
  product->var_count = count;
  return product;
}

static void strip_equation(Layout *t, Equation *equation) {
  Tiling tiling;
  Model *model = t->routine->model;
  if (tiling_of(t->routine, equation, &tiling) && is_worth_strips(t, equation, &tiling)) {
    Stripped s = stripped(t, equation, &tiling);
    Equation *copy = equation_strips(t, &s);
    layout_insert(t, copy, 0);
    equation = over_strips(t, &s, tensor_read(model, copy->target, s.variables.items));
  }
  APPEND(model->arena, &t->equations, equation);
}

void routine_strip(Routine *routine) {
  Layout layout;
  if (routine->target->vector_bytes > 0) layout_run(&layout, routine, strip_equation);
}
