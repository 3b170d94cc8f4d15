#!/usr/bin/env python3
"""The digits model trained for 100 steps ends with the same bits under every compiler that is installed,
every -O level and instruction set, on any number of threads: those whose hashes digits.hash holds, so that
a change is seen and recorded on purpose.

usage: test_same_bits.py [--update]"""

import os
import pathlib
import sys
import tempfile

import bits
import generated

RECORD = generated.EMIT / "digits.hash"
THREADED = ("gcc", "clang")


def builds(profile):
    """Every level where the randomised tests run long, too."""
    return list((bits.all_builds if int(os.environ.get("NNC_ROUNDS", "1")) > 1 else bits.some_builds)(profile))


def threaded_results(folder, trainee, profile):
    target, flags = builds(profile)[-1]
    return bits.threaded_results(folder, trainee, target, flags[-1], THREADED)


def recorded():
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    return dict(line.split(": ", 1) for line in lines)


def main():
    failures, record = 0, recorded()
    with tempfile.TemporaryDirectory(prefix="nnc-bits-") as name:
        folder = pathlib.Path(name)
        trainee = bits.digits(folder)
        for profile in bits.PROFILES:
            found = bits.results(folder, trainee, builds(profile))
            if not found:
                print(f"skip same bits, {profile} profile: no multiply-adds here")
                continue
            if "--update" in sys.argv:
                record[profile] = next(iter(found.values()))
            failures += generated.report(f"same bits, {profile} profile, {len(found)} builds",
                                         bits.problems_of(found, record.get(profile)))
            found = threaded_results(folder, trainee, profile)
            failures += generated.report(f"same bits, {profile} profile, {len(found)} runs on threads",
                                         bits.problems_of(found, record.get(profile)))
        found = bits.emulated_results(folder, trainee)
        if found:
            failures += generated.report("same bits, fused profile, another processor",
                                         bits.problems_of(found, record.get("fused")))
    if "--update" in sys.argv:
        RECORD.write_text("".join(f"{profile}: {text}\n" for profile, text in record.items()))
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
