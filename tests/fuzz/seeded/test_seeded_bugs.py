#!/usr/bin/env python3
"""Seeded bugs: bugs.txt says what to put in place of what; each is built in a copy of the sources and must be
found by random models that do not fail without it.

usage: test_seeded_bugs.py                     do the texts to replace stand once in their files?
       test_seeded_bugs.py MOST [NUMBER...]    which bugs (all, or these) do MOST models find?"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
MODELS = ROOT / "tests" / "fuzz" / "models" / "test_random_models.py"
MODE = pathlib.Path("build") / "release"


class Bug:
    def __init__(self, number, text):
        lines = text.strip().split("\n")
        self.number, self.file = number, pathlib.Path("compiler") / lines[0]
        self.old = "\n".join(line[2:] for line in lines[1:] if line.startswith("- "))
        self.new = "\n".join(line[2:] for line in lines[1:] if line.startswith("+ "))

    def count_in(self, root):
        return (root / self.file).read_text().count(self.old)


def bugs():
    text = re.sub(r"^#.*\n", "", pathlib.Path(__file__).with_name("bugs.txt").read_text(), flags=re.M)
    return [Bug(number, block) for number, block in enumerate(re.split(r"\n\s*\n", text.strip()), 1)]


def check():
    """One line of the runner."""
    stale = [f"{bug.number} in {bug.file}: {bug.count_in(ROOT)} times" for bug in bugs()
             if bug.count_in(ROOT) != 1]
    print(f"FAIL seeded-bugs-apply: {'; '.join(stale)}" if stale else f"ok seeded-bugs-apply: {len(bugs())}")
    return bool(stale)


def copy_sources(folder):
    """Sources and objects as they are, so that little is built again."""
    for name in ("compiler", "grammars", "library", "runtime", "docs", ".ci", "tests"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(ROOT / MODE, folder / MODE, ignore=shutil.ignore_patterns("prefix"))
    for name in ("Makefile", "LICENSE", "nnc.pc.in", "build/packages-build", "build/packages-check"):
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder / name)


def build(folder):
    done = subprocess.run(["make", "-s", "-j1", MODE / "nnc", MODE / "tools" / "random_models"], cwd=folder,
                          capture_output=True, text=True)
    return done.returncode == 0 or done.stderr[-600:]


def find(folder, most, first=1):
    """The first model that fails and how; null: none."""
    environment = dict(os.environ, NNC=str(folder / MODE / "nnc"), NNC_BUILD=str(folder / MODE),
                       PKG_CONFIG_PATH=str(ROOT / MODE / "prefix" / "lib" / "pkgconfig"))
    done = subprocess.run([sys.executable, MODELS, str(most), str(first), "--first"], env=environment,
                          capture_output=True, text=True)
    return re.search(r"^FAIL m(\d+): (.*)$", done.stdout, re.M)


def try_bug(bug, folder, most):
    path = folder / bug.file
    text = path.read_text()
    path.write_text(text.replace(bug.old, bug.new))
    built = build(folder)
    found = find(folder, most) if built is True else None
    path.write_text(text)
    if built is not True:
        return f"does not compile: {built}"
    if found and find(ROOT, 1, int(found[1])):
        return f"no finding: model {found[1]} fails without it, too"
    return f"model {found[1]}: {found[2][:100]}" if found else ""


def main():
    numbers = [int(word) for word in sys.argv[1:]]
    if not numbers:
        return check()
    most, wanted = numbers[0], numbers[1:]
    missed, last = [], 0
    with tempfile.TemporaryDirectory(prefix="nnc-seeded-") as name:
        folder = pathlib.Path(name)
        copy_sources(folder)
        for bug in bugs():
            if wanted and bug.number not in wanted:
                continue
            said = try_bug(bug, folder, most)
            at = re.match(r"model (\d+):", said)
            last = max(last, int(at[1]) if at else 0)
            missed += [] if at else [bug.number]
            print(f"{'ok' if at else 'FAIL'} bug {bug.number} in {bug.file}: {said or 'not found'}", flush=True)
    print(f"{len(missed)} missed; the last model needed was {last}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
