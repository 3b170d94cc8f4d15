/* Inlining: pointwise equations computed where they are read instead of stored.

   One cost model with a cap on recomputation. A producer of `elements` values, each of `cost` operations,
   read at `evaluations` points, is inlined when the operations done again are worth less than the
   stores and loads saved, and when the expression stays short enough to read: long ones are left to
   fusion, which keeps them in a named local variable at the same speed. Rewriting changes no
   rounding: every operation still rounds to its own type. */
#include "calculus/condition.h"
#include "loops/loop.h"

enum {
  LONGEST_ONCE = 24, /* operations of a producer with one reader */
  LONGEST_OFTEN = 4, /* and with several */
  MOST_REPEATED = 8  /* times an operation is done: no more in the inner loop of a contraction */
};
#define TRAFFIC_COST 2.0 /* a load or store, in multiplies */

typedef struct Use {
  int count;
  double evaluations;
  bool blocked; /* some read cannot be replaced */
} Use;

typedef struct Inliner {
  Routine *routine;
  Arena *scratch;
  Map uses;    /* Tensor * -> Use * */
  Map inlined; /* Tensor * -> Equation *, its body already rewritten */
} Inliner;

static Use *use_of(Inliner *inliner, const Tensor *tensor) {
  Use *use = map_get(&inliner->uses, tensor);
  if (!use) {
    use = NEW(inliner->scratch, Use);
    map_put(&inliner->uses, tensor, use);
  }
  return use;
}

/* What runs in segments is read only there. */
static void block_segmented(Inliner *inliner, const Equation *equation, const ExprList *reads) {
  const Map *segments = &inliner->routine->segments;
  const SegmentedEquation *reader = map_get(segments, equation->target);
  for (int r = 0; r < reads->count; r++) {
    const SegmentedEquation *read = map_get(segments, reads->items[r]->tensor);
    if (read && (!reader || reader->segments != read->segments))
      use_of(inliner, reads->items[r]->tensor)->blocked = true;
  }
}

static bool is_plain(const Equation *equation) {
  return equation->reduction == REDUCE_NONE && !is_draw(equation->body) &&
         equation->var_count == equation->target->rank;
}

/* A copy that its readers go through often, in the order in which it lies: what it copies lies in another. */
static bool is_rearranged(Inliner *inliner, const Equation *equation, const Use *use) {
  if (!is_read(equation->body) || equation->var_count == 0) return false;
  const Expr *last =
      expr_index(inliner->routine->model->exprs, equation->vars[equation->var_count - 1]);
  const Expr *read = equation->body;
  return read_rank(read) > 1 && read->args[read_rank(read) - 1] != last &&
         use->evaluations > MOST_REPEATED * equation_volume(equation);
}

/* Its readers read another value instead. */
static bool is_view(Inliner *inliner, const Equation *equation, const Use *use) {
  return is_plain(equation) && is_read(equation->body) && !read_default(equation->body) &&
         equation->target->rank > 0 && !use->blocked &&
         !map_has(&inliner->routine->recurrences, equation->target) &&
         !is_rearranged(inliner, equation, use);
}

/* Readers stand behind what they read, but in recurrences: those of a view are known before it is seen. */
static void count_uses(Inliner *inliner) {
  Routine *routine = inliner->routine;
  const Map *roots = &routine->roots;
  for (int i = 0; i < roots->count; i++) use_of(inliner, roots->keys[i])->blocked = true;
  for (int i = routine->equations.count - 1; i >= 0; i--) {
    const Equation *equation = routine->equations.items[i];
    ExprList reads = equation_reads(inliner->scratch, equation);
    const Use *own = use_of(inliner, equation->target);
    bool views = is_view(inliner, equation, own);
    for (int r = 0; r < reads.count; r++) {
      Use *use = use_of(inliner, reads.items[r]->tensor);
      use->count += views ? own->count : 1;
      use->evaluations += views ? own->evaluations : equation_volume(equation);
      use->blocked |= read_default(reads.items[r]) != NULL;
    }
    block_segmented(inliner, equation, &reads);
  }
}

static double body_cost(Inliner *inliner, const Equation *equation) {
  ExprList nodes = expr_postorder(inliner->scratch, &equation->body, 1);
  double cost = 0;
  for (int i = 0; i < nodes.count; i++) cost += op_cost(nodes.items[i]->op);
  return cost;
}

static bool has_operations(const Equation *equation) {
  return !is_read(equation->body) && equation->body->count > 0;
}

