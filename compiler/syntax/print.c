/* Printing expressions, with no more parentheses than the levels of operators.def ask for. */
#include "syntax/print.h"

#include <string.h>

enum { CONTINUED = 4 }; /* columns a line is set in that goes on from the one above */

typedef enum { SPACED_NEVER, SPACED_OUTSIDE, SPACED_ALWAYS } Spacing;

typedef struct Operator {
  const char *text;
  int level;
  Spacing spacing;
} Operator;

static const Operator operators[NODE_KIND_COUNT] = {
#define OPERATOR(kind, text, level, spacing) [NODE_##kind] = {text, level, spacing},
#include "syntax/operators.def"
#undef OPERATOR
};

/* Levels of what has no row in operators.def. */
enum { LEVEL_ANY = 0, LEVEL_IF = 2, LEVEL_NOT = 5, LEVEL_NEGATE = 9, LEVEL_POSTFIX = 11 };

static int level_of(const Node *node) {
  switch (node->kind) {
  case NODE_IF: return LEVEL_IF;
  case NODE_NOT: return LEVEL_NOT;
  case NODE_NEGATE: return LEVEL_NEGATE;
  default: return operators[node->kind].text ? operators[node->kind].level : LEVEL_POSTFIX;
  }
}

static void add(Printer *printer, const char *text) {
  text_add_bytes(printer->text, text, strlen(text));
}

int print_column(const Printer *printer) {
  return (int)(printer->text->size - printer->line);
}

static void print_parenthesized(Printer *printer, const Node *node) {
  add(printer, "(");
  print_node(printer, node);
  add(printer, ")");
}

/* An operand of something that binds at `level`; a conditional always gets parentheses. */
static void print_operand(Printer *printer, const Node *node, int level) {
  if (level_of(node) < level || node->kind == NODE_IF) {
    print_parenthesized(printer, node);
  } else {
    print_node(printer, node);
  }
}

/* The levels that the operands of an operator need. */
static int left_level(NodeKind kind) {
  int level = operators[kind].level;
  bool is_comparison = level == operators[NODE_EQ].level;
  return kind == NODE_POW || is_comparison ? level + 1 : level;
}

static int right_level(NodeKind kind) {
  return kind == NODE_POW ? LEVEL_NEGATE : operators[kind].level + 1;
}

bool print_goes_on(Printer *printer, const Node *before, const Node *after) {
  return print_break(printer, before->span.end, after->span.begin, printer->indent + CONTINUED);
}

static void print_operator(Printer *printer, const Node *node) {
  const Operator *operation = &operators[node->kind];
  bool is_spaced = operation->spacing == SPACED_ALWAYS ||
                   (operation->spacing == SPACED_OUTSIDE && !printer->tight);
  text_add(printer->text, is_spaced ? " %s" : "%s", operation->text);
  if (!print_goes_on(printer, node->parts[0], node->parts[1]) && is_spaced) add(printer, " ");
}

static bool is_sum(const Node *node) {
  return node->kind == NODE_ADD || node->kind == NODE_SUB;
}

static bool has_product(const Node *sum) {
  if (is_sum(sum)) return has_product(sum->parts[0]) || has_product(sum->parts[1]);
  return operators[sum->kind].text && operators[sum->kind].level == operators[NODE_MUL].level;
}

/* Sums in subscripts are tight, t-1, unless one of their terms is a product, s*h + r. */
static void print_binary(Printer *printer, const Node *node) {
  bool before = printer->tight;
  if (is_sum(node) && has_product(node)) printer->tight = false;
  print_operand(printer, node->parts[0], left_level(node->kind));
  print_operator(printer, node);
  if (is_sum(node) && node->parts[1]->kind == NODE_NEGATE) {
    print_parenthesized(printer, node->parts[1]);
  } else {
    print_operand(printer, node->parts[1], right_level(node->kind));
  }
  printer->tight = before;
}

