/* Loops whose iterations are taken by vectors: each statement once for each vector of lanes.

   Their statements are those of a tile (loops/tile.c) and of dots (loops/dots.c): a contiguous value, the product
   of one with a number or with another, or other arithmetic, added to a local tensor of vectors, of which in the end
   it or arithmetic is stored. In a loop that takes its vectors in steps (loops/stride.c) they are arithmetic of local
   vectors and of values each or every other of which is read. */
#include "emit/expression.h"

#include "loops/distance.h"

/* "nnrt_f32x16", "nnrt_load_f32x16" */
static const char *vector_word(const FunctionWriter *writer, const char *verb, int64_t lanes) {
  return arena_format(writer->arena, "nnrt_%s%s%sx%lld", verb, *verb ? "_" : "",
                      real_suffix(writer->routine), (long long)lanes);
}

/* A loop being written: the vector of its iterations from `first` on, of which there may be fewer than lanes. */
typedef struct Vector {
  const LoopNode *loop;
  const Expr *first;
  int64_t count;
} Vector;

static bool is_part(const Vector *vector) {
  return vector->count < vector->loop->lanes;
}

/* The expression at the first lane. */
static const Expr *at_first_lane(const FunctionWriter *writer, const Vector *vector,
                                 const Expr *e) {
  ExprTable *exprs = writer->routine->model->exprs;
  Arena *scratch = arena_new();
  const Expr *there = expr_substitute(exprs, scratch, e, &vector->loop->index, &vector->first, 1);
  arena_free(scratch);
  return there;
}

static bool is_held_in_vectors(const FunctionWriter *writer, const Tensor *tensor) {
  return routine_buffer(writer->routine, tensor)->lanes > 0;
}

/* Not the same in all lanes. */
static bool varies(const FunctionWriter *writer, const Vector *vector, const Expr *e) {
  if (expr_uses_index(writer->arena, e, vector->loop->index)) return true;
  ExprList nodes = expr_postorder(writer->arena, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i]) && is_held_in_vectors(writer, nodes.items[i]->tensor)) return true;
  return false;
}

/* "tile[r][1]", "total" */
static const char *held_vector(FunctionWriter *writer, const Vector *vector, const Tensor *tensor,
                               const Expr *const *subscripts) {
  ExprTable *exprs = writer->routine->model->exprs;
  if (!buffer_has_elements(routine_buffer(writer->routine, tensor)))
    return scope_find(&writer->scope, tensor);
  const Expr *column = at_first_lane(writer, vector, subscripts[1]);
  column = expr_binary(exprs, OP_IDIV, column, expr_integer(exprs, vector->loop->lanes));
  const char *row = write_expression(writer, subscripts[0], TYPE_INT, LEVEL_ANY);
  return arena_format(writer->arena, "%s[%s][%s]", scope_find(&writer->scope, tensor), row,
                      write_expression(writer, column, TYPE_INT, LEVEL_ANY));
}

/* "&W[i * 128 + k + 16]" */
static const char *address(FunctionWriter *writer, const Vector *vector, const Tensor *tensor,
                           const Expr *const *subscripts) {
  ExprTable *exprs = writer->routine->model->exprs;
  const Expr *read = at_first_lane(writer, vector, expr_read(exprs, tensor, subscripts, NULL));
  return arena_format(writer->arena, "&%s",
                      write_expression(writer, read, TYPE_REAL, LEVEL_PRIMARY));
}

static bool is_every_other(const FunctionWriter *writer, const Vector *vector, const Expr *read) {
  Arena *scratch = arena_new();
  int64_t distance =
      element_distance(writer->routine, scratch, read->tensor, read->args, vector->loop->index);
  arena_free(scratch);
  return distance == 2;
}

static const char *vector_read(FunctionWriter *writer, const Vector *vector, const Expr *read) {
  if (is_held_in_vectors(writer, read->tensor))
    return held_vector(writer, vector, read->tensor, read->args);
  const char *from = address(writer, vector, read->tensor, read->args);
  int64_t lanes = vector->loop->lanes;
  bool is_even = vector->loop->step > 1 && is_every_other(writer, vector, read);
  if (!is_part(vector))
    return arena_format(writer->arena, "%s(%s)",
                        vector_word(writer, is_even ? "load_even" : "load", lanes), from);
  return arena_format(writer->arena, "%s(%s, %lld)",
                      vector_word(writer, is_even ? "load_even_part" : "load_part", lanes), from,
                      (long long)vector->count);
}

static const char *vector_value(FunctionWriter *writer, const Vector *vector, const Expr *e,
                                int level);

static int level_of(Op op) {
  if (op == OP_SQRT || op == OP_MAX || op == OP_MIN) return LEVEL_PRIMARY; /* calls */
  return op == OP_ADD || op == OP_SUB ? LEVEL_SUM : op == OP_NEGATE ? LEVEL_UNARY : LEVEL_PRODUCT;
}

