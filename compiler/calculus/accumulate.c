/* Accumulation: one step in several calls.

   Each call adds n g to a sum, where g is the gradient of the mean loss over its n samples; applying
   divides by all samples, so for a loss that is a mean the update is that of one large batch. The updates of the
   step are copied with the mean in place of the gradient; what does not depend on a gradient is
   shared. */
#include "calculus/calculus.h"

typedef struct Accumulator {
  Model *model;
  Step *step;
  Arena *scratch;
  Map means;  /* gradient Tensor * -> the mean that stands for it */
  Map copies; /* Tensor * -> its copy; those that need none map to themselves */
} Accumulator;

static Tensor *state_like(Accumulator *accumulator, Name name, ValueType type, const Tensor *like) {
  Model *model = accumulator->model;
  Tensor *state =
      tensor_new(model, &model->tensors, program_unique_name(model, &model->train, name),
                 ROLE_STATE, type, like ? like->axes : NULL, like ? like->rank : 0);
  state->storage = type == TYPE_F64 ? STORE_F64 : STORE_REAL;
  return state;
}

/* A new value of the program over the dims of `like` (null: rank 0), and its index variables. */
static Tensor *value_like(Accumulator *accumulator, const char *format, Name base, ValueType type,
                          const Tensor *like, const Index **vars) {
  Model *model = accumulator->model;
  Name name = program_unique_name(model, &model->train, name_format(model->names, format, base));
  int rank = like ? like->rank : 0;
  for (int dim = 0; dim < rank; dim++) {
    Name letter = like->axes[dim].letter ? like->axes[dim].letter : name_of(model->names, "i");
    vars[dim] = index_new(model, letter, like->axes[dim].extent);
  }
  return tensor_new(model, &model->train.tensors, name, ROLE_VALUE, type, like ? like->axes : NULL,
                    rank);
}

static void add_update(Model *model, UpdateList *list, Tensor *target, Tensor *value) {
  APPEND(model->arena, list, (Update){.target = target, .value = value});
}

static const Expr *sample_count(Model *model) {
  if (!model->batch) return expr_integer(model->exprs, 1);
  return expr_extent(model->exprs, extent_dim(model->extents, model->batch));
}

/* sum.W := sum.W + n*d.W, and for apply sum.W := 0. */
static Tensor *add_sum(Accumulator *accumulator, const Gradient *gradient) {
  Model *model = accumulator->model;
  const Index *vars[LIMIT_RANK];
  Name base = gradient->with_respect_to->name;
  Tensor *sum = state_like(accumulator, name_format(model->names, "sum.%s", base), TYPE_REAL,
                           gradient->result);
  Tensor *next = value_like(accumulator, "sum.%s.next", base, TYPE_REAL, gradient->result, vars);
  const Expr *weighted =
      expr_binary(model->exprs, OP_MUL, expr_unary(model->exprs, OP_REAL, sample_count(model)),
                  tensor_read(model, gradient->result, vars));
  equation_new(model, &model->train, next, vars,
               expr_binary(model->exprs, OP_ADD, tensor_read(model, sum, vars), weighted));
  add_update(model, &accumulator->step->accumulation, sum, next);
  Tensor *zero = value_like(accumulator, "sum.%s.zero", base, TYPE_REAL, gradient->result, vars);
  equation_new(model, &model->train, zero, vars, expr_number(model->exprs, 0));
  add_update(model, &accumulator->step->application, sum, zero);
  return sum;
}

/* Samples are counted in double: exact beyond any run. */
static void add_samples(Accumulator *accumulator) {
  Model *model = accumulator->model;
  Tensor *samples = state_like(accumulator, name_of(model->names, "sum.samples"), TYPE_F64, NULL);
  Tensor *next = value_like(accumulator, "%s.next", samples->name, TYPE_F64, NULL, NULL);
  const Expr *more =
      expr_binary(model->exprs, OP_ADD, tensor_read(model, samples, NULL), sample_count(model));
  equation_new(model, &model->train, next, NULL, more);
  add_update(model, &accumulator->step->accumulation, samples, next);
  Tensor *zero = value_like(accumulator, "%s.zero", samples->name, TYPE_F64, NULL, NULL);
  equation_new(model, &model->train, zero, NULL, expr_number(model->exprs, 0));
  add_update(model, &accumulator->step->application, samples, zero);
  accumulator->step->samples = samples;
}

