"""The models that are measured: what their mathematics costs, and what was known before.

Operations are counted in README.md: two for each product of a contraction, forward and backward.
`plan` is steps before the measured ones, and those; a step takes a millisecond or less on a fast machine,
of the larger ones some tens. The limits are ratios that issue 5 asks for: to the kernel written by hand, to
PyTorch, and the share of the peak."""

import pathlib
from dataclasses import dataclass, field

MODELS_ARE_IN = pathlib.Path(__file__).resolve().parent / "models"


def product(rows, inner, columns):
    return 2 * rows * inner * columns


@dataclass(frozen=True)
class Model:
    name: str
    title: str
    data: str
    operations: float
    plan: tuple
    stored: tuple = None     # file of the kernel written by hand, and a word of its title
    expected: float = None   # share of the peak
    to_stored: float = None
    to_torch: float = None
    before: dict = field(default_factory=dict)  # milliseconds in performance.md
    options: tuple = ()      # of nnc
    entry: tuple = ()        # entry point and extents, when not a training step of the whole batch

    @property
    def source(self):
        return MODELS_ARE_IN / f"{self.name}.nn"


def perceptron():
    first, second = product(64, 784, 128), product(64, 128, 10)
    return 2 * first + 3 * second


def convolutions():
    first, second = 64 * product(6, 25, 28 * 28), 64 * product(16, 150, 10 * 10)
    dense = product(64, 400, 120) + product(64, 120, 84) + product(64, 84, 10)
    return 2 * first + 3 * second + 3 * dense


def recurrence(gates):
    rows = 32 * 32
    inputs, states, head = (product(rows, 32, gates * 128), product(rows, 128, gates * 128),
                            product(rows, 128, 10))
    return 2 * inputs + 3 * states + 3 * head


def transformer(layers=4, width=128, heads=4, time=64, batch=8, symbols=65):
    rows = batch * time
    weights = layers * 12 * width * width + symbols * width
    seen = batch * heads * time * (time + 1) // 2       # pairs of positions, of which one reads the other
    return 3 * product(rows, 1, weights) + 6 * layers * product(seen, 1, width // heads)


MODELS = [
    Model("mlp_sgd", "(a) MLP, SGD", "mlp", perceptron(), (10, 50), ("mlp", "mlp sgd"), 0.93, 1.05, 0.50,
          {"torch": 0.54, "other": 0.346, "reachable": 0.239, "share": 0.95}),
    Model("mlp_adam", "(a) MLP, Adam", "mlp", perceptron(), (10, 40), ("mlp", "mlp adam"), 0.82, 1.05, 0.35,
          {"torch": 1.04, "other": 0.375, "reachable": 0.27, "share": 0.85}),
    Model("cnn", "(b) CNN, SGD", "cnn", convolutions(), (2, 8), ("cnn", "cnn"), 0.84, 1.08, 0.28,
          {"torch": 6.2, "other": 14.3, "reachable": 1.42, "share": 0.90}),
    Model("lstm", "(c) LSTM, SGD", "lstm", recurrence(4), (1, 5), ("lstm", "lstm sgd"), 0.80, 1.08, 0.48,
          {"torch": 11, "other": 10.4, "reachable": 4.85, "share": 0.86}),
    Model("gru", "(c) GRU, SGD", "gru", recurrence(3), (1, 5), None, 0.78, None, 0.45,
          {"torch": 10.5, "other": 6.9, "reachable": 3.7}),
    Model("gpt", "(d) GPT, AdamW", "gpt", transformer(), (1, 3), ("gpt", "gpt"), 0.76, 1.05, 0.66,
          {"torch": 44, "other": 131, "reachable": 28.5, "share": 0.79}),
]
