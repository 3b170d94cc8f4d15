"""Every kind of subscript that falls inside a dim, or that a default makes up for."""

from growth import Growth, MOST_ELEMENTS
from program import Node
from tensors import fixed, points


class Option:
    """One way to address a dim: its text, the variables in it, whether the read needs a default."""

    def __init__(self, weight, kind, parts, used=(), guarded=False):
        self.weight, self.kind, self.used, self.guarded = weight, kind, set(used), guarded
        self.parts = [parts] if isinstance(parts, str) else parts


def shifted(text, by):
    return text if by == 0 else f"{text} + {by}" if by > 0 else f"{text} - {-by}"


class Subscripts(Growth):
    def one_variable(self, size, v, r):
        """Within the dim, without a default."""
        below, most, options = self.chance.below, size.most, []
        if r == size:
            options += [Option(12, "plain", v, v), Option(2, "reversed", f"{size.text} - 1 - {v}", v)]
        if r == size and not size.fixed:
            by = self.chance.pick([-1, -1, 1, 2])
            options += [Option(3, "rotated", f"({shifted(v, by)}) % {size.text}", v)]
        if not (r.fixed and size.fixed):
            return options
        if r.most < most:
            room = most - r.most
            options += [Option(3, "narrow", v, v),
                        Option(3, "shifted", shifted(v, 1 + below(room)), v),
                        Option(2, "reversed", f"{r.most - 1 + below(room + 1)} - {v}", v)]
        s = 2 + below(2)
        if s*(r.most - 1) < most:
            room = most - s*(r.most - 1)
            options += [Option(3, "strided", shifted(f"{s}*{v}", below(room)), v),
                        Option(1, "reversed strided", f"{s*(r.most - 1) + below(room)} - {s}*{v}", v)]
        if (r.most - 1)//s < most:
            options += [Option(2, "quotient", f"{v}//{s}", v)]
        if (r.most + 1)//s < most:
            options += [Option(1, "quotient of shifted", f"({v} + 2)//{s}", v)]
        if most >= 2:
            options += [Option(2 if r.most > most else 1, "remainder", f"{v} % {most}", v),
                        Option(1, "remainder of less", f"{v} % {most - 1 or 1}", v),
                        Option(1, "remainder of shifted", f"({v} + {1 + below(3)}) % {most}", v)]
        if (r.most - 1)//s*s < most:
            options += [Option(1, "coarse", f"{v}//{s}*{s}", v)]
        return options

    def one_guarded(self, size, v, r):
        by, s, p = 1 + self.chance.below(3), 2 + self.chance.below(2), self.chance.below(4)
        options = [Option(2, "shifted back, guarded", shifted(v, -by), v, True),
                   Option(2, "shifted ahead, guarded", shifted(v, by), v, True),
                   Option(1, "strided, guarded", shifted(f"{s}*{v}", -p), v, True),
                   Option(1, "reversed, guarded", f"{p + 1} - {v}", v, True)]
        if r.fixed:
            options.append(Option(1, "quotient, guarded", f"({v} - 1)//{s}", v, True))
        return options

    def two_variables(self, size, v, r, w, q):
        s, d, p = 1 + self.chance.below(2), 1 + self.chance.below(3), self.chance.below(3)
        window = f"{s}*{v} + {d}*{w}" if s*d > 1 else f"{v} + {w}"
        window = window.replace("1*", "")
        options = [Option(3, f"window s={s} d={d}, guarded", shifted(window, -p), (v, w), True),
                   Option(1, "difference, guarded", f"{v} - {w}", (v, w), True),
                   Option(1, "rotated by another", f"({v} - {w}) % {size.text}", (v, w))]
        if not (size.fixed and r.fixed and q.fixed):
            return options
        if s*(r.most - 1) + d*(q.most - 1) < size.most:
            options.append(Option(4, f"window s={s} d={d}", window, (v, w)))
        if r.most + q.most - 2 < size.most:
            options.append(Option(3, "difference", f"{v} - {w} + {q.most - 1}", (v, w)))
        if r.most*q.most <= size.most:
            options.append(Option(6, "composite", f"({v} in {r.text}, {w} in {q.text})", (v, w)))
            options[-1].parts = [f"{q.most}*{v} + {w}" if self.chance.happens(0.5) else f"({v}, {w})"]
        if q.most > 1 and r.most*q.most <= size.most*2 and (r.most - 1)*q.most + q.most - 1 < size.most*2:
            options.append(Option(2, "quotient of composite", f"({q.most}*{v} + {w})//2", (v, w)))
        return options

    def gathered(self, size, env):
        """A subscript read from a tensor of whole numbers."""
        guarded = self.chance.happens(0.2)
        high = size.most + 2 if guarded else size.most
        if not size.fixed:
            return None
        fitting = [t for t in self.tensors if t.type == "int" and t.ready
                   and (t.high <= size.most or guarded)]
        fitting = [t for t in fitting if all(self.fits(size, env) for size in t.sizes)]
        if fitting and self.chance.happens(0.5):
            source = self.chance.pick(fitting)
        else:
            sizes = [self.chance.pick(list(env.values()))] if env else [fixed(1)]
            source = self.new_whole(sizes, high)
        read = self.read_from(source, env, plain=True)
        kind = "gathered" + (", guarded" if guarded else "")
        return Option(1, kind, [read], env, guarded)

    def new_whole(self, sizes, high):
        if self.budget > 0 and len(self.reading) < 6 and high > 1 and self.chance.happens(0.4):
            self.budget -= 1
            self.wanted = high
            return self.new_equation(sizes, "int")
        return self.new_index(sizes, high)

    def fits(self, size, env):
        return any(r == size for r in env.values())

    def subscript(self, size, env, fresh, plain):
        """The subscript of one dim; variables of `fresh` are preferred."""
        if self.chance.happens(0.06) and not plain:
            option = self.gathered(size, env)
            if option:
                return option
        last = f"{size.text} - 1" if not size.fixed else str(self.chance.below(size.most))
        options = [Option(1, "constant", self.chance.pick([last, "0"]))]
        for v, r in env.items():
            some = self.one_variable(size, v, r)
            if not plain:
                some += self.one_guarded(size, v, r)
                for w, q in env.items():
                    some += self.two_variables(size, v, r, w, q) if v != w else []
            options += some
        table = {i: option.weight*(6 if option.used & fresh else 1) for i, option in enumerate(options)}
        return options[self.chance.weighted(table)]

    def read_from(self, source, env, plain=False):
        """A read of this tensor at the variables of env, with a default where that may fall outside."""
        fresh, parts, guarded, seen = set(env), [], False, set()
        for size in source.sizes:
            option = self.subscript(size, env, fresh, plain)
            fresh -= option.used
            if option.used & seen:
                self.cover("read", "diagonal")
            seen |= option.used
            guarded |= option.guarded
            self.cover("read", option.kind)
            parts += [", ", *option.parts]
        if not source.sizes:
            return self.read_of(source, source.name)
        if not guarded:
            return self.read_of(source, source.name, "[", *parts[1:], "]")
        default = self.default(source, env)
        node = self.read_of(source, source.name, "[", *parts[1:], " | ", default, "]")
        node.low, node.high = min(node.low, default.low), max(node.high, default.high)
        node.reach |= default.reach
        return node

    def default(self, source, env):
        """A number, or a read of another tensor."""
        if source.type == "bool":
            return Node([self.chance.pick(["true", "false"])], "bool")
        if source.type == "int":
            return Node(["0"], "int", 0, 0)
        others = [t for t in self.tensors if t.type == "real" and t.ready and t is not source
                  and t.name != "loss"]
        if others and self.chance.happens(0.2):
            self.cover("default", "read")
            return self.read_from(self.chance.pick(others), env)
        self.cover("default", "number")
        number = 0 if self.chance.happens(0.6) else self.chance.number(-1, 1)
        return Node([str(number)], "real", number, number)

    def needed_size(self, env):
        """A size for a dim of a new tensor: that of a variable, or what some kind of subscript reaches."""
        if not env or self.chance.happens(0.1):
            return self.new_size()
        r = self.chance.pick(list(env.values()))
        if not r.fixed or self.chance.happens(0.6):
            return r
        others = [q.most for q in env.values() if q.fixed]
        q, c = self.chance.pick(others), 1 + self.chance.below(3)
        return fixed(min(self.chance.pick([r.most + q - 1, r.most*q, r.most*2, r.most + c, 2*r.most + q,
                                           (r.most + c)//(c + 1), max(1, r.most - c)]), 60) or 1)

    def read_new(self, env, type="real"):
        rank = self.chance.weighted({0: 1, 1: 6, 2: 8, 3: 3}) if env else self.chance.weighted({0: 3, 1: 1})
        sizes = [self.needed_size(env) for _ in range(rank)]
        while points(sizes) > MOST_ELEMENTS:
            sizes.pop()
        return self.read_from(self.grow(sizes, type), env)

    def read(self, env):
        """Of an older tensor that one variable at least fits, or of a new one."""
        old = [t for t in self.tensors if t.type == "real" and t.ready and t.name != "loss" and
               (not env or any(self.fits(size, env) or size.fixed and size.most > 1 for size in t.sizes))]
        if old and self.chance.happens(0.45):
            return self.read_from(self.chance.pick(old), env)
        return self.read_new(env)
