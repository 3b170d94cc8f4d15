/* A family of nests as one static C function, that of its first: loops and stores under the equations they
   come from, in which the others differ by ranges. */
#include "emit/expression.h"
#include "emit/parts.h"

#include <string.h>

enum { MOST_UNROLLED = 16 /* iterations, which compilers write out before they make vectors */ };

/* ---- what it computes ---- */

/* The update in place that an equation makes; null: none. */
static const Update *update_by(const Routine *routine, const Tensor *value) {
  const Buffer *buffer = map_get(&routine->buffers, value);
  if (!buffer || !buffer->shares) return NULL;
  for (int i = 0; i < routine->updates.count; i++) {
    const Update *update = &routine->updates.items[i];
    if (update->value == value && update->target == buffer->shares) return update;
  }
  return NULL;
}

static void write_ranges(FunctionWriter *writer, const char *sign, const LineList *lines) {
  LineList ranges = ranges_of(writer->arena, lines);
  for (int i = 0; i < ranges.count; i++) {
    write_comment(writer, arena_format(writer->arena, "%s%s", sign, ranges.items[i]));
  }
}

static void add_statement(FunctionWriter *writer, LineList *lines, const char *line) {
  if (line) APPEND(writer->arena, lines, line);
}

/* The first time as lines of the model, then as plain comments. */
static void write_equations(FunctionWriter *writer, const EquationList *equations) {
  Statements *statements = writer->statements;
  LineList stated = {0}, updates = {0}, repeated = {0};
  for (int i = 0; i < equations->count; i++) {
    Equation *equation = equation_source(writer->routine, equations->items[i]);
    bool is_new = statements->listing && !map_has(&statements->stated, equation);
    if (is_new && !map_has(&writer->routine->made, equation->target)) {
      map_put(&statements->stated, equation, equation);
      add_statement(writer, &stated, listing_equation(statements->listing, equation));
      const Update *update = update_by(writer->routine, equation->target);
      if (update) add_statement(writer, &updates, listing_update(statements->listing, update));
      continue;
    }
    Text text;
    text_init(&text, writer->arena);
    equation_print(equation, &text);
    add_statement(writer, &repeated, text.bytes);
  }
  write_ranges(writer, "= ", &stated);
  write_ranges(writer, "= ", &updates);
  write_ranges(writer, "", &repeated);
}

/* Random numbers are made where they are read. */
static void write_draws(FunctionWriter *writer, const NestFamily *family) {
  const TensorList *tensors = &first_member(family)->tensors;
  for (int i = 0; i < tensors->count; i++) {
    const Buffer *buffer = map_get(&writer->routine->buffers, tensors->items[i]);
    if (!buffer || buffer->place != PLACE_DRAW) continue;
    EquationList equations = {0};
    for (int k = 0; k < family->members.count; k++) {
      APPEND(writer->arena, &equations, family->members.items[k]->tensors.items[i]->definition);
    }
    write_equations(writer, &equations);
  }
}

static void write_inlined(FunctionWriter *writer, const NestFamily *family) {
  EquationList equations = {0};
  for (int i = 0; i < family->members.count; i++) {
    const EquationList *inlined = &family->members.items[i]->inlined;
    for (int k = 0; k < inlined->count; k++) APPEND(writer->arena, &equations, inlined->items[k]);
  }
  write_equations(writer, &equations);
}

/* Those that the next such node begins. */
void write_begun(FunctionWriter *writer) {
  EquationList equations = {0};
  const NestList *members = &writer->family->members;
  for (int i = 0; i < members->count; i++) {
    APPEND(writer->arena, &equations, members->items[i]->begun.items[writer->begun]);
  }
  writer->begun++;
  write_equations(writer, &equations);
}

/* The update that a node of a nest without equations copies; null: it is no copy. */
static const Update *copied_by(const FunctionWriter *writer, const LoopNode *node) {
  while (node->kind == LOOP_FOR && node->body.count == 1) node = node->body.items[0];
  const UpdateList *updates = &writer->routine->updates;
  for (int i = 0; node->kind == LOOP_STORE && i < updates->count; i++) {
    if (updates->items[i].target == node->target) return &updates->items[i];
  }
  return NULL;
}