/* A chain a |> b |> c from its first stage; stages begin a line where they do in the source, below
   the first '|>'. */
static void print_pipe(Printer *printer, const Node *node, int start, int *column) {
  const Node *left = node->parts[0], *right = node->parts[1];
  if (left->kind == NODE_PIPE) {
    print_pipe(printer, left, start, column);
  } else {
    print_operand(printer, left, operators[NODE_PIPE].level);
  }
  int here = print_column(printer) + 1;
  bool breaks =
      print_break(printer, left->span.end, right->span.begin, *column > 0 ? *column : start + 2);
  if (*column == 0) *column = breaks ? start + 2 : here;
  add(printer, breaks ? "|> " : " |> ");
  print_operand(printer, right, operators[NODE_PIPE].level + 1);
}

static void print_word_between(Printer *printer, const Node *before, const Node *after, int column,
                               const char *word) {
  bool breaks = print_break(printer, before->span.end, after->span.begin, column);
  text_add(printer->text, breaks ? "%s " : " %s ", word);
}

static void print_condition_part(Printer *printer, const Node *node) {
  print_operand(printer, node, LEVEL_ANY);
}

static void print_conditional(Printer *printer, const Node *node) {
  int column = print_column(printer);
  for (;; node = node->parts[2]) {
    add(printer, "if ");
    print_condition_part(printer, node->parts[0]);
    print_word_between(printer, node->parts[0], node->parts[1], column, "then");
    print_condition_part(printer, node->parts[1]);
    print_word_between(printer, node->parts[1], node->parts[2], column, "else");
    if (node->parts[2]->kind != NODE_IF) break;
  }
  if (node->parts[2]->kind == NODE_PIPE) {
    print_parenthesized(printer, node->parts[2]);
  } else {
    print_node(printer, node->parts[2]);
  }
}

static void print_from(Printer *printer, const Node *list, int first) {
  for (int i = first; i < list->count; i++) {
    if (i > first) {
      add(printer, ",");
      if (!print_goes_on(printer, list->parts[i - 1], list->parts[i])) add(printer, " ");
    }
    print_node(printer, list->parts[i]);
  }
}

void print_list(Printer *printer, const Node *list) {
  print_from(printer, list, 0);
}

/* A default after the subscripts is as tight as they are, a condition is not. */
static void print_subscripts(Printer *printer, const Node *subs, const Node *otherwise,
                             const Node *condition) {
  bool before = printer->tight;
  printer->tight = true;
  add(printer, "[");
  print_list(printer, subs);
  if (otherwise) {
    add(printer, " | ");
    print_operand(printer, otherwise, LEVEL_ANY);
  }
  printer->tight = false;
  if (condition) {
    add(printer, " if ");
    print_operand(printer, condition, LEVEL_ANY);
  }
  add(printer, "]");
  printer->tight = before;
}

/* A word that would be a token of its own before the bracket that follows. */
static bool reads_as_keyword(const Node *node, NodeKind around) {
  static const char *const words[] = {"total", "count",  "sum",    "prod", "max", "min",
                                      "mean",  "argmax", "argmin", "lse",  "any", "all"};
  if (node->kind != NODE_IDENT) return false;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(node->name, words[i]) == 0) return around == NODE_READ || i == 0;
  }
  return false;
}

static void print_base(Printer *printer, const Node *node) {
  if (reads_as_keyword(node->parts[0], node->kind)) {
    print_parenthesized(printer, node->parts[0]);
  } else {
    print_operand(printer, node->parts[0], LEVEL_POSTFIX);
  }
}

/* Parts from `first` on, in parentheses and outside any subscript. */
static void print_arguments(Printer *printer, const Node *node, int first) {
  bool before = printer->tight;
  printer->tight = false;
  add(printer, "(");
  print_from(printer, node, first);
  add(printer, ")");
  printer->tight = before;
}

