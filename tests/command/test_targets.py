#!/usr/bin/env python3
"""Targets: what is built in and what a user's file says; a bad file is told with line and column."""

import os
import pathlib
import subprocess
import tempfile

NNC = os.environ["NNC"]
MODEL = "model m {\n  input x[2]\n  output y = 2*x\n}\n"
GOOD = "title: mine\nvector_bytes: 16\nfused: no\ntile: {rows: 2, vectors: 1, least: 1}\nflags: -O2 -mtune=generic\nregisters: 16\nmasks: no\n"

BAD = {
    "unknown key": (GOOD.replace("fused", "fuse"), "3:1: no key of a target is called 'fuse'"),
    "unknown key of the tile": (GOOD.replace("rows: 2", "row: 2"), "4:8: no key of tile is called 'row'"),
    "given twice": (GOOD + "title: mine\n", "8:1: given before: 'title'"),
    "missing key": (GOOD.replace("title: mine\n", ""), "1:1: a target must have the key 'title'"),
    "missing key of the tile": (GOOD.replace("rows: 2, ", ""), "4:7: tile must have the key 'rows'"),
    "no number": (GOOD.replace("rows: 2", "rows: two"), "4:14: rows is a number from 1 to 64, not 'two'"),
    "number too large": (GOOD.replace("rows: 2", "rows: 65"), "4:14: rows is a number from 1 to 64, not '65'"),
    "beyond 64 bits": (GOOD.replace("least: 1", "least: 99999999999999999999"), "least is a number from 1 to"),
    "list for a number": (GOOD.replace("rows: 2", "rows: [2]"), "4:14: rows is a number from 1 to 64, not ''"),
    "no size of vectors": (GOOD.replace("16", "24"), "2:15: vector_bytes is 0, 16, 32 or 64, not '24'"),
    "neither yes nor no": (GOOD.replace("fused: no", "fused: maybe"), "3:8: fused is yes or no, not 'maybe'"),
    "tile without vectors": (GOOD.replace("16", "0"), "2:15: with vectors, and only then, there is a 'tile'"),
    "tile that is none": (GOOD.replace("{rows: 2, vectors: 1, least: 1}", "4"), "4:7: tile must be keys with their values"),
    "title that is a list": (GOOD.replace("title: mine", "title: [mine]"), "1:8: a text must follow 'title'"),
    "no mapping": ("- 1\n", "1:1: a target must be keys with their values"),
    "nothing": ("", "1:1: nothing is in"),
    "vectors without a tile": (GOOD.replace("tile: {rows: 2, vectors: 1, least: 1}\n", ""), "2:15: with vectors, and only then, there is a 'tile'"),
    "a second document": (GOOD + "---\ntitle: other\n", "8:1: a target is one document, and here a second begins"),
    "no YAML behind it": (GOOD + "---\n}\n", "9:1: did not find expected node content"),
    "no YAML": ("title: {\n", "2:1: did not find expected node content\n"),
    "no UTF-8": (GOOD.replace("title: mine", "title: \u00e4\udcff"), "1:9: invalid leading UTF-8 octet\n"),
    "a key that is a list": ("? [a]\n: 1\n", "1:3: no key of a target is called ''"),
}


def nnc(*arguments):
    return subprocess.run([NNC, *arguments], capture_output=True, text=True)


def report(name, passed, detail=""):
    print(f"ok {name}" if passed else f"FAIL {name}: {detail!r}")


def check_bad(name, text, message):
    path = pathlib.Path("bad.yaml")
    path.write_text(text, errors="surrogateescape")
    said = nnc("m.nn", "--target=bad.yaml", "-o", "bad.c")
    told = said.stderr.startswith("nnc: bad.yaml:") and message in said.stderr
    report(f"bad target: {name}", told and said.returncode == 2 and not pathlib.Path("bad.c").exists(), said.stderr)


def check_good():
    pathlib.Path("mine.yaml").write_text(GOOD)
    said = nnc("m.nn", "--target=mine.yaml", "-o", "mine.c")
    header = pathlib.Path("mine.h").read_text() if said.returncode == 0 else said.stderr
    report("a target of one's own", "Build: cc -O2 -mtune=generic main.c mine.c" in header, header[:200])
    report("native is one of those built in", nnc("m.nn", "--target=native", "-o", "n.c").returncode == 0)
    help_text = nnc("--help").stdout
    names = ("aarch64", "cortex-m4", "generic", "riscv32", "x86-64", "x86-64-v3", "x86-64-v4", "native")
    report("help lists the targets", all(f"\n  {name} " in help_text for name in names), help_text)
    for name in names:
        said = nnc("m.nn", f"--target={name}", "-o", f"{name}.c")
        report(f"target {name}", said.returncode == 0, said.stderr)


def check_flags_are_harmless():
    pathlib.Path("evil.yaml").write_text(GOOD.replace("-O2", '"*/ int evil; /*"').replace(" -mtune=generic", ""))
    nnc("m.nn", "--target=evil.yaml", "-o", "evil.c")
    header = pathlib.Path("evil.h").read_text()
    report("flags cannot end the comment", "*/ int evil" not in header, header[:200])


def main():
    with tempfile.TemporaryDirectory(prefix="nnc-targets-") as folder:
        os.chdir(folder)
        pathlib.Path("m.nn").write_text(MODEL)
        for name, (text, message) in BAD.items():
            check_bad(name, text, message)
        for name, message in {"nowhere": "no target is called 'nowhere'", "no/where.yaml": "no/where.yaml: "}.items():
            said = nnc("m.nn", f"--target={name}", "-o", "bad.c")
            report(f"no such target: {name}", said.returncode == 2 and f"nnc: {message}" in said.stderr, said.stderr)
        check_good()
        check_flags_are_harmless()


main()
