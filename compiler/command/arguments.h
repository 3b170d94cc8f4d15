/* Argument files: a word @FILE on the command line stands for the words in FILE. */
#ifndef NNC_COMMAND_ARGUMENTS_H
#define NNC_COMMAND_ARGUMENTS_H

#include "support/arena.h"

/* Replaces every @FILE among the arguments by the words of that file, which white space separates and which
   name no further files. Null, or why `*failed` cannot be read. */
const char *arguments_expand(Arena *arena, int *count, char ***arguments, const char **failed);

#endif
