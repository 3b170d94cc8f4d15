/* Pieces: what each of two threads has of a tensor where a loop is divided.

   Of every dim it is an interval, from the ranges of the indices in the subscripts; of the divided loop each thread has
   one half. Several touches of a tensor in one loop make one piece, which holds them all. So it can be told how much of
   what a thread reads lies in the cache of the other, for any way to divide the loop that wrote it and the one that
   reads. Two threads stand for more: what is near for two is near for four, or the half of it. */
#ifndef NNC_LOOPS_PIECES_H
#define NNC_LOOPS_PIECES_H

#include "loops/threads.h"

enum { PIECE_THREADS = 2 };

typedef struct Interval {
  double begin, end; /* of elements, the end not in it */
} Interval;

typedef struct Piece {
  const Tensor *tensor;
  bool writes;
  double density; /* of the elements in the intervals, those that are touched */
  Interval of[PIECE_THREADS][LIMIT_RANK];
} Piece;
typedef LIST_OF(Piece) PieceList;

typedef LIST_OF(LoopNode *) LoopList;

/* Of what the node below the loops around it touches, when `divided`, which is one of them or the node, is dealt out;
   null: the first thread has it all. Tensors of less than `least` bytes are left out. */
PieceList pieces_of(const Routine *routine, Arena *scratch, const LoopList *around, LoopNode *node,
                    const LoopNode *divided, double least);

/* Bytes that threads read and another has written. */
double piece_foreign_bytes(const Routine *routine, const Piece *reads, const Piece *writes);

/* Bytes that one thread has in a row before those of another come. */
double piece_run(const Routine *routine, const Piece *piece);

double piece_bytes(const Routine *routine, const Piece *piece); /* of all threads */

#endif
