#!/usr/bin/env python3
"""Layers, losses and optimizers of the library against their formulas computed by mathematics.py,
attention_formulas.py, loss_formulas.py and optimizer_formulas.py, by every back end."""

import sys

import attention_formulas  # noqa: F401  (adds its cases to those of mathematics)
import loss_formulas
import mathematics
import optimizer_formulas
from backends import BACKENDS
from test_reference import verdicts

CASES = {case.name: case for case in mathematics.CASES + loss_formulas.CASES + optimizer_formulas.CASES}


def main():
    results = [line for label, backend in BACKENDS.items() for line in verdicts(CASES, label, backend)]
    print("\n".join(results))
    return any(line.startswith("FAIL") for line in results)


if __name__ == "__main__":
    sys.exit(main())
