/* What expressions need of the rest of the emitter. */
#ifndef NNC_EMIT_EXPRESSION_H
#define NNC_EMIT_EXPRESSION_H

#include "emit/writer.h"
#include "equations/affine.h"

/* The random number of a drawn tensor at a row-major position: "nnrt_uniform_f32(seed, step, ...)". */
const char *draw_text(FunctionWriter *writer, Op draw, const Tensor *tensor, const char *position);
/* draws.c: a loop that stores the numbers of a row, as one call. */
void write_draws_together(FunctionWriter *writer, const LoopNode *loop);
/* nest.c: the next equation of the nests, above the node that begins it. */
void write_begun(FunctionWriter *writer);
/* vectors.c: a loop in vectors, and the declaration of a tile of them, whose elements are 0. */
void write_vectors(FunctionWriter *writer, const LoopNode *loop);
/* The statements of one that takes its vectors in steps. */
void write_vector_body(FunctionWriter *writer, const LoopNode *loop);
/* A square of a copy that turns rows into columns. */
void write_square(FunctionWriter *writer, const LoopNode *copy);
void write_tile(FunctionWriter *writer, const LoopNode *declare);
/* watch.c: the variables that a function with this body needs, a value whose store is watched (lanes 0: a number), and
   what the function does in the end. */
void open_watch(FunctionWriter *writer, const LoopBody *body);
const char *watched_text(FunctionWriter *writer, const char *value, int64_t lanes);
void close_watch(FunctionWriter *writer, const LoopBody *body);
const char *site_text(Arena *arena, const Tensor *tensor); /* the key of its random numbers */

#endif
