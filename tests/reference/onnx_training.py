"""ONNX operators that are steps of an optimizer: one step of a program with one parameter, whose loss is linear
in it, so that the gradient is what the record says."""

from cases import Skip
from onnx_node import Node


class Training(Node):
    def step(self, optimizer, states, options):
        """R the rate, T the steps done, X the parameter, G its gradient; then the states, by their names here."""
        rate, steps, x, g = (tensor["data"] for tensor in self.inputs[:4])
        options = {"lr": rate[0], "wd": self.attribute("norm_coefficient"), **options}
        dims = ", ".join(map(str, self.shape_of_x))
        text = ", ".join(f"{name} = {value}" for name, value in options.items())
        self.case.lines = [f"input g[{dims}]", f"param w[{dims}] = 0", "loss sum(g*w)",
                           f"train {{ optimizer {optimizer}({text}) }}"]
        self.case.results = ["w"] + [f"w.{state}" for state in states]
        self.case.values = {"step": steps, "w": x}
        self.case.values.update(zip(self.case.results[1:], (tensor["data"] for tensor in self.inputs[4:])))
        self.case.batches = [{"g": g}]

    @property
    def shape_of_x(self):
        return self.inputs[2]["shape"]

    def first_only(self, why):
        if self.inputs[1]["data"][0] > 0:
            raise Skip(why)

    def Adagrad(self):
        self.step("adagrad", ["s"], {"eps": self.attribute("epsilon"), "decay": self.attribute("decay_factor")})

    def Adam(self):
        """T = 0 has no correction."""
        self.first_only("eps is added to the root before its correction")
        self.step("adam", ["m", "v"], {"b1": self.attribute("alpha"), "b2": self.attribute("beta"),
                                       "eps": self.attribute("epsilon"), "corrected": "false"})

    def Momentum(self):
        """beta, which scales gradients, is 1 at T = 0."""
        self.first_only("gradients scaled by beta")
        self.attribute("beta")
        nesterov = str(self.attribute("mode") == "nesterov").lower()
        self.step("sgd", ["v"], {"momentum": self.attribute("alpha"), "nesterov": nesterov})
