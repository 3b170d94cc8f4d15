#!/usr/bin/env python3
"""make same-bits: the models that bench/ measures, trained for a few steps by each compiler that is installed, at
every -O level, with every set of instructions, on one to three threads, and for another processor by an
emulator: within a profile all end with the same loss and the same weights.

usage: reference_bits.py [MODEL...]"""

import itertools
import pathlib
import sys
import tempfile

import bits
import generated

sys.path.insert(0, str(generated.ROOT / "bench"))
import building  # noqa: E402
import models  # noqa: E402

STEPS = 3


def trainee_of(model):
    return bits.Trainee(model.source, model.name, building.data() / model.data, STEPS, options=model.options)


def check(trainee, profile):
    """Whether all agree with the first; prints a line for each kind of build."""
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-bits-") as name:
        folder, builds = pathlib.Path(name), list(bits.all_builds(profile))
        if not builds:
            print(f"skip same bits, {profile} profile: no multiply-adds here")
            return 0
        target, flags = builds[-1]
        kinds = {"builds": bits.results(folder, trainee, builds),
                 "runs on threads": bits.threaded_results(folder, trainee, target, flags[-1], bits.COMPILERS)}
        if profile == "fused":
            kinds["runs for another processor"] = bits.emulated_results(folder, trainee)
        expected = next(iter(kinds["builds"].values()))
        for kind, found in kinds.items():
            title = f"same bits, {trainee.symbol}, {profile} profile, {len(found)} {kind}"
            failures += generated.report(title, bits.problems_of(found, expected))
    return failures


def main(names):
    unknown = set(names) - {model.name for model in models.MODELS}
    if unknown:
        sys.exit(f"reference_bits.py: no model {', '.join(sorted(unknown))}")
    wanted = [trainee_of(model) for model in models.MODELS if not names or model.name in names]
    return sum(check(trainee, profile) for trainee, profile in itertools.product(wanted, bits.PROFILES)) != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
