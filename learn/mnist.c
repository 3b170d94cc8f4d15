/* MNIST by a multilayer perceptron: 20 epochs of batches of 128, as in Keras' example. */
#include "mnist.h"

#include "data.h"

#include <float.h>

enum { EPOCHS = 20, BATCH = 128, PIXELS = 28 * 28 };

static const Published accuracy = {"mnist, 784-512-512-10, test accuracy in %", 98.40,
                                   "Keras, examples/mnist_mlp.py", 98.2, DBL_MAX};

int main(int count, char **arguments) {
  Samples train = read_images("mnist/train", PIXELS), test = read_images("mnist/t10k", PIXELS);
  Learner learner = learner_start(&mnist_model, seed_given(count, arguments));
  int missed = 0;
  learner_classify(&learner, &train, &test, BATCH, EPOCHS);
  learner_report(&learner, &accuracy, 100 * learner_measure(&learner, "acc", &test), &missed);
  learner_end(&learner);
  return missed;
}
