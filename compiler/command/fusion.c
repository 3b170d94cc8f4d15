/* What fusion decided, in its own words: nests, their equations, shared loops and partings. */
#include "command/fusion.h"
#include "command/memory.h"

static const char *const reasons[] = {
#define PARTING(name, reason) reason,
#include "loops/partings.def"
#undef PARTING
};

static void print_equation(Arena *arena, const char *before, const Equation *equation) {
  Text text;
  text_init(&text, arena);
  equation_print(equation, &text);
  printf("    %s%s\n", before, text.bytes);
}

static const Fusion *fusion_of(const Nest *nest, const Equation *equation) {
  for (int i = 0; i < nest->fusions.count; i++)
    if (nest->fusions.items[i].equation == equation) return &nest->fusions.items[i];
  return NULL;
}

static void print_loops(const Fusion *fusion) {
  printf("      in the loop%s", fusion->shared_count == 1 ? "" : "s");
  for (int i = 0; i < fusion->shared_count; i++)
    printf("%s %s", i > 0 ? "," : "", fusion->shared[i]->name);
}

/* Nothing keeps an equation from loops when none was made before that it reads from. */
static void print_decision(const Nest *nest, const Fusion *fusion) {
  bool is_kept_out = fusion->producer && fusion->parting != PARTING_NONE;
  const char *where = fusion->producer == nest ? "beside" : "apart from";
  if (fusion->shared_count > 0)
    print_loops(fusion);
  else if (is_kept_out)
    printf("      %s %s", where, fusion->producer->name);
  if (is_kept_out) printf("; %s: %s", fusion->read->name, reasons[fusion->parting]);
  if (is_kept_out || fusion->shared_count > 0) printf("\n");
}

static void print_nest(Arena *arena, const Nest *nest) {
  printf("\n  %s\n", nest->name);
  for (int i = 0; i < nest->equations.count; i++) {
    const Equation *equation = nest->equations.items[i];
    const Fusion *fusion = fusion_of(nest, equation);
    print_equation(arena, "", equation);
    if (fusion)
      print_decision(nest, fusion);
    else
      printf("      behind each tile of the product\n");
  }
  for (int i = 0; i < nest->inlined.count; i++)
    print_equation(arena, "inlined: ", nest->inlined.items[i]);
}

void fusion_print(Arena *arena, const EmitUnit *unit) {
  printf("model %s\n", unit->model->name);
  for (int i = 0; i < unit->count; i++) {
    const Routine *routine = unit->routines[i];
    printf("\n%s: %d nest%s\n", routine_title(arena, routine), routine->nests.count,
           routine->nests.count == 1 ? "" : "s");
    for (int k = 0; k < routine->nests.count; k++) print_nest(arena, routine->nests.items[k]);
  }
}
