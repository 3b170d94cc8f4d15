/* Statements of an optimizer: each is run for all trainees it concerns before the next. */
#include "elaborate/checks.h"
#include "elaborate/trainer.h"

Slot *slot_find(const Trainee *trainee, Name name) {
  for (int i = 0; i < trainee->slots.count; i++)
    if (trainee->slots.items[i].name == name) return &trainee->slots.items[i];
  return NULL;
}

static void run_if(Trainer *trainer, const Node *statement, const TraineeList *trainees);

/* The name of a statement that was refused: reading it is no second error. */
static void poison_name(const TraineeList *trainees, const Node *named) {
  for (int i = 0; named->name && i < trainees->count; i++) {
    Frame *frame = trainees->items[i]->frame;
    if (!frame_find(frame, named->name))
      frame_bind(frame, named->name, named->span, value_poison());
  }
}

/* What `:=` may stand behind: `w`, `g` and the states. */
static bool is_updated(const Trainee *trainee, Name name) {
  return slot_find(trainee, name) || is_named(name, "w") || is_named(name, "g");
}

/* "h1.W.m", in the block `train NAME` "h1.W.NAME.m". */
static Name path_below(const Trainer *trainer, const Trainee *trainee, Name name) {
  Names *names = trainer->e->names;
  Name parameter = trainee->parameter->name, block = trainer->step->name;
  return block ? name_format(names, "%s.%s.%s", parameter, block, name)
               : name_format(names, "%s.%s", parameter, name);
}

/* ---- state m = 0 */

/* Two optimizers of a chain may both have an `m`: the second is `m2`. */
static Name free_slot_path(Trainer *trainer, const Trainee *trainee, Name name) {
  Name wanted = path_below(trainer, trainee, name), path = wanted;
  for (int n = 2; map_has(&trainer->slot_names, path); n++)
    path = name_format(trainer->e->names, "%s%d", wanted, n);
  return path;
}

/* The slot's equation in the program of initial values, where `w` is the parameter as drawn. */
static void define_initial(Trainer *trainer, const Trainee *trainee, Tensor *slot,
                           const Node *expr) {
  Elaborator *e = trainer->e;
  Frame *frame = frame_inside(trainee->frame);
  frame_bind(frame, name_of(e->names, "w"), expr->span, value_tensor(trainee->parameter));
  Program *training = e->program;
  e->program = &e->model->init;
  Context c = formula_begin(frame, NULL, slot->name, expr);
  Value value = value_filled(&c, evaluate(&c, expr), slot, expr->span);
  if (!is_poison(value)) {
    const Index *const *indices = value.field ? value.field->indices : NULL;
    define_equation(&c, slot, indices, value.expr, expr->span);
  }
  e->program = training;
}

static void copy_tags(Elaborator *e, Tensor *slot, const Node *tags) {
  slot->tags = NEW_ARRAY(e->arena, Name, tags->count + 1);
  for (int i = 0; i < tags->count; i++) slot->tags[slot->tag_count++] = tags->parts[i]->name;
}

static void declare_slot(Trainer *trainer, Trainee *trainee, const Node *state) {
  Elaborator *e = trainer->e;
  const Tensor *parameter = trainee->parameter;
  Name path = free_slot_path(trainer, trainee, state->name);
  Tensor *slot = declare_tensor(e, &e->model->tensors, path, ROLE_SLOT, TYPE_REAL, parameter->axes,
                                parameter->rank, state->span);
  map_put(&trainer->slot_names, path, slot);
  slot->parameter = parameter;
  copy_tags(e, slot, state->parts[3]);
  if (tensor_has_tag(slot, name_of(e->names, "eval")))
    map_put(&trainer->stand_ins, parameter, slot);
  APPEND(e->arena, &trainee->slots, (Slot){state->name, slot});
  define_initial(trainer, trainee, slot, state->parts[2]->parts[0]);
  frame_bind(trainee->frame, state->name, state->span, value_tensor(slot));
}

