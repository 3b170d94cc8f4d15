#!/usr/bin/env python3
"""Every definition of the library says in its comment what it is, what it takes, and where it is from."""

import re

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


def main():
    for file in files():
        problems = [f"{one.name}: {text}" for one in file.definitions for text in problems_of(file, one)]
        name = f"comments of library/{file.name}.nn"
        print(f"FAIL {name}: " + "\n".join(problems) if problems else f"ok {name}")


main()
