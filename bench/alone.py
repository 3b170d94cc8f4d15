"""Sections beside libraries that do one thing: products, and the inference of one sample."""

import building
import contenders
from models import INFERENCE, PRODUCTS
from sections import COMPILERS, Section, notes_of
from table import against, figures, paragraphs, table

LIBRARIES = ("OpenBLAS", "oneDNN")


class Products(Section):
    title = "Products alone, 1 thread: GFLOP/s"

    def measure(self, choice):
        ours = [contenders.generated(compiler) for compiler in COMPILERS]
        self.all = choice.measure(PRODUCTS, [contenders.Peak(), *ours, *map(contenders.product_of, LIBRARIES)])
        return self

    def text(self):
        head = ["", "nnc gcc", "nnc clang", *LIBRARIES, "peak", "before, of 117: OpenBLAS", "oneDNN", "tiles in C"]
        rows = []
        for runs in self.all:
            times = [runs.median(name) for name in (*(f"nnc {compiler}" for compiler in COMPILERS), *LIBRARIES)]
            speeds = [figures(time and runs.model.operations / time / 1e9) for time in times]
            rows.append([runs.model.title, *speeds, figures(runs.peak()), *runs.model.before.values()])
        return paragraphs(table(head, rows), notes_of(self.all))


class Inference(Section):
    """One sample by entry point `infer`, weights as they were drawn."""

    title = "Inference of one sample, 1 thread: microseconds"

    def measure(self, choice):
        ours = [contenders.generated(compiler) for compiler in COMPILERS]
        self.peer = contenders.onnx_runtime()
        self.all = choice.measure(INFERENCE, [*ours, self.peer])
        return self

    def text(self):
        head = ["", "nnc gcc", "nnc clang", self.peer.name, "to it: gcc", "clang", "before: it", "reachable"]
        rows = []
        for runs in self.all:
            before = runs.model.before
            ours = [f"nnc {compiler}" for compiler in COMPILERS]
            times = [runs.median(name) for name in (*ours, self.peer.name)]
            rows.append([runs.model.title, *(figures(time and 1e6 * time) for time in times),
                         *(against(runs.ratio(name, self.peer.name), before["bar"]) for name in ours),
                         before["onnx"], before["reachable"]])
        return paragraphs(table(head, rows), notes_of(self.all))


SECTIONS = {"products": Products, "inference": Inference}
