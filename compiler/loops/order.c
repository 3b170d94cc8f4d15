/* Order: which equations run, and in what sequence.

   Components of the graph "reads" come out with dependencies first, as they are met on the way from what the entry
   point must leave behind: entry points that compute the same do it in the same sequence. Everything the loss needs
   is ordered before everything else, so that a loss that is not finite can stop the call before anything changes;
   updates of an optimizer stand as soon as their gradients are known and the old values have no reader left, so that
   gradients live briefly and updates can be made in place. Sums of subtotals (calculus/arrange.c) wait for what reads
   the same rows. A component with more than one equation, or one that
   reads itself, is a recurrence: recurrence.c finds the axis it steps along.

   What reduces the same as an equation that the loss needs, as the place of an extreme does, comes right behind it:
   one pass does for both, and what they read need not be kept. What takes single steps of a recurrence comes right
   behind it, where it runs in the loop over the steps. */
#include "calculus/common.h"
#include "calculus/variables.h"
#include "equations/affine.h"
#include "equations/components.h"
#include "equations/contraction.h"
#include "loops/recurrence.h"

#include <stdlib.h>

typedef struct Vertex {
  Equation *equation;
  ExprList reads;
  bool needed;
} Vertex;

typedef struct Order {
  Routine *routine;
  Arena *scratch;
  Vertex *vertices; /* equations of the program, in its order */
  int count;
  Map by_tensor; /* Tensor * -> Vertex * */
  ComponentWalk *walk;
  int groups;
  bool is_refused;   /* a recurrence is */
  bool is_loss_lost; /* one of those that the loss needs: what is derived from it goes wrong, too */
} Order;

static Vertex *vertex_of(const Order *order, const Tensor *tensor) {
  return routine_computes(order->routine, tensor) ? map_get(&order->by_tensor, tensor) : NULL;
}

static void build_graph(Order *order, Routine *routine) {
  const EquationList *all = &routine->program->equations;
  order->routine = routine;
  order->count = all->count;
  order->vertices = NEW_ARRAY(order->scratch, Vertex, all->count + 1);
  map_init(&order->by_tensor, order->scratch);
  for (int i = 0; i < all->count; i++) {
    order->vertices[i].equation = all->items[i];
    map_put(&order->by_tensor, all->items[i]->target, &order->vertices[i]);
  }
}

static void mark_needed(Order *order) {
  LIST_OF(Vertex *) waiting = {0};
  const Map *roots = &order->routine->roots;
  for (int i = 0; i < roots->count; i++) {
    Vertex *root = vertex_of(order, roots->keys[i]);
    if (root && !root->needed) {
      root->needed = true;
      APPEND(order->scratch, &waiting, root);
    }
  }
  while (waiting.count > 0) {
    Vertex *vertex = waiting.items[--waiting.count];
    vertex->reads = equation_reads(order->scratch, vertex->equation);
    for (int i = 0; i < vertex->reads.count; i++) {
      Vertex *read = vertex_of(order, vertex->reads.items[i]->tensor);
      if (!read || read->needed) continue;
      read->needed = true;
      APPEND(order->scratch, &waiting, read);
    }
  }
}

static bool reads_itself(const Vertex *vertex) {
  for (int i = 0; i < vertex->reads.count; i++) {
    if (vertex->reads.items[i]->tensor == vertex->equation->target) return true;
  }
  return false;
}

static int read_vertex(void *context, int node, int i) {
  const Order *order = context;
  const Vertex *vertex = &order->vertices[node];
  if (i == vertex->reads.count) return EDGE_END;
  const Vertex *read = vertex_of(order, vertex->reads.items[i]->tensor);
  return read ? (int)(read - order->vertices) : EDGE_NOWHERE;
}

static void take_component(void *context, const int *members, int count) {
  Order *order = context;
  EquationList equations = {0};
  for (int i = 0; i < count; i++)
    APPEND(order->scratch, &equations, order->vertices[members[i]].equation);
  if ((count > 1 || reads_itself(&order->vertices[members[0]])) && !order->is_loss_lost) {
    equations = recurrence_order(order->routine, equations, ++order->groups);
    order->is_refused |= !map_has(&order->routine->recurrences, equations.items[0]->target);
  }
  for (int i = 0; i < count; i++)
    APPEND(order->routine->model->arena, &order->routine->equations, equations.items[i]);
}

