"""Sections for the acceptance of issue 5 that compare nnc with itself, or with limits of the machine."""

import re
from dataclasses import replace

import building
import contenders
import renaming
from models import BY_NAME, GENERAL, LARGE, MODELS
from sections import COMPILERS, Section, milliseconds, notes_of
from table import against, figures, number, paragraphs, table


class General(Section):
    """Models with parts that no pattern could know, beside the plain model with the same contractions."""

    title = "Generality: share of the peak, to that of the plain model"
    BAR = 0.85

    def measure(self, choice):
        self.all = []
        for plain, model in GENERAL:
            line_up = [contenders.Peak()]
            for compiler in COMPILERS:
                line_up += [contenders.generated(compiler),
                            contenders.generated(compiler, name=f"plain {compiler}", instead=BY_NAME[plain])]
            self.all += choice.measure([model], line_up)
        return self

    def text(self):
        plains = {model.name: plain for plain, model in GENERAL}
        head = ["", "plain", "ms: gcc", "clang", "share: gcc", "clang", "to plain: gcc", "clang"]
        rows = []
        for runs in self.all:
            ours = [f"nnc {compiler}" for compiler in COMPILERS]
            ratios = [runs.ratio(f"plain {compiler}", f"nnc {compiler}") for compiler in COMPILERS]
            rows.append([runs.model.name, plains[runs.model.name], *(milliseconds(runs.median(name)) for name in ours),
                         *(number(runs.share(name, runs.model.operations)) for name in ours),
                         *(against(ratio, self.BAR, below=False) for ratio in ratios)])
        return paragraphs(table(head, rows), notes_of(self.all))


class Renamed(Section):
    """The same models out of a copy of the library in which every name is another and equations stand otherwise."""

    title = "Every name renamed, equations in another order: time, to that of the library"
    BAR = 1.03

    def measure(self, choice):
        self.all, self.shapes = [], {}
        for model in MODELS:
            if not choice.takes(model):
                continue
            copy = renaming.renamed(model, building.PLACE / "renamed")
            line_up = [contender for compiler in COMPILERS for contender in (
                contenders.generated(compiler),
                contenders.generated(compiler, name=f"renamed {compiler}", instead=copy))]
            runs = choice.measure([model], line_up)
            self.shapes[model.name] = renaming.same_nests(*(
                building.compile_model(either, "native").read_text() for either in (model, copy)))
            self.all += runs
        return self

    def text(self):
        head = ["", "ms: gcc", "clang", "renamed: gcc", "clang", "to library: gcc", "clang", "nests"]
        rows = []
        for runs in self.all:
            times = [milliseconds(runs.median(f"{kind} {compiler}")) for kind in ("nnc", "renamed")
                     for compiler in COMPILERS]
            ratios = [against(runs.ratio(f"renamed {compiler}", f"nnc {compiler}"), self.BAR) for compiler in COMPILERS]
            rows.append([runs.model.name, *times, *ratios, self.shapes[runs.model.name]])
        return paragraphs(table(head, rows), notes_of(self.all))


