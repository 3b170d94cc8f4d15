/* Alike: nests that are the same but for the tensors they touch.

   A nest is written down as words in which every tensor, index and expression has the number of its first
   occurrence, and of each tensor stands what its use depends on: type, sizes, strides, what kind of place,
   and whose memory it shares. Nests with the same words are one family. Only where constants, sizes or the
   shape of the loops differ do nests differ. */
#include "loops/loop.h"

#include <string.h>

typedef struct Words {
  uint64_t *items;
  int count, capacity;
} Words;

typedef struct Signer {
  const Routine *routine;
  Arena *scratch; /* of the pass */
  Arena *local;   /* of one nest */
  Nest *nest;
  Words words;
  Map numbers; /* Tensor * or Index * -> uint64_t *: its number + 1 */
  int indices;
} Signer;

static void add_word(Signer *signer, uint64_t word) {
  APPEND(signer->scratch, &signer->words, word);
}

static void add_pointer(Signer *signer, const void *pointer) {
  add_word(signer, (uint64_t)(uintptr_t)pointer);
}

static bool add_known(Signer *signer, const void *object, int next) {
  uint64_t *number = map_get(&signer->numbers, object);
  bool is_known = number != NULL;
  if (!is_known) {
    number = NEW(signer->local, uint64_t);
    *number = (uint64_t)next + 1;
    map_put(&signer->numbers, object, number);
  }
  add_word(signer, *number);
  return is_known;
}

/* ---- tensors ---- */

/* How elements are reached; where an array stands makes no difference. */
typedef enum { REACH_ARRAY, REACH_LOCAL, REACH_DRAW, REACH_SCALAR, REACH_TABLE, REACH_VALUE } Reach;

static Reach reach_of(const Tensor *tensor, const Buffer *buffer) {
  if (tensor->role == ROLE_HYPER || tensor->role == ROLE_STEP) return REACH_VALUE;
  switch (buffer ? buffer->place : PLACE_MODEL) {
  case PLACE_REGISTER: return REACH_LOCAL;
  case PLACE_DRAW: return REACH_DRAW;
  case PLACE_SCALAR: return REACH_SCALAR;
  case PLACE_TABLE: return REACH_TABLE;
  case PLACE_MODEL:
  case PLACE_ARGUMENT:
  case PLACE_ARENA: break;
  }
  return REACH_ARRAY;
}

static void add_kind(Signer *signer, const Tensor *tensor, Reach reach) {
  bool callers = tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
  bool converted = callers && tensor->storage != STORE_REAL;
  const Equation *definition = tensor->definition;
  bool defined = reach == REACH_LOCAL && definition;
  add_word(signer, (uint64_t)reach);
  add_word(signer, (uint64_t)tensor->type);
  add_word(signer, converted ? (uint64_t)tensor->storage + 1 : 0);
  add_word(signer, defined ? (uint64_t)definition->reduction + 1 : 0);
  add_word(signer, reach == REACH_DRAW ? (uint64_t)definition->body->op : 0);
  if (reach == REACH_TABLE) add_pointer(signer, tensor);
  if (reach == REACH_VALUE) add_word(signer, (uint64_t)tensor->role);
}

static void add_shape(Signer *signer, const Tensor *tensor, const Buffer *buffer) {
  add_word(signer, (uint64_t)tensor->rank);
  for (int dim = 0; dim < tensor->rank; dim++) {
    add_pointer(signer, tensor->axes[dim].extent);
    add_pointer(signer, buffer ? buffer->strides[dim] : NULL);
  }
  add_word(signer, buffer ? (uint64_t)buffer->ring_steps : 0);
  add_word(signer, buffer && buffer->ring_steps > 0 ? (uint64_t)buffer->ring_dim : 0);
  add_pointer(signer, tensor->low);
  add_pointer(signer, tensor->high);
}

static void add_tensor(Signer *signer, const Tensor *tensor) {
  if (add_known(signer, tensor, signer->nest->tensors.count)) return;
  const Buffer *buffer = map_get(&signer->routine->buffers, tensor);
  APPEND(signer->routine->model->arena, &signer->nest->tensors, (Tensor *)tensor);
  add_kind(signer, tensor, reach_of(tensor, buffer));
  add_shape(signer, tensor, buffer);
  add_word(signer, buffer && buffer->shares);
  if (buffer && buffer->shares)
    add_tensor(signer, buffer->shares); /* which shares nothing itself */
}