/* What is wrong with a `state` of an optimizer whatever the parameter is; reported once. */
static bool check_state(const Frame *frame, const Node *state) {
  if (state->parts[0]) {
    report(frame, NN0204, state->parts[0]->span,
           "a state of an optimizer has the dims of its parameter: write no subscripts");
  } else if (state->parts[2]->kind != NODE_INITIAL_VALUE) {
    report(frame, NN0309, state->parts[2]->span, "a state of an optimizer cannot be drawn");
  } else if (frame_find(frame, state->name)) {
    report(frame, NN0202, state->span, "'%s' has a meaning already", state->name);
  } else {
    return true;
  }
  return false;
}

/* Of several train blocks, too, one state at most stands for a parameter outside training. */
static bool check_stand_in(const Trainer *trainer, const Node *state, const TraineeList *trainees) {
  const Node *tags = state->parts[3];
  bool stands_in = false;
  for (int i = 0; i < tags->count; i++) stands_in |= is_named(tags->parts[i]->name, "eval");
  for (int i = 0; stands_in && i < trainees->count; i++) {
    const Trainee *trainee = trainees->items[i];
    const Tensor *other = map_get(&trainer->stand_ins, trainee->parameter);
    if (!other) continue;
    Diagnostic *d =
        report(trainee->frame, NN0202, state->span,
               "two states with @eval for '%s': which stands for it outside training is not clear",
               trainee->parameter->name);
    diagnostic_note(d, other->origin, "the first is '%s'", other->name);
    diagnostic_note(d, trainer->step->span, "the second is of this train block");
    return false;
  }
  return true;
}

static void run_state(Trainer *trainer, const Node *state, const TraineeList *trainees) {
  const Frame *frame = trainees->items[0]->frame;
  if (!check_state(frame, state) || !check_stand_in(trainer, state, trainees)) {
    poison_name(trainees, state);
    return;
  }
  for (int i = 0; i < trainees->count; i++) declare_slot(trainer, trainees->items[i], state);
}

/* ---- m := b1*m + (1 - b1)*g */

static void update_name(Trainer *trainer, Trainee *trainee, Name name, const Node *expr) {
  Elaborator *e = trainer->e;
  bool is_gradient = is_named(name, "g");
  Name below = is_named(name, "w") ? name_of(e->names, "new")
               : is_gradient       ? name
                                   : name_format(e->names, "%s.new", name);
  Name path = path_below(trainer, trainee, below);
  Context c = formula_begin(trainee->frame, NULL, path, expr);
  Value value = value_filled(&c, evaluate(&c, expr), trainee->parameter, expr->span);
  if (!is_poison(value)) value = define_tensor(&c, path, value, expr->span);
  frame_bind(trainee->frame, name, expr->span, value);
}

static bool check_update(const Trainee *trainee, const Node *left) {
  if (left->count > 0 && left->parts[0]) {
    report(trainee->frame, NN0404, left->span,
           "an optimizer acts on every element: write '%s' without subscripts", left->name);
  } else if (!is_updated(trainee, left->name)) {
    const Binding *binding = frame_find(trainee->frame, left->name);
    if (binding && is_poison(binding->value)) return false; /* its state was refused */
    Diagnostic *d = report(trainee->frame, NN0404, left->span,
                           "':=' updates 'w', 'g' or a state, which '%s' is not", left->name);
    diagnostic_help(d, "write '%s = ..' for a local name", left->name);
  } else {
    return true;
  }
  return false;
}

static void run_update(Trainer *trainer, const Node *update, const TraineeList *trainees) {
  const Node *left = update->parts[0];
  if (!check_update(trainees->items[0], left)) return;
  for (int i = 0; i < trainees->count; i++)
    update_name(trainer, trainees->items[i], left->name, update->parts[1]);
}

/* ---- d = g + wd*w */

