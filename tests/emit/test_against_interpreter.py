#!/usr/bin/env python3
"""Generated C computes what the reference interpreter computes: a model for every definition of the library
and every program of tests/programs, in float and in double. Compared are initial values, outputs, metrics
and loss, gradients (by `accumulate`), and the losses and weights of 100 training steps; in double,
gradients also with central differences of the generated loss itself, under sanitizers.

usage: test_against_interpreter.py [TEXT]      only models whose names contain it"""

import concurrent.futures
import os
import pathlib
import sys
import tempfile

import generated
from generated import distance

# real type: distances allowed to values, gradients, the losses of steps, and weights after the steps
LIMITS = {"float": (1e-5, 1e-5, 1e-4, 1e-2), "double": (1e-12, 1e-11, 1e-9, 1e-8)}
DIFFERENCES = 1e-6
STEPS = 100
SEED = 5


class Case:
    """One model: what is asked of both sides, and what they answered."""

    def __init__(self, name, path, description):
        self.name, self.path = name, path
        self.inputs = generated.draw_inputs(description, SEED)
        self.sizes = {dim: min(most, 3) for dim, most in description["dims"].items()}
        self.samples = next(iter(self.sizes.values()), 1)
        self.sums = [kept for kept in generated.kept_names(description) if kept.startswith("sum.")]
        self.kept = [kept for kept in generated.kept_names(description) if kept not in self.sums]
        self.trained = [kept.removeprefix("sum.") for kept in self.sums
                        if not kept.startswith("sum.samples")]
        self.params = [tensor["name"] for tensor in generated.of_kind(description, "param")]
        self.outputs = [tensor["name"] for tensor in generated.of_kind(description, "output")]
        steps = [entry for entry in description["entries"] if entry.endswith("accumulate")]
        self.blocks = [entry.removesuffix("accumulate") for entry in steps]
        self.metrics = [entry for entry in description["entries"]
                        if entry not in ("infer", "eval_step") and not self.is_step(entry)]

    def is_step(self, entry):
        return any(entry in (block + "accumulate", block + "apply", self.step(block))
                   for block in self.blocks)

    @staticmethod
    def step(block):
        return block + "step" if block else "train_step"

    def request(self, **more):
        return dict(model=self.name, seed=SEED, sizes=self.sizes, **more)

    def asked(self):
        """Requests to the generated program: first values, then gradients, then steps of each block."""
        requests = [self.request(set=self.inputs, ask=self.kept + self.outputs + self.metrics + ["loss"])]
        for block in self.blocks:
            requests.append(self.request(set=self.inputs, entry=block + "accumulate", steps=1,
                                         ask=self.sums))
            requests.append(self.request(set=self.inputs, entry=self.step(block), steps=STEPS,
                                         ask=self.kept))
        return requests

    def problems(self, results, real):
        self.found, self.results = results[0]["values"], results[1:]
        self.limits, self.f32 = LIMITS[real], real == "float"
        self.list = []
        self.check_initial_values()
        self.check_forward()
        for number, block in enumerate(self.blocks):
            self.check_gradients(number)
            self.check_steps(number)
        return self.list

    def expect(self, what, gap, limit):
        if not gap <= limit:
            self.list.append(f"{what} is off by {gap:.2g}")

    def reference(self, start=True, **more):
        request = self.request(f32=self.f32, **more)
        if start:
            request["set"] = dict({name: self.found[name] for name in self.kept}, **self.inputs)
        return generated.interpret(self.path, self.name, request)

    def check_initial_values(self):
        expected = self.reference(start=False, ask=self.kept)["values"]
        for name in self.kept:
            self.expect(f"initial {name}", distance(self.found[name], expected[name]["data"]),
                        self.limits[0])

    def check_forward(self):
        names = self.outputs + self.metrics + ["loss"]
        expected = self.reference(program="eval", ask=names)["values"]
        for name in names:
            self.expect(name, distance(self.found[name], expected[name]["data"]), self.limits[0])

    def check_gradients(self, number):
        """Relative to the greatest gradient of the tensor; of the model where that is rounding alone."""
        result = self.results[2 * number]
        means = {name: [value / self.samples for value in result["values"]["sum." + name]]
                 for name in self.trained}
        if len(self.blocks) > 1:  # the others' sums stay 0
            means = {name: mean for name, mean in means.items() if any(mean)}
        expected = self.reference(block=number, ask=["d." + name for name in means])["values"]
        rights = {name: expected["d." + name]["data"] for name in means}
        sizes = {name: max(map(abs, generated.numbers(right))) for name, right in rights.items()}
        most = max(sizes.values()) or 1
        self.noisy = [name for name in means if sizes[name] < 1e-6 * most]
        for name, mean in means.items():
            scale = most if name in self.noisy else sizes[name]
            self.expect(f"gradient of {name}", distance([value / scale for value in mean],
                                                        [value / scale for value in rights[name]]),
                        self.limits[1])
        result["gradients"] = means

    def check_steps(self, number):
        result = self.results[2 * number + 1]
        expected = self.reference(block=number, steps=STEPS, ask=self.kept)
        gaps = [distance([found], [right])
                for found, right in zip(result["losses"], expected["losses"])]
        self.expect(f"a loss of {STEPS} steps", max(gaps), self.limits[2])
        for name in [] if self.noisy else self.kept:  # rounding, scaled up by Adam
            self.expect(f"{name} after {STEPS} steps",
                        distance(result["values"][name], expected["values"][name]["data"]),
                        self.limits[3])

    def check_differences(self, driver):
        """Of each trained parameter, by the loss of the generated C."""
        self.list = []
        for number, block in enumerate(self.blocks):
            gradients = self.results[2 * number].get("gradients", {})
            request = self.request(set=self.inputs, entry=block + "accumulate",
                                   differences=list(gradients))
            expected = generated.drive(driver, [request])[0]["differences"]
            for name, gradient in gradients.items():
                self.expect(f"gradient of {name} by differences",
                            distance(gradient, expected[name]), DIFFERENCES)
        return self.list


