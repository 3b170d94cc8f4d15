"""ONNX' reductions over some dims, the places of extremes, and running sums and products."""

from cases import ranged, subscripted
from onnx_node import Node

REDUCTIONS = {  # of the elements {x} over {v}
    "ReduceSum": "sum[{v}]({x})", "ReduceMean": "mean[{v}]({x})", "ReduceProd": "prod[{v}]({x})",
    "ReduceMax": "max[{v}]({x})", "ReduceMin": "min[{v}]({x})", "ReduceL1": "sum[{v}](abs({x}))",
    "ReduceL2": "sqrt(sum[{v}]({x}^2))", "ReduceLogSum": "log(sum[{v}]({x}))",
    "ReduceLogSumExp": "lse[{v}]({x})", "ReduceSumSquare": "sum[{v}]({x}^2)",
}


class Reduction(Node):
    def axes(self):
        """The dims to reduce, in order; all when none are named."""
        given = self.attribute("axes", [])
        if len(self.inputs) > 1:
            given = self.inputs[1]["data"]
        if not given and self.attribute("noop_with_empty_axes", 0):
            return []
        self.attribute("noop_with_empty_axes")
        return sorted(axis % len(self.shape) for axis in given) or list(range(len(self.shape)))

    def result(self, axes, text):
        """The output without the reduced dims, or with ones in their place."""
        keep = self.attribute("keepdims", 1)
        places = [f"{i} in 1" if a in axes else i for a, i in enumerate(self.index) if keep or a not in axes]
        self.output(0, places, text)

    def reduce(self):
        axes = self.axes()
        self.case.input("x0", self.shape, self.inputs[0]["data"])
        over = ", ".join(self.index[a] for a in axes)
        x = self.all_of("x0")
        self.result(axes, REDUCTIONS[self.op].format(v=over, x=x) if over else x)

    def place(self):
        """The first of equal extremes; the last one is the first from the other end."""
        axis = self.axis(0)
        self.declare()
        v, size = self.index[axis], self.shape[axis]
        reduction = self.op.lower()
        if self.attribute("select_last_index", 0):
            backwards = self.index[:axis] + [f"{size - 1} - {v}"] + self.index[axis + 1:]
            text = f"{size - 1} - {reduction}[{v} in {size}]({subscripted('x0', backwards)})"
        else:
            text = f"{reduction}[{v}]({self.all_of('x0')})"
        self.result([axis], text)

    ArgMax = ArgMin = place

    def running(self):
        axis = int(self.inputs[1]["data"][0]) % len(self.shape)
        self.case.input("x0", self.shape, self.inputs[0]["data"])
        order = (">" if self.attribute("reverse", 0) else "<") + ("" if self.attribute("exclusive", 0) else "=")
        read = self.index[:axis] + ["v"] + self.index[axis + 1:]
        name = {"CumSum": "sum", "CumProd": "prod"}[self.op]
        self.output(0, ranged(self.index, self.shape),
                    f"{name}[v if v {order} {self.index[axis]}]({subscripted('x0', read)})")

    CumSum = CumProd = running


for operator in REDUCTIONS:
    setattr(Reduction, operator, Reduction.reduce)
