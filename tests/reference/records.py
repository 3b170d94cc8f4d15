"""Where the records are: ../shared/reference has all of them, and cases/ in this folder a few of each kind."""

import json
import pathlib

SHARED = pathlib.Path("../shared/reference")
OWN = pathlib.Path(__file__).resolve().parent / "cases"


def is_complete():
    return SHARED.is_dir()


def golden(name, everything=True):
    """Of a file of golden numbers."""
    folder = SHARED / "golden" if everything and is_complete() else OWN
    return json.loads((folder / f"{name}.json").read_text())["cases"]


def own(name):
    """Of a file that only the repository has."""
    return golden(name, False)


def of_family(family, everything=True):
    """Of a family of ONNX operators."""
    if not (everything and is_complete()):
        return golden(f"onnx_{family}", False)
    return [json.loads(path.read_text()) for path in sorted((SHARED / "onnx" / family).glob("*.json"))]


def is_part(read, name):
    """Whether the chosen records are some of all, by `golden` or `of_family`."""
    everything = read(name)
    return all(record in everything for record in read(name, False))