class Threads(Section):
    """Two threads beside one, by the clock: wants a quiet machine, and more steps, as both may start on one core."""

    title = "Two threads: times as fast as one, by the clock"
    BAR, LINES, LONGER = 1.75, ("read", "written"), 10

    def line_up(self):
        ours = [contenders.generated(compiler, threads=threads, name=f"nnc {compiler} {threads}")
                for compiler in COMPILERS for threads in (1, 2)]
        kernels = [contenders.stored(compiler, threads, f"kernel {compiler} {threads}")
                   for compiler in COMPILERS for threads in (1, 2)]
        return [*map(contenders.OtherCore, self.LINES), *ours, *kernels]

    def measure(self, choice):
        models = [replace(model, plan=tuple(self.LONGER * steps for steps in model.plan)) for model in MODELS]
        self.all = choice.measure(models, self.line_up())
        return self

    def lines(self, runs):
        """Nanoseconds for a line that the other core wrote, and for one that it has read."""
        times = [runs.median(f"line {what}", clock=True) for what in self.LINES]
        return [time and 1e9 * time for time in times]

    def text(self):
        head = ["", *(f"ms: {compiler} {threads}" for compiler in COMPILERS for threads in (1, 2)),
                "nnc: gcc", "clang", "kernel: gcc", "clang", "ns a line: read", "written"]
        rows = []
        for runs in self.all:
            times = [milliseconds(runs.median(f"nnc {compiler} {threads}", clock=True))
                     for compiler in COMPILERS for threads in (1, 2)]
            ours = [against(runs.ratio(f"nnc {compiler} 1", f"nnc {compiler} 2", clock=True), self.BAR, below=False)
                    for compiler in COMPILERS]
            kernels = [number(runs.ratio(f"kernel {compiler} 1", f"kernel {compiler} 2", clock=True))
                       for compiler in COMPILERS]
            rows.append([runs.model.title, *times, *ours, *kernels, *map(figures, self.lines(runs))])
        return paragraphs(table(head, rows), notes_of(self.all))

    def record(self):
        return {runs.model.name: dict(runs.record(), ns_a_line=dict(zip(self.LINES, self.lines(runs))))
                for runs in self.all}


class Memory(Section):
    """Scratch of a training step beside the largest set of values alive at once, as the compiler tells."""

    title = "Scratch memory of a training step"
    BAR = 1.25

    def measure(self, choice):
        self.all = []
        for model in filter(choice.takes, (*BY_NAME.values(), *LARGE)):
            told = building.call([building.BUILD / "nnc", "show", "--explain", "memory", "--target=native",
                                  *model.options, model.source]).partition("train_step")[2]
            alive, scratch = (int(re.search(rf"^ *{words} +(\d+)", told, re.M)[1]) for words in
                              ("alive at once", "scratch"))
            self.all.append((model, alive, scratch))
        return self

    def text(self):
        rows = [[model.name, alive, scratch, against(scratch / alive, self.BAR)] for model, alive, scratch in self.all]
        return table(["", "alive at once", "scratch", "ratio"], rows)

    def record(self):
        return {model.name: {"alive": alive, "scratch": scratch} for model, alive, scratch in self.all}


class Large(Section):
    """Models larger than caches, beside the roofline: the operations at the peak, or the bytes at the bandwidth of
    the memory, whichever takes longer."""

    title = "Larger than the caches: share of the roofline"
    BAR = 0.8

    def line_up(self):
        return [contenders.Peak(), contenders.Bandwidth(), *(contenders.generated(compiler) for compiler in COMPILERS)]

    def measure(self, choice):
        self.all = choice.measure(LARGE, self.line_up())
        return self

    @staticmethod
    def roof(runs):
        """Seconds that the step needs at least."""
        peak, memory = runs.median("peak"), runs.median("bandwidth")
        if peak is None or memory is None:
            return None
        return max(runs.model.operations * peak, runs.model.before["traffic"] * memory)

    def text(self):
        head = ["", "ms: gcc", "clang", "roof", "GFLOP", "MB", "peak GFLOP/s", "GB/s", "share: gcc", "clang"]
        rows = []
        for runs in self.all:
            roof, memory = self.roof(runs), runs.median("bandwidth")
            times = [runs.median(f"nnc {compiler}") for compiler in COMPILERS]
            shares = [roof / time if roof and time else None for time in times]
            rows.append([runs.model.title, *map(milliseconds, times), milliseconds(roof),
                         figures(runs.model.operations / 1e9), figures(runs.model.before["traffic"] / 1e6),
                         figures(runs.peak()), figures(memory and 1e-9 / memory),
                         *(against(share, self.BAR, below=False) for share in shares)])
        return paragraphs(table(head, rows), notes_of(self.all))


SECTIONS = {"general": General, "renamed": Renamed, "threads": Threads, "memory": Memory, "large": Large}
