#!/usr/bin/env python3
"""Numbers from independent implementations against our programs, by every back end.

Each record becomes a small program (see cases.py); a record without a counterpart is skipped with the
reason. At the end stands how many records of each file and of each family of ONNX operators pass, and the share
that must.
`test_reference.py --show NAME` prints the program of one case, `test_reference.py --only TEXT` runs those with
the text in their names.
"""

import sys

import burn_cases
import burn_layers
import definitions
import gru_layers
import keras_layers
import keras_losses
import keras_schedules
import onnx_cases
import records
from backends import BACKENDS, Failure
from cases import Skip, Untyped

GOLDEN = {"burn_optim": burn_cases, "keras_layers": keras_layers, "keras_losses": keras_losses,
          "keras_schedules": keras_schedules}
OWN = {"burn_layers": burn_layers, "gru_layers": gru_layers}  # typed from the files they name


class Records:
    """The cases of all records, by name; why a record has none; and the names of each file and ONNX family."""

    def __init__(self, only=""):
        self.only = only
        self.cases, self.skipped, self.families = {}, {}, {}
        for name, module in GOLDEN.items():
            self.families[name] = [record["id"] for record in records.golden(name)]
            for record in records.golden(name):
                self.add(record["id"], lambda record=record: module.case(record))
        for name, module in OWN.items():
            for record in records.own(name):
                self.add(record["id"], lambda record=record, module=module: module.case(record))
        for family in onnx_cases.FAMILIES:
            self.families[family] = [self.add_onnx(family, record) for record in records.of_family(family)]

    def add(self, name, case):
        if self.only not in name:
            return
        try:
            self.cases[name] = case()
        except Skip as skip:
            self.skipped[name] = skip

    def add_onnx(self, family, record):
        name = f"onnx_{family}_{record['test'].removeprefix('test_')}"
        self.add(name, lambda: onnx_cases.case(record))
        for form in onnx_cases.other_forms(record):
            self.add(f"{name}_by_{form}", lambda form=form: onnx_cases.case(record, form))
        return name


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
    """definitions.txt says which definitions the cases of all records apply."""
    if not records.is_complete():
        return "skip the record of definitions: ../shared/reference is not there"
    if definitions.record(cases) == definitions.RECORD.read_text():
        return "ok the record of definitions"
    return "FAIL the record of definitions: `make check-update` writes tests/reference/definitions.txt"


def verdict_on_own():
    """The records that the repository holds are some of all, unchanged."""
    if not records.is_complete():
        return f"skip all records: ../shared/reference is not there, the chosen ones of {records.OWN.name}/ ran"
    strange = [name for name in GOLDEN if not records.is_part(records.golden, name)] + \
        [name for name in onnx_cases.FAMILIES if not records.is_part(records.of_family, name)]
    if strange:
        return f"FAIL the chosen records: choose_cases.py writes others of {', '.join(strange)}"
    return "ok the chosen records"


def family_verdicts(known, results):
    """How many records of each file and family pass by every back end."""
    failed = {line.split(" by ")[0].removeprefix("FAIL ") for line in results if line.startswith("FAIL ")}
    for family, names in known.families.items():
        untyped = [name for name in names if isinstance(known.skipped.get(name), Untyped)]
        passed = [name for name in names if name in known.cases and name not in failed]
        total, share = len(names) - len(untyped), onnx_cases.FAMILIES.get(family, 1)
        told = f"{len(passed)} of {total}, {share:.0%} must pass"
        if untyped:
            told += f"; {len(untyped)} without a type are not counted"
        label = family if family in GOLDEN else f"onnx_family_{family}"
        yield f"{'ok' if len(passed) >= share * total else 'FAIL'} {label}: {told}"


def main(arguments):
    if arguments[:1] == ["--show"]:
        print(Records(arguments[1]).cases[arguments[1]].program(), end="")
        return 0
    known = Records(arguments[1] if arguments[:1] == ["--only"] else "")
    results = [f"skip {name}: {reason}" for name, reason in known.skipped.items()]
    for label, backend in BACKENDS.items():
        results += verdicts(known.cases, label, backend)
    if not known.only:
        results += [*family_verdicts(known, results), verdict_on_record(known.cases), verdict_on_own()]
    print("\n".join(results))
    counts = [sum(line.startswith(start) for line in results) for start in ("ok ", "FAIL ", "skip ")]
    print("{} passed, {} failed, {} skipped".format(*counts))
    return counts[1] > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
