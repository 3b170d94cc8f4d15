/* MNIST by a multilayer perceptron: 20 epochs of batches of 128, as in Keras' example. */
#include "mnist.h"

#include "data.h"

#include <float.h>

enum { EPOCHS = 20, BATCH = 128, PIXELS = 28 * 28 };

static const Published accuracy = {"mnist, 784-512-512-10, test accuracy in %", 98.40,
                                   "Keras, examples/mnist_mlp.py", 98.2, DBL_MAX};

int main(int count, char **arguments) {
  Samples train =
      read_images("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz", PIXELS);
  Samples test =
      read_images("mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz", PIXELS);
  Learner learner = learner_start(&mnist_model, seed_given(count, arguments));
  int missed = 0;
  for (int64_t epoch = 1; epoch <= EPOCHS; epoch++) {
    int64_t steps = epoch * train.count / BATCH - (epoch - 1) * train.count / BATCH;
    double loss = learner_train(&learner, &train, BATCH, steps);
    learner_show(&learner, epoch, "loss", loss, "test accuracy",
                 learner_measure(&learner, "acc", &test));
  }
  learner_report(&learner, &accuracy, 100 * learner_measure(&learner, "acc", &test), &missed);
  learner_end(&learner);
  return missed;
}
