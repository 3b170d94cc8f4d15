/* Declarations: inputs, targets, parameters, states, dims and constants.

   The tensors are the model's, one for both programs; what the second program declares again is looked
   up by its path. A parameter or state over a run-time dim is stored at the maximum of the dim. */
#include "elaborate/calls.h"
#include "elaborate/statements.h"

#include <string.h>

static void settle(Frame *frame, const Node *node, Value value) {
  Binding *binding = map_get(&frame->bindings, node->name);
  if (!binding || binding->known) return;
  binding->known = true;
  binding->value = value;
}

/* ---- dims */

static bool is_overridden(const Frame *frame, Name name, int64_t *value) {
  ElaborateOptions *options = frame->e->options;
  if (frame->definition) return false;
  for (int i = 0; i < options->override_count; i++) {
    if (!is_named(name, options->overrides[i].name)) continue;
    options->overrides[i].used = true;
    *value = options->overrides[i].value;
    return true;
  }
  return false;
}

static const Extent *bounded_extent(Frame *frame, const Node *node) {
  Model *model = frame->e->model;
  int64_t maximum;
  const Extent *extent = evaluate_positive(frame, node->parts[0]);
  if (extent_is_poisoned(extent)) return extent;
  if (!extent_is_constant(extent, &maximum)) {
    report(frame, NN0210, node->parts[0]->span, "the maximum of a dim must be a number");
    return extent_poison(model->extents);
  }
  const Dim *known = map_get(&frame->e->dims, node->name);
  if (known) return extent_dim(model->extents, known);
  Dim *dim = NEW(model->arena, Dim);
  *dim = (Dim){node->name, maximum, node->span, model->dims.count};
  APPEND(model->arena, &model->dims, dim);
  map_put(&frame->e->dims, node->name, dim);
  return extent_dim(model->extents, dim);
}

static const Extent *overriding_extent(Frame *frame, const Node *node, int64_t value) {
  ExtentTable *table = frame->e->model->extents;
  int64_t least = node->kind == NODE_DIM_FIXED ? 0 : 1;
  if (value >= least && value <= LIMIT_EXTENT) return extent_constant(table, value);
  report(frame, NN0210, node->span, "dim '%s' cannot be %lld", node->name, (long long)value);
  return extent_poison(table);
}

void run_dim(Statement *statement) {
  Frame *frame = statement->frame;
  const Node *node = statement->node;
  const Extent *extent;
  int64_t value;
  if (is_overridden(frame, node->name, &value)) {
    extent = overriding_extent(frame, node, value);
  } else if (node->kind == NODE_DIM_FIXED) {
    extent = evaluate_extent(frame, node->parts[0], &(Axis){0});
  } else if (frame->definition) {
    report(frame, NN0308, node->span, "a run-time dim stands in a model");
    extent = extent_poison(frame->e->model->extents);
  } else {
    extent = bounded_extent(frame, node);
  }
  Value dim = value_extent(extent);
  dim.letter = node->name;
  dim.origin = node->span;
  settle(frame, node, dim);
}

/* `input x[N, P]`, without type, initial value and tags. */
static Span span_of_dims(const Frame *frame, const Node *declaration, const Node *subs) {
  const SourceFile *file = source_of(frame->e->sources, subs->span.end);
  uint32_t end = subs->span.end;
  bool closes = file && end < file->base + file->size && file->text[end - file->base] == ']';
  return (Span){declaration->span.begin, end + closes};
}

bool evaluate_dims(Frame *frame, const Node *declaration, const Node *subs, Axis *axes, int *rank) {
  Span origin = span_of_dims(frame, declaration, subs);
  *rank = 0;
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    const Pack *pack = sub->kind == NODE_PACK ? frame_pack(frame, sub->name) : NULL;
    int dims = pack ? pack->rank : 1;
    if (sub->kind == NODE_PACK && !pack) {
      report(frame, NN0203, sub->span, "unbound pack '...%s'", sub->name ? sub->name : "");
      return false;
    }
    if (*rank + dims > LIMIT_RANK) {
      report(frame, NN0212, subs->span, "more than %d dims", LIMIT_RANK);
      return false;
    }
    if (pack) memcpy(axes + *rank, pack->axes, (size_t)dims * sizeof *axes);
    const Node *extent = sub->kind == NODE_IN ? sub->parts[0] : sub;
    Axis *axis = &axes[*rank];
    if (!pack && extent_is_poisoned(evaluate_extent(frame, extent, axis))) return false;
    for (int j = 0; j < dims; j++) axes[*rank + j].origin = origin;
    *rank += dims;
  }
  return true;
}

