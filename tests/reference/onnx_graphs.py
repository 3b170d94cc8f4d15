"""The ONNX records of several nodes: each node is an equation of its own."""

from cases import Case, Skip, letters, subscripted
from onnx_elementwise import DEFAULTS, broadcast, broadcast_shape, formula, is_elementwise
from onnx_shapes import flattened, transposed, unflattened

ALSO = {  # what a library definition makes of the whole graph
    "test_PixelShuffle": {"pixel_shuffle": "pixel_shuffle(x0, 3)"}, "test_Softmin": {"softmin": "softmin(x0)"},
}
LAST_DIM = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Hardmax": "hardmax"}


class Graph:
    """Tensors have the names x0, x1, ... and, once their node is written, v0, v1, ..."""

    @classmethod
    def forms(cls, record):
        return ALSO.get(record["test"], {})

    def __init__(self, record, name, form=""):
        self.form = form
        self.case = Case(name)
        self.record = record
        self.known = {}  # ONNX' name -> (ours, shape)
        self.constants = {}

    def declare(self):
        for tensor in self.record["inputs"] + self.record.get("initializers", []):
            ours = self.case.input(f"x{len(self.known)}", tensor["shape"], tensor["data"])
            self.known[tensor["name"]] = (ours, tensor["shape"])

    def equation(self, result, shape, left, text):
        ours = f"v{len(self.known)}"
        self.case.line(f"{subscripted(ours, left)} = {text}")
        self.known[result] = (ours, shape)

    # ---- nodes: operands [(name, shape)], attributes, the names of the results

    def Constant(self, operands, attributes, results):
        value = attributes["value"]
        self.constants[results[0]] = value["data"]
        if value["dtype"].startswith("float"):
            ours = self.case.input(f"x{len(self.known)}", value["shape"], value["data"])
            self.known[results[0]] = (ours, value["shape"])
        else:
            self.known[results[0]] = (None, value["shape"])

    def elementwise(self, op, operands, attributes, results):
        attributes.pop("broadcast", None)
        options = {**DEFAULTS.get(op, {}), **attributes}
        self.equation(results[0], broadcast_shape([s for _, s in operands]), *formula(op, operands, options))

    def last_dim(self, op, operands, attributes, results):
        (name, shape), = operands
        if attributes.get("axis", -1) % len(shape) != len(shape) - 1:
            raise Skip("a softmax over another dim than the last")
        self.equation(results[0], shape, [], f"{LAST_DIM[op]}({name})")

    def Gemm(self, operands, attributes, results):
        if attributes.get("transA") or attributes.get("transB"):
            raise Skip("a transposed product within a graph")
        (a, left), (b, right), (c, bias) = operands
        alpha, beta = attributes.get("alpha", 1), attributes.get("beta", 1)
        text = f"{alpha}*sum[k]({a}[i, k]*{b}[k, j]) + {beta}*{broadcast(c, bias, ['i', 'j'])}"
        self.equation(results[0], [left[0], right[1]], ["i", "j"], text)

    def Reshape(self, operands, attributes, results):
        name, shape = operands[0]
        target = self.constants[self.node["inputs"][1]]
        self.equation(f"flat {results[0]}", shape, *flattened(name, shape))
        flat, _ = self.known[f"flat {results[0]}"]
        self.equation(results[0], target, *unflattened(flat, target))

    def Transpose(self, operands, attributes, results):
        left, text, shape = transposed(*operands[0], attributes["perm"])
        self.equation(results[0], shape, left, text)

    def Gradient(self, operands, attributes, results):
        self.case.asks_gradients = True
        y, _ = self.known[attributes["y"]]
        for result, x in zip(results, attributes["xs"]):
            ours, shape = self.known[x]
            self.equation(result, shape, [], f"gradient({y}, {ours})")

    # ----

    def write(self, node):
        self.node = node
        op, attributes = node["op"], dict(node["attributes"])
        operands = [self.known[name] for name in node["inputs"]]
        if is_elementwise(op):
            self.elementwise(op, operands, attributes, node["outputs"])
        elif op in LAST_DIM:
            self.last_dim(op, operands, attributes, node["outputs"])
        elif hasattr(self, op):
            getattr(self, op)(operands, attributes, node["outputs"])
        else:
            raise Skip(f"no counterpart of {op}")

    def build(self):
        self.declare()
        if self.form:
            self.case.line(f"output y0 = {ALSO[self.record['test']][self.form]}")
            return self.case
        for node in self.record["nodes"]:
            self.write(node)
        for i, tensor in enumerate(self.record["outputs"]):
            self.case.line(f"output y{i} = {self.known[tensor['name']][0]}")
        return self.case
