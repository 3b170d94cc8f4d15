#!/usr/bin/env python3
"""Sums over rows that are taken sample by sample are those of all rows: the gradients of a gain and a bias."""

import math
import pathlib
import sys
import tempfile

import generated

ROWS = """
model rows {
  dim N <= 3, T = 20, K = 3
  input x[N, T, K]
  param g[K] = 1
  param b[K] = 0
  y[n, t, k] = g[k]*x[n, t, k] + b[k]
  loss sum(y^2)/2
  train { optimizer sgd(1) }
}
"""


def distances(folder):
    """From a step's gradients to sums over all rows: d.g = sum(x*y), d.b = sum(y), where y = x."""
    source = folder / "rows.nn"
    source.write_text(ROWS)
    c = generated.compile_source(source, ["--real=double"])
    driver = generated.build_driver(folder, [c], ["rows"], generated.CC)
    data = [(i*37 % 101 - 50) / 7 for i in range(3*20*3)]
    found = []
    for n in (1, 2, 3):
        request = dict(model="rows", sizes={"N": n}, set={"x": data[:n*60]}, steps=1, ask=["g", "b"])
        values = generated.drive(driver, [request])[0]["values"]
        for k in range(3):
            column = data[k:n*60:3]
            wanted = {"g": 1 - math.fsum(x*x for x in column), "b": -math.fsum(column)}
            found += [generated.distance(values[name][k:k + 1], [value]) for name, value in wanted.items()]
    return found


def main():
    with tempfile.TemporaryDirectory(prefix="nnc-rows-") as name:
        far = [f"{distance}" for distance in distances(pathlib.Path(name)) if not distance < 1e-14]
    return generated.report("sums of rows sample by sample", far)


sys.exit(main())
