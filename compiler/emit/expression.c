/* Expressions as C.

   The DAG is walked once, arguments before users; every node gets a short text. A node used twice, or
   whose text grows long, becomes a named constant before the statement. Constants are written into the region
   of the node; a choice whose sides need statements becomes an if. So the text is linear in the DAG, whatever is
   shared. What may be computed where the equation would not asks first whether a read is in range. */
#include "emit/expression.h"

#include "loops/regions.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_TEXT = 72, LONGEST_SUM = 16 /* terms written out */ };

/* A named constant, or a choice: `line` alone; or `variable` set on one side or the other of `line`. */
typedef struct Statement {
  const char *line, *variable;
  const Region *sides[2]; /* null: nothing but the assignment */
  const char *values[2];
} Statement;

typedef LIST_OF(Statement) StatementList;

typedef struct Piece {
  const Expr *node;
  const Computation *at;
  const char *text;
  int level;
  int terms;    /* of a sum of scalars that ends here; 0: it is none */
  bool is_part; /* of a long sum that ends further on */
} Piece;

typedef struct Printer {
  FunctionWriter *writer;
  Piece *pieces;
  int count;
  Map by_node;               /* Expr * -> Piece * */
  StatementList *statements; /* of each region, by its number */
} Printer;

static Piece *piece_of(const Printer *printer, const Expr *node) {
  return map_get(&printer->by_node, node);
}

/* ---- long sums ---- */

/* Whether a node reads a scalar of the routine as a value of the type. */
static bool is_term(const Printer *printer, const Expr *node, ValueType type) {
  const FunctionWriter *writer = printer->writer;
  return is_read(node) && node->type == type && node->tensor->type == type &&
         routine_buffer(writer->routine, node->tensor)->place == PLACE_SCALAR &&
         !map_has(&writer->by_address, node->tensor);
}

/* Sums from the left, ((a + b) + c) + ..., in which all terms but the first are scalars. */
static void find_sums(Printer *printer) {
  for (int i = 0; i < printer->count; i++) {
    Piece *piece = &printer->pieces[i];
    const Expr *node = piece->node;
    if (node->op != OP_ADD || !is_term(printer, node->args[1], node->type)) continue;
    const Piece *left = piece_of(printer, node->args[0]);
    piece->terms = 1 + (left->at->uses == 1 ? left->terms : 0);
  }
  for (int i = printer->count - 1; i >= 0; i--) {
    const Piece *piece = &printer->pieces[i];
    if (piece->terms > 1 && (piece->terms > LONGEST_SUM || piece->is_part))
      piece_of(printer, piece->node->args[0])->is_part = true;
  }
}

/* ---- statements ---- */

static bool has_statements(const Printer *printer, const Region *region) {
  return region && printer->statements[region->number].count > 0;
}

static void add_statement(Printer *printer, const Piece *piece, Statement statement) {
  APPEND(printer->writer->arena, &printer->statements[piece->at->region->number], statement);
}

static void write_region(const Printer *printer, const Region *region);

static void write_side(const Printer *printer, const Statement *statement, int side) {
  FunctionWriter *writer = printer->writer;
  writer->depth++;
  if (statement->sides[side]) write_region(printer, statement->sides[side]);
  write_line(writer, "%s = %s;", statement->variable, statement->values[side]);
  writer->depth--;
}

/* As deep as choices nest in the source, which the height of its tree bounds. */
static void write_region(const Printer *printer, const Region *region) {
  FunctionWriter *writer = printer->writer;
  const StatementList *statements = &printer->statements[region->number];
  for (int i = 0; i < statements->count; i++) {
    const Statement *statement = &statements->items[i];
    if (!statement->variable) {
      write_line(writer, "%s", statement->line);
      continue;
    }
    write_line(writer, "if (%s) {", statement->line);
    write_side(printer, statement, 0);
    write_line(writer, "} else {");
    write_side(printer, statement, 1);
    write_line(writer, "}");
  }
}

static void name_piece(Printer *printer, Piece *piece) {
  FunctionWriter *writer = printer->writer;
  Name name = scope_fresh(&writer->scope, "t");
  const char *line =
      arena_format(writer->arena, "const %s %s = %s;",
                   value_type_name(writer->routine, piece->node->type), name, piece->text);
  add_statement(printer, piece, (Statement){.line = line});
  piece->text = name;
  piece->level = LEVEL_PRIMARY;
}

