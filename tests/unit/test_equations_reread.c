/* What the printer writes is the model: read back, it prints the same and computes the same bits. */
#include "../tools/front_end.h"
#include "equations_fixture.h"

#include <criterion/criterion.h>

typedef struct Reading {
  Arena *arena;
  FrontEnd front;
  Model *model;
  Interpreter *interpreter;
} Reading;

static Reading read_model(const char *text, FrontEndPasses passes) {
  Reading r = {.arena = arena_new()};
  ElaborateOptions options = {0};
  front_end_init(&r.front, r.arena);
  r.model = front_end_model(&r.front, "model.nn", text, &options, passes);
  if (!r.model) diagnostics_print(r.front.diagnostics, stderr, false);
  cr_assert_not_null(r.model, "%s", text);
  return r;
}

static const char *printed(const Reading *r) {
  Text text;
  text_init(&text, r->arena);
  model_print(r->model, &text);
  return text.bytes;
}

static void end(Reading *r) {
  if (r->interpreter) interpreter_free(r->interpreter);
  arena_free(r->arena);
}

/* The elaborator takes equations in the order of need: lines are compared sorted. */
static int compare_lines(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *sorted_lines(Arena *arena, const char *text) {
  LIST_OF(char *) lines = {0};
  char *copy = arena_format(arena, "%s", text);
  for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
    APPEND(arena, &lines, line);
  cr_assert_gt(lines.count, 0);
  qsort(lines.items, (size_t)lines.count, sizeof *lines.items, compare_lines);
  Text sorted;
  text_init(&sorted, arena);
  for (int i = 0; i < lines.count; i++) text_add(&sorted, "%s\n", lines.items[i]);
  return sorted.bytes;
}

/* Inputs and targets from a fixed sequence; sizes 3 of every run-time dim. */
static void start_step(Reading *r) {
  int64_t sizes[8] = {3, 3, 3, 3, 3, 3, 3, 3};
  uint64_t state = 99;
  r->interpreter = interpreter_new(r->model, 5);
  cr_assert(interpreter_initialise(r->interpreter));
  cr_assert(interpreter_start(r->interpreter, sizes));
  for (int i = 0; i < r->model->tensors.count; i++) {
    const Tensor *tensor = r->model->tensors.items[i];
    if (tensor->role != ROLE_INPUT && tensor->role != ROLE_TARGET) continue;
    Dual *elements = interpreter_tensor(r->interpreter, tensor);
    for (int64_t k = 0; k < interpreter_elements(r->interpreter, tensor); k++) {
      bool whole = tensor->type == TYPE_INT;
      elements[k].value = whole ? random_below(&state, 3) : random_below(&state, 1000) / 500.0 - 1;
    }
  }
  interpreter_begin_step(r->interpreter);
}

static const Tensor *find_value(const UpdateList *updates, const char *target) {
  for (int i = 0; i < updates->count; i++) {
    if (strcmp(updates->items[i].target->name, target) == 0) return updates->items[i].value;
  }
  return NULL;
}

static void compare_tensors(Reading *a, const Tensor *x, Reading *b, const Tensor *y) {
  cr_assert_not_null(y, "%s is missing", x->name);
  const Dual *v = interpreter_tensor(a->interpreter, x);
  cr_assert_not_null(v, "%s", interpreter_error(a->interpreter));
  const Dual *w = interpreter_tensor(b->interpreter, y);
  cr_assert_not_null(w, "%s", interpreter_error(b->interpreter));
  for (int64_t i = 0; i < interpreter_elements(a->interpreter, x); i++) {
    cr_assert_eq(v[i].value, w[i].value, "%s[%ld]: %.17g, %.17g", x->name, (long)i, v[i].value,
                 w[i].value);
  }
}

static void compare_updates(Reading *a, const UpdateList *updates, Reading *b) {
  for (int i = 0; i < updates->count; i++) {
    const Update *update = &updates->items[i];
    compare_tensors(a, update->value, b,
                    find_value(&b->model->train.updates, update->target->name));
  }
}

/* The model with its derivative computes the same when its text is read back. */
static void check_values(const char *source, FrontEndPasses passes) {
  Reading a = read_model(source, passes);
  Reading b = read_model(printed(&a), PASSES_ELABORATE);
  start_step(&a);
  start_step(&b);
  compare_updates(&a, &a.model->train.updates, &b);
  compare_updates(&a, &a.model->steps.items[0].updates, &b);
  compare_tensors(&a, a.model->steps.items[0].loss, &b, b.model->train.loss);
  cr_assert_null(program_verify(b.model, &b.model->train, b.arena));
  end(&a);
  end(&b);
}

static void check_text(const char *source) {
  Reading a = read_model(source, PASSES_ELABORATE);
  Reading b = read_model(printed(&a), PASSES_ELABORATE);
  cr_assert_str_eq(sorted_lines(b.arena, printed(&b)), sorted_lines(a.arena, printed(&a)));
  end(&a);
  end(&b);
}

static const char *const sources[] = {
    "model mlp {\n"
    "  dim N <= 4\n"
    "  input x[N, 6]\n"
    "  target t[N] : index(3)\n"
    "  h = x |> dropout(0.2) |> dense(5) |> batchnorm |> relu\n"
    "  noise[n in N, k in 5] ~ normal(0, 0.1)\n"
    "  z[n, k] = h[n, k] + noise[n, k]\n"
    "  logits = z |> dense(3)\n"
    "  output p = softmax(logits)\n"
    "  metric acc = accuracy(logits, t)\n"
    "  loss cross_entropy(logits, t, smooth = 0.1) + l2(1e-2)\n"
    "  train { optimizer clip_norm(1) |> adamw(lr = linear_decay(0.1, 0.001, 200)) }\n"
    "}\n",
    "model sequence {\n"
    "  dim N <= 4, T <= 5\n"
    "  input tok[N, T] : index(7)\n"
    "  target nxt[N, T] : index(7)\n"
    "  state h0[N, 3] = 0\n"
    "  state c0[N, 3] = 0\n"
    "  e = embedding(tok, 7, 4)\n"
    "  h, c = lstm(e, h0, c0, 3)\n"
    "  h0[n, k] := h[n, T - 1, k]\n"
    "  c0[n, k] := c[n, T - 1, k]\n"
    "  z = h |> layernorm |> dense(7)\n"
    "  loss cross_entropy(z, nxt)\n"
    "  train { optimizer sgd(lr = 0.1, momentum = 0.9) }\n"
    "}\n",
    "model pieces {\n"
    "  dim N <= 4, A = 2, B = 3\n"
    "  input a[N, A]\n"
    "  input b[N, B]\n"
    "  param w[A + B] ~ uniform(-1, 0.5)\n"
    "  state mask[A + B] ~ bernoulli(0.5)\n"
    "  param slope[i in A + B] = if i == 0 then 1 else 0.25*i\n"
    "  y[n, i in A + B] = if i < A then a[n, i] else b[n, i - A]\n"
    "  g[n] = max[i, j if i <= j](y[n, i]*w[j]*float(mask[i] < 0.5)*slope[j] - 1/N)\n"
    "  c[n] = argmax[i](y[n, i])\n"
    "  s[n] = w[c[n]]*exp(-g[n]^2) + (if c[n] == 1 and not a[n, 0] < 0 then 2 else 0)\n"
    "  loss mean(s)\n"
    "  train { optimizer sgd(lr = 0.1) }\n"
    "}\n",
};

Test(equations_reread, an_elaborated_model_prints_the_same_when_read_back) {
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) check_text(sources[i]);
}

Test(equations_reread, derived_equations_compute_the_same_when_read_back) {
  check_values(sources[0], PASSES_DERIVE);
  check_values(sources[2], PASSES_DERIVE);
}

Test(equations_reread, simplified_equations_compute_the_same_when_read_back) {
  check_values(sources[0], PASSES_DEMAND);
  check_values(sources[2], PASSES_DEMAND);
}
