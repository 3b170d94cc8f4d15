/* Arena: all memory of one compilation.

   Everything the compiler builds lives until the compilation ends, so nothing is freed piecemeal: an
   arena hands out zeroed blocks and releases them all at once. A pass that needs scratch space makes an
   arena of its own and frees it at its end. When the system has no more memory the program says so and
   exits with status 3 (EXIT_MEMORY); callers never see a null pointer. */
#ifndef NNC_SUPPORT_ARENA_H
#define NNC_SUPPORT_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena);

/* Zeroed memory for `count` objects of `size` bytes, aligned for any type; the product is checked. */
void *arena_alloc(Arena *arena, size_t count, size_t size);

/* A copy of `size` bytes. */
void *arena_copy(Arena *arena, const void *bytes, size_t size);

/* printf into the arena; the result is never null. */
char *arena_format(Arena *arena, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* The same from a list of arguments. */
char *arena_format_list(Arena *arena, const char *text, va_list arguments)
    __attribute__((format(printf, 2, 0), nonnull(2)));

/* Bytes handed out so far: the figure behind --time and the memory limit of a compilation. */
size_t arena_used(const Arena *arena);

/* Typed allocation: `Node *node = NEW(arena, Node);` and `Expr **list = NEW_ARRAY(arena, Expr *, n);` */
#define NEW(arena, Type) ((Type *)arena_alloc((arena), 1, sizeof(Type)))
#define NEW_ARRAY(arena, Type, count) ((Type *)arena_alloc((arena), (size_t)(count), sizeof(Type)))

/* Growable arrays: any struct with members `Type *items; int count, capacity;`.
   `APPEND(arena, list, value)` grows by doubling; earlier addresses of items become stale. */
#define LIST_OF(Type)                                                                              \
  struct {                                                                                         \
    Type *items;                                                                                   \
    int count, capacity;                                                                           \
  }
#define APPEND(arena, list, ...)                                                                   \
  ((list)->count == (list)->capacity                                                               \
       ? (void)((list)->items =                                                                    \
                    arena_grow((arena), (list)->items, &(list)->capacity, sizeof *(list)->items))  \
       : (void)0,                                                                                  \
   (void)((list)->items[(list)->count++] = (__VA_ARGS__)))

/* The copy behind APPEND: doubles `*capacity` (at least 4) and moves the items. */
void *arena_grow(Arena *arena, void *items, int *capacity, size_t size);

#endif