static void visit(Order *order, const Vertex *start) {
  if (start && start->needed) components_visit(order->walk, (int)(start - order->vertices));
}

/* Updates of the step: an equation and the place in the sequence after which it may stand. */
typedef struct Sunk {
  Equation *equation;
  int after, sequence;
} Sunk;

static int compare_sunk(const void *a, const void *b) {
  const Sunk *x = a, *y = b;
  if (x->after != y->after) return x->after < y->after ? -1 : 1;
  return x->sequence < y->sequence ? -1 : 1;
}

static void set_position(Order *order, Map *positions, const Tensor *tensor, int position) {
  int *cell = NEW(order->scratch, int);
  *cell = position;
  map_put(positions, tensor, cell);
}

static int position_of(const Map *positions, const Tensor *tensor) {
  const int *cell = map_get(positions, tensor);
  return cell ? *cell : 0;
}

/* Last position in `base` that reads each tensor, as position + 1. */
static void find_last_readers(Order *order, const EquationList *base, Map *last) {
  for (int i = 0; i < base->count; i++) {
    Vertex *vertex = map_get(&order->by_tensor, base->items[i]->target);
    for (int r = 0; r < vertex->reads.count; r++) {
      set_position(order, last, vertex->reads.items[r]->tensor, i + 1);
    }
  }
}

/* What is summed, when that is sums and no products. */
static const Vertex *subtotals_of(const Order *order, const Equation *equation) {
  if (equation->reduction != REDUCE_SUM || !is_read(equation->body)) return NULL;
  const Vertex *vertex = vertex_of(order, equation->body->tensor);
  if (!vertex || vertex->equation->reduction != REDUCE_SUM) return NULL;
  return equation_contracts(order->scratch, vertex->equation) ? NULL : vertex;
}

/* Behind all that reads what the subtotals are of, in the backward part: they may share its loops. */
static int position_after_rows(const Order *order, const Map *position, const Map *last_reader,
                               const Equation *equation) {
  int after = 0;
  const Vertex *sums = subtotals_of(order, equation);
  for (int r = 0; sums && r < sums->reads.count; r++) {
    const Tensor *tensor = sums->reads.items[r]->tensor;
    int at = position_of(last_reader, tensor);
    if (position_of(position, tensor) > order->routine->forward_count && at > after) after = at;
  }
  return after;
}

static int position_after(Order *order, const Map *position, const Map *last_reader,
                          const Map *updated, Equation *equation) {
  int after = position_after_rows(order, position, last_reader, equation);
  Vertex *vertex = map_get(&order->by_tensor, equation->target);
  for (int r = 0; r < vertex->reads.count; r++) {
    int at = position_of(position, vertex->reads.items[r]->tensor);
    if (at > after) after = at;
  }
  const Tensor *target = map_get(updated, equation->target);
  int reader = target ? position_of(last_reader, target) : 0;
  return reader > after ? reader : after;
}

/* Merges equations sorted by `after` behind the base equations they wait for. */
static EquationList merge_sunk(Arena *arena, const EquationList *base, const Sunk *sunk,
                               int count) {
  EquationList merged = {0};
  int next = 0;
  for (int i = 0; i <= base->count; i++) {
    while (next < count && sunk[next].after == i) APPEND(arena, &merged, sunk[next++].equation);
    if (i < base->count) APPEND(arena, &merged, base->items[i]);
  }
  return merged;
}

static bool in_same_cycle(const Routine *routine, const Equation *a, const Equation *b) {
  const RecurrentEquation *at = map_get(&routine->recurrences, a->target);
  const RecurrentEquation *other = map_get(&routine->recurrences, b->target);
  return at && other && at->group == other->group;
}

static int end_of_cycle(const Routine *routine, const EquationList *list, int start) {
  int end = start + 1;
  while (end < list->count && in_same_cycle(routine, list->items[start], list->items[end])) end++;
  return end;
}

