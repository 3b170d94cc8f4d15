/* Blocks: the copy of a factor and the product over it. */
#include "loops/blocks.h"

#include "calculus/variables.h"
#include "equations/contraction.h"

bool blocks_divide(const Equation *product, const Index *whole, int64_t width) {
  int64_t range;
  return extent_is_constant(whole->range, &range) && range % width == 0 &&
         product->var_count < LIMIT_RANK;
}

double blocks_bytes_taken(const Equation *product, int64_t row_bytes, int64_t part_bytes) {
  int64_t apart = row_bytes & -row_bytes;
  return contraction_terms(product) * (double)(apart > part_bytes ? apart : part_bytes);
}

/* ---- the copy ---- */

static void append_used(Layout *layout, Blocks *blocks, const Index *const *indices, int count) {
  for (int i = 0; i < count; i++)
    if (indices[i] != blocks->whole && expr_uses_index(layout->scratch, blocks->factor, indices[i]))
      APPEND(layout->routine->model->arena, &blocks->variables, indices[i]);
}

static void count_blocks(Model *model, Blocks *blocks, Name name, int64_t count, int64_t width) {
  ExprTable *exprs = model->exprs;
  blocks->block = index_new(model, name, extent_constant(model->extents, count));
  const Expr *start =
      expr_binary(exprs, OP_MUL, expr_index(exprs, blocks->block), expr_integer(exprs, width));
  blocks->value = expr_binary(exprs, OP_ADD, start, blocks->value);
  APPEND(model->arena, &blocks->variables, blocks->block);
}

Blocks blocks_of(Layout *layout, Equation *product, const Expr *factor, const Index *whole,
                 int64_t width, const char *name) {
  Model *model = layout->routine->model;
  int64_t count = extent_maximum(whole->range) / width;
  Blocks blocks = {.product = product, .factor = factor, .whole = whole};
  blocks.inner = index_new(model, whole->name, extent_constant(model->extents, width));
  blocks.value = expr_index(model->exprs, blocks.inner);
  append_used(layout, &blocks, product->vars, product->var_count);
  if (count > 1) count_blocks(model, &blocks, name_of(model->names, name), count, width);
  append_used(layout, &blocks, product->reduced, product->reduced_count);
  APPEND(model->arena, &blocks.variables, blocks.inner);
  return blocks;
}

static const Expr *over_blocks(Layout *layout, const Blocks *blocks, const Expr *element) {
  return expr_substitute(layout->routine->model->exprs, layout->scratch, element, &blocks->whole,
                         &blocks->value, 1);
}

Equation *blocks_find(Layout *layout, const Blocks *blocks, const Expr *element) {
  ExprTable *exprs = layout->routine->model->exprs;
  int rank = blocks->variables.count;
  element = over_blocks(layout, blocks, element);
  for (int i = 0; i < layout->copies.count; i++) {
    Equation *copy = layout->copies.items[i];
    const Expr *values[LIMIT_RANK];
    bool fits = copy->var_count == rank && copy->body->op == element->op &&
                (!is_read(element) || copy->body->tensor == element->tensor);
    for (int k = 0; fits && k < rank; k++) {
      fits = copy->vars[k]->range == blocks->variables.items[k]->range;
      values[k] = expr_index(exprs, copy->vars[k]);
    }
    if (fits && expr_substitute(exprs, layout->scratch, element, blocks->variables.items, values,
                                rank) == copy->body)
      return copy;
  }
  return NULL;
}

Equation *blocks_make(Layout *layout, const Blocks *blocks, const Expr *element, const char *what) {
  Model *model = layout->routine->model;
  const Equation *product = blocks->product;
  Name name = is_read(element) ? element->tensor->name : product->target->name;
  Equation *copy = layout_copy(layout, product, name_format(model->names, "%s.%s", name, what),
                               &blocks->variables, over_blocks(layout, blocks, element));
  const RecurrentEquation *recurrent = map_get(&layout->routine->recurrences, product->target);
  layout_insert(layout, copy, recurrent ? recurrent->group : 0);
  APPEND(layout->scratch, &layout->copies, copy);
  return copy;
}

/* ---- the product ---- */

Equation *blocks_product(Layout *layout, const Blocks *blocks, const Equation *copy) {
  Model *model = layout->routine->model;
  const Expr *read = tensor_read(model, copy->target, blocks->variables.items);
  Equation *product = layout_reading(layout, blocks->product, blocks->factor, read);
  const Index **vars = NEW_ARRAY(model->arena, const Index *, product->var_count + 1);
  int count = 0;
  for (int i = 0; i < blocks->product->var_count; i++) {
    const Index *index = blocks->product->vars[i];
    product->place[count] = blocks->product->place[i];
    vars[count++] = index == blocks->whole ? blocks->inner : index;
    if (index != blocks->whole || !blocks->block) continue;
    vars[count - 1] = blocks->block;
    product->place[count] = blocks->product->place[i];
    vars[count++] = blocks->inner;
  }
  product->vars = vars;
  product->var_count = count;
  if (product->guard) product->guard = over_blocks(layout, blocks, product->guard);
  return product;
}

bool is_made_copy(const Routine *routine, const Equation *equation) {
  return map_has(&routine->made, equation->target) && equation->reduction == REDUCE_NONE &&
         is_read(equation->body) && !read_default(equation->body) &&
         equation->var_count == equation->target->rank;
}

/* ---- variables ---- */

bool blocks_may_split(const Routine *routine, const Equation *equation, const Index *index) {
  const RecurrentEquation *recurrent = map_get(&routine->recurrences, equation->target);
  if (recurrent && recurrent->time == index) return false;
  if (equation->var_count == LIMIT_RANK || equation->reduced_count == LIMIT_RANK) return false;
  return equation->lanes <= 1 || equation->reduced[equation->reduced_count - 1] != index;
}

static const Index **with_parts(Model *model, const Index *const *all, int count,
                                const Index *whole, const Index *block, const Index *inner) {
  const Index **vars = NEW_ARRAY(model->arena, const Index *, count + 1);
  int k = 0;
  for (int i = 0; i < count; i++) {
    vars[k++] = all[i] == whole ? block : all[i];
    if (all[i] == whole) vars[k++] = inner;
  }
  return vars;
}

static void split_places(Equation *equation, const Equation *before, const Index *whole) {
  int count = 0;
  for (int i = 0; i < before->var_count; i++) {
    equation->place[count++] = before->place[i];
    if (before->vars[i] == whole) equation->place[count++] = before->place[i];
  }
  equation->var_count = count;
}

void blocks_split(Model *model, Arena *scratch, Equation *equation, const Index *whole, Name name,
                  int64_t width) {
  ExprTable *exprs = model->exprs;
  const Equation before = *equation;
  int64_t count = extent_maximum(whole->range) / width;
  const Index *block = index_new(model, name, extent_constant(model->extents, count));
  const Index *inner = index_new(model, whole->name, extent_constant(model->extents, width));
  const Expr *start =
      expr_binary(exprs, OP_MUL, expr_index(exprs, block), expr_integer(exprs, width));
  const Expr *value = expr_binary(exprs, OP_ADD, start, expr_index(exprs, inner));
  equation->vars = with_parts(model, before.vars, before.var_count, whole, block, inner);
  split_places(equation, &before, whole);
  equation->reduced = with_parts(model, before.reduced, before.reduced_count, whole, block, inner);
  equation->reduced_count += before.var_count == equation->var_count;
  equation->body = expr_substitute(exprs, scratch, before.body, &whole, &value, 1);
  if (before.guard)
    equation->guard = expr_substitute(exprs, scratch, before.guard, &whole, &value, 1);
}
