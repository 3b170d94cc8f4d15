"""The library as its own headers tell it: what a definition takes and gives, and hyper-parameters for it."""

import pathlib
import re

from tensors import Size, fixed

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent.parent / "library"
TEXTS = {path.stem: re.sub(r"#[^\n]*", "", path.read_text()) for path in sorted(FOLDER.glob("*.nn"))}
# what a definition that is not for hyper-parameters of ours says when it is given some
REQUIRED = re.findall(r'require [^\n"]*"([^"]*)"', "".join(TEXTS.values()))


def split(text, sign=","):
    """At the signs that stand in no bracket."""
    parts, depth, begin = [], 0, 0
    for at, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == sign and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [part.strip() for part in [*parts, text[begin:]] if part.strip()]


def closing(text, at):
    """Behind the bracket that closes the one at `at`."""
    depth = 0
    for end in range(at, len(text)):
        depth += (text[end] in "([{") - (text[end] in ")]}")
        if depth == 0:
            return end + 1
    raise ValueError("bracket never closes")


class Formal:
    def __init__(self, text):
        name, dims, kind, default = re.fullmatch(
            r"(\w+)\s*(\[[^\]]*\])?\s*(?::\s*(\w+)(?:\([^)]*\))?)?\s*(?:=\s*(.*))?", text, re.S).groups()
        self.name, self.kind, self.default = name, kind, default
        self.dims = split(dims[1:-1]) if dims else None


class Definition:
    """`def NAME(tensors; hypers) -> results`, the sizes its body computes and what it requires."""

    def __init__(self, file, name, formals, rest):
        self.file, self.name = file, name
        tensors, _, hypers = formals.partition(";")
        self.tensors = [Formal(text) for text in split(tensors)]
        self.hypers = [Formal(text) for text in split(hypers)]
        self.is_pointwise = rest.lstrip().startswith("=")
        head = re.match(r"\s*->\s*(\([^)]*\)|\w+(?:\[[^\]]*\])?)", rest)
        self.results = [Formal(text) for text in split(head[1].strip("()"))] if head else []
        self.body = rest[head.end():] if head else rest
        self.sizes = [re.match(r"(\w+)\s*=\s*(.*)", part, re.S).groups()
                      for line in re.findall(r"\bdim ([^\n}]*)", self.body) for part in split(line)]
        self.requires = re.findall(r"require (.*?) :", self.body)
        self.draws = bool(re.search(r"^\s*(?!param)\w+\[[^\]]*\]\s*~", self.body, re.M))
        self.weighs = "@weight" in self.body
        self.crosses_batch = bool(re.search(r"\b(sum|mean|max|lse)\[n\b", self.body))

    def logarithm_of(self, name):
        return re.search(rf"\blog\({name}\b|/{name}\b", self.body)


def definitions():
    """Of all files, with what each says of those it applies."""
    found = {}
    for file, text in TEXTS.items():
        for head in re.finditer(r"^def (\w+)\(", text, re.M):
            end = closing(text, head.end() - 1)
            following = re.search(r"^(def|optimizer) ", text[end:], re.M)
            rest = text[end:end + following.start()] if following else text[end:]
            found[head[1]] = Definition(file, head[1], text[head.end():end - 1], rest)
    for _ in range(4):
        for one in found.values():
            words = set(re.findall(r"\w+", one.body)) - {"dropout_factors"}  # cells draw where `drop` is given
            used = [found[name] for name in words if name in found]
            one.draws |= any(other.draws for other in used)
            one.weighs |= any(other.weighs for other in used)
            one.crosses_batch |= any(other.crosses_batch for other in used)
    return found


class Optimizer:
    """Its place in a chain: before (what it makes of the gradient), step or behind (what it makes of the
    parameter)."""

    def __init__(self, name, formals, body):
        self.name, self.formals = name, [Formal(text) for text in split(formals)]
        self.wholes = re.findall(r"\w+", "".join(re.findall(r"\bdims\(([^)]*)\)", body)))  # numbers of dims
        self.adds_parameters = "total(" in body
        self.jumps = bool(re.search(r"\bsign\(|\bif .*> 0", body))  # where a gradient is 0 but for rounding
        self.averages = "= w @eval" in body  # begins with initial values, which float draws otherwise
        self.place = "before" if "g :=" in body else "step" if re.search(r"\bg\b", body) else "behind"

    def text(self, chance):
        """What divides by little has a larger eps, or rounding would show."""
        words = []
        for formal in self.formals:
            if formal.default is None:
                words.append("0.03" if formal.name == "lr" else str(chance.number(0.3, 2)))
            elif formal.name == "eps":
                words.append("eps = 1e-2")
            elif formal.default in ("true", "false") and chance.happens(0.3):
                words.append(f"{formal.name} = true")
            elif formal.default == "0" and formal.name not in self.wholes and chance.happens(0.3):
                words.append(f"{formal.name} = {chance.number(0.1, 0.9)}")
        return f"{self.name}({', '.join(words)})"


