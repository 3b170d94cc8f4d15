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
    flags = ["--no-derive"] if case.batches is None else []
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
    """All cases as models of one file."""
    names = [f"case{k}" for k in range(len(cases))]
    heads = dict.fromkeys(line for case in cases for line in case.head)
    models = [f"model {name} {case.source()}" for name, case in zip(names, cases)]
    source = folder / "cases.nn"
    source.write_text("\n".join([*heads, *models]) + "\n")
    driver = build_driver(folder, [compile_source(source)], names, cc=("cc", "-O0"), warn=False)
    requests = [{"model": name, **case.request()} for name, case in zip(names, cases)]
    return json.loads(run([driver], json.dumps(requests).encode()))


def by_generated(cases):
    with tempfile.TemporaryDirectory() as folder:
        try:
            return [values_of(result) for result in generated_results(pathlib.Path(folder), cases)]
        except Failure as failure:
            return [failure] * len(cases)


def generated(cases):
    """The generated C, in single precision."""
    groups = [cases[i:i + GROUP] for i in range(0, len(cases), GROUP)]
    return sum(in_parallel(by_generated, groups), [])


BACKENDS = {"interpreter": interpreter, "emitted C": generated}
