/* Elaboration: from the syntax tree to equations.

   Every model of a file is expanded: imports and the library are looked up, definitions are applied
   (each application an instance with its own parameters and path), packs become dims, defaults become
   numbers, `training` is 0 or 1 and static `if`s are decided, scans become a hidden index, subscripts are
   proved in range, and nested reductions become equations of their own. What comes out is in normal form
   and needs nothing of the tree any more. The compiler knows no layer by name: the library is source. */
#ifndef NNC_ELABORATE_ELABORATE_H
#define NNC_ELABORATE_ELABORATE_H

#include "equations/equation.h"
#include "syntax/tree.h"

typedef struct
    DimOverride { /* -D N=32: replaces a dim of the model, fixed or bounded, by a fixed size */
  const char *name;
  int64_t value;
  bool used; /* set when a model had such a dim */
} DimOverride;

typedef struct ElaborateOptions {
  DimOverride *overrides;
  int override_count;
  const char *const *import_directories; /* -I, searched after the importing file's directory */
  int import_directory_count;
  const char *model_name; /* --model; null: all models of the file */
  bool allows_no_model;   /* a file of definitions alone is no error */
} ElaborateOptions;

typedef struct PathList {
  const char **items;
  int count, capacity;
} PathList;
typedef struct ModelList {
  Model **items;
  int count, capacity;
} ModelList;

/* Models of the file in source order. With errors (see diagnostics) the list may be shorter, and it is
   empty where an import does not parse; the file itself does. Parsed imports are added to `sources`;
   their paths to `imports` when it is not null (for -MD). */
ModelList elaborate(Arena *arena, Names *names, Sources *sources, Diagnostics *diagnostics,
                    const Tree *tree, ElaborateOptions *options, PathList *imports);

#endif
