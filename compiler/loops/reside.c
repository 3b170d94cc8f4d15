/* Residence: a value that is copied, element by element, into a part of another is stored right there.

     for n, k: q[n, k] = ...; ...; for n, k: z[n, 0, k] = q[n, k]

   as the adjoint of a value that was read part by part is put together. The copy falls away; the other then has
   memory from where the first of its parts is computed. */
#include "loops/build.h"
#include "loops/lives.h"

typedef struct Residence {
  Routine *routine;
  Arena *scratch;
  Lives lives;         /* as all was before the first copy fell away */
  Map hosts;           /* Tensor *, parts of which were copies -> the last of these */
  Map residents;       /* Tensor * that is stored elsewhere -> itself */
  Map removed;         /* LoopNode * -> itself */
  EquationList stated; /* that have no loop of their own any more */
} Residence;

typedef struct Resident {
  const Life *life;   /* of the value */
  const Access *copy; /* its only read, by a store to the other */
} Resident;

static const Tensor *host_of(const Resident *resident) {
  return resident->copy->node->target;
}

/* ---- which ---- */

/* Nothing outside the routine says where it lies, and no steps of a recurrence. */
static bool is_movable(const Residence *residence, const Tensor *tensor) {
  const Routine *routine = residence->routine;
  return tensor->role == ROLE_VALUE && tensor->type == TYPE_REAL && tensor->rank > 0 &&
         !map_has(&routine->roots, tensor) && !map_has(&routine->segments, tensor) &&
         !map_has(&routine->recurrences, tensor) && !map_has(&routine->carried, tensor);
}

static bool is_assigned(const LoopNode *node) {
  return node->kind == LOOP_STORE && node->combine == REDUCE_NONE;
}

/* Each element is assigned, and read by one statement, which stores it as it is. */
static bool find_copy(Resident *resident) {
  const Life *life = resident->life;
  for (int i = 0; i < life->accesses.count; i++) {
    const Access *access = &life->accesses.items[i];
    if (!is_assigned(access->node)) return false;
    if (access->node->target == life->tensor) continue;
    const Expr *value = access->node->value;
    if (resident->copy || !is_read(value) || value->tensor != life->tensor || read_default(value))
      return false;
    resident->copy = access;
  }
  return resident->copy;
}

static bool is_whole(Model *model, const LoopNode *loop, const Extent *extent) {
  return loop->kind == LOOP_FOR && loop->segment == 0 && loop->lanes == 0 &&
         loop_is_whole(model->exprs, loop, extent);
}

static int position_of(const Expr *const *subscripts, int rank, const Index *index) {
  int at = 0;
  while (at < rank && lone_index(subscripts[at]) != index) at++;
  return at;
}

/* The loops around the copy go through all elements of the value, each once. */
static bool goes_through_all(const Residence *residence, const Resident *resident) {
  const Access *copy = resident->copy;
  const Tensor *value = resident->life->tensor;
  if (copy->depth != value->rank) return false;
  for (int i = 0; i < copy->depth; i++) {
    const LoopNode *loop = copy->path[i];
    if (loop->kind != LOOP_FOR) return false;
    int dim = position_of(copy->node->value->args, value->rank, loop->index);
    if (dim == value->rank || !is_whole(residence->routine->model, loop, value->axes[dim].extent))
      return false;
  }
  return true;
}

/* Each dim of the other is one of the value, or at one place; rows lie along rows. */
static bool is_part(const Resident *resident) {
  const LoopNode *node = resident->copy->node;
  int rank = resident->life->tensor->rank, found = 0;
  for (int dim = 0; dim < node->target->rank; dim++) {
    double number;
    const Index *index = lone_index(node->subscripts[dim]);
    if (!index && !is_number(node->subscripts[dim], &number)) return false;
    found += index && position_of(node->value->args, rank, index) < rank;
  }
  const Index *last = lone_index(node->subscripts[node->target->rank - 1]);
  return found == rank && last && last == lone_index(node->value->args[rank - 1]);
}

/* Nobody reads the other before the copy. */
static bool is_first_use(const Residence *residence, const Resident *resident) {
  const Life *host = map_get(&residence->lives.by_tensor, host_of(resident));
  for (int i = 0; i < host->accesses.count; i++) {
    const Access *access = &host->accesses.items[i];
    bool stores = is_assigned(access->node) && access->node->target == host->tensor;
    if (access->sequence < resident->copy->sequence && !stores) return false;
  }
  return true;
}

