/* Segments: the equations of a scan with checkpoints, forwards and backwards.

   Forwards these are the recurrence and what it reads of the scan at the same step. Backwards it is the
   recurrence that runs the other way and reads the first, and every equation that reads the scan's
   values at the step at hand, as long as all else that it reads is there when the backward part begins. */
#include "loops/segment.h"

#include "calculus/variables.h"
#include "equations/affine.h"

#include <math.h>

static Equation *equation_at(const Scan *scan, int position) {
  return scan->routine->equations.items[position];
}

static int position_of(const Scan *scan, const Tensor *tensor) {
  return equation_position(&scan->routine->equations, &scan->places, tensor);
}

static const RecurrentEquation *recurrent_at(const Scan *scan, int position) {
  return map_get(&scan->routine->recurrences, equation_at(scan, position)->target);
}

bool scan_shift(const Scan *scan, const Expr *subscript, const Expr *step, int64_t *shift) {
  double value;
  if (!is_number(expr_binary(scan->routine->model->exprs, OP_SUB, subscript, step), &value))
    return false;
  *shift = (int64_t)value;
  return true;
}

const Expr *scan_mirrored(const Scan *scan, const Expr *e) {
  Model *model = scan->routine->model;
  const Extent *one = extent_constant(model->extents, 1);
  const Expr *last = expr_extent(model->exprs, extent_subtract(model->extents, scan->time, one));
  return expr_binary(model->exprs, OP_SUB, last, e);
}

/* The variable of the equation over all steps in a subscript `variable + shift`; null: it is another. */
static const Index *variable_in(const Scan *scan, const Equation *equation, const Expr *subscript) {
  int64_t shift;
  const Index *index = shifted_index(scan->routine->model->exprs, scan->scratch, subscript, &shift);
  IndexList variables = equation_variables(scan->scratch, equation);
  for (int i = 0; i < variables.count; i++)
    if (variables.items[i] == index && index->range == scan->time) return index;
  return NULL;
}

static Timed *note_timed(Scan *scan, Map *map, Equation *equation, const Index *time, int dim) {
  Timed *timed = NEW(scan->scratch, Timed);
  *timed = (Timed){.equation = equation, .time = time, .dim = dim};
  timed->step = expr_index(scan->routine->model->exprs, time);
  timed->is_inside = time->steps == scan->steps;
  map_put(map, equation->target, timed);
  return timed;
}

static void forget(Map *map, const Equation *equation) {
  map_put(map, equation->target, NULL);
}

/* ---- forwards ---- */

/* All that read the value up to the end of the recurrence run in segments and read their own step. */
static bool is_read_in_step(const Scan *scan, int position) {
  const Timed *own = map_get(&scan->forward, equation_at(scan, position)->target);
  for (int i = position + 1; i < scan->forth.end; i++) {
    const Timed *reader = map_get(&scan->forward, equation_at(scan, i)->target);
    for (int r = 0; r < scan->reads[i]->count; r++) {
      const Expr *read = scan->reads[i]->items[r];
      if (read->tensor != own->equation->target) continue;
      if (!reader || lone_index(read->args[own->dim]) != reader->time) return false;
    }
  }
  return true;
}

static const Index *left_variable_of(const Scan *scan, const Equation *equation) {
  for (int i = 0; i < equation->var_count; i++)
    if (equation->vars[i]->steps == scan->steps) return equation->vars[i];
  return NULL;
}

/* What the recurrence reads of the scan at its own step, such as products with inputs. */
static void find_leaders(Scan *scan) {
  bool in_forward = scan->forth.first < scan->routine->forward_count;
  for (int i = scan->forth.first - 1; i >= 0; i--) {
    Equation *equation = equation_at(scan, i);
    const Index *time = left_variable_of(scan, equation);
    int dim = time ? equation_dim_of(equation, time) : -1;
    if (dim < 0 || recurrent_at(scan, i) || is_draw(equation->body)) continue;
    if (in_forward != (i < scan->routine->forward_count)) continue;
    note_timed(scan, &scan->forward, equation, time, dim);
    if (!is_read_in_step(scan, i)) forget(&scan->forward, equation);
  }
}

