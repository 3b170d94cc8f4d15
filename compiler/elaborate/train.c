/* Train blocks: each becomes a Step: a loss, its gradients, and updates by optimizers. */
#include "elaborate/selectors.h"
#include "elaborate/trainer.h"

/* What a `train` block says, before any of it is given meaning. */
typedef struct Request {
  const Node *train;
  const Node *optimizer;
  LIST_OF(const Node *) losses, groups, freezes;
} Request;

/* ---- reading the block */

static void take_optimizer(Trainer *trainer, Request *request, const Node *statement) {
  if (!request->optimizer) {
    request->optimizer = statement;
    return;
  }
  Diagnostic *d =
      report(trainer->model, NN0202, statement->span, "a train block has one optimizer statement");
  diagnostic_note(d, request->optimizer->span, "the first one");
  diagnostic_help(d, "chain optimizers with '|>'");
}

static void take_statements(Trainer *trainer, Request *request, const Node *block);

static void take_if(Trainer *trainer, Request *request, const Node *statement) {
  bool truth;
  if (!evaluate_condition(trainer->model, statement->parts[0], &truth)) return;
  const Node *chosen = truth                  ? statement->parts[1]
                       : statement->count > 2 ? statement->parts[2]
                                              : NULL;
  if (chosen && chosen->kind == NODE_IF_STATEMENT)
    take_if(trainer, request, chosen);
  else if (chosen)
    take_statements(trainer, request, chosen);
}

static void take_statements(Trainer *trainer, Request *request, const Node *block) {
  Arena *arena = trainer->e->arena;
  for (int i = 0; i < block->count; i++) {
    const Node *statement = block->parts[i];
    switch (statement->kind) {
    case NODE_LOSS: APPEND(arena, &request->losses, statement); break;
    case NODE_GROUP: APPEND(arena, &request->groups, statement); break;
    case NODE_FREEZE: APPEND(arena, &request->freezes, statement); break;
    case NODE_OPTIMIZER: take_optimizer(trainer, request, statement); break;
    case NODE_IF_STATEMENT: take_if(trainer, request, statement); break;
    default:
      report(trainer->model, NN0308, statement->span, "%s has no place in a train block",
             node_title(statement->kind));
    }
  }
}

/* ---- loss */

/* The loss lines of the model and of the block, added; null after an error or if there is none. */
static Tensor *make_loss(Trainer *trainer, const Request *request) {
  Elaborator *e = trainer->e;
  Tensor *common = e->model->train.loss;
  if (request->losses.count == 0) return common;
  Name block = trainer->step->name;
  Name path = block ? name_format(e->names, "%s.loss", block) : name_of(e->names, "train.loss");
  Context c = formula_begin(trainer->model, NULL, path, request->train);
  Value sum = common ? value_tensor(common) : value_integer(e, 0);
  for (int i = 0; i < request->losses.count; i++) {
    const Node *expr = request->losses.items[i]->parts[0];
    Value term = define_scalar(&c, path, evaluate(&c, expr), expr->span);
    Value operands[2] = {sum, term};
    sum = i == 0 && !common ? term : apply_op(&c, OP_ADD, operands, 2, expr->span);
  }
  sum = define_scalar(&c, path, sum, request->train->span);
  return is_poison(sum) ? NULL : sum.tensor;
}

/* ---- groups */

static void take_option(Trainer *trainer, const Node *selectors, const Node *statement) {
  const Node *left = statement->kind == NODE_EQUATION ? statement->parts[0]->parts[0] : NULL;
  if (!left || statement->parts[0]->count > 1 || (left->count > 0 && left->parts[0])) {
    Diagnostic *d = report(trainer->model, NN0308, statement->span,
                           "a group holds values of options of the optimizer");
    diagnostic_help(d, "write for example 'wd = 0'");
    return;
  }
  const Node *expr = statement->parts[1];
  Context c = formula_begin(trainer->model, NULL, left->name, expr);
  Value value = hyper_value(&c, evaluate(&c, expr), expr->span);
  APPEND(trainer->e->arena, &trainer->options,
         (Option){.selectors = selectors, .name = left->name, .value = value, .span = left->span});
}

static void take_groups(Trainer *trainer, const Request *request) {
  for (int i = 0; i < request->groups.count; i++) {
    const Node *selectors = request->groups.items[i]->parts[0];
    const Node *block = request->groups.items[i]->parts[1];
    selectors_check(trainer->model, selectors);
    for (int k = 0; k < block->count; k++) take_option(trainer, selectors, block->parts[k]);
  }
}

static void check_options_known(Trainer *trainer) {
  for (int i = 0; i < trainer->options.count; i++) {
    const Option *option = &trainer->options.items[i];
    if (option->known) continue;
    report(trainer->model, NN0402, option->span,
           "no optimizer of this train block has an option '%s'", option->name);
  }
}

/* ---- parameters */

