#!/usr/bin/env python3
"""What a model keeps in panels is for its user as what it keeps in rows: the same bits, the same weight files byte
by byte, which either program loads from the other, and the same tensors by name."""

import pathlib
import platform
import sys
import tempfile

import generated
from generated import drive
from bits import has

WIDE = has("avx2", "fma")
TARGET = "x86-64-v3" if WIDE else "x86-64" if platform.machine() == "x86_64" else "aarch64"
CC = (*generated.CC, "-march=x86-64-v3") if WIDE else generated.CC

# An optimizer's state, a norm over gradients, a penalty, gradients of several calls, rows taken by an index, convolution
# with channels innermost, and a recurrence; `drawn` has one panel for each of its matrices, in another order; `tied`
# reads its weights both ways.
MODELS = """
model plain {
  dim N <= 9
  input x[N, 40]
  target t[N] : index(3)
  z = x |> dense(64) |> tanh |> dense(48) |> relu |> dense(3)
  output p = softmax(z)
  loss cross_entropy(z, t)
  train { optimizer adam(0.01) }
}

model clipped {
  input x[16, 32]
  input y[16, 64]
  z = x |> dense(96) |> sigmoid |> dense(64)
  output z
  loss mse(z, y)
  train { optimizer clip_norm(0.5) |> adamw(0.01, wd = 0.1) }
}

model penalised {
  input x[24, 32]
  param W[32, 4, 48] ~ uniform(-1, 1)
  output y[n, a, k] = sum[i](x[n, i]*W[i, a, k])
  loss mean(y^2) + 0.1*sum(W^2) + 0.01*sum[a](max[i, k](abs(W[i, a, k])))
  train { optimizer sgd(0.01, momentum = 0.9) }
}

model drawn {
  input x[24, 32]
  param W[32, 4, 16] ~ normal(0, 1)
  output y[n, a, k] = sum[i](x[n, i]*W[i, a, k])
  loss mean(y^2)
  train { optimizer sgd(0.01) |> ema() }
}

model tied {
  input word[6] : index(40)
  target next[6] : index(40)
  param E[40, 32] ~ uniform(-0.5, 0.5)
  param M[32, 32] ~ uniform(-0.5, 0.5)
  h[n, k] = sum[i](E[word[n], i]*M[i, k])
  g[n, k] = sum[i](h[n, i]*M[k, i])
  z[n, v] = sum[k](g[n, k]*E[v, k])
  output z
  loss cross_entropy(z, next)
  train { optimizer adam(0.01) }
}

model convolved {
  input x[2, 16, 6, 6]
  z = x |> conv2d(32, size = 3, pad = 1) |> relu |> conv2d(16, size = 1)
  output z
  loss mean(z^2)
  train { optimizer sgd(0.1) }
}

model recurrent {
  dim N <= 6, T <= 4
  input x[N, T, 16]
  h = x |> gru(H = 32) |> lstm(H = 32)
  output h
  loss mean(h^2)
  train { optimizer adam(0.01) }
}
"""
NAMES = generated.names_of(MODELS)
STEPS = 3


def programs(folder):
    """Drivers of the models with panels and with rows."""
    for name, options in (("panels", []), ("rows", ["--skip=store"])):
        (folder / name).mkdir()
        source = folder / name / "models.nn"
        source.write_text(MODELS)
        c = generated.compile_source(source, [f"--target={TARGET}", "--emit=train,infer,gradients", *options])
        yield generated.build_driver(folder / name, [c], NAMES, CC), c


def check(folder, drivers, name, seed):
    files = [folder / f"{name}.{i}" for i in range(2)]
    description = generated.describe(drivers[0], [name])[name]
    if description != generated.describe(drivers[1], [name])[name]:
        return ["other tensors"]
    kept, inputs = generated.kept_names(description), generated.draw_inputs(description, seed)
    outputs = [tensor["name"] for tensor in generated.of_kind(description, "output")]
    request = dict(model=name, set=inputs, ask=kept + outputs + ["loss"])
    problems = []
    entries = [entry for entry in description["entries"] if entry in ("train_step", "accumulate")]
    for entry in entries:
        results = [drive(driver, [dict(request, entry=entry, steps=STEPS, save=str(file))])[0]
                   for driver, file in zip(drivers, files)]
        if results[0] != results[1]:
            problems.append(f"other bits by {entry}")
        if files[0].read_bytes() != files[1].read_bytes():
            problems.append(f"other weight files by {entry}")
    crossed = [drive(driver, [dict(request, steps=1, load=str(file))])[0]
               for driver, file in zip(drivers, reversed(files))]
    if crossed[0] != crossed[1] or crossed[0]["load"] != 0:
        problems.append("a file of the other loads as another")
    given = {tensor["name"]: [i % 17/16 - 0.5 for i in range(len(crossed[0]["values"][tensor["name"]]))]
             for tensor in generated.of_kind(description, "param")}
    told = drive(drivers[0], [dict(model=name, set=given, steps=0, ask=list(given))])[0]["values"]
    if told != given:
        problems.append("values set by name come back as others")
    return problems


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-panels-") as folder:
        folder = pathlib.Path(folder)
        (panels, c), (rows, other) = programs(folder)
        for name in NAMES:
            failures += generated.report(f"{name} in panels and in rows",
                                         check(folder, (panels, rows), name, 1))
        told = [len([line for line in file.with_suffix(".h").read_text().splitlines()
                     if "/* ^ element [" in line]) for file in (c, other)]
        failures += generated.report("panels are told of where they are",
                                     [] if told[0] > 8 and told[1] == 0 else [f"{told} times"])
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
