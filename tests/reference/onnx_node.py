"""What the modules of ONNX operators share: one record of one node, and the lines of its program.

Inputs are x0, x1, ... in the node's order, outputs y0, y1, ...
"""

from cases import Case, Skip, letters, subscripted


class Node:
    """One record of one node. A `form` other than "" says the same by other definitions, as a case of its own."""

    @classmethod
    def forms(cls, record):
        return []

    def __init__(self, record, name, form=""):
        self.form = form
        self.case = Case(name)
        self.op = record["op"]
        self.attributes = dict(record["attributes"] or {})
        tensors = {t["name"]: t for t in record["inputs"] + record.get("initializers", [])}
        self.slots = record["node_inputs"]  # with "" for an input that is not given
        self.named = {n: tensors[n] for n in self.slots if n}
        self.inputs = list(self.named.values())
        self.outputs = record["outputs"]
        self.shape = self.inputs[0]["shape"]
        self.index = letters(len(self.shape))

    def attribute(self, name, otherwise=None):
        return self.attributes.pop(name, otherwise)

    def declare(self, *kinds):
        for i, tensor in enumerate(self.inputs):
            kind = kinds[i] if i < len(kinds) else ""
            self.case.input(f"x{i}", tensor["shape"], tensor["data"], kind)

    def as_parameter(self, name, path):
        """A declared input becomes the parameter of a layer."""
        self.case.lines = [line for line in self.case.lines if not line.startswith(f"input {name}[")]
        self.case.values[path] = self.case.values.pop(name)

    def axis(self, otherwise=-1):
        return self.attribute("axis", otherwise) % max(len(self.shape), 1)

    def output(self, number, subscripts, text):
        self.case.line(f"output {subscripted(f'y{number}', subscripts)} = {text}")

    def let(self, name, subscripts, text):
        self.case.line(f"{subscripted(name, subscripts)} = {text}")

    def all_of(self, name):
        return subscripted(name, self.index)

    def on_axis(self, axis, layer):
        """The output is a layer `softmax({})` of x0, which works on the last dim, on another one."""
        moved = self.index[:axis] + self.index[axis + 1:] + [self.index[axis]]
        if moved == self.index:
            return self.output(0, [], layer.format("x0"))
        self.let("m", moved, self.all_of("x0"))
        self.let("h", [], layer.format("m"))
        return self.output(0, self.index, subscripted("h", moved))

    def build(self):
        """The case of an operator that is a method; every attribute must have been asked for."""
        if not hasattr(self, self.op):
            raise Skip(f"no counterpart of {self.op}")
        getattr(self, self.op)()
        if self.attributes:
            raise Skip(f"no attributes like {', '.join(self.attributes)}")
        return self.case
