/* Draws: random numbers that lie side by side along a loop are made before it, in an array.

     for c in 0..128: y[n, c] = if u[n, c] < 0.5 then 0 else 2*x[n, c]

   reads a row of u, of which the generator makes a block of several numbers at a time, and many blocks in vectors;
   one number alone costs as much as its block. */
#include "loops/build.h"
#include "loops/threads.h"

#include "calculus/condition.h"
#include "equations/affine.h"

enum {
  LEAST_NUMBERS = 4, /* of a row: a block */
  ROWS = 4           /* that have room in the local arrays of a nest */
};

typedef struct Drawer {
  Routine *routine;
  Arena *scratch;
} Drawer;

/* A loop, and what stands for the numbers that it reads. */
typedef struct Rows {
  Drawer *drawer;
  LoopBody *body; /* around the loop */
  LoopNode *loop;
  Inside inside;
  Map elements; /* Expr *, a read of a number -> Expr *, of an array */
} Rows;

/* ---- which ---- */

/* How far apart the numbers of two iterations are. */
static bool moves_by_one(Drawer *drawer, const Expr *read, const Index *index) {
  ExprTable *exprs = drawer->routine->model->exprs;
  int64_t strides[LIMIT_RANK];
  draw_strides(drawer->routine->model, read->tensor, strides);
  const Expr *position = expr_integer(exprs, 0);
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    const Expr *stride = expr_integer(exprs, strides[dim]);
    const Expr *distance = expr_binary(exprs, OP_MUL, read->args[dim], stride);
    position = expr_binary(exprs, OP_ADD, position, distance);
  }
  Affine affine = affine_of(exprs, drawer->scratch, position);
  return affine_coefficient(&affine, index) == extent_constant(expr_extents(exprs), 1) &&
         affine_is_linear_in(drawer->scratch, &affine, index);
}

/* Not by what the loop computes: local variables from outside and indices, but for those of loops in it. */
static bool is_known_before(Drawer *drawer, const Inside *inside, const Expr *subscript) {
  ExprList nodes = expr_postorder(drawer->scratch, &subscript, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (node->op == OP_INDEX && map_has(&inside->indices, node->index)) return false;
    if (!is_read(node)) continue;
    bool is_local = map_has(&drawer->routine->buffers, node->tensor) && read_rank(node) == 0;
    if (!is_local || map_has(&inside->declared, node->tensor)) return false;
  }
  return true;
}

/* In all iterations, also those that do not come to the read: a row cannot begin before the first number. */
static bool starts_inside(Drawer *drawer, const Expr *subscript) {
  ExprTable *exprs = drawer->routine->model->exprs;
  const Expr *inside = expr_binary(exprs, OP_LE, expr_integer(exprs, 0), subscript);
  return condition_truth(exprs, drawer->scratch, inside) == ALWAYS_TRUE;
}

static bool lies_along(Drawer *drawer, const Inside *inside, const Expr *read) {
  const Equation *definition = read->tensor->definition;
  if (!definition || !is_draw(definition->body) || read_default(read)) return false;
  if (read->tensor->role != ROLE_VALUE || read->type != TYPE_REAL) return false;
  for (int dim = 0; dim < read->tensor->rank; dim++)
    if (!is_known_before(drawer, inside, read->args[dim]) ||
        !starts_inside(drawer, read->args[dim]))
      return false;
  return moves_by_one(drawer, read, inside->loop->index);
}

/* Room for a row; 0: it is no loop for one. */
static int64_t row_length(const Routine *routine, const LoopNode *node) {
  if (node->kind != LOOP_FOR || node->lanes > 0 || node->step != 1) return 0;
  if (node->marks & (MARK_PARALLEL | MARK_DRAWS)) return 0;
  int64_t count = extent_maximum(node->index->range);
  bool is_row = count >= LEAST_NUMBERS &&
                ROWS * count * routine->bytes_of_real <= routine->target->threads.row_bytes;
  return is_row ? count : 0;
}

/* ---- rows ---- */

/* for c in ..: row[c] = u[n, c] */
static LoopNode *fill_row(Drawer *drawer, const LoopNode *loop, const Tensor *row,
                          const Expr *read) {
  Model *model = drawer->routine->model;
  const Index *index = index_new(model, loop->index->name, loop->index->range);
  const Expr *at = expr_index(model->exprs, index);
  LoopNode *fill = loop_new(model, index);
  fill->begin = loop->begin;
  fill->end = loop->end;
  fill->marks = MARK_DRAWS;
  const Expr *number = expr_substitute(model->exprs, drawer->scratch, read, &loop->index, &at, 1);
  APPEND(model->arena, &fill->body, store_new(model, row, &at, REDUCE_NONE, number));
  return fill;
}

/* The array before the loop, and what of it an iteration reads. */
static const Expr *row_before(Rows *rows, const Expr *read) {
  Drawer *drawer = rows->drawer;
  Model *model = drawer->routine->model;
  LoopNode *loop = rows->loop;
  Site site = {.routine = drawer->routine};
  int64_t length = row_length(drawer->routine, loop);
  const Tensor *row = local_new(&site, read->tensor->name, TYPE_REAL, length);
  LoopNode *declare = declare_new(model, row, NULL);
  declare->equation = loop->equation;
  loop->equation = NULL;
  body_insert_before(model->arena, rows->body, loop, declare);
  body_insert_before(model->arena, rows->body, loop, fill_row(drawer, loop, row, read));
  const Expr *at = expr_index(model->exprs, loop->index);
  return expr_read(model->exprs, row, &at, NULL);
}

static const Expr *read_row(void *context, const Expr *leaf) {
  Rows *rows = context;
  if (!is_read(leaf) || !lies_along(rows->drawer, &rows->inside, leaf)) return leaf;
  const Expr *element = map_get(&rows->elements, leaf);
  if (element) return element;
  element = row_before(rows, leaf);
  map_put(&rows->elements, leaf, (void *)element);
  return element;
}

static const Expr *with_rows(Rows *rows, const Expr *e) {
  Drawer *drawer = rows->drawer;
  return e ? expr_rewrite(drawer->routine->model->exprs, drawer->scratch, e, read_row, rows) : NULL;
}

static void rewrite_below(Rows *rows, LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    node->condition = with_rows(rows, node->condition);
    node->value = with_rows(rows, node->value);
    rewrite_below(rows, &node->body);
  }
}

static void draw_before(Drawer *drawer, LoopBody *body, LoopNode *loop) {
  Rows rows = {.drawer = drawer, .body = body, .loop = loop};
  rows.inside = inside_of(drawer->routine, drawer->scratch, loop);
  map_init(&rows.elements, drawer->scratch);
  rewrite_below(&rows, &loop->body);
}

/* Depth is bounded by the rank limit: a nest has at most MAX_LOOPS loops inside each other. */
static void draw_body(Drawer *drawer, LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    draw_body(drawer, &node->body);
    if (row_length(drawer->routine, node) == 0) continue;
    draw_before(drawer, body, node);
    while (body->items[i] != node) i++;
  }
}

void routine_draw(Routine *routine) {
  Drawer drawer = {routine, arena_new()};
  for (int i = 0; i < routine->nests.count; i++) draw_body(&drawer, &routine->nests.items[i]->body);
  arena_free(drawer.scratch);
}