/* Nothing comes between the equations of a cycle. */
static int behind_cycle(const Routine *routine, const EquationList *base, int after) {
  return after > 0 && after < base->count ? end_of_cycle(routine, base, after - 1) : after;
}

/* Sequence positions: `after` = p means behind the first p equations of the base. */
static void sink_updates(Order *order, EquationList base, EquationList late) {
  Routine *routine = order->routine;
  Map position, last_reader, updated;
  map_init(&position, order->scratch);
  map_init(&last_reader, order->scratch);
  map_init(&updated, order->scratch);
  for (int i = 0; i < base.count; i++) {
    set_position(order, &position, base.items[i]->target, i + 1);
  }
  find_last_readers(order, &base, &last_reader);
  for (int i = 0; i < routine->updates.count; i++) {
    map_put(&updated, routine->updates.items[i].value, routine->updates.items[i].target);
  }
  Sunk *sunk = NEW_ARRAY(order->scratch, Sunk, late.count + 1);
  for (int i = 0, end; i < late.count; i = end) {
    end = end_of_cycle(routine, &late, i);
    int after = routine->forward_count;
    for (int k = i; k < end; k++) {
      int wanted = position_after(order, &position, &last_reader, &updated, late.items[k]);
      if (wanted > after) after = wanted;
    }
    after = behind_cycle(routine, &base, after);
    for (int k = i; k < end; k++) {
      sunk[k] = (Sunk){late.items[k], after, k};
      set_position(order, &position, late.items[k]->target, after);
    }
  }
  qsort(sunk, (size_t)late.count, sizeof *sunk, compare_sunk);
  routine->equations = merge_sunk(routine->model->arena, &base, sunk, late.count);
}

/* Everything up to the gradients is the base; what only the updates need is sunk into it. */
static void order_updates(Order *order) {
  Routine *routine = order->routine;
  const GradientList *gradients = &routine->step->gradients;
  for (int i = 0; i < routine->program->updates.count; i++) {
    visit(order, vertex_of(order, routine->program->updates.items[i].value));
  }
  for (int i = gradients->count - 1; i >= 0; i--) {
    const Vertex *gradient = vertex_of(order, gradients->items[i].result);
    const Vertex *sums = gradient ? subtotals_of(order, gradient->equation) : NULL;
    visit(order, sums ? sums : gradient);
  }
  EquationList base = routine->equations;
  routine->equations = (EquationList){0};
  for (int i = 0; i < order->count; i++) visit(order, &order->vertices[i]);
  EquationList late = routine->equations;
  sink_updates(order, base, late);
}

/* First what draws the matrices that are then made orthogonal, which others may read. */
static void visit_matrices(Order *order) {
  for (int i = 0; i < order->count; i++) {
    if (order->vertices[i].equation->target->orthogonal_gain != 0)
      visit(order, &order->vertices[i]);
  }
}

/* ---- what reduces the same ---- */

static bool counts_steps(const IndexList *variables) {
  for (int i = 0; i < variables->count; i++)
    if (variables->items[i]->steps) return true;
  return false;
}

/* Null: it reduces nothing, or belongs to a scan. */
static const Expr *reduced_body(const Order *order, CommonVariables *common,
                                const Equation *equation) {
  IndexList variables = equation_variables(common->arena, equation);
  if (equation->reduction == REDUCE_NONE || equation->guard || counts_steps(&variables) ||
      map_has(&order->routine->recurrences, equation->target))
    return NULL;
  return common_body(common, equation);
}

/* Equations of the backward part that reduce the same as one of the forward part. */
typedef struct Followers {
  Map of;    /* that one -> EquationList * */
  Map moved; /* the equations in these lists -> themselves */
} Followers;

static void add_follower(Order *order, Followers *followers, const Equation *leader,
                         Equation *equation) {
  EquationList *list = map_get(&followers->of, leader);
  if (!list) map_put(&followers->of, leader, list = NEW(order->scratch, EquationList));
  APPEND(order->scratch, list, equation);
  map_put(&followers->moved, equation, equation);
}

