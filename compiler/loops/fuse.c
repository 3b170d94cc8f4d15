/* Fusion: which equations share loops.

   Equations are taken in order. Each asks for its loops (schedule_of) and is offered the loops that stand open at
   the end of the cluster which produced the last of its inputs: it shares the d outermost of them, d as great as
   possible, when on each shared loop every tensor it reads from inside that loop is finished there (the loop does
   not reduce it) and is read at the loop's own index. So softmax, norms and cross entropy become one nest with
   short passes over a row. One that shares none runs in the loops of another that goes through the same elements,
   in one pass, as does one that reduces the same as the one before. A loop that does the work of its nest (stores
   stand right in it) is shared only by equations whose innermost loop it would be too, so that short loops stay
   simple. Of elementary functions over a row each has such a loop for itself. The result is one nest, hence one C
   function, per cluster. */
#include "loops/build.h"
#include "loops/carry.h"
#include "loops/copies.h"
#include "loops/epilogue.h"
#include "loops/recurrence.h"
#include "loops/threads.h"

#include "calculus/common.h"
#include "equations/affine.h"

/* Of one nest, to which more is added: keeps generated functions short. */
enum { MOST_EQUATIONS = 11, MOST_NODES = 80 };

/* A loop that later equations may share. */
typedef struct OpenLoop {
  LoopNode *node;
  const Expr *value; /* its index, or the step that it stands for in its segment */
  int group;         /* of the recurrence it steps; 0: none */
  bool is_strip;     /* over the steps of a segment, one after the other */
  bool is_reduced;   /* some equation sums over it */
  /* Made for a sum that goes with a recurrence. What else stands in the step waits for nothing, and may be divided. */
  bool adds;
} OpenLoop;

typedef struct Cluster {
  Nest *nest;
  OpenLoop open[MAX_LOOPS]; /* the chain of last nodes */
  int open_count;
  const Segments *segments; /* its outermost loop, when it is one over these; null: it is not */
  bool commits;             /* holds an update: nothing the loss needs may join */
  bool in_forward;          /* made before the loss was known */
  int number;
} Cluster;

/* Where a tensor was computed: its cluster and the loops around it. */
typedef struct Origin {
  Cluster *cluster;
  LoopNode *loops[MAX_LOOPS];
  int dims
      [MAX_LOOPS]; /* dim of the tensor that the loop runs over; -1: the loop reduces it, or a composite */
  int count;
} Origin;

typedef struct Fuser {
  Routine *routine;
  Arena *scratch;
  bool shares; /* loops that equations need not share */
  LIST_OF(Cluster *) clusters;
  Map origins;          /* Tensor * -> Origin * */
  Map commits;          /* Tensor *, the value of an update -> the tensor it is for */
  Map readers;          /* Tensor * -> the last Cluster * that reads it */
  const Equation *last; /* that was placed */
  CommonVariables common;
  Fusion fusion; /* of the equation at hand, as far as it is decided */
} Fuser;

static Origin *origin_of(const Fuser *fuser, const Tensor *tensor) {
  return map_get(&fuser->origins, tensor);
}

/* ---- may this loop be shared? ---- */

static int origin_loop(const Origin *origin, const LoopNode *loop) {
  for (int i = 0; i < origin->count; i++) {
    if (origin->loops[i] == loop) return i;
  }
  return -1;
}

static Parting parting_of_read(Fuser *fuser, const Equation *equation, const Expr *read,
                               const LoopNode *loop, const Index *index) {
  const Origin *origin = origin_of(fuser, read->tensor);
  int at = origin ? origin_loop(origin, loop) : -1;
  if (at < 0) return PARTING_NONE;
  if (recurrence_lag(fuser->scratch, fuser->routine, equation, read) != 0) return PARTING_NONE;
  if (origin->dims[at] < 0) return PARTING_UNFINISHED;
  const RecurrentEquation *along = map_get(&fuser->routine->carried, equation->target);
  if (along && index == equation->reduced[0])
    return carried_reads_step(fuser->routine, fuser->scratch, read->args[origin->dims[at]], along,
                              index)
               ? PARTING_NONE
               : PARTING_ELSEWHERE;
  return lone_index(read->args[origin->dims[at]]) == index ? PARTING_NONE : PARTING_ELSEWHERE;
}

