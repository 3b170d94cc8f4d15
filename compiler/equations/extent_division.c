/* Division of extents: multiples of the divisor are pulled out, common factors cancelled, and what is
   left becomes an opaque atom unless its bounds decide the quotient. */
#include "equations/extent_table.h"

/* Divides the monomial `a` by `b` when b's atoms are among a's. */
static bool divide_monomials(ExtentTable *table, const ExtentTerm *a, const ExtentTerm *b,
                             ExtentTerm *quotient) {
  int count = a->atom_count - b->atom_count, left = 0, matched = 0;
  if (count < 0) return false;
  const ExtentAtom **atoms = NEW_ARRAY(table->arena, const ExtentAtom *, count + 1);
  for (int i = 0; i < a->atom_count; i++) {
    if (matched < b->atom_count && a->atoms[i] == b->atoms[matched]) {
      matched++;
    } else if (left < count) {
      atoms[left++] = a->atoms[i];
    } else {
      return false;
    }
  }
  *quotient = (ExtentTerm){1, count, atoms};
  return matched == b->atom_count;
}

/* One step: a multiple of b that takes the first possible term of `rest` away, or shrinks it. */
static const Extent *find_multiple(ExtentTable *table, const Extent *rest, const Extent *b) {
  const ExtentTerm *leading = &b->terms[0];
  for (int i = 0; i < rest->count; i++) {
    int64_t multiple = floor_divide(rest->terms[i].coefficient, leading->coefficient);
    ExtentTerm quotient;
    if (multiple != 0 && divide_monomials(table, &rest->terms[i], leading, &quotient)) {
      Terms terms = {0};
      terms_add(table, &terms, multiple, &quotient);
      return terms_collect(table, &terms);
    }
  }
  return NULL;
}

const Extent *extent_divide(ExtentTable *table, const Extent *a, const Extent *b,
                            const Extent **remainder) {
  const Extent *quotient = extent_constant(table, 0), *rest = a, *multiple;
  if (a->poisoned || b->poisoned) return *remainder = table->poison;
  while (!rest->poisoned && (multiple = find_multiple(table, rest, b)) != NULL) {
    quotient = extent_add(table, quotient, multiple);
    rest = extent_subtract(table, rest, extent_multiply(table, multiple, b));
  }
  *remainder = rest;
  return rest->poisoned ? rest : quotient;
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b != 0) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

int64_t extent_content(const Extent *extent, bool with_constant, int64_t content) {
  for (int i = 0; i < extent->count; i++) {
    if (extent->terms[i].atom_count > 0 || with_constant) {
      content = common_divisor(content, extent->terms[i].coefficient);
    }
  }
  return content;
}

/* (g*R + k)//(g*b) = (R + k//g)//b, for the greatest common g of b and the terms of R. */
static void cancel_content(ExtentTable *table, const Extent **a, const Extent **b) {
  int64_t content = extent_content(*a, false, extent_content(*b, true, 0));
  if (content <= 1) return;
  const Extent *divisor = extent_constant(table, content), *rest;
  *a = extent_divide(table, *a, divisor, &rest);
  *b = extent_divide(table, *b, divisor, &rest);
}

static bool every_term_has(const Extent *extent, const ExtentAtom *atom) {
  for (int i = 0; i < extent->count; i++) {
    bool found = false;
    for (int k = 0; k < extent->terms[i].atom_count; k++) {
      found = found || extent->terms[i].atoms[k] == atom;
    }
    if (!found) return false;
  }
  return true;
}

/* (N*R)//(N*b) = R//b for a dim N, which is at least 1. */
static void cancel_dims(ExtentTable *table, const Extent **a, const Extent **b) {
  for (int i = 0; i < (*b)->terms[0].atom_count;) {
    const ExtentAtom *atom = (*b)->terms[0].atoms[i];
    if (atom->dim && every_term_has(*b, atom) && every_term_has(*a, atom)) {
      const Extent *divisor = extent_of_atom(table, atom), *rest;
      *a = extent_divide(table, *a, divisor, &rest);
      *b = extent_divide(table, *b, divisor, &rest);
    } else {
      i++;
    }
  }
}