static void note_recurrence(Scan *scan, Map *map, int first, int end) {
  for (int i = first; i < end; i++) {
    const RecurrentEquation *recurrent = recurrent_at(scan, i);
    note_timed(scan, map, equation_at(scan, i), recurrent->time, recurrent->time_dim)->is_inside =
        true;
  }
}

/* ---- backwards ---- */

static int end_of_group(const Scan *scan, int first) {
  int end = first;
  const RecurrentEquation *own = recurrent_at(scan, first), *other = own;
  while (other && other->group == own->group) {
    end++;
    other = end < scan->routine->equations.count ? recurrent_at(scan, end) : NULL;
  }
  return end;
}

static bool reads_forward(const Scan *scan, int position) {
  for (int r = 0; r < scan->reads[position]->count; r++)
    if (map_get(&scan->forward, scan->reads[position]->items[r]->tensor)) return true;
  return false;
}

/* The first recurrence after the scan that steps the other way and reads it. */
static void find_back(Scan *scan) {
  const EquationList *equations = &scan->routine->equations;
  for (int i = scan->forth.end; i < equations->count && scan->back.group == 0; i++) {
    const RecurrentEquation *recurrent = recurrent_at(scan, i);
    bool turns = recurrent && recurrent->direction == -scan->forth.direction;
    if (!turns || recurrent->time->range != scan->time || !reads_forward(scan, i)) continue;
    if (i < scan->routine->forward_count) continue;
    while (i > 0 && recurrent_at(scan, i - 1) &&
           recurrent_at(scan, i - 1)->group == recurrent->group)
      i--;
    scan->back.group = recurrent->group;
    scan->back.direction = recurrent->direction;
    scan->back.first = i;
    scan->back.end = end_of_group(scan, i);
  }
}

/* Known when the backward part begins. */
static bool is_known_before(const Scan *scan, const Tensor *tensor) {
  int position = position_of(scan, tensor);
  return position < scan->back.first || is_draw(equation_at(scan, position)->body);
}

/* What is known of an equation of the backward part while its reads are looked at. */
typedef struct Part {
  Equation *equation;
  const Index *time;
  const Expr *step;
  bool is_inside, fits;
} Part;

/* The first read along time says which variable counts the steps. */
static void find_step(const Scan *scan, Part *part, const Expr *subscript) {
  ExprTable *exprs = scan->routine->model->exprs;
  if (part->time) return;
  part->time = variable_in(scan, part->equation, subscript);
  if (part->time) part->step = expr_index(exprs, part->time);
  if (part->time) return;
  part->time = variable_in(scan, part->equation, scan_mirrored(scan, subscript));
  if (part->time) part->step = scan_mirrored(scan, expr_index(exprs, part->time));
}

/* Forward values may be read anyhow: those not at a step that is close stay where they are. */
static void look_at_read(const Scan *scan, Part *part, const Expr *read) {
  const Timed *forward = map_get(&scan->forward, read->tensor);
  const Timed *backward = map_get(&scan->backward, read->tensor);
  const Timed *timed = forward ? forward : backward;
  int64_t shift = 0;
  if (!timed) {
    part->fits &= is_known_before(scan, read->tensor);
    return;
  }
  if (timed->dim >= 0) find_step(scan, part, read->args[timed->dim]);
  if (forward) return;
  part->fits &= timed->dim >= 0 && part->time &&
                scan_shift(scan, read->args[timed->dim], part->step, &shift) &&
                shift * scan->back.direction <= 0;
  part->is_inside |= backward->is_inside;
}

/* The reduced variable takes the steps in the order in which the backward part comes to them. */
static bool adds_in_order(const Scan *scan, const Part *part) {
  const Equation *equation = part->equation;
  bool adds = equation->reduction == REDUCE_SUM || equation->reduction == REDUCE_PROD;
  bool mirrored = part->step->op != OP_INDEX;
  return adds && equation->reduced_count > 0 && equation->reduced[0] == part->time &&
         equation->lanes <= 1 && mirrored == (scan->back.direction < 0);
}

