/* Witnesses: a subscript is evaluated at chosen sizes, index values and gathered values until the facts
   hold and it is out of range. */
#include "equations/witness.h"

#include "equations/equation.h"

enum { CORNER_BITS = 10, SAMPLES = 4096, GATHERED_SPAN = 1000 };

typedef struct Cell {
  bool known;
  int64_t value;
} Cell;

typedef struct Search {
  ExprList nodes; /* below the subscript and the conditions, args first */
  Cell *cells;    /* values of the nodes */
  Map places;     /* from node to its cell */
  DimList dims;
  int64_t *sizes; /* by dim->id */
  int choice;     /* variables chosen so far in this sample */
  bool empty;     /* some variable or quotient of this sample has no value */
  unsigned sample;
  uint64_t random;
} Search;

/* A value in low..high: an end in corner samples, then any, with a liking for the ends. */
static int64_t choose(Search *search, int64_t low, int64_t high) {
  int bit = search->choice++;
  if (high < low) search->empty = true;
  if (high <= low) return low;
  if (search->sample < 1u << CORNER_BITS) {
    return bit < CORNER_BITS && (search->sample >> bit & 1) ? high : low;
  }
  search->random = search->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  uint64_t pick = search->random >> 33;
  if (pick % 4 == 0) return low;
  if (pick % 4 == 1) return high;
  uint64_t span = (uint64_t)(high - low) + 1;
  if (pick % 4 == 2 && span > 4) span = 4;
  return low + (int64_t)(pick / 4 % span);
}

static Cell known(int64_t value) {
  return (Cell){true, value};
}

static Cell read_value(Search *search, const Tensor *tensor) {
  int64_t low = -GATHERED_SPAN, high = GATHERED_SPAN;
  if (tensor->type != TYPE_INT) return (Cell){0};
  if (tensor->storage == STORE_U8) low = 0;
  if (tensor->low) low = extent_evaluate(tensor->low, search->sizes);
  if (tensor->high) high = extent_evaluate(tensor->high, search->sizes) - 1;
  return known(choose(search, low, high));
}

static Cell leaf_value(Search *search, const Expr *e) {
  switch (e->op) {
  case OP_INTEGER: return known(e->integer);
  case OP_EXTENT: return known(extent_evaluate(e->extent, search->sizes));
  case OP_READ: return read_value(search, e->tensor);
  case OP_INDEX:
    if (!e->index->range) return (Cell){0};
    return known(choose(search, 0, extent_evaluate(e->index->range, search->sizes) - 1));
  default: return (Cell){0};
  }
}

/* `and` and `or` are known from one operand where that decides. */
static Cell logic_value(Op op, Cell a, Cell b) {
  int64_t decides = op == OP_OR;
  if (a.known && (a.value != 0) == (decides != 0)) return known(decides);
  if (b.known && (b.value != 0) == (decides != 0)) return known(decides);
  return a.known && b.known ? known(!decides) : (Cell){0};
}

static Cell whole_value(Op op, int64_t a, int64_t b) {
  Cell result = {.known = true};
  switch (op) {
  case OP_ADD: result.known = checked_add(a, b, &result.value); break;
  case OP_SUB: result.known = !__builtin_sub_overflow(a, b, &result.value); break;
  case OP_MUL: result.known = checked_multiply(a, b, &result.value); break;
  case OP_NEGATE: result.known = !__builtin_sub_overflow(0, a, &result.value); break;
  case OP_IDIV: return b == 0 ? (Cell){0} : known(floor_divide(a, b));
  case OP_MOD: return b == 0 ? (Cell){0} : known(floor_modulo(a, b));
  case OP_MIN: return known(b < a ? b : a);
  case OP_MAX: return known(b > a ? b : a);
  case OP_EQ: return known(a == b);
  case OP_NE: return known(a != b);
  case OP_LT: return known(a < b);
  case OP_LE: return known(a <= b);
  case OP_NOT: return known(!a);
  case OP_ABS: return a < 0 ? whole_value(OP_NEGATE, a, b) : known(a);
  case OP_SIGN: return known((a > 0) - (a < 0));
  default: return (Cell){0};
  }
  return result;
}

static Cell cell_of(const Search *search, const Expr *e) {
  return *(const Cell *)map_get(&search->places, e);
}

