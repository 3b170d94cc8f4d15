/* Elaboration of a file: its definitions, then each model twice, for training and for inference. */
#include "elaborate/elaborate.h"

#include "elaborate/checks.h"
#include "elaborate/library.h"
#include "elaborate/statements.h"

/* Parameters declared after a total(..) was computed would be missing from it. */
static void check_total(const Frame *frame) {
  const Elaborator *e = frame->e;
  const TensorList *tensors = &e->model->tensors;
  for (int i = e->total_count; i >= 0 && i < tensors->count; i++) {
    if (tensors->items[i]->role != ROLE_PARAM) continue;
    Diagnostic *d =
        report(frame, NN0308, e->total_span,
               "this total comes before the parameter '%s' is declared", tensors->items[i]->name);
    diagnostic_help(d, "move it into a loss line, or behind the last parameter");
    return;
  }
}

/* The model with `training` 1 or 0 into its program; the result is its frame. */
static Frame *elaborate_program(Elaborator *e, const Node *node, bool training) {
  e->training = training;
  e->program = training ? &e->model->train : &e->model->eval;
  e->hoisted_in = NULL;
  e->instance_count = 0;
  e->evaluations = 0;
  e->total_count = -1;
  e->loss_terms.count = 0;
  map_init(&e->updated, e->arena);
  map_init(&e->results, e->arena);
  map_init(&e->custom, e->arena);
  Frame *frame = frame_new(e, NULL, NULL);
  collect_statements(frame, node->parts[0], NULL);
  run_statements(frame);
  finish_loss(frame);
  check_total(frame);
  return frame;
}

static Model *elaborate_model(Elaborator *e, const Node *node) {
  int errors = diagnostics_error_count(e->diagnostics);
  e->model = model_new(e->arena, e->names, e->diagnostics, node->name);
  e->model->span = node->span;
  map_init(&e->declared, e->arena);
  map_init(&e->constants, e->arena);
  map_init(&e->dims, e->arena);
  map_init(&e->checked, e->arena);
  Frame *training = elaborate_program(e, node, true);
  Frame *inference = elaborate_program(e, node, false);
  if (diagnostics_error_count(e->diagnostics) == errors) check_outputs(inference);
  e->training = true;
  e->program = &e->model->train;
  e->hoisted_in = NULL;
  elaborate_train(training, node->parts[0]);
  if (diagnostics_error_count(e->diagnostics) > errors) return NULL;
  settle_empty(e->model);
  return e->model;
}

static bool is_wanted(const Elaborator *e, const Node *node) {
  if (node->kind != NODE_MODEL) return false;
  return !e->options->model_name || is_named(node->name, e->options->model_name);
}

static bool is_new(Elaborator *e, const Node *file, int position) {
  const Node *node = file->parts[position];
  for (int i = 0; i < position; i++) {
    if (file->parts[i]->kind != NODE_MODEL || file->parts[i]->name != node->name) continue;
    Diagnostic *d =
        diagnose(e->diagnostics, NN0202, node->span, "model '%s' is defined twice", node->name);
    diagnostic_note(d, file->parts[i]->span, "the first time");
    return false;
  }
  return true;
}

static void reject_file(Elaborator *e, const Node *file) {
  Span end = {file->span.end > 0 ? file->span.end - 1 : 0, file->span.end};
  if (e->options->model_name) {
    diagnose(e->diagnostics, NN0401, end, "the file has no model '%s'", e->options->model_name);
  } else if (!e->options->allows_no_model) {
    Diagnostic *d = diagnose(e->diagnostics, NN0401, end, "the file has no model");
    diagnostic_help(d, "write 'model NAME { .. }'");
  }
}

static void warn_of_unused(const Elaborator *e) {
  for (int i = 0; i < e->definitions.count; i++) {
    const Definition *definition = e->definitions.values[i];
    if (definition->in_library || definition->is_used) continue;
    diagnose(e->diagnostics, NN0952, definition->node->span, "'%s' is not used by any model",
             definition->name);
  }
}

ModelList elaborate(Arena *arena, Names *names, Sources *sources, Diagnostics *diagnostics,
                    const Tree *tree, ElaborateOptions *options, PathList *imports) {
  Elaborator e = {.arena = arena,
                  .names = names,
                  .sources = sources,
                  .diagnostics = diagnostics,
                  .options = options,
                  .imports = imports};
  ModelList models = {0};
  bool any = false;
  map_init(&e.definitions, arena);
  map_init(&e.library, arena);
  if (!load_definitions(&e, tree)) return models;
  for (int i = 0; i < tree->root->count; i++) {
    const Node *node = tree->root->parts[i];
    if (!is_wanted(&e, node)) continue;
    any = true;
    Model *model = is_new(&e, tree->root, i) ? elaborate_model(&e, node) : NULL;
    if (model) APPEND(arena, &models, model);
  }
  warn_of_unused(&e);
  if (!any && diagnostics_error_count(diagnostics) == 0) reject_file(&e, tree->root);
  return models;
}
