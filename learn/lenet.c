/* MNIST by a small convolutional net: 10 epochs of batches of 100. */
#include "lenet.h"

#include "data.h"

#include <float.h>

enum { EPOCHS = 10, BATCH = 100, PIXELS = 28 * 28 };

static const Published accuracy = {"lenet, test accuracy in %", 99.05,
                                   "LeCun, Bottou, Bengio & Haffner (1998), LeNet-5", 99.0,
                                   DBL_MAX};

int main(int count, char **arguments) {
  Samples train =
      read_images("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz", PIXELS);
  Samples test =
      read_images("mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz", PIXELS);
  Learner learner = learner_start(&lenet_model, seed_given(count, arguments));
  double last = (double)(EPOCHS * (train.count / BATCH));
  nnrt_set_named(&lenet_model, learner.instance, "last", &last);
  int missed = 0;
  for (int64_t epoch = 1; epoch <= EPOCHS; epoch++) {
    double loss = learner_train(&learner, &train, BATCH, train.count / BATCH);
    learner_show(&learner, epoch, "loss", loss, "test accuracy",
                 learner_measure(&learner, "acc", &test));
  }
  learner_report(&learner, &accuracy, 100 * learner_measure(&learner, "acc", &test), &missed);
  learner_end(&learner);
  return missed;
}
