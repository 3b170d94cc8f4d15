/* Bounds of extents over all run-time sizes. A polynomial that is linear in each of its atoms has its
   extremes at corners of their ranges; others are bounded term by term, after what all terms have in
   common is taken out. A floor division q = n//d is also bounded as (n - r)/d with 0 <= r < d, which
   knows that it moves with n. The narrowest result counts. */
#include "equations/extent_table.h"

enum { MOST_CORNER_ATOMS = 6, MOST_REFINEMENTS = 3 };

static bool is_infinite(int64_t bound) {
  return bound >= EXTENT_BOUND || bound <= -EXTENT_BOUND;
}

static int64_t clamp(int64_t value) {
  if (value > EXTENT_BOUND) return EXTENT_BOUND;
  return value < -EXTENT_BOUND ? -EXTENT_BOUND : value;
}

/* Infinity absorbs: the sum of an unbounded side with anything is unbounded. */
Interval interval_add(Interval a, Interval b) {
  bool down = a.least <= -EXTENT_BOUND || b.least <= -EXTENT_BOUND;
  bool up = a.greatest >= EXTENT_BOUND || b.greatest >= EXTENT_BOUND;
  return (Interval){down ? -EXTENT_BOUND : clamp(a.least + b.least),
                    up ? EXTENT_BOUND : clamp(a.greatest + b.greatest)};
}

static int64_t clamped_product(int64_t a, int64_t b) {
  int64_t product;
  if (checked_multiply(a, b, &product)) return clamp(product);
  return (a < 0) == (b < 0) ? EXTENT_BOUND : -EXTENT_BOUND;
}

Interval interval_multiply(Interval a, Interval b) {
  int64_t ends[4] = {clamped_product(a.least, b.least), clamped_product(a.least, b.greatest),
                     clamped_product(a.greatest, b.least), clamped_product(a.greatest, b.greatest)};
  Interval result = {ends[0], ends[0]};
  for (int i = 1; i < 4; i++) {
    if (ends[i] < result.least) result.least = ends[i];
    if (ends[i] > result.greatest) result.greatest = ends[i];
  }
  return result;
}

Interval interval_floor_divide(Interval a, Interval b) {
  Interval result = {EXTENT_BOUND, -EXTENT_BOUND};
  int64_t tops[2] = {a.least, a.greatest}, bottoms[2] = {b.least, b.greatest};
  for (int i = 0; i < 2; i++) {
    for (int k = 0; k < 2; k++) {
      int64_t quotient = floor_divide(tops[i], bottoms[k]);
      if (is_infinite(tops[i])) quotient = clamped_product(tops[i], bottoms[k]);
      if (quotient < result.least) result.least = quotient;
      if (quotient > result.greatest) result.greatest = quotient;
    }
  }
  return result;
}

static Interval intersect(Interval a, Interval b) {
  return (Interval){a.least > b.least ? a.least : b.least,
                    a.greatest < b.greatest ? a.greatest : b.greatest};
}

/* Sum of the bounds of the terms, each without the atoms of `common`, which it has. */
static Interval bound_terms(const Extent *extent, const ExtentTerm *common) {
  Interval sum = {0, 0};
  for (int i = 0; i < extent->count; i++) {
    const ExtentTerm *term = &extent->terms[i];
    Interval product = {clamp(term->coefficient), clamp(term->coefficient)};
    int skipped = 0;
    for (int k = 0; k < term->atom_count; k++) {
      if (common && skipped < common->atom_count && term->atoms[k] == common->atoms[skipped]) {
        skipped++;
      } else {
        product = interval_multiply(product, atom_of(term->atoms[k])->interval);
      }
    }
    sum = interval_add(sum, product);
  }
  return sum;
}

static bool term_has(const ExtentTerm *term, const ExtentAtom *atom) {
  for (int i = 0; i < term->atom_count; i++) {
    if (term->atoms[i] == atom) return true;
  }
  return false;
}

/* Takes out the atoms that every term has (each once): N*M - N is N*(M - 1). */
static Interval bound_factored(const Extent *extent) {
  const ExtentAtom *atoms[MOST_FACTORS];
  ExtentTerm common = {1, 0, atoms};
  const ExtentTerm *last = &extent->terms[extent->count - 1];
  for (int k = 0; k < last->atom_count; k++) {
    bool everywhere = k == 0 || last->atoms[k] != last->atoms[k - 1];
    for (int i = 0; i < extent->count; i++) {
      everywhere = everywhere && term_has(&extent->terms[i], last->atoms[k]);
    }
    if (everywhere) atoms[common.atom_count++] = last->atoms[k];
  }
  Interval result = bound_terms(extent, common.atom_count > 0 ? &common : NULL);
  for (int k = 0; k < common.atom_count; k++) {
    result = interval_multiply(result, atom_of(atoms[k])->interval);
  }
  return result;
}

