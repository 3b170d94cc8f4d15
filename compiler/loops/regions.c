/* From users to arguments: each use moves the region of a node out to what it has in common with the user's. */
#include "loops/regions.h"

typedef struct Finder {
  Arena *arena;
  Regions found;
  Map by_node; /* Expr * -> Computation * */
} Finder;

static Region *region_new(Finder *finder, Region *outer) {
  Region *region = NEW(finder->arena, Region);
  *region = (Region){outer, outer ? outer->depth + 1 : 0, finder->found.count++};
  return region;
}

/* The innermost that holds both; null holds nothing yet. */
static Region *common_region(Region *a, Region *b) {
  while (a && b && a != b) {
    if (a->depth >= b->depth) {
      a = a->outer;
    } else {
      b = b->outer;
    }
  }
  return a ? a : b;
}

/* Position among the sides of a choice, or -1 when the argument is always evaluated. */
static int lazy_side(const Expr *node, int argument) {
  switch (node->op) {
  case OP_SELECT: return argument - 1;
  case OP_AND:
  case OP_OR: return argument == 1 ? 0 : -1;
  case OP_READ: return argument == read_rank(node) ? 1 : -1;
  default: return -1;
  }
}

bool computation_is_certain(const Computation *computation) {
  return computation->certain == computation->region;
}

static void use_argument(Finder *finder, Computation *user, const Expr *node, int argument) {
  Computation *used = map_get(&finder->by_node, node->args[argument]);
  int side = lazy_side(node, argument);
  Region *region = user->region;
  if (side >= 0) {
    if (!user->sides[side]) user->sides[side] = region_new(finder, user->region);
    region = user->sides[side];
  }
  used->region = common_region(used->region, region);
  bool further_out = !used->certain || region->depth < used->certain->depth;
  if (computation_is_certain(user) && further_out) used->certain = region;
  used->is_operand |= side < 0 || node->op != OP_SELECT;
  used->uses++;
}

static void move_early(Finder *finder, const Expr *node, Computation *computation,
                       MayBeEarly may_be_early, void *context) {
  if (!is_read(node) || computation->region->depth == 0 ||
      !may_be_early(context, node, computation))
    return;
  computation->is_early = true;
  computation->region = computation->certain = finder->found.whole;
}

Regions regions_of(Arena *arena, const Expr *root, MayBeEarly may_be_early, void *context) {
  Finder finder = {.arena = arena};
  ExprList nodes = expr_postorder(arena, &root, 1);
  Computation *computations = NEW_ARRAY(arena, Computation, nodes.count);
  map_init(&finder.by_node, arena);
  for (int i = 0; i < nodes.count; i++) map_put(&finder.by_node, nodes.items[i], &computations[i]);
  Computation *last = &computations[nodes.count - 1];
  last->region = last->certain = region_new(&finder, NULL);
  finder.found.whole = last->region;
  for (int i = nodes.count - 1; i >= 0; i--) {
    if (may_be_early) move_early(&finder, nodes.items[i], &computations[i], may_be_early, context);
    for (int k = 0; k < nodes.items[i]->count; k++)
      use_argument(&finder, &computations[i], nodes.items[i], k);
  }
  finder.found.nodes = nodes;
  finder.found.computations = computations;
  return finder.found;
}
