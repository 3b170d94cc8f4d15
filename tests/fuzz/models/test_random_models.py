#!/usr/bin/env python3
"""Random models: equation programs and chains of library definitions grown from seeds, through every oracle
of oracles.py and same_bits.py. A failure is shrunk and printed; coverage.py says what was covered.

usage: test_random_models.py [COUNT [FIRST_SEED]] [--no-shrink] [--first] [--keep=FILE]

--first ends with the first failure, which is not shrunk. --keep adds what each group of models gave to a
file, a line each; groups that stand there are not run again, so that a long run can be interrupted."""

import collections
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import coverage
from checking import check_group
from compositions import random_program
from shrinking import shrink

GROUP = 50  # models in a C file
SMALL_GROUP = 20
FEWEST = 300
ALL_IS_COVERED = 10000  # by so many models at the latest
MOST_SHRUNK = 3


def check_seeds(first, count, stops=False):
    """(covered, [(seed, problems, program)]) of a group."""
    programs = [random_program(seed) for seed in range(first, first + count)]
    with tempfile.TemporaryDirectory(prefix="nnc-models-") as name:
        cases = check_group(programs, pathlib.Path(name), stops)
    covered = collections.Counter(word for program in programs for word in program.covered)
    failed = [(case.program.seed, case.problems, case.program) for case in cases if case.problems]
    return covered, failed


def groups(count, first, size=GROUP):
    return [(at, min(size, first + count - at)) for at in range(first, first + count, size)]


def find_first(count, first):
    """Ends with the first group that holds a failure."""
    for at, size in groups(count, first, SMALL_GROUP):
        _, failed = check_seeds(at, size, stops=True)
        if failed:
            seed, problems, _ = min(failed, key=lambda failure: failure[0])
            print(f"FAIL m{seed}: " + "; ".join(problems[:3]))
            return True
    print(f"ok {count} random models")
    return False


class Kept:
    """Results of groups in a file: {(first seed, models): (covered, [(seed, problems)])}."""

    def __init__(self, path):
        self.path, self.results = path and pathlib.Path(path), {}
        if self.path and self.path.exists():
            for line in self.path.read_text().splitlines():
                one = json.loads(line)
                self.results[tuple(one["group"])] = collections.Counter(one["covered"]), one["failed"]

    def add(self, group, covered, failed):
        self.results[group] = covered, failed
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps(dict(group=group, covered=covered, failed=failed)) + "\n")


def run_groups(wanted, kept, shrinks):
    """Runs those that are not kept; failures are printed as they come."""
    shrunk = 0
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(check_seeds, *group): group for group in wanted if group not in kept.results}
        for job in concurrent.futures.as_completed(jobs):
            covered, failed = job.result()
            kept.add(jobs[job], covered, [(seed, problems) for seed, problems, _ in failed])
            for seed, problems, program in failed:
                print(f"FAIL m{seed}: " + "; ".join(problems[:3]), flush=True)
                shrunk += 1
                if shrinks and shrunk <= MOST_SHRUNK:
                    print(shrink(program, problems[0]), flush=True)


def check_all(count, first, shrinks, path):
    covered, failures, kept, wanted = collections.Counter(), 0, Kept(path), groups(count, first)
    for group in wanted:
        for seed, problems in kept.results[group][1] if group in kept.results else ():
            print(f"FAIL m{seed}: " + "; ".join(problems[:3]))
    run_groups(wanted, kept, shrinks)
    for group in wanted:
        covered += kept.results[group][0]
        failures += len(kept.results[group][1])
    missed = coverage.report(covered)
    if missed and count >= ALL_IS_COVERED:
        print(f"FAIL coverage: {len(missed)} missing, such as {missed[0]}")
        failures += 1
    if failures == 0:
        print(f"ok {count} random models")
    return failures != 0


def main():
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    count, first = numbers[0] if numbers else FEWEST, numbers[1] if len(numbers) > 1 else 1
    if "--first" in sys.argv:
        return find_first(count, first)
    kept = next((word.partition("=")[2] for word in sys.argv if word.startswith("--keep=")), None)
    return check_all(count, first, "--no-shrink" not in sys.argv, kept)


if __name__ == "__main__":
    sys.exit(main())
