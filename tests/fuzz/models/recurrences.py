"""Recurrences: one equation, or several that step together, plain or in the text of a scan."""

from derivatives import Derivatives
from growth import MOST_ELEMENTS
from program import Node
from tensors import Tensor, fixed, points

BOUND = 1.6  # of a step's results, which a squash keeps


class Member:
    """One equation of a recurrence: its tensor, where time stands and the variable of each dim."""

    def __init__(self, tensor, axis, names, ahead):
        self.tensor, self.axis, self.names, self.ahead = tensor, axis, names, ahead
        self.done = False

    @property
    def time(self):
        return self.tensor.sizes[self.axis]

    @property
    def others(self):
        """Variables but for time, and their sizes."""
        return {name: size for k, (name, size) in enumerate(zip(self.names, self.tensor.sizes))
                if k != self.axis}


class Recurrences(Derivatives):
    def new_recurrence(self, tensor, axis):
        members = [self.first_member(tensor, axis)]
        for _ in range(self.chance.weighted({0: 5, 1: 4, 2: 2})):
            members.append(self.another_member(members[0]))
        in_scan = self.chance.happens(0.4)
        for member in members:
            self.begin(member.tensor)
        block = []
        for member in members:
            block.append(self.step_of(member, members, in_scan, block))
            member.done = True
        if in_scan:
            t = members[0].names[members[0].axis]
            every = self.chance.weighted({"": 3, " checkpoint 1": 1, " checkpoint 2": 2, " checkpoint 3": 1})
            self.state(f"scan {t} in {tensor.sizes[axis].text}{every} {{", *[p for s in block for p in ("\n  ", s)], "\n}")
        else:
            for statement in block:
                self.state(statement)
        self.cover("recurrence", f"of {len(members)}", "in a scan" if in_scan else "plain")
        read = set().union(*[member.tensor.reads for member in members])
        for member in reversed(members):
            member.tensor.reads |= read
            self.end(member.tensor)
        return tensor

    def first_member(self, tensor, axis):
        tensor.kind, tensor.name = "recurrence", tensor.name.replace("y", "h")
        tensor.low, tensor.high = -BOUND, BOUND
        return Member(tensor, axis, self.variables(len(tensor.sizes)), self.chance.happens(0.3))

    def another_member(self, first):
        """Over the same time, at any place, and other dims of the first or none."""
        others = [(name, size) for name, size in first.others.items() if self.chance.happens(0.7)]
        axis = self.chance.below(len(others) + 1)
        places = [*others[:axis], (first.names[first.axis], first.time), *others[axis:]]
        tensor = Tensor(self.new_name("h"), [size for _, size in places], kind="recurrence",
                        low=-BOUND, high=BOUND)
        return Member(tensor, axis, [name for name, _ in places], first.ahead)

    # ---- one step

    def step_of(self, member, members, in_scan, block):
        """The equation of a member."""
        tensor, names = member.tensor, member.names
        env = dict(zip(names, tensor.sizes))
        terms = [self.lagged(member, member, lag) for lag in self.lags()]
        for other in members:
            if other is member or self.chance.happens(0.25) and len(members) > 2:
                continue
            now = other.done and self.chance.happens(0.6)
            terms.append(self.lagged(member, other, 0 if now else 1))
        new = self.tame(self.new_part(env), 2)
        old = terms[0]
        if in_scan and self.chance.happens(0.5):
            terms[0] = old = self.local_of(old, member, block)
        self.cover("recurrence", "ahead" if member.ahead else "back")
        body = Node([self.chance.pick(["tanh", "sin", "atan"]) + "(", new,
                     *[part for term in terms for part in (" + ", term)], ")"], "real", -BOUND, BOUND,
                    new.reach.union(*[term.reach for term in terms]))
        if self.chance.happens(0.3):
            body = Node(["if ", self.mask(member, env), " then ", body, " else ", old], "real", -BOUND,
                        BOUND, body.reach)
            self.cover("recurrence", "masked")
        tensor.reach = body.reach
        left = [name if in_scan and k == member.axis else f"{name} in {size.text}"
                for k, (name, size) in enumerate(zip(names, tensor.sizes))]
        return Node([f"{tensor.name}[{', '.join(left)}] = ", body], "statement")

    def new_part(self, env):
        """What a step adds."""
        return self.real(env, 2)

    def lags(self):
        if self.chance.happens(0.1):
            return [self.chance.between(2, 3)]
        return [1] if self.chance.happens(0.6) else [1, self.chance.between(2, 3)]

    def mask(self, member, env):
        """Any condition, or lengths."""
        fitting = {name: size for name, size in member.others.items() if size.most > 1}
        if self.chance.happens(0.5):
            return self.condition(env, 0)
        sizes = [self.chance.pick(list(fitting.values()))] if fitting else []
        lengths = self.new_index(sizes, member.time.most + 1)
        t = member.names[member.axis]
        self.cover("recurrence", "lengths")
        if not sizes:
            return Node([f"{t} < {lengths.name}"], "bool")
        name = next(name for name, size in fitting.items() if size == sizes[0])
        return Node([f"{t} < {lengths.name}[{name}]"], "bool")

    def local_of(self, term, member, block):
        """What a step calls by a name of its own."""
        name, others = self.new_name("q"), member.others
        left = f"[{', '.join(f'{v} in {size.text}' for v, size in others.items())}]" if others else ""
        block.append(Node([f"{name}{left} = ", term], "statement"))
        self.cover("recurrence", "local")
        read = f"{name}[{', '.join(others)}]" if others else name
        return Node([read], "real", term.low, term.high, term.reach)

    # ---- reads of other steps

    def lagged(self, reader, member, lag):
        """The term of one lag: an element of the member, or a product with a matrix over one of its dims."""
        t, tensor = reader.names[reader.axis], member.tensor
        lag = lag if reader.ahead else -lag
        step = f"{t} + {lag}" if lag > 0 else f"{t} - {-lag}" if lag else t
        places, env = [], dict(reader.others)
        free = [name for name in self.variables(15) if name not in reader.names]
        summed = None
        for k, size in enumerate(tensor.sizes):
            name = member.names[k]
            if k == member.axis:
                places.append(step)
            elif name in env and not (summed is None and size.fixed and self.chance.happens(0.35)):
                places.append(name)
            elif summed is None and size.fixed:
                summed = (free.pop(), size)
                places.append(summed[0])
            else:
                places.append("0")
        default = self.step_default(tensor, env) if lag else None
        parts = [f"{tensor.name}[{', '.join(places)}", *([" | ", default] if lag else []), "]"]
        reach = (default.reach if lag else frozenset()) | {tensor.name}
        self.reading[-1].reads.add(tensor.name)
        own = Node(parts, "real", -BOUND, BOUND, reach)
        if summed is None:
            return Node([f"{self.chance.number(-0.8, 0.8)}*", own], "real", -1.3, 1.3, reach)
        return self.product(own, summed, reader)

    def step_default(self, tensor, env):
        default = self.default(tensor, env) if self.chance.happens(0.7) else self.read(env)
        self.cover("recurrence", "from a read" if default.reach else "from a number")
        return default

    def product(self, own, summed, reader):
        """A sum over one dim of the member, with a matrix where the reader has another one."""
        name, size = summed
        self.cover("recurrence", "matrix")
        scale = f"0.{max(1, 9//size.most)}"
        columns = [(v, other) for v, other in reader.others.items() if other.fixed]
        if not columns or points([size, columns[0][1]]) > MOST_ELEMENTS:
            return Node([f"sum[{name} in {size.text}]({scale}*", own, ")"], "real", -1.3, 1.3, own.reach)
        column, width = self.chance.pick(columns)
        matrix = self.new_param([size, fixed(width.most)])
        self.reading[-1].reads.add(matrix.name)
        return Node([f"sum[{name} in {size.text}]({scale}*", own, f"*{matrix.name}[{name}, {column}])"],
                    "real", -1.3, 1.3, own.reach | {matrix.name})
