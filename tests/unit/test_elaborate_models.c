/* What elaboration leaves in a model beyond what its print shows: types, promises, checks, requests. */
#include "elaborate/elaborate.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct Elaborated {
  Arena *arena;
  Names *names;
  Sources sources;
  Diagnostics *diagnostics;
  ModelList models;
} Elaborated;

static Elaborated elaborate_text(const char *text, DimOverride *overrides, int override_count) {
  Elaborated result = {.arena = arena_new()};
  ElaborateOptions options = {.overrides = overrides, .override_count = override_count};
  result.names = names_new(result.arena);
  sources_init(&result.sources, result.arena);
  result.diagnostics = diagnostics_new(result.arena, &result.sources);
  const SourceFile *file = source_add(&result.sources, "test.nn", text, (uint32_t)strlen(text));
  Tree *tree = tree_parse(result.arena, result.names, &result.sources, result.diagnostics, file);
  result.models = elaborate(result.arena, result.names, &result.sources, result.diagnostics, tree,
                            &options, NULL);
  return result;
}

/* The only model of a text without errors; its arena is left to the end of the test. */
static Model *model_of(const char *text) {
  Elaborated result = elaborate_text(text, NULL, 0);
  if (diagnostics_error_count(result.diagnostics) > 0) {
    diagnostics_print(result.diagnostics, stderr, false);
  }
  cr_assert_eq(diagnostics_error_count(result.diagnostics), 0);
  cr_assert_eq(result.models.count, 1);
  return result.models.items[0];
}

static int errors_of(const char *text) {
  Elaborated result = elaborate_text(text, NULL, 0);
  int count = diagnostics_error_count(result.diagnostics);
  arena_free(result.arena);
  return count;
}

static Tensor *find_tensor(const TensorList *list, const char *name) {
  for (int i = 0; i < list->count; i++) {
    if (strcmp(list->items[i]->name, name) == 0) return list->items[i];
  }
  cr_assert_fail("no tensor '%s'", name);
  return NULL;
}

static int64_t constant_of(const Extent *extent) {
  int64_t value = -1;
  cr_assert(extent_is_constant(extent, &value));
  return value;
}

Test(elaborate, inputs_have_types_promises_and_a_batch) {
  Model *model = model_of("model m {\n dim N <= 8, C = 5\n input x[N, 2] : u8\n"
                          " input f[3]\n target t[N] : index(1, C)\n output y = 2*x[0, 0]*f[0]\n}");
  const Tensor *x = find_tensor(&model->tensors, "x"), *t = find_tensor(&model->tensors, "t");
  cr_assert_eq(x->storage, STORE_U8);
  cr_assert_eq(x->type, TYPE_INT);
  cr_assert_eq(constant_of(x->high), 256);
  cr_assert_eq(t->role, ROLE_TARGET);
  cr_assert_eq(constant_of(t->low), 1);
  cr_assert_eq(constant_of(t->high), 5);
  cr_assert_str_eq(model->batch->name, "N");
  cr_assert_eq(model->batch->maximum, 8);
}

Test(elaborate, parameters_over_run_time_dims_have_the_maximum) {
  Model *model = model_of("model m {\n dim N <= 8, T <= 16\n input x[N, T]\n"
                          " param p[T] = 0 @bias\n output y[n, t] = x[n, t] + p[t]\n}");
  const Tensor *p = find_tensor(&model->tensors, "p");
  cr_assert_eq(constant_of(p->axes[0].extent), 16);
  cr_assert_str_eq(p->tags[0], "bias");
  cr_assert_not_null(p->definition);
  int64_t value;
  cr_assert_not(extent_is_constant(model->eval.outputs.items[0].value->axes[1].extent, &value));
}

Test(elaborate, both_programs_share_parameters_and_have_their_own_values) {
  Model *model = model_of("model m {\n dim N <= 8\n input x[N, 3]\n h = dense(x, 2)\n"
                          " output y = dropout(h, 0.5)\n}");
  int parameters = 0;
  for (int i = 0; i < model->tensors.count; i++) {
    parameters += model->tensors.items[i]->role == ROLE_PARAM;
  }
  cr_assert_eq(parameters, 2);
  cr_assert_neq(find_tensor(&model->train.tensors, "h.z"),
                find_tensor(&model->eval.tensors, "h.z"));
  cr_assert_eq(find_tensor(&model->train.tensors, "y.u")->site, site_of("y.u"));
  for (int i = 0; i < model->eval.tensors.count; i++) {
    cr_assert_str_neq(model->eval.tensors.items[i]->name, "y.u");
  }
}

Test(elaborate, what_depends_on_sizes_is_checked_at_entry) {
  Model *model = model_of("model m {\n dim N <= 8, T <= 16\n input x[N, T]\n"
                          " require T % 2 == 0 : \"T must be even\"\n"
                          " output y[n, i in 5] = x[n, i] + x[n, i]\n}");
  cr_assert_eq(model->checks.count, 2);
  cr_assert_str_eq(model->checks.items[0].text, "T must be even");
  Text text;
  text_init(&text, model->arena);
  expr_print(model->checks.items[1].condition, &text);
  cr_assert_str_eq(text.bytes, "0 <= T - 5");
}

Test(elaborate, updates_of_live_states_are_kept_in_inference) {
  Model *model = model_of("model m {\n dim N <= 8\n input x[N]\n state a[N] = 0\n"
                          " state b[N] = 0 @live\n a[n] := x[n]\n b[n] := a[n]\n output x\n}");
  cr_assert_eq(model->train.updates.count, 2);
  cr_assert_eq(model->eval.updates.count, 1);
  cr_assert(model->eval.updates.items[0].live);
  cr_assert_str_eq(model->eval.updates.items[0].target->name, "b");
  cr_assert_eq(model->eval.outputs.items[0].value->role, ROLE_VALUE);
}

