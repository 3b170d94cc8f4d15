/* See equations_fixture.h. */
#include "equations_fixture.h"

static Dim *new_dim(Fixture *f, const char *name, int64_t maximum) {
  Dim *dim = NEW(f->arena, Dim);
  *dim = (Dim){.name = name_of(f->names, name), .maximum = maximum, .id = f->model->dims.count};
  APPEND(f->arena, &f->model->dims, dim);
  return dim;
}

Fixture fixture_new(void) {
  Fixture f = {.arena = arena_new()};
  Sources *sources = NEW(f.arena, Sources);
  sources_init(sources, f.arena);
  f.names = names_new(f.arena);
  f.model =
      model_new(f.arena, f.names, diagnostics_new(f.arena, sources), name_of(f.names, "test"));
  f.extents = f.model->extents;
  f.exprs = f.model->exprs;
  f.n = new_dim(&f, "N", 5);
  f.t = new_dim(&f, "T", 7);
  return f;
}

int random_below(uint64_t *state, int bound) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int)((*state >> 33) % (uint64_t)bound);
}

static int64_t apply(Op op, const int64_t *a, bool *defined) {
  switch (op) {
  case OP_ADD: return a[0] + a[1];
  case OP_SUB: return a[0] - a[1];
  case OP_MUL: return a[0] * a[1];
  case OP_NEGATE: return -a[0];
  case OP_MIN: return a[0] < a[1] ? a[0] : a[1];
  case OP_MAX: return a[0] > a[1] ? a[0] : a[1];
  case OP_ABS: return a[0] < 0 ? -a[0] : a[0];
  case OP_EQ: return a[0] == a[1];
  case OP_NE: return a[0] != a[1];
  case OP_LT: return a[0] < a[1];
  case OP_LE: return a[0] <= a[1];
  case OP_AND: return a[0] && a[1];
  case OP_OR: return a[0] || a[1];
  case OP_NOT: return !a[0];
  case OP_SELECT: return a[0] ? a[1] : a[2];
  default: break;
  }
  if (a[1] == 0) *defined = false;
  if (a[1] == 0) return 0;
  return op == OP_IDIV ? floor_divide(a[0], a[1]) : floor_modulo(a[0], a[1]);
}

int64_t whole_value(const Expr *e, const Values *values, bool *defined) {
  int64_t args[3] = {0};
  switch (e->op) {
  case OP_INTEGER: return e->integer;
  case OP_INDEX: return values->index[e->index->id];
  case OP_EXTENT: return extent_evaluate(e->extent, values->sizes);
  case OP_READ: return values->gathered;
  default: break;
  }
  for (int i = 0; i < e->count; i++) args[i] = whole_value(e->args[i], values, defined);
  return apply(e->op, args, defined);
}

const char *printed_extent(Arena *arena, const Extent *extent) {
  Text text;
  text_init(&text, arena);
  extent_print(extent, &text);
  return text.bytes;
}

const char *printed_expr(Arena *arena, const Expr *e) {
  Text text;
  text_init(&text, arena);
  expr_print(e, &text);
  return text.bytes;
}
