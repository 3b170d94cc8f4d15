/* `nnc show --explain fusion`: which equations share loops, and why others do not. */
#ifndef NNC_COMMAND_FUSION_H
#define NNC_COMMAND_FUSION_H

#include "emit/emit.h"

/* Of each entry point its nests in order. Below the name of a nest stand the equations that it computes, each
   with the loops that it shares with those before it and what keeps it from sharing more, or from joining the nest
   of what it reads; then those that are computed where the nest reads them. */
void fusion_print(Arena *arena, const EmitUnit *unit);

#endif
