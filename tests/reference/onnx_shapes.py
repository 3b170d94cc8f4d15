"""ONNX' operators that move elements without computing: each is a reading at other subscripts."""

from math import prod

from cases import Skip, composite, letters, ranged, subscripted
from onnx_elementwise import broadcast
from onnx_node import Node

PADS = {"constant": "pad2d", "edge": "pad2d_edge", "reflect": "pad2d_reflect"}


def transposed(name, shape, order):
    """(subscripts, text, shape) of a tensor with its dims in another order."""
    index = letters(len(shape))
    return [index[i] for i in order], subscripted(name, index), [shape[i] for i in order]


def flattened(name, shape):
    """(subscripts, text) of a tensor as one dim."""
    index = letters(len(shape))
    return [composite(ranged(index, shape))], subscripted(name, index)


def unflattened(name, shape):
    """(subscripts, text) of one dim as a tensor."""
    index = letters(len(shape))
    return ranged(index, shape), subscripted(name, [composite(index)])


def whole(target, shape):
    """The shape a reshape gives, where 0 keeps a dim and -1 is what is left."""
    kept = [shape[i] if n == 0 else n for i, n in enumerate(target)]
    return [prod(shape) // -prod(kept) if n == -1 else n for n in kept]


class Shaping(Node):
    def declare_x0(self):
        self.case.input("x0", self.shape, self.inputs[0]["data"])

    def numbers(self, name, otherwise=None):
        """The data of an input that says what to do."""
        return [int(n) for n in self.named[name]["data"]] if name in self.named else otherwise

    def Transpose(self):
        self.declare_x0()
        left, text, _ = transposed("x0", self.shape, self.attribute("perm", range(len(self.shape))[::-1]))
        self.output(0, left, text)

    def Reshape(self):
        self.attribute("allowzero")
        self.declare_x0()
        self.let("flat", *flattened("x0", self.shape))
        self.output(0, *unflattened("flat", self.outputs[0]["shape"]))

    def Flatten(self):
        axis = self.axis(1)
        self.declare_x0()
        dims = ranged(self.index, self.shape)
        self.output(0, [composite(dims[:axis]), composite(dims[axis:])], self.all_of("x0"))

    def Squeeze(self):
        """Dims of one element come and go: those left keep their letters."""
        self.declare_x0()
        axes = [a % len(self.shape) for a in self.inputs[1]["data"]]
        read = ["0" if a in axes else i for a, i in enumerate(self.index)]
        self.output(0, [i for i in read if i != "0"], subscripted("x0", read))

    def Unsqueeze(self):
        self.declare_x0()
        rank = len(self.outputs[0]["shape"])
        axes = [a % rank for a in self.inputs[1]["data"]]
        left, names = [], iter(self.index)
        for a in range(rank):
            left.append(f"u{a} in 1" if a in axes else next(names))
        self.output(0, left, self.all_of("x0"))

    def Expand(self):
        self.declare_x0()
        shape = self.outputs[0]["shape"]
        index = letters(len(shape))
        self.output(0, ranged(index, shape), broadcast("x0", self.shape, index))

    def Concat(self):
        axis = self.axis()
        self.declare()
        if axis == len(self.shape) - 1 and len(self.inputs) == 2:
            return self.output(0, [], "concat(x0, x1)")
        (v, shift), texts = (self.index[axis], 0), []
        for i, tensor in enumerate(self.inputs):
            at = f"{v} - {shift}" if shift else v
            read = subscripted(f"x{i}", self.index[:axis] + [at] + self.index[axis + 1:])
            shift += tensor["shape"][axis]
            texts.append(f"if {v} < {shift} then {read} else " if i + 1 < len(self.inputs) else read)
        return self.output(0, ranged(self.index, self.outputs[0]["shape"]), "".join(texts))

    def Slice(self):
        """Starts and ends from the end of the dim are turned, and held within it."""
        starts, ends = self.numbers("starts"), self.numbers("ends")
        axes = self.numbers("axes", range(len(starts)))
        steps = self.numbers("steps", [1] * len(starts))
        self.declare_x0()
        read = list(self.index)
        for axis, start, end, step in zip(axes, starts, ends, steps):
            first = slice(start, end, step).indices(self.shape[axis])[0]
            read[axis] = f"{first} + {step}*{self.index[axis]}"
        self.output(0, ranged(self.index, self.outputs[0]["shape"]), subscripted("x0", read))

    def Split(self):
        axis, start = self.axis(0), 0
        self.attribute("num_outputs")
        self.declare_x0()
        for i, tensor in enumerate(self.outputs):
            read = self.index[:axis] + [f"{self.index[axis]} + {start}"] + self.index[axis + 1:]
            self.output(i, ranged(self.index, tensor["shape"]), subscripted("x0", read))
            start += tensor["shape"][axis]

    def Pad(self):
        """Of images by the library; elsewhere a constant around."""
        mode, rank = self.attribute("mode", "constant"), len(self.shape)
        pads = self.attribute("pads", self.numbers("pads"))
        axes = [a % rank for a in self.numbers("axes", range(rank))]
        before, after = [0] * rank, [0] * rank
        for i, axis in enumerate(axes):
            before[axis], after[axis] = pads[i], pads[i + len(axes)]
        value = self.attribute("value", self.named["value"]["data"][0] if "value" in self.named else 0)
        self.declare_x0()
        if rank == 4 and not any(before[:2] + after[:2]):
            sizes = [before[2], before[3], after[2], after[3]] + ([value] if mode == "constant" else [])
            return self.output(0, [], f"{PADS[mode]}(x0, {', '.join(map(str, sizes))})")
        if mode != "constant":
            raise Skip("padding other than of images")
        read = [f"{i} - {n}" if n else i for i, n in zip(self.index, before)]
        text = f"{subscripted('x0', read)[:-1]} | {value}]"
        return self.output(0, ranged(self.index, self.outputs[0]["shape"]), text)

    def SpaceToDepth(self):
        self.declare_x0()
        self.output(0, [], f"space_to_depth(x0, {self.attribute('blocksize')})")

    def ReverseSequence(self):
        """`reversed` has the batch first and then time."""
        swapped = self.attribute("time_axis", 0) == 0
        self.attribute("batch_axis")
        self.declare_x0()
        moved = [self.index[1], self.index[0], *self.index[2:]] if swapped else self.index
        self.let("m", moved, self.all_of("x0"))
        lengths = self.inputs[1]
        self.case.input("len", lengths["shape"], lengths["data"], f" : index({max(lengths['data']) + 1})")
        self.let("r", [], "reversed(m, len)")
        self.output(0, self.index, subscripted("r", moved))

    def Shape(self):
        """The dims as a definition knows them."""
        names = [f"D{i}" for i in range(len(self.shape))]
        asked = names[self.attribute("start", 0):self.attribute("end", len(names))]
        last = asked[-1] if asked else "0"
        text = "".join(f"if i == {i} then {name} else " for i, name in enumerate(asked[:-1])) + last
        name = f"dims_{'_'.join(asked)}_of_{len(names)}"
        self.case.head.append(f"def {name}(x[{', '.join(names)}]) -> y[{len(asked)}] "
                              f"{{ y[i in {len(asked)}] = {text} }}")
        self.declare_x0()
        self.output(0, [], f"{name}(x0)")

    def Size(self):
        self.case.head.append("def elements(x[...]) -> n { n = count[...] }")
        self.declare_x0()
        self.output(0, [], "elements(x0)")
