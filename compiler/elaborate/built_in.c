/* Built in: what the library cannot say. repeat(n, layer), gradient(s, x), the distributions, and
   reductions of whole tensors, sum(h). */
#include "elaborate/calls.h"

static const char *const distributions[] = {
    [DRAW_UNIFORM] = "uniform",
    [DRAW_NORMAL] = "normal",
    [DRAW_TRUNCATED_NORMAL] = "truncated_normal",
    [DRAW_BERNOULLI] = "bernoulli",
    [DRAW_ORTHOGONAL] = "orthogonal",
};

static int find_distribution(Name name) {
  for (int i = 0; i < (int)(sizeof distributions / sizeof *distributions); i++) {
    if (is_named(name, distributions[i])) return i;
  }
  return -1;
}

static bool takes_two(int distribution) {
  return distribution == DRAW_UNIFORM || distribution == DRAW_NORMAL ||
         distribution == DRAW_TRUNCATED_NORMAL;
}

bool is_built_in(Name name) {
  Reduction reduction;
  return is_named(name, "repeat") || is_named(name, "gradient") || find_distribution(name) >= 0 ||
         find_reduction(name, &reduction);
}

/* The argument expressions, the piped one first; null after an error. */
static bool collect_arguments(const Context *c, Name name, const Node *call, const Node *piped,
                              int wanted, const Node **arguments) {
  int count = 0;
  if (piped) arguments[count++] = piped;
  for (int i = 1; call->kind == NODE_CALL && i < call->count; i++) {
    const Node *argument = call->parts[i];
    if (argument->kind == NODE_ARG) {
      report(c->frame, NN0301, argument->span, "'%s' has no named arguments", name);
      return false;
    }
    if (count < wanted) arguments[count] = argument;
    count++;
  }
  if (count == wanted) return true;
  report(c->frame, NN0301, call->span, "'%s' takes %d argument%s and gets %d", name, wanted,
         wanted == 1 ? "" : "s", count);
  return false;
}

static Value make_distribution(const Context *c, DistributionKind kind,
                               const Node *const *arguments) {
  Distribution *distribution = NEW(c->frame->e->arena, Distribution);
  distribution->kind = kind;
  distribution->a = evaluate(c, arguments[0]);
  distribution->b = takes_two(kind) ? evaluate(c, arguments[1]) : value_bool(false);
  if (is_poison(distribution->a) || is_poison(distribution->b)) return value_poison();
  return (Value){.kind = VALUE_DISTRIBUTION, .distribution = distribution};
}

static Value make_repeat(const Context *c, const Node *const *arguments, const Node *call) {
  Value times = evaluate(c, arguments[0]), layer = evaluate(c, arguments[1]);
  int64_t count;
  if (is_poison(times) || is_poison(layer)) return value_poison();
  if (!value_as_integer(times, &count) || count < 1) {
    report(c->frame, NN0210, arguments[0]->span, "how often is a positive whole number, not %s",
           value_text(c->frame->e->arena, times));
    return value_poison();
  }
  if (layer.kind != VALUE_LAYER) {
    report(c->frame, NN0304, arguments[1]->span, "'repeat' takes a layer, not %s",
           value_text(c->frame->e->arena, layer));
    return value_poison();
  }
  Layer *repeat = NEW(c->frame->e->arena, Layer);
  *repeat = (Layer){LAYER_REPEAT, .times = count, .repeated = layer, .span = call->span};
  return (Value){.kind = VALUE_LAYER, .layer = repeat};
}

/* `x |> repeat(n, layer)` applies it. */
static Value apply_repeat(const Context *c, const Node *call, const Node *piped) {
  const Node *arguments[2];
  if (!collect_arguments(c, "repeat", call, NULL, 2, arguments)) return value_poison();
  Value repeat = make_repeat(c, arguments, call);
  if (!piped || is_poison(repeat)) return repeat;
  Context inner = formula_inside(c);
  ArgumentList list = {0};
  Argument argument = {NULL, evaluate(&inner, piped), piped->span, &inner, piped};
  APPEND(c->frame->e->arena, &list, argument);
  return apply_layer(c, repeat.layer, &list, call->span);
}

/* One step of a scan has no derivatives of its own. */
static Value reject_step(const Context *c, const Node *argument) {
  Diagnostic *d =
      report(c->frame, NN0209, argument->span,
             "this belongs to a step of 'scan %s', and a gradient is taken of the whole",
             c->formula->scan->name);
  diagnostic_help(d, "take it outside the scan, or write the derivative of a step as an equation");
  return value_poison();
}

/* A request: the tensor is defined by differentiation. */
static Value request_gradient(const Context *c, const Node *const *arguments, Span span) {
  Elaborator *e = c->frame->e;
  Context inner = formula_inside(c);
  Name name = name_format(e->names, "%s.gradient", c->formula->path);
  Name of_name = name_format(e->names, "%s.of", c->formula->path);
  Value of = define_scalar(&inner, of_name, evaluate(&inner, arguments[0]), arguments[0]->span);
  Value x = evaluate(&inner, arguments[1]);
  if (x.kind == VALUE_RESULTS) x = x.results[0];
  if (is_poison(of) || is_poison(x)) return value_poison();
  if (of.hidden > 0 || (x.kind == VALUE_TENSOR && x.hidden > 0)) {
    return reject_step(c, arguments[of.hidden > 0 ? 0 : 1]);
  }
  if (x.kind != VALUE_TENSOR || x.tensor->type != TYPE_REAL) {
    report(c->frame, NN0209, arguments[1]->span,
           "a gradient is taken with respect to a real tensor that has a name");
    return value_poison();
  }
  Tensor *result =
      tensor_new(e->model, &e->program->tensors, program_unique_name(e->model, e->program, name),
                 ROLE_GRADIENT, TYPE_REAL, x.tensor->axes, x.tensor->rank);
  result->origin = span;
  APPEND(e->arena, &e->program->gradients, (Gradient){of.tensor, x.tensor, result, span});
  Value value = value_tensor(result);
  value.axes = x.axes;
  return value;
}

static Value reduce_whole(const Context *c, Name name, const Node *argument) {
  Context inner = formula_inside(c);
  Value value = as_operand(&inner, evaluate(&inner, argument), argument->span);
  return reduce_all(&inner, name, value, argument->span);
}

Value apply_built_in(const Context *c, Name name, const Node *call, const Node *piped, Span span) {
  const Node *arguments[2] = {NULL, NULL};
  int kind = find_distribution(name);
  if (is_named(name, "repeat")) return apply_repeat(c, call, piped);
  int wanted = is_named(name, "gradient") || takes_two(kind) ? 2 : 1;
  if (!collect_arguments(c, name, call, piped, wanted, arguments)) return value_poison();
  if (kind >= 0) return make_distribution(c, (DistributionKind)kind, arguments);
  if (is_named(name, "gradient")) return request_gradient(c, arguments, span);
  return reduce_whole(c, name, arguments[0]);
}