/* A loop, or branches around one. */
static bool is_loop(const LoopNode *node) {
  while (node->kind == LOOP_IF) node = node->body.items[node->body.count - 1];
  return node->kind == LOOP_FOR;
}

static bool has_only_loops(const LoopNode *loop) {
  for (int i = 0; i < loop->body.count; i++) {
    if (!is_loop(loop->body.items[i])) return false;
  }
  return true;
}

/* Whether stores of rank-1 work stand right in the loop with no loop below. */
static bool is_innermost(const LoopNode *loop) {
  for (int i = 0; i < loop->body.count; i++) {
    if (is_loop(loop->body.items[i])) return false;
  }
  return true;
}

enum {
  LEAST_COST = 12,   /* of a function: many operations, of which each waits for the one before */
  LEAST_VECTORS = 2, /* in a row for a loop of its own, */
  PART_OF_CACHE = 8  /* and the part of the first cache that it takes at most */
};

static bool has_function(const Fuser *fuser, const Expr *e) {
  ExprList nodes = expr_postorder(fuser->scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++)
    if (op_cost(nodes.items[i]->op) >= LEAST_COST) return true;
  return false;
}

static bool computes_function(const Fuser *fuser, const LoopNode *loop) {
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    if (node->value && has_function(fuser, node->value)) return true;
  }
  return false;
}

/* A processor has a limited number of operations at work, and finds more that do not wait for each other in two short
   loops over a row than in one: where that stays in the first cache, each function has a loop of its own. */
static bool has_row_for_itself(const Fuser *fuser, const Equation *equation,
                               const Schedule *schedule, const LoopNode *loop, int depth) {
  const Target *target = fuser->routine->target;
  int64_t bytes = extent_maximum(loop->index->range) * fuser->routine->bytes_of_real;
  return depth > 0 && !schedule->reduced[depth] && bytes >= LEAST_VECTORS * target->vector_bytes &&
         bytes <= target->caches.first / PART_OF_CACHE && has_function(fuser, equation->body) &&
         computes_function(fuser, loop);
}

/* The variable of the equation that counts the steps of a segment; null: it does not run in segments. */
static const Index *strip_variable(const Fuser *fuser, const Equation *equation) {
  const SegmentedEquation *segmented = map_get(&fuser->routine->segments, equation->target);
  return segmented ? segmented->time : NULL;
}

/* The loop is that of the recurrence with which the equation, a sum over its steps, goes. */
static bool takes_steps_along(const Fuser *fuser, const Equation *equation, const OpenLoop *open,
                              const Index *index) {
  const RecurrentEquation *along = map_get(&fuser->routine->carried, equation->target);
  return along && index == equation->reduced[0] && open->group == along->group;
}

/* As many iterations, in an order that suits. */
static bool has_same_range(Fuser *fuser, const Equation *equation, const Schedule *schedule,
                           const OpenLoop *open, int depth) {
  const Index *index = schedule->indices[depth];
  if (open->node->segment > 0) return false;
  if (takes_steps_along(fuser, equation, open, index)) return true;
  if (schedule->reduced[depth] && (open->node->marks & MARK_DOWN)) return false;
  bool counts_steps = index == strip_variable(fuser, equation);
  if (open->is_strip || counts_steps)
    return open->is_strip && counts_steps && !schedule->reduced[depth];
  return open->node->index->range == index->range;
}

static Parting parting_of_reads(Fuser *fuser, const Equation *equation, const ExprList *reads,
                                const LoopNode *loop, const Index *index) {
  for (int i = 0; i < reads->count; i++) {
    Parting parting = parting_of_read(fuser, equation, reads->items[i], loop, index);
    if (parting == PARTING_NONE) continue;
    fuser->fusion.read = reads->items[i]->tensor;
    return parting;
  }
  return PARTING_NONE;
}

