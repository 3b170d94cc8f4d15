/* Tarjan (1972), with an explicit stack. */
#include "equations/components.h"

#include <stdbool.h>

typedef struct NodeState {
  int edges;          /* how many have been followed */
  int number, lowest; /* 0: not visited */
  bool is_open;       /* its component is not complete */
} NodeState;

struct ComponentWalk {
  Arena *arena;
  ComponentGraph graph;
  NodeState *states;
  NodeList path, open;
  int numbered;
};

ComponentWalk *components_new(Arena *arena, const ComponentGraph *graph) {
  ComponentWalk *walk = NEW(arena, ComponentWalk);
  walk->arena = arena;
  walk->graph = *graph;
  walk->states = NEW_ARRAY(arena, NodeState, graph->count + 1);
  return walk;
}

static void enter(ComponentWalk *walk, int node) {
  NodeState *state = &walk->states[node];
  state->number = state->lowest = ++walk->numbered;
  state->is_open = true;
  APPEND(walk->arena, &walk->open, node);
  APPEND(walk->arena, &walk->path, node);
}

static void close_component(ComponentWalk *walk, int first) {
  int begin = walk->open.count;
  do {
    walk->states[walk->open.items[--begin]].is_open = false;
  } while (walk->open.items[begin] != first);
  walk->graph.close(walk->graph.context, walk->open.items + begin, walk->open.count - begin);
  walk->open.count = begin;
}

static void leave(ComponentWalk *walk, int node) {
  const NodeState *state = &walk->states[node];
  walk->path.count--;
  if (walk->path.count > 0) {
    NodeState *before = &walk->states[walk->path.items[walk->path.count - 1]];
    if (state->lowest < before->lowest) before->lowest = state->lowest;
  }
  if (state->lowest == state->number) close_component(walk, node);
}

static void follow(ComponentWalk *walk, int node, int to) {
  NodeState *state = &walk->states[node];
  const NodeState *other = &walk->states[to];
  if (!other->number)
    enter(walk, to);
  else if (other->is_open && other->number < state->lowest)
    state->lowest = other->number;
}

void components_visit(ComponentWalk *walk, int start) {
  if (walk->states[start].number) return;
  enter(walk, start);
  while (walk->path.count > 0) {
    int node = walk->path.items[walk->path.count - 1];
    int to = walk->graph.edge(walk->graph.context, node, walk->states[node].edges++);
    if (to == EDGE_END)
      leave(walk, node);
    else if (to != EDGE_NOWHERE)
      follow(walk, node, to);
  }
}
