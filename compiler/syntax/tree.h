/* The syntax tree: one node type for everything the grammar knows.

   A node has a kind (a row of nodes.def, which tells the layout of its parts), a span, and at most one
   name and one number. The parser builds it bottom-up, the printer (tree_print, which is `nnc fmt`)
   turns it back into source, and the elaborator gives it meaning. Nothing changes a node once built. */
#ifndef NNC_SYNTAX_TREE_H
#define NNC_SYNTAX_TREE_H

#include "support/diagnostics.h"
#include "support/files.h"
#include "support/names.h"

typedef enum {
#define NODE(kind, title) NODE_##kind,
#include "syntax/nodes.def"
#undef NODE
  NODE_KIND_COUNT
} NodeKind;

typedef struct Node Node;
struct Node {
  NodeKind kind;
  Span span;
  Name name;
  double number;
  Node **parts;
  int count;
  int height; /* 1 for a leaf; at most LIMIT_TREE_HEIGHT, so that walks may recurse */
};

/* A comment as it stood in the source, kept beside the tree for the printer. */
typedef struct Comment {
  Span span;      /* from '#' to before the newline */
  bool owns_line; /* nothing but spaces before it on its line */
} Comment;

typedef struct Tree {
  Node *root; /* NODE_FILE; null only when the file could not be read */
  const SourceFile *file;
  LIST_OF(Comment) comments; /* in source order */
} Tree;

const char *node_title(NodeKind kind);

/* Parses one file; errors are recovered at statement ends and reported to `diagnostics`.
   The tree of a file with errors holds NODE_ERROR where text was skipped. */
Tree *tree_parse(Arena *arena, Names *names, Sources *sources, Diagnostics *diagnostics,
                 const SourceFile *file);

/* Prints in the one true layout, comments kept; printing the parse of the result gives the same text. */
void tree_print(const Tree *tree, const Sources *sources, Text *text);

/* Prints one node on one line, e.g. "sum[i](x[n, i]*W[i, k])": for messages and comments in the C. */
void node_print(const Node *node, Text *text);

/* Same shape, names and numbers; spans are ignored. */
bool node_equal(const Node *a, const Node *b);

#endif