/* ---- expressions ---- */

static void add_index(Signer *signer, const Index *index) {
  if (add_known(signer, index, signer->indices)) return;
  signer->indices++;
  add_pointer(signer, index->range);
}

static void add_leaf(Signer *signer, const Expr *node) {
  uint64_t bits;
  switch (node->op) {
  case OP_NUMBER:
    memcpy(&bits, &node->number, sizeof bits);
    add_word(signer, bits);
    break;
  case OP_INTEGER: add_word(signer, (uint64_t)node->integer); break;
  case OP_INDEX: add_index(signer, node->index); break;
  case OP_EXTENT: add_pointer(signer, node->extent); break;
  case OP_READ: add_tensor(signer, node->tensor); break;
  default: break;
  }
}

static void add_expression(Signer *signer, const Expr *e) {
  add_word(signer, e != NULL);
  if (!e) return;
  Map positions;
  map_init(&positions, signer->local);
  ExprList nodes = expr_postorder(signer->local, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    add_word(signer, (uint64_t)node->op << 32 | (uint64_t)node->type << 16 | (uint64_t)node->count);
    add_leaf(signer, node);
    for (int k = 0; k < node->count; k++) {
      const Expr **place = node->args[k] ? map_get(&positions, node->args[k]) : NULL;
      add_word(signer, place ? (uint64_t)(place - nodes.items) + 1 : 0);
    }
    map_put(&positions, node, &nodes.items[i]);
  }
}

/* ---- nodes ---- */

static void add_node(Signer *signer, const LoopNode *node) {
  add_word(signer, (uint64_t)node->kind << 32 | (uint64_t)node->combine << 16 | node->marks);
  add_word(signer, (uint64_t)node->lanes);
  add_word(signer, (uint64_t)node->step << 1 | (node->equation != NULL));
  add_word(signer, (uint64_t)node->grain);
  add_word(signer, (uint64_t)node->body.count);
  if (node->equation) {
    APPEND(signer->routine->model->arena, &signer->nest->begun,
           equation_source(signer->routine, (Equation *)node->equation));
  }
  add_expression(signer, node->begin);
  add_expression(signer, node->end);
  if (node->kind == LOOP_FOR) add_index(signer, node->index);
  add_expression(signer, node->condition);
  add_expression(signer, node->value);
  if (node->target) add_tensor(signer, node->target);
  int subscripts = node->target && node->kind == LOOP_STORE ? node->target->rank : 0;
  for (int dim = 0; dim < subscripts; dim++) add_expression(signer, node->subscripts[dim]);
}

/* As deep as loops and branches, which the rank limit bounds. */
static void add_body(Signer *signer, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    add_node(signer, body->items[i]);
    add_body(signer, &body->items[i]->body);
  }
}

static Name sign(Signer *signer, Names *signatures, Nest *nest) {
  signer->nest = nest;
  signer->local = arena_new();
  signer->words.count = 0;
  signer->indices = 0;
  map_init(&signer->numbers, signer->local);
  add_word(signer, nest->equations.count > 0);
  add_body(signer, &nest->body);
  arena_free(signer->local);
  return name_of_bytes(signatures, (const char *)signer->words.items,
                       (size_t)signer->words.count * sizeof signer->words.items[0]);
}

void routine_group(Routine *routine, bool shares) {
  Signer signer = {.routine = routine, .scratch = arena_new()};
  Names *signatures = names_new(signer.scratch);
  Arena *arena = routine->model->arena;
  Map families;
  map_init(&families, signer.scratch);
  for (int i = 0; i < routine->nests.count; i++) {
    Nest *nest = routine->nests.items[i];
    Name signature = sign(&signer, signatures, nest);
    nest->family = shares ? map_get(&families, signature) : NULL;
    if (!nest->family) {
      nest->family = NEW(arena, NestFamily);
      map_put(&families, signature, nest->family);
      APPEND(arena, &routine->families, nest->family);
    }
    APPEND(arena, &nest->family->members, nest);
  }
  arena_free(signer.scratch);
}
