/* Names: what an identifier means at a place. Inner meanings hide outer ones: index variables, names of
   the frame, global definitions, what is built in. */
#include "elaborate/calls.h"
#include "elaborate/indices.h"
#include "elaborate/statements.h"

#include <math.h>
#include <string.h>

bool is_lower_case(Name name) {
  return (name[0] >= 'a' && name[0] <= 'z') || name[0] == '_';
}

bool find_function(Name name, Op *op) {
  static const struct {
    Op op;
    const char *form;
  } rows[] = {
#define OP(name, arity, spelling, form, ...) {OP_##name, #form},
#include "equations/ops.def"
#undef OP
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (strcmp(rows[i].form, "CALL") != 0 || !is_named(name, op_spelling(rows[i].op))) continue;
    *op = rows[i].op;
    return true;
  }
  return false;
}

bool find_reduction(Name name, Reduction *reduction) {
  *reduction = REDUCE_SUM;
  if (is_named(name, "mean")) return true;
  for (Reduction r = REDUCE_SUM; r <= REDUCE_ALL; r++) {
    if (!is_named(name, reduction_name(r))) continue;
    *reduction = r;
    return true;
  }
  return false;
}

static bool is_inside(const Scan *inner, const Scan *scan) {
  for (; inner; inner = inner->outer) {
    if (inner == scan) return true;
  }
  return false;
}

/* Initial values are made before there is any input. */
static bool is_known_at_init(const Tensor *tensor) {
  return tensor->role == ROLE_PARAM || tensor->role == ROLE_STATE || tensor->role == ROLE_CONST ||
         tensor->role == ROLE_HYPER;
}

static Value binding_value(const Context *c, Binding *binding, Span span) {
  const Elaborator *e = c->frame->e;
  if (!binding->known && !run_for(c, binding, span)) return value_poison();
  Value value = binding->value;
  if (binding->scan && !is_inside(c->formula->scan, binding->scan)) {
    Diagnostic *d = report(c->frame, NN0201, span, "'%s' is local to a step of 'scan %s'",
                           binding->name, binding->scan->name);
    diagnostic_help(d, "write '%s' among its indices to keep every step", binding->scan->name);
    return value_poison();
  }
  if (value.kind == VALUE_TENSOR && e->program == &e->model->init &&
      !is_known_at_init(value.tensor)) {
    report(c->frame, NN0310, span, "'%s' has no value when parameters and states get theirs",
           binding->name);
    return value_poison();
  }
  return value;
}

static bool find_built_in(Elaborator *e, Name name, Value *value) {
  if (is_named(name, "training"))
    *value = value_bool(e->training);
  else if (is_named(name, "true"))
    *value = value_bool(true);
  else if (is_named(name, "false"))
    *value = value_bool(false);
  else if (is_named(name, "pi"))
    *value = value_number(3.14159265358979323846);
  else if (is_named(name, "inf"))
    *value = value_number((double)INFINITY);
  else if (is_named(name, "step"))
    *value = value_tensor(e->model->step_number);
  else
    return false;
  return true;
}

static bool find_global(const Context *c, Name name, Span span, Value *value) {
  Elaborator *e = c->frame->e;
  const Definition *definition = definition_seen(c->frame, name);
  Op op;
  if (definition && definition->node->kind == NODE_CONST) {
    *value = constant_value(e, definition);
  } else if (definition && definition->node->kind == NODE_DEF) {
    *value = layer_of_definition(c->frame, definition, span);
  } else if (find_built_in(e, name, value)) {
    return true;
  } else if (find_function(name, &op)) {
    *value = layer_of_function(e, op, span);
  } else {
    return false;
  }
  return true;
}

/* `emb.E`: a parameter or state of a named instance of this frame, or by its whole path. */
static bool find_parameter(const Context *c, Name name, Value *value) {
  const Elaborator *e = c->frame->e;
  if (!strchr(name, '.')) return false;
  for (const Frame *frame = c->frame; frame; frame = frame->outer) {
    const Declared *declared = map_get(&e->declared, path_of(frame, name));
    if (!declared) continue;
    *value = declared->value;
    return true;
  }
  return false;
}

Value resolve_name(const Context *c, Name name, Span span) {
  const Variable *variable = find_variable(c, name, false);
  if (variable)
    return value_expr(expr_index(c->frame->e->model->exprs, variable->indices[0]), NULL);
  Binding *binding = frame_find(c->frame, name);
  if (binding) {
    binding->used = true;
    return binding_value(c, binding, span);
  }
  Value value;
  if (find_parameter(c, name, &value) || find_global(c, name, span, &value)) return value;
  Diagnostic *d = report(c->frame, NN0201, span, "unknown name '%s'", name);
  suggest_name(d, c->frame, name);
  return value_poison();
}
