/* Definitions: of the library built in, of the file, and of what it imports. */
#ifndef NNC_ELABORATE_LIBRARY_H
#define NNC_ELABORATE_LIBRARY_H

#include "elaborate/scope.h"

/* Fills e->definitions: the library first, then imports and the file, which hide it (NN0951). False when an
   import does not parse: then names are missing that no error should be reported for. */
bool load_definitions(Elaborator *e, const Tree *tree);

#endif
