/* The section "## NN0207: title" of the built-in docs/errors.md, up to the next one, for a terminal: code
   blocks are indented, and the comments that say how they are tested left out. */
#include "command/explain.h"

#include "support/library.h"

#include <stdio.h>
#include <string.h>

static void print_section(const char *text, const char *end) {
  bool in_code = false;
  while (text < end) {
    size_t size = strcspn(text, "\n");
    bool is_fence = strncmp(text, "```", 3) == 0;
    bool is_shown = !is_fence && (in_code || strncmp(text, "<!--", 4) != 0);
    if (is_fence) in_code = !in_code;
    if (is_shown) printf("%s%.*s\n", in_code && size > 0 ? "    " : "", (int)size, text);
    text += size + 1;
  }
}

bool explain_print(const char *code) {
  const char *page = explanation_files[0].text;
  char heading[32];
  snprintf(heading, sizeof heading, "\n## %.10s:", code);
  const char *section = strstr(page, heading);
  if (!section || strlen(code) != 6) {
    fprintf(stderr, "nnc: no diagnostic is called '%s'\n", code);
    return false;
  }
  section += strlen("\n## ");
  const char *next = strstr(section, "\n## ");
  print_section(section, next ? next : section + strlen(section));
  return true;
}
