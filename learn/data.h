/* The data that tasks learn from: files below ../shared/data, or the folder that the environment variable
   LEARN_DATA names. What cannot be read ends the program with a message. */
#ifndef LEARN_DATA_H
#define LEARN_DATA_H

#include "learn.h"

/* The bytes of an IDX file, gzipped or not, whose samples have `size` bytes; *count becomes their number. */
uint8_t *read_idx(const char *name, int64_t size, int64_t *count);

/* Images of `size` bytes and their labels, of the files that begin with `part`: "mnist/train". */
Samples read_images(const char *part, int64_t size);

/* Numbers of a file with commas between, of rows that have a number at each of `columns` places (ends with -1);
   the rest of a row, and rows before `skipped`, are left out. *count becomes the number of rows. */
float *read_columns(const char *name, int skipped, const int *columns, int64_t *count);

/* Each column brought to mean 0 and variance 1 (divided by the count). */
void standardise(float *rows, int64_t count, int64_t columns);

/* The numbers as class numbers. */
int32_t *whole_numbers(const float *numbers, int64_t count);

/* The whole file as text that ends with a NUL. */
char *read_text(const char *name, int64_t *size);

/* Names, one a line, of the letters a to z: for each letter, and for the end of each name, the `context` before
   it and itself; letters are 1 to 26, begin and end 0. */
Samples read_names(const char *name, int context);

#endif
