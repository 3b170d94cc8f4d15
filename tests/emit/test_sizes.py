#!/usr/bin/env python3
"""How much C there is: the same for any number of steps of a recurrence, and growing with the layers of a network
no faster than they do."""

import pathlib
import re
import sys
import tempfile

import generated

STEPS = """
model m {{
  dim N <= 4, T {bound} {steps}
  input x[N, T, 3]
  input len[N] : index(T + 1)
  target y[N, T, 2]
  param u[4, 4] ~ orthogonal(1)
  g, c = lstm(x, len = len, H = 4)
  scan t in T{checkpoint} {{ h[n, t, k] = tanh(g[n, t, k] + sum[j](h[n, t-1, j | 0]*u[j, k])) }}
  z = dense(h, 2)
  output z
  loss mean((z - y)^2)
  train {{ optimizer adam(0.01) }}
}}
"""

LAYERS = """
model m {{
  dim N <= 4, T <= 16
  input x[N, T, 8]
  target y[N, T, 8]
  h = stacked(x, depth = {layers}, layer = lstm(H = 8))
  output h
  loss mean((h - y)^2)
  train {{ optimizer sgd(0.01) }}
}}
"""


def compiled(folder, text):
    source = folder / "m.nn"
    source.write_text(text)
    return generated.compile_source(source).read_text()


def without_numbers(text):
    return re.sub(r"\s+", "", re.sub(r"\b\d+(\.\d+)?(e[-+]?\d+)?f?\b", "#", text))


def check_steps(folder):
    failures = 0
    for bound in ("<=", "="):
        for checkpoint in ("", " checkpoint 4"):
            few, some, many = (without_numbers(compiled(folder, STEPS.format(bound=bound, steps=steps,
                                                                             checkpoint=checkpoint)))
                               for steps in (8, 4000, 4096))
            problems = []
            if some != many:
                problems.append("more than numbers differs between 4000 and 4096 steps")
            if len(many) > 1.03 * len(few):
                problems.append(f"{len(few)} bytes for 8 steps, {len(many)} for 4096")
            failures += generated.report(f"C for any number of steps, T {bound}{checkpoint}", problems)
    return failures


def check_layers(folder):
    sizes = {layers: len(compiled(folder, LAYERS.format(layers=layers))) for layers in (10, 20, 40)}
    grown = (sizes[40] - sizes[20]) / (2 * (sizes[20] - sizes[10]))
    return generated.report("C grows with layers as they do",
                            [f"{sizes}: {grown:.2f} times as fast"] if not 0.9 < grown < 1.1 else [])


def main():
    with tempfile.TemporaryDirectory(prefix="nnc-sizes-") as name:
        folder = pathlib.Path(name)
        return check_steps(folder) + check_layers(folder) != 0


sys.exit(main())
