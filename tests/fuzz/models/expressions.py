"""Expressions over reads: every operation of ops.def, every reduction."""

import math

from growth import MOST_POINTS
from program import Node, fill
from subscripts import Subscripts
from tensors import NONE, fixed, points

LARGEST_LOGARITHM = 700  # of a bound of products: more is no number

REDUCTIONS = {"sum": 8, "mean": 4, "max": 3, "min": 3, "lse": 3, "prod": 3}
NEEDS_POINTS = ("mean", "max", "min", "lse", "argmax", "argmin")
# name: (template, greatest operand, low, high), for operands of either sign
SMOOTH = {
    "exp": ("exp({})", 1.5, 0, 4.5), "expm1": ("expm1({})", 1.5, -0.8, 3.5),
    "log": ("log({0}*{0} + 0.31)", 4, -1.2, 2.8), "log1p": ("log1p({0}*{0} - 0.4)", 4, -0.6, 2.9),
    "sqrt": ("sqrt({0}*{0} + 0.17)", 8, 0.4, 8.1), "rsqrt": ("rsqrt({0}*{0} + 0.17)", 8, 0.1, 2.5),
    "sin": ("sin({})", 8, -1, 1), "cos": ("cos({})", 8, -1, 1), "tan": ("tan(0.9*sin({}))", 8, -1.3, 1.3),
    "atan": ("atan({})", 8, -1.5, 1.5), "tanh": ("tanh({})", 4, -1, 1),
    "sigmoid": ("sigmoid({})", 8, 0, 1), "softplus": ("softplus({})", 8, 0, 8.1),
    "erf": ("erf({})", 2, -1, 1), "lgamma": ("lgamma({0}*{0} + 0.6)", 2, -0.2, 3),
    "^ 2": ("{}^2", 2, 0, 4), "^ 3": ("{}^3", 1.5, -3.4, 3.4), "^ 4": ("{}^4", 1.4, 0, 4),
    "^ 0.5": ("({0}*{0} + 0.3)^0.5", 4, 0.5, 4.1), "^ -0.5": ("({0}*{0} + 0.3)^(-0.5)", 4, 0.2, 1.9),
    "^ -1": ("({0}*{0} + 0.6)^(-1)", 4, 0, 1.7), "^ 1.7": ("({0}*{0} + 0.3)^1.7", 1.5, 0.1, 6),
    "^ -2": ("({0}*{0} + 0.6)^(-2)", 4, 0, 3), "negate": ("-({})", 8, -8, 8),
    # formulas that the compiler replaces
    "log sigmoid": ("log(sigmoid({}))", 4, -4.1, 0), "log 1 + exp": ("log(1 + exp({}))", 4, 0, 4.1),
    "logistic": ("1/(1 + exp(-{}))", 4, 0, 1), "exp - 1": ("exp({}) - 1", 1.5, -0.8, 3.5),
    "log exp": ("log(exp({}))", 4, -4, 4), "log 1 - sigmoid": ("log(1 - sigmoid({}))", 4, -4.1, 0),
    "silu": ("silu({})", 4, -0.3, 4), "mish": ("mish({})", 4, -0.4, 4), "gelu": ("gelu(x = {})", 4, -0.2, 4),
}
KINKED = {
    "abs": ("abs({} + 0.0119)", 4, 0, 4.1, True), "sign": ("sign({} + 0.0131)", 8, -1, 1, False),
    "floor": ("floor(1.7*{} + 0.137)", 4, -7, 7, False), "ceil": ("ceil(1.7*{} - 0.137)", 4, -7, 7, False),
    "round": ("round(1.7*{} + 0.137)", 4, -7, 7, False), "relu": ("max({} + 0.0107, 0)", 4, 0, 4.1, True),
    "sqrt square": ("sqrt(({} + 0.0113)^2)", 4, 0, 4.1, True), "elu": ("elu(x = {} + 0.0103)", 4, -1, 4.1, True),
    "int": ("float(int(2.3*{} + 0.111))", 3, -7, 7, False),
}
FLAT = {"stop": ("stop({})", 8, -8, 8), "digamma": ("digamma(stop({0}*{0} + 0.6))", 2, -1.6, 1.5)}


