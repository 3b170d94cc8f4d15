"""What a reference case is: a small program, numbers for its inputs and parameters, and the numbers an
independent implementation got.

A suite's module turns its records into cases with the help of Case.input and Case.line; a record without
a counterpart raises Skip with the reason.
"""

import math

LETTERS = "abcdefgh"  # index variables, one for each dim


class Skip(Exception):
    """The record has no counterpart here; the reason is the message."""


class Untyped(Skip):
    """The language has no type for what the record is about; it counts neither as passed nor as failed."""


class Expected:
    def __init__(self, data, atol, rtol):
        self.data, self.atol, self.rtol = data, atol, rtol

    def mismatch(self, found):
        """None, or where the first wrong number is."""
        if len(found) != len(self.data):
            return f"{len(found)} numbers, not {len(self.data)}"
        for i, (x, y) in enumerate(zip(found, self.data)):
            x, y = float(x), float(y)
            if x == y or (math.isnan(x) and math.isnan(y)):
                continue
            if not abs(x - y) <= self.atol + self.rtol * abs(y):
                return f"number {i} is {x!r}, not {y!r}"
        return None


class Case:
    """A program, eval unless it has train steps, with what to set and what to expect."""

    def __init__(self, name):
        self.name = name
        self.head = []  # definitions before the model
        self.lines = []
        self.values = {}  # of inputs, parameters and states
        self.batches = None  # inputs of each train step
        self.asks_gradients = False  # by gradient(..)
        self.precision = "float"  # or "double"
        self.results = None  # names of what is expected; null: y0, y1, ..
        self.expected = {}  # tensor -> Expected
        self.except_by = {}  # back end -> why not by this one

    def input(self, name, shape, data, kind=""):
        """Declares an input; its values are set before the run."""
        dims = "[" + ", ".join(map(str, shape)) + "]" if shape else ""
        self.lines.append(f"input {name}{dims}{kind}")
        self.values[name] = data
        return name

    @property
    def derives(self):
        return self.asks_gradients or self.batches is not None

    def line(self, text):
        self.lines.append(text)

    def source(self):
        """What stands after `model NAME`."""
        return "{\n" + "".join(f"  {line}\n" for line in self.lines) + "}"

    def program(self):
        return "".join(f"{line}\n" for line in self.head) + f"model m {self.source()}\n"

    def request(self):
        """As tests/tools/interpret.c and tests/emit/drive.c take it."""
        request = {"set": self.values, "ask": list(self.expected)}
        if self.batches is None:
            request["program"] = "eval"
        else:
            request["batches"] = self.batches
        return request


def letters(rank):
    return list(LETTERS[:rank])


def subscripted(name, subscripts):
    """name[a, b]; a scalar's bare name."""
    return f"{name}[{', '.join(subscripts)}]" if subscripts else name


def composite(subscripts):
    """One subscript for several dims together."""
    return "(" + ", ".join(subscripts) + ")" if len(subscripts) > 1 else subscripts[0]


def ranged(subscripts, shape):
    """Left-side subscripts with their ranges, as composites need them."""
    return [f"{s} in {n}" for s, n in zip(subscripts, shape)]
