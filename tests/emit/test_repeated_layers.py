#!/usr/bin/env python3
"""Layers that are alike share their C: of `repeat(100, block)` the machine code and the text without tables
are at most 1.2 times those of `repeat(10, block)`, for blocks of perceptrons and of transformers, trained by
Adam, with penalties and with clipping, and for layers written out by hand. What the shared functions and the
loops over copies compute is what the interpreter computes, and to the bit what functions compute that are
written for each layer, where arrays lie as vectors do, and the equations in the comments, in which no layer is
repeated.

usage: test_repeated_layers.py [TEXT]      only models whose names contain it"""

import pathlib
import re
import shutil
import sys
import tempfile

import generated
from generated import Failure, distance, run
from test_equations_from_comments import source_from_comments

MOST = 1.2
LIMIT = 1e-4  # in float, relative to the greatest value
STEPS = 3
COMPILERS = [compiler for compiler in ("gcc", "clang") if shutil.which(compiler)]
TRIED_WITH_ALL = ("perceptron",)  # the others with one: a hundred layers take time

PERCEPTRON = """def block(x[N, C]) -> y[N, C] {{
  h = layernorm(x) |> dense(C) |> gelu |> dense(C)
  y[n, c] = x[n, c] + h[n, c]
}}
model {name} {{
  dim N <= 32
  input x[N, 18]
  target t[N] : index(10)
  f = x |> {layers} |> dense(10)
  output p = softmax(f)
  metric right = accuracy(f, t)
  loss cross_entropy(f, t){penalty}
  train {{ optimizer {optimizer} }}
}}
"""
TRANSFORMER = """model {name} {{
  dim N <= 4, T <= 8, V = 11, D = 8
  input tok[N, T] : index(V)
  target nxt[N, T] : index(V)
  x = tok |> embedding(V, D) |> positions |> {layers} |> layernorm |> dense(V)
  output p = softmax(x)
  loss cross_entropy(x, nxt){penalty}
  train {{ optimizer {optimizer} }}
}}
"""
NESTED = """def stack(x[N, C]) -> y[N, C] {{ y = x |> repeat(3, dense(C)) |> relu }}
model {name} {{
  dim N <= 8
  input x[N, 4]
  target t[N, 4]
  f = x |> {layers} |> dense(4)
  output f
  loss mse(f, t){penalty}
  train {{ optimizer {optimizer} }}
}}
"""
RECURRENT = """model {name} {{
  dim N <= 3, T <= 5
  input x[N, T, 4]
  target y[N, T, 4]
  h = x |> {layers}
  output h
  loss mse(h, y){penalty}
  train {{ optimizer {optimizer} }}
}}
"""


def repeated(layer):
    return lambda count: f"repeat({count}, {layer})"


def written_out(layer):
    return lambda count: " |> ".join([layer] * count)


# name: source, layers as a function of their number, what is added to the loss, optimizer
MODELS = {
    "perceptron": (PERCEPTRON, repeated("block"), "", "adam(0.001)"),
    "penalised": (PERCEPTRON, repeated("block"), " + l2(0.001)", "clip_norm(1) |> adam(0.001)"),
    "by_hand": (PERCEPTRON, written_out("block"), "", "adam(0.001)"),
    "transformer": (TRANSFORMER, repeated("transformer_block(heads = 2, hidden = 16, p = 0.1)"), "",
                    "adam(0.001)"),
    "nested": (NESTED, repeated("stack"), "", "adamw(0.01)"),
    "recurrent": (RECURRENT, repeated("rnn(4)"), "", "sgd(0.01)"),
}


def source_of(name, count):
    text, layers, penalty, optimizer = MODELS[name]
    return text.format(name=name, layers=layers(count), penalty=penalty, optimizer=optimizer)


def without_tables(text):
    """All but tables of constants, members of structs and the comment that writes a total out."""
    text = re.sub(r"^ *static const [^;{]*(?:\{[^}]*\} )?[^;{]*=\s*\{.*?\};\n", "", text,
                  flags=re.M | re.S)
    text = re.sub(r"^typedef struct \w+ \{\n.*?^\} ", "", text, flags=re.M | re.S)
    return re.sub(r"/\* (?:= )?total[\w.]* = .*? \*/", "", text, flags=re.S)


def machine_code(compiler, c):
    """Bytes of the section .text."""
    flags = run(["pkg-config", "--cflags", "nnc"]).decode().split()
    run([compiler, "-std=c11", "-O1", *generated.WARNINGS.split(), *flags, "-c", c, "-o",
         c.with_suffix(".o")])
    sizes = run(["size", "-A", c.with_suffix(".o")]).decode()
    return int(re.search(r"^\.text\s+(\d+)", sizes, re.M).group(1))


def measures(folder, name, count):
    """{what: size}"""
    source = folder / f"{name}{count}.nn"
    source.write_text(source_of(name, count))
    c = generated.compile_source(source)
    compilers = COMPILERS if name in TRIED_WITH_ALL else COMPILERS[-1:]
    found = {f"code of {compiler}": machine_code(compiler, c) for compiler in compilers}
    return dict(found, text=len(without_tables(c.read_text())))


def check_sizes(folder, name):
    few, many = measures(folder, name, 10), measures(folder, name, 100)
    return [f"{what} of 100 layers: {many[what]}, of 10: {few[what]}" for what in few
            if many[what] > MOST * few[what]]


def results(folder, source, name, options=()):
    """Initial values, the losses of some steps, and what is kept after them."""
    driver = generated.build_driver(folder, [generated.compile_source(source, options)], [name])
    description = generated.describe(driver, [name])[name]
    kept, inputs = generated.kept_names(description), generated.draw_inputs(description, 1)
    first, last = generated.drive(driver, [dict(model=name, set=inputs, ask=kept + ["loss"]),
                                           dict(model=name, set=inputs, steps=STEPS, ask=kept)])
    return inputs, first["values"], last


def check_values(folder, name):
    source = folder / f"{name}.nn"
    source.write_text(source_of(name, 6))
    inputs, first, last = results(folder, source, name)
    comments = source_from_comments(source.with_suffix(".c"))
    kept = {tensor: value for tensor, value in first.items() if tensor != "loss"}
    expected = generated.interpret(source, name, dict(model=name, seed=1, f32=True, steps=STEPS,
                                                      set=dict(inputs, **kept), ask=list(kept)))
    problems = [f"{tensor} is off by {gap:.2g}" for tensor in kept
                if not (gap := distance(last["values"][tensor],
                                        expected["values"][tensor]["data"])) <= LIMIT]
    if not distance(last["losses"], expected["losses"]) <= LIMIT:
        problems.append(f"losses {last['losses']}, expected {expected['losses']}")
    if results(folder, source, name, ["--skip=roll"]) != (inputs, first, last):
        problems.append("other bits without loops over copies")
    if name in TRIED_WITH_ALL and results(folder, source, name, ["--target=x86-64"]) != (inputs, first, last):
        problems.append("other bits where arrays lie as vectors do")
    (folder / "again").mkdir()
    again = folder / "again" / f"{name}.nn"
    again.write_text(comments)
    if results(folder / "again", again, name) != (inputs, first, last):
        problems.append("other bits from the comments")
    return problems


def main():
    failures = 0
    for name in MODELS:
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        for what, check in (("size", check_sizes), ("values", check_values)):
            with tempfile.TemporaryDirectory(prefix="nnc-layers-") as folder:
                try:
                    problems = check(pathlib.Path(folder), name)
                except Failure as failure:
                    problems = [str(failure)]
            failures += generated.report(f"{what} of {name}", problems)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
