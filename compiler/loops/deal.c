/* Deal: which loop of each nest is divided, for all nests of a routine together.

   Where loops stand one in the other and nothing beside them, any that is independent may be divided, and they differ
   in what a thread reads that another wrote: a line from the other's cache takes as long as dozens of multiply-adds.

     for g: for n: z[t, n, g, k] = ...      of which each sample's recurrence takes all gates: n, not g

   The cost of a way to divide a nest is counted against how those are divided that write what it reads and read what it
   writes, the next step's among them, which reads new parameters. Nests take the best way one after the other
   until none finds a better. The outermost loop stays where that saves little. */
#include "loops/pieces.h"

enum {
  LEAST_BYTES = 4096,   /* of tensors that count */
  LEAST_SAVED = 16384,  /* bytes that another thread wrote */
  BYTES_OF_START = 256, /* that come while threads deal out a loop */
  FETCHED_AHEAD = 512,  /* bytes, by a cache that sees lines read in a row */
  MOST_SWEEPS = 4
};

/* A way to divide a site. */
typedef struct Way {
  LoopNode *loop; /* null: the first thread does it */
  PieceList pieces;
  double starts; /* of the loop, where each deals it out anew */
} Way;

/* A node that threads divide, or the first does alone. */
typedef struct Stand {
  LIST_OF(Way) ways; /* from the outermost loop in */
  int chosen;
} Stand;
typedef struct SiteList {
  Stand **items;
  int count, capacity;
} SiteList;

typedef struct Deal {
  const Routine *routine;
  Arena *scratch;
  LoopList around; /* the node at hand */
  SiteList sites;
  Map targets;          /* value Tensor * of an update -> its target */
  Map readers, writers; /* Tensor * -> SiteList * */
} Deal;

/* ---- ways ---- */

/* As many in every block: then each thread finds what it has once, for all starts. */
static bool has_grain(const LoopNode *loop) {
  bool is_whole = loop->end->op == OP_INTEGER ? loop->end->integer % loop->step == 0
                                              : loop->step == 1 && is_uniform(loop->end);
  return loop->begin->op == OP_INTEGER && loop->begin->integer == 0 && is_whole &&
         !(loop->marks & MARK_DOWN);
}

static void add_way(Deal *deal, Stand *site, LoopNode *outermost, LoopNode *loop, double starts) {
  Way way = {.loop = loop, .starts = loop && has_grain(loop) ? 1 : starts};
  way.pieces = pieces_of(deal->routine, deal->scratch, &deal->around, outermost, loop, LEAST_BYTES);
  for (int i = 0; i < way.pieces.count; i++) {
    Piece *piece = &way.pieces.items[i];
    const Tensor *target = map_get(&deal->targets, piece->tensor);
    if (target) piece->tensor = target;
  }
  APPEND(deal->scratch, &site->ways, way);
}

/* One in the other below the node. */
static int loops_below(const LoopNode *node) {
  int most = 0;
  for (int i = 0; i < node->body.count; i++) {
    const LoopNode *inner = node->body.items[i];
    int loops = loops_below(inner) + (inner->kind == LOOP_FOR);
    if (loops > most) most = loops;
  }
  return most;
}

/* The two innermost loops may be a copy that turns rows by squares. */
static bool may_deal(const Routine *routine, const LoopNode *loop) {
  double iterations = loop_iterations(routine->model->exprs, loop);
  return loops_below(loop) >= 2 && iterations > 1 && keeps_busy(iterations) &&
         loop_is_independent(routine, loop);
}

/* The marked loop, and those that stand alone in it. */
static void add_ways(Deal *deal, Stand *site, LoopNode *outermost) {
  double starts = 1;
  add_way(deal, site, outermost, outermost, starts);
  LoopNode *loop = outermost;
  while (outermost->grain == 0 && loop->body.count == 1 && loop->body.items[0]->kind == LOOP_FOR) {
    starts *= loop_iterations(deal->routine->model->exprs, loop);
    loop = loop->body.items[0];
    if (may_deal(deal->routine, loop)) add_way(deal, site, outermost, loop, starts);
  }
}

/* ---- sites ---- */

static void note_site(Deal *deal, Map *sites, const Tensor *tensor, Stand *site) {
  SiteList *known = map_get(sites, tensor);
  if (!known) {
    known = NEW(deal->scratch, SiteList);
    map_put(sites, tensor, known);
  }
  APPEND(deal->scratch, known, site);
}

