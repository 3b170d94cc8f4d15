/* The syntax tree: constructors, comparison, and parsing from end to end. */
#include "syntax/build.h"
#include "syntax/lexer.h"
#include "support/limits.h"

#include <string.h>

const char *node_title(NodeKind kind) {
  static const char *const titles[] = {
#define NODE(kind, title) title,
#include "syntax/nodes.def"
#undef NODE
  };
  return titles[kind];
}

static Node *new_leaf(Parse *parse, NodeKind kind, Span span, Name name) {
  Node *node = NEW(parse->arena, Node);
  *node = (Node){.kind = kind, .span = span, .name = name, .height = 1};
  return node;
}

/* Room for `count` parts: capacities are powers of two, so that none needs to be stored. */
static void make_room(Parse *parse, Node *node, int count) {
  int capacity = 1;
  while (capacity < count) capacity *= 2;
  Node **parts = NEW_ARRAY(parse->arena, Node *, capacity);
  if (node->count > 0) memcpy(parts, node->parts, (size_t)node->count * sizeof *parts);
  node->parts = parts;
}

static void add_part(Parse *parse, Node *node, Node *part) {
  if (part && part->height >= LIMIT_TREE_HEIGHT) {
    parse_report_depth(parse, part->span);
    part = new_leaf(parse, NODE_ERROR, part->span, NULL);
  }
  node->parts[node->count++] = part;
  if (part && part->height >= node->height) node->height = part->height + 1;
}

Node *node_new(Parse *parse, NodeKind kind, Span span, Name name, Node **parts, int count) {
  Node *node = new_leaf(parse, kind, span, name);
  if (count > 0) make_room(parse, node, count);
  for (int i = 0; i < count; i++) add_part(parse, node, parts[i]);
  return node;
}

Node *node_number(Parse *parse, Span span, Name text, double number) {
  Node *node = new_leaf(parse, NODE_NUMBER, span, text);
  node->number = number;
  return node;
}

static bool is_power_of_two(int number) {
  return (number & (number - 1)) == 0;
}

Node *node_append(Parse *parse, Node *node, Node *part) {
  if (!part) return node;
  if (is_power_of_two(node->count)) make_room(parse, node, node->count + 1);
  add_part(parse, node, part);
  node->span = span_join(node->span, part->span);
  return node;
}

Node *node_extend(Parse *parse, Node *node, const Node *list) {
  Span span = node->span;
  for (int i = 0; i < list->count; i++) node_append(parse, node, list->parts[i]);
  return node_cover(node, span);
}

Node *node_cover(Node *node, Span span) {
  node->span = span;
  return node;
}

Node *node_recover(Parse *parse, Span span) {
  parse->recovering = false;
  return new_leaf(parse, NODE_ERROR, span, NULL);
}

static bool parts_are_equal(const Node *a, const Node *b) {
  if (a->count != b->count) return false;
  for (int i = 0; i < a->count; i++) {
    if (!node_equal(a->parts[i], b->parts[i])) return false;
  }
  return true;
}

static bool names_are_equal(Name a, Name b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

bool node_equal(const Node *a, const Node *b) {
  if (!a || !b) return a == b;
  return a->kind == b->kind && names_are_equal(a->name, b->name) && a->number == b->number &&
         parts_are_equal(a, b);
}

void parse_report_depth(Parse *parse, Span span) {
  if (parse->height_reported) return;
  parse->height_reported = true;
  Diagnostic *d = diagnose(parse->diagnostics, NN0105, (Span){span.begin, span.begin + 1},
                           "this expression or chain of 'else' is nested too deeply");
  diagnostic_help(d, "give parts of it names of their own");
}

Tree *tree_parse(Arena *arena, Names *names, Sources *sources, Diagnostics *diagnostics,
                 const SourceFile *file) {
  (void)sources;
  Tree *tree = NEW(arena, Tree);
  tree->file = file;
  Parse parse = {
      .arena = arena, .names = names, .diagnostics = diagnostics, .file = file, .tree = tree};
  lexer_parse(&parse);
  Span whole = {file->base, file->base + file->size};
  if (!tree->root) tree->root = node_new(&parse, NODE_FILE, whole, NULL, NULL, 0);
  node_cover(tree->root, whole);
  return tree;
}
