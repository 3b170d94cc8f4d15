"""Ways to run cases: each takes a list of cases and gives, in their order, {tensor: flat list of numbers}
or a Failure. BACKENDS is what the runner tries."""

import json
import os
import pathlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "emit"))

from generated import TOOLS, Failure, build_driver, compile_source, run  # noqa: E402

GROUP = 48  # cases that are compiled as one file


def in_parallel(function, items):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def values_of(result):
    if "error" in result:
        return Failure(result["error"])
    values = result["values"].items()
    return {name: value["data"] if isinstance(value, dict) else value for name, value in values}


def by_interpreter(case):
    flags = [] if case.derives else ["--no-derive"]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "case.nn")
        source.write_text(case.program())
        try:
            return values_of(json.loads(run([TOOLS / "interpret", source, *flags],
                                            json.dumps(case.request()).encode())))
        except Failure as failure:
            return failure


def interpreter(cases):
    """The reference interpreter, in double."""
    return in_parallel(by_interpreter, cases)


def generated_results(folder, cases):
    """All cases, of one kind of real numbers, as models of one file."""
    names = [f"case{k}" for k in range(len(cases))]
    heads = dict.fromkeys(line for case in cases for line in case.head)
    models = [f"model {name} {case.source()}" for name, case in zip(names, cases)]
    source = folder / "cases.nn"
    source.write_text("\n".join([*heads, *models]) + "\n")
    c = compile_source(source, [f"--real={cases[0].precision}"])
    driver = build_driver(folder, [c], names, warn=False)
    requests = [{"model": name, **case.request()} for name, case in zip(names, cases)]
    return json.loads(run([driver], json.dumps(requests).encode()))


def by_generated(cases):
    with tempfile.TemporaryDirectory() as folder:
        try:
            return [values_of(result) for result in generated_results(pathlib.Path(folder), cases)]
        except Failure as failure:
            return [failure] * len(cases)


def generated(cases):
    """The generated C, in single precision unless the case asks for double."""
    alike = [[case for case in cases if case.precision == precision] for precision in ("float", "double")]
    groups = [some[at:at + GROUP] for some in alike for at in range(0, len(some), GROUP)]
    found = {case: result for group, results in zip(groups, in_parallel(by_generated, groups))
             for case, result in zip(group, results)}
    return [found[case] for case in cases]


BACKENDS = {"interpreter": interpreter, "emitted C": generated}
