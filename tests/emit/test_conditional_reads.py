#!/usr/bin/env python3
"""Elements that are read on one side of a choice only have the same values under every compiler, level and
instruction set. gcc 12 gave others with vectors that have masks, where it had unrolled a short loop."""

import itertools
import pathlib
import shutil
import sys
import tempfile

import generated
from bits import COMPILERS, WIDE

MODEL = """
model masked {
  dim N <= 8
  input x[N, 7, 7]
  input g[N, 7, 7]
  output y[n, p, q] = (if x[n, p, q] > 0 then g[n, p, q] else 0)*3 + 1
  output s = sum[n, p, q](if x[n, p, q] > 0 then g[n, p, q] else 0)
}
"""
MAIN = r"""
#include "masked.h"
#include <stdio.h>
enum { ALL = 8 * 7 * 7 };
static masked m;
static float x[ALL], g[ALL], y[ALL], s;
int main(void) {
  masked_init(&m, 1);
  for (int i = 0; i < ALL; i++) x[i] = (float)(i * 37 % 101 - 50), g[i] = (float)(i * 73 % 103 - 50);
  masked_infer(&m, 8, x, g, y, &s);
  for (int i = 0; i < ALL; i++) printf("%g\n", (double)y[i]);
  return printf("%g\n", (double)s) < 0;
}
"""


def expected():
    taken = [i*73 % 103 - 50 if i*37 % 101 > 50 else 0 for i in range(8*7*7)]
    return [value*3 + 1 for value in taken] + [sum(taken)]


def check(folder, compiler, flags):
    generated.run([compiler, "-std=c11", *flags.split(), "-I", folder, "-o", folder / "main", folder / "main.c",
                   folder / "masked.c", "-lm"])
    found = [float(line) for line in generated.run([folder / "main"]).decode().split()]
    wrong = sum(a != b for a, b in zip(found, expected(), strict=True))
    return [f"{wrong} values are wrong"] if wrong else []


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-choices-") as name:
        folder = pathlib.Path(name)
        (folder / "masked.nn").write_text(MODEL)
        (folder / "main.c").write_text(MAIN)
        generated.run([generated.NNC, "--standalone", folder / "masked.nn", "-o", folder / "masked.c"])
        for compiler, flags in itertools.product(filter(shutil.which, COMPILERS), ("-O2", *WIDE, "-O3 -march=native")):
            failures += generated.report(f"conditional reads, {compiler} {flags}", check(folder, compiler, flags))
    return failures != 0


sys.exit(main())
