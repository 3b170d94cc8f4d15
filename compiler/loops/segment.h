/* Segments: a scan with `checkpoint K` runs K steps at a time, and its values are computed twice.

   The forward part takes segment by segment through all equations of the scan and keeps, beside what others
   read, only what enters each segment: of h[t] that is h[s*K - 1] for each segment s. The backward part goes
   through the segments the other way: in each it computes the values once more, by the same equations and so
   with the same bits, then what the gradient needs of these steps, and adds that to sums over all steps. What
   is not read outside then needs K steps of memory, and what is kept T/K.

   segment.c finds which equations these are; replay.c makes the ones that compute again. */
#ifndef NNC_LOOPS_SEGMENT_H
#define NNC_LOOPS_SEGMENT_H

#include "loops/loop.h"

/* A value of the scan or of its gradient. */
typedef struct Timed {
  Equation *equation;
  const Index *time; /* its variable that counts steps */
  const Expr
      *step; /* the step it stands for: itself, or T-1 less it in sums that begin with the last */
  int dim;   /* of the target, that `time` addresses; -1: it is reduced */
  bool is_inside; /* the scan's own: what reads it along time belongs to the scan, too */
  bool is_kept;   /* forward: others read all its steps, so there is no need to compute it again */
  bool is_needed; /* forward: to be computed again */
  int64_t lag;    /* forward: so many steps of the segment before are read again */
  Tensor *again;  /* forward: the values computed again, */
  Tensor *entering; /* and what was kept of the segments before */
} Timed;

typedef struct Scan {
  Routine *routine;
  Arena *scratch;
  Map *known;       /* Equation * -> ExprList *: its reads, for all scans of the routine */
  ExprList **reads; /* of each equation of the routine */
  Map places;       /* of the equations */
  Steps *steps;
  const Extent *time;
  int64_t segment; /* steps computed at a time */
  struct {
    int first, end, direction, group; /* the recurrence: positions, +1 or -1 */
  } forth, back;                      /* back.group 0: there is none */
  Map forward, backward; /* target Tensor * -> Timed *: what runs in segments, in order */
} Scan;

/* Whether a subscript is `step + shift`. */
bool scan_shift(const Scan *scan, const Expr *subscript, const Expr *step, int64_t *shift);
/* T-1 less an expression. */
const Expr *scan_mirrored(const Scan *scan, const Expr *e);

/* replay.c: the equations in the new order. */
void scan_replay(Scan *scan);

#endif
