#!/usr/bin/env python3
"""The table of docs/targets.md has the keys that compiler/command/targets.c reads, with their values, and says
which of them a file must have."""

import os
import pathlib
import re
import subprocess
import tempfile

SOURCE = pathlib.Path("compiler/command/targets.c").read_text()
PAGE = pathlib.Path("docs/targets.md").read_text()
TABLE = re.compile(r"static const Key (\w+)_keys\[\] = \{(.*?)\{0\}\};", re.S)
KEY = re.compile(r'\{"(\w+)", KEY_(\w+), (?:offsetof\(.*?\)|0), (.*?), (.*?), (\w+)\}')
ROW = re.compile(r"^\| `([\w.]+)` \| (.*?) \| (.*?) \|", re.M)
VALUES = {"TEXT": "text", "TRUTH": "yes or no", "MAPPING": "keys"}
FEW = re.search(r'"vector_bytes is (.*?), not"', SOURCE)[1]


def value_of(name, kind, least, most):
    """What the page says of a row of the source."""
    if kind != "NUMBER":
        return VALUES[kind]
    if name == "vector_bytes":
        return FEW
    return f"{least} or more" if most == "INT64_MAX" else f"{least} to {eval(most)}"


def keys(tables, table, prefix=""):
    """(name, value) of each key, those of a mapping behind it."""
    for name, kind, least, most, inner in KEY.findall(tables[table]):
        yield prefix + name, value_of(name, kind, least, most)
        if kind == "MAPPING":
            yield from keys(tables, inner.removesuffix("_keys"), f"{name}.")


def without(example, name):
    """The file with a key less, and what belongs to it."""
    mapping, _, inner = name.rpartition(".")
    start = rf"(?<=^{mapping}:\n)((?:  .*\n)*?)  {inner}:.*\n" if mapping else rf"^(){name}:.*\n(?:  .*\n)*"
    text, count = re.subn(start, r"\1", example, flags=re.M)
    return text if count == 1 else ""


def is_accepted(folder, text):
    (folder / "t.yaml").write_text(text)
    command = [os.environ["NNC"], folder / "m.nn", f"--target={folder / 't.yaml'}", "-o", folder / "m.c"]
    return subprocess.run(command, capture_output=True).returncode == 0


def check_needed(folder, name, needed):
    example = re.search(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)[1]
    text = without(example, name)
    if not text:
        return f"FAIL {name}: the example lacks it"
    accepted = is_accepted(folder, text)
    return f"ok {name}" if accepted == needed.startswith("no") else f"FAIL {name}: accepted without it: {accepted}"


def main():
    rows = ROW.findall(PAGE)
    expected, told = list(keys(dict(TABLE.findall(SOURCE)), "target")), [row[:2] for row in rows]
    different = sorted(set(expected) ^ set(told))
    print("ok keys" if len(told) == len(set(told)) and not different else f"FAIL keys: {different or 'twice'}")
    with tempfile.TemporaryDirectory(prefix="nnc-targets-page-") as name:
        folder = pathlib.Path(name)
        (folder / "m.nn").write_text("model m {\n  input x[2]\n  output y = 2*x\n}\n")
        for key, _, needed in rows:
            print(check_needed(folder, key, needed))


main()