/* ---- types */

static const struct TypeName {
  const char *name;
  ValueType type;
  Storage storage;
  int64_t low, high; /* equal: no promise */
} type_names[] = {{"f32", TYPE_REAL, STORE_REAL, 0, 0}, {"i32", TYPE_INT, STORE_I32, 0, 0},
                  {"int", TYPE_INT, STORE_I32, 0, 0},   {"i8", TYPE_INT, STORE_I8, -128, 128},
                  {"u8", TYPE_INT, STORE_U8, 0, 256},   {"bool", TYPE_BOOL, STORE_BOOL, 0, 0},
                  {"index", TYPE_INT, STORE_I32, 0, 0}};

bool type_named(Name name, ValueType *type) {
  for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
    if (!is_named(name, type_names[i].name)) continue;
    *type = type_names[i].type;
    return true;
  }
  return false;
}

typedef struct TensorType {
  ValueType type;
  Storage storage;
  const Extent *low, *high;
} TensorType;

static bool find_promise(Frame *frame, const Node *node, TensorType *type) {
  ExtentTable *table = frame->e->model->extents;
  if (node->count < 1 || node->count > 2) {
    Diagnostic *d = report(frame, NN0209, node->span, "'index' needs its bounds here");
    diagnostic_help(d, "write index(C) for 0 <= t < C, or index(lo, hi)");
    return false;
  }
  const Extent *bounds[2] = {extent_constant(table, 0), NULL};
  for (int i = 0; i < node->count; i++) {
    Value value = evaluate_static(frame, node->parts[i]);
    if (is_poison(value)) return false;
    if (value.kind != VALUE_EXTENT) {
      report(frame, NN0210, node->parts[i]->span, "a bound of an index is a whole number");
      return false;
    }
    bounds[2 - node->count + i] = value.extent;
  }
  type->low = bounds[0];
  type->high = bounds[1];
  return true;
}

static bool find_type(Frame *frame, const Node *node, TensorType *type) {
  ExtentTable *table = frame->e->model->extents;
  *type = (TensorType){TYPE_REAL, STORE_REAL, NULL, NULL};
  if (!node) return true;
  for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
    const struct TypeName *row = &type_names[i];
    if (!is_named(node->name, row->name)) continue;
    *type = (TensorType){row->type, row->storage, NULL, NULL};
    if (row->low != row->high) {
      type->low = extent_constant(table, row->low);
      type->high = extent_constant(table, row->high);
    }
    return !is_named(node->name, "index") || find_promise(frame, node, type);
  }
  Diagnostic *d = report(frame, NN0209, node->span, "unknown type '%s'", node->name);
  diagnostic_help(d, "types are f32, i32, i8, u8, bool, index(C), index(lo, hi)");
  return false;
}

/* ---- tensors of the model */

Tensor *declare_tensor(Elaborator *e, TensorList *list, Name path, Role role, ValueType type,
                       const Axis *axes, int rank, Span span) {
  Axis stored[LIMIT_RANK];
  bool kept = role == ROLE_PARAM || role == ROLE_STATE || role == ROLE_SLOT;
  for (int i = 0; i < rank; i++) {
    stored[i] = axes[i];
    int64_t maximum = extent_maximum(axes[i].extent);
    if (kept) stored[i].extent = extent_constant(e->model->extents, maximum);
  }
  Tensor *tensor = tensor_new(e->model, list, path, role, type, stored, rank);
  tensor->origin = span;
  return tensor;
}

/* The tensor declared at this path before; null when this is the first time. `*good` is false when
   the new declaration is an error. */
static Declared *find_declared(Frame *frame, const Node *node, const Axis *axes, int rank,
                               bool *good) {
  const Elaborator *e = frame->e;
  Declared *declared = map_get(&e->declared, path_of(frame, node->name));
  *good = true;
  if (!declared) return NULL;
  bool again = declared->program == e->program && !frame->is_shared;
  if (declared->node != node || again) {
    Diagnostic *d =
        report(frame, NN0202, node->span, "'%s' is declared twice", path_of(frame, node->name));
    diagnostic_note(d, declared->node->span, "the first time");
    *good = false;
  } else if (!same_dims(declared->value.axes, declared->value.rank, axes, rank)) {
    Arena *arena = e->arena;
    report(frame, NN0205, node->span, "'%s' is %s in one application and %s in another",
           path_of(frame, node->name),
           shape_text(arena, declared->value.axes, declared->value.rank),
           shape_text(arena, axes, rank));
    *good = false;
  }
  declared->program = e->program;
  return declared;
}

