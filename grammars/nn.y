/* The grammar of nnc: docs/language.md in LALR(1), without conflicts.

   The scanner has already turned line ends into END tokens and knows which bracket closes which
   (compiler/syntax/lexer.c), so a statement or item that cannot be read is skipped up to its END, up
   to the '}' around it, or up to a block of its own, whose statements are read as usual. Every action
   makes one node. */

%require "3.8"
%expect 0
%define api.pure full
%define api.prefix {syntax_}
%define api.token.prefix {TOKEN_}
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%param { Parse *parse }

%code requires {
  #include "syntax/parse.h"
}

%code {
  #include "syntax/build.h"

  /* Deep nesting ends in NN0105 before this; it bounds what the scanner cannot count, like "- - - x". */
  #define YYMAXDEPTH 8192

  #define YYLLOC_DEFAULT(whole, parts, count)                                                      \
    (whole) = (count) > 0 ? span_join(YYRHSLOC(parts, 1), YYRHSLOC(parts, count))                  \
                          : (Span){YYRHSLOC(parts, 0).end, YYRHSLOC(parts, 0).end}

  #define MAKE(kind, span, name, ...) node_new(parse, NODE_##kind, span, name, PARTS(__VA_ARGS__))
  #define LEAF(kind, span, name) node_new(parse, NODE_##kind, span, name, NULL, 0)
  #define LIST(kind, span, first) node_append(parse, LEAF(kind, span, NULL), first)

  int syntax_lex(SYNTAX_STYPE *value, Span *span, Parse *parse);
  static void syntax_error(const Span *span, Parse *parse, const char *text);
}

%initial-action { @$ = (Span){parse->file->base, parse->file->base}; }

%union {
  Name name;
  Node *node;
  struct { Node *tensors, *hypers; } formals;
}

%token IMPORT "import" MODEL "model" DEF "def" OPTIMIZER "optimizer" CONST "const"
%token DIM "dim" INPUT "input" TARGET "target" OUTPUT "output" METRIC "metric" LOSS "loss"
%token TRAIN "train" GROUP "group" FREEZE "freeze" PARAM "param" STATE "state" USE "use"
%token SCAN "scan" IN "in" CHECKPOINT "checkpoint" IF "if" THEN "then" ELSE "else"
%token REQUIRE "require" GRAD "grad" REMAT "remat" AND "and" OR "or" NOT "not"
%token TOTAL "total" COUNT "count"
%token EQUALS "=" ASSIGN ":=" TILDE "~"
%token PIPE "|>" ARROW "->" ELLIPSIS "..."
%token EQ "==" NE "!=" LE "<=" GE ">=" LT "<" GT ">"
%token PLUS "+" MINUS "-" STAR "*" SLASH "/" IDIV "//" PERCENT "%" CARET "^"
%token BAR "|" COMMA "," COLON ":" SEMICOLON ";"
%token OPEN_PAREN "(" CLOSE_PAREN ")" OPEN_BRACKET "[" CLOSE_BRACKET "]"
%token OPEN_BRACE "{" CLOSE_BRACE "}"
%token END "end of statement"      /* a newline, or ';' outside parentheses */
%token <name> IDENT "name" STRING "string" TAG "tag" REDUCE "reduction"
%token <node> NUMBER "number"

%left PIPE
%precedence CONDITIONAL
%left OR
%left AND
%precedence NOT
%nonassoc EQ NE LT LE GT GE
%left PLUS MINUS
%left STAR SLASH IDIV PERCENT
%precedence NEGATION
%right CARET

%type <node> items item definition formal_list formal default results result_list result
%type <node> type type_opt type_arguments
%type <node> block statements statement equation left_sides left_side dims dim initial tags tag
%type <node> checkpoint else_part value_opt selectors selector
%type <node> expr postfix primary elements element subs subs_opt sub arguments argument_list argument
%type <node> failed
%type <formals> formals

%start file

%%

/* ---- file ---- */

file: items                          { parse->tree->root = $items; }
;
items:
  item                               { $$ = LIST(FILE, @$, $item); }
| items[list] END item               { $$ = node_append(parse, $list, $item); }
;
item:
  %empty                             { $$ = NULL; }
| "import" STRING[path]              { $$ = MAKE(IMPORT, @$, NULL, LEAF(STRING, @path, $path)); }
| "import" IDENT[library]            { $$ = MAKE(IMPORT, @$, NULL, LEAF(IDENT, @library, $library)); }
| "const" IDENT subs_opt "=" expr    { $$ = MAKE(CONST, @$, $IDENT, $subs_opt, $expr); }
| definition
| "optimizer" IDENT "(" formals ")" block
    { $$ = MAKE(OPTIMIZER_DEF, @$, $IDENT, $formals.tensors, $formals.hypers, $block); }
