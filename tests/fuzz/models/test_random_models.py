#!/usr/bin/env python3
"""Random models: equation programs grown from seeds, through every oracle of oracles.py. A failure is
shrunk and printed.

usage: test_random_models.py [COUNT [FIRST_SEED]]"""

import collections
import concurrent.futures
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from expressions import random_program
from oracles import check_group
from shrinking import shrink

GROUP = 30
FEWEST = 300


def check_seeds(first, count):
    """(covered, number of runs, [(name, problems, text)]) of a group."""
    programs = [random_program(seed) for seed in range(first, first + count)]
    with tempfile.TemporaryDirectory(prefix="nnc-models-") as name:
        cases = check_group(programs, pathlib.Path(name))
    covered = collections.Counter(word for program in programs for word in program.covered)
    failed = [(case.program.name, case.problems, case.path and case.program) for case in cases
              if case.problems]
    return covered, failed


def print_coverage(covered, count):
    kinds = collections.defaultdict(list)
    for word, times in sorted(covered.items()):
        kind, _, rest = word.partition(" ")
        kinds[kind].append(f"{rest} {times}")
    for kind, words in kinds.items():
        print(f"  {kind} ({len(words)}): " + ", ".join(words))
    print(f"ok {count} random models")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FEWEST
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    covered, failures = collections.Counter(), 0
    starts = range(first, first + count, GROUP)
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check_seeds, at, min(GROUP, first + count - at)) for at in starts]
        for job in concurrent.futures.as_completed(jobs):
            some, failed = job.result()
            covered += some
            for name, problems, program in failed:
                print(f"FAIL {name}: " + "; ".join(problems[:3]), flush=True)
                failures += 1
                if failures <= 3 and "--no-shrink" not in sys.argv:
                    print(shrink(program, problems[0]), flush=True)
    if failures == 0:
        print_coverage(covered, count)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
