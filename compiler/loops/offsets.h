/* Offsets: where the buffers of a routine lie in its arena.

   Two that are alive in one nest may not overlap; the arena should be little longer than the greatest sum of
   what is alive at once, which no plan can undercut. To find the shortest is NP-hard. So buffers are laid
   down one after the other, each in the smallest gap that takes it between those laid down before and alive
   at the same time, in several orders; the best one counts. */
#ifndef NNC_LOOPS_OFFSETS_H
#define NNC_LOOPS_OFFSETS_H

#include "loops/loop.h"

typedef LIST_OF(Buffer *) BufferList;

/* Sets the offset of each from its bytes and lifetime, and of the routine what the arena takes and the bound. */
void offsets_assign(Routine *routine, const BufferList *buffers);

#endif