static void write_copies(FunctionWriter *writer, int node) {
  const NestList *members = &writer->family->members;
  LineList lines = {0};
  if (!writer->statements->listing || first_member(writer->family)->equations.count > 0) return;
  for (int i = 0; i < members->count; i++) {
    const Update *update = copied_by(writer, members->items[i]->body.items[node]);
    if (!update) continue;
    add_statement(writer, &lines, listing_update(writer->statements->listing, update));
  }
  write_ranges(writer, "= ", &lines);
}

/* ---- nodes ---- */

static void write_body(FunctionWriter *writer, const LoopBody *body);

/* Some element that the loop runs over is read on one side of a choice only. */
static bool reads_in_choice(const Expr *value, const Index *index) {
  Arena *scratch = arena_new();
  ExprList sides = {0};
  ExprList nodes = expr_postorder(scratch, &value, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    if (is_read(e) && read_default(e)) APPEND(scratch, &sides, e);
    for (int k = 1; e->op == OP_SELECT && k < e->count; k++) APPEND(scratch, &sides, e->args[k]);
  }
  bool found = false;
  nodes = expr_postorder(scratch, sides.items, sides.count);
  for (int i = 0; i < nodes.count && !found; i++)
    found = is_read(nodes.items[i]) && expr_uses_index(scratch, nodes.items[i], index);
  arena_free(scratch);
  return found;
}

/* Into one variable. */
static bool is_extreme_of_numbers(const LoopNode *node) {
  bool is_extreme = node->combine == REDUCE_MAX || node->combine == REDUCE_MIN;
  return node->kind == LOOP_STORE && is_extreme && node->target->rank == 0 &&
         node->target->type == TYPE_REAL;
}

/* Into one of the rows of an array of the nest's own. */
static bool is_into_rows(const LoopNode *node) {
  return node->kind == LOOP_STORE && node->target->rank == 2 && !node->target->definition;
}

/* Which terms ask for a line is told by an outer loop. */
static bool fetches_in_turn(const LoopNode *loop) {
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    bool is_turn = node->kind == LOOP_IF && node->condition->op == OP_EQ &&
                   node->condition->args[1]->op != OP_INTEGER;
    if (is_turn && node->body.items[0]->kind == LOOP_FETCH) return true;
  }
  return false;
}

/* Stores along the last dim of what they go to, of at least a vector. */
static bool is_short_row(const FunctionWriter *writer, const LoopNode *loop) {
  const Routine *routine = writer->routine;
  int64_t count = loop->end->integer - loop->begin->integer;
  int64_t lanes = routine->target->vector_bytes / routine->bytes_of_real;
  if (lanes == 0 || count < lanes || count > MOST_UNROLLED) return false;
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    if (node->kind == LOOP_DECLARE) continue;
    bool is_whole = node->kind == LOOP_STORE && node->combine == REDUCE_NONE;
    int last = is_whole ? node->target->rank - 1 : -1;
    if (last < 0 || !expr_uses_index(writer->arena, node->subscripts[last], loop->index))
      return false;
  }
  return true;
}

/* gcc 12 unrolls short loops first. Then it may take loads under different conditions for one vector: wrong values with
   -O3 -mavx2, even of loads that stand before the choice. Of lanes under conditions and of extremes it makes branches
   then, and of functions no vectors; and what a short sum in vectors reads in each iteration of an outer loop, as the
   gain of a norm, it keeps in registers that a tile in that loop lacks. clang unrolls those of a tile, and of rows
   beside each other, first and then makes vectors across them, and of short rows none; of terms that ask for lines in
   turn it takes as many as there are turns, and keeps the factors of all beside the tile. */
static bool must_not_unroll(const FunctionWriter *writer, const LoopNode *loop) {
  if ((loop->marks & MARK_TILE) || fetches_in_turn(loop)) return true;
  if (loop->begin->op != OP_INTEGER || loop->end->op != OP_INTEGER) return false;
  if (loop->step > 1 || is_short_row(writer, loop)) return true;
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    if (node->kind == LOOP_FOR) return false;
    if (node->kind == LOOP_IF && (loop->marks & MARK_VECTOR)) return true;
    bool is_whole = node->combine == REDUCE_NONE || is_into_rows(node);
    if (is_whole && (loop->marks & MARK_VECTOR)) return true;
    if (is_extreme_of_numbers(node)) return true;
    if (node->value && reads_in_choice(node->value, loop->index)) return true;
  }
  return false;
}

