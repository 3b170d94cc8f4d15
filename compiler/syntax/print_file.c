/* Printing statements, blocks and whole files in the one true layout: a statement a line, two columns
   a block, comments where they stood, at most one blank line in a row.

   A block stays on one line when the source has it on one and it holds one statement. A comment in
   the middle of a statement moves to the end of the line that is being printed. */
#include "syntax/print.h"

#include <string.h>

enum { INDENT = 2 };

static void add(Printer *printer, const char *text) {
  text_add_bytes(printer->text, text, strlen(text));
}

/* Ends the line, if there is one, and begins the next at `column`. */
static void begin_line(Printer *printer, int column) {
  if (printer->text->size > 0) add(printer, "\n");
  printer->line = printer->text->size;
  text_add(printer->text, "%*s", column, "");
}

/* ---- the source behind the tree ---- */

static const char *source_at(const Printer *printer, uint32_t offset) {
  const SourceFile *file = printer->tree->file;
  return file->text + (offset - file->base);
}

static bool has_newline(const Printer *printer, uint32_t begin, uint32_t end) {
  return end > begin && memchr(source_at(printer, begin), '\n', end - begin);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/* Whether the line above the one that begins with what stands at `offset` is empty. */
static bool follows_empty_line(const Printer *printer, uint32_t offset) {
  const char *first = printer->tree->file->text, *at = source_at(printer, offset);
  while (at > first && is_blank(at[-1])) at--;
  if (at == first || at[-1] != '\n') return false;
  at--;
  while (at > first && is_blank(at[-1])) at--;
  return at > first && at[-1] == '\n';
}

/* ---- comments ---- */

/* The first comment not yet printed when it begins before `end`; otherwise null. */
static const Comment *pending_comment(const Printer *printer, uint32_t end) {
  if (!printer->tree || printer->next_comment >= printer->tree->comments.count) return NULL;
  const Comment *comment = &printer->tree->comments.items[printer->next_comment];
  return comment->span.begin < end ? comment : NULL;
}

static void print_comment(Printer *printer, const Comment *comment) {
  const char *text = source_at(printer, comment->span.begin);
  size_t size = comment->span.end - comment->span.begin;
  while (size > 0 && is_blank(text[size - 1])) size--;
  text_add_bytes(printer->text, text, size);
  printer->next_comment++;
}

/* Comments that belong to the line being printed: all before `inside`, and up to `limit` those on the
   same source line as `inside`. The first ends the line, more follow on lines of their own. */
static void print_trailing_comments(Printer *printer, uint32_t inside, uint32_t limit, int column) {
  bool first = true;
  for (const Comment *comment; (comment = pending_comment(printer, limit));) {
    uint32_t begin = comment->span.begin;
    if (begin > inside && has_newline(printer, inside, begin)) break;
    if (first) {
      add(printer, "  ");
    } else {
      begin_line(printer, column);
    }
    print_comment(printer, comment);
    first = false;
  }
}

bool print_break(Printer *printer, uint32_t begin, uint32_t end, int column) {
  if (!printer->tree || !has_newline(printer, begin, end)) return false;
  const Comment *comment = pending_comment(printer, end);
  if (comment && !comment->owns_line) {
    add(printer, "  ");
    print_comment(printer, comment);
  }
  while ((comment = pending_comment(printer, end))) {
    begin_line(printer, column);
    print_comment(printer, comment);
  }
  begin_line(printer, column);
  return true;
}

/* ---- lines ---- */

/* Begins the line of what stands at `offset`, below an empty line if it has one above it. */
static void begin_entry(Printer *printer, uint32_t offset, bool is_first) {
  if (!is_first && follows_empty_line(printer, offset)) add(printer, "\n");
  begin_line(printer, printer->indent);
}

/* The statements of a block or the items of a file, and the comments up to `end`. */
static void print_entries(Printer *printer, const Node *list, uint32_t end) {
  bool is_first = true;
  for (int i = 0; i <= list->count; i++) {
    const Node *entry = i < list->count ? list->parts[i] : NULL;
    uint32_t begin = entry ? entry->span.begin : end;
    for (const Comment *comment; (comment = pending_comment(printer, begin));) {
      begin_entry(printer, comment->span.begin, is_first);
      print_comment(printer, comment);
      is_first = false;
    }
    if (!entry) break;
    begin_entry(printer, begin, is_first);
    print_statement(printer, entry);
    uint32_t limit = i + 1 < list->count ? list->parts[i + 1]->span.begin : end;
    print_trailing_comments(printer, entry->span.end, limit, printer->indent);
    is_first = false;
  }
}

static bool fits_line(const Printer *printer, const Node *block) {
  if (!printer->tree) return true;
  if (pending_comment(printer, block->span.end)) return false;
  return block->count == 0 ||
         (block->count == 1 && !has_newline(printer, block->span.begin, block->span.end));
}

static void print_on_line(Printer *printer, const Node *block) {
  for (int i = 0; i < block->count; i++) {
    if (i > 0) add(printer, "; ");
    print_statement(printer, block->parts[i]);
  }
}

void print_block(Printer *printer, const Node *block) {
  add(printer, "{");
  if (fits_line(printer, block)) {
    if (block->count > 0) add(printer, " "), print_on_line(printer, block), add(printer, " ");
  } else {
    uint32_t limit = block->count > 0 ? block->parts[0]->span.begin : block->span.end;
    printer->indent += INDENT;
    print_trailing_comments(printer, block->span.begin, limit, printer->indent);
    print_entries(printer, block, block->span.end);
    printer->indent -= INDENT;
    begin_line(printer, printer->indent);
  }
  add(printer, "}");
}

/* ---- statements and items ---- */

/* The value after "=" or the like, on the next line if it is there in the source. */
static void print_value(Printer *printer, const Node *node, const char *sign, const Node *value) {
  uint32_t before = node->span.begin;
  for (int i = 0; i < node->count && node->parts[i] != value; i++) {
    if (node->parts[i] && node->parts[i]->span.end > before) before = node->parts[i]->span.end;
  }
  text_add(printer->text, " %s", sign);
  if (!print_break(printer, before, value->span.begin, printer->indent + INDENT)) add(printer, " ");
  print_node(printer, value);
}

/* The name with its subscripts and type: parts 0 and, if there are `count` = 2, 1. */
static void print_declared(Printer *printer, const Node *node, int count) {
  Node declaration = *node;
  declaration.kind = NODE_RESULT;
  declaration.count = count;
  print_node(printer, &declaration);
}

static void print_formals(Printer *printer, const Node *node) {
  const Node *tensors = node->parts[0], *hypers = node->parts[1];
  text_add(printer->text, "%s(", node->name);
  print_list(printer, tensors);
  if (hypers->count > 0) {
    const Node *last = tensors->count > 0 ? tensors->parts[tensors->count - 1] : NULL;
    add(printer, ";");
    if (!last || !print_goes_on(printer, last, hypers->parts[0])) add(printer, " ");
    print_list(printer, hypers);
  }
  add(printer, ")");
}

static void print_definition(Printer *printer, const Node *node) {
  const Node *results = node->parts[2], *body = node->parts[3];
  add(printer, "def ");
  print_formals(printer, node);
  if (results) {
    add(printer, results->count > 1 ? " -> (" : " -> ");
    print_list(printer, results);
    if (results->count > 1) add(printer, ")");
  }
  if (body->kind == NODE_BLOCK) {
    add(printer, " ");
    print_block(printer, body);
  } else {
    print_value(printer, node, "=", body);
  }
}

static void print_parameter(Printer *printer, const Node *node, const char *word) {
  const Node *initial = node->parts[2], *tags = node->parts[3];
  text_add(printer->text, "%s ", word);
  print_declared(printer, node, 2);
  add(printer, initial->kind == NODE_INITIAL_DRAW ? " ~ " : " = ");
  bool needs_parentheses = initial->parts[0]->kind == NODE_IF && tags->count > 0;
  if (needs_parentheses) add(printer, "(");
  print_node(printer, initial->parts[0]);
  if (needs_parentheses) add(printer, ")");
  for (int i = 0; i < tags->count; i++) {
    add(printer, " ");
    print_node(printer, tags->parts[i]);
  }
}

static void print_if(Printer *printer, const Node *node) {
  for (;;) {
    add(printer, "if ");
    print_node(printer, node->parts[0]);
    add(printer, " ");
    print_block(printer, node->parts[1]);
    const Node *rest = node->parts[2];
    if (!rest) return;
    add(printer, " else ");
    if (rest->kind == NODE_BLOCK) {
      print_block(printer, rest);
      return;
    }
    node = rest;
  }
}

static void print_scan(Printer *printer, const Node *node) {
  text_add(printer->text, "scan %s in ", node->name);
  print_node(printer, node->parts[0]);
  if (node->parts[1]) {
    add(printer, " checkpoint ");
    print_node(printer, node->parts[1]);
  }
  add(printer, " ");
  print_block(printer, node->parts[2]);
}

/* `word`, the name if there is one, and a block. */
static void print_named_block(Printer *printer, const Node *node, const char *word) {
  text_add(printer->text, "%s %s%s", word, node->name ? node->name : "", node->name ? " " : "");
  print_block(printer, node->parts[0]);
}

/* `word` and one part. */
static void print_word(Printer *printer, const char *word, const Node *part) {
  text_add(printer->text, "%s ", word);
  print_node(printer, part);
}

static void print_assigned(Printer *printer, const Node *node, const char *sign) {
  print_node(printer, node->parts[0]);
  print_value(printer, node, sign, node->parts[1]);
}

static void print_item(Printer *printer, const Node *node) {
  switch (node->kind) {
  case NODE_IMPORT: print_word(printer, "import", node->parts[0]); break;
  case NODE_CONST:
    add(printer, "const ");
    print_declared(printer, node, 1);
    print_value(printer, node, "=", node->parts[1]);
    break;
  case NODE_DEF: print_definition(printer, node); break;
  case NODE_OPTIMIZER_DEF:
    add(printer, "optimizer ");
    print_formals(printer, node);
    add(printer, " ");
    print_block(printer, node->parts[2]);
    break;
  case NODE_MODEL: print_named_block(printer, node, "model"); break;
  case NODE_FILE: print_on_line(printer, node); break;
  case NODE_BLOCK: print_block(printer, node); break;
  default: add(printer, "<error>"); break;
  }
}

void print_statement(Printer *printer, const Node *node) {
  const Node *first = node->count > 0 ? node->parts[0] : NULL;
  switch (node->kind) {
  case NODE_EQUATION: print_assigned(printer, node, "="); break;
  case NODE_UPDATE: print_assigned(printer, node, ":="); break;
  case NODE_DRAW: print_assigned(printer, node, "~"); break;
  case NODE_DIMS: add(printer, "dim "), print_list(printer, node); break;
  case NODE_PARAM: print_parameter(printer, node, "param"); break;
  case NODE_STATE: print_parameter(printer, node, "state"); break;
  case NODE_USE:
    text_add(printer->text, "use %s", node->name);
    print_value(printer, node, "=", node->parts[0]);
    break;
  case NODE_SCAN: print_scan(printer, node); break;
  case NODE_IF_STATEMENT: print_if(printer, node); break;
  case NODE_REQUIRE:
    print_word(printer, "require", first);
    text_add(printer->text, " : ");
    print_node(printer, node->parts[1]);
    break;
  case NODE_GRAD: add(printer, "grad "), print_assigned(printer, node, "="); break;
  case NODE_REMAT: print_named_block(printer, node, "remat"); break;
  case NODE_INPUT: add(printer, "input "), print_declared(printer, node, 2); break;
  case NODE_TARGET: add(printer, "target "), print_declared(printer, node, 2); break;
  case NODE_OUTPUT:
    add(printer, "output ");
    print_declared(printer, node, 1);
    if (node->parts[1]) print_value(printer, node, "=", node->parts[1]);
    break;
  case NODE_METRIC:
    text_add(printer->text, "metric %s", node->name);
    print_value(printer, node, "=", node->parts[0]);
    break;
  case NODE_LOSS: print_word(printer, "loss", first); break;
  case NODE_TRAIN: print_named_block(printer, node, "train"); break;
  case NODE_OPTIMIZER: print_word(printer, "optimizer", first); break;
  case NODE_GROUP:
    print_word(printer, "group", first);
    add(printer, " ");
    print_block(printer, node->parts[1]);
    break;
  case NODE_FREEZE: print_word(printer, "freeze", first); break;
  default: print_item(printer, node); break;
  }
}

void tree_print(const Tree *tree, const Sources *sources, Text *text) {
  (void)sources;
  Printer printer = {.text = text, .tree = tree};
  uint32_t end = tree->file->base + tree->file->size + 1;
  print_entries(&printer, tree->root, end);
  if (text->size > 0) add(&printer, "\n");
}
