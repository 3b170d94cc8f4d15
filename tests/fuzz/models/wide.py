"""Models of which some values are larger than growth makes them, for what loops do only then: a batch of run time
that fills vectors, windows over few channels with samples side by side, sums over all steps of a recurrence, products
whose factors leave the caches of tiles.yaml or caches.yaml. The rest of each grows as others do."""

from program import Node
from sought import Sought
from tensors import Size, Tensor, fixed


class Wide(Sought):
    def finish(self):
        kind = self.chance.pick(["windows", "steps", "terms"])
        batch = Size("N0", self.chance.pick([16, 17, 20, 33] if kind != "windows" else [31, 32]))
        self.dims = [batch]
        self.budget = self.chance.between(1, 2)
        tensor = {"windows": self.windows_of, "steps": self.steps_of, "terms": self.terms_of}[kind](batch)
        self.cover("wide", kind)
        self.program.losses.append(Node([f"mean({tensor.name}^2)"], "real", 0, 9, tensor.reach))
        self.add_losses()
        self.program.is_wide = True
        return self.close()

    def defined(self, sizes, names, parameters, body):
        """A value of these sizes, between -1 and 1."""
        tensor = Tensor(self.new_name("y"), sizes, kind="sum")
        tensor.reach = frozenset(parameter.name for parameter in parameters)
        variables = ", ".join(f"{name} in {size.text}" for name, size in zip(names, sizes))
        self.state(f"{tensor.name}[{variables}] = tanh({body})")
        return self.keep(tensor)

    def windows_of(self, batch):
        """A convolution."""
        spans = (7, 8), (3, 8), (3, 4), (2, 3)
        size, channels, filters, width = (fixed(self.chance.between(*span)) for span in spans)
        x = self.new_input([batch, size, size, channels])
        w = self.new_param([filters, width, width, channels])
        places = fixed(size.most - width.most + 1)
        return self.defined([batch, places, places, filters], "nijk", [w],
                            f"0.2*sum[a, b, d]({x.name}[n, i + a, j + b, d]*{w.name}[k, a, b, d])")

    def steps_of(self, batch):
        """A recurrence with a gain and a bias of its own at each step, forwards or backwards; or two, of which one reads
        all that the other has at a step."""
        steps, width = fixed(self.chance.between(3, 5)), fixed(self.chance.between(4, 9))
        x, w = self.new_input([batch, steps, width]), self.new_param([width, width])
        gain, bias = self.new_param([width]), self.new_param([width])
        h, other = self.new_name("y"), self.chance.pick(["t - 1", "t + 1"])
        scale = self.chance.pick([f"{gain.name}[k]", f"sin({gain.name}[k] + {x.name}[n, t, k])"])
        tensor = Tensor(h, [batch, steps, width], kind="recurrence")
        tensor.reach = frozenset([w.name, gain.name, bias.name])
        variables = f"n in {batch.text}, t in {steps.text}, k in {width.text}"
        target = self.mixed_at_each_step(tensor, variables, width) if self.chance.happens(0.5) else h
        self.state(f"{target}[{variables}] = tanh({scale}*{x.name}[n, t, k] + {bias.name}[k] + "
                   f"sum[j](0.2*{h}[n, {other}, j | 0.25]*{w.name}[j, k]))")
        return self.keep(tensor)

    def mixed_at_each_step(self, tensor, variables, width):
        """States the tensor; the name of what it reads."""
        other, w = self.new_name("y"), self.new_param([width, width])
        tensor.reach |= {w.name}
        self.state(f"{tensor.name}[{variables}] = atan({other}[n, t, k] - "
                   f"sum[j](0.2*{other}[n, t, j]*{w.name}[j, k]))")
        self.cover("wide", "two recurrences")
        return other

    def terms_of(self, batch):
        """A product of a tall and a wide matrix, of which one may have as many rows as the batch."""
        rows = self.chance.pick([batch, fixed(24), fixed(30)])
        terms, columns = fixed(self.chance.pick([48, 64, 128])), fixed(self.chance.pick([8, 16]))
        x, w = self.new_input([rows, terms]), self.new_param([terms, columns])
        return self.defined([rows, columns], "nk", [w], f"0.1*sum[j]({x.name}[n, j]*{w.name}[j, k])")
