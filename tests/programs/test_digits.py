#!/usr/bin/env python3
"""The digits example as a user builds it, outside the tree from the installed package: what accuracy it
reaches, that it prints the same on every run, and that a stranger's program with its classes renamed
learns as well, so that nothing in the compiler or the runtime knows the example."""

import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "digits"


def build(directory, main, program):
    shutil.copy(main, directory / f"{program}.c")
    subprocess.run(f"cc -std=c11 -O2 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror "
                   f"-o {program} {program}.c digits.c $(pkg-config --cflags --libs nnc)",
                   shell=True, check=True, cwd=directory)


def rename_classes(directory):
    """A copy of the data in which class c is called (7 c + 3) % 10."""
    renamed = directory / "renamed"
    renamed.mkdir()
    shutil.copy(EXAMPLE / "digits-images.idx", renamed)
    labels = (EXAMPLE / "digits-labels.idx").read_bytes()
    classes = bytes((7 * label + 3) % 10 for label in labels[8:])
    (renamed / "digits-labels.idx").write_bytes(labels[:8] + classes)
    return renamed


def run(program, data, *arguments):
    return subprocess.run([program, *arguments], cwd=data, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def accuracies(out):
    return [float(number) for number in re.findall(r"accuracy (\d\.\d+)", out)]


def report(good, name, detail=""):
    print(f"ok {name}" if good else f"FAIL {name}: {detail}")
    return not good


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-digits-") as name:
        directory = pathlib.Path(name)
        subprocess.run(["nnc", EXAMPLE / "digits.nn", "-o", directory / "digits.c"], check=True)
        build(directory, EXAMPLE / "main.c", "example")
        build(directory, ROOT / "tests" / "programs" / "stranger.c", "stranger")

        outputs = []
        for seed in range(1, 6):
            outputs.append(run(directory / "example", EXAMPLE, str(seed)))
        last = [accuracies(out)[-1] for out in outputs]
        failures += report(statistics.median(last) >= 0.93 and min(last) >= 0.92,
                           "five-seeds-reach-the-accuracy", last)
        failures += report(all(len(set(accuracies(out))) == 1 and len(accuracies(out)) == 2
                               for out in outputs), "a-loaded-model-is-the-saved-one", outputs[0])
        failures += report(run(directory / "example", EXAMPLE, "1") == outputs[0],
                           "two-runs-print-the-same", outputs[0])

        plain = accuracies(run(directory / "stranger", EXAMPLE))
        renamed = accuracies(run(directory / "stranger", rename_classes(directory)))
        failures += report(min(plain + renamed) >= 0.92, "a-stranger-learns-renamed-classes-as-well",
                           (plain, renamed))
    return failures != 0


sys.exit(main())
