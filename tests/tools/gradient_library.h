/* A small model for every differentiable definition of the library, made from its formals: tensors become
   parameters (so they get gradients, too), index tensors targets, dims small odd sizes, hyper-parameters
   their defaults, and then one model more for each switch turned and each 0 made 0.1. */
#ifndef NNC_TESTS_GRADIENT_LIBRARY_H
#define NNC_TESTS_GRADIENT_LIBRARY_H

#include "front_end.h"
#include "support/library.h"

typedef void (*LibraryCase)(void *context, const char *name, const char *text);

/* What the formals of a definition do not tell; null: nothing particular. */
typedef struct Particular {
  const char *definition;
  const char *arguments; /* hyper-parameters given in every case */
  const char *required;  /* of a hyper-parameter without a default; null: 3 */
  const char *variants;  /* more cases: their hyper-parameters, between ';'; no 0 is made 0.1 */
  const char *dims;      /* "D=6, C=4": sizes that must fit */
  const char *bound;     /* of its index formal */
  const char *data;      /* the tensor formal that has no gradient */
  const char *omitted;   /* tensor formals left at their defaults */
  bool is_open;          /* a result without dims is no scalar */
  bool is_penalty;       /* added to the loss of a layer: it has no tensors */
  const char *skip;      /* why there is no gradient to check */
} Particular;

static const Particular particulars[] = {
    {.definition = "hardmax", .skip = "piecewise constant"},
    {.definition = "within", .skip = "piecewise constant"},
    {.definition = "spread", .data = "x"},
    {.definition = "of_label", .variants = "ignore = 1"},
    {.definition = "counted", .bound = "4", .variants = "ignore = 1"},
    {.definition = "reduced_by_label", .bound = "3", .variants = "ignore = 1"},
    {.definition = "ctc", .omitted = "len size", .variants = "blank = 2"},
    {.definition = "glu", .dims = "D=4"},
    {.definition = "l1", .is_penalty = true},
    {.definition = "l2", .is_penalty = true},

    {.definition = "embedding", .bound = "3", .variants = "padding = 1"},
    {.definition = "dropped", .data = "u"},
    {.definition = "dropout_factors", .skip = "the shape of its tensor is all it reads"},
    {.definition = "residual", .arguments = "body = dense(2)"},
    {.definition = "residual_block",
     .dims = "N=2, C=3, H=3, W=5",
     .variants = "stride = 2",
     .is_open = true},

    {.definition = "conv1d",
     .required = "6",
     .dims = "C=4",
     .variants = "groups = 2, stride = 2, dilation = 2; pad = 2, pad_end = 0"},
    {.definition = "conv2d",
     .required = "4",
     .dims = "N=2, C=4, H=3, W=5",
     .variants = "groups = 2, stride = 2, size_w = 4, dilation_w = 2"},
    {.definition = "conv3d",
     .required = "2",
     .dims = "N=1, C=2, D=3, H=4, W=3",
     .variants = "groups = 2, stride = 2, size_w = 2, pad_end = 0"},
    {.definition = "separable2d", .dims = "N=2, C=2", .is_open = true},
    {.definition = "conv1d_transposed",
     .required = "6",
     .dims = "C=4",
     .variants =
         "groups = 2, stride = 2, dilation = 3, pad = 1; stride = 3, extra = 2, pad_end = 1"},
    {.definition = "conv2d_transposed",
     .required = "4",
     .dims = "N=2, C=4, H=2, W=3",
     .variants = "groups = 2, stride = 2, stride_w = 3, size_w = 2, pad = 1, extra_w = 1"},
    {.definition = "conv3d_transposed",
     .required = "2",
     .dims = "N=1, C=2, D=2, H=2, W=3",
     .variants = "groups = 2, size = 2, stride = 2, stride_w = 3, pad_h = 1, extra_w = 1"},

    {.definition = "pad2d", .required = "1", .variants = "pad_w = 2, pad_end = 0, value = 0.5"},
    {.definition = "pad2d_edge", .required = "1", .variants = "pad_w = 2, pad_end = 0"},
    {.definition = "pad2d_reflect", .required = "1", .variants = "pad_w = 2, pad_end = 0"},
    {.definition = "space_to_depth", .required = "2", .dims = "N=2, H=4, W=6"},
    {.definition = "pixel_shuffle", .required = "2", .dims = "N=2, C=8, H=3, W=2"},

    {.definition = "maxpool1d", .variants = "size = 3, stride = 2, pad = 1"},
    {.definition = "maxpool2d", .variants = "size = 3, stride = 2, pad_w = 1, dilation_w = 2"},
    {.definition = "maxpool3d",
     .dims = "N=1, C=2, W=3",
     .variants = "size = 3, stride = 2, pad = 1"},
    {.definition = "avgpool1d", .variants = "size = 3, stride = 2, pad = 1, counted = false"},
    {.definition = "avgpool2d",
     .variants =
         "size = 3, stride = 2, pad_w = 1; size = 3, stride_w = 1, pad = 1, counted = false"},
    {.definition = "avgpool3d",
     .dims = "N=1, C=2, W=3",
     .variants = "size = 3, stride = 2, pad = 1, counted = false"},
    {.definition = "lppool1d", .variants = "size = 3, stride = 2, pad = 1, p = 3"},
    {.definition = "lppool2d",
     .dims = "N=2",
     .variants = "size = 3, stride = 2, pad_w = 1, p = 1.5"},

    {.definition = "global_avgpool", .data = "mask"},

    {.definition = "unit_norm", .variants = "p = 1; p = 3"},
    {.definition = "groupnorm", .required = "2", .dims = "C=4"},

    {.definition = "rnn", .bound = "6"},
    {.definition = "lstm", .bound = "6"},
    {.definition = "peephole_lstm", .bound = "6"},
    {.definition = "coupled_lstm", .bound = "6"},
    /* Norms of 3 numbers multiply rounding errors: with a small eps 100 steps in float part from those in double. */
    {.definition = "layernorm_lstm", .bound = "6", .arguments = "eps = 0.1"},
    {.definition = "gru", .bound = "6"},
    {.definition = "reversed", .bound = "6"},
    {.definition = "bidirectional",
     .bound = "6",
     .arguments = "layer = gru(H = 2)",
     .is_open = true},
    {.definition = "lstm_decoder", .bound = "6"},
    {.definition = "encoder_decoder", .bound = "6"},
    {.definition = "stacked", .arguments = "layer = rnn(H = 3)", .is_open = true},

    {.definition = "attend", .dims = "A=2, E=3, U=3", .bound = "4", .data = "mask"},
    {.definition = "attention_weights", .dims = "A=2, U=3", .bound = "4", .data = "mask"},
    {.definition = "additive_attend", .dims = "U=3", .bound = "4", .data = "mask"},
    {.definition = "additive_attention", .dims = "U=3", .bound = "4", .data = "mask"},
    {.definition = "rotary_positions", .dims = "A=2, E=4"},
    {.definition = "attention",
     .arguments = "heads = 3",
     .dims = "D=6",
     .bound = "6",
     .data = "mask"},
    {.definition = "cross_attention",
     .arguments = "heads = 3",
     .dims = "D=6, U=3",
     .bound = "4",
     .data = "mask"},
    {.definition = "transformer_block",
     .arguments = "heads = 3, hidden = 5",
     .dims = "D=6",
     .bound = "6"},
};

