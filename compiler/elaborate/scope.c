/* Frames, the names in them, and the values these stand for. */
#include "elaborate/scope.h"

#include <math.h>
#include <string.h>

bool is_named(Name name, const char *text) {
  return name && strcmp(name, text) == 0;
}

Frame *frame_new(Elaborator *e, const Frame *caller, const Definition *definition) {
  Frame *frame = NEW(e->arena, Frame);
  frame->e = e;
  frame->caller = caller;
  frame->definition = definition;
  frame->path = caller ? caller->path : "";
  frame->instance = caller ? caller->instance : NULL;
  frame->depth = caller ? caller->depth + 1 : 0;
  map_init(&frame->bindings, e->arena);
  map_init(&frame->memo, e->arena);
  map_init(&frame->declared_results, e->arena);
  return frame;
}

Frame *frame_inside(Frame *outer) {
  Frame *frame = frame_new(outer->e, outer->caller, outer->definition);
  frame->outer = outer;
  frame->path = outer->path;
  frame->instance = outer->instance;
  frame->call = outer->call;
  frame->depth = outer->depth;
  frame->scan = outer->scan;
  frame->is_optimizer = outer->is_optimizer;
  return frame;
}

Binding *frame_bind(Frame *frame, Name name, Span span, Value value) {
  Binding *binding = NEW(frame->e->arena, Binding);
  *binding = (Binding){.name = name, .span = span, .known = true, .value = value};
  map_put(&frame->bindings, name, binding);
  return binding;
}

Binding *frame_find(const Frame *frame, Name name) {
  for (; frame; frame = frame->outer) {
    Binding *binding = map_get(&frame->bindings, name);
    if (binding) return binding;
  }
  return NULL;
}

const Pack *frame_pack(const Frame *frame, Name name) {
  for (int i = 0; i < frame->packs.count; i++) {
    if (frame->packs.items[i].name == name) return &frame->packs.items[i];
  }
  return NULL;
}

Name path_of(const Frame *frame, Name name) {
  if (frame->path[0] == '\0') return name;
  return name_format(frame->e->names, "%s.%s", frame->path, name);
}

const Definition *definition_of(const Elaborator *e, Name name) {
  Definition *definition = map_get(&e->definitions, name);
  if (definition) definition->is_used = true;
  return definition;
}

const Definition *definition_seen(const Frame *frame, Name name) {
  bool in_library = frame->definition && frame->definition->in_library;
  const Definition *definition = in_library ? map_get(&frame->e->library, name) : NULL;
  return definition ? definition : definition_of(frame->e, name);
}

Value value_poison(void) {
  return (Value){.kind = VALUE_POISON};
}

Value value_bool(bool truth) {
  return (Value){.kind = VALUE_BOOL, .truth = truth};
}

Value value_number(double number) {
  return (Value){.kind = VALUE_NUMBER, .number = number};
}

Value value_extent(const Extent *extent) {
  if (extent_is_poisoned(extent)) return value_poison();
  return (Value){.kind = VALUE_EXTENT, .extent = extent};
}

Value value_integer(const Elaborator *e, int64_t integer) {
  return value_extent(extent_constant(e->model->extents, integer));
}

Value value_string(Name text) {
  return (Value){.kind = VALUE_STRING, .text = text};
}

Value value_expr(const Expr *expr, const Field *field) {
  return (Value){.kind = VALUE_EXPR, .expr = expr, .field = field};
}

Value value_tensor(Tensor *tensor) {
  return (Value){
      .kind = VALUE_TENSOR, .tensor = tensor, .axes = tensor->axes, .rank = tensor->rank};
}

bool is_poison(Value value) {
  return value.kind == VALUE_POISON;
}

bool is_static(Value value) {
  int64_t integer;
  if (value.kind == VALUE_EXTENT) return extent_is_constant(value.extent, &integer);
  return value.kind == VALUE_BOOL || value.kind == VALUE_NUMBER || value.kind == VALUE_STRING;
}

bool value_as_number(Value value, double *number) {
  int64_t integer;
  if (value.kind == VALUE_NUMBER) {
    *number = value.number;
    return true;
  }
  if (value.kind != VALUE_EXTENT || !extent_is_constant(value.extent, &integer)) return false;
  *number = (double)integer;
  return true;
}

bool value_as_integer(Value value, int64_t *integer) {
  if (value.kind == VALUE_EXTENT) return extent_is_constant(value.extent, integer);
  if (value.kind != VALUE_NUMBER || value.number != floor(value.number)) return false;
  if (fabs(value.number) > 9007199254740992.0) return false;
  *integer = (int64_t)value.number;
  return true;
}
