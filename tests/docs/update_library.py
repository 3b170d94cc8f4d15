#!/usr/bin/env python3
"""Writes tests/reference/definitions.txt, where ../shared is there, and docs/library.md."""

import library_page
from library_page import definitions
from test_reference import REFERENCE, translated


def put(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        print(f"ok {path.name}: updated")
    else:
        print(f"ok {path.name}")


if REFERENCE.is_dir():
    put(definitions.RECORD, definitions.record(translated()[0]))
else:
    print("skip definitions.txt: ../shared/reference is not there")
put(library_page.PAGE, library_page.page())