/* A value that has the path of a parameter gives way: paths are promised, its name is not. */
static void free_path(Elaborator *e, Name path) {
  Name other = program_unique_name(e->model, e->program, path);
  TensorList *tensors = &e->program->tensors;
  for (int i = 0; other != path && i < tensors->count; i++) {
    if (tensors->items[i]->name == path) tensors->items[i]->name = other;
  }
}

static Declared *declare(Frame *frame, const Node *node, Role role, const TensorType *type,
                         const Axis *axes, int rank) {
  Elaborator *e = frame->e;
  Declared *declared = NEW(e->arena, Declared);
  Name path = path_of(frame, node->name);
  free_path(e, path);
  Tensor *tensor =
      declare_tensor(e, &e->model->tensors, path, role, type->type, axes, rank, node->span);
  tensor->storage = type->storage;
  tensor->low = type->low;
  tensor->high = type->high;
  *declared = (Declared){value_tensor(tensor), frame, node, e->program};
  declared->value.axes = arena_copy(e->arena, axes, sizeof(Axis) * LIMIT_RANK);
  map_put(&e->declared, path, declared);
  return declared;
}

/* `name[extents] : type`, the head of a declaration. */
typedef struct Head {
  Axis axes[LIMIT_RANK];
  int rank;
  TensorType type;
} Head;

static bool read_head(Frame *frame, const Node *node, Head *head) {
  const Node *subs = node->parts[0];
  bool good = !subs || evaluate_dims(frame, node, subs, head->axes, &head->rank);
  return find_type(frame, node->parts[1], &head->type) && good &&
         check_size(frame, node->name, head->axes, head->rank, node->span);
}

/* ---- inputs */

static void find_batch(Model *model, const Tensor *input) {
  if (model->batch || input->role != ROLE_INPUT || input->rank == 0) return;
  DimList dims = {0};
  extent_dims(model->arena, input->axes[0].extent, &dims);
  if (dims.count != 1) return;
  bool alone = extent_dim(model->extents, dims.items[0]) == input->axes[0].extent;
  if (alone) model->batch = dims.items[0];
}

void run_input(Statement *statement) {
  Frame *frame = statement->frame;
  const Node *node = statement->node;
  Head head = {0};
  bool good = read_head(frame, node, &head);
  Role role = node->kind == NODE_INPUT ? ROLE_INPUT : ROLE_TARGET;
  Declared *declared = good ? find_declared(frame, node, head.axes, head.rank, &good) : NULL;
  if (good && !declared) declared = declare(frame, node, role, &head.type, head.axes, head.rank);
  if (good) find_batch(frame->e->model, declared->value.tensor);
  settle(frame, node, good ? declared->value : value_poison());
}

/* ---- parameters and states */

static void add_tags(Frame *frame, const Node *tags, Tensor *tensor) {
  tensor->tag_count = tags->count;
  tensor->tags = NEW_ARRAY(frame->e->arena, Name, tags->count + 1);
  for (int i = 0; i < tags->count; i++) tensor->tags[i] = tags->parts[i]->name;
}

/* The variables of an initial value: `g in 4` has a name, the others have generated ones. */
static void bind_dims(Context *c, const Node *subs, const Tensor *tensor, const Index **vars) {
  Elaborator *e = c->frame->e;
  for (int i = 0; i < tensor->rank; i++) {
    const Node *sub = subs && subs->count == tensor->rank ? subs->parts[i] : NULL;
    bool named = sub && sub->kind == NODE_IN;
    Name name = named ? sub->name : index_name(c, &tensor->axes[i]);
    vars[i] = index_new(e->model, name, tensor->axes[i].extent);
    if (!named) continue;
    Binder *binder = NEW(e->arena, Binder);
    *binder = (Binder){.name = name, .known = true, .axes = {tensor->axes[i]}, .rank = 1};
    Variable *variable = NEW(e->arena, Variable);
    *variable = (Variable){c->variables, binder, {vars[i]}};
    c->variables = variable;
  }
}

