/* Layers: definitions, functions and repetitions applied to arguments. */
#include "elaborate/calls.h"
#include "elaborate/statements.h"

#include <string.h>

bool is_pointwise(const Definition *definition) {
  return definition->node->kind == NODE_DEF && !definition->node->parts[2];
}

bool is_inlined(const Layer *layer) {
  return layer->kind == LAYER_FUNCTION ||
         (layer->kind == LAYER_DEFINITION && is_pointwise(layer->definition));
}

/* ---- limits */

/* What a small source may expand to in memory. */
enum { LIMIT_EXPANSION = 224 << 20 };

static bool count_instance(const Context *c, Span span) {
  Elaborator *e = c->frame->e;
  if (arena_used(e->arena) > LIMIT_EXPANSION) {
    if (e->instance_count <= LIMIT_INSTANCES) {
      report(c->frame, NN0306, span, "the definitions expand to more than %d MiB",
             LIMIT_EXPANSION >> 20);
    }
    e->instance_count = LIMIT_INSTANCES + 1;
    return false;
  }
  if (++e->instance_count <= LIMIT_INSTANCES) return true;
  if (e->instance_count == LIMIT_INSTANCES + 1) {
    report(c->frame, NN0306, span, "more than %d applications of definitions", LIMIT_INSTANCES);
  }
  return false;
}

static void name_cycle(Text *text, const Frame *frame, const Definition *end) {
  const char *names[LIMIT_NESTING + 1];
  int count = 0;
  for (; frame && frame->definition && count < LIMIT_NESTING; frame = frame->caller) {
    names[count++] = frame->definition->name;
    if (frame->definition == end) break;
  }
  while (count > 0) text_add(text, "%s -> ", names[--count]);
  text_add(text, "%s", end->name);
}

static bool check_nesting(const Context *c, const Layer *layer, Span span) {
  const Definition *definition = layer->definition;
  for (const Frame *frame = layer->frame; frame && frame->definition; frame = frame->caller) {
    if (frame->definition != definition) continue;
    Text text;
    text_init(&text, frame->e->arena);
    name_cycle(&text, layer->frame, definition);
    report(c->frame, NN0303, span, "'%s' applies itself: %s", definition->name, text.bytes);
    return false;
  }
  if (c->frame->depth < LIMIT_NESTING) return true;
  report(c->frame, NN0105, span, "definitions applied within each other more than %d deep",
         LIMIT_NESTING);
  return false;
}

/* ---- paths */

/* How many applications of a kind the formula has by now. */
static int count_kind(const Context *c, Name kind) {
  int *count = map_get(c->formula->kinds, kind);
  if (!count) map_put(c->formula->kinds, kind, count = NEW(c->frame->e->arena, int));
  return ++*count;
}

/* NAME for a lone application, NAME.definition in a larger expression, NAME.definition2 for the
   second. */
static Name application_path(const Context *c, Name kind) {
  const Formula *formula = c->formula;
  Names *names = c->frame->e->names;
  int count = count_kind(c, kind);
  if (formula->lone && count == 1) return formula->path;
  if (count == 1) return name_format(names, "%s.%s", formula->path, kind);
  return name_format(names, "%s.%s%d", formula->path, kind, count);
}

/* ---- definitions */

static Value keep_arguments(const Context *c, const Layer *layer, const ArgumentList *arguments,
                            Span span) {
  Layer *partial = NEW(c->frame->e->arena, Layer);
  *partial = *layer;
  partial->arguments = *arguments;
  partial->span = span;
  return (Value){.kind = VALUE_LAYER, .layer = partial};
}

static Value inline_definition(const Context *c, Frame *frame, const Node *body, Span span) {
  Context inner = *c;
  inner.frame = frame;
  inner.variables = NULL;
  frame->path = c->frame->path;
  frame->call = span;
  return evaluate(&inner, body);
}

static Instance *instance_new(const Context *c, const Definition *definition, Name path,
                              Span span) {
  Instance *instance = NEW(c->frame->e->arena, Instance);
  *instance = (Instance){c->frame->instance, definition->name, path, span, definition->in_library};
  return instance;
}