/* ---- threads ---- */

enum {
  DIVIDED = 16, /* times the least work that is worth dividing: of a whole loop */
  FEW = 8       /* times less work than a pass of its own costs little */
};

/* Operations of the equation in loops of its own. */
static double work_alone(const Fuser *fuser, const Equation *equation, const Schedule *schedule) {
  double work = 1;
  ExprList nodes = expr_postorder(fuser->scratch, &equation->body, 1);
  for (int i = 0; i < nodes.count; i++) work += op_cost(nodes.items[i]->op);
  for (int i = 0; i < schedule->count; i++)
    work *= (double)extent_maximum(schedule->indices[i]->range);
  return work;
}

/* A loop that is divided among threads is not when something sums over it; what does, or what finds such a sum there
   and has much to do, goes by itself. */
static bool keeps_from_dividing(const Fuser *fuser, const Equation *equation,
                                const Schedule *schedule, const OpenLoop *outermost) {
  double least = DIVIDED * (double)fuser->routine->target->threads.least;
  bool is_reduced = schedule->reduced[0];
  if (least == 0 || is_reduced == outermost->is_reduced || outermost->group) return false;
  double alone = work_alone(fuser, equation, schedule);
  double there = node_work(fuser->routine->model->exprs, outermost->node);
  return is_reduced ? there >= least && there >= FEW * alone : alone >= least;
}

/* From the loop that stands open at this depth; NONE: it may be shared. */
static Parting parting_at(Fuser *fuser, const Cluster *cluster, const Equation *equation,
                          const ExprList *reads, const Schedule *schedule, int depth) {
  const OpenLoop *open = &cluster->open[depth];
  const Index *index = schedule->indices[depth];
  const RecurrentEquation *recurrent = map_get(&fuser->routine->recurrences, equation->target);
  if (!has_same_range(fuser, equation, schedule, open, depth)) return PARTING_EXTENT;
  if (recurrent && index == recurrent->time && open->group != recurrent->group)
    return PARTING_STEPS;
  bool is_carried = map_has(&fuser->routine->carried, equation->target);
  if (depth > 0 && open->adds != is_carried) return PARTING_STEPS;
  if (open->group && schedule->reduced[depth] && !takes_steps_along(fuser, equation, open, index))
    return PARTING_STEPS;
  if (depth == 0 && keeps_from_dividing(fuser, equation, schedule, open)) return PARTING_DIVIDED;
  bool ends_here = depth == schedule->count - 1;
  if (is_innermost(open->node) && !ends_here) return PARTING_INNERMOST;
  if (ends_here && has_only_loops(open->node) && schedule->count > 1) return PARTING_OUTER;
  if (ends_here && has_row_for_itself(fuser, equation, schedule, open->node, depth))
    return PARTING_FUNCTIONS;
  return parting_of_reads(fuser, equation, reads, open->node, index);
}

/* `depth`: so many are shared in any case. */
static int shared_depth(Fuser *fuser, const Cluster *cluster, const Equation *equation,
                        const ExprList *reads, const Schedule *schedule, int depth) {
  Parting parting = fuser->shares ? PARTING_NONE : PARTING_SKIPPED;
  while (parting == PARTING_NONE && depth < schedule->count) {
    if (depth == cluster->open_count)
      parting = PARTING_CLOSED;
    else if (depth == schedule->sharable)
      parting = PARTING_INNER;
    else
      parting = parting_at(fuser, cluster, equation, reads, schedule, depth);
    depth += parting == PARTING_NONE;
  }
  fuser->fusion.parting = parting;
  return depth;
}

/* ---- which cluster ---- */

static Cluster *cluster_new(Fuser *fuser, bool in_forward) {
  Cluster *cluster = NEW(fuser->scratch, Cluster);
  cluster->nest = NEW(fuser->routine->model->arena, Nest);
  cluster->in_forward = in_forward;
  cluster->number = fuser->clusters.count;
  APPEND(fuser->scratch, &fuser->clusters, cluster);
  return cluster;
}

