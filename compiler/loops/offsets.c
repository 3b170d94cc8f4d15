/* Offsets: first those that are used first, then by size, by size and length of life, and by length of life. */
#include "loops/offsets.h"

#include <stdlib.h>
#include <string.h>

typedef struct Item {
  int64_t weight; /* what this order goes by: greater ones are laid down first */
  int64_t offset, bytes;
  int first, last; /* the life of the buffer */
  int number;
} Item;

typedef struct Packing {
  const BufferList *buffers;
  Item *items;  /* in the order in which they are laid down */
  Item *placed; /* those that are, by offset */
  int placed_count;
  int64_t bytes; /* so far */
} Packing;

enum { MOST_COMPARISONS = 1 << 27 }; /* of lives, in all orders but the first */

/* ---- one order ---- */

/* In the smallest gap between those alive at the same time, else behind them. */
static void choose_offset(const Packing *packing, Item *item) {
  int64_t end = 0, least = INT64_MAX;
  for (int i = 0; i < packing->placed_count; i++) {
    const Item *other = &packing->placed[i];
    if (other->first > item->last || item->first > other->last) continue;
    int64_t gap = other->offset - end;
    if (gap >= item->bytes && gap < least) {
      least = gap;
      item->offset = end;
    }
    if (other->offset + other->bytes > end) end = other->offset + other->bytes;
  }
  if (least == INT64_MAX) item->offset = end;
}

static void lay_down(Packing *packing, Item *item) {
  choose_offset(packing, item);
  int at = packing->placed_count++;
  while (at > 0 && packing->placed[at - 1].offset > item->offset) at--;
  Item *place = &packing->placed[at];
  memmove(place + 1, place, (size_t)(packing->placed_count - 1 - at) * sizeof *place);
  *place = *item;
  if (item->offset + item->bytes > packing->bytes) packing->bytes = item->offset + item->bytes;
}

static int compare_items(const void *a, const void *b) {
  const Item *x = a, *y = b;
  if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
  return x->number < y->number ? -1 : 1;
}

typedef int64_t (*Weigh)(const Buffer *);

static void lay_all_down(Packing *packing, Weigh weigh) {
  packing->placed_count = 0;
  packing->bytes = 0;
  for (int i = 0; i < packing->buffers->count; i++) {
    const Buffer *buffer = packing->buffers->items[i];
    packing->items[i] = (Item){.weight = weigh(buffer),
                               .bytes = buffer->bytes,
                               .first = buffer->first,
                               .last = buffer->last,
                               .number = i};
  }
  qsort(packing->items, (size_t)packing->buffers->count, sizeof *packing->items, compare_items);
  for (int i = 0; i < packing->buffers->count; i++) lay_down(packing, &packing->items[i]);
}

/* ---- the orders ---- */

static int64_t first_use(const Buffer *buffer) {
  return -buffer->first;
}

static int64_t size(const Buffer *buffer) {
  return buffer->bytes;
}

static int64_t length_of_life(const Buffer *buffer) {
  return buffer->last - buffer->first;
}

static int64_t size_and_length(const Buffer *buffer) {
  double area = (double)buffer->bytes * (double)(length_of_life(buffer) + 1);
  return area < 9e18 ? (int64_t)area : INT64_MAX;
}

static const Weigh orders[] = {first_use, size, size_and_length, length_of_life};
enum { ORDER_COUNT = sizeof orders / sizeof *orders };

static void keep_offsets(const Packing *packing) {
  for (int i = 0; i < packing->buffers->count; i++)
    packing->buffers->items[packing->items[i].number]->offset = packing->items[i].offset;
}

/* The greatest sum of bytes alive in one nest, and the first such nest. */
static void find_fullest_nest(Routine *routine, const BufferList *buffers, Arena *scratch) {
  int64_t *changes = NEW_ARRAY(scratch, int64_t, routine->nests.count + 1), bytes = 0;
  for (int i = 0; i < buffers->count; i++) {
    changes[buffers->items[i]->first] += buffers->items[i]->bytes;
    changes[buffers->items[i]->last + 1] -= buffers->items[i]->bytes;
  }
  for (int nest = 0; nest < routine->nests.count; nest++) {
    bytes += changes[nest];
    if (bytes <= routine->live_bytes) continue;
    routine->live_bytes = bytes;
    routine->fullest_nest = nest;
  }
}

void offsets_assign(Routine *routine, const BufferList *buffers) {
  Arena *scratch = arena_new();
  Packing packing = {.buffers = buffers};
  packing.items = NEW_ARRAY(scratch, Item, buffers->count + 1);
  packing.placed = NEW_ARRAY(scratch, Item, buffers->count + 1);
  find_fullest_nest(routine, buffers, scratch);
  int64_t best = INT64_MAX, comparisons = (int64_t)buffers->count * buffers->count;
  for (int i = 0; i < ORDER_COUNT && best > routine->live_bytes; i++) {
    if (i > 0 && i * comparisons > MOST_COMPARISONS) break;
    lay_all_down(&packing, orders[i]);
    if (packing.bytes >= best) continue;
    best = packing.bytes;
    keep_offsets(&packing);
  }
  routine->arena_bytes = best;
  arena_free(scratch);
}
