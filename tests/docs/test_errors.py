#!/usr/bin/env python3
"""Every row of errors.def has its section in docs/errors.md, with the message shown, and a test that causes it."""

import pathlib
import re
import subprocess
import os

ROW = re.compile(r'^ERROR\((NN\d{4}), \w+, "(.*)"\)$', re.M)
SECTION = re.compile(r"^## (NN\d{4}): (.*)$", re.M)


def main():
    rows = ROW.findall(pathlib.Path("compiler/support/errors.def").read_text())
    page = pathlib.Path("docs/errors.md").read_text()
    sections = SECTION.findall(page)
    texts = SECTION.split(page)[3::3]
    print("ok sections and rows" if sections == rows
          else f"FAIL sections and rows: they differ in {sorted(set(sections) ^ set(rows)) or 'order'}")
    expected = "\n".join(path.read_text() for path in pathlib.Path("tests").rglob("*.expected"))
    scripts = pathlib.Path("tests/command/test_command.py").read_text()
    for (code, _), text in zip(sections, texts):
        shown = set(re.findall(r"(?:error|warning): .*\[(NN\d{4})\]$", text, re.M))
        if shown != {code}:
            print(f"FAIL {code}: the section shows messages of {sorted(shown)}")
        elif f"[{code}]" not in expected and f"[{code}]" not in scripts:
            print(f"FAIL {code}: no golden test and no test of the command causes it")
        elif not explained(code, text):
            print(f"FAIL {code}: --explain does not print the section")
        else:
            print(f"ok {code}")


def explained(code, section):
    """Whether nnc has this page built in: all words of the section but comments and fences, in order."""
    done = subprocess.run([os.environ["NNC"], "--explain", code], capture_output=True, text=True, check=False)
    words = re.sub(r"^(<!--.*-->|```.*)$", "", section, flags=re.M).split()
    return done.returncode == 0 and done.stdout.split("\n", 1)[1].split() == words


main()
