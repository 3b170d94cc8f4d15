/* Damage to source texts, the same for the same seed on every machine.

   A mutant is a few random edits away from its source: bytes flipped, inserted or removed, tokens
   removed, doubled, swapped or put in, parts copied elsewhere, the end cut off. Most mutants are still
   mostly a program, which is what finds errors behind the first check. */
#ifndef NNC_TESTS_MUTATOR_H
#define NNC_TESTS_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* Writes a mutant of `source` to `out` and returns its size, at most `capacity`. The mutant contains no
   NUL byte unless the source does and is not terminated. */
size_t mutate(uint64_t seed, const char *source, size_t size, char *out, size_t capacity);

#endif