/* Of what is read: the cluster that comes last. */
static Cluster *last_producer(Fuser *fuser, const ExprList *reads) {
  Cluster *last = NULL;
  for (int i = 0; i < reads->count; i++) {
    const Origin *origin = origin_of(fuser, reads->items[i]->tensor);
    if (!origin || (last && origin->cluster->number <= last->number)) continue;
    last = origin->cluster;
    fuser->fusion.producer = last->nest;
    fuser->fusion.read = reads->items[i]->tensor;
  }
  return last;
}

static bool same_layer(const Cluster *cluster, const Equation *equation) {
  const EquationList *equations = &cluster->nest->equations;
  if (equation->target->rank == 0) return true;
  return equation->instance &&
         equations->items[equations->count - 1]->instance == equation->instance;
}

/* ---- copies ---- */

/* Each copy of a layer has nests of its own, so that those of all copies are alike. */
static bool leaves_copy(const Cluster *cluster, const Equation *equation) {
  if (!equation->instance) return false;
  const EquationList *equations = &cluster->nest->equations;
  for (int i = 0; i < equations->count; i++) {
    const Instance *instance = equations->items[i]->instance;
    if (instance) return are_in_copies(instance, equation->instance);
  }
  return false;
}

/* ---- what is built at once: an equation, or a product and its epilogue ---- */

static EquationList built_together(const Fuser *fuser, Equation *equation) {
  EquationList all = {0};
  const Epilogue *epilogue = epilogue_of(fuser->routine, equation);
  APPEND(fuser->scratch, &all, equation);
  for (int i = 0; epilogue && i < epilogue->members.count; i++)
    APPEND(fuser->scratch, &all, epilogue->members.items[i]);
  return all;
}

/* What they read of others. */
static ExprList reads_of(const Fuser *fuser, const EquationList *equations) {
  ExprList outside = {0};
  for (int i = 0; i < equations->count; i++) {
    ExprList reads = equation_reads(fuser->scratch, equations->items[i]);
    for (int k = 0; k < reads.count; k++) {
      bool is_own = false;
      for (int j = 0; equations->count > 1 && j < i; j++)
        is_own |= reads.items[k]->tensor == equations->items[j]->target;
      if (!is_own) APPEND(fuser->scratch, &outside, reads.items[k]);
    }
  }
  return outside;
}

static bool commits_any(const Fuser *fuser, const EquationList *equations) {
  for (int i = 0; i < equations->count; i++)
    if (map_has(&fuser->commits, equations->items[i]->target)) return true;
  return false;
}

/* A new value is written over the old one when no reader is left: so it joins no cluster before the last. */
static bool is_read_later(const Fuser *fuser, const EquationList *equations,
                          const Cluster *cluster) {
  for (int i = 0; i < equations->count; i++) {
    const Tensor *old = map_get(&fuser->commits, equations->items[i]->target);
    const Cluster *reader = old ? map_get(&fuser->readers, old) : NULL;
    if (reader && reader->number > cluster->number) return true;
  }
  return false;
}

/* Nothing joins what it has to wait for: updates the loss, and what is not drawn, in init, the matrices that
   are made orthogonal when all are drawn. */
static bool has_to_wait(const Fuser *fuser, const Cluster *cluster, bool in_forward, bool commits) {
  bool reads_matrices = fuser->routine->kind == ROUTINE_INIT && !in_forward;
  return (in_forward && cluster->commits) || (cluster->in_forward && (commits || reads_matrices));
}

static int nodes_in(const LoopBody *body) {
  int count = body->count;
  for (int i = 0; i < body->count; i++) count += nodes_in(&body->items[i]->body);
  return count;
}

/* For the equation: a sum that goes with a recurrence is short, and reads what would otherwise be far. */
static bool is_full(const Fuser *fuser, const Nest *nest, const Equation *equation) {
  if (map_has(&fuser->routine->carried, equation->target)) return false;
  return nest->equations.count > MOST_EQUATIONS || nodes_in(&nest->body) > MOST_NODES;
}

