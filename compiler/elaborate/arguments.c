/* Arguments: bound to the formals of a definition in a new frame.

   By position tensors come first, then hyper-parameters; a value that is no tensor goes to the
   hyper-parameters while these have room, so `dense(256)` waits for its tensor and `dense(x, 256)` does
   not. The dims in the formals bind names, or must be what these stand for already. */
#include "elaborate/calls.h"

#include <string.h>

enum { LIMIT_FORMALS = 64 };

typedef struct Matching {
  const Context *c;
  const Definition *definition;
  const Node *tensors, *hypers;
  const Argument *given[LIMIT_FORMALS]; /* tensors, then hyper-parameters */
  Frame *frame;
  Span span;
  bool failed;
} Matching;

static int formal_count(const Matching *m) {
  return m->tensors->count + m->hypers->count;
}

static const Node *formal_at(const Matching *m, int position) {
  return position < m->tensors->count ? m->tensors->parts[position]
                                      : m->hypers->parts[position - m->tensors->count];
}

static Diagnostic *fail(Matching *m, Span span, const char *text) {
  m->failed = true;
  return report(m->c->frame, NN0301, span, "'%s': %s", m->definition->name, text);
}

static const char *quote(const Matching *m, const char *text, Name name) {
  return arena_format(m->frame->e->arena, text, name);
}

/* ---- which argument belongs to which formal */

static void give_named(Matching *m, const Argument *argument) {
  for (int i = 0; i < formal_count(m); i++) {
    if (formal_at(m, i)->name != argument->name) continue;
    if (m->given[i]) fail(m, argument->span, quote(m, "'%s' is given twice", argument->name));
    m->given[i] = argument;
    return;
  }
  fail(m, argument->span, quote(m, "there is no argument '%s'", argument->name));
}

static int next_open(const Matching *m, int begin, int end) {
  while (begin < end && m->given[begin]) begin++;
  return begin;
}

static int count_open(const Matching *m, int begin, int end) {
  int open = 0;
  for (int i = begin; i < end; i++) open += !m->given[i];
  return open;
}

static bool is_tensor_like(Value value) {
  return value.kind == VALUE_TENSOR || value.kind == VALUE_EXPR || value.kind == VALUE_RESULTS ||
         is_poison(value);
}

static void give_positional(Matching *m, const Argument *argument, int left) {
  int tensors = m->tensors->count, all = formal_count(m);
  int tensor = next_open(m, 0, tensors), hyper = next_open(m, tensors, all);
  bool skips =
      !is_tensor_like(argument->value) && left <= count_open(m, tensors, all) && hyper < all;
  if (tensor < tensors && !skips)
    m->given[tensor] = argument;
  else if (hyper < all)
    m->given[hyper] = argument;
  else
    fail(m, argument->span, "too many arguments");
}

static void give_all(Matching *m, const ArgumentList *arguments) {
  int positional = 0;
  for (int i = 0; i < arguments->count; i++) {
    const Argument *argument = &arguments->items[i];
    if (argument->name)
      give_named(m, argument);
    else
      positional++;
  }
  for (int i = 0; i < arguments->count && !m->failed; i++) {
    if (!arguments->items[i].name) give_positional(m, &arguments->items[i], positional--);
  }
}

/* ---- dims of formals */

static void bind_dim(Matching *m, const Node *sub, const Axis *axis, const Node *formal,
                     Span argument) {
  Binding *binding = map_get(&m->frame->bindings, sub->name);
  if (!binding) {
    Value value = value_extent(axis->extent);
    value.letter = axis->letter ? axis->letter : sub->name;
    value.origin = axis->origin;
    frame_bind(m->frame, sub->name, sub->span, value);
    return;
  }
  if (is_poison(binding->value)) return;
  if (binding->value.kind == VALUE_EXTENT && binding->value.extent == axis->extent) return;
  Elaborator *e = m->frame->e;
  Diagnostic *d = fail(m, argument,
                       arena_format(e->arena, "%s is %s by '%s' and %s before", sub->name,
                                    size_text(e->arena, axis->extent), formal->name,
                                    value_text(e->arena, binding->value)));
  diagnostic_note(d, argument, "%s", axis_text(e, axis, argument));
  if (binding->value.origin.end > 0) {
    diagnostic_note(d, binding->value.origin, "%s = %s from here", sub->name,
                    value_text(e->arena, binding->value));
  }
}

