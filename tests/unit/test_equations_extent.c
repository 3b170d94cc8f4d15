/* Extents: canonical form, bounds and printing. */
#include "equations_fixture.h"

#include <criterion/criterion.h>

static Fixture f;

static void start(void) {
  f = fixture_new();
}

static void stop(void) {
  arena_free(f.arena);
}

TestSuite(equations_extent, .init = start, .fini = stop);

static const Extent *number(int64_t value) {
  return extent_constant(f.extents, value);
}

static const Extent *plus(const Extent *a, int64_t b) {
  return extent_add(f.extents, a, number(b));
}

static const Extent *over(const Extent *a, int64_t b) {
  return extent_floor_divide(f.extents, a, number(b));
}

Test(equations_extent, a_same_size_convolution_keeps_its_size) {
  const Extent *h = extent_dim(f.extents, f.n);
  cr_assert_eq(plus(over(plus(plus(h, 2), -3), 1), 1), h);
}

Test(equations_extent, equal_polynomials_are_the_same_pointer) {
  const Extent *n = extent_dim(f.extents, f.n), *t = extent_dim(f.extents, f.t);
  cr_assert_eq(extent_multiply(f.extents, n, t), extent_multiply(f.extents, t, n));
  cr_assert_eq(extent_subtract(f.extents, t, t), number(0));
  const Extent *square = extent_multiply(f.extents, plus(n, 1), plus(n, -1));
  cr_assert_eq(square, plus(extent_multiply(f.extents, n, n), -1));
}

Test(equations_extent, multiples_of_the_divisor_leave_a_quotient) {
  const Extent *n = extent_dim(f.extents, f.n), *t = extent_dim(f.extents, f.t);
  const Extent *product = extent_multiply(f.extents, n, t);
  cr_assert_eq(over(plus(extent_multiply(f.extents, number(2), n), 3), 2), plus(n, 1));
  cr_assert_eq(extent_floor_divide(f.extents, plus(extent_add(f.extents, product, t), -1), t), n);
  cr_assert_eq(over(over(n, 2), 3), over(n, 6));
  cr_assert_null(extent_floor_divide(f.extents, n, plus(t, -1)));
}

Test(equations_extent, an_overflow_is_poison) {
  const Extent *big = number(INT64_MAX / 2);
  const Extent *poison = extent_multiply(f.extents, big, number(3));
  cr_assert(extent_is_poisoned(poison));
  cr_assert(extent_is_poisoned(plus(poison, 1)));
  cr_assert_not(extent_is_constant(poison, NULL));
}

Test(equations_extent, extents_print_as_the_language_writes_them) {
  const Extent *n = extent_dim(f.extents, f.n), *t = extent_dim(f.extents, f.t);
  cr_assert_str_eq(printed_extent(f.arena, plus(extent_add(f.extents, t, t), 1)), "2*T + 1");
  cr_assert_str_eq(printed_extent(f.arena, extent_subtract(f.extents, number(1), t)), "1 - T");
  cr_assert_str_eq(printed_extent(f.arena, over(plus(n, 1), 2)), "(N + 1)//2");
  const Extent *half = over(n, 2);
  cr_assert_str_eq(printed_extent(f.arena, extent_multiply(f.extents, half, t)), "T*(N//2)");
  cr_assert_str_eq(printed_extent(f.arena, number(0)), "0");
}

/* A random extent beside its plain value at given sizes. */
typedef struct Sample {
  const Extent *extent;
  int64_t value;
} Sample;

static Sample combine(uint64_t *state, Sample a, Sample b) {
  switch (random_below(state, 5)) {
  case 0: return (Sample){extent_add(f.extents, a.extent, b.extent), a.value + b.value};
  case 1: return (Sample){extent_subtract(f.extents, a.extent, b.extent), a.value - b.value};
  case 2: return (Sample){extent_multiply(f.extents, a.extent, b.extent), a.value * b.value};
  case 3: {
    const Extent *quotient = extent_floor_divide(f.extents, a.extent, b.extent);
    return quotient ? (Sample){quotient, floor_divide(a.value, b.value)} : a;
  }
  default: {
    const Extent *rest = extent_modulo(f.extents, a.extent, b.extent);
    return rest ? (Sample){rest, floor_modulo(a.value, b.value)} : a;
  }
  }
}

static Sample random_sample(uint64_t *state, const int64_t *sizes) {
  Sample stack[4];
  for (int i = 0; i < 4; i++) {
    int pick = random_below(state, 3), value = random_below(state, 9) - 2;
    const Dim *dim = pick == 0 ? f.n : f.t;
    stack[i] = pick == 2 ? (Sample){number(value), value}
                         : (Sample){extent_dim(f.extents, dim), sizes[dim->id]};
  }
  return combine(state, combine(state, stack[0], stack[1]), combine(state, stack[2], stack[3]));
}

Test(equations_extent, the_canonical_form_has_the_plain_value_within_its_bounds) {
  uint64_t state = 7;
  for (int round = 0; round < 20000; round++) {
    int64_t sizes[2] = {1 + random_below(&state, 5), 1 + random_below(&state, 7)};
    Sample sample = random_sample(&state, sizes);
    if (extent_is_poisoned(sample.extent)) continue;
    const char *text = printed_extent(f.arena, sample.extent);
    cr_assert_eq(extent_evaluate(sample.extent, sizes), sample.value, "%s", text);
    cr_assert(extent_minimum(sample.extent) <= sample.value, "%s", text);
    cr_assert(extent_maximum(sample.extent) >= sample.value, "%s", text);
  }
}
