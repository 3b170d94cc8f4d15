/* One nest as one static C function: loops and stores under the equations they come from. */
#include "emit/expression.h"

#include <string.h>

/* ---- what the function takes ---- */

static bool is_in(const TensorList *list, const Tensor *tensor) {
  for (int i = 0; i < list->count; i++) {
    if (list->items[i] == tensor) return true;
  }
  return false;
}

static void note_tensor(Arena *arena, const Routine *routine, const Tensor *tensor,
                        NestInterface *interface) {
  const Buffer *buffer = routine_buffer(routine, tensor);
  const Tensor *memory = memory_of(routine, tensor);
  bool by_value = memory->role == ROLE_HYPER || memory->role == ROLE_STEP;
  if (buffer->place == PLACE_DRAW) {
    interface->draws = true;
    interface->counts_samples |= counts_samples(routine, tensor);
  } else if (buffer->place == PLACE_SCALAR) {
    interface->scalars = true;
  } else if (by_value) {
    if (!is_in(&interface->values, memory)) {
      APPEND(arena, &interface->values, (Tensor *)memory);
    }
  } else if (buffer->place != PLACE_TABLE && !is_in(&interface->arrays, memory)) {
    APPEND(arena, &interface->arrays, (Tensor *)memory);
  }
}

static void note_stored_draws(const Routine *routine, const LoopBody *body,
                              NestInterface *interface) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    if (node->value && is_draw(node->value)) {
      interface->draws = true;
      interface->counts_samples |= counts_samples(routine, node->target);
    }
    note_stored_draws(routine, &node->body, interface);
  }
}

NestInterface nest_interface(Arena *arena, const Routine *routine, const Nest *nest) {
  NestInterface interface = {0};
  note_stored_draws(routine, &nest->body, &interface);
  for (int i = 0; i < nest->reads.count; i++) {
    note_tensor(arena, routine, nest->reads.items[i], &interface);
  }
  for (int i = 0; i < nest->writes.count; i++) {
    note_tensor(arena, routine, nest->writes.items[i], &interface);
  }
  return interface;
}

static bool writes_memory(const Routine *routine, const Nest *nest, const Tensor *memory) {
  for (int i = 0; i < nest->writes.count; i++) {
    if (memory_of(routine, nest->writes.items[i]) == memory) return true;
  }
  return false;
}

/* "const float *restrict h1_W /_* [64][128] *_/" */
static const char *array_parameter(FunctionWriter *writer, const Nest *nest, const Tensor *memory) {
  const Routine *routine = writer->routine;
  Text text;
  text_init(&text, writer->arena);
  text_add(&text, "%s%s *restrict %s", writes_memory(routine, nest, memory) ? "" : "const ",
           element_type_name(routine, memory), scope_name(&writer->scope, memory, memory->name));
  if (memory->rank == 0) return text.bytes;
  text_add(&text, " /* ");
  for (int dim = 0; dim < memory->rank; dim++) {
    const Buffer *buffer = map_get(&routine->buffers, memory);
    int64_t stride;
    bool shrunk = buffer && extent_is_constant(buffer->strides[dim], &stride) && stride == 0;
    bool is_ring = buffer && buffer->ring_steps > 0 && buffer->ring_dim == dim;
    if (shrunk) continue;
    text_add(&text, "[%s]",
             is_ring ? arena_format(writer->arena, "%lld", (long long)buffer->ring_steps)
                     : extent_text(writer, memory->axes[dim].extent, LEVEL_ANY));
  }
  text_add(&text, " */");
  return text.bytes;
}

static void write_signature(FunctionWriter *writer, const Nest *nest, Name function,
                            Name scalars_type) {
  NestInterface interface = nest_interface(writer->arena, writer->routine, nest);
  LIST_OF(const char *) items = {0};
  Arena *arena = writer->arena;
  for (int i = 0; i < nest->dims.count; i++) {
    const Dim *dim = nest->dims.items[i];
    APPEND(arena, &items,
           arena_format(arena, "int64_t %s", scope_name(&writer->scope, dim, dim->name)));
  }
  if (interface.counts_samples) APPEND(arena, &items, "int64_t first_sample");
  if (interface.draws) {
    APPEND(arena, &items, "uint64_t seed");
    APPEND(arena, &items, "uint64_t step_number");
  }
  if (interface.scalars) APPEND(arena, &items, arena_format(arena, "%s *restrict s", scalars_type));
  for (int i = 0; i < interface.values.count; i++) {
    const Tensor *value = interface.values.items[i];
    APPEND(arena, &items,
           arena_format(arena, "double %s", scope_name(&writer->scope, value, value->name)));
  }
  for (int i = 0; i < interface.arrays.count; i++) {
    APPEND(arena, &items, array_parameter(writer, nest, interface.arrays.items[i]));
  }
  if (items.count == 0) APPEND(arena, &items, "void");
  write_wrapped(writer, arena_format(arena, "static void %s(", function), items.items, items.count,
                ") {");
}

/* ---- nodes ---- */

static void write_body(FunctionWriter *writer, const LoopBody *body);

/* The updates that this equation makes in place. */
static void write_updates_by(FunctionWriter *writer, const Tensor *value) {
  const UpdateList *updates = &writer->routine->updates;
  for (int i = 0; i < updates->count; i++) {
    const Update *update = &updates->items[i];
    if (update->value != value || !routine_buffer(writer->routine, value)->shares) continue;
    write_statement(writer, listing_update(writer->statements->listing, update));
  }
}