/* (n//d + k)//b = (n + k*d)//(d*b) for constants b, d > 0. */
static void flatten(ExtentTable *table, const Extent **a, const Extent **b) {
  int64_t inner, outer, product, shift = 0;
  if ((*a)->count < 1 || (*a)->count > 2 || !extent_is_constant(*b, &outer)) return;
  const ExtentTerm *term = &(*a)->terms[0];
  if (term->coefficient != 1 || term->atom_count != 1 || term->atoms[0]->dim) return;
  const ExtentAtom *atom = term->atoms[0];
  if (!extent_is_constant(atom->denominator, &inner)) return;
  if ((*a)->count == 2) {
    if ((*a)->terms[1].atom_count > 0) return;
    if (!checked_multiply((*a)->terms[1].coefficient, inner, &shift)) return;
  }
  if (!checked_multiply(inner, outer, &product)) return;
  *a = extent_add(table, atom->numerator, extent_constant(table, shift));
  *b = extent_constant(table, product);
}

static const Extent *quotient_atom(ExtentTable *table, const Extent *a, const Extent *b) {
  Extent *numerator = (Extent *)a; /* interned by this table: the list of its quotients may grow */
  for (Atom *atom = numerator->quotients; atom; atom = atom->next) {
    if (atom->public.denominator == b) return extent_of_atom(table, &atom->public);
  }
  Atom *atom = NEW(table->arena, Atom);
  atom->public = (ExtentAtom){.numerator = a, .denominator = b};
  atom->id = table->atom_count++;
  atom->nesting = 1 + (a->nesting > b->nesting ? a->nesting : b->nesting);
  if (atom->nesting > MOST_NESTING) return table->poison;
  atom->interval = interval_floor_divide(a->interval, b->interval);
  atom->next = numerator->quotients;
  numerator->quotients = atom;
  return extent_of_atom(table, &atom->public);
}

/* Finds k with k*b <= rest < (k+1)*b by the bounds, k one of -1, 0 or what a constant b gives. */
static bool decide_quotient(ExtentTable *table, const Extent *rest, const Extent *b, int64_t *k) {
  if (extent_is_constant(b, NULL)) {
    Interval interval = interval_floor_divide(rest->interval, b->interval);
    *k = interval.least;
    return interval.least == interval.greatest;
  }
  for (*k = 0; *k >= -1; (*k)--) {
    const Extent *over = extent_subtract(table, rest, extent_scale(table, b, *k));
    const Extent *under = extent_subtract(table, b, over);
    if (over->interval.least >= 0 && under->interval.least >= 1) return true;
  }
  return false;
}

const Extent *extent_floor_divide(ExtentTable *table, const Extent *a, const Extent *b) {
  if (a->poisoned || b->poisoned) return table->poison;
  if (b->interval.least <= 0 && b->interval.greatest >= 0) return NULL;
  if (b->interval.least < 0) {
    a = extent_scale(table, a, -1);
    b = extent_scale(table, b, -1);
  }
  const Extent *quotient = extent_constant(table, 0), *rest = a, *before;
  do {
    before = b;
    quotient = extent_add(table, quotient, extent_divide(table, rest, b, &rest));
    if (rest->poisoned || b->poisoned) return table->poison;
    cancel_content(table, &rest, &b);
    cancel_dims(table, &rest, &b);
    flatten(table, &rest, &b);
  } while (b != before);
  int64_t decided;
  if (decide_quotient(table, rest, b, &decided)) {
    return extent_add(table, quotient, extent_constant(table, decided));
  }
  return extent_add(table, quotient, quotient_atom(table, rest, b));
}

const Extent *extent_modulo(ExtentTable *table, const Extent *a, const Extent *b) {
  const Extent *quotient = extent_floor_divide(table, a, b);
  if (!quotient) return NULL;
  return extent_subtract(table, a, extent_multiply(table, b, quotient));
}
