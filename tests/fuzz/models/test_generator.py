#!/usr/bin/env python3
"""What random models promise whatever their seed; each line was once a finding with no bug in the compiler."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import oracles
from oracles import Case, interpret, same_shape
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


# sums of the same terms in another order each: which is the least, rounding decides
TIES = """
param p[17] ~ uniform(-1, 1)
y[l in 11] = sum[d in 17](0.104*p[(d - l) % 17])
output z
z = argmin[k in 11](y[k]{apart})
"""


def unstable_places():
    """A result that nobody can compare is not held against a case; one that all agree on is."""
    problems = []
    for apart, left in (("", 0), (" + 0.1*k", 1)):
        program = Program(1)
        lines = TIES.format(apart=apart).strip().split("\n")
        program.statements = [Node([line], "statement") for line in lines]
        program.losses = [Node(["mean((p - 0.25)^2)"])]
        with tempfile.TemporaryDirectory(prefix="nnc-generator-") as name:
            case = Case(program, pathlib.Path(name))
            interpret([case])
            case.blame("C", "train z is off by 0.5")
            oracles.forgive_unstable([case])
            if len(case.problems) != left:
                problems.append(f"argmin(y[k]{apart}): {case.problems}")
    return problems


def large_factors():
    body = Node(["x"], "real", -1e9, 1e9)
    return [count for count in (4, 10, 165, 2500) for seed in range(10)
            if Sought.interval("prod", Sought(seed).factor(body, count), count)[1] > 20]


def boundless():
    return [count for count in (10, 2500, 10**6)
            if Sought.interval("prod", Node(["x"], "real", -1e9, 1e9), count)[1] == float("inf")]


def untamed():
    return [size for size in (3.1, 50, 1e4, 1e13) for seed in range(10)
            if Sought(seed).tame(Node(["x"], "real", -size, size), 3).size > 3.02]


CHECKS = {"names-of-one-length-split-no-other-lines": margin_finding,
          "unstable-places-are-not-compared": unstable_places,
          "products-are-of-ordinary-size": large_factors, "products-have-bounds": boundless,
          "tamed-numbers-are-small": untamed}


def main():
    failures = 0
    for name, check in CHECKS.items():
        found = check()
        print(f"FAIL {name}: {found}" if found else f"ok {name}")
        failures += bool(found)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
