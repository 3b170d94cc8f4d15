/* Panels: the factor that a product loads as vectors lies in blocks of columns.

     y[n, k] = sum[i](x[n, i]*W[i, k])   gives   W.panels[p, i, j] = W[i, p*32 + j]
                                                 y[n, p*32 + j] = sum[i](x[n, i]*W.panels[p, i, j])

   A transposed copy becomes the panels. Columns that are one tile have a panel where terms lie apart:
   W[d, a, e] gives W.panels[a, d, e]. */
#include "equations/affine.h"
#include "equations/contraction.h"
#include "loops/blocks.h"
#include "loops/tile.h"

enum {
  FREE = 4, /* times fewer uses of a copy that may cost nothing */
  CACHE = 4 /* copies.bytes: of the first cache, where rows lie far apart */
};

/* The factor is a transposed copy, made for this product; null: it is not. */
static Equation *transposed_copy(const Layout *t, const Expr *factor) {
  Equation *definition = factor->tensor->definition;
  bool is_copy = map_has(&t->routine->made, factor->tensor) && definition->reduction == REDUCE_NONE;
  return is_copy && is_read(definition->body) && !read_default(definition->body) ? definition
                                                                                 : NULL;
}

/* Of a factor whose columns are one tile, what the next term takes is right behind. */
static bool is_one_panel(const Equation *product, const Tiling *tiling) {
  const Expr *factor = tiling->across;
  int rank = factor->tensor->rank;
  if (extent_maximum(tiling->column->range) > tiling->columns) return false;
  return rank < 2 ||
         lone_index(factor->args[rank - 2]) == product->reduced[product->reduced_count - 1];
}

static bool may_have_panels(Layout *t, const Equation *product, const Tiling *tiling) {
  const RecurrentEquation *recurrent = map_get(&t->routine->recurrences, product->target);
  if (!blocks_divide(product, tiling->column, tiling->columns)) return false;
  if (is_one_panel(product, tiling)) return false;
  if (recurrent && expr_uses_index(t->scratch, tiling->across, recurrent->time)) return false;
  return layout_may_read_ahead(t, tiling->across, recurrent);
}

/* Of the first cache, that a tile takes of a factor as it is; 0: its rows have no fixed length. */
static double bytes_of_rows(const Equation *product, const Tiling *tiling, int64_t real) {
  const Tensor *factor = tiling->across->tensor;
  int64_t length;
  if (!extent_is_constant(factor->axes[factor->rank - 1].extent, &length)) return 0;
  return blocks_bytes_taken(product, length * real, tiling->columns * real);
}

/* A copy that the value itself may become is worth less. */
static bool is_worth_panels(Layout *t, const Equation *product, const Tiling *tiling) {
  const Target *target = t->routine->target;
  int64_t real = t->routine->bytes_of_real;
  double bytes = contraction_terms(product) * (double)(tiling->columns * real);
  int64_t uses = target->copies.uses;
  if (layout_is_free(t->routine, tiling->across->tensor)) uses /= FREE;
  bool is_large = bytes >= (double)target->copies.bytes ||
                  bytes_of_rows(product, tiling, real) > (double)(target->copies.bytes * CACHE);
  return is_large && contraction_uses(t->scratch, product, tiling->across) >= (double)uses;
}

/* Windows share elements, of which the copy would have one for each window. */
static bool are_windows(const Blocks *blocks) {
  double copied = 1;
  for (int i = 0; i < blocks->variables.count; i++)
    copied *= (double)extent_maximum(blocks->variables.items[i]->range);
  return copied > tensor_volume(blocks->factor->tensor);
}

static void take_out(EquationList *list, const Equation *equation) {
  int kept = 0;
  for (int i = 0; i < list->count; i++)
    if (list->items[i] != equation) list->items[kept++] = list->items[i];
  list->count = kept;
}

/* The factor, with what a transposed copy is of in its place. */
static const Expr *panel_element(Layout *t, const Expr *factor) {
  const Equation *copy = transposed_copy(t, factor);
  if (!copy) return factor;
  return expr_substitute(t->routine->model->exprs, t->scratch, copy->body, copy->vars, factor->args,
                         copy->var_count);
}

static Equation *with_panels(Layout *t, Equation *product, const Tiling *tiling) {
  const Equation *transposed = transposed_copy(t, tiling->across);
  const Expr *element = panel_element(t, tiling->across);
  Blocks blocks = blocks_of(t, product, tiling->across, tiling->column, tiling->columns, "p");
  Equation *panels = blocks_find(t, &blocks, element);
  if (!panels && (are_windows(&blocks) || !is_worth_panels(t, product, tiling))) return product;
  if (!panels) panels = blocks_make(t, &blocks, element, "panels");
  if (transposed) take_out(&t->equations, transposed);
  return blocks_product(t, &blocks, panels);
}

static void panel_equation(Layout *t, Equation *equation) {
  Tiling tiling;
  if (tiling_of(t->routine, equation, &tiling) && tiling.along &&
      may_have_panels(t, equation, &tiling))
    equation = with_panels(t, equation, &tiling);
  APPEND(t->routine->model->arena, &t->equations, equation);
}

void routine_panel(Routine *routine) {
  Layout layout;
  if (routine->target->vector_bytes > 0) layout_run(&layout, routine, panel_equation);
}