/* Scalars of `step` stay what they are, shared by all parameters; other values become a tensor. */
static Value define_local(const Context *c, Name path, Value value, Span span) {
  if (value.kind == VALUE_TENSOR || is_static(value)) return value;
  value = as_operand(c, value, span);
  if (is_poison(value)) return value;
  bool is_scalar_of_step = !value.field && value.expr->type != TYPE_REAL;
  return is_scalar_of_step ? value : define_tensor(c, path, value, span);
}

static bool check_local(const Frame *frame, const Node *lefts) {
  const Node *left = lefts->parts[0];
  if (lefts->count > 1 || (left->count > 0 && left->parts[0])) {
    report(frame, NN0308, lefts->span,
           "an equation of an optimizer has one name without subscripts on its left");
  } else if (frame_find(frame, left->name)) {
    Diagnostic *d = report(frame, NN0202, left->span, "'%s' has a meaning already", left->name);
    diagnostic_help(d, "write ':=' to update 'w', 'g' or a state");
  } else {
    return true;
  }
  return false;
}

static void run_equation(Trainer *trainer, const Node *equation, const TraineeList *trainees) {
  const Node *lefts = equation->parts[0], *expr = equation->parts[1];
  if (!check_local(trainees->items[0]->frame, lefts)) {
    for (int i = 0; i < lefts->count; i++) poison_name(trainees, lefts->parts[i]);
    return;
  }
  Name name = lefts->parts[0]->name;
  for (int i = 0; i < trainees->count; i++) {
    Trainee *trainee = trainees->items[i];
    Name path = path_below(trainer, trainee, name);
    Context c = formula_begin(trainee->frame, NULL, path, expr);
    Value value = define_local(&c, path, evaluate(&c, expr), expr->span);
    frame_bind(trainee->frame, name, expr->span, value);
  }
}

/* ---- if */

/* Names that mean something after the branches: those from before, states, and what both define. */
static bool outlives_branch(const Trainee *trainee, Frame *const sides[2], Name name) {
  return slot_find(trainee, name) || frame_find(trainee->frame, name) ||
         (map_has(&sides[0]->bindings, name) && map_has(&sides[1]->bindings, name));
}

static Value value_after(const Trainee *trainee, const Frame *side, Name name) {
  const Binding *binding = frame_find(side, name);
  if (binding) return binding->value;
  return value_tensor(slot_find(trainee, name)->tensor); /* declared on the other side */
}

static Value choose(Trainer *trainer, const Trainee *trainee, Value condition, Name name,
                    Frame *const sides[2], const Node *statement) {
  Value operands[3] = {condition, value_after(trainee, sides[0], name),
                       value_after(trainee, sides[1], name)};
  if (operands[1].kind == VALUE_TENSOR && operands[2].kind == VALUE_TENSOR &&
      operands[1].tensor == operands[2].tensor)
    return operands[1];
  Span span = statement->parts[0]->span;
  Name path = path_below(trainer, trainee, name_format(trainer->e->names, "%s.chosen", name));
  Context c = formula_begin(trainee->frame, NULL, path, statement->parts[0]);
  Value value = apply_op(&c, OP_SELECT, operands, 3, span);
  if (is_updated(trainee, name)) value = value_filled(&c, value, trainee->parameter, span);
  return define_local(&c, path, value, span);
}

static void merge_sides(Trainer *trainer, Trainee *trainee, Value condition, Frame *const sides[2],
                        const Node *statement) {
  for (int side = 0; side < 2; side++) {
    const Map *names = &sides[side]->bindings;
    for (int i = 0; i < names->count; i++) {
      Name name = names->keys[i];
      if (!outlives_branch(trainee, sides, name)) continue;
      if (side == 1 && map_has(&sides[0]->bindings, name)) continue;
      frame_bind(trainee->frame, name, statement->span,
                 choose(trainer, trainee, condition, name, sides, statement));
    }
  }
}

static void run_side(Trainer *trainer, const Node *side, const TraineeList *trainees) {
  if (!side || trainees->count == 0) return;
  if (side->kind == NODE_IF_STATEMENT)
    run_if(trainer, side, trainees);
  else
    optimizer_run(trainer, side, trainees);
}

