/* Stretches of the source in order, and the search for the one around a place. */
#include "loops/remat.h"

#include <stdlib.h>

/* By where they begin; of those that begin together, the longest first. */
static int compare_spans(const void *a, const void *b) {
  const Span *one = a, *other = b;
  if (one->begin != other->begin) return one->begin < other->begin ? -1 : 1;
  return (one->end < other->end) - (one->end > other->end);
}

SpanList remat_blocks(Arena *arena, const Model *model) {
  SpanList found = {0}, all = {0};
  for (int i = 0; i < model->remat.count; i++) APPEND(arena, &all, model->remat.items[i]);
  if (all.count > 0) qsort(all.items, (size_t)all.count, sizeof *all.items, compare_spans);
  for (int i = 0; i < all.count; i++)
    if (found.count == 0 || all.items[i].begin >= found.items[found.count - 1].end)
      APPEND(arena, &found, all.items[i]);
  return found;
}

static bool is_around(const SpanList *blocks, Span span) {
  int low = 0, high = blocks->count;
  while (low < high) { /* blocks before `low` begin at the place or before it, others behind it */
    int middle = low + (high - low) / 2;
    if (blocks->items[middle].begin <= span.begin)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 && span.end <= blocks->items[low - 1].end;
}

bool remat_holds(const SpanList *blocks, const Equation *equation) {
  if (is_around(blocks, equation->span)) return true;
  for (const Instance *instance = equation->instance; instance; instance = instance->caller)
    if (is_around(blocks, instance->call)) return true;
  return false;
}
