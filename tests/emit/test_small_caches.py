#!/usr/bin/env python3
"""Values have the same bits whatever the caches hold, for all numbers of samples, forwards and backwards: where tiles
take some terms of a sum at a time, so that rows of a large factor stay in a cache, and where what is made of the steps
of a recurrence goes with it."""

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
PARTS = """
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
STEPS = """
model steps {
  dim N <= 13
  input x[N, 6, 16]
  h, c = layernorm_lstm(x, H = 20)
  y = layernorm(h)
  output y
  loss mean(y^3)
  train { optimizer sgd(0.1) }
}
"""


def results(folder, model, text, second):
    target, source = folder / f"caches{second}.yaml", folder / f"{model}{second}.nn"
    target.write_text(TARGET.format(second=second))
    source.write_text(text)
    c = generated.compile_source(source, [f"--target={target}"])
    driver = generated.build_driver(folder, [c], [model], generated.CC)
    data = [(i*37 % 101 - 50) / 50 for i in range(13*96)]
    asked = [dict(model=model, sizes={"N": n}, set={"x": data[:n*96]}, steps=2, ask=["y"])
             for n in (1, 2, 3, 4, 7, 12, 13)]
    found = [(result["losses"], result["hash"], result["values"]) for result in generated.drive(driver, asked)]
    return found, c.read_text()


def check(folder, model, text, is_met):
    (whole, large), (parts, small) = [results(folder, model, text, second) for second in (1 << 20, 256)]
    wrong = [f"request {i}" for i, (one, other) in enumerate(zip(whole, parts, strict=True)) if one != other]
    failures = generated.report(f"{model} with small caches", wrong)
    met = [] if is_met(large, small) else ["the C is as with large ones"]
    return failures + generated.report(f"{model} are met", met)


def main():
    with tempfile.TemporaryDirectory(prefix="nnc-caches-") as name:
        folder = pathlib.Path(name)
        failures = check(folder, "parts", PARTS, lambda large, small: "NNRT_FETCH" in small)
        failures += check(folder, "steps", STEPS,
                          lambda large, small: small.count("NNRT_NEST") < large.count("NNRT_NEST"))
    return failures != 0


sys.exit(main())
