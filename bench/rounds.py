"""Rounds: every contender once after the other, so that all see the same machine, and what is read off them."""

import statistics
import sys

from building import Failed, NotMeasured


LIMITS = ("peak", "bandwidth", "line read", "line written")


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    """Of the quickest and the slowest round to the median."""
    return [round(extreme(values) / median(values), 3) for extreme in (min, max)]


class Runs:
    """The samples of the contenders for one model; a contender without any has its reason in `absent`."""

    def __init__(self, model):
        self.model, self.samples, self.absent = model, {}, {}

    def start(self, contenders):
        started = []
        for contender in contenders:
            try:
                started.append((contender.name, contender.start(self.model)))
                self.samples[contender.name] = []
            except (NotMeasured, Failed) as problem:
                self.leave_out(contender.name, problem)
        return started

    def leave_out(self, name, problem):
        self.samples.pop(name, None)
        self.absent[name] = str(problem)
        if isinstance(problem, Failed):
            print(f"{self.model.name}: {name}: {problem}", file=sys.stderr)

    def measure(self, contenders, rounds):
        started = self.start(contenders)
        for turn in range(rounds):
            first = turn % max(1, len(started))
            for name, measure in started[first:] + started[:first]:
                if name not in self.samples:
                    continue
                try:
                    self.samples[name].append(measure(self.model.plan))
                except Failed as problem:
                    self.leave_out(name, problem)
        return self

    def times(self, name, clock=False):
        return [sample.clock if clock else sample.processor for sample in self.samples.get(name, ())]

    def median(self, name, clock=False):
        """Seconds of a step; None when not measured."""
        return median(self.times(name, clock))

    def ratio(self, name, other, clock=False):
        """How many times as long as the other in the same round: the median."""
        pairs = zip(self.times(name, clock), self.times(other, clock))
        return median([mine / theirs for mine, theirs in pairs])

    def share(self, name, operations):
        """Of the peak that was measured in the same round."""
        pairs = zip(self.times(name), self.times("peak"))
        return median([operations / mine * limit for mine, limit in pairs])

    def peak(self):
        """Operations of the machine in a second, in thousand millions."""
        limit = self.median("peak")
        return limit and 1e-9 / limit

    def fastest(self, prefix):
        """The best setting of a peer: the name with that prefix and the lowest median."""
        names = [name for name in self.samples if name.startswith(prefix) and self.samples[name]]
        return min(names, key=self.median, default=None)

    def names(self):
        """Of those that were measured, without the limits of the machine."""
        return [name for name, samples in self.samples.items() if samples and name not in LIMITS]

    def losses(self):
        """Of all that run the model, not another beside it."""
        return {name: self.samples[name][-1].loss for name in self.names() if not name.startswith("plain")}

    def odd_ones(self, tolerance=2e-3):
        """Who computed something else than most did: contenders whose loss is away from the median."""
        losses = self.losses()
        if not losses:
            return []
        middle = statistics.median(losses.values())
        return [name for name, loss in losses.items() if not abs(loss - middle) <= tolerance * abs(middle)]

    def record(self):
        names = self.names()
        return {"milliseconds": {name: round(1e3 * self.median(name), 6) for name in names},
                "spread": {name: spread(self.times(name)) for name in names},
                "losses": self.losses(), "absent": self.absent}
