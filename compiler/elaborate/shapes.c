/* Shapes: the dims and variables of a left side. A subscript there is an index variable, a pack, a
   composite of variables that flattens, or the index of a scan around the equation. */
#include "elaborate/statements.h"

#include <string.h>

/* A subscript of the left side, or a part of a composite. */
typedef struct Part {
  int place;  /* dim of the left side, packs not counted apart */
  int binder; /* in shape->binders; -1: a scan's index */
  const Scan *scan;
} Part;

typedef struct Sides {
  Shape *shape;
  const Statement *statement;
  const Node *left;
  LIST_OF(Part) parts;
  bool is_composite[LIMIT_RANK];
  bool named[LIMIT_RANK + 1]; /* by depth: scans whose index is written */
} Sides;

const Scan *scan_called(const Statement *statement, Name name) {
  int outside = statement->frame->scan ? statement->frame->scan->depth : 0;
  for (const Scan *s = statement->scan; s && s->depth > outside; s = s->outer) {
    if (s->name == name) return s;
  }
  return NULL;
}

static bool reject_range(const Sides *sides, const Node *sub, const Scan *scan) {
  Diagnostic *d = report(sides->statement->frame, NN0213, sub->span,
                         "'%s' has its range from 'scan %s'", scan->name, scan->name);
  diagnostic_help(d, "write '%s' alone", scan->name);
  return false;
}

static bool add_place(Sides *sides, const Node *sub, int place) {
  const Context *c = &sides->shape->context;
  Arena *arena = c->frame->e->arena;
  bool has_name = sub->kind == NODE_IDENT || sub->kind == NODE_IN;
  const Scan *scan = has_name ? scan_called(sides->statement, sub->name) : NULL;
  if (scan && sub->kind == NODE_IN) return reject_range(sides, sub, scan);
  if (scan && !sides->named[scan->depth]) {
    sides->named[scan->depth] = true;
    APPEND(arena, &sides->parts, (Part){place, -1, scan});
    return true;
  }
  int binder = sides->shape->binders.count;
  if (!binder_add(c, &sides->shape->binders, sub)) return false;
  APPEND(arena, &sides->parts, (Part){place, binder, NULL});
  return true;
}

static bool read_left(Sides *sides) {
  const Node *subs = sides->left->count > 0 ? sides->left->parts[0] : NULL;
  const Context *c = &sides->shape->context;
  bool good = true;
  if (subs && subs->count > LIMIT_RANK) {
    report(c->frame, NN0212, subs->span, "more than %d dims", LIMIT_RANK);
    return false;
  }
  for (int i = 0; subs && i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    sides->is_composite[i] = sub->kind == NODE_TUPLE;
    if (sub->kind != NODE_TUPLE) {
      good = add_place(sides, sub, i) && good;
      continue;
    }
    for (int j = 0; j < sub->count; j++) good = add_place(sides, sub->parts[j], i) && good;
  }
  return good;
}

/* Scans further in than one that is named must be named, too: hidden indices come first. */
static bool check_scans(const Sides *sides) {
  bool outer_named = false;
  const Scan *scans[LIMIT_RANK];
  int count = 0;
  for (const Scan *s = sides->statement->scan; s; s = s->outer) scans[count++] = s;
  while (count > 0) {
    const Scan *scan = scans[--count];
    if (outer_named && !sides->named[scan->depth]) {
      report(sides->statement->frame, NN0213, sides->left->span,
             "the index '%s' of the inner scan must be written, too", scan->name);
      return false;
    }
    outer_named = outer_named || sides->named[scan->depth];
  }
  return true;
}

/* ---- declared dims */

/* How many dims the pack at `position` of the left side takes. */
static int place_length(const Sides *sides, int position, int declared_rank) {
  const Context *c = &sides->shape->context;
  return pack_length(c, NULL, sides->left->parts[0], position, declared_rank);
}

