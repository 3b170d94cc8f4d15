"""Equations for a cell of the coverage table, which growth by chance would seldom come to: a pair of kinds of
definitions, one read by the other; a way of inversion with or without guard, default and sum."""

from growth import MOST_ELEMENTS
from program import Node
from recurrences import Recurrences
from tensors import Tensor, bound, fixed, points

LEAVES = ("input", "target", "param", "state", "table", "draw")
REAL = ("copy", "arithmetic", "choice", "function", "conversion", "recurrence", "sum", "prod", "max", "min",
        "lse")
OTHER = {"comparison": "bool", "logic": "bool", "any": "bool", "all": "bool", "argmax": "int", "argmin": "int"}
REDUCED = ("sum", "prod", "max", "min", "lse", "argmax", "argmin", "any", "all")
KINDS = (*REAL, *OTHER)
# conditions are often written out where they are asked
READERS = (*KINDS, *6*("comparison", "logic"), *2*("copy", "argmax", "argmin"))
READ = (*LEAVES, *KINDS, *2*("comparison", "logic", "any", "all"))
FUNCTIONS = ("sin", "cos", "tanh", "atan", "exp", "sigmoid", "softplus", "erf")
PLAIN_DRAWS = ("uniform(0, 1)", "normal(0, 1)")  # without arithmetic on what is drawn
WAYS = ("same_range", "lone", "radix", "unit", "quotient", "remainder", "multiple", "constant", "diagonal",
        "gathered")


