"""What `make bench` measures: each section prints its table and gives its part of the record."""

from dataclasses import dataclass

import building
import contenders
from models import MODELS
from rounds import Runs
from table import against, figures, number, paragraphs, table

COMPILERS = building.COMPILERS


def milliseconds(seconds):
    return figures(None if seconds is None else 1e3 * seconds)


@dataclass(frozen=True)
class Choice:
    """What of a section is measured: the models by name (none: all), without contenders, in so many rounds."""

    only: tuple
    without: tuple
    rounds: int

    def takes(self, model):
        return not self.only or model.name in self.only

    def measure(self, models, line_up):
        """The runs of each model."""
        allowed = [contender for contender in line_up if not contender.name.startswith(self.without)]
        runs = [Runs(model).measure(allowed, self.rounds) for model in models if self.takes(model)]
        for contender in allowed:
            contender.stop()
        return runs


def notes_of(all_runs):
    return "\n".join(line for runs in all_runs for line in warn_of(runs))


def warn_of(runs):
    """Lines about contenders that are not there, or that computed something else."""
    lines = [f"{runs.model.name}: {name}: not measured: {why}" for name, why in runs.absent.items()
             if "not written for this peer" not in why and "no stored kernel" not in why]
    losses = runs.losses()
    return lines + [f"{runs.model.name}: {name} COMPUTES SOMETHING ELSE: loss {losses[name]:.6g}"
                    for name in runs.odd_ones()]


def peers_of(runs):
    """The best setting of each peer: {PyTorch 1.13.1: name in the runs}."""
    prefixes = dict.fromkeys(" ".join(name.split()[:2]) for name in runs.samples if name.startswith(("PyTorch", "JAX")))
    return {prefix: runs.fastest(prefix) for prefix in prefixes}


class Section:
    """Prints its table by `text`, after `measure`."""

    title, all = "", ()

    def record(self):
        return {runs.model.name: runs.record() for runs in self.all}


class Steps(Section):
    """Training steps on one thread beside the kernels written by hand and the peers: the table of the issue."""

    title = "Training steps, 1 thread, --target native"
    machine, models = building.NATIVE, MODELS

    def line_up(self):
        return [*(contenders.stored(compiler) for compiler in COMPILERS), *contenders.training_peers()]

    def measure(self, choice):
        ours = [contenders.Peak(self.machine[1]),
                *(contenders.generated(compiler, self.machine) for compiler in COMPILERS)]
        self.all = choice.measure(self.models, [*ours, *self.line_up()])
        return self

    def peers(self):
        """Of all models."""
        return list(dict.fromkeys(prefix for runs in self.all for prefix in peers_of(runs)))

    def times(self):
        peers = self.peers()
        head = ["ms for a step", "nnc gcc", "nnc clang", "kernel gcc", "kernel clang", *(peers or ["PyTorch"]),
                "MFLOP", "peak GFLOP/s", "before: PyTorch", "other", "reachable"]
        rows = []
        for runs in self.all:
            best, before = peers_of(runs), runs.model.before
            names = ["nnc gcc", "nnc clang", "kernel gcc", "kernel clang"]
            names += [best.get(peer) for peer in peers or [None]]
            rows.append([runs.model.title, *(milliseconds(runs.median(name)) for name in names),
                         f"{runs.model.operations / 1e6:.2f}", figures(runs.peak()),
                         *(figures(before.get(key)) for key in ("torch", "other", "reachable"))])
        return table(head, rows)

    def ratios(self):
        torches = [peer for peer in self.peers() if peer.startswith("PyTorch")] or ["PyTorch"]
        head = ["", "share of peak: gcc", "clang", "kernel gcc", "kernel clang", "before", "to kernel: gcc", "clang",
                *(word for torch in torches for word in (f"to {torch}: gcc", "clang"))]
        rows = []
        for runs in self.all:
            model, best = runs.model, peers_of(runs)
            shares = [against(runs.share(f"nnc {compiler}", model.operations), model.expected, below=False)
                      for compiler in COMPILERS]
            kernels = [number(runs.share(f"kernel {compiler}", model.operations)) for compiler in COMPILERS]
            to_stored = [against(runs.ratio(f"nnc {compiler}", f"kernel {compiler}"), model.to_stored)
                         for compiler in COMPILERS]
            to_torch = [against(runs.ratio(f"nnc {compiler}", best.get(torch)), model.to_torch)
                        for torch in torches for compiler in COMPILERS]
            rows.append([model.title, *shares, *kernels, number(model.before.get("share")), *to_stored, *to_torch])
        return table(head, rows)

    def text(self):
        settings = [f"{runs.model.name}: best setting of {prefix}: {name}" for runs in self.all
                    for prefix, name in peers_of(runs).items() if name and name != prefix]
        return paragraphs(self.times(), self.ratios(), "\n".join(settings), notes_of(self.all))

    def record(self):
        return {runs.model.name: dict(
            runs.record(), mflop=runs.model.operations / 1e6, peak_gflops=runs.peak(),
            share={name: runs.share(name, runs.model.operations) for name in runs.names()})
            for runs in self.all}


class StepsInAvx2(Steps):
    """The same C for machines without AVX-512, on this one, beside its AVX2 peak."""

    title = "Training steps, 1 thread, --target x86-64-v3"
    machine = building.AVX2
    EXPECTED = 0.75

    def line_up(self):
        return []

    def times(self):
        head = ["", "ms: nnc gcc", "nnc clang", "AVX2 peak GFLOP/s", "share of peak: gcc", "clang"]
        rows = [[runs.model.title, *(milliseconds(runs.median(f"nnc {compiler}")) for compiler in COMPILERS),
                 figures(runs.peak()),
                 *(against(runs.share(f"nnc {compiler}", runs.model.operations), self.EXPECTED, below=False)
                   for compiler in COMPILERS)] for runs in self.all]
        return table(head, rows)

    def ratios(self):
        return ""


SECTIONS = {"steps": Steps, "avx2": StepsInAvx2}
