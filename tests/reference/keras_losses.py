"""Keras' losses: a formula for each sample, its weight, and a reduction.

A loss without weights, over all samples, is the library's definition where it has one; otherwise the
formula stands in the case's program. p is the prediction, t the target, k the last dim.
"""

from math import prod

from cases import Case, Expected, Skip, letters, subscripted

# Keras clips in 32 bits, where 1 - 1e-7 is 1 - 2^-23.
HELD = "min(max({}, 1e-7), 0.99999988079071045)"

# Of each element; a sample's loss is the mean over its last dim.
POINTWISE = {
    "MeanSquaredError": "({p} - {t})^2",
    "MeanAbsoluteError": "abs({p} - {t})",
    "MeanAbsolutePercentageError": "100*abs({t} - {p})/max(abs({t}), 1e-7)",
    "MeanSquaredLogarithmicError": "(log1p(max({p}, 1e-7)) - log1p(max({t}, 1e-7)))^2",
    "Hinge": "max(1 - {t}*{p}, 0)",
    "SquaredHinge": "max(1 - {t}*{p}, 0)^2",
    "Huber": "if abs({p} - {t}) <= {delta} then 0.5*({p} - {t})^2 else {delta}*(abs({p} - {t}) - 0.5*{delta})",
    "LogCosh": "{p} - {t} + softplus(-2*({p} - {t})) - log(2)",
    "Poisson": "{p} - {t}*log({p} + 1e-7)",
}

# The library's definition with the same defaults, and how it takes the options.
LIBRARY = {
    "MeanSquaredError": "mse", "MeanAbsoluteError": "mae", "MeanAbsolutePercentageError": "mape",
    "MeanSquaredLogarithmicError": "msle", "Hinge": "hinge", "SquaredHinge": "squared_hinge",
    "Huber": "huber", "LogCosh": "log_cosh", "Poisson": "poisson", "KLDivergence": "kl_divergence",
    "CosineSimilarity": "cosine_similarity",
}
LIBRARY_ON_LOGITS = {
    "BinaryCrossentropy": "bce", "CategoricalCrossentropy": "soft_cross_entropy",
    "SparseCategoricalCrossentropy": "cross_entropy", "BinaryFocalCrossentropy": "binary_focal",
}
OPTION_NAMES = {"delta": "delta", "label_smoothing": "smooth", "gamma": "gamma"}


