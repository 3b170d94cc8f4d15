#!/usr/bin/env python3
"""Initial values as samples: 10,000 of each distribution have the mean, the deviation and the bounds that the papers
give, and lie along its distribution function (Kolmogorov & Smirnov, level 0.001); by every back end."""

import sys
from math import inf, sqrt
from statistics import NormalDist, fmean, pstdev

from backends import BACKENDS, Failure
from cases import Case

IN, OUT = 100, 100
COUNT = IN * OUT
NORMAL = NormalDist()
KEPT = NORMAL.cdf(2) - NORMAL.cdf(-2)
TRUNCATED_DEVIATION = 0.87962566103423978  # of a standard normal within 2 of its mean, as TensorFlow and JAX have it


class Distribution:
    """mean, deviation, the most that a value is away from the mean, and the share of values up to z deviations."""

    def __init__(self, text, mean, deviation, kind):
        self.text, self.mean, self.deviation = text, mean, deviation
        reach = {"normal": inf, "uniform": sqrt(3), "truncated": 2 / TRUNCATED_DEVIATION}[kind]
        self.bound, self.share = reach * deviation, getattr(self, kind)

    def normal(self, z):
        return NORMAL.cdf(z)

    def uniform(self, z):
        return (1 + z / sqrt(3)) / 2

    def truncated(self, z):
        return (NORMAL.cdf(z * TRUNCATED_DEVIATION) - NORMAL.cdf(-2)) / KEPT

    def case(self):
        case = Case(self.text)
        case.lines = [f"param W[{IN}, {OUT}] ~ {self.text}", "output y = W[0, 0]"]
        case.expected = {"W": None}
        return case

    def wrong(self, values):
        """None, or what is not as it should be."""
        if not abs(fmean(values) - self.mean) < 4 * self.deviation / sqrt(COUNT):
            return f"mean {fmean(values):.4g}, not {self.mean:.4g}"
        if not abs(pstdev(values) / self.deviation - 1) < 0.03:
            return f"deviation {pstdev(values):.4g}, not {self.deviation:.4g}"
        furthest = max(abs(v - self.mean) for v in values)
        if not furthest <= self.bound * (1 + 1e-6):
            return f"a value {furthest:.4g} from the mean, above {self.bound:.4g}"
        if self.bound < inf and not furthest > 0.98 * self.bound:
            return f"no value further from the mean than {furthest:.4g} of {self.bound:.4g}"
        shares = [self.share((v - self.mean) / self.deviation) for v in sorted(values)]
        apart = max(max(share - i / COUNT, (i + 1) / COUNT - share) for i, share in enumerate(shares))
        if not apart < 1.95 / sqrt(COUNT):
            return f"{apart:.3g} from the distribution function"
        return None


DISTRIBUTIONS = [
    Distribution("normal(0.5, 2)", 0.5, 2, "normal"),
    Distribution("uniform(1, 2)", 1.5, 1 / sqrt(12), "uniform"),
    Distribution("truncated_normal(0.5, 2)", 0.5, 2 * TRUNCATED_DEVIATION, "truncated"),
    # variance 2/(fan_in + fan_out): Glorot & Bengio (2010), equations 12 and 16
    Distribution("glorot(100, 300)", 0, sqrt(2 / 400), "uniform"),
    Distribution("glorot_normal(100, 300)", 0, sqrt(2 / 400), "normal"),
    # variance 2/fan_in: He et al. (2015), equation 10
    Distribution("he(100)", 0, sqrt(2 / 100), "normal"),
    Distribution("he_uniform(100)", 0, sqrt(2 / 100), "uniform"),
    # variance 1/fan_in: LeCun et al. (1998), equation 16
    Distribution("lecun(100)", 0, sqrt(1 / 100), "normal"),
    Distribution("lecun_uniform(100)", 0, sqrt(1 / 100), "uniform"),
    Distribution("truncated(0.25)", 0, 0.25, "truncated"),
]


def orthogonal_case():
    case = Case("orthogonal(1.5)")
    case.lines = [f"param W[{IN}, {OUT}] ~ orthogonal(1.5)", "output y = W[0, 0]"]
    case.expected = {"W": None}
    return case


def not_orthogonal(values):
    """None, or which columns' product is not that of 1.5 times an orthogonal matrix."""
    columns = [values[k::OUT] for k in range(OUT)]
    for a in range(OUT):
        for b in range(a + 1):
            product = sum(x * y for x, y in zip(columns[a], columns[b]))
            if not abs(product - (2.25 if a == b else 0)) < 1e-5:
                return f"columns {b} and {a} have the product {product:.6g}"
    return None


def main():
    checks = [(one.case(), one.wrong) for one in DISTRIBUTIONS] + [(orthogonal_case(), not_orthogonal)]
    failures = 0
    for label, backend in BACKENDS.items():
        for (case, wrong), found in zip(checks, backend([case for case, _ in checks])):
            detail = str(found) if isinstance(found, Failure) else wrong(found["W"])
            print(f"FAIL {case.name} by {label}: {detail}" if detail else f"ok {case.name} by {label}")
            failures += detail is not None
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
