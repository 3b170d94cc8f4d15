/* Arena: blocks of memory in a chain, handed out front to back and freed together.

   Under AddressSanitizer the unused part of a block is poisoned and a gap is left between two
   objects, so that an overrun is found as it would be with malloc. The hostile build
   (-DNNC_HOSTILE) gives every object a block of its own and lets the allocation number
   NNC_FAIL_ALLOCATION (from 1) fail. */
#include "support/arena.h"
#include "support/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER 1
#endif

#ifdef HAS_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
enum { GAP = 0 };
#endif

#ifdef NNC_HOSTILE
enum { FIRST_BLOCK_SIZE = 1, BLOCK_SIZE = 1, FIRST_CAPACITY = 1 };
#else
enum { FIRST_BLOCK_SIZE = 4 << 10, BLOCK_SIZE = 64 << 10, FIRST_CAPACITY = 4 };
#endif

enum { ALIGNMENT = 16 };

typedef struct Block {
  struct Block *previous;
  size_t size, filled; /* of bytes[] */
  _Alignas(ALIGNMENT) char bytes[];
} Block;

struct Arena {
  Block *last;
  size_t used;
};

static _Noreturn void fail_for_memory(void) {
  fputs("nnc: out of memory\n", stderr);
  exit(EXIT_MEMORY);
}

#ifdef NNC_HOSTILE
static bool allocation_must_fail(void) {
  static long countdown = -1;
  if (countdown < 0) {
    const char *number = getenv("NNC_FAIL_ALLOCATION");
    countdown = number ? strtol(number, NULL, 10) : 0;
  }
  return countdown > 0 && --countdown == 0;
}
#else
static bool allocation_must_fail(void) {
  return false;
}
#endif

static void *allocate_or_exit(size_t size) {
  void *memory = allocation_must_fail() ? NULL : malloc(size);
  if (!memory) fail_for_memory();
  return memory;
}

Arena *arena_new(void) {
  Arena *arena = allocate_or_exit(sizeof(Arena));
  *arena = (Arena){0};
  return arena;
}

void arena_free(Arena *arena) {
  if (!arena) return;
  for (Block *block = arena->last; block;) {
    Block *previous = block->previous;
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
    free(block);
    block = previous;
  }
  free(arena);
}

static Block *add_block(Arena *arena, size_t needed) {
  size_t least = arena->last ? BLOCK_SIZE : FIRST_BLOCK_SIZE; /* scratch arenas mostly stay small */
  size_t size = needed > least ? needed : least;
  Block *block = allocate_or_exit(sizeof(Block) + size);
  *block = (Block){.previous = arena->last, .size = size};
  arena->last = block;
  ASAN_POISON_MEMORY_REGION(block->bytes, size);
  return block;
}

void *arena_alloc(Arena *arena, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 4) fail_for_memory();
  size_t reserved = (bytes + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  Block *block = arena->last;
  if (!block || block->size - block->filled < reserved) block = add_block(arena, reserved);
  char *result = block->bytes + block->filled;
  block->filled += reserved;
  arena->used += bytes;
  ASAN_UNPOISON_MEMORY_REGION(result, bytes);
  return memset(result, 0, bytes);
}

void *arena_copy(Arena *arena, const void *bytes, size_t size) {
  void *copy = arena_alloc(arena, 1, size);
  if (size > 0) memcpy(copy, bytes, size);
  return copy;
}

char *arena_format_list(Arena *arena, const char *text, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, text, again);
  va_end(again);
  if (length < 0) bug("a text could not be formatted");
  size_t size = (size_t)length + 1;
  char *result = arena_alloc(arena, 1, size);
  vsnprintf(result, size, text, arguments);
  return result;
}

char *arena_format(Arena *arena, const char *text, ...) {
  va_list arguments;
  va_start(arguments, text);
  char *result = arena_format_list(arena, text, arguments);
  va_end(arguments);
  return result;
}

size_t arena_used(const Arena *arena) {
  return arena->used;
}

void *arena_grow(Arena *arena, void *items, int *capacity, size_t size) {
  if (*capacity > INT32_MAX / 2) fail_for_memory();
  int grown = *capacity > 0 ? 2 * *capacity : FIRST_CAPACITY;
  void *moved = arena_alloc(arena, (size_t)grown, size);
  if (*capacity > 0) memcpy(moved, items, (size_t)*capacity * size);
  *capacity = grown;
  return moved;
}