/* What runs later than before: nothing between may need it. */
static bool is_needed_before(const Scan *scan, int position) {
  const Tensor *target = equation_at(scan, position)->target;
  for (int i = position + 1; i < scan->back.first; i++) {
    if (map_get(&scan->backward, equation_at(scan, i)->target)) continue;
    for (int r = 0; r < scan->reads[i]->count; r++)
      if (scan->reads[i]->items[r]->tensor == target) return true;
  }
  return false;
}

static bool stays_backward(Scan *scan, int position) {
  Timed *timed = map_get(&scan->backward, equation_at(scan, position)->target);
  const RecurrentEquation *recurrent = recurrent_at(scan, position);
  Part part = {.equation = timed->equation, .fits = true};
  if (recurrent) part.time = recurrent->time;
  if (recurrent) part.step = timed->step;
  for (int r = 0; r < scan->reads[position]->count; r++)
    look_at_read(scan, &part, scan->reads[position]->items[r]);
  if (!part.fits || !part.time || is_needed_before(scan, position)) return false;
  timed->time = part.time;
  timed->step = part.step;
  timed->is_inside = recurrent || part.time->steps == scan->steps;
  timed->dim = recurrent ? recurrent->time_dim : equation_dim_of(part.equation, part.time);
  if (!timed->is_inside && !part.is_inside) return false;
  return timed->dim >= 0 ? part.step->op == OP_INDEX : adds_in_order(scan, &part);
}

static bool may_run_backward(const Scan *scan, int position) {
  const RecurrentEquation *recurrent = recurrent_at(scan, position);
  const Equation *equation = equation_at(scan, position);
  if (recurrent) return recurrent->group == scan->back.group;
  return !is_draw(equation->body) && !map_has(&scan->routine->roots, equation->target) &&
         equation->var_count + equation->reduced_count > 0;
}

/* All that may run in segments, until nothing more has to leave. */
static void find_backward(Scan *scan) {
  int count = scan->routine->equations.count, first = scan->forth.end;
  if (first < scan->routine->forward_count) first = scan->routine->forward_count;
  for (int i = first; i < count; i++) {
    if (!may_run_backward(scan, i)) continue;
    Timed *timed = NEW(scan->scratch, Timed);
    *timed = (Timed){.equation = equation_at(scan, i), .dim = -1};
    map_put(&scan->backward, timed->equation->target, timed);
  }
  note_recurrence(scan, &scan->backward, scan->back.first, scan->back.end);
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = first; i < count; i++) {
      if (!map_get(&scan->backward, equation_at(scan, i)->target)) continue;
      if (stays_backward(scan, i)) continue;
      forget(&scan->backward, equation_at(scan, i));
      changed = true;
    }
  }
  for (int i = scan->back.first; i < scan->back.end; i++)
    if (!map_get(&scan->backward, equation_at(scan, i)->target)) scan->back.group = 0;
}

/* ---- what is computed again ---- */

/* The last step of all, which is stored anyway. */
static bool reads_last_step(const Scan *scan, const Expr *subscript) {
  ExprTable *exprs = scan->routine->model->exprs;
  const Expr *last = expr_integer(exprs, 0);
  if (scan->forth.direction > 0)
    last = expr_binary(exprs, OP_SUB, expr_extent(exprs, scan->time), expr_integer(exprs, 1));
  return subscript == last;
}

static bool is_read_again(const Scan *scan, int position, const Timed *timed, const Expr *read) {
  const Timed *reader = map_get(&scan->backward, equation_at(scan, position)->target);
  int64_t shift;
  return reader && scan_shift(scan, read->args[timed->dim], reader->step, &shift);
}

static void find_kept(Scan *scan) {
  for (int i = 0; i < scan->forward.count; i++) {
    Timed *timed = scan->forward.values[i];
    if (timed) timed->is_kept = map_has(&scan->routine->roots, timed->equation->target);
  }
  for (int i = scan->forth.end; i < scan->routine->equations.count; i++) {
    for (int r = 0; r < scan->reads[i]->count; r++) {
      const Expr *read = scan->reads[i]->items[r];
      Timed *timed = map_get(&scan->forward, read->tensor);
      if (!timed || reads_last_step(scan, read->args[timed->dim])) continue;
      if (!is_read_again(scan, i, timed, read)) timed->is_kept = true;
    }
  }
}

