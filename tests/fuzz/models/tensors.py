"""Extents and tensors of a program that grows."""

import math

NONE = frozenset()


class Size:
    """An extent: a number, or a run-time dim and its maximum."""

    def __init__(self, text, most):
        self.text, self.most = text, most

    @property
    def fixed(self):
        return self.text.isdigit()

    def __eq__(self, other):
        return self.text == other.text


def fixed(n):
    return Size(str(n), n)


class Tensor:
    """A named value; `kind` is how it came about, a whole number lies in low..high-1."""

    def __init__(self, name, sizes, type="real", kind="param", low=-1.0, high=1.0):
        self.name, self.sizes, self.type, self.kind = name, sizes, type, kind
        self.low, self.high = low, high
        self.reach, self.reads, self.ready, self.is_shown = NONE, set(), True, False


def points(sizes):
    return math.prod(size.most for size in sizes)


def declared(tensor):
    return tensor.name + (f"[{', '.join(size.text for size in tensor.sizes)}]" if tensor.sizes else "")


def bound(names, sizes):
    inside = ", ".join(f"{name} in {size.text}" for name, size in zip(names, sizes))
    return f"[{inside}]" if inside else ""
