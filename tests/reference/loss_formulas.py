"""Losses and metrics of the library from their formulas, sample by sample: weights, ignored labels, lengths
and reductions, and what no outside suite has. Connectionist temporal classification is the chance of all
paths that spell the labels; where these are too many, the forward and backward variables of the paper's
section 4.1, scaled at each step."""

import itertools
import math

from cases import Expected
from mathematics import ATOL, RTOL, Array, Formula, each, mean

CASES = []


class LossFormula(Formula):
    def labels(self, name, low, high, *shape):
        """Whole numbers from `low` to below `high`."""
        data = [self.rng.randrange(low, high) for _ in range(math.prod(shape))]
        return self.listed(name, data, f" : index({low}, {high})", *shape)

    def listed(self, name, data, kind, *shape):
        self.input(name, shape, data, kind)
        return Array(shape, data)

    def give(self, text, value, atol=ATOL, rtol=RTOL):
        """One output more and what it must be: a number or a list."""
        name = f"y{len(self.expected)}"
        self.line(f"{name} = {text}")
        self.line(f"output {name}")
        self.asks_gradients |= "gradient(" in text
        self.expected[name] = Expected(value if isinstance(value, list) else [value], atol, rtol)


def formula(function):
    case = LossFormula(function.__name__)
    function(case)
    CASES.append(case)
    return function


def row(a, *before):
    """The last dim of an array."""
    return [a(*before, k) for k in range(a.shape[-1])]


def logs(z):
    """Logarithms of the softmax."""
    n = max(z) + math.log(sum(math.exp(v - max(z)) for v in z))
    return [v - n for v in z]


def weighted(losses, weights):
    return sum(w * h for w, h in zip(weights, losses)) / sum(weights)


def give_reductions(case, call, losses, weights):
    """A loss by all three reductions; `call` ends before the closing bracket."""
    case.give(f"{call})", weighted(losses, weights))
    case.give(f"{call}, summed = true)", sum(w * h for w, h in zip(weights, losses)))
    case.give(f"{call}, each = true)", [w * h for w, h in zip(weights, losses)])


# ---- labels: weights, classes that weigh, labels that are ignored, lengths ----------------------------------


def crossed(z, labels, smooth=0.0):
    """The cross entropy of each row, smoothed."""
    return [-(1 - smooth) * q[t] - smooth * mean(q) for q, t in zip(map(logs, z), labels)]


@formula
def cross_entropy_with_weights(case):
    z, t, w = case.real("z", 5, 4), case.labels("t", 0, 4, 5), case.real("w", 5)
    c = case.listed("c", [1, 0.5, 2, 0.25], "", 4)
    rows = [row(z, n) for n in range(5)]
    give_reductions(case, "cross_entropy(z, t, w", crossed(rows, t.data), w.data)
    give_reductions(case, "cross_entropy(z, t, class_weight = c, smooth = 0.2", crossed(rows, t.data, 0.2),
                    [c(k) for k in t.data])
    give_reductions(case, "cross_entropy(z, t, w, c", crossed(rows, t.data),
                    [v * c(k) for v, k in zip(w.data, t.data)])
    case.give("cross_entropy_each(z, t, smooth = 0.2)", crossed(rows, t.data, 0.2))
    case.give("top_accuracy(z, t, w, top = 2)", weighted(
        [float(sum(v > r[k] for v in r) < 2) for r, k in zip(rows, t.data)], w.data))


@formula
def ignored_labels(case):
    """One below the classes and one above; an ignored class; nothing left."""
    z, t = case.real("z", 6, 3), case.listed("t", [0, -1, 2, 3, 1, -1], " : index(-1, 4)", 6)
    c = case.listed("c", [1, 0.5, 2], "", 3)
    used = [0 <= k < 3 for k in t.data]
    losses = [crossed([row(z, n)], [k])[0] if used[n] else 0 for n, k in enumerate(t.data)]
    plain, by_class = [float(u) for u in used], [c(k) if u else 0 for u, k in zip(used, t.data)]
    for name in ("cross_entropy(z", "nll(log_softmax(z)"):
        give_reductions(case, f"{name}, t, ignore = -1", losses, plain)
        give_reductions(case, f"{name}, t, class_weight = c, ignore = 3", losses, by_class)
    give_reductions(case, "cross_entropy(z, t, ignore = -1, smooth = 0.1",
                    [crossed([row(z, n)], [k], 0.1)[0] if 0 <= k < 3 else 0 for n, k in enumerate(t.data)], plain)
    case.line("s[n in 6] = min(max(t[n], 0), 0)")
    case.give("cross_entropy(z, s, ignore = 0)", 0.0)
    case.give("gradient(y15, z)", [0.0] * 18)
    case.give("accuracy(z, t, ignore = -1)", weighted(
        [float(u and max(row(z, n)) == z(n, k)) for n, (u, k) in enumerate(zip(used, t.data))], plain))
    case.give("perplexity(z, t, ignore = -1)", math.exp(weighted(losses, plain)))


