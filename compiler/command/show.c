/* `nnc show`: the tables a user reads before flashing a device. */
#include "command/show.h"

#include <inttypes.h>

static int64_t elements_of(const Tensor *tensor) {
  int64_t elements = 1;
  for (int dim = 0; dim < tensor->rank; dim++) elements *= extent_maximum(tensor->axes[dim].extent);
  return elements;
}

static const char *shape_of(Arena *arena, const Tensor *tensor) {
  Text text;
  text_init(&text, arena);
  for (int dim = 0; dim < tensor->rank; dim++) {
    text_add(&text, dim == 0 ? "[" : ", ");
    extent_print(tensor->axes[dim].extent, &text);
  }
  text_add(&text, tensor->rank > 0 ? "]" : "number");
  return text.bytes;
}

static const char *tags_of(Arena *arena, const Tensor *tensor) {
  Text text;
  text_init(&text, arena);
  text_add(&text, "%s", "");
  for (int i = 0; i < tensor->tag_count; i++) text_add(&text, " @%s", tensor->tags[i]);
  return text.bytes;
}

static int64_t show_tensors(Arena *arena, const Model *model, Role role, const char *title,
                            int64_t real_bytes) {
  int64_t total = 0;
  for (int i = 0; i < model->tensors.count; i++) {
    const Tensor *tensor = model->tensors.items[i];
    if (tensor->role != role) continue;
    if (total == 0) printf("%s\n", title);
    total += elements_of(tensor);
    printf("  %-32s %-20s %12" PRId64 "%s\n", tensor->name, shape_of(arena, tensor),
           elements_of(tensor), tags_of(arena, tensor));
  }
  if (total > 0)
    printf("  %-53s %12" PRId64 " (%" PRId64 " bytes)\n", "total", total, total * real_bytes);
  return total;
}

/* Multiply-adds and other scalar operations of all equations, at the maxima. */
static double operations_of(Arena *arena, const Routine *routine) {
  double operations = 0;
  for (int i = 0; i < routine->equations.count; i++) {
    const Equation *equation = routine->equations.items[i];
    Arena *scratch = arena_new();
    ExprList nodes = expr_postorder(scratch, &equation->body, 1);
    double cost = equation->reduction != REDUCE_NONE;
    for (int k = 0; k < nodes.count; k++) {
      if (nodes.items[k]->count > 0 && !is_read(nodes.items[k]) &&
          nodes.items[k]->type >= TYPE_NUMBER) {
        cost += op_cost(nodes.items[k]->op);
      }
    }
    operations += cost * equation_volume(equation);
    arena_free(scratch);
  }
  (void)arena;
  return operations;
}

static const char *routine_title(Arena *arena, const Routine *routine) {
  switch (routine->kind) {
  case ROUTINE_INIT: return "init";
  case ROUTINE_TRAIN:
    return routine->step && routine->step->name
               ? arena_format(arena, "%s_step", routine->step->name)
               : "train_step";
  case ROUTINE_ACCUMULATE: return "accumulate";
  case ROUTINE_APPLY: return "apply";
  case ROUTINE_EVAL: return "eval_step";
  case ROUTINE_INFER: return "infer";
  }
  return "";
}

static void show_routines(Arena *arena, const EmitUnit *unit) {
  printf("entry points                         operations  nests  scratch bytes\n");
  for (int i = 0; i < unit->count; i++) {
    const Routine *routine = unit->routines[i];
    printf("  %-32s %12.4g %6d %14" PRId64 "\n", routine_title(arena, routine),
           operations_of(arena, routine), routine->nests.count, routine->arena_bytes);
  }
}

static int64_t most_scratch(const EmitUnit *unit) {
  int64_t most = 0;
  for (int i = 0; i < unit->count; i++) {
    if (unit->routines[i]->arena_bytes > most) most = unit->routines[i]->arena_bytes;
  }
  return most;
}

void show_models(const Compilation *compilation) {
  int64_t real_bytes = compilation->options->real_bytes;
  for (int i = 0; i < compilation->models.count; i++) {
    const Model *model = compilation->models.items[i];
    const EmitUnit *unit = &compilation->units[i];
    printf("model %s\n", model->name);
    int64_t kept = show_tensors(compilation->arena, model, ROLE_INPUT, "inputs", real_bytes);
    show_tensors(compilation->arena, model, ROLE_TARGET, "targets", real_bytes);
    kept = show_tensors(compilation->arena, model, ROLE_PARAM, "parameters", real_bytes);
    kept += show_tensors(compilation->arena, model, ROLE_STATE, "states", real_bytes);
    kept += show_tensors(compilation->arena, model, ROLE_SLOT, "optimizer states", real_bytes);
    show_routines(compilation->arena, unit);
    printf("memory: %" PRId64 " bytes kept, %" PRId64 " bytes of scratch\n", kept * real_bytes,
           most_scratch(unit));
  }
}
