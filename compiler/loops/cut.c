/* Dinic's algorithm on the graph in which each vertex is an arc from its entry to its exit. */
#include "loops/cut.h"

#include <string.h>

typedef struct Arc {
  int to, next; /* the next arc from the same node; -1: none */
  int64_t free; /* how much more may flow; that of arc i back along it: free of arc i ^ 1 */
} Arc;

struct Cut {
  Arena *arena;
  int nodes; /* source, sink, then the entry and the exit of each vertex */
  LIST_OF(Arc) arcs;
  int *first;  /* arc from each node */
  int *cursor; /* the arc from each node to be tried next */
  int *level;  /* of each node: arcs from the source; -1: not reached */
  int *queue;  /* of nodes */
  int *path;   /* of arcs */
  bool *reaches_sink;
};

enum { NODE_SOURCE, NODE_SINK, FIRST_NODE };

static int entry_of(int vertex) {
  return vertex == CUT_SINK ? NODE_SINK : FIRST_NODE + 2 * vertex;
}

static int exit_of(int vertex) {
  return vertex == CUT_SOURCE ? NODE_SOURCE : FIRST_NODE + 2 * vertex + 1;
}

static void add_half(Cut *cut, int from, int to, int64_t free) {
  Arc arc = {to, cut->first[from], free};
  cut->first[from] = cut->arcs.count;
  APPEND(cut->arena, &cut->arcs, arc);
}

static void add_arc(Cut *cut, int from, int to, int64_t capacity) {
  add_half(cut, from, to, capacity);
  add_half(cut, to, from, 0);
}

Cut *cut_new(Arena *arena, int vertex_count) {
  Cut *cut = NEW(arena, Cut);
  cut->arena = arena;
  cut->nodes = FIRST_NODE + 2 * vertex_count;
  cut->first = NEW_ARRAY(arena, int, cut->nodes);
  cut->cursor = NEW_ARRAY(arena, int, cut->nodes);
  cut->level = NEW_ARRAY(arena, int, cut->nodes);
  cut->queue = NEW_ARRAY(arena, int, cut->nodes);
  cut->path = NEW_ARRAY(arena, int, cut->nodes);
  cut->reaches_sink = NEW_ARRAY(arena, bool, cut->nodes);
  for (int i = 0; i < cut->nodes; i++) cut->first[i] = -1;
  return cut;
}

void cut_set_weight(Cut *cut, int vertex, int64_t weight) {
  add_arc(cut, entry_of(vertex), exit_of(vertex), weight);
}

void cut_add_edge(Cut *cut, int from, int to) {
  add_arc(cut, exit_of(from), entry_of(to), INT64_MAX / 4);
}

/* Breadth first; false when the sink is not reached. */
static bool find_levels(Cut *cut) {
  int count = 0;
  for (int i = 0; i < cut->nodes; i++) cut->level[i] = -1;
  cut->level[NODE_SOURCE] = 0;
  cut->queue[count++] = NODE_SOURCE;
  for (int i = 0; i < count; i++) {
    int node = cut->queue[i];
    for (int at = cut->first[node]; at >= 0; at = cut->arcs.items[at].next) {
      const Arc *arc = &cut->arcs.items[at];
      if (arc->free == 0 || cut->level[arc->to] >= 0) continue;
      cut->level[arc->to] = cut->level[node] + 1;
      cut->queue[count++] = arc->to;
    }
  }
  return cut->level[NODE_SINK] >= 0;
}

static void push_flow(Cut *cut, int length) {
  int64_t flow = INT64_MAX;
  for (int i = 0; i < length; i++) {
    int64_t free = cut->arcs.items[cut->path[i]].free;
    if (free < flow) flow = free;
  }
  for (int i = 0; i < length; i++) {
    cut->arcs.items[cut->path[i]].free -= flow;
    cut->arcs.items[cut->path[i] ^ 1].free += flow;
  }
}

/* The next arc from this node that leads nearer to the sink; -1: none. */
static int next_arc(Cut *cut, int node) {
  int at = cut->cursor[node];
  for (; at >= 0; at = cut->arcs.items[at].next) {
    const Arc *arc = &cut->arcs.items[at];
    if (arc->free > 0 && cut->level[arc->to] == cut->level[node] + 1) break;
  }
  cut->cursor[node] = at;
  return at;
}

/* Along one shortest path; false when there is none any more. */
static bool augment(Cut *cut) {
  int length = 0, node = NODE_SOURCE;
  while (node != NODE_SINK) {
    int at = next_arc(cut, node);
    if (at >= 0) {
      cut->path[length++] = at;
      node = cut->arcs.items[at].to;
      continue;
    }
    if (length == 0) return false;
    node = cut->arcs.items[cut->path[--length] ^ 1].to;
    cut->cursor[node] = cut->arcs.items[cut->cursor[node]].next;
  }
  push_flow(cut, length);
  return true;
}

/* Backwards from the sink along what has room. */
static void find_sink_side(Cut *cut) {
  int count = 0;
  cut->reaches_sink[NODE_SINK] = true;
  cut->queue[count++] = NODE_SINK;
  for (int i = 0; i < count; i++) {
    for (int at = cut->first[cut->queue[i]]; at >= 0; at = cut->arcs.items[at].next) {
      int from = cut->arcs.items[at].to;
      if (cut->arcs.items[at ^ 1].free == 0 || cut->reaches_sink[from]) continue;
      cut->reaches_sink[from] = true;
      cut->queue[count++] = from;
    }
  }
}

void cut_find(Cut *cut) {
  while (find_levels(cut)) {
    memcpy(cut->cursor, cut->first, (size_t)cut->nodes * sizeof *cut->cursor);
    while (augment(cut)) {
    }
  }
  find_sink_side(cut);
}

bool cut_has(const Cut *cut, int vertex) {
  return cut->reaches_sink[exit_of(vertex)] && !cut->reaches_sink[entry_of(vertex)];
}