static const char *extreme_of(const FunctionWriter *writer, const Vector *vector, bool is_max,
                              const char *one, const char *other) {
  return arena_format(writer->arena, "%s(%s, %s)",
                      vector_word(writer, is_max ? "max" : "min", vector->loop->lanes), one, other);
}

/* A vector, whatever the value is. */
static const char *vector_operand(FunctionWriter *writer, const Vector *vector, const Expr *e) {
  const char *value = vector_value(writer, vector, e, LEVEL_ANY);
  if (varies(writer, vector, e)) return value;
  return arena_format(writer->arena, "%s(%s)", vector_word(writer, "all", vector->loop->lanes),
                      value);
}

/* Arithmetic, not deeper than the few nodes of an epilogue's member. */
static const char *vector_operation(FunctionWriter *writer, const Vector *vector, const Expr *e) {
  Arena *arena = writer->arena;
  if (e->op == OP_SQRT)
    return arena_format(arena, "%s(%s)", vector_word(writer, "sqrt", vector->loop->lanes),
                        vector_value(writer, vector, e->args[0], LEVEL_ANY));
  if (e->op == OP_MAX || e->op == OP_MIN)
    return extreme_of(writer, vector, e->op == OP_MAX, vector_operand(writer, vector, e->args[0]),
                      vector_operand(writer, vector, e->args[1]));
  int level = level_of(e->op);
  if (e->op == OP_NEGATE)
    return arena_format(arena, "-%s", vector_value(writer, vector, e->args[0], LEVEL_PRIMARY));
  const char *left = vector_value(writer, vector, e->args[0], level);
  const char *right = vector_value(writer, vector, e->args[1], level + 1);
  return arena_format(arena, "%s %s %s", left, op_spelling(e->op), right);
}

/* Of all lanes: a vector, or a number that is the same in all. */
static const char *vector_value(FunctionWriter *writer, const Vector *vector, const Expr *e,
                                int level) {
  if (!varies(writer, vector, e)) return write_expression(writer, e, TYPE_REAL, level);
  if (is_read(e)) return vector_read(writer, vector, e);
  const char *text = vector_operation(writer, vector, e);
  bool is_inside = level_of(e->op) < level;
  return is_inside ? arena_format(writer->arena, "(%s)", text) : text;
}

/* Adds a product to what a vector holds. */
static const char *vector_fma(FunctionWriter *writer, const Vector *vector, const LoopNode *node,
                              const char *number, const char *sum) {
  const Expr *const *factors = node->value->args;
  bool is_turned = number && expr_uses_index(writer->arena, factors[0], vector->loop->index);
  const char *a = number ? number : vector_value(writer, vector, factors[0], LEVEL_ANY);
  return arena_format(writer->arena, "%s(%s, %s, %s)",
                      vector_word(writer, number ? "fma" : "fma_each", vector->loop->lanes), a,
                      vector_value(writer, vector, factors[is_turned ? 0 : 1], LEVEL_ANY), sum);
}

/* Adds to what a vector holds; where fewer iterations are left than it has lanes, the others stay. */
static void write_vector_sum(FunctionWriter *writer, const Vector *vector, const LoopNode *node,
                             const char *number) {
  ExprTable *exprs = writer->routine->model->exprs;
  const LoopNode *loop = vector->loop;
  bool is_product = node->value->op == OP_MUL, is_whole = loop->end->op == OP_INTEGER;
  const char *sum = held_vector(writer, vector, node->target, node->subscripts);
  const char *value =
      is_product ? vector_fma(writer, vector, node, number, sum)
                 : vector_value(writer, vector, node->value, is_whole ? LEVEL_ANY : LEVEL_PRODUCT);
  if (is_whole) {
    write_line(writer, "%s %s %s;", sum, is_product ? "=" : "+=", value);
    return;
  }
  const Expr *left = expr_binary(exprs, OP_SUB, loop->end, vector->first);
  if (!is_product) value = arena_format(writer->arena, "%s + %s", sum, value);
  write_line(writer, "%s = %s(%s, %s, %s);", sum, vector_word(writer, "first", loop->lanes),
             write_expression(writer, left, TYPE_INT, LEVEL_ANY), value, sum);
}

static void write_vector_store(FunctionWriter *writer, const Vector *vector, const LoopNode *node,
                               const char *number) {
  int64_t lanes = vector->loop->lanes;
  if (node->combine == REDUCE_NONE && is_held_in_vectors(writer, node->target)) {
    write_line(writer, "%s = %s(%s);", held_vector(writer, vector, node->target, node->subscripts),
               vector_word(writer, "keep", lanes), vector_read(writer, vector, node->value));
    return;
  }
  if (node->combine == REDUCE_NONE) {
    const char *to = address(writer, vector, node->target, node->subscripts);
    const char *value = vector_operand(writer, vector, node->value);
    if (node->marks & MARK_WATCH) value = watched_text(writer, value, lanes);
    if (is_part(vector))
      write_line(writer, "%s(%s, %s, %lld);", vector_word(writer, "store_part", lanes), to, value,
                 (long long)vector->count);
    else
      write_line(writer, "%s(%s, %s);", vector_word(writer, "store", lanes), to, value);
    return;
  }
  write_vector_sum(writer, vector, node, number);
}