/* What losses only pass on to `reduced` and `reduced_by_label`, where it is tried. */
static const char *const passed_on[] = {"weight", "class_weight", "ignore", "summed", "each"};

/* Files with definitions of tensors; where elements of tensor formals are drawn from. */
static const struct {
  const char *name, *low, *high;
} differentiable_files[] = {
    {"library/activations.nn", "-7", "7"},      {"library/attention.nn", "-0.9", "0.9"},
    {"library/convolutions.nn", "-0.9", "0.9"}, {"library/images.nn", "-0.9", "0.9"},
    {"library/layers.nn", "-0.9", "0.9"},       {"library/losses.nn", "0.1", "0.9"},
    {"library/norms.nn", "-0.9", "0.9"},        {"library/pools.nn", "-0.9", "0.9"},
    {"library/recurrent.nn", "-0.9", "0.9"},
};

typedef struct LibraryRun {
  Arena *arena;
  LibraryCase visit;
  void *context;
  const Node *definition;
  const Particular *particular;
  const char *low, *high;
  LIST_OF(Name) dims; /* seen so far in this definition */
} LibraryRun;

static inline const Particular *particular_of(Name definition) {
  static const Particular none;
  for (size_t i = 0; i < sizeof particulars / sizeof *particulars; i++)
    if (strcmp(particulars[i].definition, definition) == 0) return &particulars[i];
  return &none;
}

/* ---- parts of a definition --------------------------------------------------------------------- */

/* Of a FORMAL or RESULT: the part of that kind, or null. */
static inline const Node *part_of(const Node *formal, NodeKind kind) {
  for (int i = 0; i < formal->count; i++)
    if (formal->parts[i] && formal->parts[i]->kind == kind) return formal->parts[i];
  return NULL;
}

static inline const Node *default_of(const Node *formal) {
  const Node *last = formal->parts[formal->count - 1];
  return last && last->kind != NODE_TYPE && last->kind != NODE_SUBS ? last : NULL;
}

