/* What the scanner, the grammar and the tree builder share while one file is parsed. */
#ifndef NNC_SYNTAX_PARSE_H
#define NNC_SYNTAX_PARSE_H

#include "syntax/tree.h"

typedef struct Lexer Lexer;

typedef struct Parse {
  Arena *arena;
  Names *names;
  Diagnostics *diagnostics;
  const SourceFile *file;
  Tree *tree;
  Lexer *lexer;
  bool recovering;        /* an error was reported and its statement is being skipped */
  bool height_reported;   /* LIMIT_TREE_HEIGHT is reported once a file */
  Span current, previous; /* the token the parser looks at and the one before */
  Span continued;         /* the token at whose line end the statement went on; or empty */
} Parse;

/* Reports a syntax error: `found` and `expected` are token names of nn.y. */
void parse_report(Parse *parse, Span span, const char *found, const char *const *expected,
                  int count);

/* Reports that the tree would be too high. */
void parse_report_depth(Parse *parse, Span span);

#endif
