#!/usr/bin/env python3
"""`state a = w @eval`: outside training the averages stand for the parameters. They are computed once more from
the parameters after each step, and a model without averages whose parameters are set to them must give the same
outputs, losses and metrics, bit for bit; also from a saved file."""

import pathlib
import sys
import tempfile

import agreement
import generated

STEPS = 4
FROZEN = """
model frozen {
  dim N <= 4
  input x[N, 3]
  target t[N]
  param W[3] ~ normal(0, 1)
  param b = 0.5
  y[n] = tanh(sum[i](x[n, i]*W[i]) + b)
  slope = gradient(sum(y), W)
  output y
  output slope
  metric size = total(w^2)
  loss mse(y, t)
  train {
    optimizer sgd(0.5) |> ema(0.75)
    freeze b
  }
}
"""


def cases():
    """[(source, model, what makes it plain, factor of the old average at each step)]"""
    average = (agreement.ROOT / "tests" / "programs" / "weight-average.nn").read_text()
    return [(average, "average", (" |> averaged(beta = 1 - 1/(step + 1))", ""), lambda step: step / (step + 1)),
            (FROZEN, "frozen", (" |> ema(0.75)", ""), lambda step: 0.75)]


class Pair:
    """A model with averages, the same without, and what is compared."""

    def __init__(self, driver, folder, name):
        self.driver, self.name, self.file = driver, name, folder / f"{name}.weights"
        self.description = generated.describe(driver, [name])[name]
        kept = generated.kept_names(self.description)
        self.averages = {k.rpartition(".")[0]: k for k in kept if k.endswith((".a", ".average"))}
        self.parameters = [k for k in generated.kept_names(generated.describe(driver, ["plain_" + name])[
            "plain_" + name]) if not k.endswith(".m")]
        self.inputs = generated.draw_inputs(self.description, 3)
        entries = [e for e in self.description["entries"] if e not in ("infer", "eval_step", "train_step")]
        outputs = [t["name"] for t in generated.of_kind(self.description, "output")]
        self.results = outputs + [e for e in entries if not e.endswith("_step")] + ["loss"]

    def ask(self, names, model=None, values=None, **more):
        request = dict(model=model or self.name, seed=5, ask=names, set={**self.inputs, **(values or {})}, **more)
        return generated.drive(self.driver, [request])[0]["values"]

    def problems(self, factor):
        trained = [self.ask(self.parameters, steps=k) for k in range(STEPS + 1)]
        values = self.ask(list(self.averages.values()) + self.results, steps=STEPS, save=str(self.file))
        problems = [] if self.averages else ["nothing is averaged"]
        stand_ins = dict(trained[-1])
        for parameter, average in self.averages.items():
            a = trained[0][parameter]
            for step in range(1, STEPS + 1):
                a = [factor(step) * p + (1 - factor(step)) * q for p, q in zip(a, trained[step][parameter])]
            if not generated.distance(values[average], a) < 1e-12:
                problems.append(f"{average} is {values[average]}, not {a}")
            stand_ins[parameter] = values[average]
        plain, found = "plain_" + self.name, {k: values[k] for k in self.results}
        pairs = [("after steps", found, self.ask(self.results, plain, stand_ins)),
                 ("loaded", self.ask(self.results, load=str(self.file)), found),
                 ("at first", self.ask(self.results), self.ask(self.results, plain))]
        if found == self.ask(self.results, plain, trained[-1]):
            problems.append("averages and parameters give the same")
        return problems + [f"{when}: {a}, not {b}" for when, a, b in pairs if a != b]


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-averages-") as folder:
        folder, files, factors = pathlib.Path(folder), [], {}
        for text, name, (old, new), factor in cases():
            plain = text.replace(old, new).replace(f"model {name}", f"model plain_{name}")
            for model, source in ((name, text), ("plain_" + name, plain)):
                path = folder / f"{model}.nn"
                path.write_text(source)
                files.append(generated.compile_source(path, ["--real=double"]))
            factors[name] = factor
        models = [model for name in factors for model in (name, "plain_" + name)]
        driver = generated.build_driver(folder, files, models)
        for name, factor in factors.items():
            failures += generated.report(f"averages-stand-in {name}", Pair(driver, folder, name).problems(factor))
    return failures != 0


sys.exit(main())
