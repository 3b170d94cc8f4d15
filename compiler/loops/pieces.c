/* Pieces: intervals of subscripts, and what intervals of two threads have in common. */
#include "loops/pieces.h"

#include "equations/affine.h"

typedef struct Cutter {
  const Routine *routine;
  Arena *scratch;
  const LoopNode *divided; /* null: the first thread has all */
  Map loops;               /* Index * -> LoopNode * */
  Map firsts;              /* Tensor * -> LoopNode *: a local variable, where a tile begins */
} Cutter;

/* ---- the values of an index ---- */

typedef struct Values {
  double least, greatest, count;
} Values;

static Values values_of_loop(const LoopNode *loop) {
  bool counts = loop->begin->op == OP_INTEGER && loop->end->op == OP_INTEGER;
  double begin = counts ? (double)loop->begin->integer : 0;
  double end = counts ? (double)loop->end->integer : (double)extent_maximum(loop->index->range);
  double step = (double)loop->step;
  double count = (double)(int64_t)((end - begin + step - 1) / step);
  return (Values){begin, begin + (count - 1) * step, count};
}

/* OpenMP gives the first thread one more where they are odd. */
static Values half_of(const LoopNode *loop, Values all, int thread) {
  double step = (double)loop->step, first = (double)(int64_t)((all.count + 1) / 2);
  if (thread == 0) return (Values){all.least, all.least + (first - 1) * step, first};
  return (Values){all.least + first * step, all.greatest, all.count - first};
}

/* The loop whose index the atom is, or stands for; null: it may be anything. */
static const LoopNode *loop_of_atom(const Cutter *cutter, const Expr *atom) {
  const Index *index = lone_index(atom);
  const LoopNode *declare = is_read(atom) ? map_get(&cutter->firsts, atom->tensor) : NULL;
  if (declare && declare->value && declare->value->op == OP_MIN)
    index = lone_index(declare->value->args[0]);
  return index ? map_get(&cutter->loops, index) : NULL;
}

/* ---- pieces of touches ---- */

/* Adds what a term adds; false: it may be anything. */
static bool add_term(const Cutter *cutter, const AffineTerm *term, int thread, Interval *interval,
                     double *count) {
  int64_t factor;
  const LoopNode *loop = loop_of_atom(cutter, term->atom);
  if (!loop || !extent_is_constant(term->coefficient, &factor)) return false;
  Values values = values_of_loop(loop);
  if (loop == cutter->divided) values = half_of(loop, values, thread);
  double a = (double)factor * values.least, b = (double)factor * values.greatest;
  interval->begin += a < b ? a : b;
  interval->end += a < b ? b : a;
  *count *= values.count;
  return true;
}

static void clamp(Interval *interval, double end) {
  if (interval->begin < 0) interval->begin = 0;
  if (interval->end > end) interval->end = end;
}

/* What the thread has along a dim; returns the part of the elements there that it touches. */
static double cut_dim(const Cutter *cutter, const Touch *touch, int dim, int thread,
                      Interval *interval) {
  double extent = (double)extent_maximum(touch->tensor->axes[dim].extent), count = 1;
  Affine affine = affine_of(cutter->routine->model->exprs, cutter->scratch, touch->subscripts[dim]);
  double constant = (double)extent_maximum(affine.constant);
  *interval = (Interval){constant, constant};
  bool is_known = true;
  for (int i = 0; i < affine.count && is_known; i++)
    is_known = add_term(cutter, &affine.terms[i], thread, interval, &count);
  if (!is_known) {
    *interval = (Interval){0, extent};
    return 1;
  }
  double length = ++interval->end - interval->begin;
  clamp(interval, extent);
  return count < length ? count / length : 1;
}

static Piece piece_of(const Cutter *cutter, const Touch *touch) {
  Piece piece = {.tensor = touch->tensor, .writes = touch->writes, .density = 1};
  for (int thread = 0; thread < PIECE_THREADS; thread++) {
    if (!cutter->divided && thread > 0) continue;
    double density = 1;
    for (int dim = 0; dim < touch->tensor->rank; dim++)
      density *= cut_dim(cutter, touch, dim, thread, &piece.of[thread][dim]);
    if (density < piece.density) piece.density = density;
  }
  return piece;
}

