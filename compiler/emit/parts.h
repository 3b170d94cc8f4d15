/* Parts: a function that would be too long becomes several.

   While a function is written it is noted where in its text each loop and branch stands. In the end, as long as the
   function is too long, the longest of them that fits a function and needs no local variable from outside but rows leaves
   for one of its own, and its call takes its place. So everything keeps its order, and only whole loops are called. A
   part takes, under the same names, what its text names: parameters of the function, variables of the loops around it,
   and rows declared there. */
#ifndef NNC_EMIT_PARTS_H
#define NNC_EMIT_PARTS_H

#include "emit/program.h"

/* The head of a function that takes the parameters noted so far. */
void write_signature(FunctionWriter *writer, Name function);

/* Around the text of a node, which may declare a name; opening one gives what was open before, which closing it
   takes. */
int open_stretch(FunctionWriter *writer, const LoopNode *node);
void name_stretch(FunctionWriter *writer, Name name);
void close_stretch(FunctionWriter *writer, int before);

/* The node declares an array for what an iteration writes and reads. */
bool declares_row(const Routine *routine, const LoopNode *node);

/* Writes the parts that have to leave behind the program's text; what stays in the writer's own is short. */
void write_parts_of(ProgramWriter *program, FunctionWriter *writer, Name function);

/* Of functions that compute the same only the first stays, as those of two entry points may, but what states a
   line of the model. The text of this one begins there; the result is the name of the one to call. */
Name share_function(ProgramWriter *program, size_t begin, Name function);

#endif
