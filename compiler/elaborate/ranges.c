/* Ranges of index variables, by the three rules of indices.h. */
#include "elaborate/statements.h"

#include <string.h>

enum { LIMIT_WALK = 1500 };

bool binder_add(const Context *c, BinderList *binders, const Node *sub) {
  Arena *arena = c->frame->e->arena;
  bool binds = sub->kind == NODE_PACK ||
               ((sub->kind == NODE_IDENT || sub->kind == NODE_IN) && is_lower_case(sub->name));
  if (!binds) {
    Diagnostic *d = report(c->frame, NN0213, sub->span, "an index variable is wanted here");
    if (sub->kind == NODE_IDENT || sub->kind == NODE_IN) {
      diagnostic_help(d, "index variables begin with a lower-case letter, sizes with a capital");
    }
    return false;
  }
  if (binders->count == LIMIT_BINDERS) {
    report(c->frame, NN0212, sub->span, "more than %d index variables", LIMIT_BINDERS);
    return false;
  }
  for (int i = 0; i < binders->count; i++) {
    const Binder *other = &binders->items[i];
    if (other->name != sub->name || other->is_pack != (sub->kind == NODE_PACK)) continue;
    report(c->frame, NN0202, sub->span, "index '%s' is bound twice", sub->name ? sub->name : "...");
    return false;
  }
  Binder binder = {.name = sub->name, .is_pack = sub->kind == NODE_PACK, .span = sub->span};
  binder.extent = sub->kind == NODE_IN ? sub->parts[0] : NULL;
  APPEND(arena, binders, binder);
  return true;
}

const Variable *find_variable(const Context *c, Name name, bool is_pack) {
  for (const Variable *v = c->variables; v; v = v->outer) {
    if (v->binder->is_pack == is_pack && v->binder->name == name) return v;
  }
  return NULL;
}

/* What may be done for the dims of a name whose statement has not run. */
typedef enum { EFFORT_NONE, EFFORT_SHAPE, EFFORT_RUN, EFFORT_COUNT } Effort;

/* A search through the trees that use the variables. */
typedef struct Search {
  const Context *c;
  BinderList *binders;
  bool hidden[LIMIT_BINDERS]; /* by a binder of the same name further in */
  bool guarded;               /* whether guarded reads count */
  bool poisoned;              /* something read was an error: that there is no range is none */
  Effort effort;
} Search;

static Binder *find_open_binder(const Search *search, Name name, bool is_pack) {
  for (int i = 0; i < search->binders->count; i++) {
    Binder *binder = &search->binders->items[i];
    if (binder->name == name && binder->is_pack == is_pack) {
      return binder->known || search->hidden[i] ? NULL : binder;
    }
  }
  return NULL;
}

static void infer_range(Binder *binder, const Axis *axes, int rank, Span source) {
  memcpy(binder->axes, axes, (size_t)rank * sizeof *axes);
  binder->rank = rank;
  binder->known = binder->inferred = true;
  binder->source = source;
}

static void search_tree(Search *search, const Node *node, int depth);

/* Its dims are written: nothing else has to run for them. */
static bool is_declaration(NodeKind kind) {
  return kind == NODE_PARAM || kind == NODE_STATE || kind == NODE_INPUT || kind == NODE_TARGET;
}

/* The dims of what is read; false when they are not known (yet). */
static bool find_dims(Search *search, const Node *base, const Axis **axes, int *rank) {
  const Binding *binding =
      base->kind == NODE_IDENT ? frame_find(search->c->frame, base->name) : NULL;
  Statement *statement = binding && !binding->known ? binding->statement : NULL;
  Value value;
  if (statement && statement->state == STATEMENT_WAITING && search->effort == EFFORT_SHAPE) {
    shape_early(statement);
  }
  if (statement && statement->shape) {
    *axes = statement->shape->axes + statement->shape->hidden;
    *rank = statement->shape->rank - statement->shape->hidden;
    return true;
  }
  bool runs = statement && statement->state == STATEMENT_WAITING &&
              (search->effort == EFFORT_RUN || is_declaration(statement->node->kind));
  if (statement && !runs) return false;
  if (!find_base(search->c, base, &value)) {
    search->poisoned = search->poisoned || is_poison(value);
    return false;
  }
  *axes = value.axes;
  *rank = value.rank;
  return true;
}

