#!/usr/bin/env python3
"""Sums that tiles take some terms at a time, so that rows of a large factor stay in a cache, have the bits of sums
taken at once: all numbers of samples, forwards and backwards."""

import pathlib
import sys
import tempfile

import generated

TARGET = """title: caches of {second} bytes
vector_bytes: 16
registers: 16
masks: no
fused: no
tile: {{rows: 3, vectors: 2, least: 1}}
copies: {{uses: 1000000, bytes: 1000000}}
caches: {{first: 64, second: {second}}}
threads: {{least: 8192, row_bytes: 4096}}
flags: -O1
"""
MODEL = """
model parts {
  dim N <= 13
  input x[N, 96]
  param W[96, 16] ~ uniform(-1, 1)
  param V[16, 64] ~ uniform(-1, 1)
  z[n, k] = sum[i](x[n, i]*W[i, k])
  h[n, k] = max(z[n, k], 0.1*z[n, k])
  y[n, j] = sum[k](h[n, k]*V[k, j])
  output y
  loss mean(y^2)
  train { optimizer sgd(0.1) }
}
"""


def results(folder, second):
    target, source = folder / f"caches{second}.yaml", folder / f"m{second}.nn"
    target.write_text(TARGET.format(second=second))
    source.write_text(MODEL)
    c = generated.compile_source(source, [f"--target={target}"])
    driver = generated.build_driver(folder, [c], ["parts"], generated.CC)
    data = [(i*37 % 101 - 50) / 50 for i in range(13*96)]
    asked = [dict(model="parts", sizes={"N": n}, set={"x": data[:n*96]}, steps=2, ask=["y"])
             for n in (1, 2, 3, 4, 7, 12, 13)]
    found = [(result["losses"], result["hash"], result["values"]) for result in generated.drive(driver, asked)]
    return found, c.read_text().count("NNRT_FETCH")


def main():
    with tempfile.TemporaryDirectory(prefix="nnc-parts-") as name:
        folder = pathlib.Path(name)
        (whole, _), (parts, fetches) = results(folder, 1 << 20), results(folder, 256)
    wrong = [f"request {i}" for i, (one, other) in enumerate(zip(whole, parts, strict=True)) if one != other]
    failures = generated.report("sums in parts", wrong)
    failures += generated.report("some sum is taken in parts", [] if fetches else ["none is"])
    return failures != 0


sys.exit(main())
