/* The printer of expressions: legal source, with as few parentheses as the grammar allows.

   Conversions that building the expression again would insert are left out, and a whole literal gets
   its ".0" exactly where it would otherwise be read as a whole number. */
#include "equations/expr_table.h"
#include "equations/printer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 100000, MOST_DEPTH = 1024 };

/* How tightly an operator binds, from grammars/nn.y. */
enum {
  LEVEL_ANY = 0,
  LEVEL_IF = 2,
  LEVEL_OR,
  LEVEL_AND,
  LEVEL_NOT,
  LEVEL_COMPARE,
  LEVEL_SUM,
  LEVEL_PRODUCT,
  LEVEL_MINUS,
  LEVEL_POWER,
  LEVEL_PRIMARY
};

/* Where an expression stands. */
typedef struct Context {
  int level; /* an operator that binds less needs parentheses */
  bool real; /* a whole number here becomes real */
  bool subscript;
  int depth;
} Context;

static void print_at(Printer *printer, const Expr *e, Context context);

void printer_start(Printer *printer, Text *text) {
  *printer = (Printer){.text = text, .arena = text->arena, .left = MOST_NODES};
  map_init(&printer->indices, text->arena);
  map_init(&printer->tensors, text->arena);
}

bool is_reserved(const char *word) {
  static const char *const words[] = {
#define RESERVED(text) text,
#include "equations/reserved.def"
#undef RESERVED
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcmp(words[i], word) == 0) return true;
  }
  for (Op op = 0; op < OP_COUNT; op++) {
    if (strcmp(op_spelling(op), word) == 0) return true;
  }
  return false;
}

const char *printer_tensor(const Printer *printer, const Tensor *tensor) {
  const char *name = map_get(&printer->tensors, tensor);
  if (name) return name;
  bool own = tensor->role == ROLE_STEP || !is_reserved(tensor->name);
  return own ? tensor->name : arena_format(printer->arena, "%s.value", tensor->name);
}

static int infix_level(Op op) {
  switch (op) {
  case OP_OR: return LEVEL_OR;
  case OP_AND: return LEVEL_AND;
  case OP_ADD:
  case OP_SUB: return LEVEL_SUM;
  case OP_MUL:
  case OP_DIV:
  case OP_IDIV:
  case OP_MOD: return LEVEL_PRODUCT;
  case OP_POW: return LEVEL_POWER;
  default: return LEVEL_COMPARE;
  }
}

/* The shortest of 15, 16 and 17 digits that reads back to the same number. */
void print_double(Text *text, double value, bool real) {
  char digits[40];
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value) break;
  }
  bool plain = strpbrk(digits, ".en") == NULL; /* n: of inf */
  text_add(text, "%s%s", digits, plain && (!real || (value == 0 && signbit(value))) ? ".0" : "");
}

static void print_number(Printer *printer, const Expr *e, Context context) {
  if (isnan(e->number)) {
    text_add(printer->text, "(inf - inf)");
    return;
  }
  bool wrapped = signbit(e->number) && context.level > LEVEL_SUM;
  if (wrapped) text_add(printer->text, "(");
  print_double(printer->text, e->number, context.real);
  if (wrapped) text_add(printer->text, ")");
}

static void print_integer(Printer *printer, const Expr *e, Context context) {
  if (e->type == TYPE_BOOL) {
    bool wrapped = context.level > LEVEL_COMPARE;
    text_add(printer->text, wrapped ? "(0 %s 0)" : "0 %s 0", e->integer ? "==" : "!=");
    return;
  }
  bool wrapped = e->integer < 0 && context.level > LEVEL_SUM;
  text_add(printer->text, wrapped ? "(%" PRId64 ")" : "%" PRId64, e->integer);
}

/* An extent binds as its outermost operator; in subscripts the language writes it without spaces, but
   either way it reads the same. */
static void print_extent(Printer *printer, const Extent *extent, Context context) {
  int level = extent_is_atom(extent) ? LEVEL_PRIMARY
              : extent_term_count(extent) > 1 || extent_term(extent, 0)->coefficient < 0
                  ? LEVEL_SUM
                  : LEVEL_PRODUCT;
  bool wrapped = level < context.level;
  if (wrapped) text_add(printer->text, "(");
  extent_print(extent, printer->text);
  if (wrapped) text_add(printer->text, ")");
}

static void print_index(Printer *printer, const Index *index) {
  const char *name = map_get(&printer->indices, index);
  if (!name) name = index->name;
  if (name) text_add(printer->text, "%s", name);
  if (!name) text_add(printer->text, "i%d", index->id);
}

static void print_read(Printer *printer, const Expr *e, Context context) {
  int rank = read_rank(e);
  text_add(printer->text, "%s", printer_tensor(printer, e->tensor));
  for (int i = 0; i < rank; i++) {
    text_add(printer->text, i == 0 ? "[" : ", ");
    print_at(printer, e->args[i], (Context){.subscript = true, .depth = context.depth + 1});
  }
  if (read_default(e)) {
    text_add(printer->text, " | ");
    print_at(printer, read_default(e), (Context){.real = true, .depth = context.depth + 1});
  }
  if (rank > 0) text_add(printer->text, "]");
}

static bool is_conversion(const Expr *e) {
  return e->op == OP_REAL && e->args[0]->type != TYPE_BOOL;
}