@formula
def losses_over_lengths(case):
    """What is behind the end of a sequence may be anything."""
    lengths = [3, 1, 4, 0]
    y, t = case.real("y", 4, 4, 2), case.real("t", 4, 4, 2)
    labels = case.labels("k", 0, 2, 4, 4)
    case.listed("len", lengths, " : index(5)", 4)
    for n, i, k in each(*y.shape):
        if i >= lengths[n]:
            y.data[(n * 4 + i) * 2 + k] = 1e30
    inside = [float(i < lengths[n]) for n, i in each(4, 4)]
    spread = [w for w in inside for _ in range(2)]
    squares = [(a - b) ** 2 if w else 0 for a, b, w in zip(y.data, t.data, spread)]
    give_reductions(case, "mse(y, t, within(y, len)", squares, spread)
    entropies = [crossed([row(y, n, i)], [labels(n, i)])[0] if w else 0 for (n, i), w in zip(each(4, 4), inside)]
    give_reductions(case, "cross_entropy(y, k, within(k, len)", entropies, inside)
    case.give("accuracy(y, k, within(k, len))", weighted(
        [float(row(y, n, i)[labels(n, i)] == max(row(y, n, i))) for n, i in each(4, 4)], inside))


@formula
def weights_of_samples(case):
    y, t, w = case.real("y", 3, 2, 2), case.real("t", 3, 2, 2), case.listed("w", [0.5, 2, 0], "", 3)
    give_reductions(case, "mae(y, t, spread(w, y)", [abs(a - b) for a, b in zip(y.data, t.data)],
                    [w(i // 4) for i in range(12)])


# ---- losses that no suite has -------------------------------------------------------------------------------


@formula
def focal_losses(case):
    z, t, s = case.real("z", 4, 3), case.labels("t", 0, 3, 4), case.real("s", 4, 3)
    q = [logs(row(z, n)) for n in range(4)]
    give_reductions(case, "focal(z, t, gamma = 1.5",
                    [-(1 - math.exp(q[n][k])) ** 1.5 * q[n][k] for n, k in enumerate(t.data)], [1.0] * 4)
    case.give("soft_focal(z, s, smooth = 0.1)", mean(
        sum(-(0.9 * s(n, k) + 0.1 / 3) * (1 - math.exp(q[n][k])) ** 2 * q[n][k] for k in range(3))
        for n in range(4)))
    case.give("generalized_cross_entropy(z, t, q = 0.7)",
              mean((1 - math.exp(q[n][k]) ** 0.7) / 0.7 for n, k in enumerate(t.data)))
    case.give("soft_cross_entropy(z, s, smooth = 0.1)",
              mean(-sum((0.9 * s(n, k) + 0.1 / 3) * q[n][k] for k in range(3)) for n in range(4)))


@formula
def losses_of_two_classes(case):
    z, t = case.real("z", 6), case.listed("t", [0, 1, 1, 0, 1, 0], "", 6)
    p = [1 / (1 + math.exp(-v)) for v in z.data]
    entropy = [-math.log(a if b else 1 - a) for a, b in zip(p, t.data)]
    weights = [1 + 4 * b for b in t.data]
    give_reductions(case, "bce(z, t, 1 + 4*t", entropy, weights)
    give_reductions(case, "bce_probabilities(sigmoid(z), t, 1 + 4*t", entropy, weights)
    case.give("bce_probabilities_sum(sigmoid(z), t)", sum(entropy))
    case.give("bce_sum(z, t)", sum(entropy))
    give_reductions(case, "binary_focal(z, t, 0.75 - 0.5*t, gamma = 3",
                    [(1 - math.exp(-h)) ** 3 * h for h in entropy], [0.25 if b else 0.75 for b in t.data])
    hits = sum(v > 0 and b for v, b in zip(z.data, t.data))
    case.give("precision(z, t)", hits / sum(v > 0 for v in z.data))
    case.give("recall(z, t)", hits / sum(t.data))
    case.give("f1(z, t)", 2 * hits / (sum(v > 0 for v in z.data) + sum(t.data)))
    case.give("binary_accuracy(z, t)", mean((v > 0) == b for v, b in zip(z.data, t.data)))


@formula
def losses_of_numbers(case):
    y, t, v = case.real("y", 4, 3), case.real("t", 4, 3), case.real("v", 4, 3)
    pairs = list(zip(y.data, t.data))
    case.give("mse_sum(y, t)", sum((a - b) ** 2 for a, b in pairs))
    case.give("quantile(y, t, level = 0.3)", mean(0.3 * (b - a) if b > a else 0.7 * (a - b) for a, b in pairs))
    case.give("gaussian_nll(y, v^2, t)", mean(
        -math.log(math.exp(-((a - b) / s) ** 2 / 2) / abs(s)) for (a, b), s in zip(pairs, v.data)))
    distances = [[sum((a - b) ** 2 for a, b in zip(row(y, n), row(x, n))) for x in (t, v)] for n in range(4)]
    case.give("triplet(y, t, v, margin = 0.5)", mean(max(near - far + 0.5, 0) for near, far in distances))
    centre = mean(t.data)
    case.give("r2(y, t)", 1 - sum((a - b) ** 2 for a, b in pairs) / sum((b - centre) ** 2 for b in t.data))
    case.give("soft_accuracy(y, t)", mean(
        row(y, n).index(max(row(y, n))) == row(t, n).index(max(row(t, n))) for n in range(4)))
    case.line("a[n, k] = abs(y[n, k])")
    case.line("b[n, k] = float(t[n, k] > 0)")
    overlaps = [([abs(x) for x in row(y, n)], [x > 0 for x in row(t, n)]) for n in range(4)]
    case.give("tversky(a, b, alpha = 1, beta = 1, each = true)", [
        1 - (sum(p * m for p, m in zip(*o)) + 1e-7) /
        (sum(p + m - p * m for p, m in zip(*o)) + 1e-7) for o in overlaps])
    case.give("dice(a, b, eps = 0.2)", mean(
        1 - (2 * sum(p * m for p, m in zip(*o)) + 0.2) / (sum(p + m for p, m in zip(*o)) + 0.2) for o in overlaps))


# ---- connectionist temporal classification ------------------------------------------------------------------


def spells(path, blank):
    """Without repetitions, then without blanks."""
    return [k for i, k in enumerate(path) if k != blank and (i == 0 or path[i - 1] != k)]


def by_paths(frames, classes, labels, blank):
    """The loss as minus the logarithm of the sum over all paths."""
    rows = [[math.exp(q) for q in logs(frame)] for frame in frames]
    chance = sum(math.prod(r[k] for r, k in zip(rows, path))
                 for path in itertools.product(range(classes), repeat=len(rows))
                 if spells(path, blank) == labels)
    return -math.log(chance) if chance else math.inf


def temporal(case, classes, blank, labels, lengths, sizes):
    """Declares a batch; the loss of each sample."""
    n, s, t = len(labels), len(labels[0]), max(lengths)
    z = case.real("z", n, t, classes)
    case.listed("t", sum(labels, []), f" : index({classes})", n, s)
    case.listed("len", lengths, f" : index({t + 1})", n)
    case.listed("size", sizes, f" : index({s + 1})", n)
    return [by_paths([row(z, i, f) for f in range(lengths[i])], classes, labels[i][:sizes[i]], blank)
            for i in range(n)]


@formula
def ctc_by_all_paths(case):
    """Labels that repeat, none at all, and just as many frames as are needed."""
    losses = temporal(case, 3, 0, [[1, 2, 1], [1, 1, 2], [2, 2, 2], [2, 1, 1], [1, 2, 1], [1, 2, 1]],
                      [6, 4, 5, 3, 5, 0], [3, 3, 3, 2, 0, 0])
    give_reductions(case, "ctc(z, t, len, size", losses, [1.0] * 6)


@formula
def ctc_with_another_blank_and_weights(case):
    losses = temporal(case, 4, 2, [[0, 3], [1, 1], [3, 0]], [5, 4, 2], [2, 2, 1])
    w = case.listed("w", [2, 0.5, 1], "", 3)
    give_reductions(case, "ctc(z, t, len, size, w, blank = 2", losses, w.data)


@formula
def ctc_without_a_path(case):
    """Too few frames, or a label that cannot be: inf, or 0 and no gradient; a weight of 0 leaves it out."""
    losses = temporal(case, 3, 0, [[1, 2], [1, 1], [1, 2]], [4, 2, 0], [2, 2, 1])
    assert losses[1] == losses[2] == math.inf
    case.listed("w", [1, 0, 0], "", 3)
    case.give("ctc(z, t, len, size, each = true)", losses)
    case.give("ctc(z, t, len, size, each = true, zero_infinity = true)", [losses[0], 0, 0])
    case.give("ctc(z, t, len, size, zero_infinity = true)", losses[0] / 3)
    case.give("ctc(z, t, len, size, w)", losses[0])
    case.give("gradient(y1[1] + y1[2], z)", [0.0] * 36)
    case.line("m[n, f, k] = if k == 0 then z[n, f, k] else -inf")
    case.give("ctc(m, t, size = size, each = true)", [math.inf] * 3)


def forward_and_backward(rows, labels, blank):
    """The loss, and its derivative by each logit: equations 6 to 8, 10, 11 and 16, scaled at each step."""
    spelt = [blank] + [k for label in labels for k in (label, blank)]
    size, frames = len(spelt), len(rows)

    def skips(u):
        return u > 1 and spelt[u] != blank and spelt[u] != spelt[u - 2]
    forward, backward, scales = [], [], []
    for f in range(frames):
        before = forward[-1] if f else [1.0] + [0.0] * (size - 1)
        sums = [before[u] + (before[u - 1] if u else 0) + (before[u - 2] if f and skips(u) else 0) for u in range(size)]
        values = [rows[f][spelt[u]] * sums[u] for u in range(size)]
        scales.append(sum(values))
        forward.append([v / scales[-1] for v in values])
    for f in reversed(range(frames)):
        if not backward:
            sums = [0.0] * (size - 2) + [1.0, 1.0]
        else:
            after = [rows[f + 1][spelt[u]] * v for u, v in enumerate(backward[0])] + [0.0, 0.0]
            sums = [after[u] + after[u + 1] + (after[u + 2] if u + 2 < size and skips(u + 2) else 0)
                    for u in range(size)]
        backward.insert(0, [v / sum(sums) for v in sums])
    gradient = []
    for y, a, b in zip(rows, forward, backward):
        shares = [v * w for v, w in zip(a, b)]
        gradient += [p - sum(v for v, k in zip(shares, spelt) if k == j) / sum(shares) for j, p in enumerate(y)]
    return -sum(map(math.log, scales)) - math.log(forward[-1][-1] + forward[-1][-2]), gradient


@formula
def ctc_of_long_sequences(case):
    """1,500 frames: chances far below what a number can hold."""
    frames, classes = 1500, 5
    labels = [case.rng.randrange(1, classes) for _ in range(60)]
    z = case.real("z", 1, frames, classes)
    case.listed("t", labels, f" : index({classes})", 1, len(labels))
    rows = [[math.exp(q) for q in logs(row(z, 0, f))] for f in range(frames)]
    loss, gradient = forward_and_backward(rows, labels, 0)
    case.give("ctc(z, t)", loss)
    case.give("gradient(y0, z)", gradient, atol=1e-4)


@formula
def gradient_of_ctc(case):
    losses = temporal(case, 4, 0, [[1, 3, 3]], [8], [3])
    z = Array((1, 8, 4), case.values["z"])
    rows = [[math.exp(q) for q in logs(row(z, 0, f))] for f in range(8)]
    loss, gradient = forward_and_backward(rows, [1, 3, 3], 0)
    assert abs(loss - losses[0]) < 1e-12
    case.give("ctc(z, t, len, size)", loss)
    case.give("gradient(y0, z)", gradient)
