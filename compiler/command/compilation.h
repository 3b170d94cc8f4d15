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
  int pressure;    /* its level, for --ram */
  int64_t least;   /* bytes that the models took under one so far */
  EmitUnit *units; /* one for each model, once the routine passes have begun */
  Text header, source;
  bool file_failed; /* NN0901 or NN0902 was reported */
} Compilation;

/* Reads the input; false after NN0901 when it cannot be read. */
bool compilation_open(Compilation *compilation, Arena *arena, const Options *options);

/* Runs the passes in order up to `last`, printing what --dump and --time ask for. False as soon as a pass
   reported an error. */
bool compilation_run(Compilation *compilation, Pass last);

/* Writes the generated files and the rule for make. */
void compilation_write(Compilation *compilation);

/* Writes all of these files or none; NN0902 when one cannot be written. */
void compilation_put(Compilation *compilation, const OutputFile *files, int count);

/* Prints the diagnostics as the options say; the exit status they amount to. */
int compilation_report(const Compilation *compilation);

#endif
