/* The table of layers: one row for each application of a definition that the outputs need. */
#include "command/layers.h"

#include "loops/loop.h"

#include <inttypes.h>
#include <string.h>

typedef struct Layer {
  const char *path;
  const Tensor *output; /* the last of its values that something outside reads; null: none does */
  int output_place;     /* of its equation */
  const Tensor *last;   /* the last value */
  int64_t parameters;   /* elements */
  double operations;
} Layer;

typedef struct Layers {
  Arena *arena;
  LIST_OF(Layer) rows; /* the first is the model itself */
  Map positions;       /* path (a Name) -> int *, its position in `rows` */
  Map places;          /* Equation * -> int *, its place in the order of computation, from 1 */
} Layers;

static Layer *layer_of(Layers *layers, const Instance *instance) {
  if (!instance) return &layers->rows.items[0];
  const int *known = map_get(&layers->positions, instance->path);
  if (known) return &layers->rows.items[*known];
  int *position = NEW(layers->arena, int);
  *position = layers->rows.count;
  map_put(&layers->positions, instance->path, position);
  APPEND(layers->arena, &layers->rows, (Layer){.path = instance->path});
  return &layers->rows.items[*position];
}

static bool is_within(const Instance *instance, const Instance *outer) {
  for (; instance; instance = instance->caller) {
    if (instance->path == outer->path) return true;
  }
  return false;
}

/* What it reads from other layers are outputs of theirs. */
static void note_equation(Layers *layers, const Equation *equation) {
  Layer *layer = layer_of(layers, equation->instance);
  layer->operations += equation_operations(equation);
  if (equation->instance) layer->last = equation->target;
  Arena *scratch = arena_new();
  ExprList reads = equation_reads(scratch, equation);
  for (int i = 0; i < reads.count; i++) {
    const Equation *read = reads.items[i]->tensor->definition;
    bool is_value = reads.items[i]->tensor->role == ROLE_VALUE && read && read->instance;
    if (!is_value || is_within(equation->instance, read->instance)) continue;
    Layer *other = layer_of(layers, read->instance);
    const int *place = map_get(&layers->places, read);
    if (!place || *place <= other->output_place) continue;
    other->output_place = *place;
    other->output = read->target;
  }
  arena_free(scratch);
}

static void note_results(Layers *layers, const ResultList *results) {
  for (int i = 0; i < results->count; i++) {
    const Equation *equation = results->items[i].value->definition;
    if (equation && equation->instance)
      layer_of(layers, equation->instance)->output = equation->target;
  }
}

/* A parameter belongs to the layer with the longest path that its own begins with. */
static void note_parameter(Layers *layers, const Tensor *parameter) {
  Layer *owner = &layers->rows.items[0];
  size_t longest = 0;
  for (int i = 1; i < layers->rows.count; i++) {
    Layer *layer = &layers->rows.items[i];
    size_t length = strlen(layer->path);
    bool owns =
        strncmp(parameter->name, layer->path, length) == 0 && parameter->name[length] == '.';
    if (!owns || length <= longest) continue;
    owner = layer;
    longest = length;
  }
  owner->parameters += tensor_count(parameter);
}

static void print_row(const Layers *layers, const Layer *layer, int64_t bytes_of_real) {
  const Tensor *output = layer->output ? layer->output : layer->last;
  const char *shape = output ? tensor_shape(layers->arena, output) : "";
  printf("  %-32s %-20s %12" PRId64 " %12" PRId64 " %12.0f\n", layer->path, shape,
         layer->parameters, layer->parameters * bytes_of_real, layer->operations);
}

void layers_print(Arena *arena, const Model *model, int64_t bytes_of_real) {
  Layers layers = {.arena = arena};
  map_init(&layers.positions, arena);
  map_init(&layers.places, arena);
  APPEND(arena, &layers.rows, (Layer){.path = "(model)"});
  const ResultList *outputs = &model->eval.outputs;
  Tensor **roots = NEW_ARRAY(arena, Tensor *, outputs->count + 1);
  for (int i = 0; i < outputs->count; i++) roots[i] = outputs->items[i].value;
  EquationList needed = program_needed(model, &model->eval, arena, roots, outputs->count);
  int *places = NEW_ARRAY(arena, int, needed.count + 1);
  for (int i = 0; i < needed.count; i++) {
    places[i] = i + 1;
    map_put(&layers.places, needed.items[i], &places[i]);
    note_equation(&layers, needed.items[i]);
  }
  note_results(&layers, outputs);
  for (int i = 0; i < model->tensors.count; i++) {
    if (model->tensors.items[i]->role == ROLE_PARAM)
      note_parameter(&layers, model->tensors.items[i]);
  }
  if (needed.count == 0) return;
  printf("\n  %-32s %-20s %12s %12s %12s\n", "layer", "output", "parameters", "bytes",
         "operations");
  for (int i = 1; i <= layers.rows.count; i++) {
    const Layer *layer = &layers.rows.items[i % layers.rows.count];
    if (layer->operations > 0 || layer->parameters > 0) print_row(&layers, layer, bytes_of_real);
  }
}
