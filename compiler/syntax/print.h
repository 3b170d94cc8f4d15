/* What the two printers share: print.c lays out one node, print_file.c lines and comments. */
#ifndef NNC_SYNTAX_PRINT_H
#define NNC_SYNTAX_PRINT_H

#include "syntax/tree.h"

typedef struct Printer {
  Text *text;
  const Tree *tree; /* null: everything on one line, without comments */
  int next_comment; /* the first comment of the tree not yet printed */
  int indent;       /* of the statements being printed, in columns */
  size_t line;      /* where in the text the line being printed begins */
  bool tight;       /* inside subscripts: a+b, not a + b */
} Printer;

/* One expression, left side, formal or other part that fits a line. */
void print_node(Printer *printer, const Node *node);

/* A list of them between commas, lines broken where they are in the source. */
void print_list(Printer *printer, const Node *list);

/* A statement or item with its blocks. */
void print_statement(Printer *printer, const Node *node);

/* Ends the line where the source has a line end between two offsets, prints the comments in there, and
   goes on at `column`; otherwise prints nothing and returns false. */
bool print_break(Printer *printer, uint32_t begin, uint32_t end, int column);

/* The same where `after` follows a comma or an operator that stands behind `before`. */
bool print_goes_on(Printer *printer, const Node *before, const Node *after);

/* The column, from 0, at which printing goes on. */
int print_column(const Printer *printer);

/* "{ ... }" on one line or several. */
void print_block(Printer *printer, const Node *block);

#endif
