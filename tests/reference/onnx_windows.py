"""ONNX' convolutions and pools: windows with their attributes, as the library's definitions take them."""

from math import ceil, prod

from cases import Skip, composite, letters, ranged, subscripted
from onnx_node import Node

SUFFIXES = {1: [""], 2: ["", "_w"], 3: ["", "_h", "_w"]}


class Windows(Node):
    """Operators whose attributes say how a window moves over the dims after the channels."""

    def read_window(self, sizes, transposed=False):
        """sizes, strides, dilations and pads, one for each dim of space."""
        dims = len(sizes)
        self.sizes = list(sizes)
        self.attribute("kernel_shape")
        self.strides = list(self.attribute("strides", [1] * dims))
        self.dilations = list(self.attribute("dilations", [1] * dims))
        pads = self.attribute("pads", [0] * 2 * dims)
        self.before, self.after = pads[:dims], pads[dims:]
        self.extra = list(self.attribute("output_padding", [0] * dims))
        mode = self.attribute("auto_pad", "NOTSET")
        shape = self.attribute("output_shape")
        if mode.startswith("SAME") or shape:
            out = shape or [n * s if transposed else ceil(n / s) for n, s in zip(self.shape[2:], self.strides)]
            self.pad_to(out, mode == "SAME_UPPER", transposed)
        if self.attribute("ceil_mode", 0):
            self.round_up()

    def reach(self):
        """From the first to the last element of a window, of each dim."""
        return [d * (k - 1) + 1 for d, k in zip(self.dilations, self.sizes)]

    def pad_to(self, out, upper, transposed):
        """The pads that give this size; of an odd number the larger part goes after when `upper`. A transposed
        convolution takes away what is too much, and has zeros after when it is too little."""
        for i, (n, m, s, r) in enumerate(zip(self.shape[2:], out, self.strides, self.reach())):
            total = s * (n - 1) + r + self.extra[i] - m if transposed else (m - 1) * s + r - n
            if transposed and total < 0:
                self.extra[i], total = self.extra[i] - total, 0
            total = max(total, 0)
            smaller = total // 2
            self.before[i] = smaller if upper else total - smaller
            self.after[i] = total - self.before[i]

    def round_up(self):
        """Pads after, so that no element is left out; no window begins behind the padded elements."""
        for i, (n, s, r) in enumerate(zip(self.shape[2:], self.strides, self.reach())):
            padded = n + self.before[i] + self.after[i]
            windows = ceil((padded - r) / s) + 1
            if (windows - 1) * s >= n + self.before[i]:
                windows -= 1
            self.after[i] += max((windows - 1) * s + r - padded, 0)

    def moves(self):
        return {"size": self.sizes, "stride": self.strides, "dilation": self.dilations, "pad": self.before,
                "pad_end": self.after}

    def options(self, *names):
        """Hyper-parameters of a library definition, those of all dims."""
        values = {**self.moves(), "extra": self.extra}
        suffixes = SUFFIXES[len(self.sizes)]
        return [f"{name}{suffix} = {value}" for name in names for suffix, value in zip(suffixes, values[name])]

    # ---- convolutions

    def Conv(self, transposed=False):
        """x0 is declared; the weight and the bias are those of the layer `h`."""
        weight = self.inputs[1]
        self.read_window(weight["shape"][2:], transposed)
        groups = self.attribute("group", 1)
        channels = weight["shape"][1] * groups if transposed else weight["shape"][0]
        self.case.input("x0", self.shape, self.inputs[0]["data"])
        source = self.deepened() if self.form == "volume" else "x0"
        self.case.values["h.w"] = weight["data"]
        if len(self.inputs) > 2:
            self.case.values["h.b"] = self.inputs[2]["data"]
        options = [f"K = {channels}", f"groups = {groups}", f"bias = {str(len(self.inputs) > 2).lower()}"]
        options += self.options("size", "stride", "dilation", "pad", "pad_end")
        options += self.options("extra") if transposed else []
        layer = f"conv{len(self.sizes)}d{'_transposed' if transposed else ''}"
        self.let("h", [], f"{layer}({source}, {', '.join(options)})")
        if self.form == "volume":
            return self.output(0, ["n", "k", "p", "q"], "h[n, k, 0, p, q]")
        return self.output(0, [], "h")

    def deepened(self):
        """The images as volumes of depth 1, and a window of depth 1."""
        for values in (self.sizes, self.strides, self.dilations):
            values.insert(0, 1)
        for values in (self.before, self.after, self.extra):
            values.insert(0, 0)
        self.let("v", ["n", "c", "d in 1", "p", "q"], "x0[n, c, p, q]")
        return "v"

    def ConvTranspose(self):
        self.Conv(transposed=True)

    def CausalConvWithState(self):
        """Depthwise over the state and then the input; the state after it is the end of both."""
        n, c, t = self.shape
        size = self.named["weight"]["shape"][2]
        self.case.input("x", self.shape, self.named["input"]["data"])
        past = self.named.get("past_state")
        if past:
            self.case.input("past", [n, c, size - 1], past["data"])
        before = "past[n, c, v | 0]" if past else "0"
        both = f"if v < {size - 1} then {before} else x[n, c, v - {size - 1} | 0]"
        self.let("whole", ["n in %d" % n, "c in %d" % c, f"v in {t + size - 1}"], both)
        self.case.values["h.w"] = self.named["weight"]["data"]
        bias = "bias" in self.named
        if bias:
            self.case.values["h.b"] = self.named["bias"]["data"]
        self.let("h", [], f"conv1d(whole, {c}, {size}, pad = 0, groups = {c}, bias = {str(bias).lower()})")
        activation = {"silu": "silu(h)", "swish": "silu(h)", "none": "h"}[self.attribute("activation", "none")]
        self.output(0, [], activation)
        self.output(1, ["n", "c", f"v in {size - 1}"], f"whole[n, c, v + {t}]")

    def Col2Im(self):
        """The adjoint of cutting an image into blocks: each element is the sum of those that it went to."""
        image, block = self.inputs[1]["data"], self.inputs[2]["data"]
        self.shape = [*self.shape[:2], *image]
        self.read_window(block)
        self.case.input("x0", self.inputs[0]["shape"], self.inputs[0]["data"])
        place, step = letters(len(image)), [f"r{i}" for i in range(len(image))]
        at, fits = "0", []
        for i, (p, r) in enumerate(zip(place, step)):
            moved, stride = f"({p} + {self.before[i]} - {self.dilations[i]}*{r})", self.strides[i]
            count = (image[i] + self.before[i] + self.after[i] - self.reach()[i]) // stride + 1
            at = f"({at}*{count} + {moved}//{stride})"
            fits.append(f"{moved}%{stride} == 0 and {moved} >= 0 and {moved} < {stride * count}")
        source = f"x0[n, {composite(['v', *step])}, {at}]"
        left = ["n", f"v in {self.inputs[0]['shape'][1] // prod(block)}"] + ranged(place, image)
        over = ", ".join(ranged(step, block))
        self.output(0, left, f"sum[{over} if {' and '.join(fits)}]({source})")

    # ---- pools

    @classmethod
    def forms(cls, record):
        is_image = len(record["outputs"][0]["shape"]) == 4
        form = {"AveragePool": "lines", "LpPool": "lines", "ConvTranspose": "volume"}.get(record["op"])
        return [form] if form and is_image else []

    def pool_lines(self, name, *options):
        """A pool of an image is one of its rows and then one of the columns of that."""
        height, width = ([*options, *(f"{key} = {values[i]}" for key, values in self.moves().items())]
                         for i in range(2))
        n, c, h, _ = self.shape
        _, _, p, q = self.outputs[0]["shape"]
        self.let("rows", ["n", f"(c in {c}, h in {h})", "w"], "x0[n, c, h, w]")
        self.let("r", [], f"{name}1d(rows, {', '.join(width)})")
        self.let("columns", ["n", f"(c in {c}, q in {q})", f"h in {h}"], "r[n, (c, h), q]")
        self.let("s", [], f"{name}1d(columns, {', '.join(height)})")
        self.output(0, ["n", f"c in {c}", f"p in {p}", f"q in {q}"], "s[n, (c, q), p]")

    def pool(self, name, *options):
        self.declare()
        if self.form:
            return self.pool_lines(name, *options)
        dims = len(self.sizes)
        options = [*options, *self.options("size", "stride", "dilation", "pad", "pad_end")]
        return self.output(0, [], f"{name}{dims}d(x0, {', '.join(options)})")

    def read_pool(self):
        self.attribute("storage_order")
        self.read_window(self.attributes["kernel_shape"])

    def MaxPool(self):
        self.read_pool()
        self.pool("maxpool")

    def AveragePool(self):
        """What rounding up adds is never counted."""
        padded = any(self.attributes.get("pads", [0]))
        if padded and self.attributes.get("ceil_mode") and self.attributes.get("count_include_pad"):
            raise Skip("windows that count a part of their padding")
        counted = self.attribute("count_include_pad", 0) and padded
        self.read_pool()
        self.pool("avgpool", f"counted = {str(bool(counted)).lower()}")

    def LpPool(self):
        p = self.attribute("p", 2)
        self.read_pool()
        self.pool("lppool", f"p = {p}")

    def whole(self, name):
        self.declare()
        self.let("h", [], f"{name}(x0)")
        ones = [f"{i} in 1" for i in self.index[2:]]
        self.output(0, self.index[:2] + ones, subscripted("h", self.index[:2]))

    def GlobalAveragePool(self):
        self.whole("global_avgpool")

    def GlobalMaxPool(self):
        self.whole("global_maxpool")

    def MaxUnpool(self):
        """Each value at its number in the unpooled image, which fills a corner of the output."""
        n, c, *image = [(k - 1) * s + r for k, s, r in zip(self.shape, [1, 1, *self.attribute("strides")],
                                                           [1, 1, *self.attribute("kernel_shape")])]
        if len(image) != 2:
            raise Skip("unpooling of other than images")
        height, width = image
        self.case.input("x0", self.shape, self.inputs[0]["data"])
        kind = f" : index({n * c * height * width})"
        self.case.input("x1", self.shape, self.inputs[1]["data"], kind)
        number = f"((n*{c} + c)*{height} + p)*{width} + q"
        left = ["n", "c"] + ranged(["p", "q"], self.outputs[0]["shape"][2:])
        hits = f"sum[i, j if x1[n, c, i, j] == {number}](x0[n, c, i, j])"
        self.output(0, left, f"if p < {height} and q < {width} then {hits} else 0")
