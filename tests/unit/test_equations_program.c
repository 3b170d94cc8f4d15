/* Programs: building in normal form, names, what roots need, the verifier, and whole models printed. */
#include "equations_fixture.h"

#include "syntax/tree.h"

#include <criterion/criterion.h>

static Fixture f;
static Tensor *x, *W;
static Index *n, *p, *k;

static const Extent *number(int64_t value) {
  return extent_constant(f.extents, value);
}

static Tensor *declare(const char *name, Role role, const Extent *rows, const Extent *columns) {
  Axis axes[2] = {{.extent = rows}, {.extent = columns}};
  Tensor *tensor =
      tensor_new(f.model, &f.model->tensors, name_of(f.names, name), role, TYPE_REAL, axes,
                 columns ? 2
                 : rows  ? 1
                         : 0);
  return tensor;
}

static Index *new_index(const char *name, const Extent *range) {
  return index_new(f.model, name_of(f.names, name), range);
}

static void start(void) {
  f = fixture_new();
  x = declare("x", ROLE_INPUT, extent_dim(f.extents, f.n), number(6));
  W = declare("h.W", ROLE_PARAM, number(6), number(4));
  n = new_index("n", extent_dim(f.extents, f.n));
  k = new_index("k", number(4));
  p = new_index("p", number(6));
}

static void stop(void) {
  arena_free(f.arena);
}

TestSuite(equations_program, .init = start, .fini = stop);

static const Expr *product(void) {
  const Expr *a = tensor_read(f.model, x, (const Index *[]){n, p});
  const Expr *b = tensor_read(f.model, W, (const Index *[]){p, k});
  return expr_binary(f.exprs, OP_MUL, a, b);
}

static const Expr *hoist(const char *name, Reduction reduction, const Index *reduced,
                         const Expr *body) {
  return equation_hoist(f.model, &f.model->train, name_of(f.names, name), reduction, &reduced, 1,
                        NULL, body, NULL, (Span){0, 0});
}

static const char *printed(const Equation *equation) {
  Text text;
  text_init(&text, f.arena);
  equation_print(equation, &text);
  return text.bytes;
}

static const char *wrong(void) {
  return program_verify(f.model, &f.model->train, f.arena);
}

static Equation *define(const char *name, const Index *const *vars, int rank, const Expr *body) {
  Axis axes[2] = {{0}};
  for (int i = 0; i < rank; i++) axes[i].extent = vars[i]->range;
  Name unique = program_unique_name(f.model, &f.model->train, name_of(f.names, name));
  Tensor *tensor =
      tensor_new(f.model, &f.model->train.tensors, unique, ROLE_VALUE, TYPE_REAL, axes, rank);
  return equation_new(f.model, &f.model->train, tensor, vars, body);
}

Test(equations_program, a_hoisted_sum_has_just_the_variables_it_uses) {
  const Expr *read = hoist("h.z", REDUCE_SUM, p, product());
  cr_assert_eq(read->op, OP_READ);
  cr_assert_eq(read->tensor->rank, 2);
  cr_assert_str_eq(printed(read->tensor->definition),
                   "h.z[n in N, k in 4] = sum[p in 6](x[n, p]*h.W[p, k])");
  cr_assert_null(wrong());
  const Expr *total = hoist("h.z", REDUCE_MAX, k, hoist("row", REDUCE_SUM, n, read));
  cr_assert_str_eq(printed(total->tensor->definition), "h.z2 = max[k in 4](row[k])");
  cr_assert_null(wrong());
}

Test(equations_program, variables_avoid_the_names_around_them) {
  Tensor *named = declare("k", ROLE_INPUT, number(4), NULL);
  const Index *rows = new_index("k", number(4)), *columns = new_index("k", number(4));
  const Index *bad = new_index("loss", number(4));
  const Expr *a = tensor_read(f.model, named, &rows), *b = tensor_read(f.model, named, &columns);
  const Expr *sum = expr_binary(f.exprs, OP_ADD, a, expr_binary(f.exprs, OP_MUL, b, b));
  sum = expr_binary(f.exprs, OP_ADD, sum, tensor_read(f.model, named, &bad));
  Tensor *target = hoist("max", REDUCE_SUM, bad, sum)->tensor->definition->target;
  cr_assert_str_eq(printed(target->definition),
                   "max.value[k2 in 4, k3 in 4] = sum[i in 4](k[k2] + k[k3]*k[k3] + k[i])");
}

