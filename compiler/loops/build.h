/* Building: the loop nodes of one equation, into a place that fusion chose.

   An equation asks for a sequence of loops (its Schedule); the first `shared` of them exist already, and
   its variables there are expressions of the indices of those loops. What the equation writes is
   the same whatever is shared: the order in which the points of a reduction are combined is fixed by the
   equation alone. */
#ifndef NNC_LOOPS_BUILD_H
#define NNC_LOOPS_BUILD_H

#include "loops/loop.h"

enum { MAX_LOOPS = 2 * LIMIT_RANK + 3 };

/* The loops an equation wants, outermost first. */
typedef struct Schedule {
  const Index *indices[MAX_LOOPS];
  bool reduced[MAX_LOOPS];
  int count;
  int sharable; /* the first so many may be shared with other equations */
} Schedule;

/* How the innermost subscripts of the reads below `e` move with a variable; the greatest counts. */
typedef enum { NOT_BY_ONE, ALONG_WINDOW /* v + rest */, ALONG_ROW /* v */ } Movement;
Movement expr_movement(ExprTable *table, const Expr *e, const Index *index);

/* The reduction has few points, for each of many elements that lie side by side in the target and side by side, or a
   few apart, in what is read: as in pooling, over interleaved samples or along a row. Its loops stand inside that over
   the elements. */
bool has_short_window(const Routine *routine, const Equation *equation);

Schedule schedule_of(const Routine *routine, const Equation *equation);

/* Where an equation is built, and what it left there. */
typedef struct Site {
  Routine *routine;
  Equation *equation;
  Schedule schedule;
  LoopBody *bodies[MAX_LOOPS + 1]; /* [0]: of the cluster; [i]: of the i-th shared loop */
  LoopNode *loops[MAX_LOOPS];      /* shared ones, then those made here */
  int shared;
  const SegmentedEquation *segmented; /* null: it does not run in segments */
  const Index *indices[MAX_LOOPS];    /* variables of the equation and what they are here */
  const Expr *values[MAX_LOOPS];
  int bound;
  ExprList guard;   /* conjuncts of the guard that no loop or branch answers yet, in order */
  int tiles;        /* of a product: so many were built */
  const Expr *term; /* the first of the terms that its tiles take at a time; null: they take all */
  const Tensor *partial; /* where sums of these lie; null: in the target */
} Site;

void build_equation(Site *site);

/* A counted loop 0..range-1, not yet in any body. */
LoopNode *loop_new(Model *model, const Index *index);
/* Takes every step of the extent, one by one, from 0 on. */
bool loop_is_whole(ExprTable *exprs, const LoopNode *loop, const Extent *extent);

/* The greatest multiple that the range has room for. */
const Extent *whole_multiple(Model *model, const Extent *range, int64_t of);

/* A loop over segments, from the last when they run backwards. */
LoopNode *segment_loop(Model *model, const Segments *segments);
/* A loop over the steps of the segment at hand, which are fewer in the last one; `*step` counts from the
   start of all. */
LoopNode *strip_loop(Model *model, const Segments *segments, const LoopNode *segment, Name name,
                     int direction, const Expr **step);

/* reduce.c: nodes for reductions that need local variables, at the end of `body`. `extra` loops: those of
   the reduced variables. The result is stored to the target. */
void build_lanes(Site *site, LoopBody *body); /* sum and prod over several lanes */
/* into[l] += into[l + w] for w = lanes/2, lanes/4, ..., 2; the total is that of lanes 0 and 1. */
const Expr *build_tree(Site *site, LoopBody *body, const Tensor *into, Reduction combine,
                       int lanes);
void build_logsumexp(Site *site, LoopBody *body); /* lse: the greatest first, then the sum of exp */
void build_arg(Site *site, LoopBody *body);       /* argmax, argmin */

/* Helpers shared by build.c and reduce.c. */
const Expr *site_value(Site *site, const Expr *e); /* in terms of the loops here */
void site_bind(Site *site, const Index *index, const Expr *value);
LoopNode *store_new(Model *model, const Tensor *target, const Expr *const *subscripts,
                    Reduction combine, const Expr *value);
LoopNode *target_store(Site *site, Reduction combine, const Expr *value);
LoopNode *fetch_new(Model *model, const Expr *read);
LoopNode *branch_new(Model *model, const Expr *condition);
LoopNode *declare_new(Model *model, const Tensor *target, const Expr *value);
/* An array of the nest's own. */
Tensor *array_new(Site *site, Name name, ValueType type, int64_t rows, int64_t columns);
/* `inserted` right before `node`, which is in `body`. */
void body_insert_before(Arena *arena, LoopBody *body, const LoopNode *node, LoopNode *inserted);
LoopBody *open_loop(Site *site, LoopBody *body,
                    const Index *index); /* appended; binds index to itself */
/* The same for an index that stands for no variable of the equation: the loop, and in `*body` its inside. */
LoopNode *open_own_loop(Site *site, LoopBody **body, const Index *index);
LoopBody *open_reduced_loop(Site *site, LoopBody *body,
                            const Index *index); /* with the bounds of the guard */
LoopBody *append_branch(Site *site, LoopBody *body, const Expr *condition);
Tensor *local_new(Site *site, const char *name, ValueType type, int64_t lanes);
/* Numbers that vectors can be loaded from: not of fewer bits, nor drawn. */
bool is_stored_as_real(const Tensor *tensor);
/* Rows of columns, which are held as vectors of so many lanes; lanes 1: one column, no vector. */
Tensor *tile_new(Site *site, const char *name, int64_t rows, int64_t columns, int64_t lanes);

/* bounds.c: the guard of the reduction, answered while loops are opened from the outermost in. */
void guard_start(Site *site); /* nothing is answered yet */
/* The loop of a variable, with the bounds and branches that the guard asks for there. */
LoopBody *open_bounded_loop(Site *site, LoopBody *body, const Index *index);
/* Leaves out rounds of `lanes` values of the variable, beginning at the loop's index, without a point that
   counts; the guard stays to be answered for each lane. */
void bound_rounds(Site *site, LoopNode *rounds, const Index *variable, int lanes);
/* The same for rounds that so many rows take together, the values of `row` from `first` on: those without a point
   that counts in any of them. */
void bound_rounds_of_rows(Site *site, LoopNode *rounds, const Index *variable, int lanes,
                          const Index *row, const Expr *first, int64_t rows);
/* The coefficient of the variable in `b - a` of whole numbers a < b or a <= b; 0: it is none that is a number. */
int64_t bound_slope(ExprTable *table, Arena *scratch, const Expr *conjunct, const Index *index);
/* The conjuncts whose variables are all known by now; null: there are none. They are answered. */
const Expr *guard_take(Site *site);
/* Their branch, if there are any. */
LoopBody *open_branch(Site *site, LoopBody *body);

#endif
