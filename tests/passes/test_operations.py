#!/usr/bin/env python3
"""Causal attention, forwards and backwards, takes the operations that the positions seen ask for: the interpreter
counts those of the simplified equations."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

INTERPRET = pathlib.Path(os.environ["NNC_BUILD"]) / "tools" / "interpret"
BAR = 1.1
POSITIONS, HEADS, SIZE = 40, 2, 16

MODEL = """
model causal {
  dim T = %d, A = %d, E = %d
  param q[1, T, A, E] ~ uniform(-1, 1)
  param k[1, T, A, E] ~ uniform(-1, 1)
  param v[1, T, A, E] ~ uniform(-1, 1)
  input g[1, T, A, E]
  y = attend(q, k, v, causal = true)
  loss sum[n, t, a, e](g[n, t, a, e]*y[n, t, a, e])
  train { optimizer sgd(0.1) }
}
"""


def count_operations():
    with tempfile.NamedTemporaryFile("w", suffix=".nn") as file:
        file.write(MODEL % (POSITIONS, HEADS, SIZE))
        file.flush()
        request = {"set": {"g": 0.5}, "steps": 1}
        result = subprocess.run([INTERPRET, file.name, "--simplify"], input=json.dumps(request), text=True,
                                capture_output=True, check=True)
    return json.loads(result.stdout)["operations"]


def linear_cost():
    """Two products forwards and four backwards over the pairs u <= t, each of a multiplication and an addition. For
    each pair the score is scaled and weighed with two exponentials' arguments; backwards p*(dp - sum(p*dp)), scaled.
    The loss and the updates take a few operations for each element."""
    pairs = HEADS*POSITIONS*(POSITIONS + 1)//2
    forwards, backwards = 1 + 2 + 2, 2 + 2 + 1
    elements = POSITIONS*HEADS*SIZE
    return pairs*(6*2*SIZE + forwards + backwards) + (2 + 3*2)*elements


def main():
    ratio = count_operations()/linear_cost()
    print("ok" if ratio <= BAR else "FAIL", "causal attention takes no operations on what is not seen:",
          f"{ratio:.3f} of the linear cost, at most {BAR}")
    return ratio > BAR


sys.exit(main())
