/* Trains on random strings and prints the share of others, not trained on, that come out right to the last
   symbol. */
#include "reverse.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 600, BATCH = 32, TESTED = 250, LONGEST = 4, WRITTEN = 5, END = 10 };

static uint32_t state = 1;

static int draw_below(int bound) {
  state = state * 1664525u + 1013904223u;
  return (int)((state >> 16) % (uint32_t)bound);
}

typedef struct Strings {
  int32_t digits[TESTED * LONGEST], lengths[TESTED], backwards[TESTED * WRITTEN];
} Strings;

/* A string of three digits or four, read as a number, says whether it is one of those kept for the test. */
static int is_kept(int length, int number) {
  return length > 2 && number % 13 == 5;
}

static void draw_string(Strings *strings, int n, int is_tested) {
  int number;
  do {
    number = 0;
    strings->lengths[n] = 1 + draw_below(LONGEST);
    for (int i = 0; i < LONGEST; i++) {
      strings->digits[n * LONGEST + i] = draw_below(10);
      if (i < strings->lengths[n]) number = number * 10 + strings->digits[n * LONGEST + i];
    }
  } while (is_kept(strings->lengths[n], number) != is_tested);
  for (int u = 0; u < WRITTEN; u++) {
    int from = strings->lengths[n] - 1 - u;
    strings->backwards[n * WRITTEN + u] = from < 0 ? END : strings->digits[n * LONGEST + from];
  }
}

static void draw_strings(Strings *strings, int count, int is_tested) {
  for (int n = 0; n < count; n++) draw_string(strings, n, is_tested);
}

static int count_right(const Strings *strings, const int32_t *written) {
  int right = 0;
  for (int n = 0; n < TESTED; n++) {
    int same = 1;
    for (int i = n * WRITTEN; i < (n + 1) * WRITTEN; i++) {
      same = same && written[i] == strings->backwards[i];
    }
    right += same;
  }
  return right;
}

int main(int count, char **arguments) {
  static reverse model;
  static Strings strings;
  static int32_t written[TESTED * WRITTEN];
  if (reverse_init(&model, count > 1 ? strtoull(arguments[1], NULL, 10) : 1)) return 1;
  for (int step = 0; step < STEPS; step++) {
    draw_strings(&strings, BATCH, 0);
    reverse_train_step(&model, BATCH, strings.digits, strings.lengths, strings.backwards);
  }
  draw_strings(&strings, TESTED, 1);
  if (reverse_infer(&model, TESTED, strings.digits, strings.lengths, written)) return 1;
  printf("%.3f\n", (double)count_right(&strings, written) / TESTED);
  return 0;
}
