/* Epilogues: which equations run behind the tiles of a product.

   The product moves down to the first of its readers, and both to the next, as long as the reader is pointwise
   in them and nothing else needs them before. Where a value that the product reads is replaced in between, as weights
   by their update, the reader moves up if it can. */
#include "loops/epilogue.h"

#include "calculus/variables.h"
#include "equations/affine.h"
#include "loops/copies.h"
#include "loops/tile.h"

enum {
  MOST_MEMBERS = 6,
  MOST_NODES = 96 /* of their expressions, which are written once for each kind of tile */
};

typedef struct Finder {
  Routine *routine;
  Arena *scratch;
  Map readers;      /* Tensor * -> PositionList *, rising */
  Map replacements; /* Tensor *, the target of an update -> Tensor *, its value */
  Map commits;      /* the other way round */
  Map places;       /* of the equations */
  bool *is_member;  /* of each equation: it stands behind a product */
  Equation *
      *heads; /* of each position: the product to be placed there, before the member; null: none */
} Finder;

/* A product and what has joined it so far. */
typedef struct Group {
  Equation *product;
  Epilogue *epilogue;
  int first, last; /* positions of the product and of the last member */
  PositionList members;
  int nodes;
  Map targets; /* Tensor * -> Equation *: of the product and the members, over its variables */
} Group;

const Epilogue *epilogue_of(const Routine *routine, const Equation *product) {
  return map_get(&routine->epilogues, product->target);
}

/* ---- who reads what ---- */

static Finder finder_new(Routine *routine) {
  Finder finder = {.routine = routine, .scratch = arena_new()};
  map_init(&finder.replacements, finder.scratch);
  map_init(&finder.commits, finder.scratch);
  finder.places = equation_places(finder.scratch, &routine->equations);
  int count = routine->equations.count;
  finder.is_member = NEW_ARRAY(finder.scratch, bool, count);
  finder.heads = NEW_ARRAY(finder.scratch, Equation *, count);
  finder.readers = equation_readers(finder.scratch, &routine->equations);
  for (int i = 0; i < routine->updates.count; i++) {
    const Update *update = &routine->updates.items[i];
    map_put(&finder.replacements, update->target, update->value);
    map_put(&finder.commits, update->value, update->target);
  }
  return finder;
}

static bool has_member_at(const Group *group, int position) {
  for (int i = 0; i < group->members.count; i++)
    if (group->members.items[i] == position) return true;
  return false;
}

/* Behind the last member, and no member itself; -1: there is none. */
static int next_reader(const Finder *finder, const Group *group) {
  int next = -1;
  for (int i = 0; i < group->targets.count; i++) {
    const PositionList *readers = map_get(&finder->readers, group->targets.keys[i]);
    for (int k = 0; readers && k < readers->count; k++) {
      int at = readers->items[k];
      bool comes_next = at > group->last && !has_member_at(group, at);
      if (comes_next && (next < 0 || at < next)) next = at;
    }
  }
  return next;
}

static int position_of(const Finder *finder, const Tensor *tensor) {
  return equation_position(&finder->routine->equations, &finder->places, tensor);
}

/* A new value that takes the place of one the equation reads is made between these positions. */
static bool is_replaced_between(Finder *finder, const Equation *equation, int after, int before) {
  ExprList reads = equation_reads(finder->scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    const Tensor *value = map_get(&finder->replacements, reads.items[i]->tensor);
    int made = value ? position_of(finder, value) : -1;
    if (made > after && made < before) return true;
  }
  return false;
}

static bool may_move_down(Finder *finder, const Group *group, int to) {
  for (int i = 0; i < group->targets.count; i++)
    if (is_replaced_between(finder, group->targets.values[i], group->last, to)) return false;
  return true;
}

/* What the equation reads is there where the group stands, and it replaces nothing itself. */
static bool may_move_up(Finder *finder, const Group *group, const Equation *equation) {
  ExprList reads = equation_reads(finder->scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    const Tensor *tensor = reads.items[i]->tensor;
    bool is_later = position_of(finder, tensor) > group->last;
    if (is_later && !map_has(&group->targets, tensor)) return false;
  }
  return !map_has(&finder->commits, equation->target);
}

/* ---- over the variables of the product ---- */

/* What the variables of an equation are in the product: one of its variables, or all of a dim. */
typedef struct Substitution {
  const Index *from[LIMIT_RANK];
  const Expr *to[LIMIT_RANK]; /* over the variables of the product */
  int count;
} Substitution;