static bool reject_rank(const Sides *sides, const Axis *declared, int rank) {
  const Frame *frame = sides->statement->frame;
  report(frame, NN0204, sides->left->span, "'%s' has the dims %s", sides->left->name,
         shape_text(frame->e->arena, declared, rank));
  return false;
}

/* Each plain variable has the declared extent of its dim; packs those that are left. */
static bool take_declared(const Sides *sides, const Axis *declared, int rank) {
  const Node *subs = sides->left->parts[0];
  int axis = 0;
  for (int i = 0; i < sides->parts.count; i++) {
    const Part *part = &sides->parts.items[i];
    if (i > 0 && part->place == sides->parts.items[i - 1].place) continue;
    bool is_pack = subs->parts[part->place]->kind == NODE_PACK;
    int dims = is_pack ? place_length(sides, part->place, rank) : 1;
    if (dims < 0 || axis + dims > rank) return reject_rank(sides, declared, rank);
    Binder *binder = part->binder < 0 ? NULL : &sides->shape->binders.items[part->binder];
    if (binder && !sides->is_composite[part->place] && !binder->extent) {
      memcpy(binder->axes, declared + axis, (size_t)dims * sizeof *declared);
      binder->rank = dims;
      binder->known = true;
    }
    axis += dims;
  }
  return axis == rank || reject_rank(sides, declared, rank);
}

/* An update of a state over a run-time dim covers the part that the call has. */
static bool is_part(const Sides *sides, const Extent *extent, const Extent *declared) {
  int64_t maximum;
  return sides->statement->node->kind == NODE_UPDATE && extent_is_constant(declared, &maximum) &&
         extent_maximum(extent) == maximum;
}

static bool check_declared(const Sides *sides, const Axis *declared, int rank) {
  const Shape *shape = sides->shape;
  const Frame *frame = sides->statement->frame;
  const Axis *axes = shape->axes + shape->hidden;
  if (shape->rank - shape->hidden != rank) return reject_rank(sides, declared, rank);
  for (int i = 0; i < rank; i++) {
    if (axes[i].extent == declared[i].extent) continue;
    if (is_part(sides, axes[i].extent, declared[i].extent)) continue;
    Diagnostic *d =
        report(frame, NN0207, sides->left->span, "dim %d of '%s' is %s here and was declared as %s",
               i + 1, sides->left->name, size_text(frame->e->arena, axes[i].extent),
               size_text(frame->e->arena, declared[i].extent));
    diagnostic_note(d, declared[i].origin, "%s",
                    axis_text(frame->e, &declared[i], sides->left->span));
    return false;
  }
  return true;
}

/* ---- variables and dims */

static bool add_variable(Shape *shape, const Index *index, int place) {
  if (shape->var_count == 2 * LIMIT_BINDERS) return false;
  shape->vars[shape->var_count] = index;
  shape->place[shape->var_count++] = place;
  return true;
}

static bool add_axis(Shape *shape, const Axis *axis) {
  if (shape->rank == LIMIT_RANK) return false;
  shape->axes[shape->rank++] = *axis;
  return true;
}

static bool add_hidden(const Sides *sides) {
  Shape *shape = sides->shape;
  const Formula *formula = shape->context.formula;
  const Scan *scans[LIMIT_RANK];
  int count = 0;
  for (const Scan *s = formula->scan; s; s = s->outer) scans[count++] = s;
  while (count > 0) {
    const Scan *scan = scans[--count];
    if (sides->named[scan->depth]) continue;
    if (!add_variable(shape, formula->scan_indices[scan->depth - 1], shape->rank)) return false;
    if (!add_axis(shape, &scan->axis)) return false;
    shape->hidden++;
  }
  return true;
}

static const Variable *variable_of(const Shape *shape, int binder) {
  for (const Variable *v = shape->context.variables; v; v = v->outer) {
    if (v->binder == &shape->binders.items[binder]) return v;
  }
  bug("binder without its variable");
}

