/* The printer of extents: a term with a plus sign first, so that "1 - T" rather than "-T + 1". */
#include "equations/extent_table.h"

#include <inttypes.h>

static void print_operand(const Extent *extent, Text *text) {
  bool bare = extent_is_atom(extent);
  if (!bare) text_add(text, "(");
  extent_print(extent, text);
  if (!bare) text_add(text, ")");
}

static void print_atom(const ExtentAtom *atom, bool alone, Text *text) {
  if (atom->dim) {
    text_add(text, "%s", atom->dim->name);
    return;
  }
  if (!alone) text_add(text, "(");
  print_operand(atom->numerator, text);
  text_add(text, "//");
  print_operand(atom->denominator, text);
  if (!alone) text_add(text, ")");
}

/* The term without its sign. */
static void print_term(const ExtentTerm *term, Text *text) {
  uint64_t size =
      term->coefficient < 0 ? -(uint64_t)term->coefficient : (uint64_t)term->coefficient;
  bool one = size == 1 && term->atom_count > 0;
  if (!one) text_add(text, "%" PRIu64, size);
  for (int i = 0; i < term->atom_count; i++) {
    if (i > 0 || !one) text_add(text, "*");
    print_atom(term->atoms[i], one && term->atom_count == 1, text);
  }
}

void extent_print(const Extent *extent, Text *text) {
  if (extent->poisoned) text_add(text, "?");
  if (!extent->poisoned && extent->count == 0) text_add(text, "0");
  int first = 0;
  while (first < extent->count && extent->terms[first].coefficient < 0) first++;
  if (first == extent->count) first = 0;
  for (int position = 0; position < extent->count; position++) {
    int i = position == 0 ? first : position - (position <= first);
    bool negative = extent->terms[i].coefficient < 0;
    if (position > 0) text_add(text, negative ? " - " : " + ");
    if (position == 0 && negative) text_add(text, "-");
    print_term(&extent->terms[i], text);
  }
}

bool extent_is_atom(const Extent *extent) {
  if (extent->poisoned || extent->count == 0) return true;
  const ExtentTerm *term = &extent->terms[0];
  if (extent->count > 1 || term->coefficient < 0) return false;
  return term->atom_count == 0 ||
         (term->atom_count == 1 && term->coefficient == 1 && term->atoms[0]->dim);
}
