/* Bounds: is a subscript in range for every index, size and gathered value?

   Facts from outside a reduction hold inside it only when its guard repeats them, since a reduction is
   computed on its own; so a proof first tries without them, and marks the reductions when it needs them.
   What fails for some run-time sizes only is left to a check at entry: "T >= 10". */
#include "elaborate/checks.h"
#include "elaborate/indices.h"

/* The chain of facts up to, not including, `end`. */
static const Facts *facts_until(Arena *arena, const Facts *facts, const Facts *end) {
  Facts *first = NULL, **next = &first;
  for (; facts && facts != end; facts = facts->outer) {
    Facts *copy = NEW(arena, Facts);
    *copy = (Facts){NULL, facts->condition, facts->holds};
    *next = copy;
    next = (Facts **)(void *)&copy->outer;
  }
  return first;
}

typedef bool (*Question)(const Context *c, const Expr *e, const Extent *extent, const Facts *facts);

/* Asks with the facts inside the innermost reduction, then with those of each reduction further out. */
static bool ask(const Context *c, Question question, const Expr *e, const Extent *extent) {
  Arena *arena = c->frame->e->arena;
  for (Level *level = c->level;; level = level->outer) {
    const Facts *end = level ? level->facts : NULL;
    const Facts *facts = end ? facts_until(arena, c->facts, end) : c->facts;
    if (question(c, e, extent, facts)) {
      for (Level *l = c->level; l != level; l = l->outer) l->needs_facts = true;
      return true;
    }
    if (!level) return false;
  }
}

static bool proves_range(const Context *c, const Expr *e, const Extent *extent,
                         const Facts *facts) {
  Elaborator *el = c->frame->e;
  return affine_proves_range(el->model->exprs, el->arena, e, extent, facts, NULL);
}

static bool proves_sign(const Context *c, const Expr *e, const Extent *extent, const Facts *facts) {
  Elaborator *el = c->frame->e;
  int64_t least, greatest;
  (void)extent;
  affine_interval(el->model->exprs, el->arena, e, facts, &least, &greatest);
  return least >= 0;
}

static Bounds bounds_of(const Context *c, const Expr *e) {
  Elaborator *el = c->frame->e;
  Affine affine = affine_of(el->model->exprs, el->arena, e);
  return affine_bounds(el->model->exprs, el->arena, &affine);
}

/* How much the greatest value of `e` could grow and still be below; null when it has no bound. */
static const Extent *room_above(const Context *c, const Expr *e, const Extent *extent) {
  ExtentTable *table = c->frame->e->model->extents;
  const Extent *last = bounds_of(c, e).high;
  if (!last) return NULL;
  return extent_subtract(table, extent_subtract(table, extent, last), extent_constant(table, 1));
}

static bool proves_below(const Context *c, const Expr *e, const Extent *extent,
                         const Facts *facts) {
  const Extent *room = room_above(c, e, extent);
  int64_t least, greatest;
  if (room && extent_minimum(room) >= 0) return true;
  affine_interval(c->frame->e->model->exprs, c->frame->e->arena, e, facts, &least, &greatest);
  return greatest < extent_minimum(extent);
}

bool is_in_range(const Context *c, const Expr *e, const Extent *extent) {
  const Index *index = lone_index(e);
  if (index && index->range == extent) return true;
  return ask(c, proves_range, e, extent);
}

bool is_not_negative(const Context *c, const Expr *e) {
  return ask(c, proves_sign, e, NULL);
}

bool is_below(const Context *c, const Expr *e, const Extent *extent) {
  return ask(c, proves_below, e, extent);
}

/* Whether sizes exist for which `room` is not negative but not all have it. */
static bool depends_on_sizes(const Extent *room) {
  return room && !extent_is_poisoned(room) && extent_maximum(room) >= 0;
}

