/* `nnc check --gradients`: each train block of each model, on three draws of values. */
#include "command/gradient_check.h"
#include "command/show.h"

enum { DRAWS = 3 };

static bool check_block(Compilation *compilation, Model *model, int block) {
  const Step *step = &model->steps.items[block];
  const char *detail = NULL;
  for (uint64_t seed = 1; seed <= DRAWS && !detail; seed++)
    detail = gradient_check(compilation->arena, model, block, seed);
  printf("%s%s%s: ", model->name, step->name ? "." : "", step->name ? step->name : "");
  if (detail)
    printf("a gradient is wrong: %s\n", detail);
  else
    printf("gradients of %d parameters agree with dual numbers and differences\n",
           step->gradients.count);
  return !detail;
}

static bool has_grad_clause(const Node *node) {
  bool found = node->kind == NODE_GRAD;
  for (int i = 0; i < node->count && !found; i++)
    found = node->parts[i] && has_grad_clause(node->parts[i]);
  return found;
}

int check_gradients(Compilation *compilation) {
  int wrong = 0;
  for (int i = 0; i < compilation->models.count; i++) {
    Model *model = compilation->models.items[i];
    for (int block = 0; block < model->steps.count; block++)
      wrong += !check_block(compilation, model, block);
    if (model->steps.count == 0) printf("%s: nothing is trained\n", model->name);
  }
  if (wrong > 0 && has_grad_clause(compilation->tree->root))
    printf("A 'grad' clause states a derivative, here perhaps another one on purpose.\n");
  return wrong > 0 ? EXIT_PROGRAM : 0;
}
