#!/usr/bin/env python3
"""make bench and make bench-plots stay able to run: every model is one the compiler accepts, and one of them is measured
once, without optimisation and without peers."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NNC = os.environ["NNC"]


def report(name, problem):
    print(f"FAIL {name}: {problem}" if problem else f"ok {name}")


def check_models():
    ran = [subprocess.run([NNC, "check", path], capture_output=True, text=True)
           for path in sorted((ROOT / "bench/models").glob("*.nn"))]
    return "".join(run.stderr for run in ran if run.returncode)


def check_round():
    command = [sys.executable, ROOT / "bench/run", "--only", "steps", "--models", "mlp_sgd", "--rounds", "1",
               "--without", "kernel", "PyTorch", "JAX", "nnc clang"]
    ran = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, BENCH_CFLAGS="-O0"))
    if ran.returncode or "MLP, SGD" not in ran.stdout:
        return ran.stderr or ran.stdout
    path = ran.stdout.partition("record: ")[2].strip()
    model = json.loads((ROOT / path).read_text())["sections"]["steps"]["mlp_sgd"]
    loss = model["losses"].get("nnc gcc")
    if loss is None:
        return None if "no gcc" in model["absent"]["nnc gcc"] else f"not measured: {model['absent']}"
    return None if abs(loss - 2.188956) < 1e-4 else f"the loss is {loss}"


def check_growth():
    ran = subprocess.run([sys.executable, ROOT / "bench/growth", "--only", "time-steps", "--rounds", "1"],
                         capture_output=True, text=True)
    rows = [line.split() for line in ran.stdout.splitlines() if line[:1].isdigit()]
    if ran.returncode or not rows:
        return ran.stderr or ran.stdout
    small, large = int(rows[0][2]), int(rows[-1][2])
    return None if large < 1.2 * small else f"the C of 4096 time steps has {large} bytes, that of 8 {small}"


report("models of bench are accepted", check_models())
report("bench measures a round", check_round())
report("C does not grow with time", check_growth())