/* A subscript over sizes and index variables whose range depends on run-time sizes only. */
static bool leave_to_entry(const Context *c, const Expr *e, const Extent *extent, const char *text,
                           Span span) {
  ExprTable *table = c->frame->e->model->exprs;
  const Extent *below = bounds_of(c, e).low, *above = room_above(c, e, extent);
  if (c->facts || !depends_on_sizes(below) || !depends_on_sizes(above)) return false;
  const Expr *zero = expr_integer(table, 0);
  check_at_entry(c->frame, expr_binary(table, OP_LE, zero, expr_extent(table, below)), text, span);
  check_at_entry(c->frame, expr_binary(table, OP_LE, zero, expr_extent(table, above)), text, span);
  return true;
}

/* "-1 at h=0, r=0" */
static const char *witness_text(Arena *arena, const Witness *witness) {
  Text text;
  text_init(&text, arena);
  text_add(&text, "%lld", (long long)witness->reached);
  const char *before = " at ";
  for (int i = 0; i < witness->count; i++, before = ", ") {
    text_add(&text, "%s%s=%lld", before, witness->indices[i]->name, (long long)witness->values[i]);
  }
  for (int i = 0; i < witness->dim_count; i++, before = ", ") {
    text_add(&text, "%s%s=%lld", before, witness->dims[i]->name, (long long)witness->sizes[i]);
  }
  return text.bytes;
}

/* What makes `e` a number of which nothing is known: an int(..), or a tensor without bounds; null when
   something is. */
static const Expr *find_unbounded(const Context *c, const Expr *e) {
  Elaborator *el = c->frame->e;
  int64_t least, greatest;
  affine_interval(el->model->exprs, el->arena, e, c->facts, &least, &greatest);
  if (least >= INT32_MIN || greatest <= INT32_MAX) return NULL;
  ExprList nodes = expr_postorder(el->arena, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (node->op == OP_INT || (is_read(node) && node->type == TYPE_INT && !node->tensor->high))
      return node;
  }
  return NULL;
}

static void reject_unbounded(const Context *c, const Expr *number, const char *read,
                             const Axis *axis, const Node *sub) {
  Arena *arena = c->frame->e->arena;
  const char *what =
      is_read(number) ? arena_format(arena, "'%s'", number->tensor->name) : "int(..)";
  ExtentTable *table = c->frame->e->model->extents;
  const Extent *last = extent_subtract(table, axis->extent, extent_constant(table, 1));
  Diagnostic *d = report(c->frame, NN0208, sub->span, "'%s': %s has no bounds", read, what);
  diagnostic_note(d, sub->span, "%s", axis_text(c->frame->e, axis, sub->span));
  if (is_read(number) && number->tensor->role == ROLE_INPUT)
    diagnostic_help(d, "declare it ': index(%s)', or write '| 0' before the bracket",
                    size_text(arena, axis->extent));
  else
    diagnostic_help(d, "write min(max(.., 0), %s), or '| 0' before the bracket",
                    size_text(arena, last));
}

static void reject_subscript(const Context *c, const Expr *e, const Axis *axis, const Node *read,
                             const Node *sub) {
  Elaborator *el = c->frame->e;
  Text text;
  text_init(&text, el->arena);
  node_print(read, &text);
  const Expr *unbounded = find_unbounded(c, e);
  if (unbounded) {
    reject_unbounded(c, unbounded, text.bytes, axis, sub);
    return;
  }
  Witness witness = {0};
  affine_proves_range(el->model->exprs, el->arena, e, axis->extent, c->facts, &witness);
  const char *fact = witness.found ? arena_format(el->arena, "subscript reaches %s",
                                                  witness_text(el->arena, &witness))
                                   : "subscript not proved to be in range";
  Diagnostic *d = report(c->frame, NN0208, sub->span, "'%s': %s", text.bytes, fact);
  diagnostic_note(d, sub->span, "%s", axis_text(el, axis, sub->span));
  diagnostic_help(d, "write '| 0' before the bracket for 0 outside the range, or a condition");
}

bool prove_subscript(const Context *c, const Expr *e, const Axis *axis, const Node *read,
                     const Node *sub) {
  if (is_in_range(c, e, axis->extent)) return true;
  Text text;
  text_init(&text, c->frame->e->arena);
  node_print(read, &text);
  if (leave_to_entry(c, e, axis->extent, text.bytes, sub->span)) return true;
  reject_subscript(c, e, axis, read, sub);
  return false;
}
