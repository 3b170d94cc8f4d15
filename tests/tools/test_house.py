#!/usr/bin/env python3
"""The rules of the house that a program can check: lengths, layers, leftovers, and that every
diagnostic has its test and its section of docs/errors.md."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BELOW = {  # what the files of each room may include, besides their own
    "support": set(),
    "syntax": {"support"},
    "equations": {"support"},
    "elaborate": {"support", "syntax", "equations"},
    "calculus": {"support", "syntax", "equations"},  # derivatives and rules are texts it parses
    "loops": {"support", "equations", "calculus"},
    "emit": {"support", "equations", "loops"},
    "command": {"support", "syntax", "equations", "elaborate", "calculus", "loops", "emit"},
}
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def sources(*patterns):
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def hand_written():
    return sources("compiler/**/*.[ch]", "compiler/**/*.def", "runtime/**/*.[ch]", "grammars/*",
                   "tests/**/*.[ch]", "examples/**/*.[ch]", "learn/*", "library/*.nn", "tests/**/*.py",
                   "bench/**/*.[ch]", "bench/**/*.py", "bench/run", "bench/growth", "bench/models/*.nn")


def check_lengths():
    files = sources("compiler/**/*.[ch]", "runtime/**/*.[ch]", "tests/**/*.[ch]", "examples/**/*.[ch]", "learn/*.[ch]",
                    "bench/**/*.[ch]")
    ran = subprocess.run([ROOT / "tests/tools/lengths", *files], capture_output=True, text=True)
    return ran.stdout.splitlines()


def check_layers():
    problems = []
    for path in sources("compiler/*/*.[ch]"):
        room = path.parent.name
        for included in re.findall(r'^#include "(\w+)/', path.read_text(), re.M):
            if included != room and included not in BELOW[room]:
                problems.append(f"{path.relative_to(ROOT)} includes {included}/")
    return problems


def check_leftovers():
    return [f"{path.relative_to(ROOT)}: {found[0]}" for path in hand_written()
            if path.name != pathlib.Path(__file__).name
            for found in [LEFTOVERS.search(path.read_text(errors="replace"))] if found]


def check_line_ends():
    return [f"{path.relative_to(ROOT)}:{number}" for path in hand_written()
            for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1)
            if line != line.rstrip() or "\t" in line]


def error_codes():
    return re.findall(r"^ERROR\((NN\d{4})", (ROOT / "compiler/support/errors.def").read_text(), re.M)


def check_test_of_each_error():
    told = "".join(path.read_text(errors="replace") for path in
                   sources("tests/**/*.expected", "tests/**/test_*.sh", "tests/**/test_*.py"))
    return [f"no golden program and no script expects {code}" for code in error_codes() if code not in told]


def check_section_of_each_error():
    page = "".join(path.read_text() for path in sources("docs/errors.md"))
    return [f"{code} has no section in docs/errors.md" for code in error_codes()
            if not re.search(rf"^#+ .*{code}", page, re.M)]


def main():
    failures = 0
    for check in (check_lengths, check_layers, check_leftovers, check_line_ends,
                  check_test_of_each_error, check_section_of_each_error):
        name = check.__name__.removeprefix("check_").replace("_", "-")
        problems = check()
        failures += bool(problems)
        print(f"FAIL {name}: " + "\n".join(problems) if problems else f"ok {name}")
    return failures != 0


sys.exit(main())
