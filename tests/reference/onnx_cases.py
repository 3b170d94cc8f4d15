"""The ONNX operator tests of FAMILIES, for numbers of fixed shapes.

Each operator is a method that writes its program; a library definition is applied where there is one, on
the last dim, with other axes brought there by indices.
"""

from math import prod

from cases import Case, Expected, Skip, composite, letters, ranged, subscripted
from onnx_gathers import Gathering
from onnx_node import Node
from onnx_sequences import Sequence
from onnx_windows import Windows

FAMILIES = ("softmax", "normalization", "loss", "activation", "linear", "conv", "pool", "rnn", "lstm", "gru",
            "gather", "dropout")
RTOL, ATOL = 1e-3, 1e-7

POINTWISE = {
    "Relu": "relu({x})", "Sigmoid": "sigmoid({x})", "Tanh": "tanh({x})", "Erf": "erf({x})",
    "Softplus": "softplus({x})", "Softsign": "softsign({x})", "Neg": "-{x}",
    "Gelu": "gelu({x})",
    "LeakyRelu": "leaky_relu({x}, {alpha})", "Elu": "elu({x}, {alpha})", "Celu": "celu({x}, {alpha})",
    "Selu": "selu({x}, {alpha}, {gamma})", "HardSigmoid": "hard_sigmoid({x}, {alpha}, {beta})",
    "Shrink": "shrink({x}, {lambd}, {bias})", "ThresholdedRelu": "thresholded_relu({x}, {alpha})",
}
DEFAULTS = {
    "LeakyRelu": {"alpha": 0.01}, "Elu": {"alpha": 1}, "Celu": {"alpha": 1},
    "Selu": {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5}, "Shrink": {"lambd": 0.5, "bias": 0},
    "ThresholdedRelu": {"alpha": 1},
}
LAST_DIM = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Hardmax": "hardmax"}


