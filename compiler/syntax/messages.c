/* Syntax errors in words: what was expected, what was found, and what people usually meant. */
#include "syntax/parse.h"

#include <string.h>

enum { ALTERNATIVES = 4, TEXT_SHOWN = 40 };

typedef struct Failure {
  Parse *parse;
  Span span;
  const char *found; /* name of the token, as in nn.y */
  const char *const *expected;
  int count;
} Failure;

static bool is_among(const char *word, const char *const *words, int count) {
  for (int i = 0; i < count; i++) {
    if (strcmp(word, words[i]) == 0) return true;
  }
  return false;
}

static bool is_expected(const Failure *failure, const char *name) {
  return is_among(name, failure->expected, failure->count);
}

/* ---- what was expected ---- */

/* Tokens that are told by one phrase: when `sign` is expected all `members` are. */
typedef struct Group {
  const char *sign, *phrase; /* no phrase: the members are not mentioned */
  const char *const *members;
  int count;
} Group;

#define MEMBERS(...)                                                                               \
  (const char *const[]){__VA_ARGS__},                                                              \
      (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
static const Group groups[] = {
    {"param", "a statement",
     MEMBERS("name", "dim", "param", "state", "use", "scan", "if", "require", "grad", "remat",
             "input", "target", "output", "metric", "loss", "train", "optimizer", "group", "freeze",
             "end of statement")},
    {"model", "a definition or a model",
     MEMBERS("import", "const", "def", "optimizer", "model", "end of statement", "end of file")},
    {"number", "an expression",
     MEMBERS("name", "number", "string", "reduction", "total", "count", "if", "not", "-", "(")},
    {"*", NULL,
     MEMBERS("|>", "or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%",
             "^", "(", "[")},
    {"^", NULL, MEMBERS("^", "(", "[")},
    {"end of statement", "the end of the line", MEMBERS("end of statement", "}", "end of file")},
};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

static const char *expected_phrase(const Failure *failure, const char *name) {
  static const char *const classes[] = {"name", "number", "string", "tag", "reduction"};
  if (is_among(name, classes, 5)) return arena_format(failure->parse->arena, "a %s", name);
  if (strcmp(name, "end of file") == 0) return "the end of the file";
  return arena_format(failure->parse->arena, "'%s'", name);
}

static bool is_told(const char *name, const Group *const *used, int count) {
  for (int i = 0; i < count; i++) {
    if (is_among(name, used[i]->members, used[i]->count)) return true;
  }
  return false;
}

/* Fills at most ALTERNATIVES phrases, groups first; returns their number. */
static int collect_phrases(const Failure *failure, const char **phrases) {
  const Group *used[GROUP_COUNT];
  int used_count = 0, count = 0;
  for (int i = 0; i < GROUP_COUNT; i++) {
    const char *sign = groups[i].sign;
    if (!is_expected(failure, sign) || is_told(sign, used, used_count)) continue;
    used[used_count++] = &groups[i];
    if (groups[i].phrase && count < ALTERNATIVES) phrases[count++] = groups[i].phrase;
  }
  for (int i = 0; i < failure->count && count < ALTERNATIVES; i++) {
    const char *name = failure->expected[i];
    if (!is_told(name, used, used_count)) phrases[count++] = expected_phrase(failure, name);
  }
  return count;
}

static const char *describe_expected(const Failure *failure) {
  const char *phrases[ALTERNATIVES];
  int count = collect_phrases(failure, phrases);
  Text text;
  text_init(&text, failure->parse->arena);
  for (int i = 0; i < count; i++) {
    text_add(&text, "%s%s", i == 0 ? "" : i == count - 1 ? " or " : ", ", phrases[i]);
  }
  return count > 0 ? text.bytes : "an operator";
}

/* ---- what was found ---- */

static const char *text_at(const Failure *failure, Span span) {
  const SourceFile *file = failure->parse->file;
  if (span.begin < file->base || span.end <= span.begin) return "";
  size_t length = span.end - span.begin;
  char *text = arena_alloc(failure->parse->arena, 1, length + 1);
  memcpy(text, file->text + (span.begin - file->base), length);
  return text;
}

static const char *describe_found(const Failure *failure) {
  Arena *arena = failure->parse->arena;
  const char *text = text_at(failure, failure->span);
  if (strcmp(failure->found, "end of file") == 0) return "the end of the file";
  if (!*text) return "the end of the line";
  const char *rest = strlen(text) > TEXT_SHOWN ? "..." : "";
  if (*text == '"') return arena_format(arena, "the string %.*s%s", TEXT_SHOWN, text, rest);
  static const char *const classes[] = {"name", "number", "tag"};
  bool is_class = is_among(failure->found, classes, 3);
  return arena_format(arena, "%s%s'%.*s%s'", is_class ? failure->found : "", is_class ? " " : "",
                      TEXT_SHOWN, text, rest);
}

/* ---- what was meant ---- */

static bool is_word(const char *text) {
  return (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '_';
}

/* The first row whose texts and expected token all agree decides; null agrees with anything. The text
   found may go on past the token. */
static const struct {
  const char *previous, *found, *expected, *help;
} mistakes[] = {
    {"*", "*", NULL, "a power is written '^': x^2"},
    {NULL, "+", ":=", "write x = x + y for an equation, x := x + y for a state or parameter"},
    {NULL, "-", ":=", "write x = x - y for an equation, x := x - y for a state or parameter"},
    {NULL, "*", ":=", "write x = x*y for an equation, x := x*y for a state or parameter"},
    {NULL, "/", ":=", "write x = x/y for an equation, x := x/y for a state or parameter"},
    {NULL, "=>", NULL, "'greater or equal' is written '>='; results follow '->'"},
    {NULL, "=<", NULL, "'less or equal' is written '<='"},
    {"<", ">", NULL, "'unequal' is written '!='"},
    {NULL, "|", "|>", "write 'or'; a default stands inside the brackets: x[i | 0]"},
    {NULL, "=", "==", "'=' defines; equality is tested with '=='"},
    {NULL, ":=", "=", "':=' updates a state or a parameter; here write '='"},
    {NULL, "==", "=", "'==' tests equality; here write '='"},
    {NULL, "if", "*", "a choice is written: if c then a else b"},
    {NULL, ":", "]", "a part is an equation with a range: y[i in 2] = x[i]"},
    {NULL, "elif", "else", "write 'else if'"},
    {NULL, "elsif", "else", "write 'else if'"},
    {"return", NULL, NULL, "a result is an equation for its name: y[i] = ..."},
    {"let", NULL, NULL, "an equation needs no word before it: y[i] = ..."},
    {"var", NULL, NULL, "an equation needs no word before it: y[i] = ..."},
    {"for", NULL, NULL,
     "an index on the left stands for all its values; 'scan' is for recurrences"},
    {"while", NULL, NULL,
     "an index on the left stands for all its values; 'scan' is for recurrences"},
    {NULL, "fn", "def", "a definition begins with 'def'"},
    {NULL, "func", "def", "a definition begins with 'def'"},
    {NULL, "function", "def", "a definition begins with 'def'"},
    {NULL, "layer", "def", "a definition begins with 'def'"},
    {NULL, "network", "def", "a model begins with 'model'"},
    {NULL, NULL, "def", "equations and statements stand inside a model or a definition"},
    {NULL, "def", "param", "definitions stand at the top of the file, outside of every block"},
    {NULL, "model", "param", "models stand at the top of the file, outside of every block"},
    {NULL, "import", "param", "imports stand at the top of the file, outside of every block"},
    {NULL, "const", "param", "constants stand at the top of the file, outside of every block"},
    {NULL, "in", ")", "a range is written in the brackets of a reduction: sum[i in N](...)"},
    {NULL, "]", "(", "what is reduced follows in parentheses: sum[i](x[i])"},
};
enum { MISTAKE_COUNT = sizeof mistakes / sizeof mistakes[0] };

static bool agrees(const char *pattern, const char *text) {
  return !pattern || strcmp(pattern, text) == 0;
}

/* Whether the source at the error begins with `pattern`, which is not a word. */
static bool agrees_with_source(const Failure *failure, const char *pattern, const char *found) {
  if (agrees(pattern, found)) return true;
  const SourceFile *file = failure->parse->file;
  size_t length = strlen(pattern);
  return length > strlen(found) && !is_word(pattern) &&
         strncmp(file->text + (failure->span.begin - file->base), pattern, length) == 0;
}

static const char *find_mistake(const Failure *failure, const char *previous, const char *found) {
  for (int i = 0; i < MISTAKE_COUNT; i++) {
    if (agrees(mistakes[i].previous, previous) &&
        agrees_with_source(failure, mistakes[i].found, found) &&
        (!mistakes[i].expected || is_expected(failure, mistakes[i].expected))) {
      return mistakes[i].help;
    }
  }
  return NULL;
}

static bool is_reduction(const char *text) {
  static const char *const words[] = {"sum",    "prod",   "max", "min", "mean",
                                      "argmax", "argmin", "lse", "any", "all"};
  return is_among(text, words, 10);
}

static bool is_comparison(const char *text) {
  static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
  return is_among(text, signs, 6);
}

/* An operator at the begin of a statement, whose line before has ended. */
static bool is_stray_operator(const Failure *failure, const char *found) {
  static const char *const signs[] = {"+", "-", "*", "/", "//", "%", "^", "and", "or"};
  bool begins = is_expected(failure, "param") || is_expected(failure, "model");
  return begins && (is_among(found, signs, 9) || is_comparison(found));
}

/* The keyword that stands where only a name can, as the token found or as the one before it. */
static const char *find_reserved(const Failure *failure, const char *previous, const char *found) {
  if (!is_expected(failure, "name") || is_expected(failure, "param")) return NULL;
  if (is_word(found) && strcmp(failure->found, found) == 0) return found;
  bool is_defined = strcmp(found, "=") == 0 || strcmp(found, "[") == 0 || strcmp(found, ":=") == 0;
  return is_defined && is_word(previous) ? previous : NULL;
}

static const char *find_remedy(const Failure *failure) {
  Arena *arena = failure->parse->arena;
  const char *previous = text_at(failure, failure->parse->previous);
  const char *found = text_at(failure, failure->span);
  const char *reserved = find_reserved(failure, previous, found);
  if (reserved) {
    return arena_format(arena, "'%s' is a word of the language and cannot be a name", reserved);
  }
  if (is_stray_operator(failure, found)) {
    return arena_format(arena, "a line goes on after an operator: end the one before with '%s'",
                        found);
  }
  const char *help = find_mistake(failure, previous, found);
  if (help) return help;
  if (is_reduction(previous) && is_word(found)) {
    return arena_format(arena, "a reduction names its indices in brackets: %s[i](x[i])", previous);
  }
  if (failure->count == 1 && is_expected(failure, "(") && strcmp(previous, "]") == 0) {
    return "what is reduced follows in parentheses: sum[i](x[i])";
  }
  if (is_comparison(found) && is_expected(failure, "and")) {
    return "comparisons do not chain: write a < b and b < c";
  }
  bool ends_here = is_expected(failure, "end of statement") && !is_expected(failure, "param");
  if (ends_here && (is_word(found) || failure->found[0] == 'n')) {
    return "two statements on one line are separated by ';'";
  }
  return NULL;
}

void parse_report(Parse *parse, Span span, const char *found, const char *const *expected,
                  int count) {
  Failure failure = {parse, span, found, expected, count};
  parse->recovering = true;
  Diagnostic *d = diagnose(parse->diagnostics, NN0101, span, "expected %s, found %s",
                           describe_expected(&failure), describe_found(&failure));
  if (parse->continued.end > 0 && span.end > span.begin) {
    diagnostic_note(d, parse->continued, "the line that ends with '%s' goes on in the next",
                    text_at(&failure, parse->continued));
    return;
  }
  const char *help = find_remedy(&failure);
  if (help) diagnostic_help(d, "%s", help);
}