/* What keeps equations out of a cluster, whatever its loops. */
static Parting parting_from(Fuser *fuser, const Cluster *cluster, const EquationList *equations,
                            bool in_forward) {
  if (!fuser->shares) return PARTING_SKIPPED;
  if (is_full(fuser, cluster->nest, equations->items[0])) return PARTING_FULL;
  if (leaves_copy(cluster, equations->items[0])) return PARTING_COPY;
  if (has_to_wait(fuser, cluster, in_forward, commits_any(fuser, equations))) return PARTING_WAIT;
  return is_read_later(fuser, equations, cluster) ? PARTING_OLD_VALUE : PARTING_NONE;
}

enum { NEAR = 6 }; /* clusters that are looked at */

/* Runs over the elements of a tensor that the cluster reads, too. */
static bool reads_same(const Fuser *fuser, const Cluster *cluster, const ExprList *reads,
                       const Schedule *schedule) {
  for (int i = 0; i < reads->count; i++) {
    const Expr *read = reads->items[i];
    bool is_whole = read->tensor->rank == schedule->count;
    for (int dim = 0; is_whole && dim < read->tensor->rank; dim++)
      is_whole = lone_index(read->args[dim]) != NULL;
    if (is_whole && map_get(&fuser->readers, read->tensor) == cluster) return true;
  }
  return false;
}

/* Each iteration stores other elements: no sum waits for the one before. */
static bool stores_along(const Fuser *fuser, const LoopNode *loop) {
  for (int i = 0; i < loop->body.count; i++) {
    const LoopNode *node = loop->body.items[i];
    bool is_along = false;
    for (int dim = 0; node->kind == LOOP_STORE && dim < node->target->rank; dim++)
      is_along |= expr_uses_index(fuser->scratch, node->subscripts[dim], loop->index);
    if (!is_along) return false;
  }
  return true;
}

/* One behind all that is read, of which an equation runs through the same elements in the same loops, `*depth` of which
   are shared: both in one pass, in vectors. Null: there is none. */
static Cluster *find_sibling(Fuser *fuser, const Cluster *producer, const EquationList *equations,
                             const ExprList *reads, const Schedule *schedule, bool in_forward,
                             int *depth) {
  if (schedule->count == 0 || schedule->reduced[schedule->count - 1]) return NULL;
  if (equations->items[0]->guard || commits_any(fuser, equations)) return NULL;
  int first = producer ? producer->number + 1 : 0, last = fuser->clusters.count - 1;
  for (int i = last; i >= first && i > last - NEAR; i--) {
    Cluster *cluster = fuser->clusters.items[i];
    if (cluster->open_count != schedule->count || cluster->segments) continue;
    if (!stores_along(fuser, cluster->open[schedule->count - 1].node)) continue;
    if (!reads_same(fuser, cluster, reads, schedule)) continue;
    if (parting_from(fuser, cluster, equations, in_forward) != PARTING_NONE) continue;
    *depth = shared_depth(fuser, cluster, equations->items[0], reads, schedule, 0);
    if (*depth == schedule->count || fuser->fusion.parting == PARTING_FUNCTIONS) return cluster;
  }
  return NULL;
}

/* The last one, whose last equation reduces the same as this one, for each element; null: it does not. */
static Cluster *find_twin(Fuser *fuser, const EquationList *equations, const ExprList *reads,
                          const Schedule *schedule, bool in_forward, int *depth) {
  const Equation *equation = equations->items[0];
  if (!fuser->last || equation->reduction == REDUCE_NONE || equation->guard ||
      schedule->sharable != equation->var_count ||
      common_body(&fuser->common, fuser->last) != common_body(&fuser->common, equation))
    return NULL;
  Cluster *cluster = origin_of(fuser, fuser->last->target)->cluster;
  if (cluster->segments || parting_from(fuser, cluster, equations, in_forward) != PARTING_NONE)
    return NULL;
  *depth = shared_depth(fuser, cluster, equation, reads, schedule, 0);
  return *depth == schedule->sharable ? cluster : NULL;
}