/* if (condition) variable = yes; else variable = no; with what the sides need inside. */
static void write_choice(Printer *printer, Piece *piece, const char *condition,
                         const Region *yes_side, const char *yes, const Region *no_side,
                         const char *no) {
  FunctionWriter *writer = printer->writer;
  Name name = scope_fresh(&writer->scope, "t");
  const char *type = value_type_name(writer->routine, piece->node->type);
  add_statement(printer, piece,
                (Statement){.line = arena_format(writer->arena, "%s %s;", type, name)});
  add_statement(
      printer, piece,
      (Statement){
          .line = condition, .variable = name, .sides = {yes_side, no_side}, .values = {yes, no}});
  piece->text = name;
  piece->level = LEVEL_PRIMARY;
}

/* ---- operands ---- */

static const char *parenthesised(Printer *printer, const char *text, int has, int wants) {
  return has >= wants ? text : arena_format(printer->writer->arena, "(%s)", text);
}

/* An argument as a value of the given type. */
static const char *operand(Printer *printer, const Expr *e, ValueType as, int level) {
  FunctionWriter *writer = printer->writer;
  double value;
  if (as != TYPE_BOOL && is_number(e, &value)) {
    const char *text = number_text(writer, value, as);
    return parenthesised(printer, text, *text == '-' ? LEVEL_UNARY : LEVEL_PRIMARY, level);
  }
  const Piece *piece = piece_of(printer, e);
  bool same = e->type == as || as == TYPE_BOOL || (as == TYPE_INT && e->type == TYPE_BOOL);
  if (same) return parenthesised(printer, piece->text, piece->level, level);
  if (e->type == TYPE_BOOL) {
    const char *text = arena_format(writer->arena, "%s ? %s : %s",
                                    parenthesised(printer, piece->text, piece->level, LEVEL_OR),
                                    number_text(writer, 1, as), number_text(writer, 0, as));
    return parenthesised(printer, text, LEVEL_TERNARY, level);
  }
  const char *text = arena_format(writer->arena, "(%s)%s", value_type_name(writer->routine, as),
                                  parenthesised(printer, piece->text, piece->level, LEVEL_UNARY));
  return parenthesised(printer, text, LEVEL_UNARY, level);
}

static void set_text(Piece *piece, const char *text, int level) {
  piece->text = text;
  piece->level = level;
}

/* The terms of a sum of scalars as places of members in their struct; what they are added to is `first`. */
static const char *table_of_terms(Printer *printer, const Piece *sum, Name table,
                                  const Expr **first) {
  FunctionWriter *writer = printer->writer;
  const char **names = NEW_ARRAY(writer->arena, const char *, sum->terms);
  *first = sum->node;
  for (int i = sum->terms - 1; i >= 0; i--, *first = (*first)->args[0]) {
    names[i] = scope_find(&writer->scope, (*first)->args[1]->tensor);
  }
  Text text;
  text_init(&text, writer->arena);
  text_add(&text, "static const size_t %s[] = {", table);
  for (int i = 0; i < sum->terms; i++) {
    text_add(&text, "%soffsetof(%s, %s)", i > 0 ? ", " : "", writer->scalars_type, names[i]);
  }
  text_add(&text, "};");
  return text.bytes;
}

/* A loop over the terms, which adds them in the order of the expression. */
static void print_sum(Printer *printer, Piece *piece) {
  FunctionWriter *writer = printer->writer;
  const char *type = value_type_name(writer->routine, piece->node->type);
  const Expr *first;
  Name table = scope_fresh(&writer->scope, "terms"), sum = scope_fresh(&writer->scope, "sum");
  Name at = scope_fresh(&writer->scope, "i");
  const char *terms = table_of_terms(printer, piece, table, &first);
  const char *lines[] = {
      terms,
      arena_format(writer->arena, "%s %s = %s;", type, sum,
                   operand(printer, first, piece->node->type, LEVEL_TERNARY)),
      arena_format(writer->arena, "for (size_t %s = 0; %s < %d; ++%s) {", at, at, piece->terms, at),
      arena_format(writer->arena,
                   "  %s += *(const %s *)(const void *)((const unsigned char *)s + %s[%s]);", sum,
                   type, table, at),
      "}"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    add_statement(printer, piece, (Statement){.line = lines[i]});
  }
  set_text(piece, sum, LEVEL_PRIMARY);
}

