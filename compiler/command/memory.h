/* `nnc show --explain memory`: what each entry point keeps in scratch, and for how long. */
#ifndef NNC_COMMAND_MEMORY_H
#define NNC_COMMAND_MEMORY_H

#include "emit/emit.h"

/* What is kept from call to call in panels, and one table for each entry point that has scratch: every value stored
   there with its shape as stored ("*": a dim that all uses share a loop over; "2 of T": only the last two steps), its
   bytes, the nests from the first to the last that uses it, and the line of its equation. Those that the forward part
   of a step leaves for the backward part are the tape. */
void memory_print(Arena *arena, const Sources *sources, const EmitUnit *unit);

/* show.c: "train_step". */
const char *routine_title(Arena *arena, const Routine *routine);

#endif
