/* Arena, text and names: memory that grows, and tables that keep what they are given. */
#include "support/files.h"
#include "support/names.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(arena, gives_zeroed_aligned_blocks_of_any_size) {
  Arena *arena = arena_new();
  for (size_t size = 1; size < 300000; size = size * 3 + 1) {
    char *bytes = arena_alloc(arena, 1, size);
    cr_assert_eq((uintptr_t)bytes % _Alignof(max_align_t), 0);
    for (size_t i = 0; i < size; i++) cr_assert_eq(bytes[i], 0);
    memset(bytes, 0x5A, size);
  }
  arena_free(arena);
}

Test(arena, counts_the_bytes_it_has_given) {
  Arena *arena = arena_new();
  arena_alloc(arena, 3, 5);
  arena_copy(arena, "abc", 4);
  cr_assert_eq(arena_used(arena), 19);
  arena_free(arena);
}

Test(arena, frees_nothing_when_there_is_nothing) {
  arena_free(NULL);
  arena_free(arena_new());
}

Test(arena, ends_with_status_3_when_the_size_overflows, .exit_code = 3) {
  arena_alloc(arena_new(), SIZE_MAX / 2, 3);
}

Test(arena, ends_with_status_3_when_memory_runs_out, .exit_code = 3) {
  arena_alloc(arena_new(), SIZE_MAX / 8, 1);
}

Test(arena, formats) {
  Arena *arena = arena_new();
  cr_assert_str_eq(arena_format(arena, "%s %d", "nine", 9), "nine 9");
  cr_assert_str_eq(arena_format(arena, "%s", ""), "");
  arena_free(arena);
}

Test(arena, lists_keep_their_items_while_they_grow) {
  Arena *arena = arena_new();
  LIST_OF(int) list = {0};
  for (int i = 0; i < 1000; i++) APPEND(arena, &list, i * i);
  cr_assert_eq(list.count, 1000);
  for (int i = 0; i < 1000; i++) cr_assert_eq(list.items[i], i * i);
  arena_free(arena);
}

Test(text, grows_and_ends_with_nul) {
  Arena *arena = arena_new();
  Text text;
  text_init(&text, arena);
  for (int i = 0; i < 100; i++) text_add(&text, "%d,", i);
  text_add_bytes(&text, "end", 3);
  cr_assert_eq(text.size, 10 * 2 + 90 * 3 + 3);
  cr_assert_eq(strlen(text.bytes), text.size);
  cr_assert_str_eq(text.bytes + text.size - 6, "99,end");
  arena_free(arena);
}

Test(text, may_stay_empty) {
  Arena *arena = arena_new();
  Text text;
  text_init(&text, arena);
  text_add_bytes(&text, "", 0);
  cr_assert_str_eq(text.bytes, "");
  arena_free(arena);
}

Test(names, are_equal_exactly_when_their_pointers_are) {
  Arena *arena = arena_new();
  Names *names = names_new(arena);
  Name first[500];
  for (int i = 0; i < 500; i++) first[i] = name_format(names, "name%d", i);
  for (int i = 0; i < 500; i++) {
    char text[16];
    int length = snprintf(text, sizeof text, "name%d", i);
    cr_assert_eq(name_of(names, text), first[i]);
    cr_assert_eq(name_of_bytes(names, text, (size_t)length), first[i]);
    cr_assert_str_eq(first[i], text);
    for (int k = 0; k < i; k++) cr_assert_neq(first[i], first[k]);
  }
  arena_free(arena);
}

Test(names, may_be_a_part_of_a_longer_text) {
  Arena *arena = arena_new();
  Names *names = names_new(arena);
  cr_assert_eq(name_of_bytes(names, "abcdef", 3), name_of(names, "abc"));
  cr_assert_eq(name_of_bytes(names, "", 0), name_of(names, ""));
  arena_free(arena);
}

Test(map, keeps_values_and_the_order_of_insertion) {
  Arena *arena = arena_new();
  static int keys[1000];
  Map map;
  map_init(&map, arena);
  cr_assert_null(map_get(&map, &keys[0]));
  cr_assert_not(map_has(&map, &keys[0]));
  for (int i = 0; i < 1000; i++) map_put(&map, &keys[i], &keys[999 - i]);
  cr_assert_eq(map.count, 1000);
  for (int i = 0; i < 1000; i++) {
    cr_assert_eq(map.keys[i], &keys[i]);
    cr_assert_eq(map.values[i], &keys[999 - i]);
    cr_assert_eq(map_get(&map, &keys[i]), &keys[999 - i]);
  }
  arena_free(arena);
}

Test(map, replaces_and_tells_null_from_absent) {
  Arena *arena = arena_new();
  int key, other;
  Map map;
  map_init(&map, arena);
  map_put(&map, &key, &other);
  map_put(&map, &key, NULL);
  cr_assert_eq(map.count, 1);
  cr_assert_null(map_get(&map, &key));
  cr_assert(map_has(&map, &key));
  cr_assert_not(map_has(&map, &other));
  arena_free(arena);
}
