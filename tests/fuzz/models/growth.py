"""Equation programs grown backwards from a loss: what an expression reads is an older tensor that fits, or
one that is grown for it. Intervals keep numbers of ordinary size, away from poles and kinks."""

from chance import Chance
from library import optimizers_of
from program import Node, Program
from tensors import NONE, Size, Tensor, bound, declared, fixed, points

EXTENTS = {1: 2, 2: 3, 3: 4, 5: 3, 7: 3, 8: 2, 9: 2, 11: 1, 13: 1, 15: 1, 16: 2, 17: 1}
DRAWS = ("uniform(-1, 1)", "uniform(0, 1)", "uniform(-0.5, 2)", "normal(0, 0.4)", "normal(0.5, 0.2)",
         "bernoulli(0.4)")
MOST_POINTS = 2500
MOST_ELEMENTS = 300
MOST_OF_A_GRADIENT = 80


class Growth:
    """The state of one program while it grows; expressions and subscripts are in the mixins."""

    def __init__(self, seed):
        self.chance = Chance(seed)
        self.program = Program(seed)
        self.tensors, self.reading, self.names = [], [], 0
        self.budget = self.chance.between(1, 6)
        self.dims = [Size(f"N{i}", self.chance.pick([1, 3, 4, 5, 7, 9]))
                     for i in range(self.chance.below(3))]

    # ---- names and statements

    def new_name(self, letter):
        self.names += 1
        return f"{letter}{self.names}"

    def state(self, *parts):
        self.program.statements.append(Node(list(parts), "statement"))

    def cover(self, *words):
        self.program.cover(*words)

    def new_size(self):
        if self.dims and self.chance.happens(0.25):
            return self.chance.pick(self.dims)
        return fixed(self.chance.weighted(EXTENTS))

    def new_sizes(self, rank):
        sizes = [self.new_size() for _ in range(rank)]
        while points(sizes) > MOST_ELEMENTS:
            sizes[sizes.index(max(sizes, key=lambda size: size.most))] = fixed(self.chance.between(1, 3))
        return sizes

    # ---- leaves

    def leaf(self, sizes, type):
        if type != "real":
            return None
        over_dim = not all(size.fixed for size in sizes)
        kinds = {"input": 4, "param": 6, "state": 1, "draw": 1, "const": 1, "target": 1}
        kind = self.chance.weighted(kinds)
        if over_dim and kind in ("param", "const"):
            kind = "input"
        if kind == "const" and (len(sizes) != 1 or points(sizes) > 17):
            kind = "param"
        return getattr(self, "new_" + kind)(sizes)

    def keep(self, tensor):
        self.tensors.append(tensor)
        return tensor

    def new_param(self, sizes):
        tensor = self.keep(Tensor(self.new_name("p"), sizes))
        self.state(f"param {declared(tensor)} ~ uniform(-1, 1)")
        return tensor

    def new_input(self, sizes, kind="input"):
        tensor = self.keep(Tensor(self.new_name("x"), sizes, kind=kind))
        self.state(f"{kind} {declared(tensor)}")
        return tensor

    def new_target(self, sizes):
        return self.new_input(sizes, "target")

    def new_state(self, sizes):
        tensor = self.keep(Tensor(self.new_name("s"), sizes, kind="state"))
        self.state(f"state {declared(tensor)} = 0.5")
        self.update(tensor)
        return tensor

    def new_const(self, sizes):
        tensor = self.keep(Tensor(f"{self.program.name}c{len(self.program.items)}", sizes, kind="const"))
        values = ", ".join(str(self.chance.number(-1, 1)) for _ in range(sizes[0].most))
        self.program.items.append(f"const {declared(tensor)} = ({values})"
                                  if sizes[0].most > 1 else f"const {tensor.name}[1] = ({values},)")
        if sizes[0].most == 1:
            self.program.items.pop()
            self.tensors.pop()
            return self.new_param(sizes)
        return tensor

    def new_draw(self, sizes, distributions=DRAWS):
        what = self.chance.pick(distributions)
        most = 5 if what == "normal(0, 1)" else 2
        tensor = self.keep(Tensor(self.new_name("u"), sizes, kind="draw", low=-most, high=most))
        names = self.variables(len(sizes))
        self.state(f"{tensor.name}{bound(names, sizes)} ~ {what}")
        self.program.draws = True
        return tensor

    def new_index(self, sizes, high):
        """A whole-number input in 0..high-1."""
        tensor = self.keep(Tensor(self.new_name("x"), sizes, "int", "input", 0, high))
        self.state(f"input {declared(tensor)} : index({high})")
        return tensor

    def update(self, tensor):
        """`s := ..`, of what is there by the end."""
        self.updates = getattr(self, "updates", []) + [tensor]

    # ---- equations

    def variables(self, count):
        letters = list("ijklmnabdefgorvw")
        self.chance.shuffle(letters)
        return letters[:count]

    def grow(self, sizes, type="real"):
        """A tensor of these sizes: an equation while the budget lasts, else a leaf."""
        if self.budget <= 0 or len(self.reading) > 5:
            leaf = self.leaf(sizes, type)
            if leaf:
                return leaf
        self.budget -= 1
        return self.new_equation(sizes, type)

    def begin(self, tensor):
        self.reading.append(tensor)
        tensor.ready = False

    def end(self, tensor):
        self.reading.pop()
        tensor.ready = True
        return self.keep(tensor)

    def new_equation(self, sizes, type):
        tensor = Tensor(self.new_name("y"), sizes, type, "pointwise")
        long_axes = [k for k, size in enumerate(sizes) if size.most > 1]
        if type == "real" and long_axes and self.chance.happens(0.15):
            return self.new_recurrence(tensor, self.chance.pick(long_axes))
        if type == "real" and self.chance.happens(0.08):
            return self.new_elementwise(tensor)
        if type == "real" and points(sizes) <= MOST_OF_A_GRADIENT and self.chance.happens(0.05):
            return self.new_gradient(tensor)
        self.begin(tensor)
        left, env = self.left_side(tensor)
        if type == "real":
            body = self.tame(self.root(env, tensor), 3)
        elif type == "int":
            body = self.whole(env, tensor)
        else:
            body = self.condition(env, 2)
        self.define(tensor, left, body)
        return self.end(tensor)

    def define(self, tensor, left, body):
        tensor.low, tensor.high, tensor.reach = body.low, body.high, body.reach
        self.state(left, " = ", body)

    def left_side(self, tensor):
        """The left side and the ranges of its variables; a dim may be a composite."""
        parts, env, taken = [], {}, self.variables(8)
        for size in tensor.sizes:
            split = [n for n in range(2, size.most) if size.most % n == 0] if size.fixed else []
            if split and self.chance.happens(0.2):
                n = self.chance.pick(split)
                a, b = taken.pop(), taken.pop()
                env[a], env[b] = fixed(n), fixed(size.most // n)
                parts.append(f"({a} in {n}, {b} in {size.most // n})")
                self.cover("left", "composite")
            else:
                name = taken.pop()
                env[name] = size
                parts.append(f"{name} in {size.text}")
        return tensor.name + (f"[{', '.join(parts)}]" if parts else ""), env

    def new_elementwise(self, tensor):
        """Names without subscripts."""
        self.begin(tensor)
        operands = [self.read_whole(tensor.sizes) for _ in range(self.chance.between(1, 3))]
        body = operands[0]
        for other in operands[1:]:
            body = self.combine(body, other)
        body = self.tame(self.function(body), 3)
        self.cover("read", "bare name")
        self.define(tensor, tensor.name, body)
        return self.end(tensor)

    def read_whole(self, sizes):
        fitting = [t for t in self.tensors if t.sizes == sizes and t.type == "real" and t.name != "loss"]
        source = self.chance.pick(fitting) if fitting and self.chance.happens(0.5) else self.grow(sizes)
        return self.read_of(source, source.name)

    def read_of(self, source, *parts):
        """Notes who reads whom; the node of the read."""
        if self.reading:
            reader = self.reading[-1]
            reader.reads.add(source.name)
        reach = frozenset([source.name]) if source.type == "real" else NONE
        return Node(list(parts), source.type, source.low, source.high, reach)

    # ---- the whole

    def finish(self):
        self.add_losses()
        self.add_sought()
        return self.close()

    def close(self):
        """What every program ends with."""
        for tensor in getattr(self, "updates", []):
            self.add_update(tensor)
        self.add_outputs()
        program = self.program
        head = "\n".join(f"dim {dim.text} <= {dim.most}" for dim in self.dims)
        self.chance.shuffle(program.statements)
        if head:
            program.statements.insert(0, Node([head], "statement"))
        self.add_optimizer()
        return program

    def add_optimizer(self):
        """Layers have gradients that are 0 but for rounding, such as those of a bias before a norm."""
        program = self.program
        chain = optimizers_of(self.chance, may_jump=not program.from_library)
        program.optimizer = " |> ".join(one.text(self.chance) for one in chain)
        self.cover("optimizer", *[one.name for one in chain if one.place == "step"])
        if any(one.jumps for one in chain):
            self.push_gradients()
        program.adds_parameters |= any(one.adds_parameters for one in chain)
        program.averages = any(one.averages for one in chain)

    def push_gradients(self):
        """Away from 0, where rounding decides on their signs and lengths."""
        self.program.losses += [Node([f"0.0137*sum({t.name})" if t.sizes else f"0.0137*{t.name}"])
                                for t in self.tensors if t.kind == "param"]
        self.program.kinks = True

    def add_sought(self):
        """What is wanted besides."""

    def add_losses(self):
        for _ in range(self.chance.weighted({1: 4, 2: 2, 3: 1})):
            top = Tensor("loss", [], kind="pointwise")
            self.begin(top)
            node = self.tame(self.root({}, top, True), 20)
            self.program.losses.append(node)
            top.reach = node.reach
            self.end(top)
        reached, by_name = set(), {t.name: t for t in self.tensors}
        ways = [name for t in self.tensors if t.name == "loss" for name in t.reach]
        while ways:
            name = ways.pop()
            if name not in reached:
                reached.add(name)
                ways += by_name[name].reach if name in by_name else ()
        missing = [t for t in self.tensors if t.kind == "param" and t.name not in reached]
        if not any(t.kind == "param" for t in self.tensors):
            missing.append(self.new_param([fixed(self.chance.weighted(EXTENTS))]))
        self.program.losses += [Node([f"mean(({t.name} - 0.25)^2)" if t.sizes else f"({t.name} - 0.25)^2"])
                                for t in missing]

    def add_update(self, tensor):
        names = self.variables(len(tensor.sizes))
        own = tensor.name + (f"[{', '.join(names)}]" if names else "")
        env = dict(zip(names, tensor.sizes))
        holder = Tensor(tensor.name, tensor.sizes, kind="update")
        self.begin(holder)
        budget, self.budget = self.budget, 0
        old = [t for t in self.tensors if t.type == "real" and t.ready and t.name != "loss"]
        value = self.tame(self.read_from(self.chance.pick(old), env) if old else Node(["0.3"]), 2)
        self.budget = budget
        self.reading.pop()
        self.state(own, f" := 0.75*{own} + 0.25*", Node(["(", value, ")"]))

    def add_outputs(self):
        """Some tensors that do not depend on a target."""
        tainted = {t.name for t in self.tensors if t.kind == "target"}
        changed = True
        while changed:
            more = {t.name for t in self.tensors if t.reads & tainted} - tainted
            tainted |= more
            changed = bool(more)
        free = [t for t in self.tensors if t.name not in tainted and t.name[0] in "yh"
                and t.type != "bool" and not t.is_shown]
        for tensor in free:
            if self.chance.happens(0.4):
                self.state(f"output {tensor.name}")
