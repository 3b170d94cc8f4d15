"""Ways to run cases: each takes a list of cases and gives, in their order, {tensor: flat list of numbers}
or Failed. BACKENDS is what the runner tries."""

import json
import os
import pathlib
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / os.environ.get("NNC_BUILD", "build/release")
NNC = os.environ.get("NNC", str(BUILD / "nnc"))
GROUP = 48  # cases that are compiled as one file


class Failed:
    """The program did not run; the reason."""

    def __init__(self, reason):
        self.reason = reason


def values_of(result, stderr):
    if "error" in result:
        return Failed(" ".join([result["error"], *stderr.split()]))
    return {name: value["data"] for name, value in result["values"].items()}


def in_parallel(function, items):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


# ---- the interpreter


def interpret(case):
    flags = ["--no-derive"] if case.batches is None else []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "case.nn")
        path.write_text(case.program())
        run = subprocess.run(
            [BUILD / "tools" / "interpret", path, *flags],
            input=json.dumps(case.request()), capture_output=True, text=True, timeout=60)
    try:
        return values_of(json.loads(run.stdout), run.stderr)
    except ValueError:
        return Failed(f"status {run.returncode}: {run.stderr.strip()}")


def interpreter(cases):
    """The reference interpreter, in double."""
    return in_parallel(interpret, cases)


# ---- emitted C


def write_group(folder, cases):
    """All cases as models of one file, and the table of them for the driver."""
    names = [f"case{k}" for k in range(len(cases))]
    heads = dict.fromkeys(line for case in cases for line in case.head)
    models = "".join(case.model(name) for name, case in zip(names, cases))
    (folder / "cases.nn").write_text("".join(f"{head}\n" for head in heads) + models)
    table = "".join(f"  &{name}_model,\n" for name in names)
    (folder / "table.c").write_text(
        f'#include "cases.h"\nconst nnrt_model *const models[] = {{\n{table}  NULL}};\n')
    return names


def build_group(folder, options):
    drive = ROOT / "tests" / "emit" / "drive.c"
    flags = os.environ.get("NNC_CFLAGS", "").split()
    subprocess.run([NNC, *options, "cases.nn", "-o", "cases.c"], cwd=folder, check=True,
                   capture_output=True, text=True)
    subprocess.run(
        [*os.environ.get("CC", "cc").split(), "-std=c11", "-O0", *flags,
         "-I", ROOT / "runtime" / "core", "-I.", "-o", "drive", drive, "cases.c", "table.c",
         BUILD / "libnnrt.a", "-ljansson", "-lm"],
        cwd=folder, check=True, capture_output=True, text=True)


def one_line(error):
    return " ".join(f"{error} {getattr(error, 'stderr', '') or ''}".split())[-1000:]


def run_group(cases, options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        names = write_group(folder, cases)
        try:
            build_group(folder, options)
            requests = {name: case.request() for name, case in zip(names, cases)}
            run = subprocess.run([folder / "drive"], input=json.dumps(requests), check=True,
                                 capture_output=True, text=True, timeout=120)
        except subprocess.SubprocessError as error:
            return [Failed(one_line(error))] * len(cases)
    results = json.loads(run.stdout)
    return [values_of(results[name], "") for name in names]


def emitted(cases):
    """The generated C, in single precision."""
    groups = [cases[i:i + GROUP] for i in range(0, len(cases), GROUP)]
    return sum(in_parallel(lambda group: run_group(group, []), groups), [])


BACKENDS = {"interpreter": interpreter, "emitted C": emitted}