static void print_read(Printer *printer, const Node *node) {
  print_base(printer, node);
  print_subscripts(printer, node->parts[1], node->parts[2], NULL);
}

static void print_call(Printer *printer, const Node *node) {
  print_base(printer, node);
  print_arguments(printer, node, 1);
}

static void print_reduction(Printer *printer, const Node *node) {
  add(printer, node->name);
  print_subscripts(printer, node->parts[0], NULL, node->parts[1]);
  print_arguments(printer, node, 2);
}

static void print_total(Printer *printer, const Node *node) {
  add(printer, "total");
  if (node->parts[0]) {
    add(printer, "[");
    print_list(printer, node->parts[0]);
    add(printer, "]");
  }
  print_arguments(printer, node, 1);
}

static void print_tuple(Printer *printer, const Node *node) {
  add(printer, "(");
  print_list(printer, node);
  add(printer, ")");
}

/* name[subs] : type = value, each part but the name optional. */
static void print_declaration(Printer *printer, const Node *node) {
  add(printer, node->name);
  if (node->parts[0]) print_subscripts(printer, node->parts[0], NULL, NULL);
  if (node->count > 1 && node->parts[1]) {
    add(printer, node->parts[0] ? " : " : ": ");
    print_node(printer, node->parts[1]);
  }
  if (node->count > 2 && node->parts[2]) {
    add(printer, " = ");
    print_node(printer, node->parts[2]);
  }
}

static void print_assignment(Printer *printer, const Node *node, const char *sign) {
  text_add(printer->text, "%s%s", node->name, sign);
  print_node(printer, node->parts[0]);
}

static void print_type(Printer *printer, const Node *node) {
  add(printer, node->name);
  if (node->count > 0) print_arguments(printer, node, 0);
}

void print_node(Printer *printer, const Node *node) {
  int column = 0;
  switch (node->kind) {
  case NODE_IDENT:
  case NODE_NUMBER: add(printer, node->name); break;
  case NODE_STRING: text_add(printer->text, "\"%s\"", node->name); break;
  case NODE_TAG: text_add(printer->text, "@%s", node->name); break;
  case NODE_PACK: text_add(printer->text, "...%s", node->name ? node->name : ""); break;
  case NODE_PIPE: print_pipe(printer, node, print_column(printer), &column); break;
  case NODE_IF: print_conditional(printer, node); break;
  case NODE_NOT: add(printer, "not "), print_operand(printer, node->parts[0], LEVEL_NOT); break;
  case NODE_NEGATE: add(printer, "-"), print_operand(printer, node->parts[0], LEVEL_NEGATE); break;
  case NODE_READ: print_read(printer, node); break;
  case NODE_CALL: print_call(printer, node); break;
  case NODE_REDUCE: print_reduction(printer, node); break;
  case NODE_TOTAL: print_total(printer, node); break;
  case NODE_COUNT:
    add(printer, "count"), print_subscripts(printer, node->parts[0], NULL, NULL);
    break;
  case NODE_TUPLE: print_tuple(printer, node); break;
  case NODE_SUBS:
  case NODE_LIST: print_list(printer, node); break;
  case NODE_ARG:
  case NODE_DIM_FIXED: print_assignment(printer, node, " = "); break;
  case NODE_DIM_BOUNDED: print_assignment(printer, node, " <= "); break;
  case NODE_IN: print_assignment(printer, node, " in "); break;
  case NODE_FORMAL:
  case NODE_RESULT:
  case NODE_LHS: print_declaration(printer, node); break;
  case NODE_TYPE: print_type(printer, node); break;
  case NODE_INITIAL_VALUE:
  case NODE_INITIAL_DRAW: print_node(printer, node->parts[0]); break;
  default:
    if (operators[node->kind].text) {
      print_binary(printer, node);
    } else {
      print_statement(printer, node);
    }
  }
}

void node_print(const Node *node, Text *text) {
  Printer printer = {.text = text};
  print_node(&printer, node);
}
