/* Threads by OpenMP; without it everything runs on one, and computes the same bits.

   All threads run through the same code. Iterations of a divided loop are shared out, one block of them to
   each thread, the same for every loop with as many; nobody waits at its end, but where it says so. */
#ifndef NNRT_THREADS_H
#define NNRT_THREADS_H

/* THREADS: in the block that follows; DIVIDE: the loop that follows; WAIT: until all are here; FIRST: one
   does what follows alone; ATOMIC: what follows is one assignment, which several may do. */
#ifdef _OPENMP
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

#endif
