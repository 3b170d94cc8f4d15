/* Names by a perceptron with batch norm: 200,000 steps of 32 samples, as in the lecture. */
#include "names.h"

#include "data.h"

enum { STEPS = 200000, BATCH = 32, CONTEXT = 3, PARTS = 10 };

#define SOURCE "Karpathy, makemore_part3_bn.ipynb"
static const Published published[] = {
    {"names, training loss in nats", 2.067, SOURCE, 2.047, 2.087},
    {"names, dev loss in nats", 2.105, SOURCE, 2.085, 2.125},
};

int main(int count, char **arguments) {
  Samples train = read_names("makemore-names/train.txt", CONTEXT);
  Samples dev = read_names("makemore-names/dev.txt", CONTEXT);
  Learner learner = learner_start(&names_model, seed_given(count, arguments));
  int missed = 0;
  for (int part = 1; part <= PARTS; part++) {
    double loss = learner_train(&learner, &train, BATCH, STEPS / PARTS);
    learner_show(&learner, part * (STEPS / PARTS), "loss", loss, NULL, 0);
  }
  learner_report(&learner, &published[0], learner_measure(&learner, "eval_step", &train), &missed);
  learner_report(&learner, &published[1], learner_measure(&learner, "eval_step", &dev), &missed);
  learner_end(&learner);
  return missed;
}
