"""From a failing program to a small one that fails the same oracle: statements go, expressions become one
of their parts or a number, numbers become smaller, as long as the failure stays."""

import copy
import pathlib
import re
import tempfile
import time

from checking import check_one
from oracles import Case
from program import Node

SECONDS = 40


def kind_of(problem):
    """The oracle, and the code of a message of the compiler."""
    return problem.split(":")[0] + "".join(re.findall(r"\[NN\d+\]", problem)[:1])


class Shrinker:
    def __init__(self, program, kind, folder):
        self.best, self.kind, self.folder = program, kind, folder
        self.end = time.monotonic() + SECONDS

    def fails(self, program):
        case = Case(program, self.folder)
        check_one(case, self.folder, self.kind.split("[")[0])
        return any(kind_of(problem) == self.kind for problem in case.problems)

    def accept(self, program):
        if time.monotonic() > self.end or not self.fails(program):
            return False
        self.best = program
        return True

    # ---- statements

    def drop_statements(self):
        changed = False
        for of in ("losses", "statements", "items"):
            at = len(getattr(self.best, of)) - 1
            while at >= 0:
                smaller = copy.deepcopy(self.best)
                del getattr(smaller, of)[at]
                changed |= self.accept(smaller)
                at = min(at, len(getattr(self.best, of))) - 1
        return changed

    def drop_steps(self):
        """Equations inside a scan."""
        changed, at = False, 0
        while at < len(self.steps(self.best)):
            smaller = copy.deepcopy(self.best)
            holder, k = self.steps(smaller)[at]
            holder.parts[k - 1:k + 1] = []
            if self.accept(smaller):
                changed = True
            else:
                at += 1
        return changed

    def steps(self, program):
        return [(holder, k) for holder, k in self.places(program) if holder.parts[k].type == "statement"]

    def drop_arguments(self):
        """Named arguments of library definitions."""
        changed, at = False, 0
        while at < len(arguments_of(self.best)):
            node, k, found = arguments_of(self.best)[at]
            smaller = copy.deepcopy(self.best)
            node = smaller.statements[node]
            node.parts[k] = node.parts[k].replace(found, "", 1).replace("(, ", "(")
            if self.accept(smaller):
                changed = True
            else:
                at += 1
        return changed

    # ---- expressions

    @staticmethod
    def places(program):
        """(holder, position) of every expression, outer ones first."""
        found, waiting = [], [*program.statements, *program.losses]
        while waiting:
            node = waiting.pop(0)
            for k, part in enumerate(node.parts):
                if isinstance(part, Node):
                    found.append((node, k))
                    waiting.append(part)
        return found

    def replacements(self, node):
        inside = [part for part in node.parts if isinstance(part, Node) and part.type == node.type]
        simple = {"real": "0.5", "bool": "true", "int": "0"}.get(node.type)
        return [*([Node([simple], node.type)] if simple and node.parts != [simple] else []), *inside]

    def simplify_expressions(self):
        changed, at = False, 0
        while at < len(self.places(self.best)) and time.monotonic() < self.end:
            holder, k = self.places(self.best)[at]
            for choice in range(len(self.replacements(holder.parts[k]))):
                smaller = copy.deepcopy(self.best)
                holder, k = self.places(smaller)[at]
                holder.parts[k] = self.replacements(holder.parts[k])[choice]
                if self.accept(smaller):
                    changed = True
                    break
            else:
                at += 1
        return changed

    # ---- numbers

    def lower_numbers(self):
        changed = False
        numbers = {int(n) for n in re.findall(r"(?<![\w.])\d+(?![\w.])", self.best.text())}
        for number in sorted(numbers, reverse=True):
            for less in sorted({1, 2, 3, number//2, number - 1}):
                if less < number and self.accept(with_number(self.best, number, less)):
                    changed = True
                    break
        return changed

    def run(self):
        while time.monotonic() < self.end:
            changed = self.drop_statements()
            changed |= self.drop_steps()
            changed |= self.drop_arguments()
            changed |= self.simplify_expressions()
            changed |= self.lower_numbers()
            if not changed:
                break
        return self.best.text()


def arguments_of(program):
    """(statement, part, text) of each named argument."""
    return [(at, k, found) for at, node in enumerate(program.statements) for k, part in enumerate(node.parts)
            if isinstance(part, str) for found in re.findall(r"(?:, )?\b\w+ = [\w.-]+(?=[,)])", part)]


def with_number(program, number, less):
    """Everywhere in the program this number stands for another."""
    smaller = copy.deepcopy(program)
    pattern = rf"(?<![\w.]){number}(?![\w.])"
    for node in {id(n): n for n in [*smaller.statements, *smaller.losses]}.values():
        replace_text(node, pattern, str(less))
    return smaller


def replace_text(node, pattern, text):
    node.parts = [re.sub(pattern, text, part) if isinstance(part, str) else part for part in node.parts]
    for part in node.parts:
        if isinstance(part, Node):
            replace_text(part, pattern, text)


def shrink(program, problem):
    with tempfile.TemporaryDirectory(prefix="nnc-shrink-") as name:
        return Shrinker(program, kind_of(problem), pathlib.Path(name)).run()
