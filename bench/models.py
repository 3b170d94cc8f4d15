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
    file: str = None         # when not NAME.nn
    symbol: str = None       # the model in the file, when not NAME

    @property
    def source(self):
        return MODELS_ARE_IN / f"{self.file or self.name}.nn"


def perceptron():
    first, second = product(64, 784, 128), product(64, 128, 10)
    return 2 * first + 3 * second


def convolutions_forward(batch):
    return batch * (product(6, 25, 28 * 28) + product(16, 150, 10 * 10) + product(400, 1, 120) + product(120, 1, 84)
                    + product(84, 1, 10))


def convolutions():
    return 3 * convolutions_forward(64) - 64 * product(6, 25, 28 * 28)


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


def fixed(**dims):
    """Options of nnc that fix dims."""
    return tuple(word for name, size in dims.items() for word in ("-D", f"{name}={size}"))


# The batch is fixed, as in the kernels written by hand; GENERAL has some with one of run time.
MODELS = [
    Model("mlp_sgd", "(a) MLP, SGD", "mlp", perceptron(), (10, 50), ("mlp", "mlp sgd"), 0.93, 1.05, 0.50,
          {"torch": 0.54, "other": 0.346, "reachable": 0.239, "share": 0.95}, fixed(N=64)),
    Model("mlp_adam", "(a) MLP, Adam", "mlp", perceptron(), (10, 40), ("mlp", "mlp adam"), 0.82, 1.05, 0.35,
          {"torch": 1.04, "other": 0.375, "reachable": 0.27, "share": 0.85}, fixed(N=64)),
    Model("cnn", "(b) CNN, SGD", "cnn", convolutions(), (2, 8), ("cnn", "cnn"), 0.84, 1.08, 0.28,
          {"torch": 6.2, "other": 14.3, "reachable": 1.42, "share": 0.90}, fixed(N=64)),
    Model("lstm", "(c) LSTM, SGD", "lstm", recurrence(4), (1, 5), ("lstm", "lstm sgd"), 0.80, 1.08, 0.48,
          {"torch": 11, "other": 10.4, "reachable": 4.85, "share": 0.86}, fixed(N=32)),
    Model("gru", "(c) GRU, SGD", "gru", recurrence(3), (1, 5), None, 0.78, None, 0.45,
          {"torch": 10.5, "other": 6.9, "reachable": 3.7}, fixed(N=32)),
    Model("gpt", "(d) GPT, AdamW", "gpt", transformer(), (1, 3), ("gpt", "gpt"), 0.76, 1.05, 0.66,
          {"torch": 44, "other": 131, "reachable": 28.5, "share": 0.79}, fixed(N=8)),
]

BY_NAME = {model.name: model for model in MODELS}


def like(plain, name):
    """Another model with the contractions, the data and the plan of a plain one."""
    model = BY_NAME[plain]
    return Model(name, name, model.data, model.operations, model.plan, options=model.options)


def with_batch_of_run_time(name):
    model = BY_NAME[name]
    return Model(f"{name}_batch", f"{name}, batch of run time", model.data, model.operations, model.plan, file=name,
                 symbol=name)


# a model and the plain one whose share of the peak it should come near
GENERAL = [("mlp_sgd", like("mlp_sgd", "mlp_norm")), ("mlp_sgd", like("mlp_sgd", "mlp_own_norm")),
           ("mlp_sgd", like("mlp_sgd", "mlp_own_loss")), ("mlp_adam", like("mlp_adam", "mlp_own_optimizer")),
           ("lstm", like("lstm", "lstm_norm")), ("lstm", like("lstm", "lstm_own_cell")),
           ("gpt_plain", like("gpt", "gpt")),
           *((name, with_batch_of_run_time(name)) for name in ("mlp_sgd", "cnn", "lstm"))]
BY_NAME.update({model.name: model for _, model in GENERAL}, gpt_plain=like("gpt", "gpt_plain"), gpt=BY_NAME["gpt"])


INFERENCE = [  # operations of one sample, the plan, and microseconds in performance.md: ONNX Runtime, reachable
    Model("mlp_infer", "(a) MLP", "mlp", product(1, 784, 128) + product(1, 128, 10), (500, 4000), file="mlp_sgd",
          symbol="mlp_sgd", options=fixed(N=1), entry=("infer",), before={"onnx": 6.6, "reachable": 3.6, "bar": 0.6}),
    Model("cnn_infer", "(b) CNN", "cnn", convolutions_forward(1), (100, 1000), file="cnn", symbol="cnn",
          options=fixed(N=1), entry=("infer",), before={"onnx": 21.8, "reachable": 9.8, "bar": 0.5}),
    Model("lstm_infer", "(c) LSTM, one step", "lstm", product(1, 160, 512) + product(1, 128, 10), (500, 4000),
          file="lstm_step", symbol="lstm_step", entry=("infer",),
          before={"onnx": 11.5, "reachable": 3.1, "bar": 0.38}),
]


def multiplication(symbol, before, **dims):
    """before: GFLOP/s of 117 in performance.md for OpenBLAS, oneDNN and C with tiles."""
    m, k, n = dims["M"], dims["K"], dims["N"]
    name = f"{symbol}_{m}x{k}x{n}"
    written = {"ab": "A B", "atb": "A^T B", "abt": "A B^T"}[symbol]
    steps = max(20, int(2e9 / product(m, k, n)))
    return Model(name, f"{written} {m}x{k}x{n}", name, product(m, k, n), (5, steps), file="product", symbol=symbol,
                 options=("--model", symbol, *fixed(**dims)), entry=("infer",),
                 before=dict(zip(("OpenBLAS", "oneDNN", "tiles"), before)))


PRODUCTS = [multiplication("ab", (98, 115, 117), M=64, K=784, N=128),
            multiplication("ab", (83, 111, 116), M=32, K=256, N=1024),
            multiplication("ab", (100, 107, 112), M=256, K=512, N=2048),
            multiplication("atb", (98, 111, 116), M=784, K=64, N=128),
            multiplication("abt", (52, 54, 114), M=32, K=1024, N=256)]

PRODUCTS.append(Model("conv_64x64x32", "3x3 windows, 64 to 64, 32x32", "conv_64x64x32", product(64, 9 * 64, 32 * 32),
                      (5, 30), file="product", symbol="conv", options=("--model", "conv"), entry=("infer",),
                      before={"OpenBLAS": 90, "oneDNN": 119, "tiles": 116}))


LARGE = [  # bytes that a step moves at least when nothing stays in a cache: weights and slots, `traffic`
    Model("mlp_large", "MLP 4096 wide, batch 32", "large_mlp", 2 * product(32, 4096, 4096) + 3 * product(32, 4096, 10),
          (2, 10), options=fixed(N=32), before={"traffic": 3 * 4 * 4096 * 4096}),
    Model("gpt_large", "GPT, d 512", "large_gpt", transformer(width=512), (1, 1), file="gpt", symbol="gpt",
          options=fixed(D=512, N=8), before={"traffic": 8 * 4 * 4 * 12 * 512 * 512}),
]