| "model" IDENT block                { $$ = MAKE(MODEL, @$, $IDENT, $block); }
| error                              { yyerrok; $$ = node_recover(parse, @$); }
| failed block                       { $$ = node_append(parse, $failed, $block); }
;
failed: error                        { yyerrok; $$ = node_recover(parse, @$); }
;

/* ---- definitions ---- */

definition:
  "def" IDENT "(" formals ")" "=" expr
    { $$ = MAKE(DEF, @$, $IDENT, $formals.tensors, $formals.hypers, NULL, $expr); }
| "def" IDENT "(" formals ")" "->" results "=" expr
    { $$ = MAKE(DEF, @$, $IDENT, $formals.tensors, $formals.hypers, $results, $expr); }
| "def" IDENT "(" formals ")" "->" results block
    { $$ = MAKE(DEF, @$, $IDENT, $formals.tensors, $formals.hypers, $results, $block); }
;
formals:
  %empty                             { $$.tensors = LEAF(LIST, @$, NULL), $$.hypers = LEAF(LIST, @$, NULL); }
| formal_list[t]                     { $$.tensors = $t, $$.hypers = LEAF(LIST, @$, NULL); }
| formal_list[t] ";" formal_list[h]  { $$.tensors = $t, $$.hypers = $h; }
| ";" formal_list[h]                 { $$.tensors = LEAF(LIST, @1, NULL), $$.hypers = $h; }
;
formal_list:
  formal                             { $$ = LIST(LIST, @$, $formal); }
| formal_list[list] "," formal       { $$ = node_append(parse, $list, $formal); }
;
formal: IDENT subs_opt type_opt default
    { $$ = MAKE(FORMAL, @$, $IDENT, $subs_opt, $type_opt, $default); }
;
default:
  %empty                             { $$ = NULL; }
| "=" expr                           { $$ = $expr; }
;
results:
  result                             { $$ = LIST(LIST, @$, $result); }
| "(" result_list ")"                { $$ = $result_list; }
;
result_list:
  result                             { $$ = LIST(LIST, @$, $result); }
| result_list[list] "," result       { $$ = node_append(parse, $list, $result); }
;
result: IDENT subs_opt type_opt      { $$ = MAKE(RESULT, @$, $IDENT, $subs_opt, $type_opt); }
;
type_opt:
  %empty                             { $$ = NULL; }
| ":" type                           { $$ = $type; }
;
type:
  "dim"                              { $$ = LEAF(TYPE, @$, name_of(parse->names, "dim")); }
| IDENT                              { $$ = LEAF(TYPE, @$, $IDENT); }
| IDENT "(" type_arguments ")"       { $$ = node_extend(parse, LEAF(TYPE, @$, $IDENT), $type_arguments); }
;
type_arguments:
  expr                               { $$ = LIST(LIST, @$, $expr); }
| type_arguments[list] "," expr      { $$ = node_append(parse, $list, $expr); }
;

/* ---- statements ---- */

block: "{" statements "}"            { $$ = node_cover($statements, @$); }
;
statements:
  statement                          { $$ = LIST(BLOCK, @$, $statement); }
| statements[list] END statement     { $$ = node_append(parse, $list, $statement); }
;
statement:
  %empty                             { $$ = NULL; }
| equation
| "dim" dims                         { $$ = node_cover($dims, @$); }
| "param" IDENT subs_opt type_opt initial tags
    { $$ = MAKE(PARAM, @$, $IDENT, $subs_opt, $type_opt, $initial, $tags); }
| "state" IDENT subs_opt type_opt initial tags
    { $$ = MAKE(STATE, @$, $IDENT, $subs_opt, $type_opt, $initial, $tags); }
| "use" IDENT "=" expr               { $$ = MAKE(USE, @$, $IDENT, $expr); }
| "scan" IDENT "in" expr checkpoint block
    { $$ = MAKE(SCAN, @$, $IDENT, $expr, $checkpoint, $block); }
