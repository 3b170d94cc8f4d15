/* Extents: interning and the arithmetic of polynomials; division is in extent_division.c. */
#include "equations/extent_table.h"

#include "support/diagnostics.h"

#include <stdlib.h>
#include <string.h>

#ifdef NNC_HOSTILE
enum { FIRST_SLOTS = 2 };
#else
enum { FIRST_SLOTS = 256 };
#endif

static int compare_numbers(int64_t a, int64_t b) {
  return a < b ? -1 : a > b;
}

/* Dims by their ids, then floor divisions; recursion is as deep as these nest. */
static int compare_atoms(const ExtentAtom *a, const ExtentAtom *b) {
  if (a == b) return 0;
  if (a->dim && b->dim && a->dim->id != b->dim->id) {
    return compare_numbers(a->dim->id, b->dim->id);
  }
  if (a->dim || b->dim) {
    return a->dim && b->dim ? compare_numbers(atom_of(a)->id, atom_of(b)->id) : a->dim ? -1 : 1;
  }
  int order = extent_compare(a->numerator, b->numerator);
  return order != 0 ? order : extent_compare(a->denominator, b->denominator);
}

/* Order of terms: degree, then atoms. */
static int compare_monomials(const ExtentTerm *a, const ExtentTerm *b) {
  if (a->atom_count != b->atom_count) return a->atom_count > b->atom_count ? -1 : 1;
  for (int i = 0; i < a->atom_count; i++) {
    int order = compare_atoms(a->atoms[i], b->atoms[i]);
    if (order != 0) return order;
  }
  return 0;
}

int extent_compare(const Extent *a, const Extent *b) {
  if (a == b) return 0;
  for (int i = 0; i < a->count && i < b->count; i++) {
    int order = compare_monomials(&a->terms[i], &b->terms[i]);
    if (order == 0) order = compare_numbers(a->terms[i].coefficient, b->terms[i].coefficient);
    if (order != 0) return order;
  }
  return compare_numbers(a->count, b->count);
}

static int compare_terms(const void *a, const void *b) {
  return compare_monomials(a, b);
}

static uint32_t hash_terms(const ExtentTerm *terms, int count) {
  uint64_t hash = 0x9E3779B97F4A7C15u;
  for (int i = 0; i < count; i++) {
    hash = (hash ^ (uint64_t)terms[i].coefficient) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 29;
    for (int k = 0; k < terms[i].atom_count; k++) {
      hash = (hash ^ (uint64_t)(atom_of(terms[i].atoms[k])->id + 1)) * 0xc4ceb9fe1a85ec53u;
    }
  }
  return (uint32_t)(hash >> 32);
}

static bool has_terms(const Extent *extent, const ExtentTerm *terms, int count) {
  if (extent->count != count) return false;
  for (int i = 0; i < count; i++) {
    if (extent->terms[i].coefficient != terms[i].coefficient) return false;
    if (compare_monomials(&extent->terms[i], &terms[i]) != 0) return false;
  }
  return true;
}

/* The slot of the extent with these terms, or the free one where it belongs. */
static Extent **find_slot(const ExtentTable *table, uint32_t hash, const ExtentTerm *terms,
                          int count) {
  for (size_t i = hash & (table->capacity - 1);; i = (i + 1) & (table->capacity - 1)) {
    Extent **slot = &table->slots[i];
    if (!*slot || ((*slot)->hash == hash && has_terms(*slot, terms, count))) return slot;
  }
}

static void grow_slots(ExtentTable *table) {
  Extent **old = table->slots;
  size_t old_capacity = table->capacity;
  table->capacity *= 2;
  table->slots = NEW_ARRAY(table->arena, Extent *, table->capacity);
  for (size_t i = 0; i < old_capacity; i++) {
    if (old[i]) *find_slot(table, old[i]->hash, old[i]->terms, old[i]->count) = old[i];
  }
}

static int nesting_of(const ExtentTerm *terms, int count) {
  int nesting = 0;
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < terms[i].atom_count; k++) {
      int inner = atom_of(terms[i].atoms[k])->nesting;
      if (inner > nesting) nesting = inner;
    }
  }
  return nesting;
}