static Followers find_followers(Order *order) {
  const EquationList *equations = &order->routine->equations;
  Followers followers;
  Map leaders; /* what is reduced -> the first Equation * that does */
  CommonVariables common;
  common_open(&common, order->routine->model, order->scratch);
  map_init(&leaders, order->scratch);
  map_init(&followers.of, order->scratch);
  map_init(&followers.moved, order->scratch);
  for (int i = 0; i < equations->count; i++) {
    const Expr *body = reduced_body(order, &common, equations->items[i]);
    const Equation *leader = body ? map_get(&leaders, body) : NULL;
    if (body && !leader && i < order->routine->forward_count)
      map_put(&leaders, body, equations->items[i]);
    if (leader && i >= order->routine->forward_count)
      add_follower(order, &followers, leader, equations->items[i]);
  }
  return followers;
}

static void draw_together(Order *order) {
  Routine *routine = order->routine;
  Followers followers = find_followers(order);
  EquationList equations = {0};
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = routine->equations.items[i];
    const EquationList *list = map_get(&followers.of, equation);
    if (!map_has(&followers.moved, equation)) APPEND(routine->model->arena, &equations, equation);
    for (int k = 0; list && k < list->count; k++)
      APPEND(routine->model->arena, &equations, list->items[k]);
    if (list) routine->forward_count += list->count;
  }
  routine->equations = equations;
}

/* ---- what steps along ---- */

static bool replaces_a_value(const Routine *routine, const Tensor *tensor) {
  for (int i = 0; i < routine->updates.count; i++)
    if (routine->updates.items[i].value == tensor) return true;
  return false;
}

/* Of what the recurrence computes it takes one step at each of its own, and all that it reads is defined by then. */
static bool steps_along(Order *order, const Map *defined, int group, const Equation *equation) {
  const Routine *routine = order->routine;
  const Tensor *target = equation->target;
  if (equation->reduction != REDUCE_NONE || equation->guard || is_draw(equation->body) ||
      map_has(&routine->recurrences, target) || replaces_a_value(routine, target))
    return false;
  ExprList reads = equation_reads(order->scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    const Tensor *tensor = reads.items[i]->tensor;
    if (routine_computes(routine, tensor) && !map_has(defined, tensor)) return false;
  }
  return recurrence_step(routine, &reads, group) != NULL;
}

static void move_up(EquationList *list, int from, int to) {
  Equation *equation = list->items[from];
  for (int i = from; i > to; i--) list->items[i] = list->items[i - 1];
  list->items[to] = equation;
}

static void draw_behind_recurrences(Order *order) {
  Routine *routine = order->routine;
  EquationList *list = &routine->equations;
  Map defined;
  map_init(&defined, order->scratch);
  for (int i = 0, end; i < list->count; i = end) {
    const RecurrentEquation *first = map_get(&routine->recurrences, list->items[i]->target);
    end = end_of_cycle(routine, list, i);
    for (int k = i; k < end; k++) map_put(&defined, list->items[k]->target, list->items[k]->target);
    if (!first) continue;
    int section = i < routine->forward_count ? routine->forward_count : list->count;
    for (int k = end; k < section; k++) {
      if (!steps_along(order, &defined, first->group, list->items[k])) continue;
      map_put(&defined, list->items[k]->target, list->items[k]->target);
      move_up(list, k, end++);
    }
  }
}

void routine_order(Routine *routine) {
  Order order = {.scratch = arena_new()};
  build_graph(&order, routine);
  mark_needed(&order);
  order.walk = components_new(order.scratch,
                              &(ComponentGraph){&order, order.count, read_vertex, take_component});
  Tensor *loss = routine_loss(routine);
  if (loss) visit(&order, vertex_of(&order, loss));
  if (routine->kind == ROUTINE_INIT) visit_matrices(&order);
  order.is_loss_lost = order.is_refused;
  routine->forward_count = routine->equations.count;
  if (routine->step && routine->kind != ROUTINE_APPLY) order_updates(&order);
  for (int i = 0; i < routine->roots.count; i++)
    visit(&order, vertex_of(&order, routine->roots.keys[i]));
  draw_together(&order);
  draw_behind_recurrences(&order);
  arena_free(order.scratch);
}