| "if" expr block else_part          { $$ = MAKE(IF_STATEMENT, @$, NULL, $expr, $block, $else_part); }
| "require" expr ":" STRING[text]    { $$ = MAKE(REQUIRE, @$, NULL, $expr, LEAF(STRING, @text, $text)); }
| "grad" left_side "=" expr          { $$ = MAKE(GRAD, @$, NULL, $left_side, $expr); }
| "remat" block                      { $$ = MAKE(REMAT, @$, NULL, $block); }
| "input" IDENT subs_opt type_opt    { $$ = MAKE(INPUT, @$, $IDENT, $subs_opt, $type_opt); }
| "target" IDENT subs_opt type_opt   { $$ = MAKE(TARGET, @$, $IDENT, $subs_opt, $type_opt); }
| "output" IDENT subs_opt value_opt  { $$ = MAKE(OUTPUT, @$, $IDENT, $subs_opt, $value_opt); }
| "metric" IDENT "=" expr            { $$ = MAKE(METRIC, @$, $IDENT, $expr); }
| "loss" expr                        { $$ = MAKE(LOSS, @$, NULL, $expr); }
| "train" block                      { $$ = MAKE(TRAIN, @$, NULL, $block); }
| "train" IDENT block                { $$ = MAKE(TRAIN, @$, $IDENT, $block); }
| "optimizer" expr                   { $$ = MAKE(OPTIMIZER, @$, NULL, $expr); }
| "group" selectors block            { $$ = MAKE(GROUP, @$, NULL, $selectors, $block); }
| "freeze" selectors                 { $$ = MAKE(FREEZE, @$, NULL, $selectors); }
| error                              { yyerrok; $$ = node_recover(parse, @$); }
| failed block else_part             { $$ = node_append(parse, node_append(parse, $failed, $block), $else_part); }
;
equation:
  left_sides "=" expr                { $$ = MAKE(EQUATION, @$, NULL, $left_sides, $expr); }
| left_side ":=" expr                { $$ = MAKE(UPDATE, @$, NULL, $left_side, $expr); }
| left_side "~" expr                 { $$ = MAKE(DRAW, @$, NULL, $left_side, $expr); }
;
left_sides:
  left_side                          { $$ = LIST(LIST, @$, $left_side); }
| left_sides[list] "," left_side     { $$ = node_append(parse, $list, $left_side); }
;
left_side: IDENT subs_opt            { $$ = MAKE(LHS, @$, $IDENT, $subs_opt); }
;
dims:
  dim                                { $$ = LIST(DIMS, @$, $dim); }
| dims[list] "," dim                 { $$ = node_append(parse, $list, $dim); }
;
dim:
  IDENT "=" expr                     { $$ = MAKE(DIM_FIXED, @$, $IDENT, $expr); }
| IDENT "<=" expr                    { $$ = MAKE(DIM_BOUNDED, @$, $IDENT, $expr); }
;
initial:
  "=" expr                           { $$ = MAKE(INITIAL_VALUE, @$, NULL, $expr); }
| "~" expr                           { $$ = MAKE(INITIAL_DRAW, @$, NULL, $expr); }
;
tags:
  %empty                             { $$ = LEAF(LIST, @$, NULL); }
| tags[list] tag                     { $$ = node_append(parse, $list, $tag); }
;
tag: TAG                             { $$ = LEAF(TAG, @$, $TAG); }
;
checkpoint:
  %empty                             { $$ = NULL; }
| "checkpoint" expr                  { $$ = $expr; }
;
else_part:
  %empty                             { $$ = NULL; }
| "else" block                       { $$ = $block; }
| "else" "if"[start] expr block else_part[rest]
    { $$ = MAKE(IF_STATEMENT, span_join(@start, @rest), NULL, $expr, $block, $rest); }
;
value_opt:
  %empty                             { $$ = NULL; }
| "=" expr                           { $$ = $expr; }
;
selectors:
  selector                           { $$ = LIST(LIST, @$, $selector); }
| selectors[list] "," selector       { $$ = node_append(parse, $list, $selector); }
;
selector:
  tag
| STRING                             { $$ = LEAF(STRING, @$, $STRING); }
| IDENT                              { $$ = LEAF(IDENT, @$, $IDENT); }
;

/* ---- expressions ---- */

expr:
  expr[a] "|>" expr[b]               { $$ = MAKE(PIPE, @$, NULL, $a, $b); }
| "if" expr[c] "then" expr[a] "else" expr[b] %prec CONDITIONAL
    { $$ = MAKE(IF, @$, NULL, $c, $a, $b); }