/* The cluster to join and the number of loops shared; a new one when none fits. */
static Cluster *choose_cluster(Fuser *fuser, const EquationList *equations, const ExprList *reads,
                               const Schedule *schedule, bool in_forward, int *depth) {
  const Equation *equation = equations->items[0];
  Cluster *cluster = last_producer(fuser, reads);
  *depth = 0;
  if (cluster) fuser->fusion.parting = parting_from(fuser, cluster, equations, in_forward);
  if (cluster && fuser->fusion.parting == PARTING_NONE) {
    *depth = shared_depth(fuser, cluster, equation, reads, schedule, 0);
    if (*depth > 0 || same_layer(cluster, equation)) return cluster;
  }
  Fusion apart = fuser->fusion;
  Cluster *beside = find_sibling(fuser, cluster, equations, reads, schedule, in_forward, depth);
  if (!beside) beside = find_twin(fuser, equations, reads, schedule, in_forward, depth);
  if (beside) return beside;
  *depth = 0;
  fuser->fusion = apart;
  return cluster_new(fuser, in_forward && !commits_any(fuser, equations));
}

/* ---- joining ---- */

static void remember_origin(Fuser *fuser, Cluster *cluster, const Site *site) {
  const Equation *equation = site->equation;
  Origin *origin = NEW(fuser->scratch, Origin);
  origin->cluster = cluster;
  int loops = site->schedule.sharable;
  for (int i = 0; i < loops; i++) {
    origin->loops[i] = site->loops[i];
    origin->dims[i] = -1;
    if (site->schedule.reduced[i]) continue;
    for (int k = 0; k < equation->var_count; k++) {
      bool alone = (k == 0 || equation->place[k - 1] != equation->place[k]) &&
                   (k + 1 == equation->var_count || equation->place[k + 1] != equation->place[k]);
      if (equation->vars[k] == site->schedule.indices[i] && alone) {
        origin->dims[i] = equation->place[k];
      }
    }
  }
  origin->count = loops;
  map_put(&fuser->origins, equation->target, origin);
}

static OpenLoop loop_made(const Site *site, LoopNode *loop, int depth) {
  OpenLoop open = {.node = loop};
  open.value = expr_index(site->routine->model->exprs, loop->index);
  open.is_strip = (loop->marks & MARK_STRIP) != 0;
  open.is_reduced = site->schedule.reduced[depth];
  open.adds = map_has(&site->routine->carried, site->equation->target);
  for (int i = 0; open.is_strip && i < site->bound; i++)
    if (site->indices[i] == site->schedule.indices[depth]) open.value = site->values[i];
  return open;
}

/* The chain of last nodes, as far as it is whole loops, or loops over steps of a segment, that others may share;
   those shared keep what is known of them. */
static void reopen(Cluster *cluster, const Site *site) {
  int count = site->shared;
  const LoopBody *body = site->bodies[site->shared];
  while (body->count > 0 && body->items[body->count - 1]->kind == LOOP_FOR && count < MAX_LOOPS) {
    LoopNode *loop = body->items[body->count - 1];
    bool adds_steps = (loop->marks & MARK_STRIP) != 0 && site->schedule.reduced[0];
    if (loop->marks & (MARK_UNROLL | MARK_VECTOR | MARK_TILE)) break;
    bool is_shareable = (loop->marks & MARK_STRIP) != 0 ||
                        loop_is_whole(site->routine->model->exprs, loop, loop->index->range);
    if (!is_shareable || adds_steps) break;
    if (count >= cluster->open_count || cluster->open[count].node != loop)
      cluster->open[count] = loop_made(site, loop, count);
    count++;
    body = &loop->body;
  }
  cluster->open_count = count;
}