Test(equations_program, a_hoisted_argmax_knows_its_range) {
  const Expr *best =
      hoist("best", REDUCE_ARGMAX, p, tensor_read(f.model, x, (const Index *[]){n, p}));
  cr_assert_eq(best->type, TYPE_INT);
  cr_assert_eq(best->tensor->high, number(6));
  cr_assert(affine_proves_range(f.exprs, f.arena, best, number(6), NULL, NULL));
}

Test(equations_program, names_stay_unique_without_search) {
  Name wanted = name_of(f.names, "h.W");
  cr_assert_str_eq(program_unique_name(f.model, &f.model->train, wanted), "h.W2");
  for (int i = 0; i < 20000; i++) define("h1", NULL, 0, expr_number(f.exprs, i));
  cr_assert_str_eq(f.model->train.tensors.items[19999]->name, "h1_20000");
}

Test(equations_program, only_what_the_roots_need_is_kept) {
  Equation *a = define("a", NULL, 0, expr_number(f.exprs, 1));
  define("dead", NULL, 0, tensor_read(f.model, a->target, NULL));
  Equation *b = define("b", NULL, 0, tensor_read(f.model, a->target, NULL));
  EquationList needed = program_needed(f.model, &f.model->train, f.arena, &b->target, 1);
  cr_assert_eq(needed.count, 2);
  cr_assert_eq(needed.items[0], a);
  f.model->train.loss = b->target;
  program_prune(f.model, &f.model->train);
  cr_assert_eq(f.model->train.equations.count, 2);
  cr_assert_eq(f.model->train.tensors.count, 2);
  cr_assert_str_eq(program_unique_name(f.model, &f.model->train, a->target->name), "a2");
  cr_assert_null(wrong());
}

Test(equations_program, the_verifier_finds_broken_equations) {
  const Expr *good = tensor_read(f.model, x, (const Index *[]){n, p});
  Equation *e = define("y", (const Index *[]){n, p}, 2, good);
  cr_assert_null(wrong());
  e->body = tensor_read(f.model, x, (const Index *[]){n, k});
  cr_assert_str_eq(wrong(), "equation 'y' uses index 'k', which is not its own");
  e->body = expr_index(f.exprs, p);
  cr_assert_str_eq(wrong(), "equation 'y' has a right side of another type than its target");
  e->body = expr_unary(f.exprs, OP_EXP, expr_draw(f.exprs, OP_NORMAL));
  cr_assert_str_eq(wrong(), "equation 'y' has a draw inside its right side");
  e->body = good;
  e->reduction = REDUCE_SUM;
  cr_assert_str_eq(wrong(), "equation 'y' reduces nothing");
  e->reduction = REDUCE_NONE;
  e->place[1] = 0;
  cr_assert_str_eq(wrong(), "equation 'y' has a variable whose range is not the extent of its dim");
  e->place[1] = 1;
  TensorList elsewhere = {0};
  Tensor *stranger =
      tensor_new(f.model, &elsewhere, name_of(f.names, "s"), ROLE_VALUE, TYPE_REAL, NULL, 0);
  e->body = tensor_read(f.model, stranger, NULL);
  cr_assert_str_eq(wrong(), "equation 'y' reads 's', which is not in the program");
}

#ifdef NNC_VERIFY
Test(equations_program, the_verifier_finds_reads_out_of_range) {
  const Expr *before =
      expr_binary(f.exprs, OP_SUB, expr_index(f.exprs, p), expr_integer(f.exprs, 1));
  const Expr *read = expr_read(f.exprs, x, (const Expr *[]){expr_index(f.exprs, n), before}, NULL);
  const Expr *first = expr_binary(f.exprs, OP_EQ, expr_index(f.exprs, p), expr_integer(f.exprs, 0));
  const Expr *guarded = expr_select(f.exprs, first, expr_number(f.exprs, 0), read);
  Equation *e = define("y", (const Index *[]){n, p}, 2, guarded);
  cr_assert_null(wrong());
  e->body = read;
  cr_assert_str_eq(wrong(), "equation 'y' reads 'x' at -1, where its dim 1 has extent 6");
}
#endif

