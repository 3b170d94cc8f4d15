/* Threads: loops whose iterations are independent are divided among threads.

   An iteration has elements to itself: along one dim of each array that the loop writes, those around
   factor * index. What it reads of such an array are the same. Then no order of iterations, and no number of
   threads, changes a bit, and loops that have the same iterations give the same elements to the same thread.

   All threads run through a routine. Of what is in no such loop, each computes the local variables for itself,
   and the first alone does what writes memory. They wait for each other (meet.c) only where one needs what
   another wrote, or writes what another may still need: steps of a recurrence in which each sample goes its
   own way pass without. */
#ifndef NNC_LOOPS_THREADS_H
#define NNC_LOOPS_THREADS_H

#include "loops/loop.h"

/* An element that a node reads or writes. */
typedef struct Touch {
  const Tensor *tensor;
  const Expr *const *subscripts;
  bool writes;
} Touch;
typedef struct TouchList {
  Touch *items;
  int count, capacity;
} TouchList;

/* Those of the node, of its bounds and condition only unless all that is below it counts, too. */
void touches_of(Arena *scratch, const LoopNode *node, bool below, TouchList *touches);

/* What an iteration has to itself of the elements along a dim. */
typedef struct Share {
  int64_t factor;       /* of the index; 0: nothing */
  const Extent *offset; /* to the first */
  const Expr *guard; /* not null: of the elements that it writes, only those for which this holds */
} Share;

/* The share of one subscript; of what is read, the guard is null. `inside`: what is known of the loop. */
typedef struct Inside {
  const Routine *routine;
  Arena *scratch;
  const LoopNode *loop;
  Map declared; /* Tensor * -> LoopNode *: local variables of an iteration */
  Map indices;  /* Index * of the loops in it */
} Inside;
Inside inside_of(const Routine *routine, Arena *scratch, const LoopNode *loop);
Share share_of(const Inside *inside, const Touch *touch, int dim);

/* Whether iterations write nothing but what they have to themselves. Before memory is placed, and after. */
bool loop_is_independent(const Routine *routine, const LoopNode *loop);

/* And none needs what a like iteration of another of these loops wrote: they are one, cut in pieces. */
bool loops_go_apart(const Routine *routine, LoopNode *const *loops, int count);

/* A whole number that is the same for all threads. */
bool is_uniform(const Expr *e);

/* Where a tile of the loop begins, which the last does earlier; null: all begin at the index. */
LoopNode *loop_first_row(const LoopNode *loop);
void loop_set_grain(LoopNode *loop, int64_t grain); /* 0: none */

/* Two threads, and three and four, have about as much to do. */
bool keeps_busy(double iterations);

/* At the maxima; those in vectors count once a vector. Where bounds vary, as many as there may be. */
double loop_iterations(ExprTable *exprs, const LoopNode *loop);

/* Operations at the maxima, those in vectors counted once a vector. */
double node_work(ExprTable *exprs, const LoopNode *node);

/* across.c: marks loops in a serial one, of `least` work each, such that threads do not meet in it; false: there are
   none. */
bool divide_across(const Routine *routine, double least, LoopNode *serial);

/* deal.c: moves marks to loops inside those marked, of which threads read less that another wrote. */
void routine_deal(Routine *routine);

bool body_has_marks(const LoopBody *body, unsigned marks); /* anywhere below */
void clear_marks(LoopBody *body, unsigned marks);

#endif
