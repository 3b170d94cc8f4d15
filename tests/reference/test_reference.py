#!/usr/bin/env python3
"""Numbers from independent implementations (../shared/reference) against our programs, by every back end.

Each record becomes a small program (see cases.py); a record without a counterpart is skipped with the
reason. `test_reference.py --show NAME` prints the program of one case.
"""

import json
import pathlib
import sys

import burn_cases
import definitions
import keras_losses
import keras_schedules
import onnx_cases
from backends import BACKENDS, Failure
from cases import Skip

REFERENCE = pathlib.Path("../shared/reference")
GOLDEN = {"burn_optim": burn_cases, "keras_losses": keras_losses, "keras_schedules": keras_schedules}


def records():
    """Name, record and module, of everything that is to be tried."""
    for name, module in GOLDEN.items():
        for record in json.loads((REFERENCE / "golden" / f"{name}.json").read_text())["cases"]:
            yield record["id"], record, module
    for family in onnx_cases.FAMILIES:
        for path in sorted((REFERENCE / "onnx" / family).glob("*.json")):
            yield f"onnx_{family}_{path.stem.removeprefix('test_')}", json.loads(path.read_text()), onnx_cases


def translated():
    """The cases, and a line for each record that has none."""
    cases, skipped = {}, []
    for name, record, module in records():
        try:
            cases[name] = module.case(record)
        except Skip as skip:
            skipped.append(f"skip {name}: {skip}")
    return cases, skipped


def wrong(case, found):
    """None, or what differs."""
    if isinstance(found, Failure):
        return " ".join(str(found).split())
    for tensor, expected in case.expected.items():
        mismatch = expected.mismatch(found[tensor])
        if mismatch:
            return f"{tensor}: {mismatch}"
    return None


def verdicts(cases, label, backend):
    """The result line of each case."""
    tried = {name: case for name, case in cases.items() if label not in case.except_by}
    for name, case, found in zip(tried, tried.values(), backend(list(tried.values()))):
        detail = wrong(case, found)
        yield f"FAIL {name} by {label}: {detail}" if detail else f"ok {name} by {label}"
    for name in cases.keys() - tried.keys():
        yield f"skip {name} by {label}: {cases[name].except_by[label]}"


def verdict_on_record(cases):
    """definitions.txt says which definitions these cases apply."""
    if definitions.record(cases) == definitions.RECORD.read_text():
        return "ok the record of definitions"
    return "FAIL the record of definitions: `make check-update` writes tests/reference/definitions.txt"


def show(wanted):
    for name, record, module in records():
        if name == wanted:
            print(module.case(record).program(), end="")


def main():
    if not REFERENCE.is_dir():
        print("skip reference: ../shared/reference is not there")
        return 0
    if sys.argv[1:2] == ["--show"]:
        show(sys.argv[2])
        return 0
    cases, results = translated()
    results.append(verdict_on_record(cases))
    for label, backend in BACKENDS.items():
        results += verdicts(cases, label, backend)
    print("\n".join(results))
    counts = [sum(line.startswith(start) for line in results) for start in ("ok ", "FAIL ", "skip ")]
    print("{} passed, {} failed, {} skipped".format(*counts))
    return counts[1] > 0


if __name__ == "__main__":
    sys.exit(main())