static void add_site(Deal *deal, LoopNode *node) {
  Stand *site = NEW(deal->scratch, Stand);
  if (node->marks & MARK_PARALLEL)
    add_ways(deal, site, node);
  else
    add_way(deal, site, node, NULL, 1);
  const PieceList *pieces = &site->ways.items[0].pieces;
  for (int i = 0; i < pieces->count; i++)
    note_site(deal, pieces->items[i].writes ? &deal->writers : &deal->readers,
              pieces->items[i].tensor, site);
  APPEND(deal->scratch, &deal->sites, site);
}

static void find_sites(Deal *deal, const LoopBody *body) {
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    if ((node->marks & MARK_PARALLEL) || !body_has_marks(&node->body, MARK_PARALLEL)) {
      add_site(deal, node);
      continue;
    }
    if (node->kind == LOOP_FOR) APPEND(deal->scratch, &deal->around, node);
    find_sites(deal, &node->body);
    if (node->kind == LOOP_FOR) deal->around.count--;
  }
}

/* ---- costs ---- */

static const Piece *piece_at(const Stand *site, const Tensor *tensor, bool writes) {
  const PieceList *pieces = &site->ways.items[site->chosen].pieces;
  for (int i = 0; i < pieces->count; i++)
    if (pieces->items[i].tensor == tensor && pieces->items[i].writes == writes)
      return &pieces->items[i];
  return NULL;
}

/* Between this and the sites at the other end. */
static double foreign_bytes(const Deal *deal, const Stand *site, const Piece *piece) {
  const SiteList *others = map_get(piece->writes ? &deal->readers : &deal->writers, piece->tensor);
  double bytes = 0;
  for (int i = 0; others && i < others->count; i++) {
    const Piece *other = piece_at(others->items[i], piece->tensor, !piece->writes);
    if (others->items[i] == site || !other) continue;
    const Piece *reads = piece->writes ? other : piece, *writes = piece->writes ? piece : other;
    bytes += piece_foreign_bytes(deal->routine, reads, writes);
  }
  return bytes;
}

/* What a cache fetches ahead of one thread belongs to another. */
static double torn_bytes(const Deal *deal, const Piece *piece) {
  double run = piece_run(deal->routine, piece), bytes = piece_bytes(deal->routine, piece);
  return piece->writes ? bytes * (run > FETCHED_AHEAD ? FETCHED_AHEAD / run : 1) / 2 : 0;
}

static double cost_of(const Deal *deal, const Stand *site, const Way *way) {
  double bytes = way->starts * BYTES_OF_START;
  for (int i = 0; i < way->pieces.count; i++) {
    const Piece *piece = &way->pieces.items[i];
    bytes += foreign_bytes(deal, site, piece) + torn_bytes(deal, piece);
  }
  return bytes;
}

/* ---- choice ---- */

/* Whether another way than before is best. */
static bool choose(const Deal *deal, Stand *site) {
  int best = 0, before = site->chosen;
  double least = cost_of(deal, site, &site->ways.items[0]) - LEAST_SAVED;
  for (int i = 1; i < site->ways.count; i++) {
    double cost = cost_of(deal, site, &site->ways.items[i]);
    if (cost >= least) continue;
    least = cost;
    best = i;
  }
  site->chosen = best;
  return best != before;
}

static void mark(Stand *site) {
  const Way *way = &site->ways.items[site->chosen];
  if (site->chosen == 0) return;
  site->ways.items[0].loop->marks &= ~(unsigned)MARK_PARALLEL;
  way->loop->marks |= MARK_PARALLEL;
  if (has_grain(way->loop)) way->loop->grain = way->loop->step;
}

void routine_deal(Routine *routine) {
  Deal deal = {.routine = routine, .scratch = arena_new()};
  map_init(&deal.targets, deal.scratch);
  map_init(&deal.readers, deal.scratch);
  map_init(&deal.writers, deal.scratch);
  for (int i = 0; i < routine->updates.count; i++)
    map_put(&deal.targets, routine->updates.items[i].value, routine->updates.items[i].target);
  for (int i = 0; i < routine->nests.count; i++) find_sites(&deal, &routine->nests.items[i]->body);
  bool changes = true;
  for (int sweep = 0; changes && sweep < MOST_SWEEPS; sweep++) {
    changes = false;
    for (int i = 0; i < deal.sites.count; i++) changes |= choose(&deal, deal.sites.items[i]);
  }
  for (int i = 0; i < deal.sites.count; i++) mark(deal.sites.items[i]);
  arena_free(deal.scratch);
}
