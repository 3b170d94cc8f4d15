/* What a line costs that the other core has: other_core read|written. One thread writes lines and another reads them, in
   turns. Prints, in the form of measure.h, seconds for a line that is read, or for one that is written again, twice,
   and the sum of what was read. They are the median of turns, of which other programs disturb few. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 1024, TURNS = 301 };

typedef int Line __attribute__((vector_size(64)));

static Line lines[LINES];

static double write_lines(int value) {
  double start = omp_get_wtime();
  for (int i = 0; i < LINES; i++) lines[i] = (Line){0} + value;
  return omp_get_wtime() - start;
}

static double read_lines(int *total) {
  Line sum = {0};
  double start = omp_get_wtime();
  for (int i = 0; i < LINES; i++) sum += lines[i];
  *total += sum[0];
  return omp_get_wtime() - start;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  static double writing[TURNS], reading[TURNS];
  int total = 0;
  if (count < 2) return 2;
#pragma omp parallel num_threads(2)
  for (int turn = 0; turn < TURNS; turn++) {
#pragma omp barrier
    if (omp_get_thread_num() == 0) writing[turn] = write_lines(turn);
#pragma omp barrier
    if (omp_get_thread_num() == 1) reading[turn] = read_lines(&total);
  }
  double *times = strcmp(arguments[1], "read") == 0 ? reading : writing;
  qsort(times, TURNS, sizeof *times, ascending);
  double line = times[TURNS / 2] / LINES;
  printf("%.9g %.9g %d\n", line, line, total);
}