/* Of loops of which a thread runs the same elements. */
static Name part_key(FunctionWriter *writer, const LoopNode *loop) {
  const char *end = write_expression(writer, loop->end, TYPE_INT, LEVEL_TERNARY);
  return name_format(writer->scope.names, "part of %s by %lld", end, (long long)loop->grain);
}

/* What this thread has of loops that are dealt out, for all of the function. */
static void open_parts(FunctionWriter *writer, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    Name key = node->grain > 0 ? part_key(writer, node) : NULL;
    if (key && !scope_find(&writer->scope, key)) {
      Name part = scope_name(&writer->scope, key, name_of(writer->scope.names, "part"));
      write_line(writer, "const nnrt_part %s = nnrt_part_of(%s, %lld);", part,
                 write_expression(writer, node->end, TYPE_INT, LEVEL_TERNARY),
                 (long long)node->grain);
      note_parameter(writer, "nnrt_part ", part, "");
    }
    open_parts(writer, &node->body);
  }
}

static void write_for(FunctionWriter *writer, const LoopNode *node) {
  if (node->lanes > 0 && node->step == 1) {
    write_vectors(writer, node);
    return;
  }
  if (node->marks & MARK_DRAWS) {
    write_draws_together(writer, node);
    return;
  }
  Scope outer = writer->scope;
  Scope inner;
  const char *begin = write_expression(writer, node->begin, TYPE_INT, LEVEL_TERNARY);
  const char *end = write_expression(writer, node->end, TYPE_INT, LEVEL_SUM);
  if (node->grain > 0) {
    Name part = scope_find(&writer->scope, part_key(writer, node));
    begin = arena_format(writer->arena, "%s.begin", part);
    end = arena_format(writer->arena, "%s.end", part);
  }
  outer = writer->scope;
  scope_open(&inner, writer->arena, writer->scope.names, &outer);
  writer->scope = inner;
  Name name = scope_name(&writer->scope, node->index, node->index->name);
  name_stretch(writer, name);
  const char *advance =
      node->step == 1 ? arena_format(writer->arena, "++%s", name)
                      : arena_format(writer->arena, "%s += %lld", name, (long long)node->step);
  bool is_divided = (node->marks & MARK_PARALLEL) && node->grain == 0;
  if (is_divided) write_line(writer, "NNRT_DIVIDE");
  if (!is_divided && must_not_unroll(writer, node)) write_line(writer, "#pragma GCC unroll 1");
  if (node->marks & MARK_UNROLL)
    write_line(writer, "#pragma GCC unroll %lld", (long long)extent_maximum(node->index->range));
  if (node->marks & MARK_DOWN)
    write_line(writer, "for (int64_t %s = %s - 1; %s >= %s; --%s) {", name, end, name, begin, name);
  else
    write_line(writer, "for (int64_t %s = %s; %s < %s; %s) {", name, begin, name, end, advance);
  writer->depth++;
  if (node->lanes > 0)
    write_vector_body(writer, node);
  else
    write_body(writer, &node->body);
  writer->depth--;
  write_line(writer, "}");
  writer->scope = outer;
}

static void write_if(FunctionWriter *writer, const LoopNode *node) {
  write_line(writer, "if (%s) {", write_expression(writer, node->condition, TYPE_BOOL, LEVEL_ANY));
  writer->depth++;
  write_body(writer, &node->body);
  writer->depth--;
  write_line(writer, "}");
}

/* Its elements have fewer bits in memory than in expressions. */
static bool narrows(const FunctionWriter *writer, const Tensor *target) {
  bool whole = target->type == TYPE_INT || target->type == TYPE_BOOL;
  return whole && routine_buffer(writer->routine, target)->place != PLACE_REGISTER;
}

/* The value of a store, as the type that the element has in memory. */
static const char *stored_value(FunctionWriter *writer, const LoopNode *node, const char *position,
                                int level) {
  const Tensor *target = node->target;
  if (is_draw(node->value)) return draw_text(writer, node->value->op, target, position);
  ValueType type = target->type == TYPE_NUMBER ? TYPE_F64 : target->type;
  const char *value = write_expression(writer, node->value, type, level);
  if (!narrows(writer, target)) return value;
  return arena_format(writer->arena, "(%s)(%s)", element_type_name(writer->routine, target), value);
}

