#!/usr/bin/env python3
"""Formulas of papers that the library does not have, each a small program written from its paper. Their
gradients agree with dual numbers and differences; gcc and clang compile their C without a warning; what it
computes agrees with the formulas written once more in Python (norms.py, losses.py, blocks.py,
optimizers.py), and with the interpreter; and they learn.

usage: test_papers.py [TEXT]      only programs whose names contain it"""

import math
import pathlib
import random
import sys
import tempfile

import blocks
import losses
import norms
import optimizers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "programs"), str(ROOT / "tests" / "emit")]
import agreement  # noqa: E402
import generated  # noqa: E402

FORMULAS = {f.__name__: f for part in (norms, losses, blocks) for f in part.REFERENCES}
LIMIT = 1e-8
TRAINED = 3  # steps before formulas are compared, so that no parameter is 0 or 1 any more
LEARNED = {"adafactor": 60, "prodigy": 150, "vae": 200}  # steps until the loss is a tenth less, if not 40
VALUES = {"vae": {"logvar.W": 0, "logvar.b": -50}}  # no noise where formulas are compared


def nested(flat, shape):
    if len(shape) < 2:
        return list(flat) if shape else flat[0]
    size = len(flat) // shape[0]
    return [nested(flat[i * size:(i + 1) * size], shape[1:]) for i in range(shape[0])]


def flat(values):
    return [e for value in values for e in flat(value)] if isinstance(values, (list, tuple)) else [values]


class Program:
    """One program, how it is asked, and what it answers."""

    def __init__(self, path, driver):
        self.path, self.name, self.driver = path, path.stem, driver
        most = generated.describe(driver, [self.name])[self.name]["dims"]
        self.sizes = {dim: max(2, size - 1) for dim, size in most.items()}  # one less than the most
        self.description = generated.describe(driver, [self.name], sizes=self.sizes)[self.name]
        self.shapes = {t["name"]: t["shape"] for t in self.description["tensors"]}
        self.kept = generated.kept_names(self.description)
        self.outputs = [t["name"] for t in generated.of_kind(self.description, "output")]
        self.inputs = self.draw()

    def draw(self):
        """Normal numbers, in vae chances."""
        rng, ranges, values = random.Random(2), agreement.ranges_of(self.path.read_text()), {}
        for tensor in generated.of_kind(self.description, "input", "target"):
            low, high = ranges.get(tensor["name"], (0, 2))
            whole = tensor["type"] >= 2
            values[tensor["name"]] = [
                rng.randint(low, high) if whole else rng.random() if self.name == "vae" else rng.gauss(0, 1)
                for _ in range(math.prod(tensor["shape"]))]
        return values

    def ask(self, steps, names=(), values=None):
        request = dict(model=self.name, seed=5, sizes=self.sizes, steps=steps, ask=list(names),
                       set={**self.inputs, **(values or {})})
        result = generated.drive(self.driver, [request])[0]
        return result["losses"], {name: nested(values, self.shapes.get(name, ()))
                                  for name, values in result["values"].items()}

    def data(self):
        return {name: nested(values, self.shapes[name]) for name, values in self.inputs.items()}


def compare(pairs):
    gaps = [(name, generated.distance(flat([found]), flat([expected]))) for name, found, expected in pairs]
    return [f"{name} is off by {gap:.2g}" for name, gap in gaps if not gap <= LIMIT]


def check_formula(program):
    """Outputs and loss outside training and the loss in training, after some steps of it."""
    formula, start = FORMULAS[program.name], VALUES.get(program.name)
    steps = 0 if start else TRAINED
    values = program.ask(steps, program.kept + program.outputs + ["loss"], start)[1]
    trained, after = program.ask(steps + 1, program.kept, start)
    loss, outputs, _ = formula(values, program.data(), False)
    pairs = [("loss", values["loss"], loss)] + [(name, values[name], outputs[name]) for name in outputs]
    loss, _, new = formula(values, program.data(), True)
    pairs += [("loss in training", trained[-1], loss)] + [(name, after[name], new[name]) for name in new]
    return compare(pairs)


def check_steps(program):
    """The losses and parameters of six steps."""
    names, step = optimizers.STEPS[program.name]
    values = program.ask(0, names)[1]
    w, kept, pairs = [flat(values[name]) for name in names], {}, []
    for number in range(1, 7):
        loss, w = step(w, program.data(), kept, number)
        found, values = program.ask(number, names + ("loss",))
        pairs.append((f"loss {number}", found[-1], loss))
        if program.name in optimizers.AVERAGED:
            loss = optimizers.network(kept["x"], program.data()["x"], program.data()["y"])[0]
            pairs.append((f"loss outside training after {number}", values["loss"], loss))
        pairs += [(f"{name} after {number}", flat(values[name]), row) for name, row in zip(names, w)]
    return compare(pairs)


def check_learning(program):
    found = program.ask(LEARNED.get(program.name, 40))[0]
    good = found[-1] < found[0] - 0.1 * abs(found[0])
    return [] if good else [f"the loss goes from {found[0]:.3g} to {found[-1]:.3g}"]


def check_gradients(program):
    generated.run([generated.NNC, "check", "-W", "--gradients", program.path])
    return []


def check_interpreter(program):
    case = agreement.Case(program.path, program.name, program.description, program.sizes)
    return case.problems(generated.drive(program.driver, case.requests()), "double")


def build(paths, folder):
    c_files = []
    for path in paths:
        source = folder / path.name
        source.write_text(path.read_text())
        c_files.append(generated.compile_source(source, ["--real=double"]))
    generated.run(["clang", "-std=c11", *generated.WARNINGS.split(), "-fsyntax-only",
                   *[flag for flag in generated.runtime_flags() if flag.startswith("-I")], *c_files])
    return generated.build_driver(folder, c_files, [path.stem for path in paths], ("cc", "-O0"))


def check_program(program):
    reference = check_formula if program.name in FORMULAS else check_steps
    failures = 0
    for check in (reference, check_gradients, check_interpreter, check_learning):
        try:
            problems = check(program)
        except generated.Failure as failure:
            problems = [str(failure)]
        failures += generated.report(f"{program.name} {check.__name__.removeprefix('check_')}", problems)
    return failures


def main():
    text = "".join(sys.argv[1:])
    paths = [path for path in sorted(pathlib.Path(__file__).parent.glob("*.nn")) if text in path.stem]
    with tempfile.TemporaryDirectory(prefix="nnc-papers-") as folder:
        try:
            driver = build(paths, pathlib.Path(folder))
        except generated.Failure as failure:
            return generated.report("papers compile", [str(failure)])
        return sum(check_program(Program(path, driver)) for path in paths) != 0


sys.exit(main())
