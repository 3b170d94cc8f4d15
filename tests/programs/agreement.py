"""Whether the C generated from a file of models, in double and in float, computes what the reference
interpreter computes: initial values, outputs, metrics and loss, and the losses and values of five steps of
each train block, with all run-time dims at their maxima and at 1.

Values of inputs are between 0.1 and 0.9, whole ones 0, 1 or 2; a line `#: NAME LOW HIGH` of the file says
otherwise."""

import math
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "emit"))
import generated  # noqa: E402
from generated import distance  # noqa: E402

LIMITS = {"double": 1e-10, "float": 2e-4}
STEPS = 5
SEED = 7


def ranges_of(text):
    return {name: (int(low), int(high))
            for name, low, high in re.findall(r"^#: (\S+) (\S+) (\S+)$", text, re.M)}


def has_line(path, model, word):
    """Whether a statement of the model itself begins with this word."""
    body = re.search(rf"^model {model} {{\n(.*?)^}}", path.read_text(), re.M | re.S)[1]
    return re.search(rf"^  {word}\b", body, re.M) is not None


class Case:
    """One model of a file at one choice of sizes, and what must agree."""

    def __init__(self, path, name, description, sizes):
        self.path, self.name, self.sizes = path, name, sizes
        self.description = description
        entries = description["entries"]
        self.kept = generated.kept_names(description)
        steps = [entry for entry in entries if entry.endswith("step") and entry != "eval_step"]
        self.steps = steps if has_line(path, name, "train") else []  # the interpreter needs a block
        outputs = [tensor["name"] for tensor in generated.of_kind(description, "output")]
        metrics = [entry for entry in entries if entry not in ("infer", "eval_step", *steps)]
        self.results = outputs + metrics + (["loss"] if has_line(path, name, "loss") else [])
        self.inputs = self.draw_inputs()

    def draw_inputs(self):
        rng = random.Random(SEED)
        ranges, values = ranges_of(self.path.read_text()), {}
        for tensor in generated.of_kind(self.description, "input", "target"):
            low, high = ranges.get(tensor["name"], (0, 2))
            whole = tensor["type"] >= 2
            values[tensor["name"]] = [rng.randint(low, high) if whole else rng.uniform(0.1, 0.9)
                                      for _ in range(math.prod(tensor["shape"]))]
        return values

    def requests(self):
        base = dict(model=self.name, seed=SEED, sizes=self.sizes, set=self.inputs)
        first = [dict(base, ask=self.kept + self.results)]
        return first + [dict(base, entry=entry, steps=STEPS, ask=self.kept) for entry in self.steps]

    def expected(self, f32, **more):
        return generated.interpret(self.path, self.name, dict(
            seed=SEED, sizes=self.sizes, set=self.inputs, f32=f32, **more))

    def problems(self, results, real):
        limit, f32 = LIMITS[real], real == "float"
        pairs = []
        right = self.expected(f32, program="eval", ask=self.kept + self.results)["values"]
        pairs += [(name, results[0]["values"][name], right[name]["data"])
                  for name in self.kept + self.results]
        for number, entry in enumerate(self.steps):
            found = results[1 + number]
            right = self.expected(f32, block=number, steps=STEPS, ask=self.kept)
            pairs.append((f"losses of {entry}", found["losses"], right["losses"]))
            pairs += [(f"{name} after {entry}", found["values"][name], right["values"][name]["data"])
                      for name in self.kept]
        gaps = [(name, distance(found, right)) for name, found, right in pairs]
        unsound = [name for name, found, right in pairs if any(map(math.isnan, map(float, right)))]
        return ([f"{name} is off by {gap:.2g}" for name, gap in gaps if not gap <= limit] +
                [f"{name} is not a number" for name in unsound])


def sizes_to_try(dims):
    """All run-time dims at their maxima, and at 1."""
    most = dict(dims)
    return [most] + ([dict.fromkeys(dims, 1)] if any(size > 1 for size in most.values()) else [])


def cases_of(driver, models):
    dims = {name: description["dims"] for name, description in generated.describe(driver, models).items()}
    cases = []
    for name, path in models.items():
        for sizes in sizes_to_try(dims[name]):
            description = generated.describe(driver, [name], sizes=sizes)[name]
            cases.append(Case(path, name, description, sizes))
    return cases


def check_file(path, folder, real):
    """The number of failures; every model of the file is one result."""
    models = {name: path for name in generated.names_of(path.read_text())}
    folder = folder / f"{path.stem}-{real}"
    folder.mkdir()
    source = folder / path.name
    source.write_text(path.read_text())
    c = generated.compile_source(source, [f"--real={real}"])
    driver = generated.build_driver(folder, [c], models,
                                    generated.sanitizing() if real == "double" else generated.CC)
    problems = {name: [] for name in models}
    for case in cases_of(driver, models):
        found = case.problems(generated.drive(driver, case.requests()), real)
        problems[case.name] += [f"at {case.sizes}: {text}" for text in found]
    return sum(generated.report(f"{real} {path.stem} {name}", texts) for name, texts in problems.items())


def check(path, folder):
    """The number of failures of a file in both types of reals."""
    failures = 0
    for real in LIMITS:
        try:
            failures += check_file(path, folder, real)
        except generated.Failure as failure:
            failures += generated.report(f"{real} {path.stem}", [str(failure)])
    return failures