static void search_subscripts(Search *search, const Node *subs, const Axis *axes, int rank,
                              bool counts, int depth) {
  int axis = 0;
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    bool is_pack = sub->kind == NODE_PACK;
    int length = is_pack ? pack_length(search->c, search->binders, subs, i, rank) : 1;
    if (!is_pack && sub->kind != NODE_IDENT) search_tree(search, sub, depth);
    Binder *binder =
        is_pack || sub->kind == NODE_IDENT ? find_open_binder(search, sub->name, is_pack) : NULL;
    if (length < 0 || axis + length > rank) return;
    if (binder && counts) infer_range(binder, axes + axis, length, sub->span);
    axis += length;
  }
}

static void search_read(Search *search, const Node *read, int depth) {
  const Axis *axes;
  int rank;
  bool guarded = read->parts[2] != NULL;
  if (find_dims(search, read->parts[0], &axes, &rank)) {
    search_subscripts(search, read->parts[1], axes, rank, !guarded || search->guarded, depth);
  }
  if (guarded) search_tree(search, read->parts[2], depth);
}

static void search_reduction(Search *search, const Node *node, int depth) {
  bool before[LIMIT_BINDERS];
  memcpy(before, search->hidden, sizeof before);
  const Node *subs = node->parts[0];
  for (int i = 0; i < search->binders->count; i++) {
    const Binder *binder = &search->binders->items[i];
    for (int j = 0; j < subs->count; j++) {
      bool same = binder->name == subs->parts[j]->name &&
                  binder->is_pack == (subs->parts[j]->kind == NODE_PACK);
      search->hidden[i] = search->hidden[i] || same;
    }
  }
  if (node->parts[1]) search_tree(search, node->parts[1], depth);
  search_tree(search, node->parts[2], depth);
  memcpy(search->hidden, before, sizeof before);
}

static void search_tree(Search *search, const Node *node, int depth) {
  if (!node || depth > LIMIT_WALK) return;
  if (node->kind == NODE_READ) {
    search_read(search, node, depth + 1);
  } else if (node->kind == NODE_REDUCE) {
    search_reduction(search, node, depth + 1);
  } else {
    for (int i = 0; i < node->count; i++) search_tree(search, node->parts[i], depth + 1);
  }
}

static bool all_known(const BinderList *binders) {
  for (int i = 0; i < binders->count; i++) {
    if (!binders->items[i].known) return false;
  }
  return true;
}

static bool evaluate_written(const Context *c, Binder *binder) {
  Axis *axis = &binder->axes[0];
  binder->rank = 1;
  binder->known = true;
  return !extent_is_poisoned(evaluate_extent(c->frame, binder->extent, axis));
}

/* Packs that nothing gives dims have those of the definition's formals. */
static void take_formal_pack(const Context *c, Binder *binder) {
  const Pack *pack = binder->is_pack ? frame_pack(c->frame, binder->name) : NULL;
  if (!pack) return;
  memcpy(binder->axes, pack->axes, (size_t)pack->rank * sizeof *pack->axes);
  binder->rank = pack->rank;
  binder->known = true;
}

void reject_optimizer_index(const Context *c, Name name, Span span) {
  Diagnostic *d = report(c->frame, NN0206, span,
                         "an optimizer has no index '%s': parameters differ in dims", name);
  diagnostic_help(d, "sum(e), mean(e) and max(e) are over one parameter, sum[unit](e) over all but "
                     "its last dim, sum[dims(0, 1)](e) over its first two, total(e) over all "
                     "parameters");
}