static void bind_pack(Matching *m, const Node *sub, const Axis *axes, int rank, Span argument) {
  const Pack *pack = frame_pack(m->frame, sub->name);
  if (!pack) {
    APPEND(m->frame->e->arena, &m->frame->packs, (Pack){sub->name, axes, rank});
    return;
  }
  if (same_dims(pack->axes, pack->rank, axes, rank)) return;
  Arena *arena = m->frame->e->arena;
  Diagnostic *d =
      fail(m, argument,
           arena_format(arena, "'...' is %s here and %s before", shape_text(arena, axes, rank),
                        shape_text(arena, pack->axes, pack->rank)));
  note_shape(d, m->frame, axes, rank);
  note_shape(d, m->frame, pack->axes, pack->rank);
}

static int count_packs(const Node *subs) {
  int packs = 0;
  for (int i = 0; i < subs->count; i++) packs += subs->parts[i]->kind == NODE_PACK;
  return packs;
}

/* How many dims the pack at `position` takes: what the other subscripts leave. */
static int pack_rank(const Matching *m, const Node *subs, int position, int rank) {
  int left = rank - subs->count + count_packs(subs);
  for (int i = 0; i < subs->count; i++) {
    const Pack *pack =
        subs->parts[i]->kind == NODE_PACK ? frame_pack(m->frame, subs->parts[i]->name) : NULL;
    if (i == position && pack) return pack->rank;
    if (i != position && pack) left -= pack->rank;
  }
  return left;
}

static bool check_formal_rank(Matching *m, const Node *formal, Value value, Span span) {
  const Node *subs = formal->parts[0];
  int packs = count_packs(subs), fixed = subs->count - packs;
  if (packs > 0 ? value.rank >= fixed : value.rank == fixed) return true;
  Text text;
  text_init(&text, m->frame->e->arena);
  node_print(formal, &text);
  Diagnostic *d = report(m->c->frame, NN0204, span, "'%s' expects '%s' and gets %d dims: %s",
                         m->definition->name, text.bytes, value.rank,
                         shape_text(m->frame->e->arena, value.axes, value.rank));
  note_shape(d, m->frame, value.axes, value.rank);
  m->failed = true;
  return false;
}

/* The packs of the formal are bound by arguments before it, to dims that this value does not have. */
static void reject_packs(Matching *m, const Node *formal, Value value, Span span) {
  Arena *arena = m->frame->e->arena;
  const Node *subs = formal->parts[0];
  Text text;
  text_init(&text, arena);
  text_add(&text, "%s does not fit '", shape_text(arena, value.axes, value.rank));
  node_print(formal, &text);
  text_add(&text, "'");
  PackList packs = {0};
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    const Pack *pack = sub->kind == NODE_PACK ? frame_pack(m->frame, sub->name) : NULL;
    if (!pack) continue;
    text_add(&text, ", where '...%s' is %s", sub->name ? sub->name : "",
             shape_text(arena, pack->axes, pack->rank));
    APPEND(arena, &packs, *pack);
  }
  Diagnostic *d = fail(m, span, text.bytes);
  note_shape(d, m->frame, value.axes, value.rank);
  for (int i = 0; i < packs.count; i++)
    note_shape(d, m->frame, packs.items[i].axes, packs.items[i].rank);
}

static void match_dims(Matching *m, const Node *formal, Value value, Span span) {
  const Node *subs = formal->parts[0];
  if (!check_formal_rank(m, formal, value, span)) return;
  int axis = 0;
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    int rank = sub->kind == NODE_PACK ? pack_rank(m, subs, i, value.rank) : 1;
    if (rank < 0 || axis + rank > value.rank) {
      reject_packs(m, formal, value, span);
      return;
    }
    if (sub->kind == NODE_PACK)
      bind_pack(m, sub, value.axes + axis, rank, span);
    else if (sub->kind == NODE_IDENT)
      bind_dim(m, sub, &value.axes[axis], formal, span);
    axis += rank;
  }
}

static void check_written_dim(Matching *m, const Node *formal, int position, const Node *sub,
                              const Axis *axis, Span span) {
  Axis written;
  const Extent *extent = evaluate_extent(m->frame, sub, &written);
  if (extent == axis->extent || extent_is_poisoned(extent)) return;
  Elaborator *e = m->frame->e;
  Diagnostic *d = fail(m, span,
                       arena_format(e->arena, "dim %d of '%s' is %s, and must be %s", position + 1,
                                    formal->name, size_text(e->arena, axis->extent),
                                    size_text(e->arena, extent)));
  diagnostic_note(d, axis->origin, "%s", axis_text(e, axis, span));
}

/* Dims that are expressions, `x[N, 2*K]`, once every name is bound. */
static void check_written_dims(Matching *m, const Node *formal, Value value, Span span) {
  const Node *subs = formal->parts[0];
  int axis = 0;
  for (int i = 0; i < subs->count && !m->failed; i++) {
    const Node *sub = subs->parts[i];
    if (sub->kind == NODE_PACK) {
      axis += frame_pack(m->frame, sub->name)->rank;
    } else {
      if (sub->kind != NODE_IDENT) {
        check_written_dim(m, formal, axis, sub, &value.axes[axis], span);
      }
      axis++;
    }
  }
}

