#!/usr/bin/env python3
"""Recurrences over a batch of run time, of which each thread takes a part through all steps: the bits of a batch that
is fixed and of loops without tiles, on any number of threads, and the values of the interpreter."""

import pathlib
import sys
import tempfile

import generated

TILES = generated.ROOT / "tests" / "fuzz" / "models" / "tiles.yaml"
STEPS, WIDTH = 5, 6
BATCHES = (1, 2, 3, 4, 5, 7, 10, 12, 13, 17)
MOST = max(BATCHES)
# Sums of samples: their mean would divide by a number that is known, or is not.
MODEL = """
model {name} {{
  dim N {size}
  input x[N, {steps}, {width}]
  h, c = lstm(x, H = 8)
  g = gru(h, H = 7)
  z = dense(g, 5)
  output z
  output c
  loss sum(z^2) + 0.1*sum(c^2)
  train {{ optimizer sgd(0.01) }}
}}
"""


def model(name, size):
    return MODEL.format(name=name, size=size, steps=STEPS, width=WIDTH)


def data(count):
    return [(i*37 % 101 - 50) / 50 for i in range(count * STEPS * WIDTH)]


def request(name, count):
    sizes = {"N": count} if name == "called" else {}
    return dict(model=name, sizes=sizes, set={"x": data(count)}, steps=2, ask=["z", "c"])


def built(folder, target, names, text):
    """The program, and how many loops of samples it has whose last tile begins earlier, in what a thread has."""
    there = folder / pathlib.Path(target).stem
    there.mkdir()
    source = there / "m.nn"
    source.write_text(text)
    c = generated.compile_source(source, [f"--target={target}", "--real=double"])
    openmp = ["-fopenmp"] if generated.has_openmp(generated.CC[0]) else []
    return generated.build_driver(there, [c], names, [*generated.CC, *openmp]), c.read_text().count(".end - 3)")


def results(driver, names, threads=1):
    asked = [request(name, count) for name, count in zip(names, BATCHES, strict=True)]
    answers = generated.drive(driver, asked, "env", *generated.on_threads(threads))
    return [(found["losses"], found["hash"], found["values"]) for found in answers]


def interpreted(source, found):
    """What is off by more than rounding."""
    off = []
    for count, (losses, _, values) in zip(BATCHES, found, strict=True):
        expected = generated.interpret(source, "called", dict(request("called", count), program="eval"))
        pairs = {"losses": (losses, expected["losses"])}
        pairs.update({name: (values[name], expected["values"][name]["data"]) for name in values})
        off += [f"{name} of {count}" for name, pair in pairs.items() if generated.distance(*pair) > 1e-9]
    return off


def main():
    failures, called = 0, ["called"] * len(BATCHES)
    fixed = [f"fixed{count}" for count in BATCHES]
    text = model("called", f"<= {MOST}") + "".join(model(f"fixed{count}", f"= {count}") for count in BATCHES)
    with tempfile.TemporaryDirectory(prefix="nnc-batches-") as name:
        folder = pathlib.Path(name)
        tiled, parts = built(folder, TILES, ["called", *fixed], text)
        plain, _ = built(folder, "generic", ["called"], model("called", f"<= {MOST}"))
        found = results(tiled, called)
        failures += generated.report("threads divide tiles of a batch once", [] if parts else ["no loop is in parts"])
        for what, others in (("a fixed batch", results(tiled, fixed)), ("loops", results(plain, called)),
                             ("two threads", results(tiled, called, 2)), ("three threads", results(tiled, called, 3))):
            wrong = [f"{count} samples" for count, a, b in zip(BATCHES, found, others, strict=True) if a != b]
            failures += generated.report(f"recurrences over a batch have the bits of {what}", wrong)
        source = folder / "generic" / "m.nn"
        failures += generated.report("recurrences over a batch, interpreted", interpreted(source, found))
    return failures != 0


sys.exit(main())