/* ---- operations ---- */

static ValueType common_type(const Expr *node) {
  ValueType type = TYPE_BOOL;
  for (int i = 0; i < node->count; i++) {
    if (node->args[i]->type > type) type = node->args[i]->type;
  }
  return type == TYPE_NUMBER ? TYPE_F64 : type;
}

/* The element as it is in memory, of 32 bits; null: it is no such read, has been given a name, or may be outside. */
static const char *narrow_element(Printer *printer, const Expr *e) {
  const FunctionWriter *writer = printer->writer;
  if (!is_read(e) || e->type != TYPE_INT || read_default(e) || e->tensor->storage != STORE_I32)
    return NULL;
  const char *cast =
      arena_format(writer->arena, "(%s)", value_type_name(writer->routine, TYPE_INT));
  const Piece *piece = piece_of(printer, e);
  bool is_cast = piece->level == LEVEL_UNARY && strncmp(piece->text, cast, strlen(cast)) == 0;
  return is_cast ? piece->text + strlen(cast) : NULL;
}

static bool is_in_32_bits(const Printer *printer, const Expr *e) {
  int64_t least, greatest;
  Arena *scratch = arena_new();
  affine_interval(printer->writer->routine->model->exprs, scratch, e, NULL, &least, &greatest);
  arena_free(scratch);
  return least >= INT32_MIN && greatest <= INT32_MAX;
}

/* A whole number is compared as wide as it is in memory, so that vectors hold twice as many; null: it is no
   comparison of that form. */
static const char *narrow_comparison(Printer *printer, const Expr *node, const char *sign) {
  for (int side = 0; side < 2; side++) {
    const Expr *other = node->args[1 - side];
    const char *element = narrow_element(printer, node->args[side]);
    if (!element || other->type != TYPE_INT || is_read(other) || !is_in_32_bits(printer, other))
      continue;
    const char *number = arena_format(printer->writer->arena, "(int32_t)%s",
                                      operand(printer, other, TYPE_INT, LEVEL_UNARY));
    return arena_format(printer->writer->arena, "%s %s %s", side ? number : element, sign,
                        side ? element : number);
  }
  return NULL;
}

static void print_infix(Printer *printer, Piece *piece, const char *sign, int level,
                        ValueType type) {
  const Expr *node = piece->node;
  bool comparison = level == LEVEL_EQUAL || level == LEVEL_RELATION;
  const char *narrow = comparison ? narrow_comparison(printer, node, sign) : NULL;
  if (narrow) {
    set_text(piece, narrow, level);
    return;
  }
  const char *left = operand(printer, node->args[0], type, comparison ? LEVEL_SUM : level);
  const char *right = operand(printer, node->args[1], type, comparison ? LEVEL_SUM : level + 1);
  set_text(piece, arena_format(printer->writer->arena, "%s %s %s", left, sign, right), level);
}

static const char *suffix_of(Printer *printer, ValueType type) {
  return type == TYPE_REAL  ? real_suffix(printer->writer->routine)
         : type == TYPE_INT ? "i64"
                            : "f64";
}

static void print_call(Printer *printer, Piece *piece, const char *name, ValueType type) {
  Text text;
  text_init(&text, printer->writer->arena);
  text_add(&text, "nnrt_%s_%s(", name, suffix_of(printer, type));
  for (int i = 0; i < piece->node->count; i++) {
    const char *argument = operand(printer, piece->node->args[i], type, LEVEL_TERNARY);
    text_add(&text, i > 0 ? ", %s" : "%s", argument);
  }
  text_add(&text, ")");
  set_text(piece, text.bytes, LEVEL_PRIMARY);
}