/* ---- values of formals */

static void check_kind(Matching *m, const Node *formal, Value value, Span span) {
  const char *wanted = formal_wants(formal, value);
  if (!wanted) return;
  report(m->c->frame, NN0209, span, "'%s': '%s' is %s, and must be %s", m->definition->name,
         formal->name, value_text(m->frame->e->arena, value), wanted);
  m->failed = true;
}

static void check_elements(Matching *m, const Node *formal, ValueType elements, Span span) {
  const char *wanted = formal_holds(formal, elements);
  if (!wanted) return;
  report(m->c->frame, NN0209, span, "'%s': '%s' holds %s, and this is %s", m->definition->name,
         formal->name, wanted,
         elements == TYPE_BOOL  ? "a condition"
         : elements == TYPE_INT ? "whole"
                                : "real");
  m->failed = true;
}

/* A name that means nothing yet is bound, as those in dims are. */
static void check_bound(Matching *m, const Node *formal, const Node *written, const Extent *bound,
                        Value value, Span span) {
  Elaborator *e = m->frame->e;
  bool is_new = written->kind == NODE_IDENT && !map_has(&m->frame->bindings, written->name) &&
                !definition_seen(m->frame, written->name);
  if (is_new && !bound) {
    Diagnostic *d = fail(m, span, quote(m, "nothing is known to bound '%s' here", formal->name));
    diagnostic_help(d, "declare what it is computed from ': index(..)'");
  } else if (is_new) {
    Value extent = value_extent(bound);
    extent.letter = written->name;
    extent.origin = value.tensor->origin;
    frame_bind(m->frame, written->name, written->span, extent);
  } else if (bound) {
    const Extent *wanted = evaluate_extent(m->frame, written, &(Axis){0});
    if (bound == wanted || extent_is_poisoned(wanted)) return;
    if (extent_minimum(extent_subtract(e->model->extents, wanted, bound)) >= 0) return;
    Diagnostic *d =
        fail(m, span,
             arena_format(e->arena, "'%s' is below %s, and must be below %s", formal->name,
                          size_text(e->arena, bound), size_text(e->arena, wanted)));
    diagnostic_note(d, value.tensor->origin, "below %s from here", size_text(e->arena, bound));
  }
}

static void check_type(Matching *m, const Node *formal, Value value, Span span) {
  const Node *type = formal->parts[1];
  ValueType ignored;
  bool is_array = value.kind == VALUE_EXPR || value.kind == VALUE_TENSOR;
  if (!type) return;
  if (!is_array || !type_named(type->name, &ignored)) {
    check_kind(m, formal, value, span);
    return;
  }
  bool is_tensor = value.kind == VALUE_TENSOR;
  check_elements(m, formal, is_tensor ? value.tensor->type : value.expr->type, span);
  if (is_tensor && type->count > 0 && !m->failed)
    check_bound(m, formal, type->parts[type->count - 1], value.tensor->high, value, span);
}

static void bind_tensor(Matching *m, const Node *formal, const Argument *argument) {
  bool inlined = is_pointwise(m->definition);
  Value value = argument->value;
  if (value.kind == VALUE_RESULTS) value = value.results[0];
  if (!inlined && (value.kind == VALUE_EXPR || formal->parts[0])) {
    Name applied = applied_name(argument->node);
    Name name = name_format(m->frame->e->names, "%s.%s", argument->context->formula->path,
                            applied ? applied : formal->name);
    value = define_tensor(argument->context, name, value, argument->span);
    if (is_poison(value)) m->failed = true;
  }
  bool failed = m->failed;
  m->failed = false;
  if (value.kind == VALUE_TENSOR && formal->parts[0]) match_dims(m, formal, value, argument->span);
  if (!m->failed) check_type(m, formal, value, argument->span);
  m->failed = m->failed || failed;
  frame_bind(m->frame, formal->name, formal->span, value);
}

static void bind_hyper(Matching *m, const Node *formal, Value value, Span span) {
  check_kind(m, formal, value, span);
  int64_t integer;
  if (value.kind == VALUE_NUMBER && formal->parts[1] && value_as_integer(value, &integer)) {
    value = value_integer(m->frame->e, integer);
  }
  if (value.kind == VALUE_EXTENT && value.origin.end == 0) value.origin = span;
  frame_bind(m->frame, formal->name, formal->span, value);
}

