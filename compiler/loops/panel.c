/* Panels: the factor that a product loads as vectors lies in memory as its tiles go over it.

     y[n, k] = sum[i](x[n, i]*W[i, k])   gives   W.panels[p, i, j] = W[i, p*32 + j]
                                                 y[n, p*32 + j] = sum[i](x[n, i]*W.panels[p, i, j])

   A tile takes a few columns of each row: in a matrix it would jump from row to row, past caches whose sets are
   chosen by the same bits of the address, and come back for the next rows of the target. A panel has what one
   tile needs side by side. A copy costs a pass over the factor; it is made where each element is used often,
   once for all products that use it, and in place of a transposed copy. Sums keep their order, so bits do not
   change. */
#include "calculus/variables.h"
#include "equations/contraction.h"
#include "loops/layout.h"
#include "loops/tile.h"

enum {
  LEAST_USES = 128,        /* of each element of the copy, when there would be none otherwise */
  LEAST_PANEL_BYTES = 8192 /* smaller ones stay in the first cache as they are */
};

/* A product that is to have panels. */
typedef struct Panelled {
  Equation *product;
  const Expr *factor;
  const Index *column, *panel, *inner; /* column = panel*width + inner */
  const Expr *value;                   /* of the column */
  IndexList variables;                 /* of the factor: `panel` and `inner` in place of `column` */
} Panelled;

/* ---- is it worth a copy? ---- */

/* The factor is a transposed copy, made for this product; null: it is not. */
static Equation *transposed_copy(const Layout *t, const Expr *factor) {
  Equation *definition = factor->tensor->definition;
  bool is_copy = map_has(&t->routine->made, factor->tensor) && definition->reduction == REDUCE_NONE;
  return is_copy && is_read(definition->body) && !read_default(definition->body) ? definition
                                                                                 : NULL;
}

static bool may_have_panels(Layout *t, const Equation *product, const Tiling *tiling) {
  const RecurrentEquation *recurrent = map_get(&t->routine->recurrences, product->target);
  int64_t columns;
  if (!extent_is_constant(tiling->column->range, &columns)) return false;
  if (columns % tiling->columns != 0 || columns == tiling->columns) return false;
  if (product->var_count == LIMIT_RANK) return false;
  if (recurrent && expr_uses_index(t->scratch, tiling->across, recurrent->time)) return false;
  return layout_may_read_ahead(t, tiling->across, recurrent);
}

static bool is_worth_panels(Layout *t, const Equation *product, const Tiling *tiling) {
  double bytes = contraction_terms(product) * (double)(tiling->columns * t->routine->bytes_of_real);
  return bytes >= LEAST_PANEL_BYTES &&
         contraction_uses(t->scratch, product, tiling->across) >= LEAST_USES;
}

/* ---- the copy ---- */

static void append_used(Layout *t, Panelled *p, const Index *const *indices, int count) {
  for (int i = 0; i < count; i++)
    if (indices[i] != p->column && expr_uses_index(t->scratch, p->factor, indices[i]))
      APPEND(t->routine->model->arena, &p->variables, indices[i]);
}

static Panelled panelled(Layout *t, Equation *product, const Tiling *tiling) {
  Model *model = t->routine->model;
  ExprTable *exprs = model->exprs;
  int64_t columns = extent_maximum(tiling->column->range), width = tiling->columns;
  Panelled p = {.product = product, .factor = tiling->across, .column = tiling->column};
  p.panel = index_new(model, name_of(model->names, "p"),
                      extent_constant(model->extents, columns / width));
  p.inner = index_new(model, tiling->column->name, extent_constant(model->extents, width));
  p.value = expr_binary(
      exprs, OP_ADD,
      expr_binary(exprs, OP_MUL, expr_index(exprs, p.panel), expr_integer(exprs, width)),
      expr_index(exprs, p.inner));
  append_used(t, &p, product->vars, product->var_count);
  APPEND(model->arena, &p.variables, p.panel);
  append_used(t, &p, product->reduced, product->reduced_count);
  APPEND(model->arena, &p.variables, p.inner);
  return p;
}

