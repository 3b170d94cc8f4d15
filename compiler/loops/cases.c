/* Cases: a short loop whose statements ask for its index becomes its iterations, in which the answers are known.

     for g in 0..4: for k: dz[n, g, k] = if g == 0 then a[k] else if g == 1 then b[k] else ...

   becomes four loops over k without a choice. Such equations come from gates and from concatenations, whose
   parts are told apart by an index: the choice would keep the loops inside from running in vectors. So would a loop
   over the few points of a reduction, as of a window, inside one along memory (MARK_WINDOW). */
#include "calculus/condition.h"
#include "loops/build.h"
#include "loops/rewrite.h"

enum {
  MOST_CASES = 9,
  MOST_NODES = 64, /* loops and statements that the iterations may become */
  MOST_LINES = 160 /* of C that the cases of a nest may take, about */
};

typedef struct Splitter {
  Model *model;
  Arena *scratch;
  int lines; /* of the cases of the nest so far */
} Splitter;

/* ---- which ---- */

static bool is_comparison(const Expr *e) {
  return e->op == OP_EQ || e->op == OP_NE || e->op == OP_LT || e->op == OP_LE;
}

/* Some comparison below depends on the index and on no other. */
static bool asks_for(Splitter *s, const Expr *e, const Index *index) {
  if (!e) return false;
  ExprList nodes = expr_postorder(s->scratch, &e, 1);
  for (int i = 0; i < nodes.count; i++) {
    IndexList used = {0};
    if (!is_comparison(nodes.items[i])) continue;
    ExprList below = expr_postorder(s->scratch, &nodes.items[i], 1);
    bool reads = false;
    for (int k = 0; k < below.count; k++) reads |= is_read(below.items[k]);
    expr_indices(s->scratch, nodes.items[i], &used);
    if (!reads && used.count == 1 && used.items[0] == index) return true;
  }
  return false;
}

/* What is below a loop: how many nodes, and whether some asks for the index. */
typedef struct Contents {
  int nodes;
  bool asks, declares;
} Contents;

static void look_below(Splitter *s, const LoopBody *body, const Index *index, Contents *contents) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    contents->nodes++;
    contents->declares |= node->kind == LOOP_DECLARE;
    contents->asks = contents->asks || asks_for(s, node->value, index);
    look_below(s, &node->body, index, contents);
  }
}

/* The number of iterations of a loop that is to be split; 0: it stays. */
static int64_t cases_of(Splitter *s, const LoopNode *node) {
  int64_t count;
  Contents contents = {0};
  if (node->kind != LOOP_FOR || node->lanes > 0 || node->segment > 0) return 0;
  if (!loop_is_whole(s->model->exprs, node, node->index->range)) return 0;
  if (!extent_is_constant(node->index->range, &count) || count > MOST_CASES) return 0;
  look_below(s, &node->body, node->index, &contents);
  bool is_split = (contents.asks || (node->marks & MARK_WINDOW)) && !contents.declares &&
                  contents.nodes * count <= MOST_NODES;
  return is_split ? count : 0;
}

static bool is_choice(const Expr *e) {
  return e->op == OP_SELECT || (is_read(e) && read_default(e));
}

/* Of C, about: a choice may be a branch of its own, and so many nodes fill a line. */
static int lines_of(Splitter *s, const LoopBody *body) {
  enum { OF_CHOICE = 6, NODES = 24 };
  int lines = 0;
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    ExprList nodes = node->value ? expr_postorder(s->scratch, &node->value, 1) : (ExprList){0};
    for (int k = 0; k < nodes.count; k++)
      if (is_choice(nodes.items[k])) lines += OF_CHOICE;
    lines += 1 + nodes.count / NODES + lines_of(s, &node->body);
  }
  return lines;
}

/* ---- iterations ---- */

/* The index of a loop as a number. */
typedef struct Case {
  Splitter *splitter;
  const Index *index;
  const Expr *number;
} Case;

static const Expr *in_case(void *context, const Expr *e) {
  const Case *which = context;
  ExprTable *exprs = which->splitter->model->exprs;
  Arena *scratch = which->splitter->scratch;
  e = expr_substitute(exprs, scratch, e, &which->index, &which->number, 1);
  return condition_decide(exprs, scratch, e);
}

/* Comments stand above the first. */
static void append_cases(Splitter *s, LoopBody *body, const LoopNode *loop, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    int64_t number = loop->marks & MARK_DOWN ? count - 1 - i : i;
    Case which = {s, loop->index, expr_integer(s->model->exprs, number)};
    for (int k = 0; k < loop->body.count; k++)
      APPEND(s->model->arena, body,
             loop_copy(s->model, loop->body.items[k], i == 0, in_case, &which));
  }
  if (body->count > 0 && loop->equation) body->items[0]->equation = loop->equation;
}

/* Depth is bounded by the rank limit: a nest has at most MAX_LOOPS loops inside each other. */
static void split_body(Splitter *s, LoopBody *body) {
  LoopBody split = {0};
  for (int i = 0; i < body->count; i++) {
    LoopNode *node = body->items[i];
    int64_t count = cases_of(s, node);
    LoopBody cases = {0};
    if (count > 0) append_cases(s, &cases, node, count);
    int lines = lines_of(s, &cases);
    if (count == 0 || s->lines + lines > MOST_LINES || loop_loses_reads(s->scratch, node, &cases)) {
      split_body(s, &node->body);
      APPEND(s->model->arena, &split, node);
      continue;
    }
    s->lines += lines;
    split_body(s, &cases);
    for (int k = 0; k < cases.count; k++) APPEND(s->model->arena, &split, cases.items[k]);
  }
  *body = split;
}

void routine_split(Routine *routine) {
  Splitter s = {.model = routine->model, .scratch = arena_new()};
  for (int i = 0; i < routine->nests.count; i++) {
    s.lines = 0;
    split_body(&s, &routine->nests.items[i]->body);
  }
  arena_free(s.scratch);
}
