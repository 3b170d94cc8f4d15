/* What generated C takes of the C library, for compilers that come without one. */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);
int strcmp(const char *left, const char *right);
