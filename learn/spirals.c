/* Two spirals: 97 points on each, all taken in each step; and how many of the points halfway between are
   then on the right spiral. */
#include "spirals.h"

#include "learn.h"

#include <float.h>
#include <math.h>

enum { TURN = 97, POINTS = 2 * TURN, STEPS = 5000, PARTS = 5 };

static const Published learned = {"spirals, learned of 194 points", 194, "Lang & Witbrock (1988)",
                                  194, DBL_MAX};

/* Points of both spirals at shift, 1 + shift, ... of 96 steps from the outside, as in the CMU benchmark. */
static Samples points(double shift, int count) {
  static float x[2][POINTS][2], t[2][POINTS];
  int set = shift > 0;
  for (int i = 0; i < count; i++) {
    double at = i + shift, angle = at * acos(-1) / 16, radius = 6.5 * (104 - at) / 104;
    for (int side = 0; side < 2; side++) {
      double sign = side ? -1 : 1;
      x[set][2 * i + side][0] = (float)(sign * radius * sin(angle));
      x[set][2 * i + side][1] = (float)(sign * radius * cos(angle));
      t[set][2 * i + side] = (float)side;
    }
  }
  return (Samples){2 * count, {x[set], t[set]}};
}

int main(int count, char **arguments) {
  Samples train = points(0, TURN), between = points(0.5, TURN - 1);
  Learner learner = learner_start(&spirals_model, seed_given(count, arguments));
  int missed = 0;
  for (int part = 1; part <= PARTS; part++) {
    double loss = learner_train(&learner, &train, POINTS, STEPS / PARTS);
    learner_show(&learner, part * (STEPS / PARTS), "loss", loss, "right between",
                 learner_measure(&learner, "acc", &between));
  }
  double right = learner_measure(&learner, "acc", &train) * (double)train.count;
  learner_report(&learner, &learned, right, &missed);
  learner_end(&learner);
  return missed;
}