Test(elaborate, grad_clauses_connect_inputs_and_results) {
  Model *model =
      model_of("def f(x[N, K]) -> y[N, K] {\n y[n, k] = sign(x[n, k])\n"
               " grad x[n, k] = 2*adj.y[n, k]\n}\n"
               "model m {\n dim N <= 8\n input x[N, 3]\n y = f(x)\n g = gradient(sum(y), y)\n"
               " output g\n}");
  cr_assert_eq(model->train.custom_gradients.count, 1);
  const CustomGradient *custom = &model->train.custom_gradients.items[0];
  cr_assert_str_eq(custom->input->name, "y.x");
  cr_assert_str_eq(custom->adjoint->name, "y.x.grad");
  cr_assert_eq(custom->incoming_count, 1);
  cr_assert_str_eq(custom->incoming[0].result->name, "y.y");
  cr_assert_eq(custom->incoming[0].placeholder->role, ROLE_GRADIENT);
  cr_assert_eq(model->eval.gradients.count, 1);
  cr_assert_eq(model->eval.gradients.items[0].result->role, ROLE_GRADIENT);
}

Test(elaborate, runtime_hyper_parameters_are_scalars_in_double) {
  Model *model = model_of("model m {\n dim N <= 8\n input x[N]\n state lr = 0.5 @runtime\n"
                          " output y = lr*x\n}");
  const Tensor *lr = find_tensor(&model->tensors, "lr");
  cr_assert_eq(lr->role, ROLE_HYPER);
  cr_assert_eq(lr->type, TYPE_F64);
  cr_assert_eq(lr->initial, 0.5);
}

Test(elaborate, composites_place_several_variables_on_one_dim) {
  Model *model = model_of("model m {\n dim N <= 8\n input x[N, 3, 4]\n"
                          " y[n, (c, h)] = x[n, c, h]\n output y\n}");
  const Equation *equation = find_tensor(&model->train.tensors, "y")->definition;
  cr_assert_eq(equation->var_count, 3);
  cr_assert_eq(equation->place[1], 1);
  cr_assert_eq(equation->place[2], 1);
  cr_assert_eq(constant_of(equation->target->axes[1].extent), 12);
}

Test(elaborate, whole_numbers_are_bounded) {
  Model *model = model_of("model m {\n dim N <= 8\n input x[N, 7]\n a[n] = argmax[k](x[n, k])\n"
                          " output y[n] = x[n, a[n]]\n}");
  const Tensor *a = find_tensor(&model->train.tensors, "a");
  cr_assert_eq(a->type, TYPE_INT);
  cr_assert_eq(constant_of(a->high), 7);
}

Test(elaborate, dims_are_overridden_by_the_command_line) {
  DimOverride overrides[] = {{"N", 3, false}, {"Q", 4, false}};
  Elaborated result =
      elaborate_text("model m {\n dim N <= 8\n input x[N]\n output y = 2*x\n}", overrides, 2);
  cr_assert_eq(result.models.count, 1);
  cr_assert_eq(result.models.items[0]->dims.count, 0);
  cr_assert(overrides[0].used);
  cr_assert_not(overrides[1].used);
  arena_free(result.arena);
}

/* ---- limits: at the limit, and beyond */

Test(elaborate, instances_are_limited) {
  const char *text = "def half(x) = x/2\nmodel m {\n dim N <= 8\n input x[N]\n"
                     " output y = x |> repeat(100000, half)%s\n}";
  Arena *arena = arena_new();
  cr_assert_eq(errors_of(arena_format(arena, text, "")), 0);
  cr_assert_eq(errors_of(arena_format(arena, text, " |> half")), 1);
  arena_free(arena);
}

/* f1(x) = f0(x), f2(x) = f1(x), ...: `depth` applications within each other. */
static int errors_of_nested(int depth) {
  Arena *arena = arena_new();
  Text text;
  text_init(&text, arena);
  text_add(&text, "def f1(x) = 2*x\n");
  for (int i = 2; i <= depth; i++) text_add(&text, "def f%d(x) = f%d(x)\n", i, i - 1);
  text_add(&text, "model m {\n dim N <= 8\n input x[N]\n output y = f%d(x)\n}", depth);
  int errors = errors_of(text.bytes);
  arena_free(arena);
  return errors;
}

Test(elaborate, nesting_of_definitions_is_limited) {
  cr_assert_eq(errors_of_nested(LIMIT_NESTING - 1), 0);
  cr_assert_eq(errors_of_nested(LIMIT_NESTING), 0);
  cr_assert_eq(errors_of_nested(LIMIT_NESTING + 1), 1);
}

Test(elaborate, extents_are_limited) {
  cr_assert_eq(errors_of("model m {\n dim N <= 2147483647\n input x[N]\n output y = 2*x\n}"), 0);
  cr_assert_eq(errors_of("model m {\n dim N <= 2147483648\n input x[N]\n output y = 2*x\n}"), 1);
}

Test(elaborate, elements_are_limited) {
  cr_assert_eq(errors_of("model m {\n input x[1048576, 1048576]\n output y[n] = x[n, 0]\n}"), 0);
  cr_assert_eq(errors_of("model m {\n input x[1048576, 1048577]\n output y[n] = x[n, 0]\n}"), 1);
}

Test(elaborate, dims_are_limited) {
  cr_assert_eq(errors_of("model m {\n input x[1, 1, 1, 1, 1, 1, 1, 2]\n output y = 2*x\n}"), 0);
  cr_assert_eq(errors_of("model m {\n input x[1, 1, 1, 1, 1, 1, 1, 1, 2]\n output y = 2*x\n}"), 1);
}
