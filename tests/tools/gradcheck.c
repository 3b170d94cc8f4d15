/* gradcheck: derivatives against dual numbers and central differences.

     gradcheck MODEL.nn [-D N=4]...   every train block of the model
     gradcheck --operations           every row of ops.def
     gradcheck --mutants              every derivative of ops.def made wrong: its row must fail
     gradcheck --library              every differentiable definition of the library, the derivatives as
                                      they are found and after all passes on equations
     gradcheck --write DIRECTORY      the models of --library as files, for other tests

   Prints `ok NAME` or `FAIL NAME: DETAIL` for each; status 1 when one failed. */
#include "gradient_library.h"
#include "gradient_rows.h"

#include <stdio.h>

static int failures;

static void report(const char *name, const char *detail) {
  if (detail)
    printf("FAIL %s: %s\n", name, detail);
  else
    printf("ok %s\n", name);
  failures += detail != NULL;
}

static const char *const op_names[] = {
#define OP(name, ...) #name,
#include "equations/ops.def"
#undef OP
};

/* ---- rows -------------------------------------------------------------------------------------- */

static bool takes_negative(Op op) {
  return op != OP_LOG && op != OP_SQRT && op != OP_RSQRT && op != OP_POW;
}

static const char *check_row_everywhere(Arena *arena, Op op) {
  const char *detail = check_row(arena, op, 0.31);
  return detail || !takes_negative(op) ? detail : check_row(arena, op, -0.94);
}

static bool is_defined_everywhere(Op op) {
  for (int k = 0; k < op_arity(op); k++)
    if (!op_derivative(op, k)) return false;
  return true;
}

static void check_operations(void) {
  for (int op = 0; op < OP_COUNT; op++) {
    if (op_arity((Op)op) < 1) continue;
    Arena *arena = arena_new();
    const char *name = arena_format(arena, "derivative of %s", op_names[op]);
    const char *detail = check_row_everywhere(arena, (Op)op);
    if (!is_defined_everywhere((Op)op))
      detail = detail ? NULL : "the table has none, but one was given";
    report(name, detail);
    arena_free(arena);
  }
}

/* Operands of whole numbers and conditions carry no derivative whatever the table says. */
static bool carries_derivative(Op op, int argument) {
  bool whole = op == OP_IDIV || op == OP_MOD || op == OP_INT || op == OP_REAL;
  bool truth = op >= OP_EQ && op <= OP_NOT;
  return !whole && !truth && !(op == OP_SELECT && argument == 0) && op_derivative(op, argument);
}

/* A wrong number, or no path at all where the sum and the loss go through the dropped derivative, too. */
static bool is_noticed(const char *mutant, const char *detail) {
  return detail && (detail != derivative_refused || strcmp(mutant, "0") == 0);
}

static void check_mutants_of(Op op, int argument) {
  Arena *arena = arena_new();
  const char *text = op_derivative(op, argument);
  Mutants mutants = row_mutants(arena, text);
  for (int m = 0; m < mutants.count; m++) {
    op_override_derivative(op, argument, mutants.texts[m]);
    const char *name = arena_format(arena, "%s by operand %d is not %s", op_names[op], argument + 1,
                                    mutants.texts[m]);
    const char *detail = check_row(arena, op, 0.31);
    report(name, is_noticed(mutants.texts[m], detail) ? NULL : "was not noticed");
    op_override_derivative(op, argument, NULL);
  }
  arena_free(arena);
}

static void check_mutants(void) {
  for (int op = 0; op < OP_COUNT; op++)
    for (int k = 0; k < op_arity((Op)op); k++)
      if (carries_derivative((Op)op, k)) check_mutants_of((Op)op, k);
}

/* ---- models ------------------------------------------------------------------------------------ */

static const char *check_text(Arena *arena, const char *path, const char *text,
                              ElaborateOptions *options, FrontEndPasses passes) {
  FrontEnd front;
  front_end_init(&front, arena);
  Model *model = front_end_model(&front, path, text, options, passes);
  if (!model) {
    diagnostics_print(front.diagnostics, stdout, false);
    return "does not compile";
  }
  const char *detail = model->steps.count == 0 ? "has no train block" : NULL;
  for (int k = 0; k < model->steps.count && !detail; k++)
    detail = gradient_check(arena, model, k, 11);
  return detail;
}

static void check_passes(const char *name, const char *path, const char *text,
                         ElaborateOptions *options) {
  Arena *arena = arena_new();
  report(name, check_text(arena, path, text, options, PASSES_DERIVE));
  report(arena_format(arena, "%s, simplified", name),
         check_text(arena, path, text, options, PASSES_DEMAND));
  arena_free(arena);
}

static void check_case(void *context, const char *name, const char *text) {
  char title[256];
  (void)context;
  snprintf(title, sizeof title, "gradient of %s", name);
  check_passes(title, "case.nn", text, &(ElaborateOptions){0});
}

static void write_case(void *context, const char *name, const char *text) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.nn", (const char *)context, name);
  const char *error = file_write(path, text, strlen(text));
  if (error) report(path, error);
}

static void check_file(int count, char **arguments) {
  Arena *arena = arena_new();
  FrontEnd names;
  front_end_init(&names, arena);
  ElaborateOptions options = {0};
  for (int i = 2; i + 1 < count; i += 2) front_end_override(&names, &options, arguments[i + 1]);
  const char *error;
  size_t size;
  const char *text = file_read(arena, arguments[1], LIMIT_FILE_BYTES, &size, &error);
  if (text)
    check_passes(arguments[1], arguments[1], text, &options);
  else
    report(arguments[1], error);
  arena_free(arena);
}

int main(int count, char **arguments) {
  const char *mode = count > 1 ? arguments[1] : "";
  if (strcmp(mode, "--operations") == 0)
    check_operations();
  else if (strcmp(mode, "--mutants") == 0)
    check_mutants();
  else if (strcmp(mode, "--library") == 0)
    library_cases(check_case, NULL);
  else if (strcmp(mode, "--write") == 0 && count > 2)
    library_cases(write_case, arguments[2]);
  else if (*mode)
    check_file(count, arguments);
  else
    report("gradcheck",
           "usage: gradcheck MODEL.nn | --operations | --mutants | --library | --write DIR");
  return failures > 0;
}
