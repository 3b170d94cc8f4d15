/* Building the syntax tree: what the actions of nn.y call, one constructor each. */
#ifndef NNC_SYNTAX_BUILD_H
#define NNC_SYNTAX_BUILD_H

#include "syntax/parse.h"

/* The last two arguments of node_new. */
#define PARTS(...) (Node *[]){__VA_ARGS__}, (int)(sizeof((Node *[]){__VA_ARGS__}) / sizeof(Node *))

/* Copies the parts; in place of a part that is too high it puts a NODE_ERROR and reports it. */
Node *node_new(Parse *parse, NodeKind kind, Span span, Name name, Node **parts, int count);

Node *node_number(Parse *parse, Span span, Name text, double number);

/* Adds a part, which may be null (nothing is added), and returns `node`. */
Node *node_append(Parse *parse, Node *node, Node *part);

/* Adds all parts of `list`. */
Node *node_extend(Parse *parse, Node *node, const Node *list);

/* Gives the node another span. */
Node *node_cover(Node *node, Span span);

/* The node for text that was skipped; the parser is in step again. */
Node *node_recover(Parse *parse, Span span);

#endif
