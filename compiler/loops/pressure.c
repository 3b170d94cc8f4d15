/* The rows of pressure.def. */
#include "loops/pressure.h"

static const Pressure pressures[] = {
#define PRESSURE(again, segments, copies, title) {AGAIN_##again, segments, copies, title},
#include "loops/pressure.def"
#undef PRESSURE
};

const Pressure *pressure_at(int level) {
  return &pressures[level];
}
