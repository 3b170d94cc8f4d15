#!/usr/bin/env python3
"""What random models promise whatever their seed; each line was once a finding with no bug in the compiler."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from oracles import Case, same_shape
from program import Node, Program
from sought import Sought

# the gradient of p is a line of just the length that is split; its second index meets the i of a parameter
AT_THE_MARGIN = """
y10[f in 3, i in 3] = sigmoid((p5[2*f])*(y1[i + f - 2, f + 2*i - 2, 3*i - 3 | 0.5]))
y1[b in 1, e in 3, f in 1] = 0.5
y13 = sum[o in 1, e in 3](y10[o//2, e + 2 | 0.25])
param p5[8] ~ uniform(-1, 1)
"""


def margin_finding():
    program = Program(1)
    program.statements = [Node([line], "statement") for line in AT_THE_MARGIN.strip().split("\n")]
    program.losses = [Node(["mean((p5 - 0.25)^2)"]), Node(["0.5*y13"])]
    with tempfile.TemporaryDirectory(prefix="nnc-generator-") as name:
        case = Case(program, pathlib.Path(name))
        same_shape(case, "renamed", program.renamed_text(), pathlib.Path(name))
        return case.problems


def large_factors():
    body = Node(["x"], "real", -1e9, 1e9)
    return [count for count in (4, 10, 165, 2500) for seed in range(10)
            if Sought.interval("prod", Sought(seed).factor(body, count), count)[1] > 20]


def untamed():
    return [size for size in (3.1, 50, 1e4, 1e13) for seed in range(10)
            if Sought(seed).tame(Node(["x"], "real", -size, size), 3).size > 3.02]


CHECKS = {"names-of-one-length-split-no-other-lines": margin_finding,
          "products-are-of-ordinary-size": large_factors, "tamed-numbers-are-small": untamed}


def main():
    failures = 0
    for name, check in CHECKS.items():
        found = check()
        print(f"FAIL {name}: {found}" if found else f"ok {name}")
        failures += bool(found)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
