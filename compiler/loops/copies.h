/* Copies: a layer applied several times leaves the same equations several times, which become one C function
   as long as what belongs to one copy is not mixed with what belongs to another. */
#ifndef NNC_LOOPS_COPIES_H
#define NNC_LOOPS_COPIES_H

#include "equations/equation.h"

/* Whether these are in different copies of a layer: what one call made when it was applied more than once,
   or applications of one definition that applies others. */
bool are_in_copies(const Instance *inner, const Instance *other);

#endif