| expr[a] "or" expr[b]               { $$ = MAKE(OR, @$, NULL, $a, $b); }
| expr[a] "and" expr[b]              { $$ = MAKE(AND, @$, NULL, $a, $b); }
| "not" expr[a]                      { $$ = MAKE(NOT, @$, NULL, $a); }
| expr[a] "==" expr[b]               { $$ = MAKE(EQ, @$, NULL, $a, $b); }
| expr[a] "!=" expr[b]               { $$ = MAKE(NE, @$, NULL, $a, $b); }
| expr[a] "<" expr[b]                { $$ = MAKE(LT, @$, NULL, $a, $b); }
| expr[a] "<=" expr[b]               { $$ = MAKE(LE, @$, NULL, $a, $b); }
| expr[a] ">" expr[b]                { $$ = MAKE(GT, @$, NULL, $a, $b); }
| expr[a] ">=" expr[b]               { $$ = MAKE(GE, @$, NULL, $a, $b); }
| expr[a] "+" expr[b]                { $$ = MAKE(ADD, @$, NULL, $a, $b); }
| expr[a] "-" expr[b]                { $$ = MAKE(SUB, @$, NULL, $a, $b); }
| expr[a] "*" expr[b]                { $$ = MAKE(MUL, @$, NULL, $a, $b); }
| expr[a] "/" expr[b]                { $$ = MAKE(DIV, @$, NULL, $a, $b); }
| expr[a] "//" expr[b]               { $$ = MAKE(IDIV, @$, NULL, $a, $b); }
| expr[a] "%" expr[b]                { $$ = MAKE(MOD, @$, NULL, $a, $b); }
| "-" expr[a] %prec NEGATION         { $$ = MAKE(NEGATE, @$, NULL, $a); }
| expr[a] "^" expr[b]                { $$ = MAKE(POW, @$, NULL, $a, $b); }
| postfix
;
postfix:
  primary
| postfix[a] "[" subs "]"            { $$ = MAKE(READ, @$, NULL, $a, $subs, NULL); }
| postfix[a] "[" subs "|" expr "]"   { $$ = MAKE(READ, @$, NULL, $a, $subs, $expr); }
| postfix[a] "(" arguments ")"       { $$ = node_extend(parse, MAKE(CALL, @$, NULL, $a), $arguments); }
;
primary:
  IDENT                              { $$ = LEAF(IDENT, @$, $IDENT); }
| NUMBER
| STRING                             { $$ = LEAF(STRING, @$, $STRING); }
| "(" expr ")"                       { $$ = $expr; }
| "(" element[first] "," elements ")"
    { $$ = node_extend(parse, MAKE(TUPLE, @$, NULL, $first), $elements); }
| REDUCE "[" subs "]" "(" expr ")"   { $$ = MAKE(REDUCE, @$, $REDUCE, $subs, NULL, $expr); }
| REDUCE "[" subs "if" expr[c] "]" "(" expr[a] ")"
    { $$ = MAKE(REDUCE, @$, $REDUCE, $subs, $c, $a); }
| "total" "(" expr ")"               { $$ = MAKE(TOTAL, @$, NULL, NULL, $expr); }
| "total" "[" selectors "]" "(" expr ")"
    { $$ = MAKE(TOTAL, @$, NULL, $selectors, $expr); }
| "count" "[" subs "]"               { $$ = MAKE(COUNT, @$, NULL, $subs); }
;
elements:
  element                            { $$ = LIST(LIST, @$, $element); }
| elements[list] "," element         { $$ = node_append(parse, $list, $element); }
;
element:
  expr
| IDENT "in" expr                    { $$ = MAKE(IN, @$, $IDENT, $expr); }
;
subs_opt:
  %empty                             { $$ = NULL; }
| "[" subs "]"                       { $$ = $subs; }
;
subs:
  sub                                { $$ = LIST(SUBS, @$, $sub); }
| subs[list] "," sub                 { $$ = node_append(parse, $list, $sub); }
;
sub:
  element
| "..."                              { $$ = LEAF(PACK, @$, NULL); }
| "..." IDENT                        { $$ = LEAF(PACK, @$, $IDENT); }
;
arguments:
  %empty                             { $$ = LEAF(LIST, @$, NULL); }
| argument_list
;
argument_list:
  argument                           { $$ = LIST(LIST, @$, $argument); }
| argument_list[list] "," argument   { $$ = node_append(parse, $list, $argument); }
;
argument:
  expr
| IDENT "=" expr                     { $$ = MAKE(ARG, @$, $IDENT, $expr); }
;

%%

static int yyreport_syntax_error(const yypcontext_t *context, Parse *parse) {
  yysymbol_kind_t kinds[YYNTOKENS];
  const char *expected[YYNTOKENS];
  int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
  for (int i = 0; i < count; i++) expected[i] = yysymbol_name(kinds[i]);
  parse_report(parse, *yypcontext_location(context), yysymbol_name(yypcontext_token(context)),
               expected, count);
  return 0;
}

/* The only error that Bison reports by itself: its stack is full. */
static void syntax_error(const Span *span, Parse *parse, const char *text) {
  (void)text;
  parse_report_depth(parse, *span);
}
