/* The scanner between nn.l and nn.y: ends of statements, brackets and their partners. */
#include "syntax/lexer.h"
#include "syntax/brackets.h"
#include "support/limits.h"

#include <string.h>

struct Lexer {
  void *scanner;   /* of Flex */
  uint32_t offset; /* of the next byte to scan */
  Brackets brackets;
  int next_bracket;            /* the first of `brackets` not yet scanned */
  Bracket open[LIMIT_NESTING]; /* those that enclose the next token and have a partner */
  int depth;
  uint32_t skip_until; /* tokens before this are dropped: too deep */
  RawToken next;
  bool has_next;
  int last; /* kind of the last token given to the parser */
};

int syntax_lex(SYNTAX_STYPE *value, Span *span, Parse *parse);

/* The length of the byte order mark that some editors put before UTF-8. */
static int mark_length(const SourceFile *file) {
  return strncmp(file->text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

void lexer_parse(Parse *parse) {
  Lexer *lexer = NEW(parse->arena, Lexer);
  parse->lexer = lexer;
  int skipped = mark_length(parse->file);
  lexer->offset = parse->file->base + (uint32_t)skipped;
  brackets_match(&lexer->brackets, parse->arena, parse->file);
  scan_begin(parse, skipped, &lexer->scanner);
  syntax_parse(parse);
  scan_end(lexer->scanner);
}

Span lexer_advance(Parse *parse, int length) {
  uint32_t begin = parse->lexer->offset;
  parse->lexer->offset += (uint32_t)length;
  return (Span){begin, begin + (uint32_t)length};
}

bool lexer_is_skipped(const Parse *parse, Span span) {
  return span.begin < parse->lexer->skip_until;
}

bool lexer_begins_error(Parse *parse, Span span) {
  bool result = !parse->recovering && !lexer_is_skipped(parse, span);
  parse->recovering = true;
  return result;
}

static bool is_in_parentheses(const Lexer *lexer) {
  return lexer->depth > 0 && lexer->open[lexer->depth - 1].kind != '{';
}

/* ---- comments, names, numbers, strings ---- */

void lexer_comment(Parse *parse, Span span) {
  const SourceFile *file = parse->file;
  uint32_t i = span.begin - file->base;
  while (i > 0 && strchr(" \t\r", file->text[i - 1])) i--;
  Comment comment = {span, i == 0 || file->text[i - 1] == '\n'};
  APPEND(parse->arena, &parse->tree->comments, comment);
}

/* Whether the next token begins with one of `characters`. */
bool lexer_precedes(const Parse *parse, const RawToken *token, const char *characters) {
  const char *text = parse->file->text + (token->span.end - parse->file->base);
  const char *blanks = is_in_parentheses(parse->lexer) ? " \t\r\n" : " \t\r";
  for (;;) {
    text += strspn(text, blanks);
    if (*text != '#' || !is_in_parentheses(parse->lexer)) break;
    text += strcspn(text, "\n");
  }
  return *text && strchr(characters, *text);
}

Name lexer_check_name(Parse *parse, Span span, Name name) {
  for (const char *part = name; *part && !lexer_is_skipped(parse, span);) {
    size_t length = strcspn(part, ".");
    if (length > LIMIT_IDENTIFIER) {
      Diagnostic *d = diagnose(parse->diagnostics, NN0106, span,
                               "name of %zu characters; the limit is %d", length, LIMIT_IDENTIFIER);
      diagnostic_help(d, "choose a shorter name");
      break;
    }
    part += length + (part[length] == '.');
  }
  return name;
}

Name lexer_open_string(Parse *parse, Span span) {
  if (!lexer_is_skipped(parse, span)) {
    Diagnostic *d = diagnose(parse->diagnostics, NN0104, span, "this string has no end");
    diagnostic_help(d, "close it with '\"' on the same line");
  }
  const char *text = parse->file->text + (span.begin - parse->file->base) + 1;
  return name_of_bytes(parse->names, text, span.end - span.begin - 1);
}

/* ---- brackets ---- */

/* The entry of the bracket at `offset`. */
static Bracket find_bracket(Lexer *lexer, uint32_t offset) {
  const Bracket *items = lexer->brackets.list.items;
  while (items[lexer->next_bracket].open < offset) lexer->next_bracket++;
  return items[lexer->next_bracket];
}

static void report_unclosed(Parse *parse, const Bracket *bracket) {
  int partner = bracket->kind == '(' ? ')' : bracket->kind == '[' ? ']' : '}';
  Span opening = {bracket->open, bracket->open + 1};
  Diagnostic *d =
      diagnose(parse->diagnostics, NN0102, opening, "'%c' is never closed", bracket->kind);
  diagnostic_note(d, opening, "opened here");
  uint32_t end = parse->file->base + parse->file->size;
  if (bracket->close < end) {
    diagnostic_note(d, (Span){bracket->close, bracket->close + 1}, "no '%c' before this", partner);
  } else {
    diagnostic_help(d, "the file ends without its '%c'", partner);
  }
}

static int refuse_depth(Parse *parse, const Bracket *bracket) {
  Span span = {bracket->open, bracket->open + 1};
  if (lexer_begins_error(parse, span)) {
    Diagnostic *d = diagnose(parse->diagnostics, NN0105, span,
                             "more than %d brackets and blocks inside each other", LIMIT_NESTING);
    diagnostic_help(d, "give parts of it names of their own");
  }
  parse->lexer->skip_until = bracket->close + bracket->closed;
  return TOKEN_SYNTAX_error;
}

static int open_bracket(Parse *parse, int kind, Span span) {
  Lexer *lexer = parse->lexer;
  Bracket bracket = find_bracket(lexer, span.begin);
  if (!bracket.closed && kind != TOKEN_OPEN_BRACE) {
    if (lexer_begins_error(parse, span)) report_unclosed(parse, &bracket);
    return TOKEN_SYNTAX_error;
  }
  if (lexer->depth == LIMIT_NESTING) return refuse_depth(parse, &bracket);
  if (!bracket.closed) report_unclosed(parse, &bracket);
  lexer->open[lexer->depth++] = bracket;
  return kind;
}

static int close_bracket(Parse *parse, int kind, Span span) {
  Lexer *lexer = parse->lexer;
  if (lexer->depth > 0 && lexer->open[lexer->depth - 1].close == span.begin) {
    lexer->depth--;
    return kind;
  }
  if (lexer_begins_error(parse, span)) {
    const char *closing = parse->file->text + (span.begin - parse->file->base);
    diagnose(parse->diagnostics, NN0101, span, "'%c' closes nothing", *closing);
  }
  return TOKEN_SYNTAX_error;
}

/* ---- the tokens of the grammar ---- */

static void read_next(Parse *parse) {
  Lexer *lexer = parse->lexer;
  if (lexer->has_next) return;
  lexer->next = (RawToken){0};
  do {
    lexer->next.kind = scan_raw(&lexer->next, lexer->scanner);
  } while (lexer->next.kind != TOKEN_YYEOF && lexer_is_skipped(parse, lexer->next.span));
  if (lexer->next.kind == TOKEN_YYEOF) {
    lexer->next.span = (Span){lexer->offset, lexer->offset};
    lexer->next.after_newline = true;
  }
  lexer->has_next = true;
}

static bool can_end_statement(int kind) {
  switch (kind) {
  case TOKEN_IDENT:
  case TOKEN_NUMBER:
  case TOKEN_STRING:
  case TOKEN_TAG:
  case TOKEN_DIM:
  case TOKEN_CLOSE_PAREN:
  case TOKEN_CLOSE_BRACKET:
  case TOKEN_CLOSE_BRACE: return true;
  default: return false;
  }
}

static bool continues_line(int kind) {
  return kind == TOKEN_PIPE || kind == TOKEN_ELSE || kind == TOKEN_THEN || kind == TOKEN_OPEN_BRACE;
}

static bool needs_end(const Parse *parse) {
  const Lexer *lexer = parse->lexer;
  if (!lexer->next.after_newline || is_in_parentheses(lexer)) return false;
  if (continues_line(lexer->next.kind)) return false;
  return can_end_statement(lexer->last) || (parse->recovering && lexer->last != TOKEN_END);
}

static bool is_past_unclosed_block(const Lexer *lexer) {
  if (lexer->depth == 0) return false;
  const Bracket *bracket = &lexer->open[lexer->depth - 1];
  return !bracket->closed && lexer->next.span.begin >= bracket->close;
}

static int emit(Parse *parse, int kind, Span span) {
  parse->lexer->last = kind;
  parse->previous = parse->current;
  parse->current = span;
  return kind;
}

/* A token that stands for what is not written, right after the last one. */
static int emit_missing(Parse *parse, int kind, Span *span) {
  uint32_t end = parse->current.end > 0 ? parse->current.end : parse->file->base;
  *span = (Span){end, end};
  return emit(parse, kind, *span);
}

/* Remembers the token whose line goes on in the next although nothing there says so. */
static void note_continued(Parse *parse) {
  const Lexer *lexer = parse->lexer;
  if (!lexer->next.after_newline || is_in_parentheses(lexer)) return;
  bool begins_statement = lexer->last == 0 || lexer->last == TOKEN_END ||
                          lexer->last == TOKEN_OPEN_BRACE || lexer->last == TOKEN_SYNTAX_error;
  if (!begins_statement && !continues_line(lexer->next.kind)) parse->continued = parse->current;
}

static int emit_next(Parse *parse) {
  Lexer *lexer = parse->lexer;
  const RawToken *token = &lexer->next;
  lexer->has_next = false;
  note_continued(parse);
  switch (token->kind) {
  case TOKEN_OPEN_PAREN:
  case TOKEN_OPEN_BRACKET:
  case TOKEN_OPEN_BRACE:
    return emit(parse, open_bracket(parse, token->kind, token->span), token->span);
  case TOKEN_CLOSE_PAREN:
  case TOKEN_CLOSE_BRACKET:
  case TOKEN_CLOSE_BRACE:
    return emit(parse, close_bracket(parse, token->kind, token->span), token->span);
  case TOKEN_SEMICOLON:
    if (is_in_parentheses(lexer)) return emit(parse, TOKEN_SEMICOLON, token->span);
    parse->continued = (Span){0};
    return emit(parse, TOKEN_END, token->span);
  default: return emit(parse, token->kind, token->span);
  }
}

int syntax_lex(SYNTAX_STYPE *value, Span *span, Parse *parse) {
  Lexer *lexer = parse->lexer;
  read_next(parse);
  if (diagnostics_error_count(parse->diagnostics) >= LIMIT_ERRORS_RECORDED) return TOKEN_YYEOF;
  if (is_past_unclosed_block(lexer)) {
    lexer->depth--;
    return emit_missing(parse, TOKEN_CLOSE_BRACE, span);
  }
  if (needs_end(parse)) {
    lexer->next.after_newline = false;
    parse->continued = (Span){0};
    return emit_missing(parse, TOKEN_END, span);
  }
  *value = lexer->next.value;
  *span = lexer->next.span;
  return emit_next(parse);
}
