/* The order in which the statements of a frame run: as written, but each after those it mentions. Depth
   first with a stack of our own, since a source may hold a hundred thousand statements in reverse. Inside
   a scan the order stays as written: there equations read each other around the loop. */
#include "elaborate/statements.h"

#include <string.h>

enum { UNSEEN, OPEN, PLACED };

typedef struct Visit {
  Statement *statement;
  StatementList waits_for;
  int next;
} Visit;

typedef struct Sorter {
  const Frame *frame;
  Map applied; /* Name of `use` -> StatementList * of the statements that mention it */
  LIST_OF(Visit) stack;
  StatementList ordered;
} Sorter;

static void add_statement(const Sorter *sorter, Visit *visit, Statement *other) {
  bool same_scan = other->scan && other->scan == visit->statement->scan;
  if (other == visit->statement || same_scan || other->mark == PLACED) return;
  APPEND(sorter->frame->e->arena, &visit->waits_for, other);
}

/* `emb.E` is made where `emb` is applied. */
static void add_owner(const Sorter *sorter, Visit *visit, Name name) {
  const char *dot = strchr(name, '.');
  if (!dot) return;
  Name owner = name_of_bytes(sorter->frame->e->names, name, (size_t)(dot - name));
  const Binding *binding = map_get(&sorter->frame->bindings, owner);
  if (binding && binding->statement) add_statement(sorter, visit, binding->statement);
  const StatementList *list = map_get(&sorter->applied, owner);
  for (int i = 0; list && i < list->count; i++) add_statement(sorter, visit, list->items[i]);
}

static void add_name(const Sorter *sorter, Visit *visit, Name name) {
  const Binding *binding = map_get(&sorter->frame->bindings, name);
  if (binding && binding->statement) add_statement(sorter, visit, binding->statement);
  if (!binding) add_owner(sorter, visit, name);
}

static void add_names(const Sorter *sorter, Visit *visit, const Node *node) {
  if (!node) return;
  if (node->kind == NODE_IDENT || node->kind == NODE_LHS) add_name(sorter, visit, node->name);
  for (int i = 0; i < node->count; i++) add_names(sorter, visit, node->parts[i]);
}

static void open_visit(Sorter *sorter, Statement *statement) {
  Visit visit = {.statement = statement};
  statement->mark = OPEN;
  add_names(sorter, &visit, statement->node);
  APPEND(sorter->frame->e->arena, &sorter->stack, visit);
}

static void place(Sorter *sorter, Statement *statement) {
  if (statement->mark != UNSEEN) return;
  open_visit(sorter, statement);
  while (sorter->stack.count > 0) {
    Visit *visit = &sorter->stack.items[sorter->stack.count - 1];
    if (visit->next < visit->waits_for.count) {
      Statement *next = visit->waits_for.items[visit->next++];
      if (next->mark == UNSEEN) open_visit(sorter, next);
      continue;
    }
    visit->statement->mark = PLACED;
    APPEND(sorter->frame->e->arena, &sorter->ordered, visit->statement);
    sorter->stack.count--;
  }
}

/* Statements that mention a name bound by `use`. */
static void note_uses(Sorter *sorter, Statement *statement, const Node *node) {
  if (!node) return;
  if (node->kind == NODE_IDENT) {
    StatementList *list = map_get(&sorter->applied, node->name);
    if (list) APPEND(sorter->frame->e->arena, list, statement);
  }
  for (int i = 0; i < node->count; i++) note_uses(sorter, statement, node->parts[i]);
}

static void find_uses(Sorter *sorter) {
  const StatementList *statements = &sorter->frame->statements;
  Arena *arena = sorter->frame->e->arena;
  map_init(&sorter->applied, arena);
  for (int i = 0; i < statements->count; i++) {
    const Node *node = statements->items[i]->node;
    if (node->kind == NODE_USE) map_put(&sorter->applied, node->name, NEW(arena, StatementList));
  }
  for (int i = 0; sorter->applied.count > 0 && i < statements->count; i++) {
    note_uses(sorter, statements->items[i], statements->items[i]->node);
  }
}

StatementList order_statements(const Frame *frame) {
  Sorter sorter = {.frame = frame};
  find_uses(&sorter);
  for (int i = 0; i < frame->statements.count; i++) place(&sorter, frame->statements.items[i]);
  return sorter.ordered;
}
