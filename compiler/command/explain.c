/* The section "## NN0207: title" of the built-in docs/errors.md, up to the next one. */
#include "command/explain.h"

#include "support/library.h"

#include <stdio.h>
#include <string.h>

bool explain_print(const char *code) {
  const char *page = explanation_files[0].text;
  char heading[32];
  snprintf(heading, sizeof heading, "\n## %.10s:", code);
  const char *section = strstr(page, heading);
  if (!section || strlen(code) != 6) {
    fprintf(stderr, "nnc: no diagnostic is called '%s'\n", code);
    return false;
  }
  section++;
  const char *end = strstr(section, "\n## ");
  size_t size = end ? (size_t)(end - section) : strlen(section);
  fwrite(section + 3, 1, size - 3, stdout);
  putchar('\n');
  return true;
}
