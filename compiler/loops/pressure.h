/* Pressure: what routines do to need less memory (`--ram`). Results are the same bits under all of it; what
   differs is time. */
#ifndef NNC_LOOPS_PRESSURE_H
#define NNC_LOOPS_PRESSURE_H

#include <stdbool.h>

/* What the backward part computes again, beside draws. */
typedef enum { AGAIN_NOTHING, AGAIN_POINTWISE, AGAIN_PASSES } Again;

typedef struct Pressure {
  Again again;
  bool segments, copies;
  const char *title;
} Pressure;

enum {
  PRESSURE_COUNT = 0
#define PRESSURE(again, segments, copies, title) +1
#include "loops/pressure.def"
#undef PRESSURE
};

/* From none, 0, to PRESSURE_COUNT - 1. */
const Pressure *pressure_at(int level);

#endif
