/* `nnc show`: the tables a user reads before flashing a device. */
#include "command/show.h"

#include "command/fusion.h"
#include "command/layers.h"
#include "command/memory.h"

#include <inttypes.h>

int64_t tensor_count(const Tensor *tensor) {
  int64_t elements = 1;
  for (int dim = 0; dim < tensor->rank; dim++) elements *= extent_maximum(tensor->axes[dim].extent);
  return elements;
}

const char *tensor_shape(Arena *arena, const Tensor *tensor) {
  Text text;
  text_init(&text, arena);
  for (int dim = 0; dim < tensor->rank; dim++) {
    text_add(&text, dim == 0 ? "[" : ", ");
    extent_print(tensor->axes[dim].extent, &text);
  }
  text_add(&text, tensor->rank > 0 ? "]" : "number");
  return text.bytes;
}

double equation_operations(const Equation *equation) {
  Arena *scratch = arena_new();
  ExprList nodes = expr_postorder(scratch, &equation->body, 1);
  double cost = equation->reduction != REDUCE_NONE;
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    if (e->count > 0 && !is_read(e) && e->type >= TYPE_NUMBER) cost += op_cost(e->op);
  }
  arena_free(scratch);
  return cost * equation_volume(equation);
}

static int64_t element_bytes(const Tensor *tensor, int64_t bytes_of_real) {
  switch (tensor->storage) {
  case STORE_REAL: return bytes_of_real;
  case STORE_F64: return 8;
  case STORE_I32: return 4;
  case STORE_I8:
  case STORE_U8:
  case STORE_BOOL: return 1;
  }
  return 8;
}

static void show_tensor(Arena *arena, const Tensor *tensor, int64_t bytes) {
  printf("  %-32s %-20s %12" PRId64 " %12" PRId64, tensor->name, tensor_shape(arena, tensor),
         tensor_count(tensor), bytes);
  for (int i = 0; i < tensor->tag_count; i++) printf(" @%s", tensor->tags[i]);
  printf("\n");
}

/* Their bytes. */
static int64_t show_tensors(Arena *arena, const Model *model, Role role, const char *title,
                            int64_t bytes_of_real) {
  int64_t total = 0, total_bytes = 0;
  for (int i = 0; i < model->tensors.count; i++) {
    const Tensor *tensor = model->tensors.items[i];
    if (tensor->role != role) continue;
    if (total == 0) printf("\n  %-32s %-20s %12s %12s\n", title, "shape", "elements", "bytes");
    int64_t bytes = tensor_count(tensor) * element_bytes(tensor, bytes_of_real);
    total += tensor_count(tensor);
    total_bytes += bytes;
    show_tensor(arena, tensor, bytes);
  }
  if (total > 0) printf("  %-53s %12" PRId64 " %12" PRId64 "\n", "total", total, total_bytes);
  return total_bytes;
}

static double operations_of(const Routine *routine) {
  double operations = 0;
  for (int i = 0; i < routine->equations.count; i++)
    operations += equation_operations(routine->equations.items[i]);
  return operations;
}

const char *routine_title(Arena *arena, const Routine *routine) {
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
  printf("\n  %-32s %-20s %12s %12s\n", "entry point", "C functions", "operations", "scratch");
  for (int i = 0; i < unit->count; i++) {
    const Routine *routine = unit->routines[i];
    printf("  %-32s %-20d %12.0f %12" PRId64 "\n", routine_title(arena, routine),
           routine->nests.count + 1, operations_of(routine), routine->arena_bytes);
  }
}

static int64_t most_scratch(const EmitUnit *unit) {
  int64_t most = 0;
  for (int i = 0; i < unit->count; i++) {
    if (unit->routines[i]->arena_bytes > most) most = unit->routines[i]->arena_bytes;
  }
  return most;
}

static void show_model(Arena *arena, const EmitUnit *unit, int64_t bytes_of_real) {
  const Model *model = unit->model;
  printf("model %s\n", model->name);
  layers_print(arena, model, bytes_of_real);
  show_tensors(arena, model, ROLE_INPUT, "input", bytes_of_real);
  show_tensors(arena, model, ROLE_TARGET, "target", bytes_of_real);
  int64_t kept = show_tensors(arena, model, ROLE_PARAM, "parameter", bytes_of_real);
  kept += show_tensors(arena, model, ROLE_STATE, "state", bytes_of_real);
  kept += show_tensors(arena, model, ROLE_SLOT, "optimizer state", bytes_of_real);
  kept += show_tensors(arena, model, ROLE_HYPER, "@runtime", bytes_of_real);
  show_routines(arena, unit);
  int64_t scratch = most_scratch(unit);
  int64_t all = emit_struct_bytes(unit);
  printf("\n  memory: %" PRId64 " bytes = %" PRId64 " kept from call to call + %" PRId64
         " of scratch + %" PRId64 " of seed, counters and alignment\n",
         all, kept, scratch, all - kept - scratch);
}

static void show(const Compilation *compilation, const EmitUnit *unit) {
  switch (compilation->options->explanation) {
  case EXPLAIN_NOTHING:
    show_model(compilation->arena, unit, compilation->options->real_bytes);
    break;
  case EXPLAIN_MEMORY: memory_print(compilation->arena, &compilation->sources, unit); break;
  case EXPLAIN_FUSION: fusion_print(compilation->arena, unit); break;
  }
}

void show_models(const Compilation *compilation) {
  for (int i = 0; i < compilation->models.count; i++) {
    if (i > 0) printf("\n");
    show(compilation, &compilation->units[i]);
  }
}
