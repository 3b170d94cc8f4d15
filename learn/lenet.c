/* MNIST by a small convolutional net: 10 epochs of batches of 100. */
#include "lenet.h"

#include "data.h"

#include <float.h>

enum { EPOCHS = 10, BATCH = 100, PIXELS = 28 * 28 };

static const Published accuracy = {"lenet, test accuracy in %", 99.05,
                                   "LeCun, Bottou, Bengio & Haffner (1998), LeNet-5", 99.0,
                                   DBL_MAX};

int main(int count, char **arguments) {
  Samples train = read_images("mnist/train", PIXELS), test = read_images("mnist/t10k", PIXELS);
  Learner learner = learner_start(&lenet_model, seed_given(count, arguments));
  double last = (double)(EPOCHS * (train.count / BATCH));
  nnrt_set_named(&lenet_model, learner.instance, "last", &last);
  int missed = 0;
  learner_classify(&learner, &train, &test, BATCH, EPOCHS);
  learner_report(&learner, &accuracy, 100 * learner_measure(&learner, "acc", &test), &missed);
  learner_end(&learner);
  return missed;
}