static bool is_frozen(const Request *request, const Tensor *parameter) {
  for (int i = 0; i < request->freezes.count; i++)
    if (selectors_match(request->freezes.items[i]->parts[0], parameter)) return true;
  return false;
}

/* The request for the gradient of the step's loss: "d.h1.W". */
static Tensor *request_gradient(Trainer *trainer, Tensor *parameter) {
  Elaborator *e = trainer->e;
  Program *program = &e->model->train;
  Name name = name_format(e->names, "d.%s", parameter->name);
  Tensor *gradient =
      tensor_new(e->model, &program->tensors, program_unique_name(e->model, program, name),
                 ROLE_GRADIENT, TYPE_REAL, parameter->axes, parameter->rank);
  gradient->origin = parameter->origin;
  APPEND(e->arena, &trainer->step->gradients,
         (Gradient){.of = trainer->step->loss,
                    .with_respect_to = parameter,
                    .result = gradient,
                    .span = parameter->origin});
  return gradient;
}

static void gather_trainees(Trainer *trainer, const Request *request) {
  const TensorList *tensors = &trainer->e->model->tensors;
  for (int i = 0; i < request->freezes.count; i++)
    selectors_check(trainer->model, request->freezes.items[i]->parts[0]);
  for (int i = 0; i < tensors->count; i++) {
    Tensor *parameter = tensors->items[i];
    if (parameter->role != ROLE_PARAM || is_frozen(request, parameter)) continue;
    Trainee *trainee = NEW(trainer->e->arena, Trainee);
    trainee->parameter = parameter;
    trainee->w = value_tensor(parameter);
    trainee->g = value_tensor(request_gradient(trainer, parameter));
    APPEND(trainer->e->arena, &trainer->trainees, trainee);
  }
}

/* ---- the block */

/* Null: the block trains nothing. Says what it lacks; errors before this one may be the reason. */
static const Node *working_optimizer(Trainer *trainer, const Request *request) {
  Span span = request->train->span;
  if (diagnostics_error_count(trainer->e->diagnostics) > 0) {
    return trainer->step->loss && trainer->trainees.count > 0 ? request->optimizer : NULL;
  }
  if (!trainer->step->loss) {
    Diagnostic *d = report(trainer->model, NN0405, span, "there is no loss to make small");
    diagnostic_help(d, "add a line 'loss ..' to the model or to this block");
  } else if (trainer->trainees.count == 0) {
    report(trainer->model, NN0405, span,
           request->freezes.count > 0 ? "every parameter is frozen"
                                      : "the model has no parameters");
  } else if (!request->optimizer) {
    Diagnostic *d = report(trainer->model, NN0310, span, "a train block needs an optimizer");
    diagnostic_help(d, "add a line such as 'optimizer adamw(lr = 1e-3)'");
  } else {
    return request->optimizer;
  }
  return NULL;
}

static void check_name_is_new(Trainer *trainer, const Node *train) {
  const StepList *steps = &trainer->e->model->steps;
  for (int i = 0; i < steps->count; i++) {
    if (steps->items[i].name != train->name) continue;
    Diagnostic *d =
        report(trainer->model, NN0202, train->span, "two train blocks have the same name");
    diagnostic_note(d, steps->items[i].span, "the first one");
    return;
  }
}

static void elaborate_block(Trainer *trainer, const Node *train) {
  Elaborator *e = trainer->e;
  Request request = {.train = train};
  Step step = {.name = train->name, .span = train->span};
  trainer->step = &step;
  check_name_is_new(trainer, train);
  take_statements(trainer, &request, train->parts[0]);
  step.loss = make_loss(trainer, &request);
  gather_trainees(trainer, &request);
  take_groups(trainer, &request);
  const Node *optimizer = working_optimizer(trainer, &request);
  if (optimizer) {
    e->trainer = trainer;
    optimizer_apply(trainer, optimizer->parts[0]);
    e->trainer = NULL;
    check_options_known(trainer);
  }
  if (step.loss) APPEND(e->arena, &e->model->steps, step);
  trainer->step = NULL;
}

static void note_taken_names(Trainer *trainer) {
  const TensorList *tensors = &trainer->e->model->tensors;
  map_init(&trainer->slot_names, trainer->e->arena);
  for (int i = 0; i < tensors->count; i++)
    map_put(&trainer->slot_names, tensors->items[i]->name, tensors->items[i]);
}

void elaborate_train(Frame *model_frame, const Node *block) {
  Elaborator *e = model_frame->e;
  e->program = &e->model->train;
  e->training = true;
  Trainer trainer = {.e = e, .model = model_frame};
  note_taken_names(&trainer);
  map_init(&trainer.stand_ins, e->arena);
  for (int i = 0; i < block->count; i++) {
    if (block->parts[i]->kind != NODE_TRAIN) continue;
    trainer.trainees.count = trainer.options.count = trainer.totals.count = 0;
    elaborate_block(&trainer, block->parts[i]);
  }
  stand_ins_read(e->model, &trainer.stand_ins);
}