static void bind_default(Matching *m, const Node *formal) {
  if (!formal->parts[2]) {
    if (m->definition->node->kind == NODE_OPTIMIZER_DEF) return; /* reported by optimizers.c */
    fail(m, m->span, quote(m, "argument '%s' is missing", formal->name));
    return;
  }
  Context c = formula_begin(m->frame, NULL, path_of(m->frame, formal->name), formal->parts[2]);
  bind_hyper(m, formal, evaluate(&c, formal->parts[2]), formal->parts[2]->span);
}

/* The dims of a formal as those before it bind them; -1 after an error. */
static int default_dims(Matching *m, const Node *formal, Axis *axes) {
  const Node *subs = formal->parts[0];
  int rank = 0;
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    bool is_pack = sub->kind == NODE_PACK;
    const Pack *pack = is_pack ? frame_pack(m->frame, sub->name) : NULL;
    if ((is_pack && !pack) || rank + (pack ? pack->rank : 1) > LIMIT_RANK) {
      fail(m, formal->span,
           quote(m, "nothing tells the dims of '%s' for its default", formal->name));
      return -1;
    }
    if (pack)
      memcpy(axes + rank, pack->axes, (size_t)pack->rank * sizeof *axes);
    else if (extent_is_poisoned(evaluate_extent(m->frame, sub, &axes[rank])))
      return -1;
    rank += pack ? pack->rank : 1;
  }
  return rank;
}

static void bind_default_tensor(Matching *m, const Node *formal) {
  Axis axes[LIMIT_RANK];
  const Node *written = formal->parts[2];
  Context c = formula_begin(m->frame, NULL, path_of(m->frame, formal->name), written);
  Value value = evaluate(&c, written);
  if (formal->parts[0] && !is_pointwise(m->definition)) {
    int rank = default_dims(m, formal, axes);
    if (rank < 0) return;
    Axis *copy = arena_copy(m->frame->e->arena, axes, sizeof axes);
    value = spread_value(&c, value, copy, rank, written->span);
    value = define_tensor(&c, c.formula->path, value, written->span);
  }
  frame_bind(m->frame, formal->name, formal->span, value);
}

static void bind_given(Matching *m) {
  int tensors = m->tensors->count;
  for (int i = tensors; i < formal_count(m); i++) {
    const Argument *argument = m->given[i];
    if (argument) bind_hyper(m, formal_at(m, i), argument->value, argument->span);
  }
  bool is_optimizer = m->definition->node->kind == NODE_OPTIMIZER_DEF;
  for (int i = 0; i < tensors && !m->failed; i++) {
    const Argument *argument = m->given[i];
    if (argument && is_optimizer)
      bind_hyper(m, formal_at(m, i), argument->value, argument->span);
    else if (argument)
      bind_tensor(m, formal_at(m, i), argument);
  }
}

static void bind_defaults(Matching *m) {
  int tensors = m->tensors->count;
  bool is_optimizer = m->definition->node->kind == NODE_OPTIMIZER_DEF;
  for (int i = 0; i < formal_count(m) && !m->failed; i++) {
    const Node *formal = formal_at(m, i);
    if (map_has(&m->frame->bindings, formal->name)) continue;
    if (i >= tensors || is_optimizer) bind_default(m, formal);
  }
  for (int i = 0; i < tensors && !m->failed && !is_optimizer; i++) {
    const Node *formal = formal_at(m, i);
    if (!map_has(&m->frame->bindings, formal->name))
      bind_default_tensor(m, formal);
    else if (m->given[i] && formal->parts[0] && !is_pointwise(m->definition)) {
      Value value = frame_find(m->frame, formal->name)->value;
      if (value.kind == VALUE_TENSOR) check_written_dims(m, formal, value, m->given[i]->span);
    }
  }
}

static bool lacks_tensor(const Matching *m) {
  if (m->definition->node->kind == NODE_OPTIMIZER_DEF) return false;
  for (int i = 0; i < m->tensors->count; i++) {
    if (!m->given[i] && !m->tensors->parts[i]->parts[2]) return true;
  }
  return false;
}

Frame *bind_list(const Context *c, const Definition *definition, const ArgumentList *arguments,
                 Span span, bool *is_complete) {
  const Node *node = definition->node;
  Matching m = {.c = c, .definition = definition, .span = span};
  m.tensors = node->parts[0];
  m.hypers = node->parts[1];
  m.frame = frame_new(c->frame->e, c->frame, definition);
  m.frame->scan = c->formula->scan;
  m.frame->path = c->formula->path;
  if (formal_count(&m) > LIMIT_FORMALS) {
    fail(&m, node->span, "more than 64 arguments");
    return NULL;
  }
  give_all(&m, arguments);
  *is_complete = m.failed || !lacks_tensor(&m);
  if (*is_complete && !m.failed) {
    bind_given(&m);
    bind_defaults(&m);
  }
  return m.failed ? NULL : m.frame;
}
