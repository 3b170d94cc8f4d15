/* The command line. */
#ifndef NNC_COMMAND_OPTIONS_H
#define NNC_COMMAND_OPTIONS_H

#include "elaborate/elaborate.h"
#include "loops/target.h"

typedef enum { COMMAND_COMPILE, COMMAND_CHECK, COMMAND_SHOW, COMMAND_FORMAT } Command;

typedef enum {
#define PASS(name, ...) PASS_##name,
#include "passes.def"
#undef PASS
  PASS_COUNT
} Pass;

/* What `show` prints in place of its tables. */
typedef enum { EXPLAIN_NOTHING, EXPLAIN_MEMORY, EXPLAIN_FUSION } Explanation;

typedef struct Options {
  Command command;
  const char *input;  /* "-": standard input */
  const char *output; /* null: none */
  ElaborateOptions elaborate;
  bool dumps[PASS_COUNT];
  bool dumps_any;
  bool skips[PASS_COUNT]; /* of optional passes only */
  Pass stop_after;        /* PASS_emit by default */
  bool emit_train, emit_infer, emit_gradients;
  int64_t real_bytes;
  const Target *target;
  int64_t memory_limit;
  int64_t ram; /* bytes that each model may take; 0: any number */
  Explanation explanation;
  bool standalone, gradients, time, json, warnings;
  bool depend;
  const char *depend_file;
} Options;

/* Reads the command line; prints a message and exits with EXIT_USAGE when it is wrong, and with 0 after
   --help, --version and --explain. */
Options options_read(Arena *arena, int count, char **arguments);

const char *pass_name(Pass pass);

#endif