static void take_out(EquationList *list, const Equation *equation) {
  int kept = 0;
  for (int i = 0; i < list->count; i++)
    if (list->items[i] != equation) list->items[kept++] = list->items[i];
  list->count = kept;
}

/* The factor over the variables of the panels; what a transposed copy is of stands in its place. */
static const Expr *panel_element(Layout *t, const Panelled *p) {
  ExprTable *exprs = t->routine->model->exprs;
  const Equation *copy = transposed_copy(t, p->factor);
  const Expr *factor = p->factor;
  if (copy) {
    factor =
        expr_substitute(exprs, t->scratch, copy->body, copy->vars, factor->args, copy->var_count);
  }
  return expr_substitute(exprs, t->scratch, factor, &p->column, &p->value, 1);
}

static Equation *equation_panels(Layout *t, const Panelled *p, const Expr *element) {
  Model *model = t->routine->model;
  Axis axes[LIMIT_RANK] = {{0}};
  IndexList taken = {0};
  int rank = p->variables.count;
  for (int i = 0; i < rank; i++) axes[i].extent = p->variables.items[i]->range;
  Renaming renaming = renaming_new(model, model->arena, p->variables.items, rank, &taken);
  Equation *copy = NEW(model->arena, Equation);
  *copy = (Equation){.vars = renaming.to,
                     .var_count = rank,
                     .body = renaming_apply(model, t->scratch, &renaming, element),
                     .instance = p->product->instance,
                     .span = p->product->span};
  for (int i = 0; i < rank; i++) copy->place[i] = i;
  Name name = is_read(element) ? element->tensor->name : p->product->target->name;
  layout_define(t, copy, name_format(model->names, "%s.panels", name), axes, rank);
  return copy;
}

/* The same panels, made for another product; null: there are none. */
static Equation *find_panels(Layout *t, const Panelled *p, const Expr *element) {
  Model *model = t->routine->model;
  int rank = p->variables.count;
  for (int i = 0; i < t->panels.count; i++) {
    Equation *panels = t->panels.items[i];
    const Expr *values[LIMIT_RANK];
    bool fits = panels->var_count == rank;
    for (int k = 0; fits && k < rank; k++) {
      fits = panels->vars[k]->range == p->variables.items[k]->range;
      values[k] = expr_index(model->exprs, panels->vars[k]);
    }
    if (fits && expr_substitute(model->exprs, t->scratch, element, p->variables.items, values,
                                rank) == panels->body)
      return panels;
  }
  return NULL;
}

/* ---- the product ---- */

static Equation *over_panels(Layout *t, const Panelled *p, const Equation *panels) {
  Model *model = t->routine->model;
  const Equation *copy = transposed_copy(t, p->factor);
  if (copy) take_out(&t->equations, copy);
  const Expr *read = tensor_read(model, panels->target, p->variables.items);
  Equation *product = layout_reading(t, p->product, p->factor, read);
  int count = product->var_count;
  const Index **vars = NEW_ARRAY(model->arena, const Index *, count + 1);
  for (int i = 0; i + 1 < count; i++) vars[i] = product->vars[i];
  vars[count - 1] = p->panel;
  vars[count] = p->inner;
  product->place[count] = product->place[count - 1];
  product->vars = vars;
  product->var_count = count + 1;
  return product;
}

static void panel_equation(Layout *t, Equation *equation) {
  Tiling tiling;
  Model *model = t->routine->model;
  if (tiling_of(t->routine, equation, &tiling) && may_have_panels(t, equation, &tiling)) {
    const RecurrentEquation *recurrent = map_get(&t->routine->recurrences, equation->target);
    Panelled p = panelled(t, equation, &tiling);
    const Expr *element = panel_element(t, &p);
    Equation *panels = find_panels(t, &p, element);
    if (!panels && is_worth_panels(t, equation, &tiling)) {
      panels = equation_panels(t, &p, element);
      APPEND(t->scratch, &t->panels, panels);
      layout_insert(t, panels, recurrent ? recurrent->group : 0);
    }
    if (panels) equation = over_panels(t, &p, panels);
  }
  APPEND(model->arena, &t->equations, equation);
}

void routine_panel(Routine *routine) {
  Layout layout;
  if (routine->target->vector_bytes > 0) layout_run(&layout, routine, panel_equation);
}