static bool is_worth_inlining(Inliner *inliner, const Equation *equation) {
  const Use *use = map_get(&inliner->uses, equation->target);
  if (!use || use->blocked || !is_plain(equation)) return false;
  if (map_has(&inliner->routine->recurrences, equation->target)) return false;
  if (equation->target->rank == 0 && equation->body->count > 0) return false;
  if (is_rearranged(inliner, equation, use)) return false;
  double cost = body_cost(inliner, equation), elements = equation_volume(equation);
  if (cost > (use->count == 1 ? LONGEST_ONCE : LONGEST_OFTEN)) return false;
  if (has_operations(equation) && use->evaluations > MOST_REPEATED * elements) return false;
  double repeated = (use->evaluations - elements) * cost;
  return repeated <= TRAFFIC_COST * (use->evaluations + elements);
}

static const Expr *replace_read(void *context, const Expr *leaf) {
  Inliner *inliner = context;
  if (!is_read(leaf)) return leaf;
  const Equation *producer = map_get(&inliner->inlined, leaf->tensor);
  if (!producer) return leaf;
  return expr_substitute(inliner->routine->model->exprs, inliner->scratch, producer->body,
                         producer->vars, leaf->args, producer->var_count);
}

/* At the subscripts of its reader a producer may always, or never, need the default of a read. */
static const Expr *with_producers(Inliner *inliner, const Expr *e) {
  ExprTable *table = inliner->routine->model->exprs;
  const Expr *rewritten = expr_rewrite(table, inliner->scratch, e, replace_read, inliner);
  return rewritten == e ? e : condition_decide_reads(table, inliner->scratch, rewritten);
}

/* The equation with inlined producers in place of their reads; a copy when anything changed. */
static Equation *rewrite(Inliner *inliner, Equation *equation) {
  Model *model = inliner->routine->model;
  const Expr *body = with_producers(inliner, equation->body);
  const Expr *guard = equation->guard ? with_producers(inliner, equation->guard) : NULL;
  if (body == equation->body && guard == equation->guard) return equation;
  Equation *copy = arena_copy(model->arena, equation, sizeof *equation);
  copy->body = body;
  copy->guard = guard;
  map_put(&inliner->routine->sources, copy, equation);
  return copy;
}

/* Marks what the roots still read, now that some reads have folded away: equations by their targets. */
static Map find_needed(Inliner *inliner, const EquationList *equations) {
  Map defining, needed;
  map_init(&defining, inliner->scratch);
  map_init(&needed, inliner->scratch);
  for (int i = 0; i < equations->count; i++)
    map_put(&defining, equations->items[i]->target, equations->items[i]);
  const Map *roots = &inliner->routine->roots;
  LIST_OF(const Tensor *) waiting = {0};
  for (int i = 0; i < roots->count; i++) APPEND(inliner->scratch, &waiting, roots->keys[i]);
  while (waiting.count > 0) {
    const Tensor *tensor = waiting.items[--waiting.count];
    Equation *equation = map_get(&defining, tensor);
    if (!equation || map_has(&needed, tensor)) continue;
    map_put(&needed, tensor, equation);
    ExprList reads = equation_reads(inliner->scratch, equation);
    for (int i = 0; i < reads.count; i++)
      APPEND(inliner->scratch, &waiting, reads.items[i]->tensor);
  }
  return needed;
}

/* Equations that have no loops of their own are stated with what was computed from them. */
static void sort_out(Inliner *inliner, const EquationList *equations) {
  Routine *routine = inliner->routine;
  Arena *arena = routine->model->arena;
  Map needed = find_needed(inliner, equations);
  EquationList kept = {0};
  int forward = routine->forward_count;
  for (int i = 0; i < equations->count; i++) {
    Equation *equation = equations->items[i];
    bool stays =
        map_has(&needed, equation->target) && !map_has(&inliner->inlined, equation->target);
    APPEND(arena, stays ? &kept : &routine->inlined, equation);
    if (!stays && i < forward) routine->forward_count--;
  }
  routine->equations = kept;
}

void routine_inline(Routine *routine) {
  Inliner inliner = {.routine = routine, .scratch = arena_new()};
  EquationList equations = {0};
  map_init(&inliner.uses, inliner.scratch);
  map_init(&inliner.inlined, inliner.scratch);
  count_uses(&inliner);
  for (int i = 0; i < routine->equations.count; i++) {
    Equation *equation = rewrite(&inliner, routine->equations.items[i]);
    APPEND(routine->model->arena, &equations, equation);
    if (is_worth_inlining(&inliner, equation))
      map_put(&inliner.inlined, equation->target, equation);
  }
  sort_out(&inliner, &equations);
  arena_free(inliner.scratch);
}
