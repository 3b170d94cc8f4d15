"""ONNX' gathers and scatters: reads at subscripts that are data, and sums over those that name an element."""

from cases import Skip, letters, ranged, subscripted
from onnx_node import Node


class Gathering(Node):
    """x0 is the data, x1 the indices; negative ones count from the end."""

    def declare_indices(self, tensor, size):
        """x1, and how its element at some subscripts is one of 0 .. size - 1."""
        numbers = [int(float(number)) for number in tensor["data"]]
        low = -size if min(numbers) < 0 else 0
        self.case.input("x1", tensor["shape"], numbers, f" : index({low}, {size})")
        return lambda at: f"({subscripted('x1', at)} + {size})%{size}" if low else subscripted("x1", at)

    def declare_data(self):
        self.case.input("x0", self.shape, self.inputs[0]["data"])

    def Gather(self):
        axis, indices = self.axis(0), self.inputs[1]
        if axis == 0 and len(self.shape) == 2:
            self.declare_indices(indices, self.shape[0])
            self.case.values["h.E"] = self.inputs[0]["data"]
            self.let("h", [], f"embedding(x1, {self.shape[0]}, {self.shape[1]})")
            return self.output(0, [], "h")
        self.declare_data()
        number = self.declare_indices(indices, self.shape[axis])
        at = [f"v{i}" for i in range(len(indices["shape"]))]
        before, after = self.index[:axis], self.index[axis + 1:]
        return self.output(0, before + at + after, subscripted("x0", before + [number(at)] + after))

    def GatherElements(self):
        axis = self.axis(0)
        self.declare_data()
        number = self.declare_indices(self.inputs[1], self.shape[axis])
        at = self.index[:axis] + [number(self.index)] + self.index[axis + 1:]
        self.output(0, ranged(self.index, self.inputs[1]["shape"]), subscripted("x0", at))

    def OneHot(self):
        indices, depth = self.inputs[0], int(float(self.inputs[1]["data"][0]))
        rank = len(indices["shape"])
        axis = self.attribute("axis", -1) % (rank + 1)
        number = self.declare_indices(indices, depth)
        self.case.input("x2", [2], self.inputs[2]["data"])
        at = letters(rank)
        left = at[:axis] + [f"d in {depth}"] + at[axis:]
        self.output(0, left, f"if {number(at)} == d then x2[1] else x2[0]")

    def scatter(self, over, hit, update):
        """Each element with the updates of the indices that hit it."""
        self.case.input("x2", self.inputs[2]["shape"], self.inputs[2]["data"])
        old = self.all_of("x0")
        new = {"none": f"if any[{over}]({hit}) then sum[{over} if {hit}]({update}) else {old}",
               "add": f"{old} + sum[{over} if {hit}]({update})",
               "mul": f"{old}*prod[{over} if {hit}]({update})",
               "max": f"max({old}, max[{over} if {hit}]({update}))",
               "min": f"min({old}, min[{over} if {hit}]({update}))"}
        self.output(0, self.index, new[self.attribute("reduction", "none")])

    def ScatterElements(self):
        axis, shape = self.axis(0), self.inputs[1]["shape"]
        if any(a != b for i, (a, b) in enumerate(zip(shape, self.shape)) if i != axis):
            raise Skip("indices for a part of the other dims")
        self.declare_data()
        number = self.declare_indices(self.inputs[1], self.shape[axis])
        at = self.index[:axis] + ["v"] + self.index[axis + 1:]
        self.scatter("v", f"{number(at)} == {self.index[axis]}", subscripted("x2", at))

    def ScatterND(self):
        *leading, depth = self.inputs[1]["shape"]
        if len(set(self.shape[:depth])) > 1:
            raise Skip("indices of dims of several sizes")
        self.declare_data()
        number = self.declare_indices(self.inputs[1], self.shape[0])
        at = [f"v{i}" for i in range(len(leading))]
        hit = " and ".join(f"{number(at + [str(i)])} == {self.index[i]}" for i in range(depth))
        self.scatter(", ".join(at), hit, subscripted("x2", at + self.index[depth:]))