class Expressions(Subscripts):
    def tame(self, node, most):
        """The node, or a smaller one in its place."""
        if node.size <= most:
            return node
        if node.size > 3*most or self.chance.happens(0.5):
            scale = float(f"{most/node.size:.3g}")
            return Node([f"{scale}*(", node, ")"], "real", scale*node.low, scale*node.high, node.reach)
        squash = self.chance.pick(["tanh", "sin", "atan"]) if most >= 1.6 else "sin"
        return Node([squash + "(", node, ")"], "real", -1.58, 1.58, node.reach)

    def apply(self, template, nodes, low, high, reach):
        if "{0}" in template:
            template, nodes = template.replace("{0}", "{}"), nodes*template.count("{0}")
            template = template.replace("{}", "({})")
        elif "({})" not in template:
            template = template.replace("{}", "({})")
        return Node(fill(template, nodes), "real", low, high, reach)

    def function(self, a):
        table = self.chance.weighted({"smooth": 12, "kinked": 4, "flat": 1})
        if table == "smooth":
            name = self.chance.pick(list(SMOOTH))
            template, most, low, high = SMOOTH[name]
            reach = True
        elif table == "kinked":
            name = self.chance.pick(list(KINKED))
            template, most, low, high, reach = KINKED[name]
            self.program.kinks = True
        else:
            name = self.chance.pick(list(FLAT))
            template, most, low, high = FLAT[name]
            reach = False
        self.cover("operation", name)
        a = self.tame(a, most)
        return self.apply(template, [a], low, high, a.reach if reach else NONE)

    def combine(self, a, b):
        kind = self.chance.weighted({"+": 5, "-": 4, "*": 8, "/": 2, "max": 1, "min": 1, "pow": 1})
        self.cover("operation", kind)
        reach = a.reach | b.reach
        if kind == "/":
            b = self.tame(b, 3)
            return self.apply("{}/(0.7 + {1}*{1})".replace("{1}", "({})"), [a, b, b], -a.size*1.5,
                              a.size*1.5, reach)
        if kind == "pow":
            a, b = self.tame(a, 1.4), self.tame(b, 1.5)
            return self.apply("(0.6 + {1}*{1})^{2}".replace("{1}", "({})").replace("{2}", "({})"),
                              [a, a, b], 0, 5, reach)
        if kind in ("max", "min"):
            self.program.kinks = True
            most = max(a.size, b.size) + 0.1
            return self.apply(f"{kind}({{}}, {{}} + 0.0173)", [a, b], -most, most, reach)
        if kind == "*":
            a, b = self.tame(a, 3), self.tame(b, 3)
            return self.apply("{}*{}", [a, b], -a.size*b.size, a.size*b.size, reach)
        most = a.size + b.size
        return self.apply("{} %s {}" % kind, [a, b], -most, most, reach)

    def real(self, env, depth):
        """A real expression."""
        kind = self.chance.weighted({"read": 4 if depth else 1, "combine": 6*depth, "function": 4*depth,
                                     "choice": 2*depth, "reduction": depth, "number": 1})
        if kind == "combine":
            return self.combine(self.real(env, depth - 1), self.real(env, depth - 1))
        if kind == "function":
            return self.function(self.real(env, depth - 1))
        if kind == "choice":
            return self.choice(env, depth)
        if kind == "reduction" and points(env.values()) < 300:
            return self.nested(env)
        if kind == "number":
            return self.constant(env)
        return self.read(env)

    def constant(self, env):
        """A number, an index variable as a number, or a whole number made of them."""
        kind = self.chance.below(4) if env else 0
        if kind == 0:
            number = self.chance.number(-2, 2)
            return Node([f"({number})"], "real", number, number)
        v, size = self.chance.pick(list(env.items()))
        self.cover("operation", "index as number")
        if kind == 1:
            return Node([f"0.13*{v}"], "real", 0, 0.13*size.most)
        self.cover("operation", "//" if kind == 2 else "%")
        by = [2, 4] if size.fixed or self.chance.happens(0.5) else [size.text]*2
        text = f"float(({v} + 1)//{by[0]})" if kind == 2 else f"float((3*{v} - 1) % {by[1]})"
        return Node([text], "real", 0, max(size.most, 3))

    def choice(self, env, depth):
        proof = self.proved_choice(env) if env and self.chance.happens(0.3) else None
        if proof:
            return proof
        condition = self.condition(env, 1)
        a, b = self.real(env, depth - 1), self.real(env, depth - 1)
        if self.chance.happens(0.35):
            a, b = (a, Node(["0"], "real", 0, 0)) if self.chance.happens(0.6) else (Node(["0"], "real", 0, 0), b)
        self.cover("operation", "if")
        return Node(["(if ", condition, " then ", a, " else ", b, ")"], "real", min(a.low, b.low),
                    max(a.high, b.high), a.reach | b.reach)

    def proved_choice(self, env):
        """A read that only the condition keeps in range."""
        v, size = self.chance.pick(list(env.items()))
        if not size.fixed or size.most < 2:
            return None
        c = self.chance.between(1, size.most - 1)
        source = self.grow([fixed(size.most - c)])
        back = self.chance.happens(0.5)
        read = self.read_of(source, f"{source.name}[{v} - {c}]" if back else f"{source.name}[{v}]")
        test = f"{v} >= {c}" if back else f"{v} < {size.most - c}"
        other = self.real(env, 0)
        self.cover("read", "proved by a condition")
        return Node([f"(if {test} then ", read, " else ", other, ")"], "real",
                    min(read.low, other.low), max(read.high, other.high), read.reach | other.reach)

    # ---- conditions and whole numbers

    def condition(self, env, depth):
        kinds = {"real": 3, "logic": 2*depth, "any": depth, "read": 1}
        if env:
            kinds["index"] = 6
        kind = self.chance.weighted(kinds)
        if kind == "logic":
            return self.logic(env, depth)
        if kind == "index":
            return Node([self.on_indices(env)], "bool")
        self.program.kinks = True
        if kind == "any" and points(env.values()) < 300:
            return self.reduce(env, self.chance.pick(["any", "all"]))
        if kind == "read" and self.budget > 0:
            return self.read_new(env, "bool")
        a, sign = self.real(env, 0), self.chance.pick(["<", "<=", ">", ">=", "!="])
        self.cover("operation", sign)
        return Node(["(", a, f") {sign} {self.chance.number(-0.6, 0.6)}137"], "bool")

    def logic(self, env, depth):
        word = self.chance.pick(["and", "or", "not"])
        self.cover("operation", word)
        a = self.condition(env, depth - 1)
        if word == "not":
            return Node(["not (", a, ")"], "bool")
        return Node(["(", a, f") {word} (", self.condition(env, depth - 1), ")"], "bool")

    def on_indices(self, env):
        v, size = self.chance.pick(list(env.items()))
        w, _ = self.chance.pick(list(env.items()))
        c = self.chance.below(size.most + 1)
        sign = self.chance.pick(["<", "<=", "==", "!=", ">", ">="])
        self.cover("operation", sign)
        texts = [f"{v} {sign} {c}", f"{v} {sign} {c}", f"{v} % 2 == 0", f"{v}//2 {sign} 1"]
        if v != w:
            texts += [f"{v} {sign} {w}"]*4 + [f"{v} + {w} {sign} {c}", f"2*{v} {sign} {w} + 1"]
        return self.chance.pick(texts)

    def whole(self, env, tensor):
        """A whole number from 0 to below self.wanted (or what an argmax gives)."""
        high, self.wanted = getattr(self, "wanted", 0) or self.chance.between(2, 9), 0
        kind = self.chance.below(3)
        if kind == 0:
            node = self.reduce(env, self.chance.pick(["argmax", "argmin"]), tensor, most=high)
            if node:
                return node
        self.cover("operation", "whole equation")
        terms = " + ".join(f"{1 + self.chance.below(4)}*{v}" for v in env) or "3"
        if kind == 1 and high > 1:
            self.program.kinks = True
            value = self.tame(self.real(env, 1), 3)
            return Node(["(int(1.9*(", value, f") + 9.113) + {terms}) % {high}"], "int", 0, high)
        return Node([f"({terms} + {self.chance.below(5)}) % {high}"], "int", 0, high)

    # ---- reductions

    def binders(self, env, most=MOST_POINTS):
        names = [name for name in self.variables(15) if name not in env]
        binders, room = {}, MOST_POINTS//points(env.values())
        for name in names[:self.chance.weighted({1: 5, 2: 2})]:
            old = [size for t in self.tensors for size in t.sizes]
            size = self.chance.pick(old) if old and self.chance.happens(0.6) else self.new_size()
            product = points(binders.values())*size.most
            if product <= min(room, most) and (size.fixed or most == MOST_POINTS):
                binders[name] = size
        return binders or {names[0]: fixed(min(2, most))}

    def guard(self, env, binders, kind):
        r, size = self.chance.pick(list(binders.items()))
        texts = [f"{r} < {self.chance.between(1, size.most)}", f"{r} % 2 == 0"]
        texts += [f"{r} <= {v}" for v in env]*2
        texts += [f"{r} >= {v}" for v, other in env.items() if other == size]
        if size.fixed and size.most > 1:
            texts += [f"{r} != {self.chance.below(size.most)}"]
        if kind in NEEDS_POINTS:
            return Node([self.chance.pick(texts)], "bool")
        texts += [f"{r} < {v}" for v in env] + [f"{r} == {v}" for v in env] + [f"{r} + {v} < 5" for v in env]
        texts += [f"{r} == 2*{v}" for v in env]
        if self.chance.happens(0.35):
            return self.condition({**env, **binders}, 1)
        whole = [t for t in self.tensors if t.type == "int" and t.ready]
        if whole and self.chance.happens(0.3):
            self.cover("guard", "gathered")
            read = self.read_from(self.chance.pick(whole), env, plain=True)
            return Node([read, f" == {r}"], "bool")
        return Node([self.chance.pick(texts)], "bool")

    def nested(self, env):
        return self.reduce(env, self.chance.weighted(REDUCTIONS))

    def reduce(self, env, kind, tensor=None, most=MOST_POINTS):
        """A reduction; of `tensor` when it is the whole right side."""
        binders = self.binders(env, most)
        count, inner = points(binders.values()), {**env, **binders}
        if tensor is not None:
            tensor.kind = kind
        else:
            self.cover("nested", kind)
        head = ", ".join(f"{r} in {size.text}" for r, size in binders.items())
        parts = [f"{kind}[{head}"]
        if self.chance.happens(0.35):
            parts += [" if ", self.guard(env, binders, kind)]
            self.cover("guarded", kind)
        self.cover("reduction", kind)
        if kind in ("any", "all"):
            return Node([*parts, "](", self.condition(inner, 0), ")"], "bool")
        body = self.tame(self.real(inner, 1 if tensor is None else 2), 2)
        if kind == "prod":
            body = self.factor(body, count)
        if kind in ("max", "min", "argmax", "argmin"):
            self.program.kinks = True
        if kind.startswith("arg"):
            return Node([*parts, "](", body, ")"], "int", 0, count)
        low, high = self.interval(kind, body, count)
        return Node([*parts, "](", body, ")"], "real", low, high, body.reach)

    def factor(self, body, count):
        """Products of all factors stay below e^2; few factors may be 0."""
        if count <= 3 or self.chance.happens(0.2):
            return self.tame(body, 1)
        part = min(0.2, float(f"{2/count:.1g}"))
        return Node([f"1 + {part}*sin(", body, ")"], "real", 1 - part, 1 + part, body.reach)

    @staticmethod
    def interval(kind, body, count):
        if kind == "sum":
            return -body.size*count, body.size*count
        if kind == "prod":
            most = math.exp(min(count*math.log(max(body.size, 1)), LARGEST_LOGARITHM))
            return -most, most
        if kind == "lse":
            return body.low, body.high + math.log(count)
        return body.low, body.high

    def root(self, env, tensor, is_loss=False):
        """The right side of an equation."""
        if is_loss or self.chance.happens(0.5) and points(env.values()) <= MOST_POINTS//2:
            kind = self.chance.weighted(REDUCTIONS)
            node = self.reduce(env, kind, tensor)
            if not node.reach and is_loss:
                tensor.kind = "pointwise"
            if self.chance.happens(0.25):
                tensor.kind = "pointwise"
                return self.function(self.tame(node, 4))
            return node
        return self.real(env, 3)