static Value apply_definition(const Context *c, const Layer *layer, const ArgumentList *arguments,
                              Span span, Name path) {
  const Definition *definition = layer->definition;
  bool is_complete = true;
  if (!check_nesting(c, layer, span) || !count_instance(c, span)) return value_poison();
  Frame *frame = bind_list(c, definition, arguments, span, &is_complete);
  if (!is_complete) return keep_arguments(c, layer, arguments, span);
  if (!frame) return value_poison();
  const Node *node = definition->node;
  if (is_pointwise(definition)) return inline_definition(c, frame, node->parts[3], span);
  frame->is_shared = c->frame->is_shared || layer->path;
  frame->path = path ? path : application_path(c, definition->name);
  frame->instance = instance_new(c, definition, frame->path, span);
  return elaborate_instance(frame, node);
}

/* ---- functions and repetitions */

static Value apply_function(const Context *c, const Layer *layer, const ArgumentList *arguments,
                            Span span) {
  Value operands[3];
  int arity = op_arity(layer->op);
  if (arguments->count != arity) {
    report(c->frame, NN0301, span, "'%s' takes %d argument%s and gets %d", op_spelling(layer->op),
           arity, arity == 1 ? "" : "s", arguments->count);
    return value_poison();
  }
  for (int i = 0; i < arity; i++) {
    if (arguments->items[i].name) {
      report(c->frame, NN0301, arguments->items[i].span, "'%s' has no named arguments",
             op_spelling(layer->op));
      return value_poison();
    }
    operands[i] = arguments->items[i].value;
  }
  return apply_op(c, layer->op, operands, arity, span);
}

static Value apply_at(const Context *c, const Layer *layer, const ArgumentList *arguments,
                      Span span, Name path);

/* From 0 on, each application at PATH.number, to the first result of the one before. */
static Value apply_repeat(const Context *c, const Layer *layer, const ArgumentList *arguments,
                          Span span, Name path) {
  Elaborator *e = c->frame->e;
  if (arguments->count == 0) return (Value){.kind = VALUE_LAYER, .layer = layer};
  int count = count_kind(c, name_of(e->names, "repeat"));
  if (!path && count == 1) path = c->formula->path;
  if (!path) path = name_format(e->names, "%s.repeat%d", c->formula->path, count);
  ArgumentList given = *arguments;
  given.items =
      arena_copy(e->arena, arguments->items, (size_t)arguments->count * sizeof *given.items);
  for (int64_t i = 0; i < layer->times; i++) {
    Name each = name_format(e->names, "%s.%lld", path, (long long)i);
    const Layer *one = layer->repeated.layer;
    if (layer->path) one = layer_named(e, layer->repeated, each).layer;
    given.items[0].value = apply_at(c, one, &given, span, each);
    if (is_poison(given.items[0].value)) return value_poison();
  }
  return given.items[0].value;
}

/* The new arguments, then those the layer has already. */
static ArgumentList join_arguments(const Context *c, const Layer *layer,
                                   const ArgumentList *arguments) {
  ArgumentList all = {0};
  if (layer->arguments.count == 0) return *arguments;
  for (int i = 0; i < arguments->count; i++) {
    APPEND(c->frame->e->arena, &all, arguments->items[i]);
  }
  for (int i = 0; i < layer->arguments.count; i++) {
    APPEND(c->frame->e->arena, &all, layer->arguments.items[i]);
  }
  return all;
}

static Value apply_at(const Context *c, const Layer *layer, const ArgumentList *arguments,
                      Span span, Name path) {
  ArgumentList all = join_arguments(c, layer, arguments);
  for (int i = 0; i < all.count; i++) {
    if (is_poison(all.items[i].value)) return value_poison();
  }
  if (layer->path) path = layer->path;
  if (layer->kind == LAYER_FUNCTION) return apply_function(c, layer, &all, span);
  if (layer->kind == LAYER_REPEAT) return apply_repeat(c, layer, &all, span, path);
  return apply_definition(c, layer, &all, span, path);
}

Value apply_layer(const Context *c, const Layer *layer, const ArgumentList *arguments, Span span) {
  return apply_at(c, layer, arguments, span, NULL);
}
