/* Across: the parts of a serial loop are divided alike, as the samples of a batch in every step of a recurrence.

   Loops are looked for inside it that have one range and hold all that it does to memory. When an iteration has the
   elements that it writes to itself, in all parts and steps, and is the only one to read them, threads go through
   the serial loop without waiting for each other, each with rows that stay in its own cache. A tile takes several
   rows: in every part as many are dealt out together. Where they may leave some rows, those of a batch of run time, the
   last tile of each thread begins earlier and takes rows of its own twice. */
#include "loops/threads.h"

typedef struct Across {
  const Routine *routine;
  Arena *scratch;
  double least;            /* work of a loop */
  const Expr *begin, *end; /* the range of all: */
  int64_t grain;           /* the longest step of one */
  LIST_OF(LoopNode *) loops;
} Across;

static bool is_along(const Across *across, LoopNode *node) {
  if (node->kind != LOOP_FOR || node->begin != across->begin || node->end != across->end ||
      (node->marks & MARK_DOWN) || node_work(across->routine->model->exprs, node) < across->least)
    return false;
  loop_set_grain(node, node->step);
  bool found = loop_is_independent(across->routine, node);
  if (!found) loop_set_grain(node, 0);
  return found;
}

/* What all threads ask for, whoever wrote it. */
static bool asks_memory(const Across *across, const LoopNode *node) {
  TouchList touches = {0};
  touches_of(across->scratch, node, false, &touches);
  return touches.count > 0;
}

static bool cover_body(Across *across, const LoopBody *body);

/* Finds the loops that do what the node does to memory; false: something else does, too. */
static bool cover(Across *across, LoopNode *node) {
  if (node->kind == LOOP_FETCH) return true;
  if (node->kind == LOOP_STORE || node->kind == LOOP_DECLARE) return false;
  if (!is_along(across, node)) return !asks_memory(across, node) && cover_body(across, &node->body);
  APPEND(across->scratch, &across->loops, node);
  if (node->step > across->grain) across->grain = node->step;
  return true;
}

static bool cover_body(Across *across, const LoopBody *body) {
  bool covers = true;
  for (int i = 0; i < body->count && covers; i++) covers = cover(across, body->items[i]);
  return covers;
}

/* Every loop takes what a thread has: rows one by one, or tiles of which the last may begin earlier in it. Only of a
   range with fewer rows than a block has are parts smaller than that, and there no loop takes tiles. */
static bool is_dealt_evenly(const Across *across) {
  const Expr *begin = across->begin, *end = across->end;
  if (begin->op != OP_INTEGER || begin->integer != 0 || !is_uniform(end)) return false;
  bool is_whole = end->op == OP_INTEGER && end->integer % across->grain == 0;
  for (int i = 0; i < across->loops.count; i++) {
    const LoopNode *loop = across->loops.items[i];
    if (is_whole && across->grain % loop->step != 0) return false;
    bool is_tiled = loop->step == across->grain && loop_first_row(loop);
    if (!is_whole && loop->step > 1 && !is_tiled) return false;
  }
  int64_t count = end->op == OP_INTEGER ? end->integer : extent_maximum(end->extent);
  int64_t blocks = (count + across->grain - 1) / across->grain;
  return keeps_busy((double)blocks);
}

/* All parts of the serial loop, by loops with the range of that one. */
static bool divide_along(const Routine *routine, double least, LoopNode *serial,
                         const LoopNode *first) {
  Across across = {.routine = routine, .scratch = arena_new(), .least = least, .grain = 1};
  across.begin = first->begin;
  across.end = first->end;
  bool found = cover_body(&across, &serial->body) && across.loops.count > 0 &&
               is_dealt_evenly(&across) &&
               loops_go_apart(routine, across.loops.items, across.loops.count);
  for (int i = 0; i < across.loops.count; i++) {
    loop_set_grain(across.loops.items[i], found ? across.grain : 0);
    if (found) across.loops.items[i]->marks |= MARK_PARALLEL;
  }
  arena_free(across.scratch);
  return found;
}

/* The ranges of the loops around what comes first, from the outermost in. */
bool divide_across(const Routine *routine, double least, LoopNode *serial) {
  for (const LoopBody *body = &serial->body; body->count > 0; body = &body->items[0]->body) {
    const LoopNode *first = body->items[0];
    if (first->kind == LOOP_FOR && divide_along(routine, least, serial, first)) return true;
  }
  return false;
}