static bool may_reside(const Residence *residence, Resident *resident) {
  const Tensor *value = resident->life->tensor;
  if (!is_movable(residence, value) || map_has(&residence->hosts, value)) return false;
  if (!find_copy(resident) || !is_movable(residence, host_of(resident))) return false;
  return !map_has(&residence->residents, host_of(resident)) &&
         goes_through_all(residence, resident) && is_part(resident) &&
         is_first_use(residence, resident);
}

/* ---- the copy falls away ---- */

/* What a removed node began, begins where the next part is copied; without one it has no loop of its own any more. */
static void restate(Residence *residence, const Tensor *host, const Equation *equation) {
  const Life *life = map_get(&residence->lives.by_tensor, host);
  for (int i = 0; i < life->accesses.count; i++) {
    LoopNode *node = life->accesses.items[i].node;
    if (node->target != host || node->equation || map_has(&residence->removed, node)) continue;
    node->equation = equation;
    return;
  }
  APPEND(residence->scratch, &residence->stated, (Equation *)equation);
}

static void body_remove(LoopBody *body, const LoopNode *node) {
  int kept = 0;
  for (int i = 0; i < body->count; i++)
    if (body->items[i] != node) body->items[kept++] = body->items[i];
  body->count = kept;
}

/* And the loops around it that have nothing else to do. */
static void remove_copy(Residence *residence, const Resident *resident) {
  const Access *copy = resident->copy;
  const Tensor *host = host_of(resident);
  LoopNode *node = copy->node;
  map_put(&residence->removed, node, node);
  for (int depth = copy->depth; depth >= 0; depth--) {
    LoopBody *body = depth > 0 ? &copy->path[depth - 1]->body
                               : &residence->routine->nests.items[copy->nest]->body;
    body_remove(body, node);
    if (node->equation) restate(residence, host, node->equation);
    if (depth == 0 || body->count > 0) return;
    node = copy->path[depth - 1];
  }
}

/* What was stored to the value goes to its place in the other. */
static void redirect(const Residence *residence, const Resident *resident, LoopNode *store) {
  const LoopNode *copy = resident->copy->node;
  const Tensor *host = copy->target;
  int rank = resident->life->tensor->rank;
  const Expr **subscripts = NEW_ARRAY(residence->routine->model->arena, const Expr *, host->rank);
  for (int dim = 0; dim < host->rank; dim++) {
    const Index *index = lone_index(copy->subscripts[dim]);
    subscripts[dim] = index ? store->subscripts[position_of(copy->value->args, rank, index)]
                            : copy->subscripts[dim];
  }
  store->target = host;
  store->subscripts = subscripts;
}

static void take_up(Residence *residence, const Resident *resident) {
  const Life *life = resident->life;
  map_put(&residence->hosts, host_of(resident), (void *)life->tensor);
  map_put(&residence->residents, life->tensor, (void *)life->tensor);
  remove_copy(residence, resident);
  for (int i = 0; i < life->accesses.count; i++) {
    LoopNode *node = life->accesses.items[i].node;
    if (node->target == life->tensor) redirect(residence, resident, node);
  }
}

/* A nest that only copied is part of the one before it. */
static void drop_empty_nests(Routine *routine) {
  int kept = 0, before_commit = routine->nests_before_commit;
  for (int i = 0; i < routine->nests.count; i++) {
    Nest *nest = routine->nests.items[i];
    if (nest->body.count > 0) {
      routine->nests.items[kept++] = nest;
      continue;
    }
    for (int k = 0; k < nest->equations.count; k++)
      APPEND(routine->model->arena, &routine->nests.items[kept - 1]->equations,
             nest->equations.items[k]);
    if (i < before_commit) routine->nests_before_commit--;
  }
  routine->nests.count = kept;
}

/* They come first: those computed where they are read may read them. */
static void state_first(Routine *routine, const EquationList *stated) {
  EquationList inlined = {0};
  for (int i = 0; i < stated->count; i++) APPEND(routine->model->arena, &inlined, stated->items[i]);
  for (int i = 0; i < routine->inlined.count; i++)
    APPEND(routine->model->arena, &inlined, routine->inlined.items[i]);
  routine->inlined = inlined;
}

void routine_reside(Routine *routine) {
  Residence residence = {.routine = routine, .scratch = arena_new()};
  map_init(&residence.hosts, residence.scratch);
  map_init(&residence.residents, residence.scratch);
  map_init(&residence.removed, residence.scratch);
  residence.lives = lives_of(routine, residence.scratch);
  for (int i = 0; i < residence.lives.by_tensor.count; i++) {
    Resident resident = {.life = residence.lives.by_tensor.values[i]};
    if (may_reside(&residence, &resident)) take_up(&residence, &resident);
  }
  drop_empty_nests(routine);
  if (residence.stated.count > 0) state_first(routine, &residence.stated);
  arena_free(residence.scratch);
}
