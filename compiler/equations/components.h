/* Components: the nodes of a graph in sets, of which each leads to all others of its set and, apart from these, only
   to nodes of sets before it. Nodes are numbers; what they lead to is asked of the caller. */
#ifndef NNC_EQUATIONS_COMPONENTS_H
#define NNC_EQUATIONS_COMPONENTS_H

#include "support/arena.h"

enum { EDGE_NOWHERE = -1, EDGE_END = -2 };

typedef LIST_OF(int) NodeList;

typedef struct ComponentGraph {
  void *context;
  int count; /* of the nodes */
  /* The node to which the i-th edge from a node leads: EDGE_NOWHERE out of the graph, EDGE_END behind the last. */
  int (*edge)(void *context, int node, int i);
  /* A component that is complete; its members in the order of visits. */
  void (*close)(void *context, const int *members, int count);
} ComponentGraph;

typedef struct ComponentWalk ComponentWalk;

ComponentWalk *components_new(Arena *arena, const ComponentGraph *graph);

/* Closes the components of all nodes that this one leads to and that are not visited yet, its own last. */
void components_visit(ComponentWalk *walk, int start);

#endif