def optimizers():
    text = TEXTS["optimizers"]
    heads = re.finditer(r"^optimizer (\w+)\(([^)]*)\) (?={)", text, re.M)
    return [Optimizer(head[1], head[2], text[head.end():closing(text, head.end())]) for head in heads]


DEFINITIONS, OPTIMIZERS = definitions(), optimizers()


# ---- sizes -----------------------------------------------------------------------------------------


def is_pack(dim):
    return dim.startswith("...")


def unify(pattern, sizes, env):
    """Whether dims such as N, C, ... fit these sizes; what they stand for goes to env."""
    packs = [k for k, dim in enumerate(pattern) if is_pack(dim)]
    room = len(sizes) - (len(pattern) - len(packs))
    if room < 0 or room > 0 and not packs:
        return False
    at = 0
    for dim in pattern:
        if is_pack(dim):
            found, at = sizes[at:at + room], at + room
        else:
            found, at = sizes[at], at + 1
        if dim in env and env[dim] != found:
            return False
        env[dim] = found
    return True


def number(value):
    """A size as a number of formulas; null: known at run time only."""
    if isinstance(value, Size):
        return value.most if value.fixed else None
    return value


def evaluate(text, env):
    """A formula over sizes and hyper-parameters; null: not known here."""
    names = {name: number(value) for name, value in env.items() if not isinstance(value, list)}
    try:
        return eval(text, {"__builtins__": {}, "true": True, "false": False}, names)
    except (TypeError, NameError, SyntaxError):
        return None
    except ZeroDivisionError:
        return 0


def sizes_of(pattern, env):
    """The sizes of a tensor of these dims; null: not known, or none."""
    sizes = []
    for dim in pattern:
        value = env.get(dim)
        if is_pack(dim):
            sizes += value or []
            continue
        if value is None:
            value = evaluate(dim, env)
        if value is None or isinstance(value, int) and value < 1:
            return None
        sizes.append(value if isinstance(value, Size) else fixed(value))
    return sizes


# ---- hyper-parameters ------------------------------------------------------------------------------


def value_for(formal, chance):
    """A value for a hyper-parameter, as Python has it; null: its default."""
    text = formal.default
    if text is None:
        return chance.between(1, 5)
    if formal.name == "drop":
        return round(chance.number(0.1, 0.6), 3) if chance.happens(0.2) else int(text)
    if text in ("true", "false"):
        return chance.happens(0.5)
    if re.fullmatch(r"-?\d+", text):
        least = min(int(text), 1)
        return chance.between(least, least + 2) if chance.happens(0.4) else int(text)
    if re.fullmatch(r"[\d.]+(e-?\d+)?", text):
        value = float(text)
        return 0.01 if value < 0.01 else round(value*chance.number(0.5, 1), 3)
    if chance.happens(0.75):
        return None
    least = 0 if formal.name.startswith("pad") else 1
    return chance.between(least, 3)


def choose(definition, env, chance):
    """Hyper-parameters {name: text} that the definition accepts, its sizes in env; null: none were found."""
    for _ in range(12):
        known, given = dict(env), {}
        for formal in definition.hypers:
            if formal.kind == "fn":
                continue
            value = value_for(formal, chance)
            is_default = value is not None and str(value).lower() == formal.default
            if value is not None and not (is_default and chance.happens(0.8)):
                given[formal.name] = str(value).lower()
            known[formal.name] = value if value is not None else evaluate(formal.default, known)
        for name, text in definition.sizes:
            known.setdefault(name, evaluate(text, known))
        held = [evaluate(text, known) for text in definition.requires]
        sizes = [known[name] for name, _ in definition.sizes]
        if all(held) and all(size is None or size > 0 for size in sizes):
            env.update(known)
            return given
    return None


def optimizers_of(chance, may_jump):
    """A chain of optimizers."""
    chain, fitting = [], [one for one in OPTIMIZERS if may_jump or not one.jumps]
    for place, probability in (("before", 0.3), ("step", 1), ("behind", 0.2)):
        if chance.happens(probability):
            chain.append(chance.pick([one for one in fitting if one.place == place]))
    return chain
