/* What the test tools share: from a source file to a model whose gradients are defined. */
#ifndef NNC_TESTS_FRONT_END_H
#define NNC_TESTS_FRONT_END_H

#include "calculus/calculus.h"
#include "elaborate/elaborate.h"
#include "equations/interpreter.h"

#include <stdlib.h>
#include <string.h>

typedef struct FrontEnd {
  Arena *arena;
  Names *names;
  Sources sources;
  Diagnostics *diagnostics;
} FrontEnd;

static inline void front_end_init(FrontEnd *front, Arena *arena) {
  front->arena = arena;
  front->names = names_new(arena);
  sources_init(&front->sources, arena);
  front->diagnostics = diagnostics_new(arena, &front->sources);
}

/* How far a model goes: passes.def up to there. */
typedef enum { PASSES_ELABORATE, PASSES_DERIVE, PASSES_DEMAND } FrontEndPasses;

static inline void share_all(Model *model) {
  share(model, &model->init);
  share(model, &model->train);
  share(model, &model->eval);
}

static inline void run_passes(Model *model, FrontEndPasses passes) {
  if (passes == PASSES_DERIVE) derive(model);
  if (passes != PASSES_DEMAND) return;
  share_all(model);
  simplify(model, &model->train, SIMPLIFY_STABILISE);
  simplify(model, &model->eval, SIMPLIFY_STABILISE);
  derive(model);
  simplify(model, &model->init, SIMPLIFY_ALGEBRA);
  simplify(model, &model->train, SIMPLIFY_ALGEBRA);
  simplify(model, &model->eval, SIMPLIFY_ALGEBRA);
  share_all(model);
  Program *programs[] = {&model->train, &model->eval};
  for (int i = 0; i < 2; i++) {
    hoist(model, programs[i]);
    reuse(model, programs[i]);
    contract(model, programs[i]);
    unpad(model, programs[i]);
    demand(model, programs[i]);
  }
}

/* The first model of the text after these passes (PASSES_DERIVE: plain derivatives of what was written);
   null after an error. */
static inline Model *front_end_model(FrontEnd *front, const char *path, const char *text,
                                     ElaborateOptions *options, FrontEndPasses passes) {
  const SourceFile *file = source_add(&front->sources, path, text, (uint32_t)strlen(text));
  Tree *tree = tree_parse(front->arena, front->names, &front->sources, front->diagnostics, file);
  if (diagnostics_error_count(front->diagnostics) > 0) return NULL;
  ModelList models = elaborate(front->arena, front->names, &front->sources, front->diagnostics,
                               tree, options, NULL);
  if (models.count == 0 || diagnostics_error_count(front->diagnostics) > 0) return NULL;
  run_passes(models.items[0], passes);
  return diagnostics_error_count(front->diagnostics) > 0 ? NULL : models.items[0];
}

/* "N=32" of -D. */
static inline bool front_end_override(FrontEnd *front, ElaborateOptions *options,
                                      const char *text) {
  const char *equals = strchr(text, '=');
  if (!equals) return false;
  DimOverride *all = NEW_ARRAY(front->arena, DimOverride, options->override_count + 1);
  for (int i = 0; i < options->override_count; i++) all[i] = options->overrides[i];
  all[options->override_count++] =
      (DimOverride){.name = name_of_bytes(front->names, text, (size_t)(equals - text)),
                    .value = strtoll(equals + 1, NULL, 10)};
  options->overrides = all;
  return true;
}

#endif
