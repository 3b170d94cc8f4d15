"""library/*.nn as a reader sees it: files with an introduction, parts, and definitions with their comments.

docs/language.md, "Comments of the library", says what is recognised."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/fuzz/models"))

from library import Formal, closing, split  # noqa: E402

HEAD = re.compile(r"(def|optimizer) (\w+)\(")
PART = "# ---- "


class Definition:
    """`text` is its source; `about` and `origin` are the lines of its comment before and from `Source:`."""

    def __init__(self, text, comment, part):
        self.text, self.comment, self.part = text, comment, part
        self.kind, self.name = HEAD.match(text).groups()
        begin = text.index("(")
        end = closing(text, begin)
        formals, rest = text[begin + 1:end - 1], text[end:]
        self.is_pointwise = rest.lstrip().startswith("=")
        tensors, sign, hypers = formals.partition(";")
        if self.kind == "optimizer":
            tensors, hypers = "", tensors
        self.tensors = [Formal(word) for word in split(tensors)]
        self.hypers = [Formal(word) for word in split(hypers)]
        results = re.match(r"\s*->\s*(\([^)]*\)|\w+(?:\[[^\]]*\])?)", rest)
        self.results = results[1] if results else ""
        marks = [k for k, line in enumerate(comment) if line.startswith("Source:")]
        at = marks[0] if marks else len(comment)
        self.about, self.origin = comment[:at], " ".join(comment[at:]).removeprefix("Source: ")


class File:
    def __init__(self, path):
        self.name = path.stem
        self.introduction, self.definitions = [], []
        self.comment, self.part, self.text = [], "", []
        self.is_shared = False  # the comment, by the definitions above
        for line in [*path.read_text().split("\n"), ""]:
            self.take(line)

    def take(self, line):
        """One line more: of a comment, of a definition, or between."""
        if self.text and (line == "" or line.startswith("#") or HEAD.match(line)):
            self.definitions.append(Definition("\n".join(self.text), self.comment, self.part))
            self.text, self.is_shared = [], True
        if line.startswith(PART):
            self.part = line.removeprefix(PART)
        elif line.startswith("#"):
            self.begin_comment()
            self.comment.append(line[1:].removeprefix(" "))
        elif line == "" and not self.introduction:
            self.introduction, self.comment = self.comment, []
        elif line:
            self.text.append(line)

    def begin_comment(self):
        """A comment after a definition is another one."""
        if self.is_shared:
            self.comment, self.is_shared = [], False


def files():
    return [File(path) for path in sorted((ROOT / "library").glob("*.nn"))]
