#!/usr/bin/env python3
"""The odd programs, small models at the edges of the language: generated C against the interpreter.

usage: test_odd.py [TEXT]      only files whose names contain it"""

import pathlib
import sys
import tempfile

import agreement


def main():
    text = "".join(sys.argv[1:])
    programs = sorted((agreement.ROOT / "tests" / "programs" / "odd").glob("*.nn"))
    with tempfile.TemporaryDirectory(prefix="nnc-odd-") as folder:
        failures = sum(agreement.check(path, pathlib.Path(folder)) for path in programs if text in path.stem)
    return failures != 0


sys.exit(main())
