#!/usr/bin/env python3
"""Writes cases/: from all records of ../shared/reference a few of each kind, so that a clone without it checks
each operator, loss and schedule."""

import json

import onnx_cases
import records

LARGEST = 15000  # bytes of one record of ONNX
ENOUGH = 8000  # bytes of a family, unless each operator needs more
PER_KIND = 3  # records of a golden file
ONNX = "onnx/onnx v1.22.0, onnx/backend/test/data, Apache-2.0"


def text_of(record):
    return json.dumps(record, separators=(",", ":"))


def has_numbers(record):
    return any(tensor["data"] for tensor in record["outputs"])


def chosen_of_family(family):
    """The smallest of each operator, then the smallest until there are enough."""
    small = sorted((record for record in records.of_family(family)
                    if len(text_of(record)) <= LARGEST and has_numbers(record)),
                   key=lambda record: (len(text_of(record)), record["test"]))
    first = {record["op"]: record for record in reversed(small)}.values()
    chosen, size = list(first), sum(len(text_of(record)) for record in first)
    for record in small:
        size += len(text_of(record))
        if record not in chosen and size <= ENOUGH:
            chosen.append(record)
    return sorted(chosen, key=lambda record: record["test"])


def kind_of(record):
    layer = record.get("layer")
    return record.get("loss") or record.get("schedule") or (layer and layer["layer"]) or record["id"]


def chosen_of_golden(everything):
    """The smallest of each kind."""
    kinds = {}
    for record in sorted(everything, key=lambda record: len(text_of(record))):
        kinds.setdefault(kind_of(record), []).append(record)
    chosen = [record["id"] for some in kinds.values() for record in some[:PER_KIND]]
    return [record for record in everything if record["id"] in chosen]


def write(name, origin, chosen):
    lines = ",\n".join(text_of(record) for record in chosen)
    path = records.OWN / f"{name}.json"
    path.write_text(f'{{"origin":{json.dumps(origin)},"cases":[\n{lines}\n]}}\n')
    print(f"{name}: {len(chosen)} records, {path.stat().st_size} bytes")


def main():
    records.OWN.mkdir(exist_ok=True)
    for family in onnx_cases.FAMILIES:
        write(f"onnx_{family}", ONNX, chosen_of_family(family))
    for path in sorted((records.SHARED / "golden").glob("*.json")):
        data = json.loads(path.read_text())
        if "cases" in data:
            write(path.stem, data["origin"], chosen_of_golden(data["cases"]))


main()
