/* Threads by OpenMP; without it everything runs on one, and computes the same bits.

   All threads run through the same code. Iterations of a divided loop are shared out, one block of them to
   each thread, the same for every loop with as many; nobody waits at its end, but where it says so. */
#ifndef NNRT_THREADS_H
#define NNRT_THREADS_H

#include <stdint.h>

/* THREADS: in the block that follows; DIVIDE: the loop that follows; WAIT: until all are here; FIRST: one
   does what follows alone; ATOMIC: what follows is one assignment, which several may do. */
#ifdef _OPENMP
#include <omp.h>
#define NNRT_PRAGMA(text) _Pragma(#text)
#define NNRT_THREADS(condition) NNRT_PRAGMA(omp parallel if (condition))
#define NNRT_DIVIDE NNRT_PRAGMA(omp for schedule(static) nowait)
#define NNRT_WAIT NNRT_PRAGMA(omp barrier)
#define NNRT_FIRST NNRT_PRAGMA(omp master)
#define NNRT_ATOMIC NNRT_PRAGMA(omp atomic write)
#else
#define NNRT_THREADS(condition)
#define NNRT_DIVIDE
#define NNRT_WAIT
#define NNRT_FIRST
#define NNRT_ATOMIC
#endif

/* What the thread that asks has of [0, count): whole blocks of `grain`, or nothing, and the last thread what is left
   behind them, too. Less than a block in all is dealt out one by one. */
typedef struct nnrt_part {
  int64_t begin, end;
} nnrt_part;

static inline nnrt_part nnrt_part_of(int64_t count, int64_t grain) {
#ifdef _OPENMP
  const int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
#else
  const int64_t threads = 1, thread = 0;
#endif
  const int64_t block = count < grain ? 1 : grain;
  int64_t blocks = (count + block - 1) / block;
  if (blocks <= threads) blocks = count / block;
  const int64_t end = blocks * (thread + 1) / threads * block;
  return (nnrt_part){blocks * thread / threads * block, thread + 1 < threads ? end : count};
}

#endif
