"""A model with all of the library that it uses in one file, every name in it another, and the equations of each block
in reverse: what a compiler that knows no layer compiles to the same loops."""

import dataclasses
import re

import building

WORDS = set("""
    import const def optimizer model dim param state use scan in checkpoint if else then require grad remat input target
    output metric loss train group freeze or and not sum prod max min mean argmax argmin lse any all total count pi inf
    abs sign floor ceil round exp expm1 log log1p sqrt rsqrt sin cos tan atan tanh sigmoid softplus erf lgamma digamma
    float int stop gradient normal truncated_normal uniform bernoulli orthogonal step training index fn bool f32 i32 u8 i8
    true false live eval runtime repeat adj unit dims""".split())
OF_OPTIMIZERS = {"w", "g"}      # mean a parameter and its gradient there, and in a penalty
NAME = re.compile(r'#[^\n]*|"[^"\n]*"|@?[A-Za-z_]\w*|\d+\.?\d*(?:e[+-]?\d+)?')


def other_names(text, kept):
    """Every name but the language's, its tags and those to keep."""

    def replaced(found):
        word = found[0]
        plain = word[0] in '#"@' or word[0].isdigit() or word in WORDS or word in kept
        return "" if word.startswith("#") else word if plain else other_name(word)

    return NAME.sub(replaced, text)


def other_name(word):
    """One that sorts otherwise, too, and does not end in a number."""
    return f"q{sum(map(ord, word)) % 97}_{word[::-1]}_q"


def items(text):
    """The definitions of a file, each with its block."""
    starts = [found.start() for found in re.finditer(r"^(?:def|optimizer|model|const) ", text, re.M)]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)])]


def indent(line):
    return len(line) - len(line.lstrip())


def statements(item):
    """Lines, each with those that continue it."""
    units = []
    for line in item.split("\n"):
        goes_on = units and line.strip() and indent(line) > indent(units[-1]) and not units[-1].endswith("{")
        if goes_on and not units[-1].split("\n")[0].lstrip().startswith("def "):
            units[-1] += "\n" + line
        else:
            units.append(line)
    return units


def turned(item):
    """Equations that stand next to each other in reverse."""
    run, result = [], []
    for unit in [*statements(item), None]:
        if unit and re.match(r" +\w+(\[[^\]]*\])* = ", unit) and not unit.endswith("{"):
            run.append(unit)
            continue
        result += run[::-1]
        run = []
        if unit is not None:
            result.append(unit)
    return "\n".join(result)


def renamed(model, folder):
    """The model, its file and its data under other names."""
    folder.mkdir(parents=True, exist_ok=True)
    library = [item for path in sorted((building.ROOT / "library").glob("*.nn")) for item in items(path.read_text())]
    own = items(model.source.read_text())
    parts = []
    for item in [*library, *own]:
        keeps = OF_OPTIMIZERS if item.startswith("optimizer") or "total[" in item else set()
        text = item if item.startswith("optimizer") else turned(item)
        parts.append(other_names(text, keeps))
    name = other_name(model.symbol or model.name)
    path = folder / f"{model.name}.nn"
    path.write_text("\n".join(parts))
    write_data(model)
    return dataclasses.replace(model, name=f"renamed_{model.name}", file=path.with_suffix(""), symbol=name,
                               data=f"renamed_{model.data}", options=tuple(map(with_other_dim, model.options)))


def with_other_dim(option):
    """N=64 of -D N=64."""
    dim, is_size, size = option.partition("=")
    return f"{other_name(dim)}={size}" if is_size else option


def write_data(model):
    """The records with their paths renamed."""
    folder = building.PLACE / "data"
    with open(folder / model.data, "rb") as old, open(folder / f"renamed_{model.data}", "wb") as new:
        while line := old.readline():
            name, size = line.decode().split()
            path = ".".join(map(other_step, name.split(".")))
            new.write(f"{path} {size}\n".encode())
            new.write(old.read(int(size)))


def other_step(step):
    """Of a path: the number of a copy stays, and so does that of another call of one definition, as in dense2."""
    name, number = re.fullmatch(r"(.*?)(\d*)", step).groups()
    return (other_name(name) if name else "") + number


def same_nests(first, second):
    """Whether two C files have the same loops, whatever their names and order."""
    shapes = [sorted(re.findall(r"for \(int64_t \w+ = ([^;\w]*\d*); \w+ [<>]=? ([^;]*);", re.sub(
        r"[A-Za-z_]\w*", lambda found: found[0] if found[0] in ("for", "int64_t") else "v", text)))
        for text in (first, second)]
    return "the same" if shapes[0] == shapes[1] else f"{len(shapes[0])} and {len(shapes[1])} loops"
