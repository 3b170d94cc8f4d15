/* Parsing and printing texts in unit tests: one compilation of its own for each test. */
#ifndef NNC_TESTS_SYNTAX_FIXTURE_H
#define NNC_TESTS_SYNTAX_FIXTURE_H

#include "syntax/tree.h"

void syntax_begin(void); /* .init of the suites */
void syntax_end(void);   /* .fini */

/* A tree for the text as it stands, or as the body of a model, or as the value of an equation in one
   (the node of that value). All report to the same diagnostics. */
Tree *parse_file(const char *text);
Tree *parse_body(const char *text);
Node *parse_value(const char *text);

/* The layout of a tree, and of the body of a model with its lines moved back to the left margin. */
const char *print_tree(const Tree *tree);
const char *print_body(const char *body);

/* What was reported since the last call, in source order: "NN0101 2:5, NN0102 3:1"; "" for nothing. */
const char *reported(void);

/* The same as text for the user. */
const char *messages(void);

#endif
