/* In which order tensors and elements are evaluated: whole tensors in the order of need, and the tensors
   of a recurrence element by element, each after those it turns out to read. Both keep a stack of their
   own, so neither a thousand layers nor a thousand steps back in time recurse. */
#include "equations/interpreter_code.h"

typedef LIST_OF(Element) ElementList;
typedef LIST_OF(Cell *) CellList;

/* ---- elements ---------------------------------------------------------------------------------- */

static bool fail_cycle(Interpreter *interpreter, const ElementList *stack, Element again) {
  Text text;
  text_init(&text, interpreter->arena);
  int first = 0;
  for (int i = 0; i < stack->count; i++)
    if (stack->items[i].cell == again.cell && stack->items[i].address == again.address) first = i;
  for (int i = first; i < stack->count && i < first + 8; i++)
    text_add(&text, "%s needs ", element_name(interpreter, stack->items[i]));
  if (stack->count > first + 8) text_add(&text, "... needs ");
  return interpreter_fail(interpreter, "circular equations: %s%s", text.bytes,
                          element_name(interpreter, again));
}

static bool push_element(Interpreter *interpreter, Arena *scratch, ElementList *stack,
                         Element element) {
  unsigned char *state = &element.cell->states[element.address];
  if (*state == ELEMENT_IN_PROGRESS) return fail_cycle(interpreter, stack, element);
  *state = ELEMENT_IN_PROGRESS;
  APPEND(scratch, stack, element);
  return true;
}

/* An element that lacks another is left and evaluated again from its start after the other. */
static bool evaluate_element(Interpreter *interpreter, Arena *scratch, Element element) {
  ElementList stack = {0};
  bool going = push_element(interpreter, scratch, &stack, element);
  while (going && stack.count > 0) {
    Element top = stack.items[stack.count - 1], missing;
    Dual *result = &top.cell->values[top.address];
    Outcome outcome = code_evaluate(interpreter, top.cell->code, top.address, result, &missing);
    if (outcome == OUTCOME_FAILED) return false;
    if (outcome == OUTCOME_MISSING) {
      going = push_element(interpreter, scratch, &stack, missing);
    } else {
      top.cell->states[top.address] = ELEMENT_KNOWN;
      stack.count--;
    }
  }
  return going;
}

static bool evaluate_elements(Interpreter *interpreter, Cell *cell) {
  Arena *scratch = arena_new();
  bool fine = true;
  for (int64_t address = 0; fine && address < cell->count; address++)
    if (cell->states[address] != ELEMENT_KNOWN)
      fine = evaluate_element(interpreter, scratch, (Element){cell, address});
  arena_free(scratch);
  return fine;
}

/* ---- tensors ----------------------------------------------------------------------------------- */

/* Tarjan (1972): components of tensors that need each other, the needed ones first. */
typedef struct Visit {
  Cell *cell;
  int next; /* of the tensors it reads */
} Visit;

typedef struct Ordering {
  Arena *scratch;
  LIST_OF(Visit) visits;
  CellList waiting;
  int entered;
} Ordering;

static bool enter(Interpreter *interpreter, Ordering *ordering, Cell *cell) {
  if (!cell_prepare(interpreter, cell)) return false;
  if (cell->complete) return true;
  cell->entered = cell->lowest = ++ordering->entered;
  cell->waiting = true;
  APPEND(ordering->scratch, &ordering->waiting, cell);
  APPEND(ordering->scratch, &ordering->visits, (Visit){cell, 0});
  return true;
}

static void take_component(Ordering *ordering, const Cell *root, CellList *component) {
  Cell *cell;
  do {
    cell = ordering->waiting.items[--ordering->waiting.count];
    cell->waiting = false;
    cell->entered = 0;
    APPEND(ordering->scratch, component, cell);
  } while (cell != root);
}

static bool evaluate_component(Interpreter *interpreter, const CellList *component) {
  for (int i = component->count - 1; i >= 0; i--) {
    Cell *cell = component->items[i];
    if (!evaluate_elements(interpreter, cell)) return false;
    cell->complete = true;
    if (!cell_finish(interpreter, cell)) return false;
  }
  return true;
}

/* All that the tensor reads has been visited: it is the root of a component, or tells its reader. */
static bool leave(Interpreter *interpreter, Ordering *ordering, Cell *cell) {
  ordering->visits.count--;
  if (ordering->visits.count > 0) {
    Cell *reader = ordering->visits.items[ordering->visits.count - 1].cell;
    if (cell->lowest < reader->lowest) reader->lowest = cell->lowest;
  }
  if (cell->lowest < cell->entered) return true;
  CellList component = {0};
  take_component(ordering, cell, &component);
  return evaluate_component(interpreter, &component);
}

static bool visit(Interpreter *interpreter, Ordering *ordering) {
  Visit *top = &ordering->visits.items[ordering->visits.count - 1];
  Cell *cell = top->cell;
  if (top->next == cell->code->reads.count) return leave(interpreter, ordering, cell);
  Cell *read = cell->code->reads.items[top->next++];
  if (read->waiting) {
    if (read->entered < cell->lowest) cell->lowest = read->entered;
    return true;
  }
  if (!read->complete && !enter(interpreter, ordering, read)) return false;
  return !read->complete || cell_check(interpreter, read);
}

static void forget_visits(const Ordering *ordering) {
  for (int i = 0; i < ordering->waiting.count; i++) {
    ordering->waiting.items[i]->waiting = false;
    ordering->waiting.items[i]->entered = 0;
  }
}

bool cell_evaluate(Interpreter *interpreter, Cell *cell) {
  Ordering ordering = {.scratch = arena_new()};
  bool fine = enter(interpreter, &ordering, cell);
  while (fine && ordering.visits.count > 0) fine = visit(interpreter, &ordering);
  forget_visits(&ordering);
  arena_free(ordering.scratch);
  return fine;
}
