/* `nnc --explain CODE`: the section of docs/errors.md about a diagnostic, which is built in. */
#ifndef NNC_COMMAND_EXPLAIN_H
#define NNC_COMMAND_EXPLAIN_H

#include <stdbool.h>

/* Prints to standard output; false, with a message on standard error, when there is no such code. */
bool explain_print(const char *code);

#endif
