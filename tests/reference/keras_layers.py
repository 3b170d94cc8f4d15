"""Keras' pools and its attention over single heads.

x0 is an input as Keras has it, x and h are in our order of dims, the channels before the places.
"""

from cases import Case, Expected, Skip, ranged

# How the library names the option of each place.
SUFFIXES = {1: [""], 2: ["", "_w"], 3: ["", "_h", "_w"]}
WINDOWED = {"MaxPooling": ("maxpool", ""), "AveragePooling": ("avgpool", ", counted = false")}
GLOBAL = {"GlobalMaxPooling": "global_maxpool", "GlobalAveragePooling": "global_avgpool"}
PLACES = ["p", "q", "r"]


class Layer:
    """One record: its tensors are declared, then `y` gets the expected result."""

    def __init__(self, record):
        self.case = Case(record["id"])
        self.kind = record["layer"]["layer"]
        self.options = dict(record["layer"]["options"])
        self.call = record["calls"][-1]
        self.inputs, *self.masks = self.call["inputs"]
        self.wanted = (record["select"] or ["output 0"])[0]
        tolerance, value = record["tolerance"], record["expected"]
        self.case.expected = {"y": Expected(value["data"], tolerance["atol"], tolerance["rtol"])}

    # ---- pools

    def declare_image(self):
        """x[n, c, places], and how a result of places is subscripted in the order of the case."""
        self.shape = self.inputs["shape"]
        self.is_last = self.options.pop("data_format", "channels_last") == "channels_last"
        self.places = PLACES[:len(self.shape) - 2]
        self.case.input("x0", self.shape, self.inputs["data"])
        self.case.line(f"x[n, c, {', '.join(self.places)}] = x0[{', '.join(self.ordered(self.places))}]")

    def ordered(self, places):
        return ["n", *places, "c"] if self.is_last else ["n", "c", *places]

    def sizes(self):
        """Of the places of the input."""
        return self.shape[1:-1] if self.is_last else self.shape[2:]

    def option(self, name, default=None):
        """A number for each place."""
        value = self.options.pop(name, None)
        value = default if value is None else value
        return value if isinstance(value, list) else [value] * len(self.places)

    def windowed(self, definition, more):
        size = self.option("pool_size", 2)
        stride = self.option("strides", size)
        same = self.options.pop("padding", "valid") == "same"
        words = []
        for k, suffix in enumerate(SUFFIXES[len(size)]):
            extent = self.sizes()[k]
            rest = (-(-extent // stride[k]) - 1) * stride[k] + size[k] - extent
            pad = max(rest, 0) if same else 0
            words += [f"size{suffix} = {size[k]}", f"stride{suffix} = {stride[k]}",
                      f"pad{suffix} = {pad // 2}", f"pad_end{suffix} = {pad - pad // 2}"]
        self.case.line(f"h = {definition}{len(size)}d(x, {', '.join(words)}{more})")
        self.case.line(f"output y[{', '.join(self.ordered(self.places))}] = h[n, c, {', '.join(self.places)}]")

    def over_all(self, definition):
        kept = ranged(self.places, [1] * len(self.places)) if self.options.pop("keepdims", False) else []
        for mask in self.masks:
            self.case.input("mask", mask["shape"], mask["data"])
        self.case.line(f"h = {definition}({', '.join(['x', *(['mask'] if self.masks else [])])})")
        self.case.line(f"output y[{', '.join(self.ordered(kept))}] = h[n, c]")

    # ---- attention

    def declare_sequences(self):
        """q0, k0 and v[N, T, D]; without keys the values are the keys. For the scores, the second output, the
        values are unit vectors: what is read of them is the weights."""
        query, value, *key = self.inputs
        key = key[0] if key else value
        self.case.input("q0", query["shape"], query["data"])
        self.case.input("k0", key["shape"], key["data"])
        if self.wanted == "output 0":
            self.case.input("v0", value["shape"], value["data"])
        else:
            batch, steps, _ = key["shape"]
            self.case.line(f"v0[n in {batch}, u in {steps}, e in {steps}] = if u == e then 1 else 0")

    def declare_mask(self):
        """The argument that hides values; queries that are hidden get 0, though they have scores."""
        masks = self.call["options"].get("mask")
        if not masks:
            return ""
        for name, mask in zip(("seen_q", "seen_v"), masks):
            self.case.input(name, mask["shape"], [int(b) for b in mask["data"]])
        hidden = "seen_q[n, t]*" if self.wanted == "output 0" else ""
        self.case.line(f"mask[n, t in {self.inputs[0]['shape'][1]}, u] = {hidden}seen_v[n, u]")
        return ", mask = mask"

    def dot(self):
        """Scores without a scale, of one head."""
        self.declare_sequences()
        mask = self.declare_mask()
        for name in "qkv":
            self.case.line(f"{name}[n, t, a in 1, e] = {name}0[n, t, e]")
        self.case.line(f"h = attend(q, k, v{mask}, scale = 1)")
        self.case.line("output y[n, t, e] = h[n, t, 0, e]")

    def additive(self):
        self.declare_sequences()
        mask = self.declare_mask()
        self.case.line(f"h = additive_attend(q0, k0, v0{mask})")
        self.case.values["h.w"] = [1] * self.inputs[0]["shape"][2]
        self.case.line("output y = h")

    def Attention(self):
        if self.options.pop("score_mode", "dot") == "concat":
            self.additive()
        else:
            self.dot()

    def AdditiveAttention(self):
        if self.options.pop("use_scale", True):
            raise Skip("a scale that is drawn")
        self.additive()

    def build(self):
        name = self.kind[:-2] if self.kind.endswith("D") else self.kind
        if name in WINDOWED:
            self.declare_image()
            self.windowed(*WINDOWED[name])
        elif name in GLOBAL:
            self.declare_image()
            self.over_all(GLOBAL[name])
        elif hasattr(self, name):
            getattr(self, name)()
        else:
            raise Skip(f"no layer like {self.kind}")
        if self.options:
            raise Skip(f"no options like {', '.join(self.options)}")
        return self.case


def case(record):
    return Layer(record).build()
