/* Panels in memory: a tensor that is kept in panels has its elements at places that its last subscript says as

     W[i, s]   is   W[i*32 + s/32*panel + s%32],   with panel = rows*32

   Once every tensor has a place, subscripts are put so, s/32*panel + s%32, and are products with strides as all
   others: variables that count panels and columns (store.c) leave nothing to divide. */
#ifndef NNC_LOOPS_PANELS_H
#define NNC_LOOPS_PANELS_H

#include "loops/loop.h"

bool has_panels(const Tensor *tensor, const Panels *panels); /* more than one */
/* Numbers along a dim, within a panel or, of dim `rank`, of panels. */
int64_t panels_size(const Tensor *tensor, const Panels *panels, int dim);
/* Elements from one to the next along the dim. */
int64_t panels_stride(const Tensor *tensor, const Panels *panels, int dim);
/* Adds all sizes but that of a single panel, outermost first, each but the first behind `between`. */
void panels_print(const Tensor *tensor, const Panels *panels, const char *between, Text *text);

/* 0: not in several panels. */
int64_t panel_width(const Routine *routine, const Tensor *tensor);

void routine_enter_panels(Routine *routine);

#endif