/* Towards minus infinity; C's own operators where nothing is negative. */
static void print_division(Printer *printer, Piece *piece) {
  Model *model = printer->writer->routine->model;
  int64_t least, greatest, divisor_least, divisor_greatest;
  Arena *scratch = arena_new();
  affine_interval(model->exprs, scratch, piece->node->args[0], NULL, &least, &greatest);
  affine_interval(model->exprs, scratch, piece->node->args[1], NULL, &divisor_least,
                  &divisor_greatest);
  arena_free(scratch);
  bool quotient = piece->node->op == OP_IDIV;
  if (least >= 0 && divisor_least > 0) {
    print_infix(printer, piece, quotient ? "/" : "%", LEVEL_PRODUCT, TYPE_INT);
  } else {
    print_call(printer, piece, quotient ? "floor_divide" : "floor_modulo", TYPE_INT);
  }
}

static void print_negation(Printer *printer, Piece *piece, const char *sign, ValueType type) {
  const char *inner = operand(printer, piece->node->args[0], type, LEVEL_PRIMARY);
  set_text(piece, arena_format(printer->writer->arena, "%s%s", sign, inner), LEVEL_UNARY);
}

static void print_logic(Printer *printer, Piece *piece) {
  const Expr *node = piece->node;
  bool both = node->op == OP_AND;
  const char *left = operand(printer, node->args[0], TYPE_BOOL, LEVEL_EQUAL);
  const char *right = operand(printer, node->args[1], TYPE_BOOL, LEVEL_EQUAL);
  if (!has_statements(printer, piece->at->sides[0])) {
    const char *text =
        arena_format(printer->writer->arena, "%s %s %s", left, both ? "&&" : "||", right);
    set_text(piece, text, both ? LEVEL_AND : LEVEL_OR);
  } else if (both) {
    write_choice(printer, piece, left, piece->at->sides[0], right, NULL, "0");
  } else {
    write_choice(printer, piece, left, NULL, "1", piece->at->sides[0], right);
  }
}

static void print_choice(Printer *printer, Piece *piece, const char *condition, const char *yes,
                         const char *no) {
  if (has_statements(printer, piece->at->sides[0]) ||
      has_statements(printer, piece->at->sides[1])) {
    write_choice(printer, piece, condition, piece->at->sides[0], yes, piece->at->sides[1], no);
    return;
  }
  const char *text = arena_format(printer->writer->arena, "%s ? %s : %s", condition, yes, no);
  set_text(piece, text, LEVEL_TERNARY);
}

static void print_select(Printer *printer, Piece *piece) {
  const Expr *node = piece->node;
  ValueType type = node->type;
  print_choice(printer, piece, operand(printer, node->args[0], TYPE_BOOL, LEVEL_OR),
               operand(printer, node->args[1], type, LEVEL_OR),
               operand(printer, node->args[2], type, LEVEL_TERNARY));
}

/* ---- reads ---- */

static void add_condition(Text *text, const char *condition, const char *value, const char *bound) {
  text_add(text, "%s%s%s%s", text->size > 0 ? " && " : "", value, condition, bound);
}

/* Whether all subscripts are in range, as a C condition; only what is not certain is asked. */
static const char *range_condition(Printer *printer, const Expr *read) {
  FunctionWriter *writer = printer->writer;
  Text text;
  text_init(&text, writer->arena);
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    const Extent *extent = read->tensor->axes[dim].extent;
    const char *value = operand(printer, read->args[dim], TYPE_INT, LEVEL_SUM);
    Arena *scratch = arena_new();
    RangeCondition asked = read_range(writer->routine, scratch, read, dim);
    if (asked.low) add_condition(&text, " >= ", value, "0");
    if (asked.high) add_condition(&text, " < ", value, extent_text(writer, extent, LEVEL_SUM));
    arena_free(scratch);
  }
  return text.size > 0 ? text.bytes : "1";
}

static const char *drawn_text(Printer *printer, const Expr *read, const char *const *subscripts,
                              const int *levels) {
  FunctionWriter *writer = printer->writer;
  const char *position = position_text(writer, read->tensor, subscripts, levels);
  return draw_text(writer, read->tensor->definition->body->op, read->tensor, position);
}

static bool is_stored(const FunctionWriter *writer, const Expr *read) {
  return routine_buffer(writer->routine, read->tensor)->place != PLACE_DRAW;
}

