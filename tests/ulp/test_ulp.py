#!/usr/bin/env python3
"""The greatest errors of the elementary functions in both profiles, against the bounds of ulp.def: in f32 at
every STRIDE-th float (pow: of 10^8 pairs), in f64 at every STRIDE-th of 3*10^7 doubles.

usage: test_ulp.py [STRIDE [--keep=FILE]]     without STRIDE a sample, else with progress

The work is cut into ranges of seconds each. --keep adds what each range gave to a file, a line each; ranges that
stand there by the same tool are not measured again, so that a long run can be interrupted. It takes a core, and
the others as long as nobody else does."""

import collections
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOOL = pathlib.Path(os.environ.get("NNC_BUILD", HERE.parents[1] / "build/release")) / "tools/ulp"
ROW = re.compile(r"^ULP\w*\((\w+),.*, ([\d.]+), ([\d.]+)\)$", re.M)
PROFILES = "plain", "fused"
SAMPLE = 4999
ALL = 1 << 32
PAIRS, DOUBLES = 10**8, 3 * 10**7
RANGES = 64

Function = collections.namedtuple("Function", "type name bound")
Result = collections.namedtuple("Result", "error x y count missed unlike")


def functions():
    rows = ROW.findall((HERE / "ulp.def").read_text().replace("\n ", " "))
    return [Function(kind, name, float(bound[at])) for at, kind in enumerate(("f32", "f64"))
            for name, *bound in rows]


def ranges(function, stride):
    """(of errors, of one number at a time): the arguments of the tool for each range; a sample is one range. A pair
    stands for 43 floats from the start."""
    whole = DOUBLES if function.type == "f64" else PAIRS if function.name == "pow" else ALL
    if whole == PAIRS:
        stride = max(1, stride * PAIRS // ALL)
    count = RANGES if stride < RANGES else 1
    cuts = [whole * at // count // stride * stride for at in range(count)] + [whole]
    parts = [f"{function.name} {first} {last} {stride}" for first, last in zip(cuts, cuts[1:])]
    alone = [f"f32-alone {part}" for part in parts if function.type == "f32"]
    return [f"{function.type} {part}" for part in parts], alone


def merged(results):
    """Of several ranges: the greatest error with its place, and sums."""
    worst = max(results, key=lambda result: result.error)
    return worst._replace(**{field: sum(getattr(result, field) for result in results)
                             for field in ("count", "missed", "unlike")})


class Kept:
    """Results of ranges, if wanted in a file: {arguments: [result of each profile]}."""

    def __init__(self, path):
        self.results, self.file = {}, None
        if path:
            tool = {"tool": hashlib.sha256(TOOL.read_bytes()).hexdigest()}
            lines = [json.loads(line) for line in open(path, encoding="utf-8")] if os.path.exists(path) else []
            same = lines[:1] == [tool]
            self.results = {line[0]: [Result(*result) for result in line[1]] for line in lines[1:] if same}
            self.file = open(path, "a" if same else "w", encoding="utf-8")
            if not same:
                self.write(tool)

    def write(self, line):
        if self.file:
            print(json.dumps(line), file=self.file, flush=True)

    def add(self, arguments, output):
        results = [[float(word) for word in line.split()] for line in output.splitlines()]
        self.write([arguments, results])
        self.results[arguments] = [Result(*result) for result in results]


def cores_for(running):
    """How many ranges may be measured at a time: others' work leaves them that many cores, at least one."""
    others = os.getloadavg()[0] - running
    return max(1, os.cpu_count() - max(0, round(others)))


def measure(wanted, kept, told):
    """Measures ranges until all results are kept; `told` is called after each."""
    waiting = collections.deque(arguments for arguments in wanted if arguments not in kept.results)
    running = {}
    try:
        while waiting or running:
            while waiting and len(running) < cores_for(len(running)):
                process = subprocess.Popen([TOOL, *waiting[0].split()], stdout=subprocess.PIPE, text=True)
                running[process] = waiting.popleft()
            time.sleep(0.01)
            for process in [process for process in running if process.poll() is not None]:
                arguments = running.pop(process)
                if process.returncode:
                    sys.exit(f"FAIL {arguments}: exit status {process.returncode}")
                kept.add(arguments, process.stdout.read())
                told(arguments)
    finally:
        for process in running:
            process.kill()


def line_of(function, profile, result, all_alone):
    good = result.error <= function.bound and not result.unlike
    digits = 9 if function.type == "f32" else 17
    place = f"{result.x:.{digits}g}" + (f", {result.y:.{digits}g}" if function.name == "pow" else "")
    unlike = f", {result.unlike:.0f} other in vectors" if result.unlike else ""
    unlike += "" if all_alone else ", not all compared with one number at a time"
    return good, (f"{'ok' if good else 'FAIL'} {function.name} {function.type} {profile}: {result.error:.4f} units "
                  f"(bound {function.bound}) at {place}; {100 * result.missed / result.count:.4f} % not the "
                  f"nearest of {result.count:.0f}{unlike}")


def report(all_ranges, kept):
    """A line for each function and profile of which the errors at all ranges stand; whether each is good."""
    all_good = True
    for function, (errors, alone) in all_ranges.items():
        done = [kept.results[arguments] for arguments in errors + alone if arguments in kept.results]
        if any(arguments not in kept.results for arguments in errors):
            continue
        for at, profile in enumerate(PROFILES):
            result = merged([results[at] for results in done])
            good, line = line_of(function, profile, result, len(done) == len(errors + alone))
            all_good &= good
            print(line)
    return all_good


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    path = next((word.partition("=")[2] for word in sys.argv if word.startswith("--keep=")), None)
    stride = int(words[0]) if words else SAMPLE
    kept = Kept(path)
    all_ranges = {function: ranges(function, stride) for function in functions()}
    wanted = [arguments for part in zip(*all_ranges.values()) for some in part for arguments in some]

    def tell(arguments):
        done = sum(some in kept.results for some in wanted)
        print(f"\r{done} of {len(wanted)} ranges: {arguments:40}", end="", file=sys.stderr, flush=True)

    try:
        measure(wanted, kept, tell if words else lambda arguments: None)
    except KeyboardInterrupt:
        print(f"\nstopped; {'the results are kept' if path else 'nothing is kept without --keep'}", file=sys.stderr)
    if words:
        print(file=sys.stderr)
    good = report(all_ranges, kept)
    return not good or any(arguments not in kept.results for arguments in wanted)


sys.exit(main())