static Cell node_value(Search *search, const Expr *e) {
  if (e->count == 0 || e->op == OP_READ) return leaf_value(search, e);
  Cell a = cell_of(search, e->args[0]), b = cell_of(search, e->args[e->count - 1]);
  if (e->op == OP_AND || e->op == OP_OR) return logic_value(e->op, a, b);
  if (e->op == OP_SELECT) return a.known ? cell_of(search, e->args[a.value ? 1 : 2]) : (Cell){0};
  bool divides = e->op == OP_IDIV || e->op == OP_MOD;
  if (divides && b.known && b.value == 0) search->empty = true;
  return a.known && b.known ? whole_value(e->op, a.value, b.value) : (Cell){0};
}

static bool facts_hold(const Search *search, const Facts *facts) {
  for (; facts; facts = facts->outer) {
    Cell cell = cell_of(search, facts->condition);
    if (cell.known && (cell.value != 0) != facts->holds) return false;
  }
  return true;
}

static void add_dims_of(Arena *scratch, DimList *dims, const Expr *e) {
  if (e->op == OP_EXTENT) extent_dims(scratch, e->extent, dims);
  if (e->op == OP_INDEX && e->index->range) extent_dims(scratch, e->index->range, dims);
  if (e->op == OP_READ && e->tensor->low) extent_dims(scratch, e->tensor->low, dims);
  if (e->op == OP_READ && e->tensor->high) extent_dims(scratch, e->tensor->high, dims);
}

static Search start_search(Arena *scratch, const Expr *e, const Extent *extent,
                           const Facts *facts) {
  Search search = {.random = 1};
  LIST_OF(const Expr *) roots = {0};
  APPEND(scratch, &roots, e);
  for (const Facts *fact = facts; fact; fact = fact->outer)
    APPEND(scratch, &roots, fact->condition);
  search.nodes = expr_postorder(scratch, roots.items, roots.count);
  search.cells = NEW_ARRAY(scratch, Cell, search.nodes.count);
  map_init(&search.places, scratch);
  extent_dims(scratch, extent, &search.dims);
  for (int i = 0; i < search.nodes.count; i++) {
    map_put(&search.places, search.nodes.items[i], &search.cells[i]);
    add_dims_of(scratch, &search.dims, search.nodes.items[i]);
  }
  int last = search.dims.count > 0 ? search.dims.items[search.dims.count - 1]->id : 0;
  search.sizes = NEW_ARRAY(scratch, int64_t, last + 1);
  return search;
}

/* Sizes first, the greatest in the first sample, then the leaves and what is made of them. */
static void evaluate_sample(Search *search) {
  search->choice = 0;
  search->empty = false;
  for (int i = 0; i < search->dims.count; i++) {
    const Dim *dim = search->dims.items[i];
    search->sizes[dim->id] = 1 + dim->maximum - choose(search, 1, dim->maximum);
  }
  for (int i = 0; i < search->nodes.count; i++) {
    search->cells[i] = node_value(search, search->nodes.items[i]);
  }
}

static void record(const Search *search, Arena *scratch, const Expr *e, const Extent *extent,
                   Witness *witness) {
  IndexList indices = {0};
  DimList dims = {0};
  witness->found = true;
  witness->reached = cell_of(search, e).value;
  witness->size = extent_evaluate(extent, search->sizes);
  expr_indices(scratch, e, &indices);
  for (int i = 0; i < indices.count && i < 16; i++) {
    witness->indices[witness->count] = indices.items[i];
    for (int n = 0; n < search->nodes.count; n++) {
      const Expr *node = search->nodes.items[n];
      if (node->op != OP_INDEX || node->index != indices.items[i]) continue;
      witness->values[witness->count] = search->cells[n].value;
    }
    witness->count++;
  }
  extent_dims(scratch, extent, &dims);
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) add_dims_of(scratch, &dims, nodes.items[i]);
  for (int i = 0; i < dims.count && i < 8; i++) {
    witness->dims[witness->dim_count] = dims.items[i];
    witness->sizes[witness->dim_count++] = search->sizes[dims.items[i]->id];
  }
}

void witness_search(Arena *scratch, const Expr *e, const Extent *extent, const Facts *facts,
                    Witness *witness) {
  Search search = start_search(scratch, e, extent, facts);
  if (extent_is_poisoned(extent)) return;
  for (search.sample = 0; search.sample < SAMPLES; search.sample++) {
    evaluate_sample(&search);
    Cell reached = cell_of(&search, e);
    if (search.empty || !reached.known || !facts_hold(&search, facts)) continue;
    if (reached.value < 0 || reached.value >= extent_evaluate(extent, search.sizes)) {
      record(&search, scratch, e, extent, witness);
      return;
    }
  }
}