static const Extent *intern(ExtentTable *table, const ExtentTerm *terms, int count) {
  uint32_t hash = hash_terms(terms, count);
  Extent **slot = find_slot(table, hash, terms, count);
  if (*slot) return *slot;
  Extent *extent = NEW(table->arena, Extent);
  *extent = (Extent){.hash = hash, .count = count, .nesting = nesting_of(terms, count)};
  if (count > 0) extent->terms = arena_copy(table->arena, terms, (size_t)count * sizeof *terms);
  *slot = extent;
  if (++table->count * 4 > table->capacity * 3) grow_slots(table);
  extent->interval = bound_extent(table, extent);
  return extent;
}

ExtentTable *extent_table_new(Arena *arena) {
  ExtentTable *table = NEW(arena, ExtentTable);
  table->arena = arena;
  table->capacity = FIRST_SLOTS;
  table->slots = NEW_ARRAY(arena, Extent *, table->capacity);
  map_init(&table->dims, arena);
  Extent *poison = NEW(arena, Extent);
  poison->poisoned = true;
  poison->interval = (Interval){-EXTENT_BOUND, EXTENT_BOUND};
  table->poison = poison;
  return table;
}

void terms_add(ExtentTable *table, Terms *terms, int64_t coefficient, const ExtentTerm *monomial) {
  ExtentTerm term = *monomial;
  term.coefficient = coefficient;
  if (terms->count >= 64 * MOST_TERMS) terms->failed = true;
  if (!terms->failed) APPEND(table->arena, terms, term);
}

void terms_add_extent(ExtentTable *table, Terms *terms, const Extent *extent, int64_t factor) {
  if (extent->poisoned) terms->failed = true;
  for (int i = 0; i < extent->count; i++) {
    int64_t product = 0;
    if (!checked_multiply(extent->terms[i].coefficient, factor, &product)) terms->failed = true;
    terms_add(table, terms, product, &extent->terms[i]);
  }
}

/* Adds up equal monomials of a sorted list and drops zeros, in place. */
static void combine_terms(Terms *terms) {
  int count = 0;
  for (int i = 0; i < terms->count;) {
    ExtentTerm sum = terms->items[i++];
    while (i < terms->count && compare_monomials(&sum, &terms->items[i]) == 0) {
      if (!checked_add(sum.coefficient, terms->items[i++].coefficient, &sum.coefficient)) {
        terms->failed = true;
      }
    }
    if (sum.coefficient != 0) terms->items[count++] = sum;
  }
  terms->count = count;
}

const Extent *terms_collect(ExtentTable *table, Terms *terms) {
  if (terms->failed) return table->poison;
  if (terms->count > 1)
    qsort(terms->items, (size_t)terms->count, sizeof *terms->items, compare_terms);
  combine_terms(terms);
  if (terms->failed || terms->count > MOST_TERMS) return table->poison;
  return intern(table, terms->items, terms->count);
}

const Extent *extent_constant(ExtentTable *table, int64_t value) {
  ExtentTerm term = {.coefficient = value};
  return intern(table, &term, value != 0);
}

const Extent *extent_of_atom(ExtentTable *table, const ExtentAtom *atom) {
  const ExtentAtom **atoms = NEW(table->arena, const ExtentAtom *);
  atoms[0] = atom;
  ExtentTerm term = {1, 1, atoms};
  return intern(table, &term, 1);
}

const Extent *extent_dim(ExtentTable *table, const Dim *dim) {
  Atom *atom = map_get(&table->dims, dim);
  if (!atom) {
    atom = NEW(table->arena, Atom);
    *atom = (Atom){.public.dim = dim, .id = table->atom_count++, .interval = {1, dim->maximum}};
    map_put(&table->dims, dim, atom);
  }
  return extent_of_atom(table, &atom->public);
}

const Extent *extent_poison(ExtentTable *table) {
  return table->poison;
}

static const Extent *add_scaled(ExtentTable *table, const Extent *a, const Extent *b,
                                int64_t factor) {
  Terms terms = {0};
  terms_add_extent(table, &terms, a, 1);
  terms_add_extent(table, &terms, b, factor);
  return terms_collect(table, &terms);
}

const Extent *extent_add(ExtentTable *table, const Extent *a, const Extent *b) {
  return add_scaled(table, a, b, 1);
}

const Extent *extent_subtract(ExtentTable *table, const Extent *a, const Extent *b) {
  return add_scaled(table, a, b, -1);
}

const Extent *extent_scale(ExtentTable *table, const Extent *a, int64_t factor) {
  Terms terms = {0};
  terms_add_extent(table, &terms, a, factor);
  return terms_collect(table, &terms);
}

