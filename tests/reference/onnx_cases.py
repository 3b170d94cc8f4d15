"""The ONNX operator tests of FAMILIES, for numbers of fixed shapes.

Each operator is a method that writes its program; a library definition is applied where there is one, on
the last dim, with other axes brought there by indices.
"""

from cases import Expected, Skip, Untyped, composite, letters, ranged, subscripted
from onnx_elementwise import Elementwise
from onnx_gathers import Gathering
from onnx_graphs import LAST_DIM, Graph
from onnx_node import Node
from onnx_reductions import Reduction
from onnx_sequences import Sequence
from onnx_shapes import Shaping
from onnx_training import Training
from onnx_windows import Windows

FAMILIES = {  # the share of the records of each that must pass
    "rnn": 1, "lstm": 1, "gru": 1, "normalization": 1, "loss": 1, "softmax": 1, "dropout": 1, "gradient": 1,
    "optimizer": 1,
    "activation": 0.95, "conv": 0.95, "pool": 0.95, "linear": 0.95, "reduce": 0.95, "gather": 0.95,
    "elementwise": 0.95, "shape": 0.95, "compare": 0.95,
}
RTOL, ATOL = 1e-3, 1e-7
TYPES = ("float", "int", "uint", "bool")


class Layer(Node):
    """Operators with a counterpart in the library, and formulas."""

    # ---- softmax

    def last_dim(self):
        self.declare()
        self.attributes.pop("axis", None) if len(self.shape) == 1 else None
        self.on_axis(self.axis(), LAST_DIM[self.op] + "({})")

    # ---- normalization

    def BatchNormalization(self):
        self.attribute("momentum"), self.attribute("is_test")
        self.declare()
        for source, name in (("x1", "g"), ("x2", "b"), ("x3", "rm"), ("x4", "rv")):
            self.as_parameter(source, f"h.{name}")
        self.let("h", [], f"batchnorm(x0, eps = {self.attribute('epsilon', 1e-5)})")
        self.output(0, [], "h")

    def InstanceNormalization(self):
        self.declare()
        self.as_parameter("x1", "h.g")
        self.as_parameter("x2", "h.b")
        self.let("h", [], f"instancenorm(x0, eps = {self.attribute('epsilon', 1e-5)})")
        self.output(0, [], "h")

    def LpNormalization(self):
        self.declare()
        self.on_axis(self.axis(), f"unit_norm({{}}, {self.attribute('p', 2)})")

    def flattened(self):
        """m: the input with the dims from `axis` on as one; its subscripts and the number of dims kept."""
        axis = self.axis()
        self.declare()
        kept, merged = self.index[:axis], composite(self.index[axis:])
        whole = ranged(self.index[axis:], self.shape[axis:])
        self.let("m", kept + [composite(whole)], self.all_of("x0"))
        return kept, kept + [merged]

    def LayerNormalization(self):
        kept, subscripts = self.flattened()
        eps = self.attribute("epsilon", 1e-5)
        self.as_parameter("x1", "h.g")
        self.as_parameter("x2", "h.b")
        self.let("h", [], f"layernorm(m, eps = {eps})")
        self.output(0, ranged(self.index, self.shape), subscripted("h", subscripts))
        m = subscripted("m", kept + ["k"])
        self.output(1, kept, f"mean[k]({m})")
        self.let("v", kept, f"mean[k](({m} - {subscripted('y1', kept)})^2)")
        self.output(2, kept, f"rsqrt({subscripted('v', kept)} + {eps})")

    def RMSNormalization(self):
        _, subscripts = self.flattened()
        self.as_parameter("x1", "h.g")
        self.let("h", [], f"rmsnorm(m, eps = {self.attribute('epsilon', 1e-5)})")
        self.output(0, ranged(self.index, self.shape), subscripted("h", subscripts))

    def LRN(self):
        self.declare()
        alpha, beta, bias = self.attribute("alpha", 1e-4), self.attribute("beta", 0.75), self.attribute("bias", 1)
        self.output(0, [], f"local_response_norm(x0, {self.attribute('size')}, {alpha}, {beta}, {bias})")

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


for operator in LAST_DIM:
    setattr(Layer, operator, Layer.last_dim)


def kind_of(record):
    if "nodes" in record:
        return Graph
    kinds = (Elementwise, Reduction, Shaping, Windows, Sequence, Gathering, Training)
    return next((kind for kind in kinds if hasattr(kind, record["op"])), Layer)


def case(record, form=""):
    for tensor in record["inputs"] + record["outputs"]:
        if not tensor["dtype"].startswith(TYPES):
            raise Untyped(f"type {tensor['dtype']}")
    c = kind_of(record)(record, record["test"], form).build()
    c.precision = "double" if record["inputs"][0]["dtype"] == "float64" else "float"
    names = c.results or [f"y{i}" for i in range(len(record["outputs"]))]
    c.expected = {name: Expected(t["data"], ATOL, RTOL) for name, t in zip(names, record["outputs"])}
    return c


def other_forms(record):
    """Names of forms in which the record is a case of further definitions."""
    return kind_of(record).forms(record)
