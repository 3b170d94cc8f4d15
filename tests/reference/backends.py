"""Ways to run a case: each takes a Case and gives {tensor: flat list of numbers}, or raises Failed.

BACKENDS is what the runner tries, in order. A back end for emitted C belongs here beside the
interpreter.
"""

import json
import os
import pathlib
import subprocess
import tempfile

BUILD = pathlib.Path(os.environ.get("NNC_BUILD", "build/release"))


class Failed(Exception):
    """The program did not run; the message says why."""


def interpret(case):
    """The reference interpreter, in double."""
    request = {"set": case.values, "ask": list(case.expected)}
    if case.batches is None:
        request["program"] = "eval"
    else:
        request["batches"] = case.batches
    flags = ["--no-derive"] if case.batches is None else []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "case.nn")
        path.write_text(case.program())
        run = subprocess.run(
            [BUILD / "tools" / "interpret", path, *flags],
            input=json.dumps(request), capture_output=True, text=True, timeout=60)
    try:
        result = json.loads(run.stdout)
    except ValueError:
        raise Failed(f"status {run.returncode}: {run.stderr.strip()}") from None
    if "error" in result:
        raise Failed(" ".join([result["error"], *run.stderr.split()]))
    return {name: value["data"] for name, value in result["values"].items()}


BACKENDS = {"interpreter": interpret}