/* The atoms of a polynomial that is linear in each; -1 when it is not or has too many. */
static int corner_atoms(const Extent *extent, const ExtentAtom **atoms) {
  int count = 0;
  for (int i = 0; i < extent->count; i++) {
    const ExtentTerm *term = &extent->terms[i];
    for (int k = 0; k < term->atom_count; k++) {
      if (k > 0 && term->atoms[k] == term->atoms[k - 1]) return -1;
      if (is_infinite(atom_of(term->atoms[k])->interval.least)) return -1;
      if (is_infinite(atom_of(term->atoms[k])->interval.greatest)) return -1;
      int position = 0;
      while (position < count && atoms[position] != term->atoms[k]) position++;
      if (position == MOST_CORNER_ATOMS) return -1;
      if (position == count) atoms[count++] = term->atoms[k];
    }
  }
  return count;
}

/* The value where atom k is at its greatest if bit k of `corner` is set, else at its least. */
static bool value_at_corner(const Extent *extent, const ExtentAtom *const *atoms, unsigned corner,
                            int64_t *value) {
  *value = 0;
  for (int i = 0; i < extent->count; i++) {
    const ExtentTerm *term = &extent->terms[i];
    int64_t product = term->coefficient;
    for (int k = 0; k < term->atom_count; k++) {
      int position = 0;
      while (atoms[position] != term->atoms[k]) position++;
      Interval range = atom_of(term->atoms[k])->interval;
      int64_t factor = corner >> position & 1 ? range.greatest : range.least;
      if (!checked_multiply(product, factor, &product)) return false;
    }
    if (!checked_add(*value, product, value)) return false;
  }
  return true;
}

static Interval bound_corners(const Extent *extent, Interval outer) {
  const ExtentAtom *atoms[MOST_CORNER_ATOMS];
  int count = corner_atoms(extent, atoms);
  if (count < 0) return outer;
  Interval result = {EXTENT_BOUND, -EXTENT_BOUND};
  for (unsigned corner = 0; corner < 1u << count; corner++) {
    int64_t value;
    if (!value_at_corner(extent, atoms, corner, &value)) return outer;
    if (value < result.least) result.least = value;
    if (value > result.greatest) result.greatest = value;
  }
  return intersect((Interval){clamp(result.least), clamp(result.greatest)}, outer);
}

static int64_t round_up(int64_t value, int64_t divisor) {
  return is_infinite(value) ? value : -floor_divide(-value, divisor);
}

static int64_t round_down(int64_t value, int64_t divisor) {
  return is_infinite(value) ? value : floor_divide(value, divisor);
}

/* With q = n//d and d*q = n - r: d*(rest + k*q) = d*rest + k*n - k*r. */
static Interval bound_by_quotient(ExtentTable *table, const Extent *extent, const ExtentTerm *term,
                                  Interval outer) {
  int64_t divisor, slack, scaled_coefficient;
  const ExtentAtom *atom = term->atoms[0];
  if (!extent_is_constant(atom->denominator, &divisor)) return outer;
  if (!checked_multiply(term->coefficient, divisor - 1, &slack)) return outer;
  if (!checked_multiply(term->coefficient, -divisor, &scaled_coefficient)) return outer;
  Terms terms = {0};
  terms_add_extent(table, &terms, extent, divisor);
  terms_add_extent(table, &terms, extent_of_atom(table, atom), scaled_coefficient);
  terms_add_extent(table, &terms, atom->numerator, term->coefficient);
  Interval scaled = terms_collect(table, &terms)->interval;
  Interval shift = {slack > 0 ? -slack : 0, slack > 0 ? 0 : -slack};
  scaled = interval_add(scaled, shift);
  return intersect(
      (Interval){round_up(scaled.least, divisor), round_down(scaled.greatest, divisor)}, outer);
}

Interval bound_extent(ExtentTable *table, const Extent *extent) {
  if (extent->count == 0) return (Interval){0, 0};
  Interval result = bound_corners(extent, bound_factored(extent));
  if (extent->count == 1 || table->refinements >= MOST_REFINEMENTS) return result;
  table->refinements++;
  for (int i = 0; i < extent->count; i++) {
    const ExtentTerm *term = &extent->terms[i];
    if (term->atom_count == 1 && !term->atoms[0]->dim) {
      result = bound_by_quotient(table, extent, term, result);
    }
  }
  table->refinements--;
  return result;
}