static void print_element(Printer *printer, Piece *piece) {
  FunctionWriter *writer = printer->writer;
  const Expr *read = piece->node;
  const char *subscripts[LIMIT_RANK];
  int levels[LIMIT_RANK];
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    const Piece *subscript = piece_of(printer, read->args[dim]);
    bool plain = is_number(read->args[dim], &(double){0}) || subscript->level < LEVEL_SUM;
    subscripts[dim] = operand(printer, read->args[dim], TYPE_INT, LEVEL_SUM);
    levels[dim] = plain ? LEVEL_PRIMARY : subscript->level;
  }
  if (!is_stored(writer, read)) {
    set_text(piece, drawn_text(printer, read, subscripts, levels), LEVEL_PRIMARY);
    return;
  }
  const char *element = element_text(writer, read->tensor, subscripts, levels);
  const char *type = value_type_name(writer->routine, read->type);
  bool is_local = routine_buffer(writer->routine, read->tensor)->place == PLACE_REGISTER;
  if (is_local || strcmp(element_type_name(writer->routine, read->tensor), type) == 0 ||
      read->type == TYPE_BOOL) {
    set_text(piece, element, LEVEL_PRIMARY);
  } else {
    set_text(piece, arena_format(writer->arena, "(%s)%s", type, element), LEVEL_UNARY);
  }
}

/* Outside its range a read is its default; nobody sees it where it has none. */
static void print_read(Printer *printer, Piece *piece) {
  print_element(printer, piece);
  const Expr *otherwise = read_default(piece->node);
  if (!otherwise && (computation_is_certain(piece->at) || !is_stored(printer->writer, piece->node)))
    return;
  const char *condition = range_condition(printer, piece->node);
  if (strcmp(condition, "1") == 0) return;
  const char *inside = parenthesised(printer, piece->text, piece->level, LEVEL_OR);
  ValueType type = piece->node->type;
  print_choice(printer, piece, condition, inside,
               otherwise ? operand(printer, otherwise, type, LEVEL_TERNARY)
                         : number_text(printer->writer, 0, type == TYPE_BOOL ? TYPE_INT : type));
}

static void print_leaf(Printer *printer, Piece *piece) {
  FunctionWriter *writer = printer->writer;
  const Expr *node = piece->node;
  double value;
  if (is_number(node, &value)) {
    set_text(piece, number_text(writer, value, node->type), LEVEL_UNARY);
  } else if (node->op == OP_INDEX) {
    set_text(piece, scope_find(&writer->scope, node->index), LEVEL_PRIMARY);
  } else if (node->op == OP_EXTENT) {
    set_text(piece, extent_text(writer, node->extent, LEVEL_PRIMARY), LEVEL_PRIMARY);
  } else if (node->op == OP_INTEGER) { /* a truth value */
    set_text(piece, is_true(node) ? "1" : "0", LEVEL_PRIMARY);
  } else {
    bug("a draw inside an expression");
  }
}

static void print_conversion(Printer *printer, Piece *piece) {
  const Expr *node = piece->node;
  if (node->op == OP_INT && node->args[0]->type >= TYPE_NUMBER) {
    print_call(printer, piece, "int", node->args[0]->type);
    return;
  }
  set_text(piece, operand(printer, node->args[0], node->type, LEVEL_UNARY), LEVEL_UNARY);
}

static void print_piece(Printer *printer, Piece *piece) {
  const Expr *node = piece->node;
  ValueType type = node->type == TYPE_NUMBER ? TYPE_F64 : node->type;
  switch (node->op) {
  case OP_NUMBER:
  case OP_INTEGER:
  case OP_INDEX:
  case OP_EXTENT:
  case OP_UNIFORM:
  case OP_NORMAL: print_leaf(printer, piece); break;
  case OP_READ: print_read(printer, piece); break;
  case OP_ADD:
    if (piece->terms > LONGEST_SUM) {
      print_sum(printer, piece);
      break;
    }
    print_infix(printer, piece, "+", LEVEL_SUM, type);
    break;
  case OP_SUB: print_infix(printer, piece, "-", LEVEL_SUM, type); break;
  case OP_MUL: print_infix(printer, piece, "*", LEVEL_PRODUCT, type); break;
  case OP_DIV: print_infix(printer, piece, "/", LEVEL_PRODUCT, type); break;
  case OP_IDIV:
  case OP_MOD: print_division(printer, piece); break;
  case OP_NEGATE: print_negation(printer, piece, "-", type); break;
  case OP_NOT: print_negation(printer, piece, "!", TYPE_BOOL); break;
  case OP_EQ: print_infix(printer, piece, "==", LEVEL_EQUAL, common_type(node)); break;
  case OP_NE: print_infix(printer, piece, "!=", LEVEL_EQUAL, common_type(node)); break;
  case OP_LT: print_infix(printer, piece, "<", LEVEL_RELATION, common_type(node)); break;
  case OP_LE: print_infix(printer, piece, "<=", LEVEL_RELATION, common_type(node)); break;
  case OP_AND:
  case OP_OR: print_logic(printer, piece); break;
  case OP_SELECT: print_select(printer, piece); break;
  case OP_STOP:
    set_text(piece, operand(printer, node->args[0], type, LEVEL_UNARY), LEVEL_UNARY);
    break;
  case OP_REAL:
  case OP_INT: print_conversion(printer, piece); break;
  case OP_POW: print_call(printer, piece, "pow", type); break;
  default: print_call(printer, piece, op_spelling(node->op), type); break;
  }
}

