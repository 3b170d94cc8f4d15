#!/usr/bin/env python3
"""Mutants of programs through the whole compiler (tests/tools/mutate_programs.c says what must hold), and a
sample of the C that some of them become through a C compiler."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ["NNC_BUILD"])
GOOD = ["tests/programs", "tests/programs/odd", "tests/programs/language", "tests/elaborate",
        "tests/passes", "examples/digits"]
BAD = ["tests/errors", "tests/syntax/programs"]
MUTANTS = 5000 * int(os.environ.get("NNC_ROUNDS", "1"))
FLAGS = "-std=c11 -fsyntax-only -Wall -Wextra -Wconversion -Wshadow -Werror"


def fresh_folder():
    folder = BUILD / "mutants"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder


def programs_in(places):
    return [str(path) for place in places for path in sorted((ROOT / place).glob("*.nn"))]


def main():
    folder = fresh_folder()
    seeds = programs_in(GOOD) * 3 + programs_in(BAD)
    environment = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=8")
    tool = subprocess.run([BUILD / "tools" / "mutate_programs", str(MUTANTS), folder, *seeds],
                          env=environment)
    generated = sorted(folder.glob("m*.c"))
    flags = subprocess.run(["pkg-config", "--cflags", "nnc"], capture_output=True, text=True).stdout
    checked = subprocess.run(["cc", *FLAGS.split(), *flags.split(), *generated], cwd=folder,
                             capture_output=True, text=True)
    good = checked.returncode == 0 and len(generated) >= 20
    print(f"ok mutants-become-c: {len(generated)} files" if good
          else f"FAIL mutants-become-c: {len(generated)} files\n{checked.stderr[:3000]}")
    return tool.returncode or not good


sys.exit(main())