static inline bool has_type(const Node *formal, const char *name) {
  const Node *type = part_of(formal, NODE_TYPE);
  return type && strcmp(type->name, name) == 0;
}

/* Formals that keep their default in every model of this definition. */
static inline bool is_left_out(const LibraryRun *run, const Node *formal) {
  const char *omitted = run->particular->omitted;
  if (!default_of(formal)) return false;
  if (omitted && strstr(omitted, formal->name)) return true;
  bool passes_on = strncmp(run->definition->name, "reduced", 7) != 0;
  for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
    if (passes_on && strcmp(passed_on[i], formal->name) == 0) return true;
  return false;
}

/* ---- sizes ------------------------------------------------------------------------------------- */

/* The size that must be, or 0. */
static inline long fixed_size(const char *dims, Name dim) {
  size_t length = strlen(dim);
  for (const char *at = dims; at; at = strchr(at, ' ')) {
    at += *at == ' ';
    if (strncmp(at, dim, length) == 0 && at[length] == '=')
      return strtol(at + length + 1, NULL, 10);
  }
  return 0;
}

/* The size of a dim: what must be, or one of a few odd numbers by its place. */
static inline long size_of_dim(LibraryRun *run, Name dim) {
  const long sizes[] = {3, 5, 7, 3, 5, 7, 3, 5};
  long fixed = fixed_size(run->particular->dims, dim);
  if (fixed) return fixed;
  int place = 0;
  while (place < run->dims.count && run->dims.items[place] != dim) place++;
  if (place == run->dims.count) APPEND(run->arena, &run->dims, dim);
  return sizes[place % 8];
}

static inline void write_dims(LibraryRun *run, Text *text, const Node *subs) {
  if (!subs) {
    text_add(text, "[5]"); /* a formal of a pointwise definition */
    return;
  }
  for (int i = 0; i < subs->count; i++) {
    const Node *dim = subs->parts[i];
    text_add(text, i ? ", " : "[");
    if (dim->kind == NODE_PACK)
      text_add(text, "3, 2");
    else if (dim->kind == NODE_NUMBER)
      text_add(text, "%s", dim->name);
    else
      text_add(text, "%ld", size_of_dim(run, dim->name));
  }
  if (subs->count) text_add(text, "]");
}

/* The number of classes that an index formal may name: the last dim of the first tensor. */
static inline const char *bound_of(LibraryRun *run) {
  if (run->particular->bound) return run->particular->bound;
  const Node *subs = part_of(run->definition->parts[0]->parts[0], NODE_SUBS);
  long size = size_of_dim(run, subs->parts[subs->count - 1]->name);
  return arena_format(run->arena, "%ld", size);
}

/* ---- the model --------------------------------------------------------------------------------- */

static inline bool is_named_data(const LibraryRun *run, const Node *formal) {
  return run->particular->data && strcmp(run->particular->data, formal->name) == 0;
}

static inline void write_declarations(LibraryRun *run, Text *text) {
  const Node *tensors = run->definition->parts[0];
  for (int i = 0; i < tensors->count; i++) {
    const Node *formal = tensors->parts[i];
    if (is_left_out(run, formal)) continue;
    bool is_index = has_type(formal, "index"), is_data = is_index || is_named_data(run, formal);
    text_add(text, is_data ? "  target %s" : "  param %s", formal->name);
    write_dims(run, text, part_of(formal, NODE_SUBS));
    if (is_index)
      text_add(text, " : index(%s)\n", bound_of(run));
    else if (is_data)
      text_add(text, "\n");
    else
      text_add(text, " ~ uniform(%s, %s)\n", run->low, run->high);
  }
}

/* `name(tensors, required hyper-parameters, changed)`. */
static inline void write_application(LibraryRun *run, Text *text, const char *changed) {
  const Node *tensors = run->definition->parts[0], *hypers = run->definition->parts[1];
  const char *comma = "";
  text_add(text, "%s(", run->definition->name);
  for (int i = 0; i < tensors->count; i++) {
    if (is_left_out(run, tensors->parts[i])) continue;
    text_add(text, "%s%s", comma, tensors->parts[i]->name);
    comma = ", ";
  }
  for (int i = 0; i < hypers->count; i++) {
    if (default_of(hypers->parts[i]) || has_type(hypers->parts[i], "fn")) continue;
    const char *required = run->particular->required ? run->particular->required : "3";
    text_add(text, "%s%s = %s", comma, hypers->parts[i]->name, required);
    comma = ", ";
  }
  if (run->particular->arguments) text_add(text, "%s%s", comma, run->particular->arguments);
  if (run->particular->arguments) comma = ", ";
  if (changed) text_add(text, "%s%s", comma, changed);
  text_add(text, ")\n");
}

