/* Target descriptions: YAML, those of compiler/emit/targets/ built in, others by path. */
#ifndef NNC_COMMAND_TARGETS_H
#define NNC_COMMAND_TARGETS_H

#include "loops/target.h"
#include "support/arena.h"

/* The target called `name` ("native": what this machine is), or that of the file `name`, which has a slash or
   ends in .yaml; null: there is none, and `*error` says why and where. */
const Target *target_read(Arena *arena, const char *name, const char **error);

/* Those built in, a line each. */
void targets_print(void);

#endif
