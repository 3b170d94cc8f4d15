/* Walks over expression DAGs, all with explicit stacks: each node once, operands before users. */
#include "equations/expr_table.h"

#include "equations/equation.h"

#ifdef NNC_HOSTILE
enum { FIRST_SEEN = 2 };
#else
enum { FIRST_SEEN = 32 };
#endif

/* A node on the way down and how many of its operands have been seen to. */
typedef struct Visit {
  const Expr *e;
  int next;
} Visit;
typedef struct VisitList {
  Visit *items;
  int count, capacity;
} VisitList;

/* Open addressing over ids; null: free. */
typedef struct Seen {
  const Expr **slots;
  uint32_t slot_count, count;
} Seen;

static const Expr **find_seen(const Seen *seen, const Expr *e) {
  uint32_t mask = seen->slot_count - 1, i = (e->id * UINT32_C(0x9E3779B9) >> 7) & mask;
  while (seen->slots[i] && seen->slots[i] != e) i = (i + 1) & mask;
  return &seen->slots[i];
}

static void grow_seen(Arena *scratch, Seen *seen) {
  Seen old = *seen;
  *seen = (Seen){.slot_count = 4 * old.slot_count, .count = old.count};
  seen->slots = NEW_ARRAY(scratch, const Expr *, seen->slot_count);
  for (uint32_t i = 0; i < old.slot_count; i++) {
    if (old.slots[i]) *find_seen(seen, old.slots[i]) = old.slots[i];
  }
}

static void enter(Arena *scratch, Seen *seen, VisitList *path, const Expr *e) {
  const Expr **slot = find_seen(seen, e);
  if (*slot) return;
  *slot = e;
  APPEND(scratch, path, (Visit){e, 0});
  if (++seen->count * 2 > seen->slot_count) grow_seen(scratch, seen);
}

/* Depth first, so that the order follows from the expression alone: ids depend on the order in which the
   C compiler evaluates arguments of calls. */
ExprList expr_postorder(Arena *scratch, const Expr *const *roots, int count) {
  const Expr *few[FIRST_SEEN] = {0}; /* most expressions are small */
  Seen seen = {.slots = few, .slot_count = FIRST_SEEN};
  ExprList list = {0};
  VisitList path = {0};
  for (int i = 0; i < count; i++) {
    enter(scratch, &seen, &path, roots[i]);
    while (path.count > 0) {
      Visit *top = &path.items[path.count - 1];
      if (top->next < top->e->count) {
        enter(scratch, &seen, &path, top->e->args[top->next++]);
      } else {
        APPEND(scratch, &list, top->e);
        path.count--;
      }
    }
  }
  return list;
}

const Expr *expr_over(ExprTable *table, const Expr *e, const Expr *const *args) {
  bool changed = false;
  for (int i = 0; i < e->count; i++) changed = changed || args[i] != e->args[i];
  if (!changed) return e;
  if (e->op != OP_READ) return expr_make(table, e->op, args, e->count);
  return expr_read(table, e->tensor, args, read_default(e) ? args[e->count - 1] : NULL);
}

/* The node over rewritten operands. */
static const Expr *rebuild(ExprTable *table, const Expr *e, const Map *rewritten) {
  const Expr *args[LIMIT_RANK + 1];
  for (int i = 0; i < e->count; i++) args[i] = map_get(rewritten, e->args[i]);
  return expr_over(table, e, args);
}

const Expr *expr_rewrite(ExprTable *table, Arena *scratch, const Expr *e, ExprReplace replace,
                         void *context) {
  ExprList list = expr_postorder(scratch, &e, 1);
  Map rewritten;
  map_init(&rewritten, scratch);
  for (int i = 0; i < list.count; i++) {
    const Expr *node = list.items[i], *result = rebuild(table, node, &rewritten);
    if (result->op == OP_INDEX || result->op == OP_READ) {
      if (node->op == OP_INDEX || node->op == OP_READ) result = replace(context, result);
    }
    map_put(&rewritten, node, (void *)result);
  }
  return map_get(&rewritten, e);
}

const Expr *expr_replace(ExprTable *table, Arena *scratch, const Expr *e, const Map *replacements) {
  Map rewritten;
  map_init(&rewritten, scratch);
  ExprList list = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < list.count; i++) {
    const Expr *given = map_get(replacements, list.items[i]);
    map_put(&rewritten, list.items[i],
            (void *)(given ? given : rebuild(table, list.items[i], &rewritten)));
  }
  return map_get(&rewritten, e);
}

typedef struct Substitution {
  const Index *const *indices;
  const Expr *const *values;
  int count;
} Substitution;

static const Expr *substitute_leaf(void *context, const Expr *leaf) {
  const Substitution *substitution = context;
  if (leaf->op != OP_INDEX) return leaf;
  for (int i = 0; i < substitution->count; i++) {
    if (substitution->indices[i] == leaf->index) return substitution->values[i];
  }
  return leaf;
}

const Expr *expr_substitute(ExprTable *table, Arena *scratch, const Expr *e,
                            const Index *const *indices, const Expr *const *values, int count) {
  Substitution substitution = {indices, values, count};
  return expr_rewrite(table, scratch, e, substitute_leaf, &substitution);
}

static void add_index(Arena *arena, const Index *index, IndexList *indices) {
  for (int i = 0; i < indices->count; i++) {
    if (indices->items[i] == index) return;
  }
  APPEND(arena, indices, index);
  int position = indices->count - 1;
  for (; position > 0 && indices->items[position - 1]->id > index->id; position--) {
    indices->items[position] = indices->items[position - 1];
  }
  indices->items[position] = index;
}

void expr_indices(Arena *arena, const Expr *e, IndexList *indices) {
  ExprList list = expr_postorder(arena, &e, 1);
  for (int i = 0; i < list.count; i++) {
    if (list.items[i]->op == OP_INDEX) add_index(arena, list.items[i]->index, indices);
  }
}

bool expr_reads_tensors(Arena *scratch, const Expr *e) {
  ExprList nodes = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (is_read(nodes.items[i])) return true;
  return false;
}

bool expr_uses_index(Arena *scratch, const Expr *e, const Index *index) {
  ExprList list = expr_postorder(scratch, &e, 1);
  for (int i = 0; i < list.count; i++) {
    if (list.items[i]->op == OP_INDEX && list.items[i]->index == index) return true;
  }
  return false;
}