/* The forward values that an equation reads at steps of its own segment or close before. */
static void need_reads(Scan *scan, const Timed *reader, EquationList *waiting) {
  const ExprList *reads = scan->reads[position_of(scan, reader->equation->target)];
  for (int r = 0; r < reads->count; r++) {
    Timed *timed = map_get(&scan->forward, reads->items[r]->tensor);
    int64_t shift = 0;
    if (!timed || timed->is_kept) continue;
    if (!scan_shift(scan, reads->items[r]->args[timed->dim], reader->step, &shift)) continue;
    int64_t lag = -shift * scan->forth.direction;
    if (lag > timed->lag) timed->lag = lag;
    if (!timed->is_needed) APPEND(scan->scratch, waiting, timed->equation);
    timed->is_needed = true;
  }
}

static void find_needed(Scan *scan) {
  EquationList waiting = {0};
  for (int i = 0; i < scan->backward.count; i++)
    if (scan->backward.values[i]) need_reads(scan, scan->backward.values[i], &waiting);
  while (waiting.count > 0)
    need_reads(scan, map_get(&scan->forward, waiting.items[--waiting.count]->target), &waiting);
}

/* ---- the pass ---- */

static ExprList *reads_of(const Scan *scan, const Equation *equation) {
  ExprList *reads = map_get(scan->known, equation);
  if (reads) return reads;
  reads = NEW(scan->known->arena, ExprList);
  *reads = equation_reads(scan->known->arena, equation);
  map_put(scan->known, equation, reads);
  return reads;
}

static void read_equations(Scan *scan) {
  const EquationList *equations = &scan->routine->equations;
  scan->reads = NEW_ARRAY(scan->scratch, ExprList *, equations->count);
  scan->places = equation_places(scan->scratch, equations);
  map_init(&scan->forward, scan->scratch);
  map_init(&scan->backward, scan->scratch);
  for (int i = 0; i < equations->count; i++) scan->reads[i] = reads_of(scan, equations->items[i]);
}

/* Steps of a scan to be computed at a time; 0: all, since there are no checkpoints or they save nothing.
   Without a number of the program's, sqrt(T) makes the sum of what is kept and what is computed again least. */
static int64_t segment_of(const Routine *routine, const RecurrentEquation *recurrent) {
  const Steps *steps = recurrent->time->steps;
  int64_t most = extent_maximum(recurrent->time->range);
  int64_t segment = steps ? steps->segment : 0;
  if (steps && segment == 0 && routine->pressure->segments)
    segment = (int64_t)ceil(sqrt((double)most));
  return segment < most ? segment : 0;
}

/* The recurrence at this position, in segments. */
static void segment_scan(Routine *routine, Map *known, int first,
                         const RecurrentEquation *recurrent) {
  Scan scan = {.routine = routine, .known = known, .scratch = arena_new()};
  scan.time = recurrent->time->range;
  scan.steps = recurrent->time->steps;
  scan.segment = segment_of(routine, recurrent);
  read_equations(&scan);
  scan.forth.first = first;
  scan.forth.end = end_of_group(&scan, first);
  scan.forth.direction = recurrent->direction;
  note_recurrence(&scan, &scan.forward, scan.forth.first, scan.forth.end);
  find_leaders(&scan);
  find_back(&scan);
  if (scan.back.group) find_backward(&scan);
  if (!scan.back.group) map_init(&scan.backward, scan.scratch);
  find_kept(&scan);
  find_needed(&scan);
  scan_replay(&scan);
  arena_free(scan.scratch);
}

void routine_segment(Routine *routine) {
  Arena *scratch = arena_new();
  Map known;
  map_init(&known, scratch);
  int group = 0; /* the last one seen */
  for (int i = 0; i < routine->equations.count; i++) {
    if (routine_loss(routine) && i >= routine->forward_count) break; /* gradients */
    const Tensor *target = routine->equations.items[i]->target;
    const RecurrentEquation *recurrent = map_get(&routine->recurrences, target);
    if (!recurrent || recurrent->group == group) continue;
    group = recurrent->group;
    if (!map_has(&routine->segments, target) && segment_of(routine, recurrent) > 0)
      segment_scan(routine, &known, i, recurrent);
  }
  arena_free(scratch);
}