/* x ~ uniform(low, high) as the elaborator lowers it */
static void draw(Program *program, Tensor *target, const Index *const *vars, const Expr *low,
                 const Expr *scale, Op kind) {
  Name name = name_format(f.names, "%s.draw", target->name);
  Tensor *draws = tensor_new(f.model, &program->tensors, name, ROLE_VALUE, TYPE_REAL, target->axes,
                             target->rank);
  equation_new(f.model, program, draws, vars, expr_draw(f.exprs, kind));
  const Expr *scaled = expr_binary(f.exprs, OP_MUL, scale, tensor_read(f.model, draws, vars));
  equation_new(f.model, program, target, vars, expr_binary(f.exprs, OP_ADD, low, scaled));
}

static void build_model(void) {
  Model *model = f.model;
  const Expr *tenth = expr_number(f.exprs, -0.1), *fifth = expr_number(f.exprs, 0.2);
  draw(&model->init, W, (const Index *[]){p, k}, tenth, fifth, OP_UNIFORM);
  W->tags = NEW(f.arena, Name);
  W->tags[W->tag_count++] = name_of(f.names, "weight");
  Tensor *slot = declare("h.W.m", ROLE_SLOT, number(6), number(4));
  equation_new(model, &model->init, slot, (const Index *[]){p, k}, expr_number(f.exprs, 0));
  Tensor *labels = tensor_new(model, &model->tensors, name_of(f.names, "t"), ROLE_TARGET, TYPE_INT,
                              &x->axes[0], 1);
  labels->low = number(0);
  labels->high = number(4);
  Equation *noise = define("u", (const Index *[]){n, p}, 2, expr_number(f.exprs, 0));
  model->train.equations.count--;
  draw(&model->train, noise->target, noise->vars, expr_number(f.exprs, 0), expr_number(f.exprs, 2),
       OP_NORMAL);
  const Expr *noisy = tensor_read(model, noise->target, (const Index *[]){n, p});
  const Expr *z = hoist("z", REDUCE_SUM, p, expr_binary(f.exprs, OP_MUL, noisy, product()));
  const Expr *chosen[] = {expr_index(f.exprs, n), tensor_read(model, labels, (const Index *[]){n})};
  const Expr *loss = hoist("loss", REDUCE_SUM, n, expr_read(f.exprs, z->tensor, chosen, NULL));
  model->train.loss = (Tensor *)loss->tensor;
  Equation *next =
      define("h.W.next", (const Index *[]){p, k}, 2,
             expr_binary(f.exprs, OP_SUB, tensor_read(model, W, (const Index *[]){p, k}),
                         tensor_read(model, slot, (const Index *[]){p, k})));
  Step step = {.loss = model->train.loss};
  APPEND(f.arena, &step.updates, (Update){.target = W, .value = next->target});
  APPEND(f.arena, &model->steps, step);
}

static const char expected_model[] =
    "model test {\n"
    "  dim N <= 5\n"
    "  dim T <= 7\n"
    "  input x[N, 6]\n"
    "  param h.W[6, 4] ~ uniform(-0.1, 0.1) @weight\n"
    "  state h.W.m[6, 4] = 0\n"
    "  target t[N] : index(4)\n"
    "  u[n in N, p in 6] ~ normal(0, 2)\n"
    "  z[n in N, k in 4] = sum[p in 6](u[n, p]*(x[n, p]*h.W[p, k]))\n"
    "  h.W[p in 6, k in 4] := h.W[p, k] - h.W.m[p, k]\n"
    "  loss sum[n in N](z[n, t[n]])\n"
    "}\n";

Test(equations_program, a_model_prints_as_source) {
  Text text;
  build_model();
  text_init(&text, f.arena);
  model_print(f.model, &text);
  cr_assert_str_eq(text.bytes, expected_model);
  cr_assert_null(wrong());
  cr_assert_null(program_verify(f.model, &f.model->init, f.arena));
}

Test(equations_program, a_printed_model_parses) {
  Sources sources;
  sources_init(&sources, f.arena);
  Diagnostics *diagnostics = diagnostics_new(f.arena, &sources);
  const SourceFile *file =
      source_add(&sources, "model.nn", expected_model, sizeof expected_model - 1);
  Tree *tree = tree_parse(f.arena, f.names, &sources, diagnostics, file);
  cr_assert_not_null(tree->root);
  cr_assert_eq(diagnostics_error_count(diagnostics), 0);
}