/* The condition is not known before the program runs: both sides are computed, each in frames of
   its own, and each name takes the value of the side that holds. */
static void run_both(Trainer *trainer, const Node *statement, const TraineeList *trainees,
                     const Value *conditions) {
  int count = trainees->count;
  Frame **outside = NEW_ARRAY(trainer->e->arena, Frame *, count);
  Frame *(*sides)[2] = arena_alloc(trainer->e->arena, (size_t)count, sizeof *sides);
  for (int i = 0; i < count; i++) outside[i] = trainees->items[i]->frame;
  for (int side = 0; side < 2; side++) {
    for (int i = 0; i < count; i++)
      sides[i][side] = trainees->items[i]->frame = frame_inside(outside[i]);
    run_side(trainer, side < statement->count - 1 ? statement->parts[1 + side] : NULL, trainees);
  }
  for (int i = 0; i < count; i++) {
    trainees->items[i]->frame = outside[i];
    merge_sides(trainer, trainees->items[i], conditions[i], sides[i], statement);
  }
}

static Value evaluate_choice(Trainer *trainer, const Trainee *trainee, const Node *condition) {
  Name path = path_below(trainer, trainee, name_of(trainer->e->names, "condition"));
  Context c = formula_begin(trainee->frame, NULL, path, condition);
  Value value = define_local(&c, path, evaluate(&c, condition), condition->span);
  if (value.kind == VALUE_POISON || value.kind == VALUE_BOOL) return value;
  if (value.kind == VALUE_EXPR && value.expr->type == TYPE_BOOL) return value;
  if (value.kind == VALUE_TENSOR && value.tensor->type == TYPE_BOOL) return value;
  report(trainee->frame, NN0209, condition->span, "the condition of 'if' must be true or false");
  return value_poison();
}

/* A condition on hyper-parameters alone is decided here, for each parameter by its groups. */
static void run_if(Trainer *trainer, const Node *statement, const TraineeList *trainees) {
  Arena *arena = trainer->e->arena;
  TraineeList when_true = {0}, when_false = {0}, unknown = {0};
  LIST_OF(Value) conditions = {0};
  for (int i = 0; i < trainees->count; i++) {
    Trainee *trainee = trainees->items[i];
    Value value = evaluate_choice(trainer, trainee, statement->parts[0]);
    if (is_poison(value)) continue;
    if (value.kind == VALUE_BOOL) {
      APPEND(arena, value.truth ? &when_true : &when_false, trainee);
    } else {
      APPEND(arena, &unknown, trainee);
      APPEND(arena, &conditions, value);
    }
  }
  run_side(trainer, statement->parts[1], &when_true);
  run_side(trainer, statement->count > 2 ? statement->parts[2] : NULL, &when_false);
  if (unknown.count > 0) run_both(trainer, statement, &unknown, conditions.items);
}

/* ---- the rest */

static void run_require(const Node *statement, const TraineeList *trainees) {
  for (int i = 0; i < trainees->count; i++) elaborate_require(trainees->items[i]->frame, statement);
}

void optimizer_run(Trainer *trainer, const Node *block, const TraineeList *trainees) {
  if (trainees->count == 0) return;
  for (int i = 0; i < block->count; i++) {
    const Node *statement = block->parts[i];
    trainer->moment++;
    switch (statement->kind) {
    case NODE_STATE: run_state(trainer, statement, trainees); break;
    case NODE_UPDATE: run_update(trainer, statement, trainees); break;
    case NODE_EQUATION: run_equation(trainer, statement, trainees); break;
    case NODE_IF_STATEMENT: run_if(trainer, statement, trainees); break;
    case NODE_REQUIRE: run_require(statement, trainees); break;
    default:
      report(trainees->items[0]->frame, NN0308, statement->span, "%s has no place in an optimizer",
             node_title(statement->kind));
      poison_name(trainees, statement->kind == NODE_DRAW ? statement->parts[0] : statement);
    }
  }
}
