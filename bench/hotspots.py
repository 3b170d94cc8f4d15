"""Where the time of a training step goes: samples of `perf` by function of the generated C."""

import re
import shutil

import building
import contenders
from models import MODELS
from sections import Section, milliseconds
from table import paragraphs, table


APART = {"gcc": "-fno-inline-functions-called-once", "clang": "-fno-inline-functions"}


class Hotspots(Section):
    title = "Where a training step spends its time: functions of the C"
    LEAST = 0.02

    def measure(self, choice):
        wanted = [(model, compiler) for model in filter(choice.takes, MODELS) for compiler in APART]
        self.all = [(f"{model.name} {compiler}", *spots(model, compiler)) for model, compiler in wanted
                    if shutil.which("perf") and shutil.which(compiler)]
        return self

    def text(self):
        rows = [[name, function, f"{100 * share:.0f} %", milliseconds(share * seconds)]
                for name, seconds, functions in self.all for function, share in functions if share >= self.LEAST]
        return paragraphs("" if self.all else "not measured: no perf",
                          table(["", "function", "share", "ms"], rows) if rows else "")

    def record(self):
        return {name: dict(functions) for name, _, functions in self.all}


def spots(model, compiler):
    """Seconds of a step, and functions with their shares of it, the largest first."""
    program = building.build_generated(model, compiler, building.NATIVE, extra=(APART[compiler],))
    warmups, steps = model.plan
    samples = building.PLACE / "perf.data"
    command = [program, building.PLACE / "data" / model.data, warmups, 10 * steps, "train_step"]
    sample = contenders.sample_of(building.call(["perf", "record", "-q", "-e", "cpu-clock", "-F", 2000, "-o", samples,
                                                 *command]))
    report = building.call(["perf", "report", "-i", samples, "--stdio", "-q"])
    prefix = f"{model.symbol or model.name}_train_"
    found = re.findall(rf"^ *([\d.]+)% .*\] {prefix}(\w+)", report, re.M)
    whole = sum(float(share) for share, _ in found)
    return sample.processor, [(function, float(share) / whole) for share, function in found]


SECTIONS = {"hotspots": Hotspots}