class Sought(Recurrences):
    def add_sought(self):
        for _ in range(self.chance.between(1, 3)):
            getattr(self, self.chance.weighted({"add_pair": 5, "add_inversion": 4, "add_twins": 1}))()

    def add_twins(self):
        """Two reductions, or draws, that differ in little: nothing of one may stand for the other."""
        size, r = self.new_size(), self.variables(1)[0]
        if self.chance.happens(0.3):
            a, b = self.new_draw([size]), self.new_draw([size])
            self.program.losses.append(Node([f"mean(0.3*{a.name} - 0.2*{b.name})"]))
            return
        body = self.tame(self.real({r: size}, 2), 1.5)
        a, b = (self.chance.pick(["sum", "mean", "max", "min", "lse", "prod"]) for _ in range(2))
        guards = [self.chance.pick(["", "", f" if {r} < 1", f" if {r} >= 0 and {r} < 2"]) for _ in range(2)]
        self.program.kinks = True
        for kind, guard in zip((a, b), guards):
            self.program.losses.append(Node([f"0.1*{kind}[{r} in {size.text}{guard}](", body, ")"], "real", -9, 9,
                                            body.reach))

    # ---- pairs of kinds

    def add_pair(self):
        """A tensor of one kind, read by one of another, which the loss reads."""
        producer, consumer = self.chance.pick(READ), self.chance.pick(READERS)
        sizes = [self.new_size() for _ in range(self.chance.between(1, 2))]
        if consumer == "recurrence" and all(size.most == 1 for size in sizes):
            sizes[0] = fixed(3)
        tensor = self.new_of_kind(consumer, sizes, producer)
        names = self.variables(len(tensor.sizes))
        read = self.as_real(self.plain_read(tensor, names))
        self.program.losses.append(Node([f"mean{bound(names, tensor.sizes)}(tanh(", self.tame(read, 3), "))"]))

    def new_of_kind(self, kind, sizes, producer=None):
        if kind in LEAVES:
            return self.leaf_of_kind(kind, sizes)
        tensor = Tensor(self.new_name("y"), sizes, OTHER.get(kind, "real"), "pointwise")
        if kind == "recurrence":
            self.wish = producer
            axes = [k for k, size in enumerate(sizes) if size.most > 1]
            return self.new_recurrence(tensor, self.chance.pick(axes or [0]))
        self.begin(tensor)
        left, env = self.left_side(tensor)
        if kind in REDUCED:
            body = self.reduced(kind, env, tensor, producer)
        else:
            body = self.mapped(kind, env, tensor, self.read_of_kind(producer, env))
        self.define(tensor, left, body)
        return self.end(tensor)

    def new_part(self, env):
        wish, self.wish = getattr(self, "wish", None), None
        return self.as_real(self.read_of_kind(wish, env)) if wish else super().new_part(env)

    def leaf_of_kind(self, kind, sizes):
        if kind in ("param", "table"):
            sizes = [size if size.fixed else fixed(2) for size in sizes]
        if kind == "table":
            return self.new_const(sizes[:1] if 1 < sizes[0].most < 18 else [fixed(5)])
        if kind == "draw" and self.chance.happens(0.6):
            return self.new_draw(sizes, PLAIN_DRAWS)
        return getattr(self, "new_" + kind)(sizes)

    def read_of_kind(self, kind, env):
        """A read of a new tensor of this kind, or of any when none is wished for."""
        if kind is None:
            return self.read(env)
        names = list(env) if self.chance.happens(0.5) else []
        sizes = [env[name] for name in names] or [self.needed_size(env) for _ in range(self.chance.between(1, 2))]
        while points(sizes) > MOST_ELEMENTS:
            sizes.pop()
        if kind == "recurrence" and all(size.most == 1 for size in sizes):
            sizes = [*sizes[1:], fixed(3)]
        source = self.new_of_kind(kind, sizes)
        if names and source.sizes == [env[name] for name in names]:
            return self.plain_read(source, names)
        return self.read_from(source, env)

    def plain_read(self, tensor, names):
        """At these variables; a condition seldom, for it would be asked where it is read and not be a tensor."""
        if tensor.type == "bool" and self.chance.happens(0.8):
            return self.read_of(tensor, f"{tensor.name}[{', '.join([f'{names[0]} - 1', *names[1:]])} | true]")
        return self.read_of(tensor, f"{tensor.name}[{', '.join(names)}]")

    def as_real(self, node):
        if node.type == "real":
            return node
        return Node(["float(", node, ")"] if node.type == "bool" else ["0.3*float(", node, ")"], "real", 0,
                    1 if node.type == "bool" else max(0.3*node.high, 1))

    def as_bool(self, node):
        if node.type == "bool":
            return node
        self.program.kinks = True
        return Node(["(", node, ") > 0.0137"] if node.type == "real" else ["(", node, ") > 1"], "bool")

    def mapped(self, kind, env, tensor, operand):
        """An expression over the operand whose root is of this kind."""
        other = self.real(env, 1)
        if kind == "copy":
            tensor.type = operand.type
            return operand
        if kind == "comparison":
            most = f") <= {self.chance.number(-0.6, 0.6)}137"
            if operand.type == "bool":  # alone it would be decided by algebra: the condition, or its opposite
                return Node(["(", self.tame_sum(self.as_real(operand), other), most], "bool")
            return Node(["(", self.as_real(operand), most], "bool")
        if kind == "logic":
            word = self.chance.pick(["and", "or"])
            return Node(["(", self.as_bool(operand), f") {word} (", self.condition(env, 0), ")"], "bool")
        if kind == "choice":
            sides = [self.as_real(operand), self.tame(other, 3)]
            if operand.type == "bool" or self.chance.happens(0.3):
                return Node(["if ", self.as_bool(operand), " then ", sides[1], " else 0.25"], "real", -3, 3,
                            sides[1].reach)
            return Node(["if ", self.condition(env, 1), " then ", sides[0], " else ", sides[1]], "real",
                        min(sides[0].low, -3), max(sides[0].high, 3), sides[0].reach | sides[1].reach)
        if kind == "conversion":
            return Node(["float(", self.as_bool(operand), ")"], "real", 0, 1)
        if kind == "function":
            function = self.chance.pick(FUNCTIONS)
            operand = self.tame(self.as_real(operand), 1.5)
            return Node([function + "(", operand, ")"], "real", -2, 4.5, operand.reach)
        return self.tame_sum(self.as_real(operand), other)

    def tame_sum(self, a, b):
        a, b = self.tame(a, 2), self.tame(b, 2)
        sign = self.chance.pick(["+", "-", "*"])
        return Node(["(", a, f") {sign} (", b, ")"], "real", -4, 4, a.reach | b.reach)

    def reduced(self, kind, env, tensor, producer):
        binders = self.binders(env)
        inner = {**env, **binders}
        operand = self.read_of_kind(producer, inner)
        head = ", ".join(f"{r} in {size.text}" for r, size in binders.items())
        tensor.kind = kind
        parts = [f"{kind}[{head}"]
        if kind in ("any", "all"):
            return Node([*parts, "](", self.as_bool(operand), ")"], "bool")
        count = points(binders.values())
        body = self.tame(self.as_real(operand), min(2, 30/count) if kind == "sum" else 2)
        if kind == "prod":
            body = self.factor(body, count)
        self.program.kinks |= kind not in ("sum", "prod", "lse")
        if kind.startswith("arg"):
            return Node([*parts, "](", body, ")"], "int", 0, count)
        low, high = self.interval(kind, body, count)
        return self.tame(Node([*parts, "](", body, ")"], "real", low, high, body.reach), 30)

    # ---- ways of inversion

    def add_inversion(self):
        """A scalar, or a sum of a map, of a read whose subscript is solved in this way."""
        way, rest = self.chance.pick(WAYS), self.chance.below(3)
        guard, otherwise = self.chance.happens(0.5), self.chance.happens(0.5)
        v, w, u, e, g = self.variables(5)
        env, sizes, subscripts = self.addressed(way, v, w, u, rest == 2)
        linear = rest == 0 and way in ("quotient", "remainder")
        if otherwise:
            env[g] = fixed(self.chance.between(2, 5))
            sizes.append(fixed(env[g].most))
            subscripts.append(self.chance.pick([f"{g} - 1", f"{g} + 1", f"{g} + 2"]))
        elif guard and rest == 0:
            env[g] = fixed(self.chance.between(2, 5))
            sizes.append(env[g])
            subscripts.append(g)
        if rest:
            env[e] = fixed(self.chance.pick([16, 17, 19]) if rest == 2 else self.chance.between(2, 9))
        source = self.new_param(sizes) if self.chance.happens(0.5) else self.new_equation(sizes, "real")
        default = " | 0.25" if otherwise else ""
        read = Node([f"{source.name}[", *self.joined(subscripts), default, "]"], "real", source.low, source.high,
                    frozenset([source.name]))
        guarded = guard and next((name for name in (g, e, v) if name in env), None)
        self.define_inversion(source, env, read, linear, guarded, e if rest else None)

    @staticmethod
    def joined(subscripts):
        return [part for k, s in enumerate(subscripts) for part in ([", "] if k else []) + [s]]

    def addressed(self, way, v, w, u, is_long):
        """(ranges of the variables, sizes of the tensor read, its subscripts); what is solved leaves a long sum
        of its own where it leaves any."""
        n, c = self.chance.pick([2, 3, 4, 6]), self.chance.between(2, 3)
        if is_long and way == "quotient":
            c = self.chance.pick([16, 17])
        if is_long and way == "remainder":
            n = self.chance.pick([16, 17])
        if way == "same_range":
            return {v: fixed(n)}, [fixed(n)], [v]
        if way == "lone":
            return {v: fixed(n)}, [fixed(n + c)], [v]
        if way == "radix" and self.chance.happens(0.4):
            return {v: fixed(n), w: fixed(c), u: fixed(2)}, [fixed(2*n*c)], [f"({v}, {w}, {u})"]
        if way == "radix":
            return {v: fixed(n), w: fixed(c)}, [fixed(n*c + self.chance.below(2))], [f"{c}*{v} + {w}"]
        if way == "unit":
            return {v: fixed(n)}, [fixed(n + c)], [self.chance.pick([f"{v} + {c}", f"{n - 1} - {v}"])]
        if way == "quotient":
            return {v: fixed(n*c - self.chance.below(2))}, [fixed(n + self.chance.below(2))], [f"{v}//{c}"]
        if way == "remainder":
            return {v: fixed(n*c)}, [fixed(c + self.chance.below(3))], [f"{v} % {c}"]
        if way == "multiple":
            return {v: fixed(n)}, [fixed(c*n)], [f"{c}*{v} + {self.chance.below(c)}"]
        if way == "constant":
            return {}, [fixed(n)], [str(self.chance.below(n))]
        if way == "diagonal":
            return {v: fixed(n)}, [fixed(n), fixed(n)], [v, v]
        index = self.new_index([fixed(n)], c)
        return {v: fixed(n)}, [fixed(c), fixed(n)], [Node([f"{index.name}[{v}]"], "int", 0, c), v]

    def define_inversion(self, source, env, read, linear, guarded, extra):
        other = self.new_input([env[extra]]) if extra else None
        factor = [f"*{other.name}[{extra}]"] if other else []
        function = "0.7*(" if linear else self.chance.pick(["sin(", "tanh(", "atan("])
        body = Node([function, read, *factor, ")"], "real", -2, 2, read.reach)
        scalar = Tensor(self.new_name("y"), [], kind="sum")
        self.begin(scalar)
        scalar.reads = {source.name}
        if guarded:
            head = bound(list(env), list(env.values()))[:-1]
            body = Node([f"sum{head} if {guarded} {self.chance.pick(['<', '!='])} 1](", body, ")"])
        elif env and (linear or self.chance.happens(0.4)):
            body = Node([f"sum{bound(list(env), list(env.values()))}(", body, ")"])
        elif env:
            map_of = Tensor(self.new_name("y"), list(env.values()))
            self.state(f"{map_of.name}{bound(list(env), map_of.sizes)} = ", body)
            body = Node([f"mean({map_of.name}*{map_of.name})"])
        body.reach = read.reach
        self.define(scalar, scalar.name, body)
        self.end(scalar)
        self.program.losses.append(Node([f"0.5*{scalar.name}"]))