static void add_mean(Accumulator *accumulator, const Gradient *gradient, const Tensor *sum) {
  Model *model = accumulator->model;
  const Index *vars[LIMIT_RANK];
  Tensor *mean = value_like(accumulator, "mean.%s", gradient->with_respect_to->name, TYPE_REAL,
                            gradient->result, vars);
  const Expr *samples = tensor_read(model, accumulator->step->samples, NULL);
  equation_new(model, &model->train, mean, vars,
               expr_binary(model->exprs, OP_DIV, tensor_read(model, sum, vars),
                           expr_unary(model->exprs, OP_REAL, samples)));
  map_put(&accumulator->means, gradient->result, mean);
}

/* ---- copies of the updates ---- */

static const Expr *replace_read(void *context, const Expr *leaf) {
  Accumulator *accumulator = context;
  if (!is_read(leaf)) return leaf;
  const Tensor *copy = map_get(&accumulator->copies, leaf->tensor);
  if (!copy || copy == leaf->tensor) return leaf;
  return expr_read(accumulator->model->exprs, copy, leaf->args, read_default(leaf));
}

static Tensor *copy_equation(Accumulator *accumulator, const Equation *equation) {
  Model *model = accumulator->model;
  Arena *scratch = accumulator->scratch;
  const Expr *body = expr_rewrite(model->exprs, scratch, equation->body, replace_read, accumulator);
  const Expr *guard = equation->guard ? expr_rewrite(model->exprs, scratch, equation->guard,
                                                     replace_read, accumulator)
                                      : NULL;
  if (body == equation->body && guard == equation->guard) return equation->target;
  Tensor *target = equation->target;
  Name name = name_format(model->names, "apply.%s", target->name);
  Tensor *copy =
      tensor_new(model, &model->train.tensors, program_unique_name(model, &model->train, name),
                 ROLE_VALUE, target->type, target->axes, target->rank);
  Equation *made = arena_copy(model->arena, equation, sizeof *equation);
  made->target = copy;
  made->body = body;
  made->guard = guard;
  copy->definition = made;
  APPEND(model->arena, &model->train.equations, made);
  return copy;
}

typedef struct Pending {
  Tensor **items;
  int count, capacity;
} Pending;

static bool is_decided(const Accumulator *accumulator, const Tensor *tensor) {
  return map_has(&accumulator->copies, tensor);
}

static bool is_computed(const Tensor *tensor) {
  return tensor->definition && (tensor->role == ROLE_VALUE || tensor->role == ROLE_GRADIENT);
}

/* What must be decided first. */
static void push_reads(Accumulator *accumulator, Pending *pending, const Equation *equation) {
  const Expr *roots[2] = {equation->body, equation->guard};
  ExprList nodes = expr_postorder(accumulator->scratch, roots, equation->guard ? 2 : 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (!is_read(node) || is_decided(accumulator, node->tensor)) continue;
    APPEND(accumulator->scratch, pending, (Tensor *)node->tensor);
  }
}

static Tensor *decide(Accumulator *accumulator, Tensor *tensor) {
  Tensor *mean = map_get(&accumulator->means, tensor);
  if (mean) return mean;
  return is_computed(tensor) ? copy_equation(accumulator, tensor->definition) : tensor;
}

/* Definitions before uses: a tensor is copied once all that it reads has been decided. */
static Tensor *copy_tensor(Accumulator *accumulator, Tensor *wanted) {
  Pending pending = {0};
  APPEND(accumulator->scratch, &pending, wanted);
  while (pending.count > 0) {
    Tensor *tensor = pending.items[pending.count - 1];
    int before = pending.count;
    bool reads = is_computed(tensor) && !map_has(&accumulator->means, tensor);
    if (reads && !is_decided(accumulator, tensor))
      push_reads(accumulator, &pending, tensor->definition);
    if (pending.count > before) continue;
    pending.count--;
    if (!is_decided(accumulator, tensor)) {
      map_put(&accumulator->copies, tensor, decide(accumulator, tensor));
    }
  }
  return map_get(&accumulator->copies, wanted);
}

static void accumulate_step(Model *model, Step *step) {
  Accumulator accumulator = {.model = model, .step = step, .scratch = arena_new()};
  map_init(&accumulator.means, accumulator.scratch);
  map_init(&accumulator.copies, accumulator.scratch);
  add_samples(&accumulator);
  for (int i = 0; i < step->gradients.count; i++) {
    Tensor *sum = add_sum(&accumulator, &step->gradients.items[i]);
    add_mean(&accumulator, &step->gradients.items[i], sum);
  }
  for (int i = 0; i < step->updates.count; i++) {
    Tensor *value = copy_tensor(&accumulator, step->updates.items[i].value);
    add_update(model, &step->application, step->updates.items[i].target, value);
  }
  arena_free(accumulator.scratch);
}

void accumulate(Model *model) {
  for (int i = 0; i < model->steps.count; i++) accumulate_step(model, &model->steps.items[i]);
}
