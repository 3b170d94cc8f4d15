/* Changes to programs that mostly leave them programs, the same for the same seed on every machine.

   Where mutator.h damages text, this exchanges what has the same place in the grammar: a name for another
   of the file, a number for an extreme one, an operator, a function or a reduction for its kin, one
   subscript list for another; it repeats, moves and drops statements, wraps operands and deepens. Such
   mutants get past the parser and try what stands behind it. */
#ifndef NNC_TESTS_TOKEN_MUTATOR_H
#define NNC_TESTS_TOKEN_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* Like mutate(); `other` is a second program that statements are borrowed from. */
size_t mutate_tokens(uint64_t seed, const char *source, size_t size, const char *other,
                     size_t other_size, char *out, size_t capacity);

#endif
