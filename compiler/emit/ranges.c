/* Ranges: lines that differ only in numbers which count up or down together are said once,
   "f.{0..9}.W[i]" for "f.0.W[i]" to "f.9.W[i]", "f.{0..9..3}.W[i]" for every third of them.

   Ranges of such lines, as those of layers within layers, have one more pair of braces: of
   "f.{{0..9}}.{0..2}.W" each line with a number of the outer range is one with ranges itself.

   A line is cut into its numbers and what stands between them. Lines of one pattern go on a range while
   every number in them moves on by the same step as before. */
#include "emit/writer.h"

#include <string.h>

enum { MOST_NUMBERS = 64, MOST_LEVELS = 4, MOST_DIGITS = 9, LONGEST_STEP = 99 };

typedef struct Pattern {
  const char *begins[MOST_NUMBERS]; /* of the numbers, in the line */
  int lengths[MOST_NUMBERS];
  int64_t values[MOST_NUMBERS];
  int count;
} Pattern;

typedef struct Range {
  const char *line; /* the first */
  Pattern first;
  int64_t steps[MOST_NUMBERS];
  int copies;
} Range;

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Numbers that begin with 0, and those of ranges, do not count. */
static Pattern pattern_of(const char *line) {
  Pattern pattern = {0};
  while (*line && pattern.count < MOST_NUMBERS) {
    if (*line == '{') line += strcspn(line, "}");
    if (!*line) break;
    int length = 0;
    int64_t value = 0;
    for (; is_digit(line[length]); length++) {
      if (length < MOST_DIGITS) value = 10 * value + (line[length] - '0');
    }
    bool counts = length > 0 && length <= MOST_DIGITS && (line[0] != '0' || length == 1);
    if (counts) {
      pattern.begins[pattern.count] = line;
      pattern.lengths[pattern.count] = length;
      pattern.values[pattern.count++] = value;
    }
    line += length > 0 ? length : 1;
  }
  return pattern;
}

/* The line with a mark for each number. */
static Name shape_of(Names *names, Arena *scratch, const char *line, const Pattern *pattern) {
  Text text;
  text_init(&text, scratch);
  for (int i = 0; i < pattern->count; i++) {
    text_add_bytes(&text, line, (size_t)(pattern->begins[i] - line));
    text_add(&text, "\1");
    line = pattern->begins[i] + pattern->lengths[i];
  }
  text_add(&text, "%s", line);
  return name_of(names, text.bytes);
}

static bool goes_on(Range *range, const Pattern *next) {
  bool moves = false;
  for (int i = 0; i < next->count; i++) {
    int64_t before = range->first.values[i] + range->steps[i] * (range->copies - 1);
    int64_t step = next->values[i] - before;
    if (range->copies > 1 && step != range->steps[i]) return false;
    if (step < -LONGEST_STEP || step > LONGEST_STEP) return false;
    moves |= step != 0;
  }
  if (!moves) return false;
  for (int i = 0; range->copies == 1 && i < next->count; i++) {
    range->steps[i] = next->values[i] - range->first.values[i];
  }
  range->copies++;
  return true;
}

static void add_braces(Text *text, char brace, int level) {
  for (int i = 0; i < level; i++) text_add(text, "%c", brace);
}

static const char *range_text(Arena *arena, const Range *range, int level) {
  if (range->copies == 1) return range->line;
  Text text;
  text_init(&text, arena);
  const char *at = range->line;
  for (int i = 0; i < range->first.count; i++) {
    int64_t first = range->first.values[i], step = range->steps[i];
    if (step == 0) continue;
    text_add_bytes(&text, at, (size_t)(range->first.begins[i] - at));
    add_braces(&text, '{', level);
    int64_t last = first + step * (range->copies - 1);
    text_add(&text, "%lld..%lld", (long long)first, (long long)last);
    if (step != 1 && step != -1) text_add(&text, "..%lld", (long long)(step < 0 ? -step : step));
    add_braces(&text, '}', level);
    at = range->first.begins[i] + range->first.lengths[i];
  }
  text_add(&text, "%s", at);
  return text.bytes;
}

static LineList join_lines(Arena *arena, const LineList *lines, int level) {
  LineList texts = {0};
  LIST_OF(Range *) ranges = {0};
  Arena *scratch = arena_new();
  Names *names = names_new(scratch);
  Map open;
  map_init(&open, scratch);
  for (int i = 0; i < lines->count; i++) {
    Pattern pattern = pattern_of(lines->items[i]);
    Name shape = shape_of(names, scratch, lines->items[i], &pattern);
    Range *range = map_get(&open, shape);
    if (range && goes_on(range, &pattern)) continue;
    range = NEW(scratch, Range);
    *range = (Range){.line = lines->items[i], .first = pattern, .copies = 1};
    map_put(&open, shape, range);
    APPEND(scratch, &ranges, range);
  }
  for (int i = 0; i < ranges.count; i++) {
    APPEND(arena, &texts, range_text(arena, ranges.items[i], level));
  }
  arena_free(scratch);
  return texts;
}

LineList ranges_of(Arena *arena, const LineList *lines) {
  LineList texts = *lines;
  for (int level = 1, before = 0; level <= MOST_LEVELS && texts.count > 1 && texts.count != before;
       level++) {
    before = texts.count;
    texts = join_lines(arena, &texts, level);
  }
  return texts;
}
