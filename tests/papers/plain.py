"""What the references share: dense layers, activations and losses over lists of numbers."""

from math import exp, log, sqrt


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def norm(a):
    return sqrt(dot(a, a))


def each(f, rows):
    return [each(f, row) if isinstance(row, list) else f(row) for row in rows]


def linear(rows, W):
    return [[dot(row, column) for column in zip(*W)] for row in rows]


def dense(p, name, rows):
    return [[y + b for y, b in zip(row, p[name + ".b"])] for row in linear(rows, p[name + ".W"])]


def sigmoid(x):
    return 1 / (1 + exp(-x))


def silu(x):
    return x * sigmoid(x)


def softplus(x):
    return log(1 + exp(x))


def relu(x):
    return max(x, 0.0)


def softmax(row):
    powers = [exp(x) for x in row]
    return [x / sum(powers) for x in powers]


def squares(a, b):
    """The mean square difference of arrays of one shape."""
    return mean(squares(x, y) if isinstance(x, list) else (x - y) ** 2 for x, y in zip(a, b))


def surprise(rows, classes):
    """The cross entropy of rows of logits."""
    return mean(-log(softmax(row)[k]) for row, k in zip(rows, classes))
