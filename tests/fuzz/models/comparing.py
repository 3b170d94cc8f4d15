"""How far apart results may be."""

import math

PARTS = ("train", "eval", "gradients", "losses", "kept")
DOUBLE, FLOAT = 1e-9, 2e-3


def numbers(values):
    return [float(value) for value in values]


def as_object(part):
    return part if isinstance(part, dict) else {"": part}


def scale_of(part):
    return max([1e-2] + [abs(x) for values in part.values() for x in numbers(values) if math.isfinite(x)])


def gap(found, expected, scale):
    found, expected = numbers(found), numbers(expected)
    if len(found) != len(expected):
        return math.inf
    gaps = [0.0 if f == e or f != f and e != e else abs(f - e)/scale for f, e in zip(found, expected)]
    return math.inf if any(g != g for g in gaps) else max(gaps, default=0.0)


def differences(what, found, expected, limit, parts=PARTS):
    """Texts: what is off in each part of a run, relative to the greatest number of its part."""
    problems = []
    for part in parts:
        if part not in expected or part not in found:
            continue
        right, left = as_object(expected[part]), as_object(found[part])
        scale = max(scale_of(right), 1) if part != "gradients" else scale_of(right)
        for name, values in right.items():
            if name not in left:
                problems.append(f"{what}: {part} {name} is missing")
                continue
            off = gap(left[name], values, scale)
            if not off <= limit:
                problems.append(f"{what}: {part} {name} is off by {off:.2g}")
    return problems


def not_finite(run):
    return [f"as written: {part} {name} is not finite" for part in PARTS if part in run
            for name, values in as_object(run[part]).items()
            if not all(map(math.isfinite, numbers(values)))]
