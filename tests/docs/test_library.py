#!/usr/bin/env python3
"""Every definition of the library says in its comment what it is, what it takes, and where it is from; and
docs/library.md is what these comments and the tests amount to."""

import difflib
import re

import library_page
from library_source import files


def problems_of(file, one):
    """What its comment lacks."""
    if not one.about:
        return ["has no comment"]
    told = set(re.findall(r"\w+", " ".join(one.about + file.introduction)))
    unnamed = [] if one.is_pointwise else [formal.name for formal in one.hypers if not is_named(formal.name, told)]
    return [f"its comment does not name {name}" for name in unnamed] + \
        ([] if one.origin else ["its comment has no `Source:`"])


def is_named(name, told):
    """pad_end_w also by pad."""
    words = name.split("_")
    return any("_".join(words[:count]) in told for count in range(1, len(words) + 1))


def check_page():
    """The lines in which docs/library.md differs from the page as it would be made now."""
    kept, made = library_page.PAGE.read_text().split("\n"), library_page.page().split("\n")
    different = list(difflib.unified_diff(kept, made, "docs/library.md", "made now", lineterm="", n=0))
    return "FAIL page: `make check-update ONLY=docs/` writes it\n" + "\n".join(different) if different else "ok page"


def main():
    print(check_page())
    for file in files():
        problems = [f"{one.name}: {text}" for one in file.definitions for text in problems_of(file, one)]
        name = f"comments of library/{file.name}.nn"
        print(f"FAIL {name}: " + "\n".join(problems) if problems else f"ok {name}")


main()
