"""ONNX' elementwise operators, activations and comparisons: the formula of one element, with operands that
broadcast as numpy's do."""

from cases import Skip, letters, ranged, subscripted
from onnx_node import Node

FORMULAS = {
    "Relu": "relu({0})", "Sigmoid": "sigmoid({0})", "Tanh": "tanh({0})", "Erf": "erf({0})",
    "Softplus": "softplus({0})", "Softsign": "softsign({0})", "Gelu": "gelu({0})",
    "LeakyRelu": "leaky_relu({0}, {alpha})", "Elu": "elu({0}, {alpha})", "Celu": "celu({0}, {alpha})",
    "Selu": "selu({0}, {alpha}, {gamma})", "HardSigmoid": "hard_sigmoid({0}, {alpha}, {beta})",
    "Shrink": "shrink({0}, {lambd}, {bias})", "ThresholdedRelu": "thresholded_relu({0}, {alpha})",
    "Add": "{0} + {1}", "Sub": "{0} - {1}", "Mul": "{0}*{1}", "Div": "{0}/{1}", "Pow": "{0}^{1}",
    "Neg": "-{0}", "Abs": "abs({0})", "Sign": "sign({0})", "Floor": "floor({0})", "Ceil": "ceil({0})",
    "Reciprocal": "1/{0}", "Sqrt": "sqrt({0})", "Exp": "exp({0})", "Log": "log({0})",
    "Sin": "sin({0})", "Cos": "cos({0})", "Tan": "tan({0})", "Atan": "atan({0})",
    "Acos": "2*atan(sqrt((1 - {0})/(1 + {0})))", "Cosh": "0.5*(exp({0}) + exp(-{0}))",
    "Acosh": "log({0} + sqrt({0}^2 - 1))",
    "Atanh": "0.5*(log1p({0}) - log1p(-{0}))", "Mod": "{0} - {1}*sign({0}/{1})*floor(abs({0}/{1}))",
    "Where": "if {0} > 0 then {1} else {2}",
    "Greater": "{0} > {1}", "GreaterOrEqual": "{0} >= {1}", "Less": "{0} < {1}", "LessOrEqual": "{0} <= {1}",
}
DEFAULTS = {
    "LeakyRelu": {"alpha": 0.01}, "Elu": {"alpha": 1}, "Celu": {"alpha": 1},
    "Selu": {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5}, "Shrink": {"lambd": 0.5, "bias": 0},
    "ThresholdedRelu": {"alpha": 1},
}
ALSO = {  # formulas that say the same by other definitions; each is a case of its own
    "HardSigmoid": {"relu6": "relu6(6*({alpha}*{0} + {beta}))/6",
                    "hard_swish": "hard_swish(6*({alpha}*{0} + {beta}) - 3)/(6*({alpha}*{0} + {beta}) - 3)"},
    "Sigmoid": {"log_sigmoid": "exp(log_sigmoid({0}))", "silu": "silu({0})/{0}",
                "swish": "2*swish({0}/2, beta = 2)/{0}"},
    "Tanh": {"tanhshrink": "{0} - tanhshrink({0})"},
}


def folded(name):
    """Of any number of operands, by a function of two."""
    def text(operands):
        return operands[0] if len(operands) == 1 else f"{name}({operands[0]}, {text(operands[1:])})"
    return text


OF_ANY_NUMBER = {
    "Sum": " + ".join, "Mean": lambda operands: f"({' + '.join(operands)})/{len(operands)}",
    "Max": folded("max"), "Min": folded("min"),
}


def is_elementwise(op):
    return op in FORMULAS or op in OF_ANY_NUMBER


def broadcast_shape(shapes):
    rank = max(map(len, shapes))
    return [max(column) for column in zip(*([1] * (rank - len(shape)) + shape for shape in shapes))]


def broadcast(name, shape, index, axis=None):
    """The operand at an element of the result; its dims are the last of the result's unless told otherwise."""
    first = len(index) - len(shape) if axis is None else axis
    return subscripted(name, ["0" if n == 1 else i for n, i in zip(shape, index[first:])])


def formula(op, operands, options, axis=None, template=""):
    """(subscripts, text) of the result of operands [(name, shape)]; plain names where the shapes are the same."""
    shapes = [shape for _, shape in operands]
    shape = broadcast_shape(shapes)
    same = all(s == shape for s in shapes)
    index = [] if same else letters(len(shape))
    texts = [name if same else broadcast(name, s, index, axis if len(s) < len(shape) else None)
             for name, s in operands]
    text = OF_ANY_NUMBER[op](texts) if op in OF_ANY_NUMBER else \
        (template or FORMULAS[op]).format(*texts, **options)
    return ranged(index, shape) if index else [], text


class Elementwise(Node):
    @classmethod
    def forms(cls, record):
        return ALSO.get(record["op"], {})

    def operator(self):
        options = {k: self.attribute(k, v) for k, v in DEFAULTS.get(self.op, {}).items()}
        axis = self.attribute("axis") if self.attribute("broadcast") else None
        self.declare()
        operands = [(f"x{i}", tensor["shape"]) for i, tensor in enumerate(self.inputs)]
        self.output(0, *formula(self.op, operands, options, axis, self.form and ALSO[self.op][self.form]))

    def Mod(self):
        if not self.attribute("fmod"):
            raise Skip("remainders that take the divisor's sign")
        self.operator()

    def Clip(self):
        """The bounds are tensors, attributes in older versions."""
        self.declare()
        if "min" in self.attributes:
            return self.output(0, [], f"hard_tanh(x0, {self.attribute('min')}, {self.attribute('max')})")
        slots = iter(range(len(self.inputs)))
        given = [f"x{next(slots)}" if slot else "" for slot in self.slots] + ["", ""]
        text = f"max(x0, {given[1]})" if given[1] else "x0"
        return self.output(0, [], f"min({text}, {given[2]})" if given[2] else text)

    def PRelu(self):
        """The slope broadcasts: to the channels by the tests older than opset 7, else from the last dim."""
        slope = self.inputs[1]["shape"]
        self.declare()
        if len(slope) == 1 and slope[0] == self.shape[1] and slope[0] != self.shape[-1]:
            self.as_parameter("x1", "h.a")
            self.let("h", [], "prelu(x0)")
            return self.output(0, [], "h")
        x = self.all_of("x0")
        return self.output(0, self.index, f"if {x} > 0 then {x} else {broadcast('x1', slope, self.index)}*{x}")


for operator in [*FORMULAS, *OF_ANY_NUMBER]:
    if not hasattr(Elementwise, operator):
        setattr(Elementwise, operator, Elementwise.operator)