/* Whether an operand is seen to be real by itself, so that its sibling need not say so. */
static bool is_visibly_real(const Expr *e) {
  return e->type >= TYPE_NUMBER && e->op != OP_NUMBER && !is_conversion(e);
}

static bool has_visible_sibling(const Expr *parent, int position, ValueType least) {
  for (int i = parent->op == OP_SELECT; i < parent->count; i++) {
    if (i != position && is_visibly_real(parent->args[i]) && parent->args[i]->type >= least) {
      return true;
    }
  }
  return false;
}

/* Whether whole numbers in this operand of `parent` become real by themselves. */
static bool makes_real(const Expr *parent, int position) {
  if (op_result(parent->op) == RESULT_REAL) return true;
  return op_result(parent->op) != RESULT_INT && has_visible_sibling(parent, position, TYPE_NUMBER);
}

static bool is_implied(const Expr *conversion, const Expr *parent, int position) {
  if (!is_conversion(conversion) || parent->op == OP_REAL || parent->op == OP_STOP) return false;
  const Expr *inner = conversion->args[0];
  if (inner->type == TYPE_F64) return has_visible_sibling(parent, position, TYPE_REAL);
  if (op_result(parent->op) == RESULT_REAL) return true;
  if (has_visible_sibling(parent, position, TYPE_NUMBER)) return true;
  for (int i = 0; i < parent->count; i++) { /* 0.5*n */
    const Expr *other = parent->args[i];
    if (i != position && other->op == OP_NUMBER && other->number != rint(other->number))
      return true;
  }
  return false;
}

static void print_operand(Printer *printer, const Expr *parent, int position, int level,
                          Context outer) {
  const Expr *e = parent->args[position];
  Context context = {level, makes_real(parent, position), outer.subscript, outer.depth + 1};
  print_at(printer, is_implied(e, parent, position) ? e->args[0] : e, context);
}

static void print_infix(Printer *printer, const Expr *e, Context context) {
  int level = infix_level(e->op);
  bool right = e->op == OP_POW, neither = level == LEVEL_COMPARE;
  bool spaced =
      level <= LEVEL_COMPARE || (!context.subscript && (level == LEVEL_SUM || e->op == OP_MOD));
  print_operand(printer, e, 0, level + (right || neither), context);
  text_add(printer->text, spaced ? " %s " : "%s", op_spelling(e->op));
  print_operand(printer, e, 1, level + (!right || neither), context);
}

static void print_select(Printer *printer, const Expr *e, Context context) {
  static const char *const words[] = {"if ", " then ", " else "};
  for (int i = 0; i < 3; i++) {
    text_add(printer->text, "%s", words[i]);
    print_operand(printer, e, i, LEVEL_ANY, context);
  }
}

static void print_call(Printer *printer, const Expr *e, Context context) {
  context.subscript = false;
  for (int i = 0; i < e->count; i++) {
    text_add(printer->text, i == 0 ? "%s(" : ", ", op_spelling(e->op));
    print_operand(printer, e, i, LEVEL_ANY, context);
  }
  text_add(printer->text, ")");
}

static void print_prefix(Printer *printer, const Expr *e, Context context) {
  int level = e->op == OP_NOT ? LEVEL_NOT : LEVEL_MINUS;
  text_add(printer->text, e->op == OP_NOT ? "not " : "-");
  print_operand(printer, e, 0, level, context);
}

static void print_leaf(Printer *printer, const Expr *e, Context context) {
  switch (e->op) {
  case OP_NUMBER: print_number(printer, e, context); break;
  case OP_INTEGER: print_integer(printer, e, context); break;
  case OP_INDEX: print_index(printer, e->index); break;
  case OP_EXTENT: print_extent(printer, e->extent, context); break;
  default: text_add(printer->text, "%s(0, 1)", op_spelling(e->op)); break;
  }
}

static int level_of(const Expr *e) {
  switch (op_form(e->op)) {
  case FORM_INFIX: return infix_level(e->op);
  case FORM_PREFIX: return e->op == OP_NOT ? LEVEL_NOT : LEVEL_MINUS;
  case FORM_SELECT: return LEVEL_IF;
  default: return LEVEL_PRIMARY;
  }
}

/* Recursion is MOST_DEPTH deep at most. */
static void print_at(Printer *printer, const Expr *e, Context context) {
  if (context.depth > MOST_DEPTH || printer->left-- <= 0) {
    text_add(printer->text, "...");
    return;
  }
  bool wrapped = level_of(e) < context.level;
  if (wrapped) {
    text_add(printer->text, "(");
    context.subscript = false;
  }
  switch (op_form(e->op)) {
  case FORM_LEAF: print_leaf(printer, e, context); break;
  case FORM_READ: print_read(printer, e, context); break;
  case FORM_INFIX: print_infix(printer, e, context); break;
  case FORM_PREFIX: print_prefix(printer, e, context); break;
  case FORM_CALL: print_call(printer, e, context); break;
  case FORM_SELECT: print_select(printer, e, context); break;
  }
  if (wrapped) text_add(printer->text, ")");
}

void print_expr(Printer *printer, const Expr *e, bool real) {
  printer->left = MOST_NODES;
  print_at(printer, e, (Context){.real = real});
}

void expr_print(const Expr *e, Text *text) {
  Printer printer;
  printer_start(&printer, text);
  print_expr(&printer, e, false);
}