/* A number is written where it is used. */
static bool is_worth_naming(const FunctionWriter *writer, const Piece *piece) {
  if (is_number(piece->node, &(double){0})) return false;
  if (piece->at->is_early) return true;
  if (piece->node->count == 0 || piece->level == LEVEL_PRIMARY) {
    bool computed = piece->node->op != OP_READ && strchr(piece->text, '(') != NULL;
    if (!computed) return false;
  }
  bool drawn = is_read(piece->node) && !is_stored(writer, piece->node);
  bool plain_read = is_read(piece->node) && !drawn && !read_default(piece->node);
  bool whole = piece->node->type == TYPE_INT;
  if (piece->at->uses > 1 && !plain_read && !whole) return true;
  return piece->at->uses > 0 && strlen(piece->text) > LONGEST_TEXT;
}

/* A number of the nest's own array, which is the choice itself, or of any other. */
static bool is_choosable(const Buffer *buffer, const Computation *computation) {
  bool is_local = buffer->place == PLACE_REGISTER;
  bool is_row = buffer->lanes == 0 && buffer_has_elements(buffer);
  return buffer->place != PLACE_DRAW && (!is_local || (is_row && !computation->is_operand));
}

/* A number of an array, at a place that is certain to be there and known from indices alone: it is read
   before the choice that needs it, which C compilers then make a selection in vectors. */
static bool may_be_early(void *context, const Expr *read, const Computation *computation) {
  const FunctionWriter *writer = context;
  if (read_default(read) || read->tensor->rank == 0 || read->type != TYPE_REAL) return false;
  if (!is_choosable(routine_buffer(writer->routine, read->tensor), computation)) return false;
  Arena *scratch = arena_new();
  bool certain = true;
  for (int dim = 0; dim < read->tensor->rank; dim++)
    certain = certain && !expr_reads_tensors(scratch, read->args[dim]) &&
              affine_proves_range(writer->routine->model->exprs, scratch, read->args[dim],
                                  read->tensor->axes[dim].extent, NULL, NULL);
  arena_free(scratch);
  return certain;
}

const char *write_expression(FunctionWriter *writer, const Expr *e, ValueType as, int level) {
  Arena *scratch = arena_new();
  Regions regions = regions_of(scratch, e, may_be_early, writer);
  Printer printer = {.writer = writer, .count = regions.nodes.count};
  printer.pieces = NEW_ARRAY(scratch, Piece, printer.count);
  printer.statements = NEW_ARRAY(scratch, StatementList, regions.count);
  map_init(&printer.by_node, scratch);
  for (int i = 0; i < printer.count; i++) {
    printer.pieces[i].node = regions.nodes.items[i];
    printer.pieces[i].at = &regions.computations[i];
    map_put(&printer.by_node, printer.pieces[i].node, &printer.pieces[i]);
  }
  find_sums(&printer);
  for (int i = 0; i < printer.count; i++) {
    if (printer.pieces[i].is_part) continue;
    print_piece(&printer, &printer.pieces[i]);
    if (is_worth_naming(writer, &printer.pieces[i])) name_piece(&printer, &printer.pieces[i]);
  }
  write_region(&printer, regions.whole);
  const char *text = operand(&printer, e, as, level);
  arena_free(scratch);
  return text;
}