/* The loop of a recurrence that runs backwards counts down. */
static void open_time_loop(Fuser *fuser, Cluster *cluster, const RecurrentEquation *recurrent) {
  Model *model = fuser->routine->model;
  const Index *index = index_new(model, recurrent->time->name, recurrent->time->range);
  LoopNode *loop = loop_new(model, index);
  APPEND(model->arena, &cluster->nest->body, loop);
  if (recurrent->direction < 0) loop->marks = MARK_DOWN;
  cluster->open[0] =
      (OpenLoop){loop, expr_index(model->exprs, index), recurrent->group, false, false, false};
  cluster->open_count = 1;
}

/* The same for the steps of the segment at hand. */
static void open_strip_loop(Fuser *fuser, Cluster *cluster, const RecurrentEquation *recurrent) {
  Model *model = fuser->routine->model;
  LoopNode *segment = cluster->open[0].node;
  const Expr *step;
  LoopNode *loop = strip_loop(model, cluster->segments, segment, recurrent->time->name,
                              recurrent->direction, &step);
  APPEND(model->arena, &segment->body, loop);
  cluster->open[1] = (OpenLoop){loop, step, recurrent->group, true, false, false};
  cluster->open_count = 2;
}

static void remember_readers(Fuser *fuser, Cluster *cluster, const Equation *equation) {
  ExprList reads = equation_reads(fuser->scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    const Tensor *tensor = reads.items[i]->tensor;
    const Cluster *last = map_get(&fuser->readers, tensor);
    if (!last || last->number < cluster->number) map_put(&fuser->readers, tensor, cluster);
  }
}

/* They stand in the cluster's nest. */
static void remember(Fuser *fuser, Cluster *cluster, const Site *site,
                     const EquationList *equations) {
  Routine *routine = fuser->routine;
  for (int i = 0; i < equations->count; i++) {
    Site own = *site;
    own.equation = equations->items[i];
    APPEND(routine->model->arena, &cluster->nest->equations,
           equation_source(routine, own.equation));
    remember_origin(fuser, cluster, &own);
    remember_readers(fuser, cluster, own.equation);
  }
  if (commits_any(fuser, equations)) cluster->commits = true;
  fuser->last = equations->items[equations->count - 1];
}

static void note_fusion(Fuser *fuser, const Cluster *cluster, const Site *site) {
  Arena *arena = fuser->routine->model->arena;
  Fusion *fusion = &fuser->fusion;
  fusion->equation = equation_source(fuser->routine, site->equation);
  fusion->shared_count = site->shared;
  fusion->shared = NEW_ARRAY(arena, const Index *, site->shared + 1);
  for (int i = 0; i < site->shared; i++) fusion->shared[i] = site->loops[i]->index;
  APPEND(arena, &cluster->nest->fusions, *fusion);
  fuser->fusion = (Fusion){0};
}

static void join(Fuser *fuser, Cluster *cluster, const EquationList *equations,
                 const Schedule *schedule, int depth) {
  Routine *routine = fuser->routine;
  Equation *equation = equations->items[0];
  Site site = {.routine = routine, .equation = equation, .schedule = *schedule, .shared = depth};
  site.segmented = map_get(&routine->segments, equation->target);
  site.bodies[0] = &cluster->nest->body;
  for (int i = 0; i < depth; i++) {
    site.loops[i] = cluster->open[i].node;
    cluster->open[i].is_reduced |= schedule->reduced[i];
    site.bodies[i + 1] = &cluster->open[i].node->body;
    const Expr *value = cluster->open[i].value;
    if (takes_steps_along(fuser, equation, &cluster->open[i], schedule->indices[i]))
      value = carried_step(routine->model, map_get(&routine->carried, equation->target), value);
    site_bind(&site, schedule->indices[i], value);
  }
  note_fusion(fuser, cluster, &site);
  int before = site.bodies[depth]->count;
  build_equation(&site);
  site.bodies[depth]->items[before]->equation = equation_source(routine, equation);
  remember(fuser, cluster, &site, equations);
  reopen(cluster, &site);
}

static bool starts_recurrence(const Fuser *fuser, const RecurrentEquation *recurrent) {
  if (fuser->clusters.count == 0) return true;
  const Cluster *last = fuser->clusters.items[fuser->clusters.count - 1];
  return last->open_count == 0 || last->open[0].group != recurrent->group;
}