/* Adds the product of two terms: their atoms merged in order. */
static void add_product(ExtentTable *table, Terms *terms, const ExtentTerm *a,
                        const ExtentTerm *b) {
  int count = a->atom_count + b->atom_count;
  int64_t coefficient = 0;
  if (count > MOST_FACTORS || !checked_multiply(a->coefficient, b->coefficient, &coefficient)) {
    terms->failed = true;
    return;
  }
  const ExtentAtom **atoms = count > 0 ? NEW_ARRAY(table->arena, const ExtentAtom *, count) : NULL;
  for (int i = 0, k = 0; i + k < count;) {
    bool first =
        k == b->atom_count || (i < a->atom_count && compare_atoms(a->atoms[i], b->atoms[k]) <= 0);
    atoms[i + k] = first ? a->atoms[i] : b->atoms[k];
    if (first) {
      i++;
    } else {
      k++;
    }
  }
  terms_add(table, terms, coefficient, &(ExtentTerm){coefficient, count, atoms});
}

const Extent *extent_multiply(ExtentTable *table, const Extent *a, const Extent *b) {
  Terms terms = {.failed = a->poisoned || b->poisoned};
  for (int i = 0; i < a->count && !terms.failed; i++) {
    for (int k = 0; k < b->count; k++) add_product(table, &terms, &a->terms[i], &b->terms[k]);
  }
  return terms_collect(table, &terms);
}

bool extent_is_constant(const Extent *extent, int64_t *value) {
  if (extent->poisoned || extent->count > 1) return false;
  if (extent->count == 1 && extent->terms[0].atom_count > 0) return false;
  if (value) *value = extent->count == 1 ? extent->terms[0].coefficient : 0;
  return true;
}

bool extent_is_zero(const Extent *extent) {
  int64_t value;
  return extent_is_constant(extent, &value) && value == 0;
}

bool extent_is_poisoned(const Extent *extent) {
  return extent->poisoned;
}

int64_t extent_minimum(const Extent *extent) {
  return extent->interval.least;
}

int64_t extent_maximum(const Extent *extent) {
  return extent->interval.greatest;
}

/* Recursion is as deep as floor divisions nest: MOST_NESTING. */
static bool evaluate(const Extent *extent, const int64_t *sizes, int64_t *value);

static bool evaluate_atom(const ExtentAtom *atom, const int64_t *sizes, int64_t *value) {
  if (atom->dim) {
    *value = sizes[atom->dim->id];
    return true;
  }
  int64_t divisor;
  if (!evaluate(atom->numerator, sizes, value) || !evaluate(atom->denominator, sizes, &divisor)) {
    return false;
  }
  if (divisor == 0) return false;
  *value = floor_divide(*value, divisor);
  return true;
}

static bool evaluate(const Extent *extent, const int64_t *sizes, int64_t *value) {
  *value = 0;
  for (int i = 0; i < extent->count; i++) {
    int64_t product = extent->terms[i].coefficient, factor;
    for (int k = 0; k < extent->terms[i].atom_count; k++) {
      if (!evaluate_atom(extent->terms[i].atoms[k], sizes, &factor)) return false;
      if (!checked_multiply(product, factor, &product)) return false;
    }
    if (!checked_add(*value, product, value)) return false;
  }
  return !extent->poisoned;
}

int64_t extent_evaluate(const Extent *extent, const int64_t *sizes) {
  int64_t value;
  if (!evaluate(extent, sizes, &value)) bug("extent evaluated out of its bounds");
  return value;
}

static void add_dim(Arena *arena, const Dim *dim, DimList *dims) {
  int position = dims->count;
  for (int i = 0; i < dims->count; i++) {
    if (dims->items[i] == dim) return;
  }
  APPEND(arena, dims, dim);
  for (; position > 0 && dims->items[position - 1]->id > dim->id; position--) {
    dims->items[position] = dims->items[position - 1];
  }
  dims->items[position] = dim;
}

void extent_dims(Arena *arena, const Extent *extent, DimList *dims) {
  for (int i = 0; i < extent->count; i++) {
    for (int k = 0; k < extent->terms[i].atom_count; k++) {
      const ExtentAtom *atom = extent->terms[i].atoms[k];
      if (atom->dim) {
        add_dim(arena, atom->dim, dims);
      } else {
        extent_dims(arena, atom->numerator, dims);
        extent_dims(arena, atom->denominator, dims);
      }
    }
  }
}

int extent_term_count(const Extent *extent) {
  return extent->count;
}

const ExtentTerm *extent_term(const Extent *extent, int position) {
  return &extent->terms[position];
}
