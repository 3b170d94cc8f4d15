"""Random programs as trees that print as .nn, and that a shrinker can take apart."""

import copy
import re

from chance import Chance


class Node:
    """An expression: strings and nodes in the order of its text; a number lies between low and high.
    `reach`: names of tensors that its derivative passes to."""

    __slots__ = ("parts", "type", "low", "high", "reach")

    def __init__(self, parts, type="real", low=-1.0, high=1.0, reach=frozenset()):
        self.parts, self.type, self.low, self.high, self.reach = parts, type, low, high, reach

    def text(self):
        return "".join(part if isinstance(part, str) else part.text() for part in self.parts)

    @property
    def size(self):
        return max(abs(self.low), abs(self.high))


def fill(template, nodes):
    """The parts of a template with {} for each node."""
    parts, pieces = [], template.split("{}")
    for piece, node in zip(pieces, [*nodes, ""]):
        parts += [piece, node]
    return [part for part in parts if part != ""]


class Program:
    """Statements (each a Node, `loss` ones apart), items before the model, and what tests ask about it."""

    def __init__(self, seed):
        self.seed, self.name = seed, f"random{seed}"
        self.items, self.statements, self.losses = [], [], []
        self.optimizer = "sgd(0.05)"
        self.draws = self.kinks = self.differentiates = self.from_library = False
        self.splits = False  # gradients of a batch are the mean of those of its parts
        self.averages = False  # of parameters stand for them in evaluation
        self.is_wide = False
        self.adds_parameters = False  # or their gradients, in the order of statements
        self.frozen, self.covered = [], set()

    def cover(self, *words):
        self.covered.add(" ".join(words))

    def text(self, scale=1, name=None):
        lines = [*self.items, f"model {name or self.name} {{"]
        lines += ["  " + line for node in self.statements for line in node.text().split("\n")]
        lines += [f"  loss {scale}*({node.text()})" if scale != 1 else f"  loss {node.text()}"
                  for node in self.losses]
        frozen = "; freeze " + ", ".join(f'"{path}"' for path in self.frozen) if self.frozen else ""
        return "\n".join([*lines, f"  train {{ optimizer {self.optimizer}{frozen} }}", "}", ""])

    def reach(self, parameters):
        """Adds a loss for each of these, which no other one reaches; those of layers stay as they are."""
        for name in parameters:
            if "." in name:
                self.frozen.append(name)
                continue
            is_tensor = any(re.search(rf"^param {name}\[", node.text()) for node in self.statements)
            self.losses.append(Node([f"mean(({name} - 0.25)^2)" if is_tensor else f"({name} - 0.25)^2"]))

    def reordered(self):
        """The same program with its statements in another order; dims stay in front."""
        other, first = copy.copy(self), self.statements[0].text().startswith("dim ")
        moved = self.statements[first:]
        Chance(self.seed + 1).shuffle(moved)
        other.statements = self.statements[:first] + moved
        return other

    def computed_again(self):
        """The same program, of which every second group of statements is computed again by the backward part."""
        other, first, size = copy.copy(self), self.statements[0].text().startswith("dim "), 1 + self.seed % 4
        rest = self.statements[first:]
        groups = [rest[i:i + size] for i in range(0, len(rest), size)]
        other.statements = self.statements[:first]
        for number, group in enumerate(groups):
            lines = "\n".join(node.text() for node in group)
            other.statements += [Node(["remat {\n" + lines + "\n}"])] if number % 2 else group
        return other

    def renamed_text(self):
        """Other names of the same length for all tensors, dims and index variables. What collides with a name
        of the compiler's own, i or the letter of a dim, does so again: i2 is longer, and long lines are split."""
        letters, others = "ijklnabdfgorvwem", "irojawbnkglvfdem"

        def other(match):
            word = match[0]
            if len(word) == 1:
                return others[letters.index(word)] if word in letters else word
            return f"A{word[1:]}" if re.fullmatch(r"N\d", word) else word  # its index as that of n

        text = re.sub(r"\b[A-Za-z_]\w*\b", other, self.text())
        return re.sub(r"\b([xypsuhq])([1-9]\d*)\b", lambda m: f"{ANOTHER[m[1]]}{m[2]}", text)


ANOTHER = {"x": "q", "y": "z", "p": "t", "s": "c", "u": "w", "h": "k", "q": "r"}
