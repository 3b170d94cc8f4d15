"""ONNX' recurrent layers over x0[T, N, I] and its dropout.

Weights come as W[direction, gate*H + k, i]; ours are Wx[i, gate, k], the gates in another order.
"""

import random

from cases import Skip, ranged
from onnx_node import Node

GATES = {"RNN": [0], "LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2]}  # theirs for each of ours


def uniform_draws(seed, count):
    """The draws of NumPy's RandomState: a Mersenne twister begun by one number."""
    words = [seed]
    for i in range(1, 624):
        words.append((1812433253 * (words[-1] ^ words[-1] >> 30) + i) & 0xFFFFFFFF)
    generator = random.Random()
    generator.setstate((3, (*words, 624), None))
    return [generator.random() for _ in range(count)]


class Sequence(Node):
    """Layers over time, forwards, that give their last state."""

    def turned(self, name):
        """theirs[gate*H + k, i] as ours[i, gate, k]."""
        tensor, size = self.named[name], self.attributes["hidden_size"]
        width = tensor["shape"][2]
        rows = [tensor["data"][i:i + width] for i in range(0, len(tensor["data"]), width)]
        return [rows[gate * size + k][i] for i in range(width) for gate in GATES[self.op] for k in range(size)]

    def biases(self):
        """Those of the input and those of the state, ours[gate, k]."""
        size, gates = self.attributes["hidden_size"], GATES[self.op]
        data = self.named["B"]["data"] if "B" in self.named else [0] * (2 * size * len(gates))
        halves = data[:len(data) // 2], data[len(data) // 2:]
        return [[float(half[gate * size + k]) for gate in gates for k in range(size)] for half in halves]

    def recurrent(self, layer, *options):
        if set(self.named) - {"X", "W", "R", "B"} or [o["name"] for o in self.outputs] != ["Y_h"]:
            raise Skip("no counterpart of these inputs and outputs")
        size, values = self.attributes["hidden_size"], self.case.values
        values["h.Wx"], values["h.Wh"] = self.turned("W"), self.turned("R")
        of_input, of_state = self.biases()
        if self.attributes.pop("linear_before_reset", 0):
            values["h.bn"] = of_state[2 * size:]
            of_state[2 * size:] = [0] * size
            options = []
        values["h.b"] = [a + b for a, b in zip(of_input, of_state)]
        self.case.input("x0", self.shape, self.inputs[0]["data"])
        self.let("x", ["n", "t", "i"], "x0[t, n, i]")
        self.let("h", [], f"{layer}(x, {', '.join([f'H = {size}', *options])})")
        self.output(0, ["d in 1", "n", "k"], f"h[n, {self.shape[0] - 1}, k]")
        self.attribute("hidden_size")

    def RNN(self):
        self.recurrent("rnn")

    def LSTM(self):
        self.recurrent("lstm")

    def GRU(self):
        self.recurrent("gru", "reset_after = false")

    def Dropout(self):
        """In training by the draws that the tests were made with."""
        seed, ratio = self.attribute("seed"), self.attribute("ratio", 0.5)
        if "r" in self.named:
            ratio = self.named["r"]["data"][0]
        count = len(self.inputs[0]["data"])
        self.case.input("x0", self.shape, self.inputs[0]["data"])
        places = ranged(self.index, self.shape)
        if "t" in self.named and self.named["t"]["data"][0] and float(ratio) > 0:
            self.case.input("u", self.shape, uniform_draws(seed, count))
            self.output(0, [], f"dropped(x0, u, {ratio})")
            mask = f"if {self.all_of('u')} < {ratio} then 0 else 1"
        else:
            self.output(0, [], f"dropout(x0, {ratio})")
            mask = "1"
        if len(self.outputs) > 1:
            self.output(1, places, mask)
