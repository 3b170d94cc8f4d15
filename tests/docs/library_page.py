"""docs/library.md, made from library/*.nn and from what the tests compare its definitions with."""

import re
import sys

from library_source import ROOT, files

sys.path.insert(0, str(ROOT / "tests/reference"))

import definitions  # noqa: E402
from test_initialisers import DISTRIBUTIONS  # noqa: E402
from test_mathematics import CASES  # noqa: E402

PAGE = ROOT / "docs/library.md"
OUTSIDE = {"keras": "Keras", "onnx": "ONNX", "burn": "burn", "onnxruntime": "ONNX Runtime",
           "pytorch": "PyTorch"}  # by the first word of a case
NAMES_SHOWN = 12  # of cases
HEAD = """# The library

<!-- made by `make check-update` from library/*.nn and tests/reference/definitions.txt -->

Every definition of `library/*.nn` with its formula, as the program has it, its source, the shapes that it
takes and gives, and what it was checked against. Besides, the derivative of each is checked against dual
numbers and central differences (`tests/gradient`).

*Outside numbers* are results that others computed: the operator tests of ONNX, the unit tests of Keras (losses,
layers, schedules), of burn (optimizers) and, for the gated recurrent unit, of ONNX Runtime and Arraymancer (by
PyTorch). A case is named as in `tests/reference`, where `test_reference.py
--show NAME` prints its program. *The formula once more* is the paper's or another library's formula written in
Python for `tests/reference/test_mathematics.py`, element by element, or the distribution function for
`test_initialisers.py`. *Programs* are those of `tests/notes` and
`tests/papers` which apply the definition. Deep Learning is the book of Goodfellow, Bengio and Courville (2016).
"""


class Evidence:
    """What each definition was checked against: names of cases and of programs."""

    def __init__(self, all_definitions):
        self.names = {one.name for one in all_definitions}
        self.inner = {one.name: set(definitions.applied(one.text, self.names)) for one in all_definitions}
        self.outside = self.of(definitions.recorded())
        cases = [*CASES.values(), *(one.case() for one in DISTRIBUTIONS)]
        self.formulas = self.of(self.applied_by({case.name: case.program() for case in cases}))
        programs = sorted([*ROOT.glob("tests/notes/*.nn"), *ROOT.glob("tests/papers/*.nn")])
        self.programs = self.of(self.applied_by(
            {f"{path.parent.name}/{path.stem}": path.read_text() for path in programs}))

    def applied_by(self, texts):
        return {name: definitions.applied(text, self.names) for name, text in texts.items()}

    def of(self, uses):
        """{definition: what applies it} from {what: definitions}."""
        found = {name: [] for name in self.names}
        for what, applied in uses.items():
            for name in applied:
                if name in found:
                    found[name].append(what)
        return found

    def carriers(self, name, kind):
        """Definitions that apply this one, through others or not, and have evidence of that kind themselves."""
        callers = {name}
        while True:
            more = {other for other, inner in self.inner.items() if inner & callers} - callers
            if not more:
                return sorted(other for other in callers - {name} if kind[other])
            callers |= more

    def is_outside(self, name):
        return bool(self.outside[name] or self.carriers(name, self.outside))


# ---- words -----------------------------------------------------------------------------------------


def shortened(names, shown=NAMES_SHOWN):
    more = f" and {len(names) - shown} more" if len(names) > shown + 1 else ""
    return ", ".join(f"`{name}`" for name in (names[:shown] if more else names)) + more


def told(names):
    return f"{len(names)} case{'s' if len(names) > 1 else ''}, {shortened(names)}"


