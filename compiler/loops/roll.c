/* Rolling: runs of nests that repeat with a period, as the layers of a deep model do, forwards and
   backwards, become loops over the copies.

   Nests get a number that says all but which tensors they touch. For each period up to a limit, stretches in
   which every number is that of one period later are found by one scan; of those that overlap, the one
   that saves most calls is taken first, and the others get what is left. */
#include "loops/loop.h"

#include <stdlib.h>

enum {
  LONGEST_PERIOD = 1024, /* nests of one copy */
  FEWEST_COPIES = 3,     /* two are clearer written out */
  FEWEST_SAVED = 4       /* calls */
};

typedef struct Stretch {
  int begin, end, period;
} Stretch;

typedef struct Roller {
  Routine *routine;
  Arena *scratch;
  int *keys;
  bool *taken;
  LIST_OF(Stretch) found;
} Roller;

/* ---- what may stand for what ---- */

static const Tensor *memory_of_nest_tensor(const Routine *routine, const Tensor *tensor) {
  const Buffer *buffer = map_get(&routine->buffers, tensor);
  return buffer && buffer->shares ? buffer->shares : tensor;
}

/* The caller's arrays have no place that could be counted up: only the same one will do. */
static void add_place(const Roller *roller, const Tensor *tensor, Text *key) {
  const Tensor *memory = memory_of_nest_tensor(roller->routine, tensor);
  const Buffer *buffer = map_get(&roller->routine->buffers, memory);
  PlaceKind place = buffer ? buffer->place : PLACE_MODEL;
  text_add(key, " %d", (int)place);
  if (place == PLACE_ARGUMENT) text_add(key, ":%d", memory->id);
}

static void number_nests(Roller *roller) {
  const NestList *nests = &roller->routine->nests;
  Names *names = names_new(roller->scratch);
  Map numbers;
  map_init(&numbers, roller->scratch);
  for (int i = 0; i < nests->count; i++) {
    const Nest *nest = nests->items[i];
    Text key;
    text_init(&key, roller->scratch);
    text_add(&key, "%s", nest->family->members.items[0]->name);
    for (int k = 0; k < nest->tensors.count; k++) add_place(roller, nest->tensors.items[k], &key);
    int *number = map_get(&numbers, name_of(names, key.bytes));
    if (!number) {
      number = NEW(roller->scratch, int);
      *number = numbers.count;
      map_put(&numbers, name_of(names, key.bytes), number);
    }
    roller->keys[i] = *number;
  }
}

/* ---- stretches ---- */

static int saved_by(const Stretch *stretch) {
  return ((stretch->end - stretch->begin) / stretch->period - 1) * stretch->period;
}

static bool is_worth_a_loop(const Stretch *stretch) {
  return stretch->end - stretch->begin >= FEWEST_COPIES * stretch->period &&
         saved_by(stretch) >= FEWEST_SAVED;
}

static void find_stretches(Roller *roller, int begin, int end, int period) {
  const int *keys = roller->keys;
  int start = begin;
  for (int i = begin; i <= end - period; i++) {
    if (i < end - period && keys[i] == keys[i + period]) continue;
    Stretch stretch = {start, i + period, period};
    if (is_worth_a_loop(&stretch)) APPEND(roller->scratch, &roller->found, stretch);
    start = i + 1;
  }
}

static void find_in_stage(Roller *roller, int begin, int end) {
  for (int period = 1; period <= LONGEST_PERIOD && FEWEST_COPIES * period <= end - begin; period++)
    find_stretches(roller, begin, end, period);
}

static int compare_stretches(const void *a, const void *b) {
  const Stretch *x = a, *y = b;
  int more = saved_by(y) - saved_by(x);
  if (more != 0) return more;
  return x->period != y->period ? x->period - y->period : x->begin - y->begin;
}

/* The longest part that no repetition has taken. */
static Stretch free_part(const Roller *roller, const Stretch *stretch) {
  Stretch best = {stretch->begin, stretch->begin, stretch->period};
  int start = stretch->begin;
  for (int i = stretch->begin; i <= stretch->end; i++) {
    if (i < stretch->end && !roller->taken[i]) continue;
    if (i - start > best.end - best.begin) best = (Stretch){start, i, stretch->period};
    start = i + 1;
  }
  return best;
}

/* Each call of a loop waits when that of one copy does. */
static void share_meetings(const Routine *routine, const Repetition *repetition) {
  for (int i = 0; i < repetition->period; i++) {
    unsigned marks = 0;
    Nest **nests = routine->nests.items + repetition->begin + i;
    int end = repetition->copies * repetition->period;
    for (int at = 0; at < end; at += repetition->period) marks |= nests[at]->marks;
    for (int at = 0; at < end; at += repetition->period) nests[at]->marks = marks;
  }
}

static void take_stretch(Roller *roller, const Stretch *found) {
  Stretch stretch = free_part(roller, found);
  if (!is_worth_a_loop(&stretch)) return;
  int copies = (stretch.end - stretch.begin) / stretch.period;
  Repetition repetition = {stretch.begin, stretch.period, copies};
  for (int i = 0; i < copies * stretch.period; i++) roller->taken[stretch.begin + i] = true;
  APPEND(roller->routine->model->arena, &roller->routine->repetitions, repetition);
  share_meetings(roller->routine, &repetition);
}

static int compare_repetitions(const void *a, const void *b) {
  const Repetition *x = a, *y = b;
  return x->begin - y->begin;
}

void routine_roll(Routine *routine) {
  int count = routine->nests.count, commit = routine->nests_before_commit;
  int updates = routine_updates_begin(routine);
  Roller roller = {.routine = routine, .scratch = arena_new()};
  roller.keys = NEW_ARRAY(roller.scratch, int, count + 1);
  roller.taken = NEW_ARRAY(roller.scratch, bool, count + 1);
  number_nests(&roller);
  find_in_stage(&roller, 0, commit);
  find_in_stage(&roller, commit, updates);
  find_in_stage(&roller, updates, count);
  if (roller.found.count > 1) {
    qsort(roller.found.items, (size_t)roller.found.count, sizeof *roller.found.items,
          compare_stretches);
  }
  for (int i = 0; i < roller.found.count; i++) take_stretch(&roller, &roller.found.items[i]);
  if (routine->repetitions.count > 1) {
    qsort(routine->repetitions.items, (size_t)routine->repetitions.count,
          sizeof *routine->repetitions.items, compare_repetitions);
  }
  arena_free(roller.scratch);
}