static bool share_a_variable(Finder *finder, const Group *group, const Expr *a, const Expr *b) {
  const Equation *product = group->product;
  for (int i = 0; i < product->var_count; i++)
    if (expr_uses_index(finder->scratch, a, product->vars[i]) &&
        expr_uses_index(finder->scratch, b, product->vars[i]))
      return true;
  return false;
}

static bool substitute(Finder *finder, const Group *group, Substitution *s, const Index *from,
                       const Expr *to) {
  for (int i = 0; i < s->count; i++)
    if (s->from[i] == from || share_a_variable(finder, group, s->to[i], to))
      return s->from[i] == from && s->to[i] == to;
  s->from[s->count] = from;
  s->to[s->count++] = to;
  return true;
}

/* The equation reads at `subscript` what the product, or a member, has at `own`, in a dim of that extent. */
static bool match_subscript(Finder *finder, const Group *group, Substitution *s,
                            const Expr *subscript, const Expr *own, const Extent *extent) {
  Arena *scratch = finder->scratch;
  ExprTable *exprs = finder->routine->model->exprs;
  const Index *lone = lone_index(subscript);
  BlockSubscript here, there;
  if (lone) return lone->range == extent && substitute(finder, group, s, lone, own);
  if (!affine_blocks(exprs, scratch, subscript, &here)) return false;
  if (!affine_blocks(exprs, scratch, own, &there) || here.width != there.width) return false;
  return here.block->range == there.block->range &&
         substitute(finder, group, s, here.block, expr_index(exprs, there.block)) &&
         substitute(finder, group, s, here.inner, expr_index(exprs, there.inner));
}

/* Every variable of the product stands for one of the equation's. */
static bool is_complete(Finder *finder, const Group *group, const Substitution *s) {
  const Equation *product = group->product;
  for (int i = 0; i < product->var_count; i++) {
    bool found = false;
    for (int k = 0; k < s->count; k++)
      found = found || expr_uses_index(finder->scratch, s->to[k], product->vars[i]);
    if (!found) return false;
  }
  return true;
}

/* What the variables of the equation are in the product; false: some read is at another place. */
static bool find_substitution(Finder *finder, const Group *group, const Equation *equation,
                              Substitution *s) {
  ExprList reads = equation_reads(finder->scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    const Expr *read = reads.items[i];
    const Equation *source = map_get(&group->targets, read->tensor);
    if (!source) continue;
    if (read_default(read)) return false;
    const Expr *own = equation_own_read(finder->routine->model, source, read->tensor);
    for (int dim = 0; dim < read->tensor->rank; dim++)
      if (!match_subscript(finder, group, s, read->args[dim], own->args[dim],
                           read->tensor->axes[dim].extent))
        return false;
  }
  return s->count == equation->var_count && is_complete(finder, group, s);
}

/* The variables of the product that stand for each of the equation's. */
static void set_variables(Finder *finder, const Group *group, const Equation *equation,
                          const Substitution *s, Equation *member) {
  const Equation *product = group->product;
  member->vars = NEW_ARRAY(finder->routine->model->arena, const Index *, product->var_count);
  member->var_count = 0;
  for (int k = 0; k < equation->var_count; k++) {
    int i = 0;
    while (s->from[i] != equation->vars[k]) i++;
    for (int j = 0; j < product->var_count; j++) {
      if (!expr_uses_index(finder->scratch, s->to[i], product->vars[j])) continue;
      member->place[member->var_count] = equation->place[k];
      member->vars[member->var_count++] = product->vars[j];
    }
  }
}

static Equation *over_product(Finder *finder, const Group *group, Equation *equation,
                              const Substitution *s) {
  Routine *routine = finder->routine;
  Model *model = routine->model;
  Equation *member = arena_copy(model->arena, equation, sizeof *equation);
  set_variables(finder, group, equation, s, member);
  member->body =
      expr_substitute(model->exprs, finder->scratch, equation->body, s->from, s->to, s->count);
  map_put(&routine->sources, member, equation_source(routine, equation));
  RecurrentEquation *recurrent = map_get(&routine->recurrences, equation->target);
  for (int i = 0; recurrent && i < s->count; i++)
    if (s->from[i] == recurrent->time) recurrent->time = lone_index(s->to[i]);
  return member;
}

/* ---- which ---- */

static bool is_pointwise(const Equation *equation) {
  return equation->reduction == REDUCE_NONE && !equation->guard && !is_draw(equation->body);
}

static bool steps_together(const Routine *routine, const Equation *a, const Equation *b) {
  const RecurrentEquation *one = map_get(&routine->recurrences, a->target);
  const RecurrentEquation *other = map_get(&routine->recurrences, b->target);
  return one && other ? one->group == other->group : one == other;
}

