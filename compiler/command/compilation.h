/* A compilation: what the passes work on, from source text to the texts of the generated files. */
#ifndef NNC_COMMAND_COMPILATION_H
#define NNC_COMMAND_COMPILATION_H

#include "command/options.h"
#include "emit/emit.h"

typedef struct Compilation {
  Arena *arena;
  const Options *options;
  Names *names;
  Sources sources;
  Diagnostics *diagnostics;
  Tree *tree;
  PathList imports;
  ModelList models;
  EmitUnit *units; /* one for each model, once the routine passes have begun */
  Text header, source;
} Compilation;

/* Reads the input; prints why not and exits with EXIT_USAGE when it cannot be read. */
void compilation_open(Compilation *compilation, Arena *arena, const Options *options);

/* Runs the passes in order up to `last`, printing what --dump and --time ask for. False as soon as a pass
   reported an error. */
bool compilation_run(Compilation *compilation, Pass last);

/* Prints the diagnostics as the options say; the exit status they amount to. */
int compilation_report(const Compilation *compilation);

/* Writes the generated files and the rule for make; EXIT_USAGE after a message when that fails. */
int compilation_write(const Compilation *compilation);

#endif
