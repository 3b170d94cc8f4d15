#!/usr/bin/env python3
"""Sums of a tile and factors of their products stay in registers in the loops that add them up, whatever else their
function does: C compilers keep some of them in memory where constants of other loops are in their way."""

import pathlib
import re
import shutil
import sys
import tempfile

import bits
import generated

# What has a tile behind copied panels and before a gelu, and one before a norm of rows.
MODEL = """
def feed_forward(x[N, T, D]) -> y[N, T, D] {
  h = dense(x, 4*D)
  a = gelu(h, approximate = true)
  y = dense(a, D)
}
def part(x[N, T, D]) -> y[N, T, D] {
  f = x |> layernorm |> feed_forward
  y = x + f
}
model parts {
  input x[8, 64, 128]
  output y = x |> repeat(3, part())
  loss mean(y^2)
  train { optimizer sgd(0.1) }
}
"""
FLAGS = ["-std=gnu11", "-O3", "-march=x86-64-v4", "-mprefer-vector-width=512", "-fno-math-errno"]
COMPILERS = {"gcc": [], "clang": ["-fno-slp-vectorize"]}
TUNES = ("generic", "znver3")
LEAST_SUMS = 16  # multiply-adds of a loop that adds up a tile; most of the others load their factors


def inner_loops(lines):
    """The instructions of each loop without a loop in it."""
    begins = {}
    for at, line in enumerate(lines):
        if label := re.match(r"(\.L\w+):", line):
            begins[label[1]] = at
        elif (jump := re.match(r"\tj\w+\t(\.L\w+)", line)) and jump[1] in begins:
            body = lines[begins[jump[1]]:at]
            if not any(re.match(r"\tj\w+\t", other) for other in body):
                yield body


def spills(assembly):
    """Sums of tiles, and vectors in memory of the function within them."""
    tiles = [body for body in inner_loops(assembly.splitlines())
             if sum("\tvfmadd" in line and "zmm" in line for line in body) >= max(LEAST_SUMS, len(body) // 3)]
    return len(tiles), [line.strip() for body in tiles for line in body
                        if re.search(r"\(%r[sb]p\).*zmm|zmm.*\(%r[sb]p\)", line)]


def problems_of(c, compiler, tune):
    assembly = c.with_suffix(".s")
    generated.run([compiler, *FLAGS, f"-mtune={tune}", *COMPILERS[compiler], "-S", "-I",
                   generated.ROOT / "runtime/core", c, "-o", assembly])
    tiles, found = spills(assembly.read_text())
    problems = [f"{len(found)} vectors in memory: {found[:3]}"] if found else [] if tiles else ["no tiles"]
    return [f"for {tune}: {problem}" for problem in problems]


def main():
    if not bits.X86:
        print("skip tiles in registers: not an x86")
        return 0
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-registers-") as name:
        source = pathlib.Path(name) / "parts.nn"
        source.write_text(MODEL)
        c = generated.compile_source(source, ["--target=x86-64-v4"])
        for compiler in filter(shutil.which, COMPILERS):
            problems = [problem for tune in TUNES for problem in problems_of(c, compiler, tune)]
            failures += generated.report(f"tiles in registers by {compiler}", problems)
    return failures != 0


sys.exit(main())
