"""Keras' losses by the library's definitions, applied as a user would: where a case has weights or a
reduction that are options of the library it takes these, else the losses of samples and a formula.

p is the prediction, t the target, k the last dim, w the weights.
"""

from math import prod

from cases import Case, Expected, Skip, letters, subscripted

# The mean over the last dim is a sample's loss in Keras.
OF_ELEMENTS = {
    "MeanSquaredError": "mse", "MeanAbsoluteError": "mae", "MeanAbsolutePercentageError": "mape",
    "MeanSquaredLogarithmicError": "msle", "Hinge": "hinge", "SquaredHinge": "squared_hinge",
    "Huber": "huber", "LogCosh": "log_cosh", "Poisson": "poisson", "BinaryCrossentropy": "bce",
    "BinaryFocalCrossentropy": "binary_focal",
}
OF_SAMPLES = {
    "KLDivergence": "kl_divergence", "CosineSimilarity": "cosine_similarity",
    "CategoricalHinge": "categorical_hinge", "CategoricalCrossentropy": "soft_cross_entropy",
    "CategoricalFocalCrossentropy": "soft_focal", "SparseCategoricalCrossentropy": "cross_entropy",
    "CategoricalGeneralizedCrossEntropy": "generalized_cross_entropy", "CTC": "ctc", "Dice": "dice",
    "Tversky": "tversky",
}
OPTIONS = {"delta": "delta", "label_smoothing": "smooth", "gamma": "gamma", "ignore_class": "ignore", "q": "q",
           "alpha": "alpha", "beta": "beta", "eps": "eps"}

# Keras clips in 32 bits, where 1 - 1e-7 is 1 - 2^-23.
EPS = "1.1920928955078125e-7"
HELD = f"min(max(p, 1e-7), 1 - {EPS})"