/* The first part of a dim opens its axis; further parts of a composite multiply it. */
static bool add_part(Shape *shape, const Axis *axis, const Index *index, bool opens, Span origin) {
  Model *model = shape->context.frame->e->model;
  if (opens) {
    if (!add_axis(shape, axis)) return false;
  } else {
    Axis *whole = &shape->axes[shape->rank - 1];
    *whole = (Axis){extent_multiply(model->extents, whole->extent, axis->extent), NULL, origin};
  }
  return add_variable(shape, index, shape->rank - 1);
}

static bool add_dims(const Sides *sides) {
  Shape *shape = sides->shape;
  const Context *c = &shape->context;
  Span origin = sides->left->span;
  for (int i = 0; i < sides->parts.count; i++) {
    const Part *part = &sides->parts.items[i];
    bool opens = i == 0 || part->place != sides->parts.items[i - 1].place;
    bool good = true;
    if (part->binder < 0) {
      const Index *index = c->formula->scan_indices[part->scan->depth - 1];
      good = add_part(shape, &part->scan->axis, index, opens, origin);
    } else {
      const Variable *v = variable_of(shape, part->binder);
      for (int j = 0; j < v->binder->rank && good; j++) {
        Axis axis = {v->binder->axes[j].extent, v->binder->axes[j].letter, origin};
        good = add_part(shape, &axis, v->indices[j], opens || v->binder->is_pack, origin);
      }
    }
    if (!good) return false;
  }
  return true;
}

static bool reject_dims(const Sides *sides) {
  report(sides->statement->frame, NN0212, sides->left->span, "'%s' would have more than %d dims",
         sides->left->name, LIMIT_RANK);
  return false;
}

bool find_shape(Shape *shape, const Statement *statement, const Node *left, const Node *right,
                const Axis *declared, int declared_rank) {
  Sides sides = {.shape = shape, .statement = statement, .left = left};
  shape->path = path_of(statement->frame, left->name);
  shape->context = statement_context(statement, shape->path, right);
  if (!read_left(&sides) || !check_scans(&sides)) return false;
  bool written = left->count > 0 && left->parts[0];
  if (declared && written && !take_declared(&sides, declared, declared_rank)) return false;
  if (!find_ranges(&shape->context, &shape->binders, &right, 1)) return false;
  shape->context.variables = bind_variables(&shape->context, &shape->binders, NULL);
  if (!add_hidden(&sides) || !add_dims(&sides)) return reject_dims(&sides);
  if (declared && written && !check_declared(&sides, declared, declared_rank)) return false;
  return check_size(statement->frame, shape->path, shape->axes, shape->rank, left->span);
}

Value shape_value(const Shape *shape) {
  Value value = value_tensor(shape->tensor);
  value.axes += shape->hidden;
  value.rank -= shape->hidden;
  value.hidden = shape->hidden;
  return value;
}

Tensor *make_target(Shape *shape, ValueType type, Span span) {
  Elaborator *e = shape->context.frame->e;
  if (shape->tensor) return shape->tensor;
  if (type == TYPE_NUMBER || (type == TYPE_F64 && shape->rank > 0)) type = TYPE_REAL;
  Name name = program_unique_name(e->model, e->program, shape->path);
  shape->tensor =
      tensor_new(e->model, &e->program->tensors, name, ROLE_VALUE, type, shape->axes, shape->rank);
  shape->tensor->origin = span;
  return shape->tensor;
}

static bool is_index_form(const Frame *frame, const Node *subs) {
  bool any = false;
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    if (sub->kind == NODE_PACK || sub->kind == NODE_IN) continue;
    if (sub->kind != NODE_IDENT || !is_lower_case(sub->name)) return false;
    if (map_has(&frame->bindings, sub->name)) return false;
    any = true;
  }
  return any;
}

bool declared_dims(Frame *frame, Name name, Axis *axes, int *rank) {
  const Node *result = map_get(&frame->declared_results, name);
  const Node *subs = result ? result->parts[0] : NULL;
  if (!subs || is_index_form(frame, subs)) return false;
  return evaluate_dims(frame, result, subs, axes, rank);
}
