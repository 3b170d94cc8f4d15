/* The smallest cut of small graphs, known by hand. */
#include "loops/cut.h"

#include <criterion/criterion.h>

/* source -> a(4) -> b(2) -> sink, and source -> c(1) -> b, c -> sink. */
Test(cut, takes_the_narrow_vertices) {
  Arena *arena = arena_new();
  Cut *cut = cut_new(arena, 3);
  const int64_t weights[] = {4, 2, 1};
  for (int i = 0; i < 3; i++) cut_set_weight(cut, i, weights[i]);
  cut_add_edge(cut, CUT_SOURCE, 0);
  cut_add_edge(cut, CUT_SOURCE, 2);
  cut_add_edge(cut, 0, 1);
  cut_add_edge(cut, 2, 1);
  cut_add_edge(cut, 1, CUT_SINK);
  cut_add_edge(cut, 2, CUT_SINK);
  cut_find(cut);
  cr_assert(!cut_has(cut, 0));
  cr_assert(cut_has(cut, 1));
  cr_assert(cut_has(cut, 2));
  arena_free(arena);
}

/* Of two of equal weight the one that is nearer to the sink. */
Test(cut, is_near_the_sink) {
  Arena *arena = arena_new();
  Cut *cut = cut_new(arena, 2);
  cut_set_weight(cut, 0, 3);
  cut_set_weight(cut, 1, 3);
  cut_add_edge(cut, CUT_SOURCE, 0);
  cut_add_edge(cut, 0, 1);
  cut_add_edge(cut, 1, CUT_SINK);
  cut_find(cut);
  cr_assert(!cut_has(cut, 0));
  cr_assert(cut_has(cut, 1));
  arena_free(arena);
}

/* What is reached from no source needs no cut; a flow has to be taken back on the way to the greatest. */
Test(cut, takes_back_a_flow) {
  Arena *arena = arena_new();
  Cut *cut = cut_new(arena, 5);
  const int64_t weights[] = {1, 1, 1, 1, 9};
  const int edges[][2] = {{CUT_SOURCE, 0}, {CUT_SOURCE, 1}, {0, 2}, {0, 3},       {1, 2},
                          {2, CUT_SINK},   {3, CUT_SINK},   {4, 3}, {4, CUT_SINK}};
  for (int i = 0; i < 5; i++) cut_set_weight(cut, i, weights[i]);
  for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
    cut_add_edge(cut, edges[i][0], edges[i][1]);
  cut_find(cut);
  cr_assert(cut_has(cut, 2));
  cr_assert(cut_has(cut, 3));
  cr_assert(!cut_has(cut, 4));
  arena_free(arena);
}
