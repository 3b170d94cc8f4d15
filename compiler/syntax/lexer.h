/* The scanner as the parser sees it: raw tokens from nn.l, turned into the tokens of nn.y.

   A newline ends a statement (END) when no '(' or '[' is open, the token before it can end one, and the
   next line does not begin with |>, else, then or {. A ';' is END too, except inside parentheses. A
   '{' that is never closed gets its '}' where the item around it must have ended. After an error every
   such newline is an END, so that the parser finds its way again. */
#ifndef NNC_SYNTAX_LEXER_H
#define NNC_SYNTAX_LEXER_H

#include "syntax/parse.h"
#include "nn.tab.h"

typedef struct RawToken {
  int kind;
  Span span;
  SYNTAX_STYPE value;
  bool after_newline;
} RawToken;

/* Parses the file of `parse` into its tree. */
void lexer_parse(Parse *parse);

/* nn.l: sets out after `skipped` bytes; the next raw token, of which it fills span and value. */
void scan_begin(Parse *parse, int skipped, void **scanner);
int scan_raw(RawToken *token, void *scanner);
void scan_end(void *scanner);

/* What the rules of nn.l call. */
Span lexer_advance(Parse *parse, int length);
void lexer_comment(Parse *parse, Span span);
bool lexer_precedes(const Parse *parse, const RawToken *token, const char *characters);
Name lexer_check_name(Parse *parse, Span span, Name name);
Node *lexer_number(Parse *parse, Span span, Name text);
Node *lexer_bad_number(Parse *parse, Span span, Name text);
Name lexer_open_string(Parse *parse, Span span);
void lexer_bad_character(Parse *parse, Span span);

/* Whether an error that makes its statement unreadable is to be reported, which it is unless it lies
   inside another one; the parser is out of step from here on. */
bool lexer_begins_error(Parse *parse, Span span);

/* Whether the token at `span` is passed over because it is nested too deeply. */
bool lexer_is_skipped(const Parse *parse, Span span);

#endif