static void define_value(const Context *c, Tensor *tensor, const Index *const *vars,
                         const Node *written) {
  Elaborator *e = c->frame->e;
  Value value = spread_value(c, evaluate(c, written), tensor->axes, tensor->rank, written->span);
  if (is_poison(value)) return;
  ValueType type = value.expr->type;
  if (tensor->type == TYPE_REAL ? type == TYPE_BOOL : type != tensor->type) {
    report(c->frame, NN0209, written->span, "the initial value is %s",
           type == TYPE_BOOL ? "a condition" : "not of the declared type");
    return;
  }
  const Expr *body = value.expr;
  const Expr *to[LIMIT_RANK];
  for (int i = 0; i < tensor->rank; i++) to[i] = expr_index(e->model->exprs, vars[i]);
  body = expr_substitute(e->model->exprs, e->arena, body, value.field ? value.field->indices : NULL,
                         to, value.field ? tensor->rank : 0);
  define_equation(c, tensor, vars, body, written->span);
}

static void define_initial(Frame *frame, const Node *node, Tensor *tensor) {
  Elaborator *e = frame->e;
  const Node *initial = node->parts[2], *written = initial->parts[0];
  const Index *vars[LIMIT_RANK];
  Program *program = e->program;
  e->program = &e->model->init;
  Context c = formula_begin(frame, NULL, tensor->name, written);
  bind_dims(&c, node->parts[0], tensor, vars);
  if (initial->kind == NODE_INITIAL_VALUE) {
    define_value(&c, tensor, vars, written);
  } else {
    Value value = evaluate(&c, written);
    if (value.kind == VALUE_DISTRIBUTION) {
      define_draw(&c, value.distribution, tensor, vars, node->span);
    } else if (!is_poison(value)) {
      report(frame, NN0309, written->span, "'~' draws from a distribution, and this is %s",
             value_text(e->arena, value));
    }
  }
  e->program = program;
}

/* `state lr = 0.1 @runtime`: a hyper-parameter that can be set in the running program. */
static bool is_runtime(const Node *node) {
  const Node *tags = node->parts[3];
  for (int i = 0; i < tags->count; i++) {
    if (is_named(tags->parts[i]->name, "runtime")) return true;
  }
  return false;
}

static void declare_hyper(Frame *frame, const Node *node) {
  TensorType type = {TYPE_F64, STORE_F64, NULL, NULL};
  bool good;
  double initial;
  Declared *declared = find_declared(frame, node, NULL, 0, &good);
  Value value = evaluate_static(frame, node->parts[2]->parts[0]);
  bool is_scalar = !node->parts[0] && node->parts[2]->kind == NODE_INITIAL_VALUE;
  if (good && (!is_scalar || !value_as_number(value, &initial))) {
    if (!is_poison(value)) {
      report(frame, NN0209, node->span, "a @runtime hyper-parameter is one number");
    }
    good = false;
  }
  if (good && !declared) {
    Axis none[LIMIT_RANK] = {{0}};
    declared = declare(frame, node, ROLE_HYPER, &type, none, 0);
    declared->value.tensor->initial = initial;
    add_tags(frame, node->parts[3], declared->value.tensor);
  }
  settle(frame, node, good ? declared->value : value_poison());
}

/* What is trained or kept has elements; only what a call is given or computes may have none. */
static bool check_elements(Frame *frame, const Node *node, const Head *head) {
  for (int i = 0; i < head->rank; i++) {
    if (!extent_is_zero(head->axes[i].extent)) continue;
    report(frame, NN0210, node->span, "'%s' is %s, and a %s has at least one element", node->name,
           shape_text(frame->e->arena, head->axes, head->rank),
           node->kind == NODE_PARAM ? "parameter" : "state");
    return false;
  }
  return true;
}

void run_param(Statement *statement) {
  Frame *frame = statement->frame;
  const Node *node = statement->node;
  if (is_runtime(node)) {
    declare_hyper(frame, node);
    return;
  }
  Head head = {0};
  bool good = read_head(frame, node, &head) && check_elements(frame, node, &head);
  Role role = node->kind == NODE_PARAM ? ROLE_PARAM : ROLE_STATE;
  if (good && role == ROLE_PARAM && head.type.type != TYPE_REAL) {
    report(frame, NN0209, node->parts[1]->span, "a parameter is real");
    good = false;
  }
  Declared *declared = good ? find_declared(frame, node, head.axes, head.rank, &good) : NULL;
  if (good && !declared) {
    declared = declare(frame, node, role, &head.type, head.axes, head.rank);
    add_tags(frame, node->parts[3], declared->value.tensor);
    define_initial(frame, node, declared->value.tensor);
  }
  settle(frame, node, good ? declared->value : value_poison());
}
