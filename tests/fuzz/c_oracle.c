/* The scanner of generated C that trusts nothing. */
#include "c_oracle.h"

#include <stdbool.h>
#include <string.h>

static const char *const keywords[] = {
#define RESERVED(name) #name,
#include "emit/reserved.def"
#undef RESERVED
};

/* The reserved words and names of the implementation that generated C has a use for. */
static const char *const needed[] = {"char",
                                     "const",
                                     "do",
                                     "double",
                                     "else",
                                     "extern",
                                     "float",
                                     "for",
                                     "if",
                                     "int",
                                     "long",
                                     "restrict",
                                     "return",
                                     "size_t",
                                     "sizeof",
                                     "static",
                                     "struct",
                                     "switch",
                                     "case",
                                     "default",
                                     "break",
                                     "continue",
                                     "typedef",
                                     "union",
                                     "unsigned",
                                     "void",
                                     "while",
                                     "inline",
                                     "int8_t",
                                     "int16_t",
                                     "int32_t",
                                     "int64_t",
                                     "uint8_t",
                                     "uint16_t",
                                     "uint32_t",
                                     "uint64_t",
                                     "NULL",
                                     "INFINITY",
                                     "NAN",
                                     "bool",
                                     "true",
                                     "false",
                                     "enum",
                                     "offsetof",
                                     "__cplusplus",
                                     "__attribute__",
                                     "__builtin_nanf",
                                     "__builtin_nan",
                                     "__builtin_inff",
                                     "__builtin_inf",
                                     "__builtin_expect",
                                     "__FAST_MATH__",
                                     "__GNUC__",
                                     "__clang__",
                                     "_Static_assert",
                                     "_Pragma",
                                     "_Alignas",
                                     "signed",
                                     "goto"};

static bool is_among(const char *const *words, size_t count, const char *text, size_t size) {
  for (size_t i = 0; i < count; i++)
    if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0) return true;
  return false;
}

#define IS_AMONG(words, text, size) is_among(words, sizeof words / sizeof *words, text, size)

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static const char *identifier_fault(const char *text, size_t size) {
  if (IS_AMONG(needed, text, size)) return NULL;
  if (IS_AMONG(keywords, text, size)) return "a reserved word that generated C has no use for";
  bool is_reserved =
      text[0] == '_' && size > 1 && (text[1] == '_' || (text[1] >= 'A' && text[1] <= 'Z'));
  return is_reserved ? "a name of the C implementation" : NULL;
}

/* The size of a comment, 0 when it never ends; `*fault` is set by what may not stand in one. */
static size_t comment_size(const char *text, size_t rest, const char **fault) {
  for (size_t i = 2; i + 1 < rest; i++) {
    if (text[i] == '*' && text[i + 1] == '/') return i + 2;
    if (text[i] == '/' && text[i + 1] == '*') *fault = "a comment in a comment";
  }
  return 0;
}

static size_t string_size(const char *text, size_t rest) {
  for (size_t i = 1; i < rest && text[i] != '\n'; i++) {
    if (text[i] == text[0]) return i + 1;
    if (text[i] == '\\') i++;
  }
  return 0;
}

static size_t word_size(const char *text, size_t rest) {
  size_t size = 0;
  while (size < rest && (is_letter(text[size]) || is_digit(text[size]))) size++;
  return size;
}

/* The size of the token at `text`, 0 after a fault. */
static size_t token_size(const char *text, size_t rest, const char **fault) {
  size_t size = 1;
  if (rest > 1 && text[0] == '/' && text[1] == '*') {
    size = comment_size(text, rest, fault);
  } else if (text[0] == '"' || text[0] == '\'') {
    size = string_size(text, rest);
  } else if (is_letter(text[0])) {
    size = word_size(text, rest);
    *fault = identifier_fault(text, size);
  } else if (is_digit(text[0])) {
    size = word_size(text, rest);
  } else if (rest > 1 && text[0] == '\\' && text[1] == '\n') { /* a macro of the runtime */
  } else if (text[0] != '\n' && (text[0] < ' ' || text[0] > '~' || strchr("@$`\\", text[0]))) {
    *fault = "a character that C gives no meaning";
  }
  if (size == 0) *fault = "a comment or string that does not end";
  return *fault ? 0 : size;
}

const char *find_c_fault(const char *text, size_t size, size_t *where) {
  const char *fault = NULL;
  for (*where = 0; *where < size && !fault;) {
    const char *at = text + *where;
    size_t rest = size - *where;
    if (rest > 1 && at[0] == '/' && at[1] == '/') return "a comment to the end of the line";
    size_t token = token_size(at, rest, &fault);
    for (size_t i = 0; i + 1 < token && !fault; i++) {
      if (at[i] == '\\' && at[i + 1] == '\n') fault = "two lines spliced";
      if (at[i] == '?' && at[i + 1] == '?') fault = "a trigraph";
    }
    *where += token;
  }
  return fault;
}
