/* Search for sizes and index values at which a subscript leaves its range. */
#ifndef NNC_EQUATIONS_WITNESS_H
#define NNC_EQUATIONS_WITNESS_H

#include "equations/affine.h"

/* Fills `witness` when it finds one: corners of the ranges first, then a fixed sequence of samples.
   Conditions on real data are taken to hold, for some data make them. */
void witness_search(Arena *scratch, const Expr *e, const Extent *extent, const Facts *facts,
                    Witness *witness);

#endif
