/* Types of formals: which there are, and whether an argument is of the type. */
#include "elaborate/calls.h"

/* Of options, and of formals without dims: what is known at compile time. */
static const char *const kinds[] = {"dim", "fn", "bool", "int", "f32"};

static bool names_kind(Name name) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (is_named(name, kinds[i])) return true;
  return false;
}

static void reject_type(Elaborator *e, const Node *formal, bool is_option) {
  const Node *type = formal->parts[1];
  ValueType ignored;
  Diagnostic *d;
  if (formal->parts[0] && names_kind(type->name)) {
    d = diagnose(e->diagnostics, NN0209, type->span, "'%s' is a type without dims", type->name);
  } else if (is_option && type_named(type->name, &ignored)) {
    d = diagnose(e->diagnostics, NN0209, type->span, "'%s' is a type of tensors", type->name);
  } else {
    d = diagnose(e->diagnostics, NN0209, type->span, "unknown type '%s'", type->name);
  }
  diagnostic_help(d, is_option ? "types of options are dim, int, bool, f32, fn"
                               : "types of tensors are f32, i32, i8, u8, bool, index, index(C), "
                                 "index(lo, hi)");
}

static void check_formal(Elaborator *e, const Node *formal, bool is_option) {
  const Node *type = formal->parts[1];
  ValueType ignored;
  if (!type) return;
  bool is_tensor = !is_option && type_named(type->name, &ignored);
  bool is_kind = !formal->parts[0] && names_kind(type->name);
  int bounds = is_named(type->name, "index") ? 2 : 0;
  if (!is_tensor && !is_kind) {
    reject_type(e, formal, is_option);
  } else if (type->count > bounds) {
    diagnose(e->diagnostics, NN0209, type->span,
             bounds == 0 ? "'%s' has no bounds" : "'%s' has two bounds at most", type->name);
  }
}

/* An optimizer's `w` and `g` are the parameter and its gradient. */
static void check_option_name(Elaborator *e, const Node *formal) {
  if (!is_named(formal->name, "w") && !is_named(formal->name, "g")) return;
  diagnose(e->diagnostics, NN0202, formal->span, "'%s' has a meaning already", formal->name);
}

static void check_result(Elaborator *e, const Node *result) {
  ValueType ignored;
  const Node *type = result->parts[1];
  if (type && !type_named(type->name, &ignored)) reject_type(e, result, false);
}

static void check_is_new(Elaborator *e, Map *known, const Node *named) {
  const Node *other = map_get(known, named->name);
  map_put(known, named->name, (void *)named);
  if (!other) return;
  Diagnostic *d =
      diagnose(e->diagnostics, NN0202, named->span, "there are two of '%s'", named->name);
  diagnostic_note(d, other->span, "the first one");
}

static void check_results(Elaborator *e, const Node *results) {
  Map known;
  map_init(&known, e->arena);
  for (int i = 0; i < results->count; i++) {
    check_is_new(e, &known, results->parts[i]);
    check_result(e, results->parts[i]);
  }
}

void formals_check(Elaborator *e, const Node *definition) {
  bool is_optimizer = definition->kind == NODE_OPTIMIZER_DEF;
  const Node *results = is_optimizer ? NULL : definition->parts[2];
  Map known;
  map_init(&known, e->arena);
  if (results) check_results(e, results);
  for (int list = 0; list < 2; list++) {
    const Node *formals = definition->parts[list];
    for (int i = 0; i < formals->count; i++) {
      check_is_new(e, &known, formals->parts[i]);
      check_formal(e, formals->parts[i], list == 1 || is_optimizer);
      if (is_optimizer) check_option_name(e, formals->parts[i]);
    }
  }
}

static bool is_size(Value value) {
  int64_t integer;
  return value.kind == VALUE_EXTENT || value_as_integer(value, &integer);
}

static bool is_number_like(Value value) {
  return value.kind == VALUE_NUMBER || value.kind == VALUE_EXTENT || value.kind == VALUE_TENSOR ||
         value.kind == VALUE_EXPR;
}

static const char *wanted_option(Name type, Value value) {
  if (is_named(type, "dim")) return is_size(value) ? NULL : "a size";
  if (is_named(type, "fn")) return value.kind == VALUE_LAYER ? NULL : "a layer";
  if (is_named(type, "bool")) return value.kind == VALUE_BOOL ? NULL : "true or false";
  if (is_named(type, "int")) return value.kind == VALUE_EXTENT ? NULL : "a whole number";
  if (is_named(type, "f32")) return is_number_like(value) ? NULL : "a number";
  return NULL;
}

const char *formal_wants(const Node *formal, Value value) {
  const Node *type = formal->parts[1];
  return type && !is_poison(value) ? wanted_option(type->name, value) : NULL;
}

const char *formal_holds(const Node *formal, ValueType elements) {
  const Node *type = formal->parts[1];
  ValueType wanted;
  if (!type || !type_named(type->name, &wanted)) return NULL;
  if (wanted == TYPE_INT) return elements == TYPE_INT ? NULL : "whole numbers";
  if (wanted == TYPE_BOOL) return elements == TYPE_BOOL ? NULL : "conditions";
  return elements == TYPE_BOOL ? "numbers" : NULL;
}
