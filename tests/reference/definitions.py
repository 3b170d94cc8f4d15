"""Which definitions of the library the reference cases apply: definitions.txt, one line for each case.

It is kept in the repository for docs/library.md, which must not depend on ../shared being there."""

import pathlib
import re

REFERENCE = pathlib.Path(__file__).resolve().parent
RECORD = REFERENCE / "definitions.txt"
LIBRARY = REFERENCE.parent.parent / "library"
DEFINITION = re.compile(r"^(?:def|optimizer) (\w+)\(", re.M)
APPLIED = re.compile(r"(\w+)\(|\|>\s*(\w+)")


def library_names():
    return {name for path in LIBRARY.glob("*.nn") for name in DEFINITION.findall(path.read_text())}


def applied(program, names):
    """The definitions of `names` that a text applies and does not define itself, sorted."""
    text = re.sub(r"#[^\n]*", "", program)
    found = {first or second for first, second in APPLIED.findall(DEFINITION.sub("", text))}
    return sorted(found & names - set(DEFINITION.findall(text)))


def record(cases):
    """The text of definitions.txt; cases that apply nothing of the library are left out."""
    names = library_names()
    lines = [" ".join([name, *applied(case.program(), names)]) for name, case in cases.items()]
    return "".join(f"{line}\n" for line in lines if " " in line)


def recorded():
    """{case: definitions}"""
    return {words[0]: words[1:] for words in map(str.split, RECORD.read_text().splitlines())}