static void reject_binder(const Context *c, const Binder *binder) {
  if (c->frame->is_optimizer && !binder->is_pack) {
    reject_optimizer_index(c, binder->name, binder->span);
    return;
  }
  Diagnostic *d =
      binder->is_pack
          ? report(c->frame, NN0206, binder->span, "nothing gives '...' its dims")
          : report(c->frame, NN0206, binder->span, "index '%s' has no range", binder->name);
  if (!binder->is_pack) diagnostic_help(d, "write '%s in EXTENT'", binder->name);
}

bool find_ranges(const Context *c, BinderList *binders, const Node *const *trees, int count) {
  bool good = true;
  Search search = {.c = c, .binders = binders};
  for (int i = 0; i < binders->count; i++) {
    if (!binders->items[i].known && binders->items[i].extent) {
      good = evaluate_written(c, &binders->items[i]) && good;
    }
  }
  for (int round = 0; round < 2 * EFFORT_COUNT && !all_known(binders); round++) {
    search.guarded = round >= EFFORT_COUNT;
    search.effort = (Effort)(round % EFFORT_COUNT);
    for (int i = 0; i < count; i++) search_tree(&search, trees[i], 0);
  }
  for (int i = 0; i < binders->count; i++) {
    Binder *binder = &binders->items[i];
    if (!binder->known) take_formal_pack(c, binder);
    if (binder->known) continue;
    if (!search.poisoned) reject_binder(c, binder);
    good = false;
  }
  return good;
}

bool tree_mentions(const Node *node, Name name) {
  if (!node) return false;
  if (node->name == name && (node->kind == NODE_IDENT || node->kind == NODE_IN)) return true;
  for (int i = 0; i < node->count; i++) {
    if (tree_mentions(node->parts[i], name)) return true;
  }
  return false;
}

static void note_names(Map *map, const Node *node) {
  if (!node) return;
  if (node->kind == NODE_IDENT || node->kind == NODE_IN) map_put(map, node->name, map);
  for (int i = 0; i < node->count; i++) note_names(map, node->parts[i]);
}

static bool is_mentioned(const Context *c, Name name) {
  Formula *formula = c->formula;
  if (!formula->mentioned) {
    formula->mentioned = NEW(c->frame->e->arena, Map);
    map_init(formula->mentioned, c->frame->e->arena);
    note_names(formula->mentioned, formula->root);
  }
  return map_has(formula->mentioned, name);
}

static bool is_taken(const Context *c, Name name) {
  const Formula *formula = c->formula;
  if (find_variable(c, name, false)) return true;
  for (int i = 0; i < formula->generated.count; i++) {
    if (formula->generated.items[i] == name) return true;
  }
  for (int i = 0; i < formula->scan_count; i++) {
    if (formula->scan_indices[i]->name == name) return true;
  }
  return is_mentioned(c, name);
}

Name index_name(const Context *c, const Axis *axis) {
  Names *names = c->frame->e->names;
  char letter[2] = "i";
  if (axis->letter && axis->letter[0] >= 'A' && axis->letter[0] <= 'Z') {
    letter[0] = (char)(axis->letter[0] - 'A' + 'a');
  }
  Name name = name_of(names, letter);
  for (int i = 2; is_taken(c, name); i++) name = name_format(names, "%s%d", letter, i);
  APPEND(c->frame->e->arena, &c->formula->generated, name);
  return name;
}

static void make_indices(const Context *c, const Binder *binder, Variable *variable) {
  Model *model = c->frame->e->model;
  for (int i = 0; i < binder->rank; i++) {
    Name name = binder->is_pack ? index_name(c, &binder->axes[i]) : binder->name;
    variable->indices[i] = index_new(model, name, binder->axes[i].extent);
  }
}

const Variable *bind_variables(const Context *c, const BinderList *binders,
                               const Index *const *given) {
  const Variable *variables = c->variables;
  for (int i = 0; i < binders->count; i++) {
    Variable *variable = NEW(c->frame->e->arena, Variable);
    variable->outer = variables;
    variable->binder = &binders->items[i];
    if (given && given[i])
      variable->indices[0] = given[i];
    else
      make_indices(c, variable->binder, variable);
    variables = variable;
  }
  return variables;
}
