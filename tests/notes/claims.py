"""What the tests of the notes share. A claim is a function of a Program that gives what is wrong. It must find
nothing wrong with the program as it stands in this folder, and something with each program that is broken on
purpose; all of them are compiled together."""

import copy
import json
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NOTES = ROOT / "tests" / "notes"
sys.path.insert(0, str(ROOT / "tests" / "emit"))
import generated  # noqa: E402
from generated import distance  # noqa: E402, F401

CLAIMS = []


class Claim:
    def __init__(self, check, source, breaks):
        self.check, self.source, self.breaks = check, source, breaks
        self.name = check.__name__.replace("_", "-")


def claim(source, **breaks):
    """Declares a claim about a program; each break is named by what is wrong and changes the text."""
    def declare(check):
        CLAIMS.append(Claim(check, source, {name.replace("_", " "): edit for name, edit in breaks.items()}))
        return check
    return declare


def replaced(*pairs):
    """The program with other words in it."""
    def edit(text):
        for old, new in pairs:
            if old not in text:
                raise generated.Failure(f"there is no '{old}' to break")
            text = text.replace(old, new)
        return text
    return edit


def library_text(file, name):
    """A definition of the library, to be changed."""
    text = (ROOT / "library" / f"{file}.nn").read_text()
    return re.search(rf"^(def|optimizer) {name}\(.*?(?=^(?:#|def|optimizer)|\Z)", text, re.M | re.S)[0]


def with_other(file, names, *pairs):
    """The program with other definitions in place of those of the library; of the library they would still
    read each other."""
    def edit(text):
        return replaced(*pairs)("".join(library_text(file, name) for name in names.split())) + text
    return edit


def only(models, edit):
    """The same without the models that are not named, which need no compilation."""
    def shorter(text):
        named = models.split()
        return re.sub(r"^model (\w+) {\n.*?^}\n", lambda m: m[0] if m[1] in named else "", edit(text),
                      flags=re.M | re.S)
    return shorter


class Instead:
    """Other models of the same program in place of some."""

    def __init__(self, names):
        self.names = names


def instead(**names):
    return Instead(names)


class Program:
    """A program of one or several models, and how its models are asked."""

    def __init__(self, source, edit, number):
        self.text = edit((NOTES / source).read_text()) if edit else (NOTES / source).read_text()
        self.source, self.number, self.driver, self.broken = source, number, None, edit is not None
        self.models = generated.names_of(self.text)
        self.instead, self.answers = {}, {}

    def broken_by(self, instead):
        other = copy.copy(self)
        other.broken, other.instead = True, instead.names
        return other

    def symbol(self, model):
        return f"{self.instead.get(model, model)}_{self.number}"

    def compile(self, folder):
        path = folder / f"{pathlib.Path(self.source).stem}_{self.number}.nn"
        path.write_text(re.sub(r"^model (\w+)", lambda m: f"model {self.symbol(m[1])}", self.text, flags=re.M))
        return generated.compile_source(path, ["--real=double"])

    def request(self, model, **more):
        """The same is asked once."""
        request = dict(model=self.symbol(model), **more)
        key = json.dumps(request)
        if key not in self.answers:
            self.answers[key] = generated.drive(self.driver, [request])[0]
        return self.answers[key]

    def values(self, model, names, **more):
        """{name: flat list} of kept tensors, outputs and losses after the steps that are asked for."""
        found = self.request(model, ask=list(names), **more)["values"]
        return {name: generated.numbers(values) for name, values in found.items()}

    def course(self, model, names, steps, **more):
        """The values before the first step and after each."""
        requests = [dict(model=self.symbol(model), ask=list(names), steps=k, **more) for k in range(steps + 1)]
        return [{name: generated.numbers(values) for name, values in result["values"].items()}
                for result in generated.drive(self.driver, requests)]

    def train(self, model, names=(), **more):
        """The losses of all steps, and values after them."""
        result = self.request(model, ask=list(names), **more)
        found = {name: generated.numbers(values) for name, values in result["values"].items()}
        return generated.numbers(result["losses"]), found

    def measured(self, text):
        """A line of output, of the program as it stands."""
        if not self.broken:
            print(f"  {text}", flush=True)

    def kept(self, model):
        return generated.kept_names(self.request(model, describe=True))


def rows(values, width):
    return [values[i:i + width] for i in range(0, len(values), width)]


def flat(values):
    return [e for value in values for e in flat(value)] if isinstance(values, list) else [values]


def off(name, found, expected, limit=1e-12):
    """The problem that nested lists of numbers differ, if they do."""
    gap = distance(flat(found), flat(expected))
    return [] if gap <= limit else [f"{name} is off by {gap:.2g}"]


def check_broken(claim, program):
    """What is wrong with the test: it must see something, and not a command that fails."""
    try:
        noticed = claim.check(program)
    except generated.Failure as failure:
        return [str(failure)]
    for problem in noticed[:1]:
        print(f"  {problem}", flush=True)
    return [] if noticed else ["it does not"]


def try_claim(claim, programs):
    whole = programs[claim.source, None]
    try:
        problems = claim.check(whole)
    except generated.Failure as failure:
        problems = [str(failure)]
    failures = generated.report(claim.name, problems)
    for label, edit in claim.breaks.items():
        broken = whole.broken_by(edit) if isinstance(edit, Instead) else programs[claim.source, edit]
        failures += generated.report(f"{claim.name} fails with {label}", check_broken(claim, broken))
    return failures


def build(programs, folder, cc):
    c_files = [program.compile(folder) for program in programs.values()]
    models = [program.symbol(model) for program in programs.values() for model in program.models]
    driver = generated.build_driver(folder, c_files, models, cc)
    for program in programs.values():
        program.driver = driver


def main(cc=generated.CC):
    """Tries all claims, or those whose names contain the text of the command line."""
    text = "".join(sys.argv[1:])
    chosen = [claim for claim in CLAIMS if text in claim.name]
    if not chosen:
        return generated.report(text, ["no claim has this name"])
    wanted = [(claim.source, edit) for claim in chosen for edit in (None, *claim.breaks.values())
              if not isinstance(edit, Instead)]
    with tempfile.TemporaryDirectory(prefix="nnc-notes-") as folder:
        try:
            programs = {key: Program(*key, number) for number, key in enumerate(dict.fromkeys(wanted))}
            build(programs, pathlib.Path(folder), cc)
        except generated.Failure as failure:
            return generated.report("programs of the notes compile", [str(failure)])
        return sum(try_claim(claim, programs) for claim in chosen) != 0