static void write_equation(FunctionWriter *writer, Equation *equation) {
  Statements *statements = writer->statements;
  equation = equation_source(writer->routine, equation);
  if (statements->listing && !map_has(&statements->stated, equation)) {
    map_put(&statements->stated, equation, equation);
    write_statement(writer, listing_equation(statements->listing, equation));
    write_updates_by(writer, equation->target);
    return;
  }
  Text text;
  text_init(&text, writer->arena);
  equation_print(equation, &text);
  write_comment(writer, text.bytes);
}

/* Random numbers are made where they are read. */
static void write_draws(FunctionWriter *writer, const Nest *nest) {
  for (int i = 0; i < nest->reads.count; i++) {
    const Tensor *tensor = nest->reads.items[i];
    if (routine_buffer(writer->routine, tensor)->place != PLACE_DRAW) continue;
    write_equation(writer, tensor->definition);
  }
}

/* The update that a node of the last nest copies; null: it is no copy. */
static const Update *copied_by(const FunctionWriter *writer, const LoopNode *node) {
  while (node->kind == LOOP_FOR && node->body.count == 1) node = node->body.items[0];
  const UpdateList *updates = &writer->routine->updates;
  for (int i = 0; node->kind == LOOP_STORE && i < updates->count; i++) {
    if (updates->items[i].target == node->target) return &updates->items[i];
  }
  return NULL;
}

static void write_copy(FunctionWriter *writer, const LoopNode *node) {
  const Update *update = writer->statements->listing ? copied_by(writer, node) : NULL;
  if (update) write_statement(writer, listing_update(writer->statements->listing, update));
}

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

/* gcc 12 unrolls short loops first and then may take loads under different conditions for one vector: wrong
   values with -O3 -mavx2. */
static bool must_not_unroll(const LoopNode *loop) {
  if (loop->begin->op != OP_INTEGER || loop->end->op != OP_INTEGER) return false;
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    if (node->kind == LOOP_FOR) return false;
    if (node->value && reads_in_choice(node->value, loop->index)) return true;
  }
  return false;
}

static void write_for(FunctionWriter *writer, const LoopNode *node) {
  Scope outer = writer->scope;
  Scope inner;
  const char *begin = write_expression(writer, node->begin, TYPE_INT, LEVEL_TERNARY);
  const char *end = write_expression(writer, node->end, TYPE_INT, LEVEL_SUM);
  outer = writer->scope;
  scope_open(&inner, writer->arena, writer->scope.names, &outer);
  writer->scope = inner;
  Name name = scope_name(&writer->scope, node->index, node->index->name);
  const char *advance =
      node->step == 1 ? arena_format(writer->arena, "++%s", name)
                      : arena_format(writer->arena, "%s += %lld", name, (long long)node->step);
  if (must_not_unroll(node)) write_line(writer, "#pragma GCC unroll 1");
  write_line(writer, "for (int64_t %s = %s; %s < %s; %s) {", name, begin, name, end, advance);
  writer->depth++;
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

static void write_declare(FunctionWriter *writer, const LoopNode *node) {
  const Tensor *target = node->target;
  const char *type = value_type_name(writer->routine, target->type);
  bool lanes = target->rank == 1 && target->definition == NULL;
  const char *value = node->value ? stored_value(writer, node, "0", LEVEL_TERNARY) : NULL;
  Name name = scope_name(&writer->scope, target, target->name);
  if (lanes) {
    const char *count = extent_text(writer, target->axes[0].extent, LEVEL_ANY);
    Name lane = scope_fresh(&writer->scope, "lane");
    write_line(writer, "%s %s[%s];", type, name, count);
    write_line(writer, "for (int64_t %s = 0; %s < %s; ++%s) %s[%s] = %s;", lane, lane, count, lane,
               name, lane, value);
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
  const char *subscripts[LIMIT_RANK];
  int levels[LIMIT_RANK];
  for (int dim = 0; dim < node->target->rank; dim++) {
    bool simple = node->subscripts[dim]->op == OP_INDEX || node->subscripts[dim]->op == OP_INTEGER;
    levels[dim] = simple ? LEVEL_PRIMARY : LEVEL_SUM;
    subscripts[dim] = write_expression(writer, node->subscripts[dim], TYPE_INT, levels[dim]);
  }
  const char *position = position_text(writer, node->target, subscripts, levels);
  int level =
      node->combine == REDUCE_ANY || node->combine == REDUCE_ALL ? LEVEL_EQUAL : LEVEL_TERNARY;
  const char *value = stored_value(writer, node, position, level);
  const char *element = element_text(writer, node->target, subscripts, levels);
  write_combined(writer, node, element, value);
}

static void write_node(FunctionWriter *writer, const LoopNode *node) {
  if (node->equation) write_equation(writer, (Equation *)(uintptr_t)node->equation);
  switch (node->kind) {
  case LOOP_FOR: write_for(writer, node); break;
  case LOOP_IF: write_if(writer, node); break;
  case LOOP_DECLARE: write_declare(writer, node); break;
  case LOOP_STORE: write_store(writer, node); break;
  }
}

static void write_body(FunctionWriter *writer, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) write_node(writer, body->items[i]);
}

void write_nest(FunctionWriter *writer, const Nest *nest, Name function, Name scalars_type) {
  writer->nest = nest;
  write_signature(writer, nest, function, scalars_type);
  writer->depth = 1;
  write_draws(writer, nest);
  for (int i = 0; i < nest->inlined.count; i++) write_equation(writer, nest->inlined.items[i]);
  for (int i = 0; i < nest->body.count; i++) {
    if (nest->equations.count == 0) write_copy(writer, nest->body.items[i]);
    write_node(writer, nest->body.items[i]);
  }
  writer->depth = 0;
  text_add(writer->text, "}\n\n");
}
