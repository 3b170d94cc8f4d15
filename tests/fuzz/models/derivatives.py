"""Derivatives that a model asks for: gradient(s, x) of a scalar that surely depends on x."""

from expressions import Expressions
from program import Node
from tensors import Tensor, bound

SMOOTH = {"sin": 1.0, "tanh": 1.0, "sigmoid": 1.0, "softplus": 2.0, "atan": 1.5, "erf": 1.0}


class Derivatives(Expressions):
    def new_gradient(self, tensor):
        """The tensor becomes the derivative of a new scalar with respect to one of its sizes."""
        fitting = [t for t in self.tensors if t.sizes == tensor.sizes and t.type == "real" and t.ready
                   and t.kind not in ("const", "draw", "state", "target") and t.name != "loss"]
        x = self.chance.pick(fitting) if fitting and self.chance.happens(0.6) else self.grow(tensor.sizes)
        if x.kind in ("const", "draw", "state", "target"):
            x = self.new_input(tensor.sizes)
        scalar = self.scalar_of(x)
        tensor.kind, tensor.low, tensor.high = "gradient", -20, 20
        self.begin(tensor)
        self.read_of(x, x.name)
        self.read_of(scalar, scalar.name)
        self.state(f"{tensor.name} = gradient({scalar.name}, {x.name})")
        self.cover("gradient", "in the model")
        self.program.differentiates = True
        return self.end(tensor)

    def scalar_of(self, x):
        scalar = Tensor(self.new_name("y"), [], kind="sum")
        self.begin(scalar)
        names = self.variables(len(x.sizes))
        env = dict(zip(names, x.sizes))
        read = self.read_of(x, f"{x.name}[{', '.join(names)}]" if names else x.name)
        function = self.chance.pick(list(SMOOTH))
        scale = self.chance.number(0.3, 1.2)
        body = Node([f"{function}({scale}*", self.tame(read, 3), ")*(", self.tame(self.real(env, 1), 1.5), ")"],
                    "real", -3*SMOOTH[function], 3*SMOOTH[function], read.reach)
        if names:
            body = Node([f"sum{bound(names, x.sizes)}(", body, ")"], "real", -20, 20, body.reach)
        self.define(scalar, scalar.name, body)
        return self.end(scalar)
