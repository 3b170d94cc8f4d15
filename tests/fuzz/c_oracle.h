/* What generated C may consist of, whatever the source said.

   Outside comments and strings: the printable characters of C, and identifiers that are a word generated C
   needs, a name of the runtime, or one made from the source, which then is neither a keyword nor a
   name of the language's implementation. Comments and strings end where they should: nothing in them
   closes them early, splices lines or spells a trigraph. */
#ifndef NNC_TESTS_C_ORACLE_H
#define NNC_TESTS_C_ORACLE_H

#include <stddef.h>

/* Null, or what is wrong; `*where` gets the byte it begins at. */
const char *find_c_fault(const char *text, size_t size, size_t *where);

#endif
