#!/usr/bin/env python3
"""Writes tests/reference/definitions.txt, where ../shared is there, and docs/library.md."""

import library_page
from library_page import definitions
from records import is_complete
from test_reference import Records


def put(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        print(f"ok {path.name}: updated")
    else:
        print(f"ok {path.name}")


if is_complete():
    put(definitions.RECORD, definitions.record(Records().cases))
else:
    print("skip definitions.txt: ../shared/reference is not there")
put(library_page.PAGE, library_page.page())