class Layer(Node):
    """Operators with a counterpart in the library, and formulas."""

    # ---- activation

    def pointwise(self):
        self.declare()
        options = {k: self.attribute(k, v) for k, v in DEFAULTS.get(self.op, {}).items()}
        self.output(0, [], POINTWISE[self.op].format(x="x0", **options))

    def PRelu(self):
        """The slope broadcasts: to the channels by the tests older than opset 7, else from the last dim."""
        slope = self.inputs[1]["shape"]
        self.declare()
        if len(slope) == 1 and slope[0] == self.shape[1] and slope[0] != self.shape[-1]:
            self.case.values["h.a"] = self.case.values.pop("x1")
            del self.case.lines[1]
            self.let("h", [], "prelu(x0)")
            return self.output(0, [], "h")
        picked = self.index[len(self.index) - len(slope):] if slope != [1] else ["0"]
        x = self.all_of("x0")
        return self.output(0, self.index, f"if {x} > 0 then {x} else {subscripted('x1', picked)}*{x}")

    # ---- softmax

    def last_dim(self):
        self.declare()
        self.attributes.pop("axis", None) if len(self.shape) == 1 else None
        axis = self.axis()
        moved = self.index[:axis] + self.index[axis + 1:] + [self.index[axis]]
        if moved == self.index:
            return self.output(0, [], f"{LAST_DIM[self.op]}(x0)")
        self.let("m", moved, self.all_of("x0"))
        self.let("h", [], f"{LAST_DIM[self.op]}(m)")
        return self.output(0, self.index, subscripted("h", moved))

    # ---- normalization

    def BatchNormalization(self):
        self.attribute("momentum"), self.attribute("is_test")
        self.declare()
        self.case.lines = self.case.lines[:1]
        for name, source in (("g", "x1"), ("b", "x2"), ("rm", "x3"), ("rv", "x4")):
            self.case.values[f"h.{name}"] = self.case.values.pop(source)
        self.let("h", [], f"batchnorm(x0, eps = {self.attribute('epsilon', 1e-5)})")
        self.output(0, [], "h")

    def InstanceNormalization(self):
        self.declare()
        self.case.lines = self.case.lines[:1]
        self.case.values["h.g"] = self.case.values.pop("x1")
        self.case.values["h.b"] = self.case.values.pop("x2")
        self.let("h", [], f"instancenorm(x0, eps = {self.attribute('epsilon', 1e-5)})")
        self.output(0, [], "h")

    def LpNormalization(self):
        self.declare()
        axis, p = self.axis(), self.attribute("p", 2)
        rest = self.index[:axis] + self.index[axis + 1:]
        x, over = self.all_of("x0"), self.index[axis]
        self.let("n", rest, f"sum[{over}](abs({x}))" if p == 1 else f"sqrt(sum[{over}]({x}^2))")
        n = subscripted("n", rest)
        self.output(0, self.index, f"if {n} == 0 then 0 else {x}/{n}")

    def flattened(self):
        """m: the input with the dims from `axis` on as one; its subscripts and the number of dims kept."""
        axis = self.axis()
        self.declare()
        self.case.lines = self.case.lines[:1]
        kept, merged = self.index[:axis], composite(self.index[axis:])
        whole = ranged(self.index[axis:], self.shape[axis:])
        self.let("m", kept + [composite(whole)], self.all_of("x0"))
        return kept, kept + [merged]

    def LayerNormalization(self):
        kept, subscripts = self.flattened()
        eps = self.attribute("epsilon", 1e-5)
        self.case.values["h.g"] = self.case.values.pop("x1")
        self.case.values["h.b"] = self.case.values.pop("x2")
        self.let("h", [], f"layernorm(m, eps = {eps})")
        self.output(0, ranged(self.index, self.shape), subscripted("h", subscripts))
        m = subscripted("m", kept + ["k"])
        self.output(1, kept, f"mean[k]({m})")
        self.let("v", kept, f"mean[k](({m} - {subscripted('y1', kept)})^2)")
        self.output(2, kept, f"rsqrt({subscripted('v', kept)} + {eps})")

    def RMSNormalization(self):
        _, subscripts = self.flattened()
        self.case.values["h.g"] = self.case.values.pop("x1")
        self.let("h", [], f"rmsnorm(m, eps = {self.attribute('epsilon', 1e-5)})")
        self.output(0, ranged(self.index, self.shape), subscripted("h", subscripts))

    def LRN(self):
        self.declare()
        size, alpha = self.attribute("size"), self.attribute("alpha", 1e-4)
        beta, bias = self.attribute("beta", 0.75), self.attribute("bias", 1)
        near = [self.index[0], f"b + j - {(size - 1) // 2}"] + self.index[2:]
        self.let("s", ranged(self.index, self.shape), f"sum[j in {size}]({subscripted('x0', near)[:-1]} | 0]^2)")
        scale = f"({bias} + {alpha}/{size}*{self.all_of('s')})^{beta}"
        self.output(0, self.index, f"{self.all_of('x0')}/{scale}")

    def MeanVarianceNormalization(self):
        self.declare()
        axes = self.attribute("axes", [0, 2, 3])
        over = ", ".join(self.index[a] for a in axes)
        kept = [i for a, i in enumerate(self.index) if a not in axes]
        self.let("mu", kept, f"mean[{over}]({self.all_of('x0')})")
        self.let("x", self.index, f"{self.all_of('x0')} - {subscripted('mu', kept)}")
        self.let("v", kept, f"mean[{over}]({self.all_of('x')}^2)")
        self.output(0, self.index, f"{self.all_of('x')}/(sqrt({subscripted('v', kept)}) + 1e-9)")

    # ---- loss

    def declare_classes(self):
        """Input and class numbers, of which an ignored one may be any number; returns the option."""
        ignored = self.attribute("ignore_index")
        low, high = 0, self.shape[1]
        if ignored is not None:
            low, high = min(low, ignored), max(high, ignored + 1)
        self.declare("", f" : index({low}, {high})")
        return [] if ignored is None else [f"ignore = {ignored}"]

    def class_loss(self):
        """The library's, with the classes last."""
        options = self.declare_classes()
        samples = [self.index[0]] + self.index[2:]
        moved = samples + [self.index[1]]
        self.let("m", moved, self.all_of("x0"))
        name = "nll" if self.op.startswith("Negative") else "cross_entropy"
        weights = ["class_weight = x2"] if len(self.inputs) > 2 else []
        reductions = {"mean": [], "sum": ["summed = true"], "none": ["each = true"]}
        options += reductions[self.attribute("reduction", "mean")]
        self.output(0, [], f"{name}({', '.join(['m', 'x1', *weights, *options])})")
        if len(self.outputs) > 1:
            self.let("q", [], "log_softmax(m)")
            self.output(1, self.index, subscripted("q", moved))

    NegativeLogLikelihoodLoss = SoftmaxCrossEntropyLoss = class_loss

    # ---- linear

    def Gemm(self):
        self.declare()
        alpha, beta = self.attribute("alpha", 1), self.attribute("beta", 1)
        self.attribute("broadcast")
        a = "x0[k, i]" if self.attribute("transA", 0) else "x0[i, k]"
        b = "x1[j, k]" if self.attribute("transB", 0) else "x1[k, j]"
        self.let("z", ["i", "j"], f"sum[k]({a}*{b})")
        text = f"{alpha}*z[i, j]"
        if len(self.inputs) > 2:
            shape = self.inputs[2]["shape"]
            index = ["i", "j"][2 - len(shape):]
            bias = subscripted("x2", ["0" if n == 1 else i for n, i in zip(shape, index)])
            text += f" + {beta}*{bias}"
        self.output(0, ["i", "j"], text)

    def MatMul(self):
        """Vectors lose the dim they were given for the product; leading dims broadcast."""
        self.declare()
        a, b = self.inputs[0]["shape"], self.inputs[1]["shape"]
        batch = letters(max(len(a), len(b), 2) - 2)
        left = ["r", "k"] if len(a) > 1 else ["k"]
        right = ["k", "s"] if len(b) > 1 else ["k"]
        free = left[:-1] + right[1:]
        lead_a, lead_b = batch[len(batch) - max(len(a) - 2, 0):], batch[len(batch) - max(len(b) - 2, 0):]
        x = subscripted("x0", lead_a + left)
        y = subscripted("x1", lead_b + right)
        self.output(0, batch + free, f"sum[k]({x}*{y})")

    def Det(self):
        if self.shape != [2, 2]:
            raise Skip("determinants of more than two rows")
        self.declare()
        self.output(0, [], "x0[0, 0]*x0[1, 1] - x0[0, 1]*x0[1, 0]")

    def Einsum(self):
        """An equation of one operand is what it says."""
        self.declare()
        source, result = self.attribute("equation").replace(" ", "").split("->")
        if "," in source or "." in source:
            raise Skip("contractions of several operands have no string form here")
        summed = [i for i in source if i not in result]
        x = subscripted("x0", list(source))
        self.output(0, list(result), f"sum[{', '.join(summed)}]({x})" if summed else x)