/* Results that are scalars already are losses; of others each element counts differently, by a sine. */
static inline void write_loss(LibraryRun *run, Text *text, const char *changed) {
  const Node *results = run->definition->parts[2];
  int count = results ? results->count : 1;
  for (int i = 0; i < count; i++) {
    bool is_open = run->particular->is_open || (changed && strstr(changed, "each = true"));
    bool scalar = results && !part_of(results->parts[i], NODE_SUBS) && !is_open;
    text_add(text, scalar ? "  loss out%d\n" : "  loss sum(sin(3*out%d))\n", i + 1);
  }
}

static inline void visit_model(LibraryRun *run, const char *changed) {
  const Node *results = run->definition->parts[2];
  Text text;
  text_init(&text, run->arena);
  text_add(&text, "model m {\n");
  write_declarations(run, &text);
  text_add(&text, "  out1");
  for (int i = 1; results && i < results->count; i++) text_add(&text, ", out%d", i + 1);
  text_add(&text, " = ");
  write_application(run, &text, changed);
  write_loss(run, &text, changed);
  text_add(&text, "  train { optimizer sgd(0.1) }\n}\n");
  const char *name = run->definition->name;
  if (changed) name = arena_format(run->arena, "%s(%s)", name, changed);
  run->visit(run->context, name, text.bytes);
}

/* The hyper-parameter set to something else than its default; null: nothing to try. */
static inline const char *changed_argument(LibraryRun *run, const Node *formal) {
  const Node *value = default_of(formal);
  if (!value || is_left_out(run, formal)) return NULL;
  bool is_name = value->kind == NODE_IDENT;
  if (is_name && strcmp(value->name, "false") == 0)
    return arena_format(run->arena, "%s = true", formal->name);
  if (is_name && strcmp(value->name, "true") == 0)
    return arena_format(run->arena, "%s = false", formal->name);
  if (value->kind == NODE_NUMBER && value->number == 0 && !run->particular->variants)
    return arena_format(run->arena, "%s = 0.1", formal->name);
  return NULL;
}

/* A penalty has no tensors: it adds to the loss of a layer. */
static inline void visit_penalty(LibraryRun *run) {
  const char *name = run->definition->name;
  const char *text =
      arena_format(run->arena,
                   "model m {\n  input x[3, 5]\n  y = dense(x, 3)\n  loss sum(sin(y)) + %s(0.3)\n"
                   "  train { optimizer sgd(0.1) }\n}\n",
                   name);
  run->visit(run->context, name, text);
}

static inline void visit_variants(LibraryRun *run, const char *variants) {
  while (variants && *variants) {
    size_t length = strcspn(variants, ";");
    visit_model(run, arena_format(run->arena, "%.*s", (int)length, variants));
    variants += length;
    variants += strspn(variants, "; ");
  }
}

static inline void visit_definition(LibraryRun *run, const Node *definition) {
  run->definition = definition;
  run->particular = particular_of(definition->name);
  run->dims.count = 0;
  if (run->particular->skip) return;
  if (run->particular->is_penalty) {
    visit_penalty(run);
    return;
  }
  visit_model(run, NULL);
  const Node *hypers = definition->parts[1];
  for (int i = 0; i < hypers->count; i++) {
    const char *changed = changed_argument(run, hypers->parts[i]);
    if (changed) visit_model(run, changed);
  }
  visit_variants(run, run->particular->variants);
}

static inline void visit_file(LibraryRun *run, const LibraryFile *file) {
  FrontEnd front;
  front_end_init(&front, run->arena);
  const SourceFile *source = source_add(&front.sources, file->name, file->text, file->size);
  const Tree *tree = tree_parse(run->arena, front.names, &front.sources, front.diagnostics, source);
  for (int i = 0; i < tree->root->count; i++)
    if (tree->root->parts[i]->kind == NODE_DEF) visit_definition(run, tree->root->parts[i]);
}

static inline void library_cases(LibraryCase visit, void *context) {
  LibraryRun run = {.arena = arena_new(), .visit = visit, .context = context};
  for (int i = 0; i < library_file_count; i++) {
    for (size_t k = 0; k < sizeof differentiable_files / sizeof *differentiable_files; k++) {
      if (strcmp(library_files[i].name, differentiable_files[k].name) != 0) continue;
      run.low = differentiable_files[k].low;
      run.high = differentiable_files[k].high;
      visit_file(&run, &library_files[i]);
    }
  }
  arena_free(run.arena);
}

#endif