static void write_array(FunctionWriter *writer, ValueType type, Name name, int64_t count) {
  const Routine *routine = writer->routine;
  const char *attribute =
      type == TYPE_REAL ? alignment_text(routine, writer->arena, routine->bytes_of_real, count)
                        : "";
  write_line(writer, "%s %s[%lld]%s;", value_type_name(routine, type), name, (long long)count,
             attribute);
}

/* What an iteration writes and reads. */
static void write_row(FunctionWriter *writer, const Buffer *buffer) {
  const Tensor *row = buffer->tensor;
  int64_t stride = 0;
  int dim = 0;
  for (int level = 0; stride == 0; level++) {
    dim = routine_dim_at(writer->routine, row, level);
    if (!extent_is_constant(buffer->strides[dim], &stride)) break;
  }
  write_array(writer, row->type, scope_name(&writer->scope, row, row->name),
              stride * extent_maximum(row->axes[dim].extent));
}

/* Where a tile begins so that it ends in what this thread has. */
static const char *first_row_text(FunctionWriter *writer, const LoopNode *node) {
  const char *index = write_expression(writer, node->value->args[0], TYPE_INT, LEVEL_TERNARY);
  Name part = scope_find(&writer->scope, part_key(writer, node));
  return arena_format(writer->arena, "nnrt_min_i64(%s, %s.end - %lld)", index, part,
                      (long long)node->grain);
}

static void write_declare(FunctionWriter *writer, const LoopNode *node) {
  const Tensor *target = node->target;
  const Buffer *buffer = routine_buffer(writer->routine, target);
  Name name = scope_name(&writer->scope, target, target->name);
  name_stretch(writer, name);
  if (buffer->lanes > 0) {
    write_tile(writer, node);
    return;
  }
  if (declares_row(writer->routine, node)) {
    write_row(writer, buffer);
    return;
  }
  const char *type = value_type_name(writer->routine, target->type);
  bool is_array = target->rank > 0 && target->definition == NULL;
  const char *value = node->value ? stored_value(writer, node, "0", LEVEL_TERNARY) : NULL;
  if (node->grain > 0) value = first_row_text(writer, node);
  if (is_array) {
    long long count = (long long)tensor_elements(target);
    write_array(writer, target->type, name, count);
    if (node->marks & MARK_UNSET) write_line(writer, "NNRT_UNSET(%s)", name);
    if (!value) return;
    Name lane = scope_fresh(&writer->scope, "lane");
    write_line(writer, "for (int64_t %s = 0; %s < %lld; ++%s) %s[%s] = %s;", lane, lane, count,
               lane, name, lane, value);
  } else if (value) {
    bool constant = target->definition && target->definition->reduction == REDUCE_NONE;
    write_line(writer, "%s%s %s = %s;", constant ? "const " : "", type, name, value);
  } else {
    write_line(writer, "%s %s;", type, name);
  }
}

/* element = nnrt_max(element, value), as the type that the element has in memory. */
static void write_extreme(FunctionWriter *writer, const Tensor *target, const char *verb,
                          const char *element, const char *value) {
  const char *suffix = target->type == TYPE_REAL  ? real_suffix(writer->routine)
                       : target->type == TYPE_INT ? "i64"
                                                  : "f64";
  const char *cast =
      narrows(writer, target)
          ? arena_format(writer->arena, "(%s)", element_type_name(writer->routine, target))
          : "";
  write_line(writer, "%s = %snnrt_%s_%s(%s, %s);", element, cast, verb, suffix, element, value);
}

/* A product is added to a sum with one rounding where the target has that. */
static bool is_fused(const FunctionWriter *writer, const LoopNode *node) {
  const Target *target = writer->routine->target;
  bool is_real = node->target->type == TYPE_REAL || node->target->type == TYPE_F64;
  return target->fused && is_real && node->combine == REDUCE_SUM && node->value->op == OP_MUL;
}

static void write_fused(FunctionWriter *writer, const LoopNode *node, const char *element) {
  ValueType type = node->target->type;
  const char *a = write_expression(writer, node->value->args[0], type, LEVEL_TERNARY);
  const char *b = write_expression(writer, node->value->args[1], type, LEVEL_TERNARY);
  const char *suffix = type == TYPE_REAL ? real_suffix(writer->routine) : "f64";
  write_line(writer, "%s = nnrt_fma_%s(%s, %s, %s);", element, suffix, a, b, element);
}

