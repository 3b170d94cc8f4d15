/* `nnc check --gradients`: each train block of each model, on three draws of values. */
#include "command/gradient_check.h"
#include "command/show.h"

int check_gradients(Compilation *compilation) {
  enum { DRAWS = 3 };
  int wrong = 0;
  for (int i = 0; i < compilation->models.count; i++) {
    Model *model = compilation->models.items[i];
    for (int block = 0; block < model->steps.count; block++) {
      const char *detail = NULL;
      for (uint64_t seed = 1; seed <= DRAWS && !detail; seed++) {
        detail = gradient_check(compilation->arena, model, block, seed);
      }
      const Name name = model->steps.items[block].name;
      printf("%s%s%s: gradients of %d parameters %s%s\n", model->name, name ? "." : "",
             name ? name : "", model->steps.items[block].gradients.count,
             detail ? "are wrong: " : "agree with dual numbers and differences",
             detail ? detail : "");
      wrong += detail != NULL;
    }
    if (model->steps.count == 0) printf("%s: nothing is trained\n", model->name);
  }
  return wrong > 0 ? EXIT_PROGRAM : 0;
}