def evidence_of(name, evidence):
    """Lines of what it was checked against."""
    by_origin = {}
    for case in evidence.outside[name]:
        word = case.split("_")[0]
        by_origin.setdefault(OUTSIDE.get(word, word), []).append(case)
    lines = [f"outside numbers of {origin}: {told(cases)}" for origin, cases in by_origin.items()]
    for title, kind in (("outside numbers", evidence.outside), ("the formula once more", evidence.formulas)):
        carriers = [] if kind[name] else evidence.carriers(name, kind)
        if kind[name] and kind is evidence.formulas:
            lines.append(f"{title}: {told(kind[name])}")
        elif carriers:
            lines.append(f"{title} by way of {shortened(carriers)}")
    if evidence.programs[name]:
        lines.append(f"programs: {shortened(evidence.programs[name])}")
    if not evidence.is_outside(name):
        parts = sorted(part for part in evidence.inner[name] - {name} if evidence.is_outside(part))
        lines.insert(0, "no outside number" + (f" but those of {shortened(parts)}, which it applies" if parts else ""))
    return lines


def dims(formal):
    return f"{formal.name}[{', '.join(formal.dims)}]" if formal.dims else formal.name


def shapes_of(one):
    """What its header and its parameters say of shapes."""
    if one.kind == "optimizer":
        kept = re.findall(r"^\s*state (\w+)", one.text, re.M)
        return "each element of each parameter" + (f"; keeps {', '.join(kept)} for each" if kept else "")
    if one.is_pointwise:
        return "numbers, or tensors of one shape, element by element"
    of = ", ".join(map(dims, one.tensors)) or "no tensor"
    own = [f"{kind} {name}" for kind, name in
           re.findall(r"^\s*(param|state) (\w+(?:\[[^\]]*\])?)", one.text, re.M)]
    return f"`{of} -> {one.results}`" + (f"; {', '.join(f'`{name}`' for name in own)}" if own else "")


# ---- the page --------------------------------------------------------------------------------------


def families(file):
    """Definitions that share a comment, together."""
    groups = []
    for one in file.definitions:
        if groups and groups[-1][0].comment is one.comment:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def facts(one, evidence):
    return [f"shapes: {shapes_of(one)}", *evidence_of(one.name, evidence)]


def section(group, evidence):
    """One comment with its definitions."""
    first = group[0]
    lines = ["### " + ", ".join(f"`{one.name}`" for one in group), "", "```nn"]
    lines += [f"# {line}".rstrip() for line in first.about]
    lines += [one.text for one in group]
    lines += ["```", "", f"* source: {first.origin}"]
    for one in group:
        indent = "  " if len(group) > 1 else ""
        lines += [f"* `{one.name}`"] if indent else []
        lines += [f"{indent}* {line}" for line in facts(one, evidence)]
    return lines + [""]


def introduction(lines):
    """The first comment of a file: paragraphs, and indented tables as they stand."""
    text, in_table = [], False
    for line in lines:
        is_row = line.startswith("  ")
        if is_row != in_table:
            text += ["", "```text"] if is_row else ["```", ""]
            in_table = is_row
        text.append(line if is_row else escaped(line))
    return text + (["```"] if in_table else [])


def escaped(line):
    """As Markdown that shows these characters."""
    return re.sub(r"([*_<|\[])", r"\\\1", line)


def summary(all_definitions, evidence):
    none = [one.name for one in all_definitions if not evidence.is_outside(one.name)]
    again = [name for name in none if evidence.formulas[name] or evidence.carriers(name, evidence.formulas)]
    bare = [name for name in none if name not in again]
    return ["", f"{len(all_definitions)} definitions, {len(all_definitions) - len(none)} with outside numbers. Without:",
            "", f"* but with the formula once more, {len(again)}: {shortened(again, len(again))}",
            f"* with neither: {shortened(bare, len(bare)) or 'none'}", ""]


def page():
    library = files()
    everything = [one for file in library for one in file.definitions]
    evidence = Evidence(everything)
    lines = [HEAD.rstrip(), *summary(everything, evidence)]
    for file in library:
        lines += [f"## {file.name}", "", *introduction(file.introduction), ""]
        part = ""
        for group in families(file):
            if group[0].part != part:
                part = group[0].part
                lines += [f"**{part[0].upper()}{part[1:]}**", ""]
            lines += section(group, evidence)
    return "\n".join(lines)