/* The factor of a product that is the same in all lanes; null: there is none. */
static const char *write_number(FunctionWriter *writer, const LoopNode *loop,
                                const LoopNode *node) {
  if (node->combine == REDUCE_NONE || node->value->op != OP_MUL) return NULL;
  bool is_right = expr_uses_index(writer->arena, node->value->args[0], loop->index);
  if (is_right && expr_uses_index(writer->arena, node->value->args[1], loop->index)) return NULL;
  const Expr *factor = node->value->args[is_right ? 1 : 0];
  const char *text = write_expression(writer, factor, TYPE_REAL, LEVEL_TERNARY);
  if (loop->lanes >= extent_maximum(loop->index->range)) return text;
  Name name = scope_fresh(&writer->scope, "t");
  write_line(writer, "const %s %s = %s;", value_type_name(writer->routine, TYPE_REAL), name, text);
  return name;
}

void write_vectors(FunctionWriter *writer, const LoopNode *loop) {
  int64_t count = extent_maximum(loop->index->range);
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    if (node->equation) write_begun(writer);
    const char *number = write_number(writer, loop, node);
    for (int64_t first = 0; first < count; first += loop->lanes) {
      int64_t rest = count - first;
      Vector vector = {loop, expr_integer(writer->routine->model->exprs, first),
                       rest < loop->lanes ? rest : loop->lanes};
      write_vector_store(writer, &vector, node, number);
    }
  }
}

/* Sets a local vector, or combines it with what it holds. */
static void write_local_vector(FunctionWriter *writer, const Vector *vector, const LoopNode *node) {
  Name name = scope_find(&writer->scope, node->target);
  const char *value = vector_operand(writer, vector, node->value);
  if (node->combine == REDUCE_MAX || node->combine == REDUCE_MIN)
    value = extreme_of(writer, vector, node->combine == REDUCE_MAX, name, value);
  write_line(writer, "%s %s %s;", name, node->combine == REDUCE_SUM ? "+=" : "=", value);
}

static void write_vector_declare(FunctionWriter *writer, const Vector *vector,
                                 const LoopNode *node) {
  const char *type = vector_word(writer, "", vector->loop->lanes);
  Name name = scope_name(&writer->scope, node->target, node->target->name);
  if (node->value)
    write_line(writer, "%s %s = %s;", type, name, vector_operand(writer, vector, node->value));
  else
    write_line(writer, "%s %s;", type, name);
}

void write_vector_body(FunctionWriter *writer, const LoopNode *loop) {
  ExprTable *exprs = writer->routine->model->exprs;
  int64_t rest = loop->end->integer - loop->lanes;
  Vector vector = {loop, expr_index(exprs, loop->index), loop->lanes + (rest < 0 ? rest : 0)};
  if (rest > 0 && rest % loop->lanes != 0)
    vector.first = expr_binary(exprs, OP_MIN, vector.first, expr_integer(exprs, rest));
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    if (node->equation) write_begun(writer);
    if (node->kind == LOOP_DECLARE)
      write_vector_declare(writer, &vector, node);
    else if (is_held_in_vectors(writer, node->target))
      write_local_vector(writer, &vector, node);
    else
      write_vector_store(writer, &vector, node, NULL);
  }
}

void write_square(FunctionWriter *writer, const LoopNode *copy) {
  ExprTable *exprs = writer->routine->model->exprs;
  const Expr *target = expr_read(exprs, copy->target, copy->subscripts, NULL);
  write_line(writer, "%s(&%s, %lld, &%s, %lld);", vector_word(writer, "transpose", copy->lanes),
             write_expression(writer, copy->value, TYPE_REAL, LEVEL_PRIMARY),
             (long long)copy->from_row, write_expression(writer, target, TYPE_REAL, LEVEL_PRIMARY),
             (long long)copy->to_row);
}

void write_tile(FunctionWriter *writer, const LoopNode *declare) {
  const Tensor *tile = declare->target;
  int64_t lanes = routine_buffer(writer->routine, tile)->lanes;
  Name name = scope_name(&writer->scope, tile, tile->name);
  write_line(writer, "%s %s[%lld][%lld]%s;", vector_word(writer, "", lanes), name,
             (long long)extent_maximum(tile->axes[0].extent),
             (long long)((extent_maximum(tile->axes[1].extent) + lanes - 1) / lanes),
             declare->value ? " = {{{0}}}" : "");
}