/* Equations of one loop over segments stand side by side: they make one cluster. */
static Cluster *segment_cluster(Fuser *fuser, const Segments *segments, bool in_forward) {
  Cluster *last =
      fuser->clusters.count > 0 ? fuser->clusters.items[fuser->clusters.count - 1] : NULL;
  if (last && last->segments == segments) return last;
  Cluster *cluster = cluster_new(fuser, in_forward);
  LoopNode *loop = segment_loop(fuser->routine->model, segments);
  APPEND(fuser->routine->model->arena, &cluster->nest->body, loop);
  cluster->segments = segments;
  cluster->open[0] = (OpenLoop){
      loop, expr_index(fuser->routine->model->exprs, loop->index), 0, false, false, false};
  cluster->open_count = 1;
  return cluster;
}

static void place_in_segments(Fuser *fuser, const EquationList *equations, const Segments *segments,
                              bool in_forward) {
  const Equation *equation = equations->items[0];
  const RecurrentEquation *recurrent = map_get(&fuser->routine->recurrences, equation->target);
  Cluster *cluster = segment_cluster(fuser, segments, in_forward);
  Schedule schedule = schedule_of(fuser->routine, equation);
  ExprList reads = equation_reads(fuser->scratch, equation);
  last_producer(fuser, &reads);
  bool steps_here =
      cluster->open_count > 1 && recurrent && cluster->open[1].group == recurrent->group;
  if (recurrent && !steps_here) open_strip_loop(fuser, cluster, recurrent);
  int least = recurrent ? 2 : 1;
  int depth = shared_depth(fuser, cluster, equation, &reads, &schedule, least);
  join(fuser, cluster, equations, &schedule, depth);
}

static void place_together(Fuser *fuser, const EquationList *equations, bool in_forward) {
  const Equation *equation = equations->items[0];
  const RecurrentEquation *recurrent = map_get(&fuser->routine->recurrences, equation->target);
  Schedule schedule = schedule_of(fuser->routine, equation);
  ExprList reads = reads_of(fuser, equations);
  int depth;
  Cluster *cluster;
  if (recurrent) {
    if (starts_recurrence(fuser, recurrent)) {
      open_time_loop(fuser, cluster_new(fuser, in_forward), recurrent);
    }
    cluster = fuser->clusters.items[fuser->clusters.count - 1];
    last_producer(fuser, &reads);
    depth = shared_depth(fuser, cluster, equation, &reads, &schedule, 1);
  } else {
    cluster = choose_cluster(fuser, equations, &reads, &schedule, in_forward, &depth);
  }
  join(fuser, cluster, equations, &schedule, depth);
}

void routine_fuse(Routine *routine, bool shares) {
  Fuser fuser = {.routine = routine, .scratch = arena_new(), .shares = shares};
  map_init(&fuser.origins, fuser.scratch);
  map_init(&fuser.commits, fuser.scratch);
  map_init(&fuser.readers, fuser.scratch);
  common_open(&fuser.common, routine->model, fuser.scratch);
  for (int i = 0; i < routine->updates.count; i++) {
    map_put(&fuser.commits, routine->updates.items[i].value, routine->updates.items[i].target);
  }
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    if (is_draw(equation->body)) {
      if (routine->kind != ROUTINE_INIT || equation->target->role == ROLE_VALUE) continue;
    }
    const SegmentedEquation *segmented = map_get(&routine->segments, equation->target);
    EquationList together = built_together(&fuser, equation);
    if (segmented)
      place_in_segments(&fuser, &together, segmented->segments, i < routine->forward_count);
    else
      place_together(&fuser, &together, i < routine->forward_count);
    i += together.count - 1;
  }
  for (int i = 0; i < fuser.clusters.count; i++) {
    Cluster *cluster = fuser.clusters.items[i];
    APPEND(routine->model->arena, &routine->nests, cluster->nest);
    if (cluster->in_forward) routine->nests_before_commit = i + 1;
  }
  arena_free(fuser.scratch);
}