class Loss:
    """One record: its tensors are declared, then `l` gets the loss of each sample."""

    def __init__(self, record):
        self.case = Case(record["id"])
        self.kind = record["loss"]
        self.options = dict(record["options"])
        self.reduction = self.options.pop("reduction", "sum_over_batch_size")
        self.logits = self.options.pop("from_logits", False)
        self.weight = record.get("call_options", {}).get("sample_weight")
        self.declare(record["y_pred"], record["y_true"])

    def declare(self, prediction, target):
        self.shape = prediction["shape"]
        axis = self.options.pop("axis", -1)
        if isinstance(axis, int) and axis not in (-1, len(self.shape) - 1):
            prediction, target = move_last(prediction, axis), move_last(target, axis)
            self.shape = prediction["shape"]
        self.axes = axis if isinstance(axis, list) else None
        self.samples = self.shape[:-1]
        self.index = letters(len(self.samples))
        self.case.input("p", self.shape, prediction["data"])
        self.sparse = self.kind.startswith("Sparse") or "Generalized" in self.kind
        data = signed(target["data"]) if "Hinge" in self.kind and "Cat" not in self.kind else target["data"]
        if self.sparse:
            self.ignored = self.options.pop("ignore_class", None)
            low = 0 if self.ignored is None else min(self.ignored, 0)
            kind = f" : index({low}, {self.shape[-1]})"
            self.case.input("t", self.samples, data, kind)
        else:
            self.case.input("t", self.shape, data)

    def of(self, name, last="k"):
        return subscripted(name, self.index + [last])

    def each(self, name):
        return subscripted(name, self.index)

    def let(self, name, text):
        """A tensor with an element for each sample."""
        self.case.line(f"{self.each(name)} = {text}")

    def let_all(self, name, text):
        """A tensor in the shape of the prediction."""
        self.case.line(f"{self.of(name)} = {text}")

    def smooth_target(self, classes):
        smooth = self.options.pop("label_smoothing", 0)
        self.let_all("s", f"{self.of('t')}*{1 - smooth} + {smooth / classes}")

    # ---- formulas of a sample

    def pointwise(self):
        text = POINTWISE[self.kind].format(p=self.of("p"), t=self.of("t"), delta=self.options.pop("delta", 1))
        self.let("l", f"mean[k]({text})")

    def KLDivergence(self):
        self.let_all("q", f"min(max({self.of('p')}, 1e-7), 1)")
        self.let_all("u", f"min(max({self.of('t')}, 1e-7), 1)")
        self.let("l", f"sum[k]({self.of('u')}*log({self.of('u')}/{self.of('q')}))")

    def CosineSimilarity(self):
        for name, of in (("np", "p"), ("nt", "t")):
            self.let(name, f"rsqrt(max(sum[k]({self.of(of)}^2), 1e-12))")
        self.let("l", f"-sum[k]({self.of('p')}*{self.of('t')})*{self.each('np')}*{self.each('nt')}")

    def CategoricalHinge(self):
        p, t = self.of("p"), self.of("t")
        self.let("l", f"max(1 + max[k]((1 - {t})*{p}) - sum[k]({t}*{p}), 0)")

    def probabilities(self):
        """q: of p, from logits where the case has these, held off 0 and 1."""
        sigmoid = self.kind.startswith("Binary")
        if self.logits and not sigmoid:
            self.let("n", f"lse[k]({self.of('p')})")
            self.let_all("q", HELD.format(f"exp({self.of('p')} - {self.each('n')})"))
        elif sigmoid:
            p = f"sigmoid({self.of('p')})" if self.logits else self.of("p")
            self.let_all("q", HELD.format(p))
        else:
            self.let("n", f"sum[k]({self.of('p')})")
            self.let_all("q", HELD.format(f"{self.of('p')}/{self.each('n')}"))

    def BinaryCrossentropy(self):
        self.smooth_target(2)
        s, q, p = self.of("s"), self.of("q"), self.of("p")
        if self.logits:
            self.let("l", f"mean[k](softplus({p}) - {s}*{p})")
        else:
            self.probabilities()
            self.let("l", f"mean[k](-{s}*log({q}) - (1 - {s})*log(1 - {q}))")

    def BinaryFocalCrossentropy(self):
        gamma = self.options.pop("gamma", 2)
        self.smooth_target(2)
        self.probabilities()
        s, q = self.of("s"), self.of("q")
        self.let_all("f", f"(1 - ({s}*{q} + (1 - {s})*(1 - {q})))^{gamma}")
        self.let("l", f"mean[k]({self.of('f')}*(-{s}*log({q}) - (1 - {s})*log(1 - {q})))")

    def CategoricalCrossentropy(self):
        self.smooth_target(self.shape[-1])
        if self.logits:
            self.let("n", f"lse[k]({self.of('p')})")
            self.let("l", f"sum[k]({self.of('s')}*({self.each('n')} - {self.of('p')}))")
        else:
            self.probabilities()
            self.let("l", f"sum[k](-{self.of('s')}*log({self.of('q')}))")

    def CategoricalFocalCrossentropy(self):
        alpha, gamma = self.options.pop("alpha", 0.25), self.options.pop("gamma", 2)
        self.smooth_target(self.shape[-1])
        self.probabilities()
        s, q = self.of("s"), self.of("q")
        self.let("l", f"sum[k](-{alpha}*(1 - {q})^{gamma}*{s}*log({q}))")

    def SparseCategoricalCrossentropy(self):
        chosen = f"{self.each('t')} | 0"
        if self.logits:
            self.let("l0", f"lse[k]({self.of('p')}) - {self.of('p', chosen)}")
        else:
            self.probabilities()
            self.let("l0", f"-log({self.of('q', chosen)})")
        used = "true" if self.ignored is None else f"{self.each('t')} != {self.ignored}"
        self.let("l", self.each("l0") if used == "true" else f"if {used} then {self.each('l0')} else 0")

    def CategoricalGeneralizedCrossEntropy(self):
        q = self.options.pop("q", 0.5)
        self.let("l", f"(1 - {self.of('p', self.each('t'))}^{q})/{q}")

    def overlap(self, formula):
        """Dice and Tversky: one number for all, or for each of the first dim."""
        everything = letters(len(self.shape))
        kept = everything[:1] if self.axes else []
        reduced = everything[len(kept):]
        p, t = subscripted("p", everything), subscripted("t", everything)
        for name, text in formula(p, t):
            self.case.line(f"{subscripted(name, kept)} = sum[{', '.join(reduced)}]({text})")
        self.index, self.samples = kept, self.shape[:len(kept)]

    def Dice(self):
        self.overlap(lambda p, t: [("both", f"{p}*{t}"), ("whole", f"{p} + {t}")])
        self.let("l", f"1 - (2*{self.each('both')} + 1e-7)/({self.each('whole')} + 1e-7)")

    def Tversky(self):
        alpha, beta = self.options.pop("alpha", 0.5), self.options.pop("beta", 0.5)
        self.overlap(lambda p, t: [("both", f"{p}*{t}"), ("extra", f"{p}*(1 - {t})"), ("lost", f"(1 - {p})*{t}")])
        both = self.each("both")
        self.let("l", f"1 - ({both} + 1e-7)/({both} + {alpha}*{self.each('extra')} + "
                      f"{beta}*{self.each('lost')} + 1e-7)")

    # ---- weights and reduction

    def library_call(self):
        """The definition that is this loss as a whole, or None."""
        names = LIBRARY_ON_LOGITS if self.logits else LIBRARY
        plain = self.weight is None and self.reduction == "sum_over_batch_size"
        if not plain or self.kind not in names or (self.sparse and self.ignored is not None):
            return None
        if any(name not in OPTION_NAMES for name in self.options):
            return None
        options = [f", {OPTION_NAMES[name]} = {value}" for name, value in self.options.items()]
        self.options = {}
        return f"{names[self.kind]}(p, t{''.join(options)})"

    def weighted(self):
        """The loss of a sample times its weight."""
        weight, loss = self.weight, self.each("l")
        if not isinstance(weight, dict):
            return loss if weight is None else f"{weight}*{loss}"
        if prod(weight["shape"]) != prod(self.samples):
            raise Skip("weights that repeat within a sample")
        self.case.input("w", self.samples, weight["data"])
        return f"{self.each('w')}*{loss}"

    def reduce(self):
        self.let("h", self.weighted())
        if self.reduction is None:
            self.case.line(f"output {self.each('r')} = {self.each('h')}")
        elif self.reduction == "sum":
            self.case.line("output r = sum(h)")
        elif self.reduction == "mean_with_sample_weight":
            self.case.line("output r = sum(h)/sum(w)")
        else:
            self.case.line("output r = mean(h)" if self.samples else "output r = h")

    def build(self, record):
        call = self.library_call()
        if call:
            self.case.line(f"output r = {call}")
        elif self.kind in POINTWISE:
            self.pointwise()
            self.reduce()
        elif hasattr(self, self.kind):
            getattr(self, self.kind)()
            self.reduce()
        else:
            raise Skip(f"no loss like {self.kind}")
        if self.options:
            raise Skip(f"no options like {', '.join(self.options)}")
        self.case.expected = {"r": expected(record)}
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
    if record["loss"] == "CTC":
        raise Skip("alignment of sequences (CTC) is not in the library yet")
    return Loss(record).build(record)