def add_table(names, method):
    for name in names:
        setattr(Layer, name, method)


add_table(POINTWISE, Layer.pointwise)
add_table(LAST_DIM, Layer.last_dim)


class Graph:
    """The few records of several nodes: each node a pointwise operation, a softmax or a Gemm."""

    def __init__(self, record, name):
        self.case = Case(name)
        self.record = record
        self.names = {}

    def declare(self):
        for tensor in self.record["inputs"] + self.record.get("initializers", []):
            self.names[tensor["name"]] = self.case.input(
                f"x{len(self.names)}", tensor["shape"], tensor["data"])

    def node(self, node):
        operands = [self.names[name] for name in node["inputs"]]
        result = f"v{len(self.names)}"
        op, left, formula = node["op"], result, None
        if op in ("Add", "Mul"):
            formula = f"{operands[0]} {'+' if op == 'Add' else '*'} {operands[1]}"
        elif op in POINTWISE:
            formula = POINTWISE[op].format(x=operands[0])
        elif op in LAST_DIM:
            formula = f"{LAST_DIM[op]}({operands[0]})"
        elif op == "Gemm":
            self.case.line(f"{result}z[i, j] = sum[k]({operands[0]}[i, k]*{operands[1]}[k, j])")
            bias = f"{operands[2]}[i, j]" if operands[2].startswith("v") else f"{operands[2]}[j]"
            left, formula = f"{result}[i, j]", f"{result}z[i, j] + {bias}"
        if formula is None:
            raise Skip(f"no counterpart of {op}")
        self.case.line(f"{left} = {formula}")
        self.names[node["outputs"][0]] = result

    def build(self):
        self.declare()
        for node in self.record["nodes"]:
            self.node(node)
        self.case.line(f"output y0 = {self.names[self.record['outputs'][0]['name']]}")
        return self.case


def kind_of(op):
    if op == "graph":
        return Graph
    return next((kind for kind in (Windows, Sequence, Gathering) if hasattr(kind, op)), Layer)


def case(record):
    for tensor in record["inputs"] + record["outputs"]:
        if not tensor["dtype"].startswith(("float", "int", "bool")):
            raise Skip(f"type {tensor['dtype']}")
    if any(prod(tensor["shape"]) == 0 for tensor in record["inputs"]):
        raise Skip("empty tensors")
    c = kind_of(record["op"])(record, record["test"]).build()
    c.expected = {f"y{i}": Expected(t["data"], ATOL, RTOL)
                  for i, t in enumerate(record["outputs"]) if prod(t["shape"]) > 0}
    return c
