/* Cuts: the cheapest set of vertices that every path from source to sink passes.

   By maximum flow (Dinic 1970): as many units as its weight go through a vertex, any number through an edge;
   the vertices that hold the flow back are the cut. Of several the one nearest to the sink is taken. */
#ifndef NNC_LOOPS_CUT_H
#define NNC_LOOPS_CUT_H

#include "support/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Cut Cut;

enum { CUT_SOURCE = -1, CUT_SINK = -2 };

/* Vertices are numbered from 0. */
Cut *cut_new(Arena *arena, int vertex_count);
void cut_set_weight(Cut *cut, int vertex, int64_t weight);
void cut_add_edge(Cut *cut, int from, int to);
/* No edge is added later. */
void cut_find(Cut *cut);
bool cut_has(const Cut *cut, int vertex);

#endif