static void write_combined(FunctionWriter *writer, const LoopNode *node, const char *element,
                           const char *value) {
  switch (node->combine) {
  case REDUCE_SUM: write_line(writer, "%s += %s;", element, value); break;
  case REDUCE_PROD: write_line(writer, "%s *= %s;", element, value); break;
  case REDUCE_MAX: write_extreme(writer, node->target, "max", element, value); break;
  case REDUCE_MIN: write_extreme(writer, node->target, "min", element, value); break;
  case REDUCE_ANY: write_line(writer, "%s |= %s;", element, value); break;
  case REDUCE_ALL: write_line(writer, "%s &= %s;", element, value); break;
  default: write_line(writer, "%s = %s;", element, value); break;
  }
}

static void write_store(FunctionWriter *writer, const LoopNode *node) {
  if (node->marks & MARK_SQUARE) {
    write_square(writer, node);
    return;
  }
  const char *subscripts[LIMIT_RANK];
  int levels[LIMIT_RANK];
  for (int dim = 0; dim < node->target->rank; dim++) {
    bool simple = node->subscripts[dim]->op == OP_INDEX || node->subscripts[dim]->op == OP_INTEGER;
    levels[dim] = simple ? LEVEL_PRIMARY : LEVEL_SUM;
    subscripts[dim] = write_expression(writer, node->subscripts[dim], TYPE_INT, levels[dim]);
  }
  if (is_fused(writer, node)) {
    write_fused(writer, node, element_text(writer, node->target, subscripts, levels));
    return;
  }
  const char *position = position_text(writer, node->target, subscripts, levels);
  int level =
      node->combine == REDUCE_ANY || node->combine == REDUCE_ALL ? LEVEL_EQUAL : LEVEL_TERNARY;
  const char *value = stored_value(writer, node, position, level);
  if (node->marks & MARK_WATCH) value = watched_text(writer, value, 0);
  const char *element = element_text(writer, node->target, subscripts, levels);
  write_combined(writer, node, element, value);
}

static void write_plain_node(FunctionWriter *writer, const LoopNode *node) {
  switch (node->kind) {
  case LOOP_FOR: write_for(writer, node); break;
  case LOOP_IF: write_if(writer, node); break;
  case LOOP_DECLARE: write_declare(writer, node); break;
  case LOOP_STORE: write_store(writer, node); break;
  case LOOP_FETCH:
    write_line(writer, "NNRT_FETCH(&%s)",
               write_expression(writer, node->value, TYPE_REAL, LEVEL_PRIMARY));
    break;
  }
}

static void write_node(FunctionWriter *writer, const LoopNode *node) {
  bool is_alone = node->marks & MARK_FIRST;
  if (node->marks & MARK_WAIT) write_line(writer, "NNRT_WAIT");
  int around = open_stretch(writer, node);
  if (node->equation) write_begun(writer);
  if (is_alone) write_line(writer, "NNRT_FIRST {");
  writer->depth += is_alone;
  write_plain_node(writer, node);
  writer->depth -= is_alone;
  if (is_alone) write_line(writer, "}");
  close_stretch(writer, around);
}

/* The loop over the elements of a tile that stands behind their sums, or the first branch around it. */
static bool follows_sums(const LoopBody *body, int node) {
  return node > 0 && (body->items[node]->marks & MARK_TILE) != 0 &&
         !(body->items[node - 1]->marks & (MARK_TILE | MARK_DRAWS));
}

static void write_body(FunctionWriter *writer, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    if (follows_sums(body, i)) write_line(writer, "NNRT_APART");
    write_node(writer, body->items[i]);
  }
}

void write_family(FunctionWriter *writer, const NestFamily *family, const NestInterface *interface,
                  Name function, Name scalars_type) {
  const Nest *nest = first_member(family);
  writer->family = family;
  writer->scalars_type = scalars_type;
  name_common(writer, family, interface);
  note_parameters(writer, interface);
  write_signature(writer, function);
  writer->depth = 1;
  write_draws(writer, family);
  write_inlined(writer, family);
  open_watch(writer, &nest->body);
  open_parts(writer, &nest->body);
  for (int i = 0; i < nest->body.count; i++) {
    write_copies(writer, i);
    write_node(writer, nest->body.items[i]);
  }
  close_watch(writer, &nest->body);
  writer->depth = 0;
  text_add(writer->text, "}\n\n");
}