static int count_nodes(Arena *scratch, const Equation *equation) {
  return expr_postorder(scratch, &equation->body, 1).count;
}

static bool may_join(Finder *finder, const Group *group, int position) {
  const Routine *routine = finder->routine;
  const Equation *equation = routine->equations.items[position];
  bool one_section = (position < routine->forward_count) == (group->first < routine->forward_count);
  if (!one_section || !is_pointwise(equation) || finder->is_member[position]) return false;
  if (map_has(&routine->segments, equation->target)) return false;
  if (!steps_together(routine, group->product, equation)) return false;
  const Instance *instance = group->product->instance;
  if (instance && equation->instance && are_in_copies(instance, equation->instance)) return false;
  if (group->epilogue->members.count == MOST_MEMBERS) return false;
  if (group->nodes + count_nodes(finder->scratch, equation) > MOST_NODES) return false;
  return may_move_down(finder, group, position) || may_move_up(finder, group, equation);
}

static bool join(Finder *finder, Group *group, int position) {
  Routine *routine = finder->routine;
  Equation *equation = routine->equations.items[position];
  Substitution substitution = {.count = 0};
  if (!may_join(finder, group, position)) return false;
  if (!find_substitution(finder, group, equation, &substitution)) return false;
  Equation *member = over_product(finder, group, equation, &substitution);
  group->nodes += count_nodes(finder->scratch, equation);
  if (may_move_down(finder, group, position)) group->last = position;
  APPEND(finder->scratch, &group->members, position);
  map_put(&group->targets, member->target, member);
  APPEND(routine->model->arena, &group->epilogue->members, member);
  return true;
}

/* Readers are members behind the target; what stands before reads an earlier step of a recurrence. */
static bool is_read_in_tiles(const Finder *finder, const Group *group, const Tensor *target) {
  const PositionList *readers = map_get(&finder->readers, target);
  for (int i = 0; readers && i < readers->count; i++)
    if (readers->items[i] <= position_of(finder, target) ||
        !has_member_at(group, readers->items[i]))
      return false;
  return readers != NULL;
}

/* Sums of some terms at a time may lie in the product's target. */
static void find_locals(Finder *finder, const Group *group, const Tiling *tiling) {
  for (int i = 0; i < group->targets.count; i++) {
    const Tensor *target = group->targets.keys[i];
    bool has_sums = tiling->terms > 0 && !tiling->keeps_partial;
    if (has_sums && target == group->product->target) continue;
    if (map_has(&finder->routine->roots, target) || !is_read_in_tiles(finder, group, target))
      continue;
    map_put(&group->epilogue->locals, target, (void *)target);
  }
}

static void find_epilogue(Finder *finder, int position) {
  Routine *routine = finder->routine;
  Equation *product = routine->equations.items[position];
  Tiling tiling;
  if (!tiling_of(routine, product, &tiling)) return;
  Group group = {.product = product, .first = position, .last = position};
  group.epilogue = NEW(routine->model->arena, Epilogue);
  map_init(&group.epilogue->locals, routine->model->arena);
  map_init(&group.targets, finder->scratch);
  map_put(&group.targets, product->target, product);
  int next = next_reader(finder, &group);
  while (next >= 0 && join(finder, &group, next)) {
    finder->is_member[next] = true;
    next = next_reader(finder, &group);
  }
  if (group.epilogue->members.count == 0) return;
  find_locals(finder, &group, &tiling);
  map_put(&routine->epilogues, product->target, group.epilogue);
  finder->is_member[position] = true;
  finder->heads[group.last] = product;
}

/* ---- the pass ---- */

static void append_group(Finder *finder, EquationList *equations, Equation *product) {
  Arena *arena = finder->routine->model->arena;
  const Epilogue *epilogue = epilogue_of(finder->routine, product);
  APPEND(arena, equations, product);
  for (int i = 0; i < epilogue->members.count; i++)
    APPEND(arena, equations, epilogue->members.items[i]);
}

void routine_join(Routine *routine) {
  Finder finder = finder_new(routine);
  EquationList equations = {0};
  for (int i = 0; i < routine->equations.count; i++)
    if (!finder.is_member[i]) find_epilogue(&finder, i);
  for (int i = 0; i < routine->equations.count; i++) {
    if (finder.heads[i])
      append_group(&finder, &equations, finder.heads[i]);
    else if (!finder.is_member[i])
      APPEND(routine->model->arena, &equations, routine->equations.items[i]);
  }
  routine->equations = equations;
  arena_free(finder.scratch);
}