static void widen(Interval *interval, Interval other) {
  if (other.begin < interval->begin) interval->begin = other.begin;
  if (other.end > interval->end) interval->end = other.end;
}

static void add_piece(Arena *scratch, PieceList *pieces, const Piece *piece) {
  for (int i = 0; i < pieces->count; i++) {
    Piece *known = &pieces->items[i];
    if (known->tensor != piece->tensor || known->writes != piece->writes) continue;
    for (int thread = 0; thread < PIECE_THREADS; thread++)
      for (int dim = 0; dim < piece->tensor->rank; dim++)
        widen(&known->of[thread][dim], piece->of[thread][dim]);
    if (piece->density > known->density) known->density = piece->density;
    return;
  }
  APPEND(scratch, pieces, *piece);
}

static double bytes_of_tensor(const Routine *routine, const Tensor *tensor) {
  return tensor_volume(tensor) * (double)routine->bytes_of_real;
}

static void look(Cutter *cutter, LoopNode *node) {
  if (node->kind == LOOP_FOR) map_put(&cutter->loops, node->index, node);
  if (node->kind == LOOP_DECLARE) map_put(&cutter->firsts, node->target, node);
  for (int i = 0; i < node->body.count; i++) look(cutter, node->body.items[i]);
}

PieceList pieces_of(const Routine *routine, Arena *scratch, const LoopList *around, LoopNode *node,
                    const LoopNode *divided, double least) {
  Cutter cutter = {.routine = routine, .scratch = scratch, .divided = divided};
  TouchList touches = {0};
  PieceList pieces = {0};
  map_init(&cutter.loops, scratch);
  map_init(&cutter.firsts, scratch);
  for (int i = 0; i < around->count; i++)
    map_put(&cutter.loops, around->items[i]->index, around->items[i]);
  look(&cutter, node);
  touches_of(scratch, node, true, &touches);
  for (int i = 0; i < touches.count; i++) {
    const Touch *touch = &touches.items[i];
    if (map_has(&cutter.firsts, touch->tensor)) continue;
    if (bytes_of_tensor(routine, touch->tensor) < least) continue;
    Piece piece = piece_of(&cutter, touch);
    add_piece(scratch, &pieces, &piece);
  }
  return pieces;
}

/* ---- what pieces have in common ---- */

static double common_elements(const Tensor *tensor, const Interval *a, const Interval *b) {
  double elements = 1;
  for (int dim = 0; dim < tensor->rank; dim++) {
    Interval both = a[dim];
    if (b[dim].begin > both.begin) both.begin = b[dim].begin;
    if (b[dim].end < both.end) both.end = b[dim].end;
    elements *= both.end > both.begin ? both.end - both.begin : 0;
  }
  return elements;
}

double piece_foreign_bytes(const Routine *routine, const Piece *reads, const Piece *writes) {
  double elements = 0;
  for (int reader = 0; reader < PIECE_THREADS; reader++)
    for (int writer = 0; writer < PIECE_THREADS; writer++)
      if (reader != writer)
        elements += common_elements(reads->tensor, reads->of[reader], writes->of[writer]);
  return elements * reads->density * writes->density * (double)routine->bytes_of_real;
}

double piece_bytes(const Routine *routine, const Piece *piece) {
  double elements = 0;
  for (int thread = 0; thread < PIECE_THREADS; thread++)
    elements += common_elements(piece->tensor, piece->of[thread], piece->of[thread]);
  return elements * piece->density * (double)routine->bytes_of_real;
}

double piece_run(const Routine *routine, const Piece *piece) {
  double run = (double)routine->bytes_of_real;
  for (int level = piece->tensor->rank - 1; level >= 0; level--) {
    int dim = routine_dim_at(routine, piece->tensor, level);
    Interval own = piece->of[0][dim], others = piece->of[1][dim];
    run *= own.end - own.begin;
    if (own.begin != others.begin || own.end != others.end) return run;
  }
  return run;
}