def compile_all(folder, models, real, cc):
    """The driver of {model: path}."""
    source = generated.joined(models, folder / "models.nn")
    options = ["--emit=train,infer,gradients", f"--real={real}"]
    return generated.build_driver(folder, [generated.compile_source(source, options)], models, cc)


def cases_of(driver, models):
    sizes = {name: description["dims"]
             for name, description in generated.describe(driver, models).items()}
    for name, path in models.items():
        small = {dim: min(most, 3) for dim, most in sizes[name].items()}
        description = generated.describe(driver, [name], sizes=small)[name]
        yield Case(name, path, description)


def check(folder, models, real, cc, differences):
    """{model: its problems}"""
    try:
        driver = compile_all(folder, models, real, cc)
        found = {}
        for case in cases_of(driver, models):
            found[case.name] = case.problems(generated.drive(driver, case.asked()), real)
            if differences:
                found[case.name] += case.check_differences(driver)
        return found
    except generated.Failure as failure:
        return {folder.name: [str(failure)]}


def compiler_for(group, real):
    """Programs in double meet every check, the library those of arithmetic and addresses; both types have the same
    arithmetic of indices, so that the library in float is checked for addresses alone."""
    if group == "programs":
        return generated.sanitizing() if real == "double" else generated.CC
    checks = "address,undefined,float-cast-overflow" if real == "double" else "address"
    return (*generated.sanitizing(checks), "-fno-sanitize=null,alignment,pointer-overflow")


def jobs(folder, text):
    """Halves of the library and the programs, each with both types, as arguments of `check`."""
    library = list(generated.library_models(folder / "models").items())
    groups = {"first": library[::2], "second": library[1::2],
              "programs": generated.program_models().items()}
    for group, models in groups.items():
        models = {name: path for name, path in models if text in name}
        for real in LIMITS if models else []:
            place = folder / f"{real}-{group}"
            place.mkdir()
            yield (place, models, real, compiler_for(group, real), group != "programs" and real == "double")


def main():
    failures, text = 0, "".join(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="nnc-emit-") as name, \
         concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        work = list(jobs(pathlib.Path(name), text))
        for job, found in zip(work, pool.map(lambda job: check(*job), work)):
            for model, problems in found.items():
                failures += generated.report(f"{job[2]} {model}", problems)
    return failures != 0


sys.exit(main())
