"""Where the time of a training step goes: samples of `perf` by function of the generated C."""

import re
import shutil

import building
import contenders
from models import MODELS
from sections import Section, milliseconds
from table import paragraphs, table


class Hotspots(Section):
    title = "Where a training step spends its time: functions of the C, gcc"
    LEAST = 0.02

    def measure(self, choice):
        self.all = [(model, *spots(model)) for model in filter(choice.takes, MODELS)] if shutil.which("perf") else []
        return self

    def text(self):
        rows = [[model.name, function, f"{100 * share:.0f} %", milliseconds(share * seconds)]
                for model, seconds, functions in self.all for function, share in functions if share >= self.LEAST]
        return paragraphs("" if self.all else "not measured: no perf",
                          table(["", "function", "share", "ms"], rows) if rows else "")

    def record(self):
        return {model.name: dict(functions) for model, _, functions in self.all}


def spots(model):
    """Seconds of a step, and functions with their shares of it, the largest first."""
    program = building.build_generated(model, "gcc", building.NATIVE, extra=("-fno-inline-functions-called-once",))
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
