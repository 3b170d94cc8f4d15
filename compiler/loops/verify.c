/* The verifier of loops: every index stands in its loop, every value is written before it is read, and
   everything has a place. */
#include "loops/loop.h"

typedef struct Verifier {
  const Routine *routine;
  Arena *arena, *scratch;
  Map open;    /* Index * in scope */
  Map written; /* Tensor * */
  const char *fault;
} Verifier;

static void fail(Verifier *verifier, const char *what, const char *name) {
  if (!verifier->fault) verifier->fault = arena_format(verifier->arena, "%s '%s'", what, name);
}

static void verify_expression(Verifier *verifier, const Expr *e) {
  if (!e) return;
  ExprList nodes = expr_postorder(verifier->scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (node->op == OP_INDEX && !map_get(&verifier->open, node->index)) {
      fail(verifier, "index outside its loop", node->index->name);
    }
    if (!is_read(node)) continue;
    const Buffer *buffer = map_get(&verifier->routine->buffers, node->tensor);
    if (!buffer) fail(verifier, "no place for", node->tensor->name);
    bool computed = routine_computes(verifier->routine, node->tensor);
    if (computed && buffer && buffer->place != PLACE_DRAW &&
        !map_has(&verifier->written, node->tensor) &&
        !map_has(&verifier->routine->recurrences, node->tensor)) {
      fail(verifier, "read before it is written:", node->tensor->name);
    }
  }
}

static void verify_body(Verifier *verifier, const LoopBody *body) {
  for (int i = 0; i < body->count && !verifier->fault; i++) {
    const LoopNode *node = body->items[i];
    verify_expression(verifier, node->begin);
    verify_expression(verifier, node->end);
    verify_expression(verifier, node->condition);
    if (node->kind == LOOP_FOR) map_put(&verifier->open, node->index, verifier);
    verify_expression(verifier, node->value);
    if (node->kind == LOOP_STORE) {
      for (int dim = 0; dim < node->target->rank; dim++) {
        verify_expression(verifier, node->subscripts[dim]);
      }
    }
    if (node->target) map_put(&verifier->written, node->target, verifier);
    verify_body(verifier, &node->body);
    if (node->kind == LOOP_FOR) map_put(&verifier->open, node->index, NULL);
  }
}

/* Arena buffers that live at the same time do not overlap. */
static void verify_arena(Verifier *verifier) {
  const Map *buffers = &verifier->routine->buffers;
  for (int i = 0; i < buffers->count; i++) {
    const Buffer *a = buffers->values[i];
    if (a->place != PLACE_ARENA) continue;
    for (int k = 0; k < i; k++) {
      const Buffer *b = buffers->values[k];
      if (b->place != PLACE_ARENA || a->last < b->first || b->last < a->first) continue;
      bool apart = a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
      if (!apart) fail(verifier, "two tensors in one place, one of them", a->tensor->name);
    }
  }
}

const char *routine_verify(const Routine *routine, Arena *arena) {
  Verifier verifier = {.routine = routine, .arena = arena, .scratch = arena_new()};
  map_init(&verifier.open, verifier.scratch);
  map_init(&verifier.written, verifier.scratch);
  for (int i = 0; i < routine->nests.count; i++) {
    verify_body(&verifier, &routine->nests.items[i]->body);
  }
  verify_arena(&verifier);
  arena_free(verifier.scratch);
  return verifier.fault;
}