class Loss:
    """One record: its tensors are declared, then the loss is applied and reduced."""

    def __init__(self, record):
        self.case = Case(record["id"])
        self.kind = record["loss"]
        self.options = dict(record["options"])
        self.reduction = self.options.pop("reduction", "sum_over_batch_size")
        self.logits = self.options.pop("from_logits", False)
        self.weight = record.get("call_options", {}).get("sample_weight")
        self.factor = "1"
        self.name = OF_ELEMENTS.get(self.kind) or OF_SAMPLES.get(self.kind)
        if not self.name:
            raise Skip(f"no loss like {self.kind}")
        self.declare(record["y_pred"], record["y_true"])
        self.case.expected = {"r": expected(record)}

    # ---- tensors

    def declare(self, prediction, target):
        axis = self.options.pop("axis", None if self.kind in ("Dice", "Tversky") else -1)
        last = len(prediction["shape"]) - 1
        if isinstance(axis, int) and axis not in (-1, last):
            prediction, target = move_last(prediction, axis), move_last(target, axis)
        self.shape = prediction["shape"]
        self.samples = self.shape[:-1]
        self.case.input("p", self.shape, prediction["data"])
        self.prediction = "p"
        if self.kind == "CTC":
            self.declare_labels(target)
        elif self.kind.startswith("Sparse") or "Generalized" in self.kind:
            low = min(self.options.get("ignore_class", 0), 0)
            self.case.input("t", self.samples, target["data"], f" : index({low}, {self.shape[-1]})")
        else:
            sign = self.name in ("hinge", "squared_hinge")
            self.case.input("t", self.shape, signed(target["data"]) if sign else target["data"])
        self.adapt(axis)

    def declare_labels(self, target):
        """The labels that are not 0 count, of the first so many."""
        n, s = target["shape"]
        rows = [target["data"][i * s:(i + 1) * s] for i in range(n)]
        self.case.input("t", [n, s], target["data"], f" : index({self.shape[-1]})")
        self.case.input("size", [n], [sum(map(bool, row)) for row in rows], f" : index({s + 1})")
        self.samples = [n]

    def adapt(self, axis):
        """What the definition takes in place of what the case has."""
        if self.kind == "CategoricalFocalCrossentropy":
            self.factor = str(self.options.pop("alpha", 0.25))
        if self.name == "bce" and not self.logits:
            self.name, self.options["eps"] = "bce_probabilities", EPS
        elif self.name == "binary_focal" and not self.logits:
            self.adapted(f"q = {HELD}", "z = log(q) - log(1 - q)")
        elif self.kind.startswith(("Categorical", "Sparse")) and self.kind != "CategoricalHinge" \
                and not self.logits:
            self.adapted("z = log(p)" if "Generalized" in self.kind else f"z = log({HELD})")
        elif self.name in ("dice", "tversky"):
            self.samples = self.shape[:1] if axis else []
            if not axis:
                self.as_one_sample()

    def adapted(self, *lines):
        for line in lines:
            self.case.line(line)
        self.prediction = "z"

    def as_one_sample(self):
        """Overlaps of the whole batch."""
        index = letters(len(self.shape))
        for new, old in (("z", "p"), ("s", "t")):
            self.case.line(f"{new}[o in 1, {', '.join(index)}] = {subscripted(old, index)}")
        self.prediction = "z"

    # ---- the loss

    def apply(self, *options):
        """The definition on its tensors."""
        given = [f"{OPTIONS[name]} = {value}" for name, value in self.options.items()]
        target = "s" if self.prediction == "z" and self.name in ("dice", "tversky") and not self.samples else "t"
        more = ["size = size"] if self.kind == "CTC" else []
        call = f"{self.name}({', '.join([self.prediction, target, *more, *given, *options])})"
        return call if self.factor == "1" else f"{self.factor}*{call}"

    def each(self):
        """l: the loss of each sample."""
        index = letters(len(self.samples))
        self.case.line(f"e = {self.apply('each = true')}")
        if self.kind in OF_ELEMENTS:
            self.case.line(f"{subscripted('l', index)} = mean[k]({subscripted('e', index + ['k'])})")
        else:
            self.case.line("l = e" if self.samples else "l = sum(e)")
        return "l"

    def declare_weight(self):
        if prod(self.weight["shape"]) != prod(self.samples):
            raise Skip("weights that repeat within a sample")
        self.case.input("w", self.samples, self.weight["data"])

    def weighted(self):
        """The option that is the weights: one for each element or sample."""
        return "weight = spread(w, p)" if self.kind in OF_ELEMENTS and len(self.samples) == 1 else "weight = w"

    def result(self):
        """The whole by the options of the library where they say it."""
        if isinstance(self.weight, dict):
            self.declare_weight()
            if self.reduction == "mean_with_sample_weight":
                return self.apply(self.weighted())
            if self.reduction == "sum" and self.kind in OF_SAMPLES:
                return self.apply("weight = w", "summed = true")
            return self.reduced(f"w*{self.each()}")
        factor = "" if self.weight is None else f"{self.weight}*"
        if self.reduction == "sum_over_batch_size":
            return factor + self.apply()
        if self.reduction == "sum" and self.kind in OF_SAMPLES:
            return factor + self.apply("summed = true")
        return self.reduced(factor + self.each())

    def reduced(self, text):
        names = {"sum": "sum", "sum_over_batch_size": "mean", None: ""}
        return f"{names[self.reduction]}({text})" if names[self.reduction] else text

    def build(self):
        unknown = set(self.options) - set(OPTIONS)
        if unknown:
            raise Skip(f"no options like {', '.join(unknown)}")
        self.case.line(f"output r = {self.result()}")
        return self.case


def expected(record):
    tolerance, value = record["tolerance"], record["expected"]
    data = value["data"] if isinstance(value, dict) else [value]
    if "decimal" in tolerance:
        return Expected(data, 1.5 * 10 ** -tolerance["decimal"], 0)
    return Expected(data, tolerance["atol"], tolerance["rtol"])


def signed(data):
    """Keras' hinge takes labels of 0 and 1 for -1 and 1."""
    return [2 * x - 1 for x in data] if all(x in (0, 1) for x in data) else data


def move_last(tensor, axis):
    """The tensor with this axis moved to the end."""
    shape = tensor["shape"]
    inner = prod(shape[axis + 1:])
    size = shape[axis]
    blocks = [tensor["data"][i:i + size * inner] for i in range(0, prod(shape), size * inner)]
    data = [block[k * inner + j] for block in blocks for j in range(inner) for k in range(size)]
    return {"shape": shape[:axis] + shape[axis + 1:] + [size], "data": data}


def case(record):
    return Loss(record).build()
